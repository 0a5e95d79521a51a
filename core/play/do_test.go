package play

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/ink"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// do asks the Bench and returns what it answered before the one event that ends it.
func do(t *testing.T, ctx context.Context, b *Bench, c wire.Command) (events []wire.Event, end wire.Event) {
	t.Helper()
	b.Do(ctx, c, func(e wire.Event) { events = append(events, e) })
	for i, e := range events {
		last := slices.Contains([]string{wire.EventDone, wire.EventError, wire.EventCancel}, e.Kind)
		if last != (i == len(events)-1) {
			t.Errorf("event %d of %d is %s", i+1, len(events), e.Kind)
		}
	}
	if len(events) == 0 {
		t.Fatal("no event")
	}
	return events[:len(events)-1], events[len(events)-1]
}

// examples returns the examples among the events.
func examples(events []wire.Event) (out []wire.Example) {
	for _, e := range events {
		if e.Kind == wire.EventExample {
			out = append(out, *e.Example)
		}
	}
	return out
}

func TestDo(t *testing.T) {
	b := newBench(t, &fakeSource{})
	for _, c := range []struct {
		command wire.Command
		kinds   []string // of the events before the end
	}{
		{wire.Command{Op: wire.OpWarm, Warm: "mnist-lab1"}, nil},
		{wire.Command{Op: wire.OpPredict, Predict: &wire.PredictRequest{Model: "mnist-lab1", Drawing: someDigit().Drawing()}}, []string{wire.EventPrediction}},
		{wire.Command{Op: wire.OpSamples, Samples: &wire.SamplesRequest{Model: "mnist-lab2", Count: 2}}, []string{wire.EventExample, wire.EventExample}},
		{wire.Command{Op: wire.OpPicture, Picture: &wire.GrayPicture{Width: 28, Height: 28, Gray: someDigit()[:]}}, []string{wire.EventPicture}},
	} {
		events, end := do(t, t.Context(), b, c.command)
		var kinds []string
		for _, e := range events {
			kinds = append(kinds, e.Kind)
		}
		if end.Kind != wire.EventDone || !slices.Equal(kinds, c.kinds) {
			t.Errorf("%s is answered by %q and %s: %s", c.command.Op, kinds, end.Kind, end.Text)
		}
	}
}

func TestDoRefuses(t *testing.T) {
	for _, c := range []struct {
		command wire.Command
		say     string
	}{
		{wire.Command{Op: "fly"}, `"fly"`},
		{wire.Command{Op: wire.OpRun}, `"run"`},
		{wire.Command{Op: wire.OpPredict}, "lacks its question"},
		{wire.Command{Op: wire.OpWarm, Warm: "resnet"}, `"resnet"`},
		{wire.Command{Op: wire.OpSamples, Samples: &wire.SamplesRequest{Model: "mnist-lab1", Count: 101}}, "101 samples"},
		{wire.Command{Op: wire.OpSamples, Samples: &wire.SamplesRequest{Model: "lenet", Count: 1}}, `"lenet"`},
		{wire.Command{Op: wire.OpPicture, Picture: &wire.GrayPicture{}}, "0 x 0"},
		{wire.Command{Op: wire.OpSearch, Search: &wire.SearchRequest{Model: "mnist-lab1", Variant: "int4"}}, `"int4"`},
		{wire.Command{Op: wire.OpSearch, Search: &wire.SearchRequest{Model: "mnist-lab1", Variant: wire.Custom}}, "plan of your own"},
		{wire.Command{Op: wire.OpSearch, Search: &wire.SearchRequest{Model: "mnist-lab1", Variant: "fp32", Limit: 201}}, "201 examples"},
		{wire.Command{Op: wire.OpSearch, Search: &wire.SearchRequest{Model: "sst2-lab2", Variant: "dynamic-qint8"}}, "SST-2 missing"},
		{wire.Command{Op: wire.OpSamples, Samples: &wire.SamplesRequest{Model: "sst2-lab2", Count: 1}}, "SST-2 missing"},
	} {
		events, end := do(t, t.Context(), newBench(t, &fakeSource{missing: true}), c.command)
		if end.Kind != wire.EventError || !strings.Contains(end.Text, c.say) || len(examples(events)) > 0 {
			t.Errorf("%+v: %s %q does not say %q", c.command, end.Kind, end.Text, c.say)
		}
	}
}

func TestDoIsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBench(t, &fakeSource{})
	if _, end := do(t, ctx, b, wire.Command{Op: wire.OpWarm, Warm: "mnist-lab1"}); end.Kind != wire.EventCancel {
		t.Errorf("before it began: %+v", end)
	}

	// While another question has the turn.
	release, err := b.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	ended := make(chan string)
	go b.Do(ctx, wire.Command{Op: wire.OpWarm, Warm: "mnist-lab1"}, func(e wire.Event) { ended <- e.Kind })
	cancel()
	if kind := <-ended; kind != wire.EventCancel {
		t.Errorf("while it waits: %s", kind)
	}
	release()

	// Within a search, by a message that only arrives when the host has its turn.
	ctx, cancel = context.WithCancel(t.Context())
	host := testHost()
	host.Yield = cancel
	b = NewBench(host, &fakeSource{})
	defer b.Close()
	_, end := do(t, ctx, b, wire.Command{Op: wire.OpSearch, Search: &wire.SearchRequest{Model: "mnist-lab2", Variant: "static-qint8"}})
	if end.Kind != wire.EventCancel {
		t.Errorf("within: %+v", end)
	}

	// A source that fails because of the context is a cancel too.
	ctx, cancel = context.WithCancel(t.Context())
	b = newBench(t, &fakeSource{stop: func() error { cancel(); return errors.New("the connection broke") }})
	if _, end := do(t, ctx, b, wire.Command{Op: wire.OpWarm, Warm: "mnist-lab1"}); end.Kind != wire.EventCancel {
		t.Errorf("while fetching: %+v", end)
	}
}

func TestSamples(t *testing.T) {
	b := newBench(t, &fakeSource{})
	ask := func(model string, count int, seed uint64) []wire.Example {
		events, end := do(t, t.Context(), b, wire.Command{Op: wire.OpSamples, Samples: &wire.SamplesRequest{Model: model, Count: count, Seed: seed}})
		if end.Kind != wire.EventDone {
			t.Fatal(end.Text)
		}
		return examples(events)
	}
	seen := map[int]bool{}
	for i, e := range ask("mnist-lab2", 30, 1) {
		if e.Label != fmt.Sprint(i%10) || len(e.Digit) != 28*28 || e.Text != "" || seen[e.Index] {
			t.Errorf("sample %d: %+v", i, e)
		}
		seen[e.Index] = true
	}
	for i, e := range ask("sst2-lab1", 10, 1) {
		if e.Label != []string{"negative", "positive"}[i%2] || e.Text == "" || len(e.Text) > mostText || e.Digit != nil {
			t.Errorf("sample %d: %+v", i, e)
		}
	}
	index := func(es []wire.Example) (out []int) {
		for _, e := range es {
			out = append(out, e.Index)
		}
		return out
	}
	if a, b, c := index(ask("mnist-lab1", 20, 1)), index(ask("mnist-lab1", 20, 1)), index(ask("mnist-lab1", 20, 2)); !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Errorf("seeds 1, 1 and 2 give %v, %v and %v", a, b, c)
	}
}

// A search finds exactly the examples that asking one by one finds.
func TestSearch(t *testing.T) {
	b := newBench(t, &fakeSource{})
	for _, c := range []struct {
		model, variant, plan string
		least, most          int
	}{
		{"mnist-lab1", "dynamic-qint8", "", 1, 20},
		{"mnist-lab1", wire.Custom, "dynamic-w4-a5", 10, 200},
		{"mnist-lab2", wire.Custom, "static-w3-a3-minmax", 10, 200},
		{"sst2-lab2", wire.Custom, "static-w2-a2-minmax", 0, 200},
		{"sst2-lab2", "fp32", "", 0, 0},
	} {
		req := wire.SearchRequest{Model: c.model, Variant: c.variant}
		if c.plan != "" {
			req.Custom = &wire.Conversion{Plan: c.plan}
		}
		events, end := do(t, t.Context(), b, wire.Command{Op: wire.OpSearch, Search: &req})
		if end.Kind != wire.EventDone {
			t.Fatalf("%+v: %s", c, end.Text)
		}
		checkProgress(t, events)
		found := examples(events)
		byIndex := map[int]wire.Example{}
		for _, e := range found {
			byIndex[e.Index] = e
		}
		g, err := b.gallery(t.Context(), mustSpec(t, c.model), 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			if c.model == "mnist-lab2" { // its made-up examples are no crops of the images that are shown
				break
			}
			ask := wire.PredictRequest{Model: c.model, Custom: req.Custom}
			if g.text != nil {
				ask.Text = g.text[i]
			} else {
				ask.Drawing = (*ink.Digit)(g.images[i*784:]).Drawing()
			}
			p, err := b.Predict(t.Context(), ask)
			if err != nil {
				t.Fatal(err)
			}
			base, other := p.Answers[0], p.Answers[slices.IndexFunc(p.Answers, func(a wire.Answer) bool { return a.Variant == c.variant })]
			e, is := byIndex[i]
			if is != (base.Label != other.Label) || is && (e.Baseline != base.Label || e.Answer != other.Label || e.Margin != base.Margin) {
				t.Errorf("%+v, example %d: found %v %+v, asked alone %s and %s", c, i, is, e, base.Label, other.Label)
			}
		}
		if len(found) < c.least || len(found) > c.most {
			t.Errorf("%+v: found %d", c, len(found))
		}
		for _, e := range found {
			if g.text != nil && e.Text == "" || g.text == nil && len(e.Digit) != 784 {
				t.Errorf("%+v: %+v can't be shown", c, e)
			}
		}
	}
	events, _ := do(t, t.Context(), b, wire.Command{Op: wire.OpSearch, Search: &wire.SearchRequest{
		Model: "mnist-lab2", Variant: wire.Custom, Custom: &wire.Conversion{Plan: "static-w3-a3-minmax"}, Limit: 2,
	}})
	if n := len(examples(events)); n != 2 {
		t.Errorf("%d examples where 2 were wanted", n)
	}
}

// checkProgress holds for every question: the fraction of a step grows up to 1.
func checkProgress(t *testing.T, events []wire.Event) {
	t.Helper()
	fraction := map[string]float64{}
	for _, e := range events {
		if e.Kind == wire.EventProgress {
			if e.Fraction < fraction[e.Step] || e.Fraction > 1 || e.Step == "" {
				t.Errorf("progress %v %q after %v", e.Fraction, e.Step, fraction[e.Step])
			}
			fraction[e.Step] = e.Fraction
		}
	}
}

// The pictures and texts that are shown are those of the examples that are read.
func TestGalleryFitsTheTestSet(t *testing.T) {
	src := trained(t, nn.IDs()...)
	b := newBench(t, src)
	for _, model := range nn.IDs() {
		spec := mustSpec(t, model)
		g, err := b.gallery(t.Context(), spec, 50)
		if err != nil {
			t.Fatal(err)
		}
		e, err := src.Test(t.Context(), spec, 50, nil)
		if err != nil || !slices.Equal(e.Labels, g.labels) {
			t.Fatalf("%s: %v", model, err)
		}
		if spec.Data == nn.MNIST {
			im := &dataset.Images{Height: 28, Width: 28, Pixels: g.images, Labels: g.labels}
			if !slices.Equal(im.Crop(spec.Crop).Pixels, e.Pixels) {
				t.Errorf("%s shows other images than it reads", model)
			}
			continue
		}
		n, err := b.network(t.Context(), model, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := &dataset.Sentences{Text: g.text, Labels: g.labels}
		if !slices.Equal(dataset.FromSentences(s, n.vocabulary).Index, e.Index) {
			t.Errorf("%s shows other sentences than it reads", model)
		}
	}
}
