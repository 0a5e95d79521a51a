package play

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/scheme"
)

// ranges says whether the grid of what enters is stretched by few large numbers, and what another observer would gain.
func (f *findings) ranges(better alternative) []sentence {
	g := f.Input.Grid
	if g == nil || f.first && f.data == nn.SST2 {
		return nil
	}
	var found []sentence
	zeros := f.Input.Zeros
	crowd := fraction(f.input.crowd-zeros, f.Input.Count-zeros)
	if crowd > 0.5 {
		text := f.crowded(crowd)
		if better.words != "" {
			text += "; " + better.words + " would gain " + gained(better.gain)
		}
		return append(found, sentence{"range", 50 + 20*crowd + min(better.gain, 10), text + "."})
	}
	if better.words != "" {
		text := fmt.Sprintf("%s would gain %s in the activations entering.", upperFirst(better.words), gained(better.gain))
		found = append(found, sentence{"range", 30 + 2*min(better.gain, 20), text})
	}
	switch n := levels(g); {
	case f.Input.Lo >= 0 && g.Zero > g.Min:
		found = append(found, sentence{"levels", 35, "No activation entering is negative, and yet the symmetric grid keeps half of its levels for such."})
	case f.Input.Used*2 < n:
		found = append(found, sentence{"levels", 25, fmt.Sprintf("Of the %d levels for the activations entering, %s.", n, used(f.Input.Used))})
	}
	return found
}

// crowded says that a large share of what enters lies on few levels, and what stretches the range.
func (f *findings) crowded(share float64) string {
	g := f.Input.Grid
	where := fmt.Sprintf("become zero on a grid of %d levels", levels(g))
	if f.input.near > 1 {
		place := "lowest"
		if g.Zero > 0 {
			place = "middle"
		}
		where = fmt.Sprintf("fall in the %s %d of %d levels", place, f.input.near, levels(g))
	}
	text := fmt.Sprintf("%s of the non-zero activations entering %s: ", percent(share), where)
	most, times := f.furthest(), func(v float64) string { return report.Figures(f.times(v), 2) + " times their " + f.yardstick() }
	switch end := f.end(); {
	case f.input.dynamic:
		return text + fmt.Sprintf("the largest of each %s stretches its range; of all, %s is %s", f.input.each(), figure(most), times(most))
	case math.Abs(most) > math.Abs(end)+g.Scale/2:
		return text + fmt.Sprintf("the range reaches to %s, %s", figure(end), times(end))
	}
	return text + fmt.Sprintf("the largest, %s, is %s and stretches the range", figure(most), times(most))
}

// end is the end of the range on the side of the furthest activation.
func (f *findings) end() float64 {
	g := f.Input.Grid
	if f.furthest() < 0 {
		return g.Lo
	}
	return g.Scale * float64(cmp.Or(g.Top, g.Max)-g.Zero)
}

// furthest is the activation entering that is furthest from zero.
func (f *findings) furthest() float64 {
	if -f.Input.Lo > f.Input.Hi {
		return f.Input.Lo
	}
	return f.Input.Hi
}

// times is how many times the mean of the non-zero activations entering, or their deviation where they have both signs, v is.
func (f *findings) times(v float64) float64 {
	d := &f.Input
	if d.Lo < 0 {
		return math.Abs(v) / d.Std
	}
	return v / (d.Mean * float64(d.Count) / float64(d.Count-d.Zeros))
}

// yardstick names what times compares with.
func (f *findings) yardstick() string {
	if f.Input.Lo < 0 {
		return "standard deviation"
	}
	return "mean"
}

// An alternative is an observer that would do better; without words there is none.
type alternative struct {
	words string  // "percentile 99.9 instead of histogram"
	gain  float64 // dB
}

// betterObserver looks for the observer that would put what enters static layer i on the grid that loses least, and notably less
// than the present one. What a static layer gives to this one has that layer's grid.
func (in *inspector) betterObserver(i int, s scheme.Scheme, f *findings) (alternative, error) {
	var best alternative
	if s.Mode != scheme.Static || f.first && f.data == nn.SST2 {
		return best, nil
	}
	now, where := s.Activation, ""
	if i > 0 && in.plan[i-1].Mode == scheme.Static {
		now, where = in.plan[i-1].Activation, " in the layer before"
	}
	few := in.view.few()
	present, err := few.effect(in.b.engine, placing{boundary: i, quantizer: now, grid: f.input.grid}, in.look)
	if err != nil {
		return best, err
	}
	for _, o := range observers() {
		if o.Observer == scheme.Entropy { // slow to choose
			continue
		}
		q := now
		q.Observer, q.Percentile = o.Observer, o.Percentile
		if q == now {
			continue
		}
		g, err := in.view.Grid(i, q, in.look)
		if err != nil {
			return best, err
		}
		e, err := few.effect(in.b.engine, placing{boundary: i, quantizer: q, grid: g}, in.look)
		if err != nil {
			return best, err
		}
		if gain := e.loss.SQNR - present.loss.SQNR; gain > max(best.gain, notable) {
			best = alternative{observerWords(q) + " instead of " + observerWords(now) + where, gain}
		}
	}
	return best, nil
}

// observers are those worth trying instead of another.
func observers() []scheme.ActivationQuantizer {
	return []scheme.ActivationQuantizer{
		{Observer: scheme.Percentile, Percentile: 99.9},
		{Observer: scheme.Percentile, Percentile: 99.99},
		{Observer: scheme.Histogram},
		{Observer: scheme.MinMax},
		{Observer: scheme.Entropy},
	}
}

// observerWords names an observer: "percentile 99.9".
func observerWords(q scheme.ActivationQuantizer) string {
	switch q.Observer {
	case scheme.Percentile:
		return q.Observer + " " + strconv.FormatFloat(q.Percentile, 'f', -1, 64)
	case scheme.MinMax:
		return "min-max"
	case scheme.MovingAverage:
		return "moving average"
	}
	return q.Observer
}
