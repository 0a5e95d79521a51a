package play

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/scheme"
)

const (
	triedPerLayer = 2                // changes of a layer whose accuracy is measured, at most
	adviceTime    = 30 * time.Second // after which no further one is begun
	significant   = 0.05             // p below which a difference is no chance, were it the only one tried
)

// A change is another scheme for a layer.
type change struct {
	kind   string // changes of one kind are variations of each other
	words  string // what it does: "percentile 99.9"
	from   string // what it replaces: "histogram"
	scheme scheme.Scheme
	gain   float64 // dB that the layer's own outputs gain by it
}

// text names the change.
func (c change) text() string {
	if c.from == "" {
		return c.words
	}
	return c.words + " instead of " + c.from
}

// Advise looks for changes of single layers that would do better, and tells one EventAdvice for each quantized layer. Of a
// handful of changes a layer, those that keep its own outputs best are measured on the test set against the plan as it is, with
// McNemar's exact test on the same examples.
func (b *Bench) Advise(ctx context.Context, req wire.AdviseRequest, emit func(wire.Event)) error {
	release, err := b.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	in, err := b.inspector(ctx, req.Model, req.Conversion, emit)
	if err != nil {
		return err
	}
	a := &adviser{inspector: in, ctx: ctx, emit: emit, begun: time.Now()}
	if a.test, err = b.test(ctx, in.n, 0, emit); err != nil {
		return err
	}
	for i, s := range in.plan {
		if len(changes(s)) == 0 {
			continue
		}
		advice, err := a.layer(i)
		if err != nil {
			return err
		}
		emit(wire.Event{Kind: wire.EventAdvice, Fraction: float64(i+1) / float64(len(in.plan)), Advice: &advice})
	}
	return nil
}

// An adviser measures changes of a plan.
type adviser struct {
	*inspector
	ctx     context.Context
	emit    func(wire.Event)
	test    *dataset.Examples
	begun   time.Time
	present []int // what the plan as it is answers; nil where nobody asked yet
}

// changes returns what may be tried instead of a scheme.
func changes(s scheme.Scheme) []change {
	if s.Mode != scheme.Dynamic && s.Mode != scheme.Static {
		return nil
	}
	var all []change
	try := func(kind, words, from string, edit func(s *scheme.Scheme)) {
		c := change{kind: kind, words: words, from: from, scheme: s}
		edit(&c.scheme)
		if c.scheme != s && c.scheme.Validate() == nil {
			all = append(all, c)
		}
	}
	if s.Mode == scheme.Static {
		for _, o := range observers() {
			try("observer", observerWords(o), observerWords(s.Activation), func(s *scheme.Scheme) {
				s.Activation.Observer, s.Activation.Percentile = o.Observer, o.Percentile
			})
		}
	}
	try("granularity", "a scale per channel", "one per tensor", func(s *scheme.Scheme) { s.Weight.PerChannel = true })
	try("bits", fmt.Sprintf("weights of %d bits", s.Weight.Bits+1), fmt.Sprint(s.Weight.Bits), func(s *scheme.Scheme) { s.Weight.Bits++ })
	try("bits", fmt.Sprintf("activations of %d bits", s.Activation.Bits+1), fmt.Sprint(s.Activation.Bits), func(s *scheme.Scheme) { s.Activation.Bits++ })
	if s.Activation.ReduceRange {
		try("bits", "the whole range of the activations' grid", "a reduced one", func(s *scheme.Scheme) { s.Activation.ReduceRange = false })
	}
	kinds := map[bool]string{true: "symmetric", false: "affine"}
	try("symmetry", kinds[!s.Weight.Symmetric]+" weights", kinds[s.Weight.Symmetric]+" ones", func(s *scheme.Scheme) { s.Weight.Symmetric = !s.Weight.Symmetric })
	try("symmetry", kinds[!s.Activation.Symmetric]+" activations", kinds[s.Activation.Symmetric]+" ones", func(s *scheme.Scheme) { s.Activation.Symmetric = !s.Activation.Symmetric })
	return all
}

// layer looks for the best change of layer i.
func (a *adviser) layer(i int) (wire.Advice, error) {
	ranked, err := a.rank(i)
	if err != nil {
		return wire.Advice{}, err
	}
	var best *wire.Advice
	var with change
	for tried, c := range ranked {
		if tried == triedPerLayer || best != nil && time.Since(a.begun) > adviceTime {
			break
		}
		advice, err := a.measure(i, c, float64(tried)/triedPerLayer)
		if err != nil {
			return wire.Advice{}, err
		}
		if best == nil || advice.Gained-advice.Lost > best.Gained-best.Lost {
			best, with = &advice, c
		}
	}
	if best == nil {
		return wire.Advice{Layer: i, P: 1, Text: "nothing tried keeps this layer's outputs better than the plan does"}, nil
	}
	best.Text = with.sentence(best)
	if !recommended(best) {
		best.Scheme = ""
	}
	return *best, nil
}

// recommended reports whether the change gains more than chance would, the better one of those tried being looked at
// (Bonferroni's correction).
func recommended(a *wire.Advice) bool { return a.Gained > a.Lost && triedPerLayer*a.P < significant }

// sentence says what the change did to accuracy.
func (c change) sentence(a *wire.Advice) string {
	numbers := fmt.Sprintf("(%d right, %d wrong, %s)", a.Gained, a.Lost, report.PValue(a.P))
	points := 100 * float64(a.Gained-a.Lost) / float64(a.Total)
	switch {
	case recommended(a):
		return fmt.Sprintf("%s gains %s %s, on the same test examples that it was chosen by", c.text(), pointsOf(points), numbers)
	case points < 0 && a.P < significant:
		return fmt.Sprintf("nothing tried helps: even %s loses %s %s", c.text(), pointsOf(-points), numbers)
	}
	did := "leaves it as it is"
	switch {
	case points > 0:
		did = "gains " + pointsOf(points)
	case points < 0:
		did = "loses " + pointsOf(-points)
	}
	return fmt.Sprintf("nothing tried changes accuracy by more than chance: the best, %s, %s %s", c.text(), did, numbers)
}

// pointsOf writes percentage points above 0.
func pointsOf(v float64) string {
	text := trimmed(report.Fixed(v, 2))
	if text == "1" {
		return "1 point"
	}
	return text + " points"
}

// rank returns the changes of layer i that keep its own outputs better than the plan does, the best of each kind, the best
// first.
func (a *adviser) rank(i int) ([]change, error) {
	now, err := a.loss(a.plan, i)
	if err != nil {
		return nil, err
	}
	var better []change
	tried := changes(a.plan[i])
	for k, c := range tried {
		loss, err := a.loss(a.with(i, c.scheme), i)
		if err != nil {
			return nil, err
		}
		if c.gain = loss - now; c.gain > 0 {
			better = append(better, c)
		}
		a.progress(i, "trying "+c.words, float64(k)/float64(len(tried))/2)
	}
	slices.SortStableFunc(better, func(x, y change) int { return cmp.Compare(y.gain, x.gain) })
	kinds := map[string]bool{}
	return slices.DeleteFunc(better, func(c change) bool {
		again := kinds[c.kind]
		kinds[c.kind] = true
		return again
	}), nil
}

// with returns the plan with another scheme for layer i.
func (a *adviser) with(i int, s scheme.Scheme) scheme.Plan {
	p := slices.Clone(a.plan)
	p[i] = s
	return p
}

// loss is how well layer i alone keeps its outputs under a plan, in dB.
func (a *adviser) loss(p scheme.Plan, i int) (float64, error) {
	l, _, err := a.converted(p, i)
	if err != nil {
		return 0, err
	}
	d, err := a.alone(&l, i)
	return d.SQNR, err
}

// measure asks the plan with the change, and the plan as it is, for their classes of all test examples.
func (a *adviser) measure(i int, c change, done float64) (wire.Advice, error) {
	if a.present == nil {
		answers, err := a.ask(a.plan, func(float64) {})
		if err != nil {
			return wire.Advice{}, err
		}
		a.present = answers
	}
	answers, err := a.ask(a.with(i, c.scheme), func(share float64) {
		a.progress(i, "measuring "+c.words, (1+done+share/triedPerLayer)/2)
	})
	if err != nil {
		return wire.Advice{}, err
	}
	p := lab.Paired(a.present, answers, a.test.Labels)
	return wire.Advice{Layer: i, Scheme: c.scheme.String(), Gained: p.Gained, Lost: p.Lost, Total: a.test.Len(), P: p.P}, nil
}

// ask returns the plan's classes of all test examples.
func (a *adviser) ask(p scheme.Plan, heard func(share float64)) ([]int, error) {
	cal, err := a.view.Calibrate(p, a.look)
	if err != nil {
		return nil, err
	}
	layers, err := a.b.quantized(a.ctx, a.n, p, cal)
	if err != nil {
		return nil, err
	}
	return a.b.answers(a.ctx, a.n, layers, a.test, nil, func(answers []int) {
		heard(float64(len(answers)) / float64(a.test.Len()))
	})
}

func (a *adviser) progress(i int, what string, share float64) {
	share = (float64(i) + share) / float64(len(a.plan))
	a.emit(wire.Event{Kind: wire.EventProgress, Step: fmt.Sprintf("%s, layer %d, %s", a.n.spec.ID, i+1, what), Fraction: share})
}
