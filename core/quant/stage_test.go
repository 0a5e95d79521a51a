package quant

import (
	"slices"
	"testing"

	"quantlab/core/internal/must"
	"quantlab/core/nn"
)

// The stages of a model one after the other compute what Forward does, whatever was called in between.
func TestStage(t *testing.T) {
	net, x, _ := random(11, 21, 90, 48, 40, 5)
	kinds := oneOfEach()
	float, dynamic, static := kinds[0], kinds[2], kinds[4]
	plans := []Plan{{float, float, float}, {static, static, static}, {static, float, static}, {float, static, dynamic}, {dynamic, static, float}}
	cal := must.Have(Calibrate(t.Context(), net, plans[1], slices.Values([]nn.Batch{x})))(t)
	forest := must.Have(NewForest(net, plans, cal, Options{}))(t)
	defer forest.Close()
	var stages []func() error
	for p := range plans {
		for i := range net.Layers {
			stages = append(stages, must.Have(forest.Model(p).Stage(x, i))(t))
		}
	}
	for p := range plans {
		want := slices.Clone(must.Have(forest.Model(p).Forward(x))(t))
		for _, stage := range stages {
			if err := stage(); err != nil {
				t.Fatal(err)
			}
		}
		// The last stage of the plan leaves its logits where Forward does.
		if err := stages[p*len(net.Layers)+len(net.Layers)-1](); err != nil {
			t.Fatal(err)
		}
		got := forest.floats[len(net.Layers)-1]
		if plans[p][len(net.Layers)-1].Mode == Static {
			got = forest.unpack
		}
		if !slices.Equal(got[:len(want)], want) {
			t.Errorf("plan %v: the last stage gives %v, Forward %v", plans[p], got[:len(want)], want)
		}
	}
	for i, stage := range stages {
		if n := testing.AllocsPerRun(5, func() { _ = stage() }); n != 0 {
			t.Errorf("stage %d allocates %v times", i, n)
		}
	}
	if _, err := forest.Model(0).Stage(nn.Batch{Rows: 1, Cols: 3}, 0); err == nil {
		t.Error("a batch of another network was taken")
	}
}
