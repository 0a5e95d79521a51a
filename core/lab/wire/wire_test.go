package wire

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	if err := Lab().Validate(); err != nil {
		t.Fatalf("the lab's own settings: %v", err)
	}
	if err := Quick().Validate(); err != nil {
		t.Fatalf("the quick run: %v", err)
	}
	for _, c := range []struct {
		name   string
		change func(*Request)
		say    string
	}{
		{"no model", func(r *Request) { r.Models = nil }, "no model"},
		{"unknown model", func(r *Request) { r.Models = []string{"resnet"} }, `"resnet"`},
		{"model twice", func(r *Request) { r.Models = []string{"sst2-lab1", "sst2-lab1"} }, "twice"},
		{"unknown variant", func(r *Request) { r.Variants = []string{"int4"} }, `"int4"`},
		{"batch 0", func(r *Request) { r.Batches = []int{0} }, "batch 0"},
		{"huge batch", func(r *Request) { r.Batches = []int{1e9} }, "1000000000"},
		{"many batches", func(r *Request) { r.Batches = []int{1, 2, 3, 4, 5, 6, 7, 8, 9} }, "at most 8"},
		{"runs 0", func(r *Request) { r.Runs = 0 }, "runs 0"},
		{"negative threads", func(r *Request) { r.Threads = -1 }, "threads -1"},
		{"input", func(r *Request) { r.Input = "damp" }, `"damp"`},
		{"examples", func(r *Request) { r.Examples = -1 }, "examples -1"},
		{"weights", func(r *Request) { r.Weights = "stale" }, `"stale"`},
	} {
		r := Lab()
		c.change(&r)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: error %v does not say %s", c.name, err, c.say)
		}
	}
}

func TestOnlyTheLabIsTheLab(t *testing.T) {
	if r := Lab(); !r.IsLab() || r.Validate() != nil {
		t.Errorf("the lab's own settings are %+v", r)
	}
	if Quick().IsLab() {
		t.Error("the quick run passes for the lab's")
	}
}

// The field names are a promise to whoever reads the JSON.
func TestRowFieldNames(t *testing.T) {
	acc := 0.97
	b, err := json.Marshal(Row{Accuracy: &acc, LatencyUS: map[string]Latency{"1": {Samples: []float64{1}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"model", "variant", "q", "dtype", "size_bytes", "params", "accuracy", "correct", "total", "latency_us", "mean", "std", "median", "samples"} {
		if !strings.Contains(string(b), `"`+name+`":`) {
			t.Errorf("no field %s in %s", name, b)
		}
	}
	b, _ = json.Marshal(Row{})
	if !strings.Contains(string(b), `"accuracy":null`) {
		t.Errorf("an accuracy that was not measured must be null: %s", b)
	}
}
