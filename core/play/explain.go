package play

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/report"
	"quantlab/core/scheme"
)

// mostSentences is how many sentences explain a layer.
const mostSentences = 3

// findings are what the sentences about a layer are made of.
type findings struct {
	*wire.Layer
	weights       *weights
	input, output effect // of int8 layers
	data          string
	first         bool
	examples      int // that the activations come from
}

// A sentence explains something. Of those about the same thing only the one that matters most is told.
type sentence struct {
	about   string
	matters float64 // the more the earlier
	text    string
}

// From here on, an error is worth talking about, or isn't.
const (
	faithful = 35.0  // dB: the output errs by less than 2%
	poor     = 20.0  // dB: by more than 10%
	notable  = 0.5   // dB that another setting must gain
	apart    = 3.0   // dB by which two losses must differ
	exact    = 100.0 // dB: nothing is lost but float32's rounding
)

// explain says in plain words what matters most about layer i, at most three sentences.
func (in *inspector) explain(i int, f *findings) ([]string, error) {
	s, err := scheme.ParseScheme(f.Scheme)
	if err != nil {
		return nil, err
	}
	better, err := in.betterObserver(i, s, f)
	if err != nil {
		return nil, err
	}
	return tell(f.sentences(s, better)), nil
}

// sentences says all that is worth talking about. better is an observer that would do better.
func (f *findings) sentences(s scheme.Scheme, better alternative) []sentence {
	var found []sentence
	switch s.Mode {
	case scheme.Float32:
		found = append(found, sentence{"verdict", 60, "Nothing was converted here: the layer computes as it was trained."})
	case scheme.Float16:
		found = append(found, f.halves()...)
	default:
		found = slices.Concat(f.verdict(), f.bits(s), f.channels(s), f.contents(), f.clipping(), f.blame(), f.ranges(better))
	}
	return slices.Concat(found, f.inherited(), f.dead())
}

// tell picks the sentences that matter most, one about each thing.
func tell(found []sentence) []string {
	slices.SortStableFunc(found, func(a, b sentence) int { return cmp.Compare(b.matters, a.matters) })
	texts, told := []string{}, map[string]bool{}
	for _, s := range found {
		if !told[s.about] && len(texts) < mostSentences {
			told[s.about] = true
			texts = append(texts, s.text)
		}
	}
	return texts
}

// verdict says how well the layer alone keeps its outputs, where that is the news.
func (f *findings) verdict() []sentence {
	loss := f.OutputLoss.SQNR
	switch {
	case loss >= faithful:
		return []sentence{{"verdict", 96, fmt.Sprintf("Quantization costs next to nothing here: the outputs err by %s (%s).", errs(loss), dB(loss))}}
	case loss < poor:
		return []sentence{{"verdict", 100, fmt.Sprintf("The outputs err by %s (%s): this layer alone can cost accuracy.", errs(loss), dB(loss))}}
	}
	return nil
}

// bits says what few bits do to the weights.
func (f *findings) bits(s scheme.Scheme) []sentence {
	if s.Weight.Bits > 5 {
		return nil
	}
	levels := 1 << s.Weight.Bits
	text := fmt.Sprintf("%d bits leave the weights %d levels", s.Weight.Bits, levels)
	if zeroed := fraction(f.weights.lost.vanished, f.Weights.Count); zeroed > 0.01 {
		text += fmt.Sprintf(", and %s of them become zero", percent(zeroed))
	}
	return []sentence{{"bits", 95, text + fmt.Sprintf(" (%s).", dB(f.WeightLoss.SQNR))}}
}

// channels says what one scale for rows of different size costs.
func (f *findings) channels(s scheme.Scheme) []sentence {
	const fewest = 3 // bits from which on errors go with steps
	if s.Weight.PerChannel || s.Weight.Bits < fewest || len(f.weights.rows) < 2 {
		return nil
	}
	least, most, squares := math.Inf(1), 0.0, 0.0
	for _, r := range f.weights.rows {
		least, most, squares = min(least, r), max(most, r), squares+r*r
	}
	if squares == 0 {
		return nil
	}
	// Rounding to a step errs by step²/12 on average, and steps go with the ranges.
	gain := 10 * math.Log10(most*most*float64(len(f.weights.rows))/squares)
	if gain < 1 {
		return nil
	}
	return []sentence{{"channels", 40 + 2*gain, fmt.Sprintf("One scale serves outputs whose largest weights range from %s to %s: a scale per channel would gain about %s in the weights.",
		figure(least), figure(most), dB(gain))}}
}

// contents says what the network's input is like on its grid.
func (f *findings) contents() []sentence {
	switch {
	case !f.first || f.Input.Grid == nil || f.Input.Count == 0:
		return nil
	case f.data == nn.SST2:
		return []sentence{{"levels", 55, f.counts()}}
	}
	zeros := fraction(f.Input.Zeros, f.Input.Count)
	if zeros < 0.5 {
		return nil
	}
	return []sentence{{"contents", 12, fmt.Sprintf("%s of the pixels are zero, which the grid holds exactly.", percent(zeros))}}
}

// counts says what the smallest counts of words become on the grid. A dynamic layer has many: the middle one is told of, and
// only counts that it was made for.
func (f *findings) counts() string {
	g, dynamic := f.Input.Grid, f.input.dynamic
	most := min(int(f.Input.Hi), 2)
	if dynamic {
		most = max(min(most, int(math.Round(g.Scale*float64(cmp.Or(g.Top, g.Max)-g.Zero)))), 0)
	}
	var become []string
	exact := true
	for c := range most + 1 {
		q := min(max(math.RoundToEven(float64(c)/g.Scale)+float64(g.Zero), float64(g.Min)), float64(g.Max))
		v := g.Scale * (q - float64(g.Zero))
		exact = exact && math.Abs(v-float64(c)) < 1e-6
		become = append(become, figure(v))
	}
	names := []string{"0", "1", "2"}[:most+1]
	text := fmt.Sprintf("Word counts of %s become %s", and(names), and(become))
	if exact {
		text = fmt.Sprintf("Word counts of %s stay exact", and(names))
	}
	if dynamic {
		return text + fmt.Sprintf(" on the %ss' middle grid, of step %s; of the %d levels, all grids together use %s.",
			f.input.each(), figure(g.Scale), levels(g), report.Count(f.Input.Used))
	}
	return text + fmt.Sprintf(" on a grid of step %s, of whose %d levels %s.", figure(g.Scale), levels(g), used(f.Input.Used))
}

func used(n int) string {
	if n == 1 {
		return "1 is used"
	}
	return report.Count(n) + " are used"
}

// clipping says what is cut off.
func (f *findings) clipping() []sentence {
	var found []sentence
	for _, side := range []struct {
		d    *wire.Distribution
		what string
	}{{&f.Input, "entering"}, {&f.Output, "leaving"}} {
		g := side.d.Grid
		if g == nil || side.d.Clipped < 1e-4 {
			continue
		}
		furthest, end := side.d.Hi, g.Hi
		if g.Lo-side.d.Lo > side.d.Hi-g.Hi {
			furthest, end = side.d.Lo, g.Lo
		}
		found = append(found, sentence{"clipping", 45 + min(500*side.d.Clipped, 50), fmt.Sprintf("%s of the activations %s are clipped: they reach %s, the grid ends at %s.",
			percent(side.d.Clipped), side.what, figure(furthest), figure(end))})
	}
	return found
}

// blame says whether weights or activations lose more, where something is lost.
func (f *findings) blame() []sentence {
	w, a := f.WeightLoss.SQNR, f.InputLoss.SQNR
	if f.OutputLoss.SQNR >= faithful || math.Abs(w-a) < 2*apart {
		return nil
	}
	more, less := "weights", "activations entering"
	if a < w {
		more, less = less, more
	}
	text := fmt.Sprintf("The %s lose more than the %s: %s against %s.", more, less, dB(min(w, a)), dB(max(w, a)))
	if max(w, a) > exact {
		text = fmt.Sprintf("The %s lose (%s), the %s next to nothing.", more, dB(min(w, a)), less)
	}
	return []sentence{{"blame", 50, text}}
}

// halves says what float16 costs.
func (f *findings) halves() []sentence {
	found := []sentence{{"verdict", 60, fmt.Sprintf("Halves keep 11 bits of each weight: the outputs err by %s (%s).", errs(f.OutputLoss.SQNR), dB(f.OutputLoss.SQNR))}}
	if n := f.weights.lost.saturated; n > 0 {
		found = append(found, sentence{"saturated", 100, fmt.Sprintf("%s beyond 65,504, the largest half: %s.",
			plural(n, "1 weight lies", "%s weights lie"), plural(n, "it is stored as that", "they are stored as that"))})
	}
	if n := f.weights.lost.subnormal; n > 0 {
		found = append(found, sentence{"subnormal", 20, fmt.Sprintf("%s smaller than 0.000061, where halves lose bits; so little hardly counts.",
			plural(n, "1 weight is", "%s weights are"))})
	}
	return found
}

// inherited says how much of the error comes from the layers before.
func (f *findings) inherited() []sentence {
	if f.ChainLoss.SQNR > f.OutputLoss.SQNR-apart || f.ChainLoss.SQNR > faithful {
		return nil
	}
	text := fmt.Sprintf("Most of the error comes from the layers before: alone this one keeps %s, behind them %s.", dB(f.OutputLoss.SQNR), dB(f.ChainLoss.SQNR))
	if f.OutputLoss.SQNR >= quant.MaxSQNR {
		text = fmt.Sprintf("All of the error comes from the layers before: behind them the outputs err by %s (%s).", errs(f.ChainLoss.SQNR), dB(f.ChainLoss.SQNR))
	}
	return []sentence{{"inherited", 48, text}}
}

// dead says how many units never do anything.
func (f *findings) dead() []sentence {
	n := len(f.Dead)
	if n == 0 {
		return nil
	}
	whole := report.Count(f.Out)
	who := plural(n, "1 of its "+whole+" units is", "%s of its "+whole+" units are")
	where := plural(f.examples, "on the only calibration example", "on any of the %s calibration examples")
	return []sentence{{"dead", 15 + 60*fraction(n, f.Out), fmt.Sprintf("%s never positive %s: as far as that tells, %s could be left out.",
		who, where, plural(n, "it", "they"))}}
}
