package kernel

import "math"

// An epilogue is what a packed int8 layer needs besides its weights to turn sums of integer products into outputs.
// It removes the zero points exactly, in int32:
//
//	corrected = Σ xq·wq − zx·Σwq − zw·Σxq + in·zx·zw
//
// and then rounds as the FBGEMM that PyTorch ships does, so that all engines and processors agree. Where no fma is
// written, every float operation is rounded to float32 on its own: explicit conversions keep Go from fusing any.
type epilogue struct {
	out, in   int
	wscale    []float32 // out
	wzero     []int32   // out, or nil: every zero point is 0
	wsum      []int32   // out: sum of the row's integers
	bias      []float32 // out
	perTensor bool      // one weight scale for all outputs
	relu      bool
}

// newEpilogue takes the weights' integers w (out x in), their scales (1 or out), zero points (nil, 1 or out) and the
// bias (out, or nil for none).
func newEpilogue(w []int8, out, in int, wscale []float32, wzero []int32, bias []float32, relu bool) epilogue {
	p := epilogue{
		out: out, in: in, relu: relu, perTensor: len(wscale) == 1,
		wscale: make([]float32, out), wsum: make([]int32, out), bias: make([]float32, out),
	}
	copy(p.bias, bias)
	anyZero := false
	for _, z := range wzero {
		anyZero = anyZero || z != 0
	}
	if anyZero {
		p.wzero = make([]int32, out)
	}
	for o := range out {
		p.wscale[o] = wscale[o%len(wscale)]
		if anyZero {
			p.wzero[o] = wzero[o%len(wzero)]
		}
		for _, v := range w[o*in : (o+1)*in] {
			p.wsum[o] += int32(v)
		}
	}
	return p
}

// dequantize is the dynamic epilogue (fbgemm::requantizeForFloatAvx2) of the outputs from, from+1, … of one row, whose
// plain products are acc; xsum is Σxq of that row (read only where p.wzero is not nil), g its activations' grid:
//
//	y = fma(float32(corrected), float32(g.Scale*wscale), bias)
//
// then max(0, y) where the layer has a ReLU; a NaN stays. FBGEMM's source multiplies and adds, but its compiler fuses
// the two.
func (p *epilogue) dequantize(y []float32, acc []int32, from int, xsum int32, g Grid) {
	y = y[:len(acc)]
	wsum, wscale, bias := p.wsum[from:][:len(acc)], p.wscale[from:][:len(acc)], p.bias[from:][:len(acc)]
	if p.wzero == nil {
		for o, a := range acc {
			s := float32(g.Scale * wscale[o])
			y[o] = fma(float32(a-g.Zero*wsum[o]), s, bias[o])
		}
	} else {
		wzero, shift := p.wzero[from:][:len(acc)], xsum-int32(p.in)*g.Zero
		for o, a := range acc {
			s := float32(g.Scale * wscale[o])
			y[o] = fma(float32(a-g.Zero*wsum[o]-wzero[o]*shift), s, bias[o])
		}
	}
	if p.relu {
		reluRow(y)
	}
}

// fma rounds a*b + c once, as a processor's fused multiply-add does. (Subnormal results, which no layer has, may be off by a
// bit.)
func fma(a, b, c float32) float32 {
	p := float64(a) * float64(b) // exact
	s := p + float64(c)
	if onTie(s) {
		s = offTie(p, float64(c), s)
	}
	return float32(s)
}

// onTie reports whether s lies halfway between two float32, which keep 23 of its 52 bits. Only there can it matter that s
// was rounded before.
func onTie(s float64) bool { return math.Float64bits(s)&(1<<29-1) == 1<<28 }

// offTie returns s, which is p + c rounded, moved by one bit towards the exact sum: Knuth's TwoSum tells on which side that is
// (The Art of Computer Programming, volume 2, section 4.2.2, theorem B).
func offTie(p, c, s float64) float64 {
	q := s - p
	switch lost := (p - (s - q)) + (c - q); {
	case lost > 0:
		return math.Nextafter(s, math.Inf(1))
	case lost < 0:
		return math.Nextafter(s, math.Inf(-1))
	}
	return s
}

// reluRow keeps a NaN.
func reluRow(y []float32) {
	for o, v := range y {
		if v < 0 {
			y[o] = 0
		}
	}
}

// A requantizer is the static epilogue of a layer between two fixed grids.
type requantizer struct {
	bias   []float32 // in units of the products: bias / (in.Scale * wscale)
	mult   []float32 // in.Scale * wscale / out.Scale
	offset []int32   // what removing the zero points subtracts from every row: zx·Σwq − in·zx·zw
	wzero  []int32   // nil, or out
	zero   int32
	lo, hi int32 // lo is the zero point where the layer has a ReLU
}

// requantizer prepares fbgemm::requantizeOutputProcessingAvx2 with a float bias, as at::native's qlinear calls it:
//
//	s    = float32(in.Scale * wscale)
//	mult = s / out.Scale
//	bias = bias / s, or, with one scale for the whole layer, bias * float32(1/s)
func (p *epilogue) requantizer(in, out Grid) requantizer {
	r := requantizer{
		bias: make([]float32, p.out), mult: make([]float32, p.out), offset: make([]int32, p.out),
		wzero: p.wzero, zero: out.Zero, lo: out.Min, hi: out.Max,
	}
	if p.relu {
		r.lo = max(r.lo, out.Zero)
	}
	for o := range p.out {
		s := float32(in.Scale * p.wscale[o])
		r.mult[o] = s / out.Scale
		if p.perTensor {
			r.bias[o] = p.bias[o] * float32(1/s)
		} else {
			r.bias[o] = p.bias[o] / s
		}
		r.offset[o] = in.Zero * p.wsum[o]
		if p.wzero != nil {
			r.offset[o] -= int32(p.in) * in.Zero * p.wzero[o]
		}
	}
	return r
}

// requantize writes the outputs from, from+1, … of one row, whose plain products are acc and whose Σxq is xsum (read
// only where r.wzero is not nil):
//
//	q = clamp(roundeven(float32(float32(corrected)+bias) * mult) + zero, lo, hi)
func (r *requantizer) requantize(y []uint8, acc []int32, from int, xsum int32) {
	y = y[:len(acc)]
	offset, bias, mult := r.offset[from:][:len(acc)], r.bias[from:][:len(acc)], r.mult[from:][:len(acc)]
	zero, lo, hi := r.zero, r.lo, r.hi
	if r.wzero == nil {
		for o, a := range acc {
			v := float32(float32(a-offset[o]) + bias[o])
			q := roundEven(float32(v*mult[o])) + zero
			y[o] = uint8(max(min(q, hi), lo))
		}
		return
	}
	wzero := r.wzero[from:][:len(acc)]
	for o, a := range acc {
		v := float32(float32(a-offset[o]-wzero[o]*xsum) + bias[o])
		q := roundEven(float32(v*mult[o])) + zero
		y[o] = uint8(max(min(q, hi), lo))
	}
}
