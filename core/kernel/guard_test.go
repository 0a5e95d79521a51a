package kernel

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"testing"
	"unsafe"
)

// A placement says where in memory a kernel finds its arguments.
type placement int

const (
	onLine     placement = iota // from a cache line on
	shifted1                    // one element later, so that no vector is aligned
	shifted2                    // two
	shifted3                    // three
	flushEnd                    // the page after the last element can't be touched
	flushStart                  // nor can the one before the first element
	placements
)

func (p placement) String() string {
	return [...]string{"aligned", "shifted by 1", "shifted by 2", "shifted by 3", "flush with a guard page's start", "flush with a guard page's end"}[p]
}

// An arena places arguments. It finds out about reads and writes beyond them: those that meet a guard page fault; for the
// others there are fences, bytes around each slice that must stay as they are, and that are NaN to whom reads them.
type arena struct {
	placement placement
	pieces    []piece
	complaint error // what else is wrong
}

type piece struct {
	name  string
	whole []byte // with the fences
	from  int    // where in whole the slice begins
	size  int
	input []byte // what it must still hold; nil for outputs
	pages []byte // guarded, or nil
}

const (
	fenceBytes = 128
	fenceByte  = 0xFF
)

var pageBytes = os.Getpagesize()

// idlePages are the guarded pages that no arena uses, by size.
var idlePages = map[int][][]byte{}

// input returns a copy of s that a kernel may read and must not change. nil stays nil.
func input[T any](a *arena, name string, s []T) []T {
	if s == nil {
		return nil
	}
	placed := output[T](a, name, len(s))
	copy(placed, s)
	a.protect()
	return placed
}

// protect makes the piece that was placed last an input.
func (a *arena) protect() {
	p := &a.pieces[len(a.pieces)-1]
	p.input = slices.Clone(p.slice())
}

// output returns a slice of n elements to write to. What it holds before is NaN or -1.
func output[T any](a *arena, name string, n int) []T {
	var zero T
	b := a.place(name, n, int(unsafe.Sizeof(zero)))
	if n == 0 {
		return []T{}
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}

// place returns the memory for n elements of so many bytes each.
func (a *arena) place(name string, n, each int) []byte {
	p := piece{name: name, size: n * each}
	if a.placement >= flushEnd {
		p.pages = takePages(p.size)
	}
	switch {
	case p.pages == nil:
		p.whole = aligned[uint8](p.size + 2*fenceBytes)
		p.from = fenceBytes + int(a.placement%flushEnd)*each
	case a.placement == flushEnd:
		p.from = min(fenceBytes, len(p.pages)-p.size)
		p.whole = p.pages[len(p.pages)-p.size-p.from:]
	default:
		p.whole = p.pages[:min(p.size+fenceBytes, len(p.pages))]
	}
	fillBytes(p.whole)
	a.pieces = append(a.pieces, p)
	return p.slice()
}

func fillBytes(b []byte) {
	b[0] = fenceByte
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

func takePages(n int) []byte {
	size := pageBytes
	for size < n {
		size *= 2
	}
	idle := idlePages[size]
	if len(idle) == 0 {
		return guardedPages(size)
	}
	idlePages[size] = idle[:len(idle)-1]
	return idle[len(idle)-1]
}

func (p *piece) slice() []byte { return p.whole[p.from : p.from+p.size] }

// run calls f and tells what it did wrong. A fault or panic becomes an error, unless it happened on another goroutine.
func (a *arena) run(f func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		defer a.release()
		switch v := recover().(type) {
		case nil:
			err = a.check()
		case interface{ Addr() uintptr }:
			err = a.fault(v.Addr())
		default:
			err = fmt.Errorf("panics: %v\n%s", v, debug.Stack())
		}
	}()
	f()
	return nil
}

// check finds writes to inputs and fences.
func (a *arena) check() error {
	if a.complaint != nil {
		return a.complaint
	}
	for _, p := range a.pieces {
		before, after := p.whole[:p.from], p.whole[p.from+p.size:]
		for i := range before {
			if before[i] != fenceByte {
				return fmt.Errorf("writes %d bytes before the start of %s", len(before)-i, p.name)
			}
		}
		for i := range after {
			if after[len(after)-1-i] != fenceByte {
				return fmt.Errorf("writes up to %d bytes past the end of %s", len(after)-i, p.name)
			}
		}
		if p.input != nil && !bytes.Equal(p.input, p.slice()) {
			return fmt.Errorf("changes its input %s", p.name)
		}
	}
	return nil
}

// fault says what lies nearest to the address of a fault.
func (a *arena) fault(addr uintptr) error {
	for _, p := range a.pieces {
		if p.pages == nil {
			continue
		}
		first := uintptr(unsafe.Pointer(unsafe.SliceData(p.whole))) + uintptr(p.from)
		start := uintptr(unsafe.Pointer(&p.pages[0]))
		end := start + uintptr(len(p.pages))
		switch past := first + uintptr(p.size); {
		case addr >= end && addr < end+uintptr(pageBytes):
			return fmt.Errorf("touches byte %d past the end of %s, %d bytes", addr-past, p.name, p.size)
		case addr < start && addr >= start-uintptr(pageBytes):
			return fmt.Errorf("touches byte %d before the start of %s, %d bytes", first-addr, p.name, p.size)
		}
	}
	return fmt.Errorf("faults at address %#x, next to none of its arguments", addr)
}

// release gives the guarded pages back. The arena's slices are not to be used any more.
func (a *arena) release() {
	for _, p := range a.pieces {
		if p.pages != nil {
			idlePages[len(p.pages)] = append(idlePages[len(p.pages)], p.pages)
		}
	}
	a.pieces = nil
}

// relocate moves all slices of numbers that the packed layer v points to into the arena: weights, bias and scales as the
// kernels read them.
func relocate(a *arena, v any) {
	(&mover{a, map[unsafe.Pointer]bool{}}).move(reflect.ValueOf(v), "packed")
}

type mover struct {
	a    *arena
	seen map[unsafe.Pointer]bool
}

func (m *mover) move(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			m.move(v.Elem(), name)
		}
	case reflect.Pointer:
		if v.IsNil() || v.Type() == reflect.TypeFor[*Engine]() || m.seen[v.UnsafePointer()] {
			return
		}
		m.seen[v.UnsafePointer()] = true
		m.move(v.Elem(), name)
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Field(i)
			settable := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
			m.move(settable, name+" "+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		elem := v.Type().Elem()
		number := elem
		for number.Kind() == reflect.Array {
			number = number.Elem()
		}
		if v.Len() == 0 || number.Kind() < reflect.Int || number.Kind() > reflect.Float64 {
			for i := range v.Len() {
				m.move(v.Index(i), name)
			}
			return
		}
		bytes := v.Len() * int(elem.Size())
		placed := m.a.place(name, bytes/int(number.Size()), int(number.Size()))
		copy(placed, unsafe.Slice((*byte)(v.UnsafePointer()), bytes))
		m.a.protect()
		v.Set(reflect.SliceAt(elem, unsafe.Pointer(&placed[0]), v.Len()))
	}
}

// TestPlacement runs every operation with its arguments next to guard pages, and shifted: none may touch anything beyond
// them, and the bits may not depend on where they lie.
func TestPlacement(t *testing.T) {
	r, c := newRandom(20), newChecker(t)
	for i, s := range shapes() {
		if i%2 != 0 {
			continue // a matter of time
		}
		shifted := shifted1 + placement(i/2%3)
		c.each(operations(r, s.rows, s.out, s.in), func(op *operation, e *Engine) error {
			want, err := op.result(e, onLine)
			for _, p := range []placement{shifted, flushEnd, flushStart} {
				if err != nil {
					return err
				}
				var got outputs
				if got, err = op.result(e, p); err == nil && !got.same(want) {
					err = fmt.Errorf("%s, %v, not as when aligned: %s", op.name, p, got.difference(want))
				}
			}
			return err
		})
	}
}

// TestGuards checks that the test above can fail.
func TestGuards(t *testing.T) {
	for _, c := range []struct {
		name      string
		placement placement
		call      func(x, y []byte)
		fault     bool
	}{
		{"reads past the end", flushEnd, func(x, y []byte) { y[0] = *(*byte)(unsafe.Add(unsafe.Pointer(&x[0]), len(x))) }, true},
		{"reads before the start", flushStart, func(x, y []byte) { y[0] = *(*byte)(unsafe.Add(unsafe.Pointer(&x[0]), -1)) }, true},
		{"writes past the end", shifted3, func(x, y []byte) { *(*byte)(unsafe.Add(unsafe.Pointer(&y[0]), len(y))) = 1 }, false},
		{"writes before the start", onLine, func(x, y []byte) { *(*byte)(unsafe.Add(unsafe.Pointer(&y[0]), -1)) = 1 }, false},
		{"writes to the input", flushStart, func(x, y []byte) { x[4] = 7 }, false},
	} {
		if c.fault && guardedPages(1) == nil {
			continue
		}
		a := &arena{placement: c.placement}
		x, y := input(a, "x", make([]byte, 5)), output[byte](a, "y", 6)
		if a.run(func() { c.call(x, y) }) == nil {
			t.Errorf("what %s goes unnoticed", c.name)
		}
	}
}
