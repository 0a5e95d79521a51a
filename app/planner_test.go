package app

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"quantlab/core/scheme"
)

func TestTurningKnobs(t *testing.T) {
	type turn struct {
		knob  knob
		value string
	}
	for name, c := range map[string]struct {
		turns []turn
		want  string // the query
	}{
		"nothing":                       {nil, ""},
		"there and back":                {[]turn{{scheme.WeightBits, "4"}, {scheme.WeightBits, "8"}}, ""},
		"all layers":                    {[]turn{{scheme.WeightBits, "4"}}, "net=mnist-lab1&plan=static-w4c-a8r-histogram"},
		"one layer":                     {[]turn{{knobLayer, "2"}, {scheme.WeightBits, "4"}}, "net=mnist-lab1&plan=static-w8c-a8r-histogram,static-w4c-a8r-histogram&layer=2"},
		"a layer there is not":          {[]turn{{knobLayer, "3"}}, ""},
		"a layer in float16":            {[]turn{{knobLayer, "1"}, {scheme.ModeOf, "float16"}, {knobLayer, "all"}}, "net=mnist-lab1&plan=float16,static-w8c-a8r-histogram"},
		"its bits":                      {[]turn{{knobLayer, "1"}, {scheme.ModeOf, "float16"}, {scheme.WeightBits, "4"}}, "net=mnist-lab1&plan=float16,static-w8c-a8r-histogram&layer=1"},
		"a preset":                      {[]turn{{knobPreset, "dynamic-qint8"}}, "net=mnist-lab1&plan=dynamic-w8-a8r"},
		"an unknown preset":             {[]turn{{knobPreset, "int1"}}, ""},
		"a model":                       {[]turn{{knobModel, "sst2-lab2"}}, "net=sst2-lab2&plan=static-w8c-a8r-histogram"},
		"a model with the same plan":    {[]turn{{scheme.WeightBits, "3"}, {knobModel, "mnist-lab2"}}, "net=mnist-lab2&plan=static-w3c-a8r-histogram"},
		"a model after a mixed plan":    {[]turn{{knobLayer, "1"}, {scheme.WeightBits, "3"}, {knobModel, "mnist-lab2"}}, "net=mnist-lab2&plan=static-w8c-a8r-histogram"},
		"an unknown model":              {[]turn{{knobModel, "mnist-lab9"}}, ""},
		"fewer examples":                {[]turn{{knobExamples, "64"}}, "net=mnist-lab1&plan=static-w8c-a8r-histogram&calibration=64&calseed=0"},
		"examples that are no power":    {[]turn{{knobExamples, "100"}}, ""},
		"more than the sample has":      {[]turn{{knobExamples, "2048"}}, ""},
		"a seed and more":               {[]turn{{knobSeed, "7"}, {knobExamples, "8192"}}, "net=mnist-lab1&plan=static-w8c-a8r-histogram&calibration=8192&calseed=7"},
		"more than can be":              {[]turn{{knobSeed, "7"}, {knobExamples, "16384"}}, "net=mnist-lab1&plan=static-w8c-a8r-histogram&calibration=1024&calseed=7"},
		"back to the sample":            {[]turn{{knobSeed, "7"}, {knobExamples, "8192"}, {knobSeed, "0"}}, ""},
		"a seed that is none":           {[]turn{{knobSeed, "seven"}}, ""},
		"the percentile of a histogram": {[]turn{{scheme.PercentileOf, "99"}}, ""},
		"the percentile":                {[]turn{{scheme.ObserverOf, "percentile"}, {scheme.PercentileOf, "99.99"}}, "net=mnist-lab1&plan=static-w8c-a8r-percentile99.99"},
		"a scheme without a layer":      {[]turn{{knobScheme, "float32"}}, ""},
		"a scheme for a layer":          {[]turn{{knobLayer, "2"}, {knobScheme, "float32"}}, "net=mnist-lab1&plan=static-w8c-a8r-histogram,float32&layer=2"},
		"an impossible scheme":          {[]turn{{knobLayer, "2"}, {knobScheme, "int1"}, {knobLayer, "all"}}, ""},
	} {
		p := firstPlanner(nil)
		for _, turn := range c.turns {
			if next, err := p.with(turn.knob, turn.value); err == nil {
				p = next
			}
		}
		if got := p.query(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if err := p.Plan.Validate(len(p.Plan)); err != nil || p.Layer >= len(p.Plan) {
			t.Errorf("%s: %v, layer %d", name, err, p.Layer)
		}
	}
}

func TestParsePlanner(t *testing.T) {
	for query, want := range map[string]struct {
		notices int
		query   string
	}{
		"": {0, ""},
		"net=mnist-lab2&plan=float32,float16,dynamic-w8-a8r&layer=3": {0, "net=mnist-lab2&plan=float32,float16,dynamic-w8-a8r&layer=3"},
		"calseed=9&calibration=4096":                                 {0, "net=mnist-lab1&plan=static-w8c-a8r-histogram&calibration=4096&calseed=9"},
		"calibration=4096":                                           {1, ""},
		"calibration=-8&calseed=-1&layer=0":                          {3, ""},
		"layer=99999999999999999999":                                 {1, ""},
		"net=<script>&plan=<script>":                                 {2, ""},
		"net=mnist-lab1&net=mnist-lab2":                              {1, ""},
		"plan=float32,float32,float32":                               {1, ""},
		"plan=static-w9-a8-histogram":                                {1, ""},
		"plan=" + strings.Repeat("float32,", 1000):                   {1, ""},
		"net=" + strings.Repeat("x", 100000):                         {1, ""},
		"models=mnist-lab2&seed=7":                                   {0, ""}, // another view's
		"net=sst2-lab1&plan=static-w2ca-a2rs-percentile50.5&calseed=18446744073709551615": {0, "net=sst2-lab1&plan=static-w2ca-a2rs-percentile50.5&calibration=1024&calseed=18446744073709551615"},
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		p, notices := parsePlanner(values, nil)
		if p.query() != want.query || len(notices) != want.notices {
			t.Errorf("%.80s: %s with %d notices %.200q; want %s with %d", query, p.query(), len(notices), notices, want.query, want.notices)
		}
		for _, n := range notices {
			if len(n) > 600 {
				t.Errorf("%.80s: a notice of %d bytes", query, len(n))
			}
		}
	}
}

func FuzzParsePlanner(f *testing.F) {
	f.Add("net=mnist-lab2&plan=static-w4c-a8r-minmax,float16,dynamic-w8-a8rp&calibration=64&calseed=3&layer=2")
	f.Add("plan=%00&layer=-1")
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		p, _ := parsePlanner(values, nil)
		if err := p.Plan.Validate(layersOf(p.spec())); err != nil || p.Layer < allLayers || p.Layer >= len(p.Plan) || p.Examples < 1 || p.Examples > mostExamples(p.Seed) {
			t.Fatalf("%q: %+v, %v", query, p, err)
		}
		values, err = url.ParseQuery(p.query())
		if err != nil {
			t.Fatal(err)
		}
		again, notices := parsePlanner(values, nil)
		if !again.equal(p) || len(notices) > 0 {
			t.Fatalf("%q becomes %q, which is read as %q, %q", query, p.query(), again.query(), notices)
		}
	})
}

func TestSayPlan(t *testing.T) {
	for query, want := range map[string]string{
		"":                            "This is the lab’s static int8.",
		"plan=float16":                "This is the lab’s float16 weights.",
		"plan=dynamic-w8-a8r":         "This is the lab’s dynamic int8.",
		"plan=float32&calibration=64": "This is the lab’s float32.",
		"plan=static-w4c-a8r-histogram,static-w8c-a8r-histogram": "Compared with the lab’s static int8: weights of layer 1 in 4 bits instead of 8.",
		"plan=static-w4-a8r-histogram":                           "Compared with the lab’s static int8: weights of all layers in 4 bits instead of 8; weights of all layers per tensor instead of per channel.",
		"plan=float32,static-w8c-a8r-histogram":                  "Compared with the lab’s static int8: layer 1 in float32 instead of static int8.",
		"plan=static-w3c-a4r-minmax,float32":                     "Compared with the lab’s float32: layer 1 in static, weights in 3 bits, per channel, activations in 4 bits, reduced range, minmax instead of float32.",
		"plan=dynamic-w8-a8rp":                                   "Compared with the lab’s dynamic int8: activations of all layers on a grid for each example instead of one for the batch.",
		"plan=static-w8ca-a6s-percentile99.9":                    "Compared with the lab’s static int8: weights of all layers affine instead of symmetric; activations of all layers in 6 bits instead of 8; activations of all layers symmetric instead of affine; activations of all layers over the whole grid instead of half of the grid; activations of all layers observed by percentile 99.9 instead of histogram.",
		"calibration=1&calseed=5":                                "Compared with the lab’s static int8: calibrated on 1 example instead of 1,024; calibration examples drawn from the training set with seed 5 instead of the lab’s sample.",
		"net=sst2-lab2&plan=dynamic-w8-a8r,static-w8c-a8r-histogram,static-w8c-a8r-histogram,dynamic-w8-a8r": "Compared with the lab’s static int8: layers 1 and 4 in dynamic int8 instead of static int8.",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		p, notices := parsePlanner(values, nil)
		if got := sayPlan(p); got != want || len(notices) > 0 {
			t.Errorf("%s: %s %q", query, got, notices)
		}
	}
}

func TestOwnPlan(t *testing.T) {
	var i InspectState
	if i.custom("mnist-lab1") != nil {
		t.Error("the lab’s plan is nobody’s own")
	}
	next, err := i.planner().with(scheme.WeightBits, "4")
	if err != nil {
		t.Fatal(err)
	}
	i.set(next, "")
	if c := i.custom("mnist-lab1"); c == nil || c.Plan != "static-w4c-a8r-histogram" || c.Examples != 0 {
		t.Errorf("%+v", c)
	}
	if i.custom("mnist-lab2") != nil {
		t.Error("the plan is for another model")
	}
	few, err := firstPlanner(nil).with(knobExamples, "16")
	if err != nil {
		t.Fatal(err)
	}
	i.set(few, "")
	if c := i.custom("mnist-lab1"); c == nil || c.Examples != 16 {
		t.Errorf("%+v: another calibration makes another plan", c)
	}
	float, err := few.with(knobPreset, "dynamic-float16")
	if err != nil {
		t.Fatal(err)
	}
	i.set(float, "")
	if i.custom("mnist-lab1") != nil {
		t.Error("calibration changes nothing where no layer is static")
	}
}

func TestHistory(t *testing.T) {
	var i InspectState
	turn := func(k knob, value string, held knob) {
		next, err := i.planner().with(k, value)
		if err != nil {
			t.Fatal(err)
		}
		i.set(next, held)
		i.Held = held
	}
	turn(scheme.WeightBits, "7", "")
	for _, v := range []string{"6", "5", "4"} { // one drag
		turn(scheme.WeightBits, v, scheme.WeightBits)
	}
	i.Held = ""
	turn(knobLayer, "2", "")
	turn(scheme.ActivationBits, "3", "")
	var seen []string
	for range 5 {
		seen = append(seen, i.Planner.Plan.String())
		i.undo()
	}
	want := []string{"static-w4c-a8r-histogram,static-w4c-a3r-histogram", "static-w4c-a8r-histogram", "static-w7c-a8r-histogram", "static-w8c-a8r-histogram", "static-w8c-a8r-histogram"}
	if !slices.Equal(seen, want) {
		t.Errorf("undone: %q", seen)
	}
	if i.Planner.Layer != 1 {
		t.Errorf("layer %d is shown: undo must not change that", i.Planner.Layer)
	}
	for range 5 {
		i.redo()
	}
	if got := i.Planner.Plan.String(); got != want[0] {
		t.Errorf("redone: %s", got)
	}
	i.undo()
	turn(scheme.WeightBits, "2", "")
	if len(i.Future) != 0 {
		t.Error("a new step must end what could be redone")
	}
	for n := range 3 * maxHistory {
		turn(scheme.WeightBits, []string{"3", "4"}[n%2], "")
	}
	if len(i.Past) > maxHistory {
		t.Errorf("%d steps are kept", len(i.Past))
	}
	i.visit(i.Planner)
	if len(i.Past) == 0 {
		t.Error("the same address must leave the history")
	}
	i.visit(firstPlanner(nil))
	if len(i.Past) != 0 {
		t.Error("another plan's history is none")
	}
}
