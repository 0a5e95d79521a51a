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
func compare(t *testing.T, m *quant.Model, batches []nn.Batch, got []float32, ops map[string]int) {
	layers := m.Weights()
	out := layers[len(layers)-1].Out
	checkOperators(t, m.Plan(), ops)
	steps := newSteps(t, m)
	rows, differ, worst, most := 0, 0, 0.0, 0.0
	for _, x := range batches {
		want, err := m.Forward(x)
		if err != nil {
			t.Fatal(err)
		}
		steps.of(x)
		for range x.Rows {
			ours, theirs := want[:out], got[:out]
			want, got = want[out:], got[out:]
			for c, v := range ours {
				d := math.Abs(float64(v) - float64(theirs[c]))
				worst = max(worst, d/scaleOf(ours))
				if steps.any() {
					most = max(most, d/steps.moves(c, -1))
				}
			}
			if a, b := quant.Class(ours), quant.Class(theirs); a != b {
				differ++
				gap := distance(ours, a, b)
				t.Logf("example %d: %v here, %v in ONNX Runtime; one rounding step moves the classes by up to %.3g", rows, ours, theirs, steps.moves(a, b))
				if !(gap <= steps.moves(a, b)) {
					t.Errorf("example %d: the classes are %.3g apart, more than one rounding step can move", rows, gap)
				}
			}
			rows++
		}
	}
	if len(got) != 0 || rows == 0 {
		t.Fatalf("%d numbers are left after %d rows", len(got), rows)
	}
	t.Logf("%d of %d classes differ; logits differ by up to %.2g of the largest, or %.2g rounding steps", differ, rows, worst, most)
	if !steps.any() && !(worst <= tolerance) {
		t.Errorf("logits differ by %.3g of the largest", worst)
	}
	if differ*1000 > rows {
		t.Errorf("%d of %d classes differ", differ, rows)
	}
}

func scaleOf(row []float32) float64 {
	largest := 1.0
	for _, v := range row {
		largest = max(largest, math.Abs(float64(v)))
	}
	return largest
}

// distance returns how far the logits of two classes are apart, or where there is one logit, how far that is from 0.
func distance(row []float32, a, b int) float64 {
	if len(row) == 1 {
		return math.Abs(float64(row[0]))
	}
	return math.Abs(float64(row[a]) - float64(row[b]))
}

// Steps tell what it does to logits when one activation is rounded to the neighbouring integer: one that enters the last int8 layer.
type steps struct {
	t       *testing.T
	layers  []quant.QuantizedLayer // from the last int8 layer on; nil where there is none
	before  *quant.Model           // the layers before; nil where there are none
	weights [][]float32            // of the layers
	size    float64                // of a step in the batch at hand
	pulls   map[[2]int]float64     // see pull
}

func newSteps(t *testing.T, m *quant.Model) *steps {
	s := &steps{t: t, pulls: map[[2]int]float64{}}
	all := m.Weights()
	for k := len(all) - 1; k >= 0; k-- {
		if all[k].I8 == nil {
			continue
		}
		s.layers = all[k:]
		if k > 0 {
			before, err := quant.New(m.Spec, all[:k], quant.Options{MaxBatch: m.MaxBatch()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(before.Close)
			s.before = before
		}
		break
	}
	for _, l := range s.layers {
		w := make([]float32, l.In*l.Out)
		for o := range l.Out {
			l.Dequantize(w[o*l.In:], o)
		}
		s.weights = append(s.weights, w)
	}
	return s
}

// any reports whether anything is rounded to integers.
func (s *steps) any() bool { return s.layers != nil }

// of sets the size of a step to the batch's. Where each row has its own, it is that of the row that reaches furthest.
func (s *steps) of(x nn.Batch) {
	if !s.any() {
		return
	}
	l := &s.layers[0]
	if l.Scheme.Mode == quant.Static {
		s.size = l.InGrid.Scale
		return
	}
	h := x.Scatter(nil).Dense
	if s.before != nil {
		var err error
		if h, err = s.before.Forward(x); err != nil {
			s.t.Fatal(err)
		}
	}
	var lo, hi float32
	for _, v := range h {
		lo, hi = min(lo, v), max(hi, v)
	}
	s.size = quant.DynamicGrid(l.Scheme.Activation, lo, hi).Scale
}

// moves returns how far a step can move the logits of two classes apart; where b is negative, how far it moves one logit. Logits that are
// on a grid themselves may be rounded the other way too.
func (s *steps) moves(a, b int) float64 {
	if !s.any() {
		return 0
	}
	if s.layers[len(s.layers)-1].Out == 1 {
		a, b = 0, -1
	}
	far := s.size * s.pull(a, b)
	if l := s.layers[len(s.layers)-1]; l.Scheme.Mode == quant.Static {
		far += l.OutGrid.Scale
	}
	return far
}

// pull returns how much of a change of one activation comes through at most.
func (s *steps) pull(a, b int) float64 {
	if p, ok := s.pulls[[2]int{a, b}]; ok {
		return p
	}
	last := len(s.layers) - 1
	each := make([]float64, s.layers[last].In) // by activation
	for i := range each {
		each[i] = float64(s.weights[last][a*len(each)+i])
		if b >= 0 {
			each[i] -= float64(s.weights[last][b*len(each)+i])
		}
	}
	for k := last - 1; k >= 0; k-- {
		earlier := make([]float64, s.layers[k].In)
		for o, p := range each {
			for i := range earlier {
				earlier[i] += math.Abs(p * float64(s.weights[k][o*len(earlier)+i]))
			}
		}
		each = earlier
	}
	most := 0.0
	for _, p := range each {
		most = max(most, math.Abs(p))
	}
	s.pulls[[2]int{a, b}] = most
	return most
}

// checkOperators checks that ONNX Runtime computes every int8 layer with integers. What it makes of the same file on other processors is
// not known.
func checkOperators(t *testing.T, plan quant.Plan, ops map[string]int) {
	if runtime.GOARCH != "amd64" {
		return
	}
	want, got := 0, 0
	for _, s := range plan {
		if s.Mode == quant.Dynamic || s.Mode == quant.Static {
			want++
		}
	}
	for _, op := range []string{"QGemm", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"} {
		got += ops[op]
	}
	if got != want {
		t.Errorf("of %d int8 layers ONNX Runtime computes %d with integers: %v", want, got, ops)
	}
}
