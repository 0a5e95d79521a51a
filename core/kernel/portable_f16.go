package kernel

import "math"

// portableF16 is a portableF32 whose weights are halves. A block of them is widened to float32 on the stack and then serves
// every row of the batch.
type portableF16 struct {
	w       [][8]uint16
	bias    []float32 // nil for none
	out, in int
	relu    bool
	finite  bool // no weight is NaN or infinite
}

func packPortableF16(w []uint16, bias []float32, out, in int, relu bool) floatProduct {
	return &portableF16{grouped(w, out, in), append([]float32(nil), bias...), out, in, relu, allFinite(w)}
}

func (p *portableF16) width() int { return 16 }

// wideColumns is how many outputs' weights are widened at a time, for depthBlock inputs: 16 KB.
const wideColumns = 128

func (p *portableF16) multiply(y, x []float32, rows, lo, hi int) {
	var wide [depthBlock / 8 * wideColumns][8]float32
	for c0 := lo; c0 < hi; c0 += wideColumns {
		c1 := min(c0+wideColumns, hi)
		n := c1 - c0
		for r := range rows {
			clear(y[r*p.out+c0 : r*p.out+c1])
		}
		for k0 := 0; k0 < p.in; k0 += depthBlock {
			k1 := min(k0+depthBlock, p.in)
			for g := range (k1 - k0 + 7) / 8 {
				at := (k0/8+g)*p.out + c0
				widen8(wide[g*n:(g+1)*n], p.w[at:at+n], p.finite)
			}
			for r := range rows {
				accumulate8(y[r*p.out+c0:r*p.out+c1], x[r*p.in+k0:r*p.in+k1], wide[:], n)
			}
		}
		for r := range rows {
			finish(y[r*p.out+c0:r*p.out+c1], p.bias, c0, p.relu)
		}
	}
}

// widen8 converts halves to float32; finite says that none is NaN or infinite.
func widen8(dst [][8]float32, src [][8]uint16, finite bool) {
	src = src[:len(dst)]
	for j := range dst {
		d, s := &dst[j], &src[j]
		d[0], d[1], d[2], d[3] = widenFinite(s[0]), widenFinite(s[1]), widenFinite(s[2]), widenFinite(s[3])
		d[4], d[5], d[6], d[7] = widenFinite(s[4]), widenFinite(s[5]), widenFinite(s[6]), widenFinite(s[7])
	}
	if !finite {
		for j := range dst {
			for i, h := range src[j] {
				dst[j][i] = widen(h)
			}
		}
	}
}

// widenFinite converts a half that is neither NaN nor infinite. Moved to their places in a float32, its bits stand for
// 2^-112 times its value, since the exponents' biases are 15 and 127; that holds for subnormals too, and the product is
// exact.
func widenFinite(h uint16) float32 {
	return math.Float32frombits(uint32(int32(int16(h)))<<13&0x8FFFE000) * 0x1p112
}

// widen converts any half.
func widen(h uint16) float32 {
	if h&0x7C00 == 0x7C00 {
		return math.Float32frombits(uint32(h&0x8000)<<16 | 0x7F800000 | uint32(h&0x3FF)<<13)
	}
	return widenFinite(h)
}

func allFinite(w []uint16) bool {
	for _, h := range w {
		if h&0x7C00 == 0x7C00 {
			return false
		}
	}
	return true
}
