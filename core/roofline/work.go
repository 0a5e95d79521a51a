package roofline

import (
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// A work is what a forward pass has to do.
type work struct {
	each    float64 // bytes a weight
	dynamic bool    // the range of the activations must be found first
	rows    float64
	input   float64 // bytes of a dense input
	layers  []layer
}

// A layer multiplies macs times by weights, which lie in bytes.
type layer struct{ macs, bytes float64 }

// An input is what the first layer reads of a sparse batch; the zero value is a dense one.
type input struct{ nonZeros, columns int }

// workOf returns the work of a batch. The variant may be unknown.
func workOf(spec nn.Spec, variant string, rows int, in input) (work, bool) {
	each := bytesOf(variant)
	if each == 0 {
		return work{}, false
	}
	w := work{each: each, dynamic: variant == "dynamic-qint8", rows: float64(rows)}
	dims := spec.Dims()
	for i := 1; i < len(dims); i++ {
		n := float64(dims[i-1]) * float64(dims[i])
		l := layer{macs: w.rows * n, bytes: each * n}
		if i == 1 && in.nonZeros > 0 {
			l.macs = float64(in.nonZeros) * float64(dims[1])
			l.bytes = each * float64(in.columns) * float64(dims[1])
		} else if i == 1 {
			w.input = 4 * w.rows * float64(dims[0])
		}
		w.layers = append(w.layers, l)
	}
	return w, true
}

// bytesOf returns the bytes of one of the variant's weights, 0 for an unknown variant.
func bytesOf(variant string) float64 {
	return map[string]float64{"float32": 4, "float16": 2, "qint8": 1}[dtype(variant)]
}

func dtype(variant string) string {
	v, err := wire.VariantOf(variant)
	if err != nil {
		return ""
	}
	return v.DType
}

func (w work) macs() (n float64) {
	for _, l := range w.layers {
		n += l.macs
	}
	return n
}

// bytes counts the weights.
func (w work) bytes() (n float64) {
	for _, l := range w.layers {
		n += l.bytes
	}
	return n
}

// A bound is the least time of a pass, in ns: that of the layers which arithmetic bounds, and that of those which memory
// bounds.
type bound struct{ arithmetic, memory float64 }

func (b bound) total() float64 { return b.arithmetic + b.memory }

// bound is the package's definition in code.
func (w work) bound(p *wire.Peaks) (b bound) {
	bandwidth := BandwidthOf(p, w.bytes()+w.input)
	if w.dynamic {
		b.memory = w.input / bandwidth
	}
	for i, l := range w.layers {
		bytes := l.bytes
		if i == 0 {
			bytes += w.input
		}
		arithmetic, memory := l.arithmetic(w, p), bytes/bandwidth
		if memory > arithmetic {
			b.memory += memory
		} else {
			b.arithmetic += arithmetic
		}
	}
	return b
}

// arithmetic is the least time for the layer's multiply-adds, in ns.
func (l layer) arithmetic(w work, p *wire.Peaks) float64 {
	switch w.each {
	case 1:
		return l.macs / p.Int8
	case 2:
		return max(l.macs/p.Float32, l.bytes/w.each/p.Float16)
	}
	return l.macs / p.Float32
}

// peak is the multiply-adds that arithmetic alone would allow, in 1e9 a second.
func (w work) peak(p *wire.Peaks) float64 {
	t := 0.0
	for _, l := range w.layers {
		t += l.arithmetic(w, p)
	}
	return w.macs() / t
}
