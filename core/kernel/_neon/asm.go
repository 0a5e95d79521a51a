package main

import (
	"bytes"
	"fmt"
)

// An asm is a file of Go assembly in the making. Instructions that Go's assembler lacks are written as words, each with its
// name in ARM's syntax beside it; a test compares the two.
type asm struct {
	text   bytes.Buffer
	labels int
}

// function begins a function without results whose arguments, 8 bytes each, arrive in R0, R1 and so on.
func (a *asm) function(name string, args ...string) {
	fmt.Fprintf(&a.text, "\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, 8*len(args))
	for i, arg := range args {
		a.op("MOVD %s+%d(FP), R%d", arg, 8*i, i)
	}
}

// op writes an instruction in Go's syntax.
func (a *asm) op(format string, args ...any) {
	fmt.Fprintf(&a.text, "\t"+format+"\n", args...)
}

// label returns a new label; mark puts it here.
func (a *asm) label() string {
	a.labels++
	return fmt.Sprintf("l%d", a.labels)
}

func (a *asm) mark(label string) { fmt.Fprintf(&a.text, "%s:\n", label) }

// A form is an instruction on vector registers that Go's assembler lacks: its bits, and its name with a place for each
// register. The encodings are those of the Arm Architecture Reference Manual, DDI 0487, section C7.2.
type form struct {
	bits uint32
	text string
}

// Instructions of a destination and one or two sources.
var (
	fadd   = form{0x4E20D400, "fadd v%d.4s, v%d.4s, v%d.4s"}
	fsub   = form{0x4EA0D400, "fsub v%d.4s, v%d.4s, v%d.4s"}
	fdiv   = form{0x6E20FC00, "fdiv v%d.4s, v%d.4s, v%d.4s"}
	fmul   = form{0x6E20DC00, "fmul v%d.4s, v%d.4s, v%d.4s"}
	fmla   = form{0x4E20CC00, "fmla v%d.4s, v%d.4s, v%d.4s"}
	fmax   = form{0x4E20F400, "fmax v%d.4s, v%d.4s, v%d.4s"}
	fmin   = form{0x4EA0F400, "fmin v%d.4s, v%d.4s, v%d.4s"}
	fmaxnm = form{0x4E20C400, "fmaxnm v%d.4s, v%d.4s, v%d.4s"} // the number where one of the two is a NaN
	fminnm = form{0x4EA0C400, "fminnm v%d.4s, v%d.4s, v%d.4s"}
	mls    = form{0x6EA09400, "mls v%d.4s, v%d.4s, v%d.4s"}
	cmgt   = form{0x4EA03400, "cmgt v%d.4s, v%d.4s, v%d.4s"} // signed
	smax   = form{0x4EA06400, "smax v%d.4s, v%d.4s, v%d.4s"}
	smin   = form{0x4EA06C00, "smin v%d.4s, v%d.4s, v%d.4s"}
	bic    = form{0x4E601C00, "bic v%d.16b, v%d.16b, v%d.16b"} // first and not second
	smull  = form{0x0E20C000, "smull v%d.8h, v%d.8b, v%d.8b"}
	smull2 = form{0x4E20C000, "smull2 v%d.8h, v%d.16b, v%d.16b"}
	smlal2 = form{0x4E208000, "smlal2 v%d.8h, v%d.16b, v%d.16b"}

	smlal4   = form{0x0E608000, "smlal v%d.4s, v%d.4h, v%d.4h"}
	smlal2x4 = form{0x4E608000, "smlal2 v%d.4s, v%d.8h, v%d.8h"}

	sadalp  = form{0x4E606800, "sadalp v%d.4s, v%d.8h"}
	scvtf   = form{0x4E21D800, "scvtf v%d.4s, v%d.4s"}
	fcvtns  = form{0x4E21A800, "fcvtns v%d.4s, v%d.4s"} // ties to even, saturating
	fcvtl   = form{0x0E217800, "fcvtl v%d.4s, v%d.4h"}
	fcvtl2  = form{0x4E217800, "fcvtl2 v%d.4s, v%d.8h"}
	fcmlt   = form{0x4EA0E800, "fcmlt v%d.4s, v%d.4s, #0.0"}
	fcmgt   = form{0x4EA0C800, "fcmgt v%d.4s, v%d.4s, #0.0"}
	fabs    = form{0x4EA0F800, "fabs v%d.4s, v%d.4s"}
	fsqrt   = form{0x6EA1F800, "fsqrt v%d.4s, v%d.4s"}
	fmaxv   = form{0x6E30F800, "fmaxv s%d, v%d.4s"}
	fminv   = form{0x6EB0F800, "fminv s%d, v%d.4s"}
	sxtl8   = form{0x0F08A400, "sxtl v%d.8h, v%d.8b"}
	sxtl2x8 = form{0x4F08A400, "sxtl2 v%d.8h, v%d.16b"}
	xtn4    = form{0x0E612800, "xtn v%d.4h, v%d.4s"}
	xtn2x4  = form{0x4E612800, "xtn2 v%d.8h, v%d.4s"}
	xtn8    = form{0x0E212800, "xtn v%d.8b, v%d.8h"}
	xtn2x8  = form{0x4E212800, "xtn2 v%d.16b, v%d.8h"}
)

// v writes a form. Registers are the destination's, then the sources'.
func (a *asm) v(f form, d, n int, m ...int) {
	word := f.bits | uint32(n)<<5 | uint32(d)
	args := []any{d, n}
	if len(m) == 1 {
		word |= uint32(m[0]) << 16
		args = append(args, m[0])
	}
	a.word(word, fmt.Sprintf(f.text, args...))
}

// Instructions that multiply a vector by one of the four lanes of another.
var (
	fmlaLane = form{0x4F801000, "fmla v%d.4s, v%d.4s, v%d.s[%d]"}
	sdotLane = form{0x4F80E000, "sdot v%d.4s, v%d.16b, v%d.4b[%d]"}
)

func (a *asm) lane(f form, d, n, m, i int) {
	word := f.bits | uint32(i>>1)<<11 | uint32(i&1)<<21 | uint32(m)<<16 | uint32(n)<<5 | uint32(d)
	a.word(word, fmt.Sprintf(f.text, d, n, m, i))
}

func (a *asm) word(bits uint32, text string) { a.op("WORD $0x%08X // %s", bits, text) }

// relu makes negative elements of vector d zero and keeps a NaN, with vector t to spare.
func (a *asm) relu(d, t int) {
	a.v(fcmlt, t, d)
	a.v(bic, d, d, t)
}
