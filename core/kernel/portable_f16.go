package kernel

import (
	"math"
	"sync"
)

// portableF16 is a portableF32 whose weights are halves. A single row looks every weight up in a table of all halves; for
// more rows a block of weights is widened to float32 on the stack and then serves the whole batch.
type portableF16 struct {
	w       [][8]uint16
	bias    []float32 // nil for none
	out, in int
	relu    bool
	wide    *halfTable
}

// A halfTable holds the value of every half: 256 KB, of which the weights of a layer touch a small part.
type halfTable [1 << 16]float32

var halves = sync.OnceValue(func() *halfTable {
	t := new(halfTable)
	for h := range t {
		t[h] = widen(uint16(h))
	}
	return t
})

// widen returns the value of a half, given as its bits. Moved to their places in a float32, the bits stand for 2^-112 times
// its value, since the exponents' biases are 15 and 127. That holds for subnormals too, and the product is exact.
func widen(h uint16) float32 {
	sign, rest := uint32(h&0x8000)<<16, uint32(h&0x7FFF)<<13
	if h&0x7C00 == 0x7C00 { // an infinity or NaN
		return math.Float32frombits(sign | rest | 0x7F800000)
	}
	return math.Float32frombits(sign|rest) * 0x1p112
}

func packPortableF16(w []uint16, bias []float32, out, in int, relu bool) floatProduct {
	return &portableF16{grouped(w, out, in), append([]float32(nil), bias...), out, in, relu, halves()}
}

func (p *portableF16) width() int { return 16 }

func (p *portableF16) multiply(y, x []float32, rows, lo, hi int) {
	if rows == 1 {
		p.multiplyRow(y, x, lo, hi)
		return
	}
	var wide [depthBlock / 8 * columnBlock][8]float32
	for c0 := lo; c0 < hi; c0 += columnBlock {
		c1 := min(c0+columnBlock, hi)
		n := c1 - c0
		for r := range rows {
			clear(y[r*p.out+c0 : r*p.out+c1])
		}
		for k0 := 0; k0 < p.in; k0 += depthBlock {
			k1 := min(k0+depthBlock, p.in)
			for g := range (k1 - k0 + 7) / 8 {
				at := (k0/8+g)*p.out + c0
				p.wide.widen8(wide[g*n:(g+1)*n], p.w[at:at+n])
			}
			for r := range rows {
				accumulate8(y[r*p.out+c0:r*p.out+c1], x[r*p.in+k0:r*p.in+k1], wide[:], n)
			}
		}
		for r := range rows {
			finish(y[r*p.out+c0:r*p.out+c1], biasOf(p.bias, c0, c1), p.relu)
		}
	}
}

func (p *portableF16) multiplyRow(y, x []float32, lo, hi int) {
	y, w := y[lo:hi], p.w[lo:]
	clear(y)
	for len(x) >= 8 {
		p.wide.multiplyAdd8(y, (*[8]float32)(x), w)
		if x = x[8:]; len(x) > 0 {
			w = w[p.out:]
		}
	}
	if len(x) > 0 {
		var tail [8]float32
		copy(tail[:], x)
		p.wide.multiplyAdd8(y, &tail, w)
	}
	finish(y, biasOf(p.bias, lo, hi), p.relu)
}

func (t *halfTable) widen8(dst [][8]float32, src [][8]uint16) {
	src = src[:len(dst)]
	for j := range dst {
		d, s := &dst[j], &src[j]
		d[0], d[1], d[2], d[3] = t[s[0]], t[s[1]], t[s[2]], t[s[3]]
		d[4], d[5], d[6], d[7] = t[s[4]], t[s[5]], t[s[6]], t[s[7]]
	}
}

// multiplyAdd8 is multiplyAdd8 of halves.
func (t *halfTable) multiplyAdd8(y []float32, x *[8]float32, w [][8]uint16) {
	w = w[:len(y)]
	x0, x1, x2, x3, x4, x5, x6, x7 := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
	for j := range w {
		v := &w[j]
		s := y[j] + float32(x0*t[v[0]])
		s += float32(x1 * t[v[1]])
		s += float32(x2 * t[v[2]])
		s += float32(x3 * t[v[3]])
		s += float32(x4 * t[v[4]])
		s += float32(x5 * t[v[5]])
		s += float32(x6 * t[v[6]])
		s += float32(x7 * t[v[7]])
		y[j] = s
	}
}
