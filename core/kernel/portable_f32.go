package kernel

// portableF32 keeps weights in groups of 8 inputs: w[g*out + o][i] multiplies input g*8 + i into output o. Missing inputs of
// the last group weigh 0.
type portableF32 struct {
	w       [][8]float32
	bias    []float32 // nil for none
	out, in int
	relu    bool
}

func packPortableF32(w, bias []float32, out, in int, relu bool) floatProduct {
	return &portableF32{grouped(w, out, in), append([]float32(nil), bias...), out, in, relu}
}

// grouped returns w, out x in, in groups of 8 inputs.
func grouped[T any](w []T, out, in int) [][8]T {
	g := make([][8]T, (in+7)/8*out)
	for o := range out {
		for k, v := range w[o*in : (o+1)*in] {
			g[k/8*out+o][k%8] = v
		}
	}
	return g
}

func (p *portableF32) width() int { return 16 }

func (p *portableF32) multiply(y, x []float32, rows, lo, hi int) {
	step := columns(rows, lo, hi, columnBlock)
	for c0 := lo; c0 < hi; c0 += step {
		c1 := min(c0+step, hi)
		for r := range rows {
			clear(y[r*p.out+c0 : r*p.out+c1])
		}
		for k0 := 0; k0 < p.in; k0 += depthBlock {
			k1 := min(k0+depthBlock, p.in)
			for r := range rows {
				accumulate8(y[r*p.out+c0:r*p.out+c1], x[r*p.in+k0:r*p.in+k1], p.w[k0/8*p.out+c0:], p.out)
			}
		}
		for r := range rows {
			finish(y[r*p.out+c0:r*p.out+c1], biasOf(p.bias, c0, c1), p.relu)
		}
	}
}

// finish adds the bias, as long as y or nil for none, and applies the ReLU, which keeps a NaN.
func finish(y, bias []float32, relu bool) {
	if bias != nil {
		addBias(y, bias)
	}
	if relu {
		reluRow(y)
	}
}

// biasOf returns the bias of the outputs lo to hi-1, nil where there is none.
func biasOf(bias []float32, lo, hi int) []float32 {
	if bias == nil {
		return nil
	}
	return bias[lo:hi]
}

// accumulate8 adds to y[j] the products of x with w[j], then of its next 8 elements with w[ld+j], and so on.
func accumulate8(y, x []float32, w [][8]float32, ld int) {
	for len(x) >= 8 {
		multiplyAdd8(y, (*[8]float32)(x), w)
		if x = x[8:]; len(x) > 0 {
			w = w[ld:]
		}
	}
	if len(x) > 0 {
		var tail [8]float32
		copy(tail[:], x)
		multiplyAdd8(y, &tail, w)
	}
}

// multiplyAdd8 is the innermost loop of the float products: y[j] += Σi x[i]·w[j][i], one product after the other.
// Converting each product to float32 keeps compilers from fusing it with the addition where the processor could, so
// that all machines agree.
func multiplyAdd8(y []float32, x *[8]float32, w [][8]float32) {
	w = w[:len(y)]
	x0, x1, x2, x3, x4, x5, x6, x7 := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
	for j := range w {
		v := &w[j]
		s := y[j] + float32(x0*v[0])
		s += float32(x1 * v[1])
		s += float32(x2 * v[2])
		s += float32(x3 * v[3])
		s += float32(x4 * v[4])
		s += float32(x5 * v[5])
		s += float32(x6 * v[6])
		s += float32(x7 * v[7])
		y[j] = s
	}
}
