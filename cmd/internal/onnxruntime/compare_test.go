package onnxruntime

import (
	"math"
	"runtime"
	"testing"

	"quantlab/core/nn"
	"quantlab/core/quant"
)

// tolerance is how far logits in float32 may be apart: relative to the row's largest, or to 1 where that is smaller. Both sides add the
// same products in another order.
const tolerance = 1e-5

// compare checks what ONNX Runtime gave for the batches.
func compare(t *testing.T, m *quant.Model, batches []nn.Batch, got []float32) {
	layers := m.Weights()
	out := layers[len(layers)-1].Out
	rows, differ, worst := 0, 0, 0.0
	for _, x := range batches {
		logits, err := m.Forward(x)
		if err != nil {
			t.Fatal(err)
		}
		for r := range x.Rows {
			ours, theirs := logits[r*out:(r+1)*out], got[:out]
			got = got[out:]
			scale := 1.0
			for _, v := range ours {
				scale = max(scale, math.Abs(float64(v)))
			}
			for c, v := range ours {
				worst = max(worst, math.Abs(float64(v)-float64(theirs[c]))/scale)
			}
			if a, b := quant.Class(ours), quant.Class(theirs); a != b {
				differ++
				gap, step := distance(ours, a, b), oneStep(t, m, x, r, a, b)
				t.Logf("example %d: %v here, %v in ONNX Runtime: the classes are %.3g apart, rounding steps move them by up to %.3g", rows, ours, theirs, gap, step)
				if !(gap <= step) {
					t.Errorf("example %d: the classes are further apart than rounding to the neighbouring integer explains", rows)
				}
			}
			rows++
		}
	}
	t.Logf("%d of %d classes differ; logits differ by up to %.2g of the largest", differ, rows, worst)
	if len(got) != 0 || rows == 0 {
		t.Errorf("%d numbers are left after %d rows", len(got), rows)
	}
	if integerLayers(m.Plan()) == 0 && !(worst <= tolerance) {
		t.Errorf("logits differ by %.3g of the largest", worst)
	}
	if differ*1000 > rows {
		t.Errorf("%d of %d classes differ", differ, rows)
	}
}

// distance returns how far the logits of two classes are apart, or where there is one logit, how far that is from 0.
func distance(row []float32, a, b int) float64 {
	if len(row) == 1 {
		return math.Abs(float64(row[0]))
	}
	return math.Abs(float64(row[a]) - float64(row[b]))
}

// oneStep returns how far the distance of two classes' logits moves where, each time that activations are rounded to integers, the one that
// matters most is rounded to the neighbouring integer.
func oneStep(t *testing.T, m *quant.Model, x nn.Batch, row, a, b int) float64 {
	layers := m.Weights()
	last := &layers[len(layers)-1]
	far := 0.0
	pull := make([]float64, last.Out) // what a change of each of a layer's outputs does to the distance
	if last.Out > 1 {
		pull[a], pull[b] = 1, -1
	} else {
		pull[0] = 1
	}
	w := make([]float32, 1<<15)
	for k := len(layers) - 1; k >= 0; k-- {
		l := &layers[k]
		if l.Scheme.Mode == quant.Static {
			far += largest(pull) * l.OutGrid.Scale
		}
		earlier := make([]float64, l.In)
		for o, p := range pull {
			if p == 0 {
				continue
			}
			l.Dequantize(w, o)
			for i := range earlier {
				earlier[i] += p * float64(w[i])
			}
		}
		entering := activations(t, m, x, k)
		if l.I8 != nil {
			far += largest(earlier) * stepOf(l, entering, row)
		}
		for i, v := range entering[row*l.In : (row+1)*l.In] {
			if k > 0 && v == 0 { // the ReLU let nothing through
				earlier[i] = 0
			}
		}
		pull = earlier
	}
	return far
}

func largest(pull []float64) float64 {
	most := 0.0
	for _, p := range pull {
		most = max(most, math.Abs(p))
	}
	return most
}

// activations returns what enters layer k, for all rows.
func activations(t *testing.T, m *quant.Model, x nn.Batch, k int) []float32 {
	if k == 0 {
		return x.Scatter(nil).Dense
	}
	before, err := quant.New(m.Spec, m.Weights()[:k], quant.Options{MaxBatch: m.MaxBatch()})
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	y, err := before.Forward(x)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// stepOf returns the distance of neighbouring integers on the grid of what enters a layer.
func stepOf(l *quant.QuantizedLayer, entering []float32, row int) float64 {
	if l.Scheme.Mode == quant.Static {
		return l.InGrid.Scale
	}
	if l.Scheme.Activation.PerRow {
		entering = entering[row*l.In : (row+1)*l.In]
	}
	var lo, hi float32
	for _, v := range entering {
		lo, hi = min(lo, v), max(hi, v)
	}
	return quant.DynamicGrid(l.Scheme.Activation, lo, hi).Scale
}

// checkOperators checks that ONNX Runtime computes every int8 layer with integers. What it makes of the same file on other processors is
// not known.
func checkOperators(t *testing.T, plan quant.Plan, ops map[string]int) {
	if runtime.GOARCH != "amd64" {
		return
	}
	got := 0
	for _, op := range []string{"QGemm", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"} {
		got += ops[op]
	}
	if want := integerLayers(plan); got != want {
		t.Errorf("of %d int8 layers ONNX Runtime computes %d with integers: %v", want, got, ops)
	}
}

func integerLayers(plan quant.Plan) (n int) {
	for _, s := range plan {
		if s.Mode == quant.Dynamic || s.Mode == quant.Static {
			n++
		}
	}
	return n
}
