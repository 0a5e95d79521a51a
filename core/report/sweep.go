package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/scheme"
)

// SweepModels returns the models that a sweep has calibrations of, in their order.
func SweepModels(s wire.Sweep) []string {
	return distinct(s.Points, func(p wire.SweepPoint) string { return p.Model })
}

// spreadsOf returns the spreads of one model, the smallest sample first.
func spreadsOf(s wire.Sweep, model string) []wire.SweepSpread {
	return slices.DeleteFunc(slices.Clone(s.Spreads), func(p wire.SweepSpread) bool { return p.Model != model })
}

// pointsOf returns the calibrations of one model with so many examples.
func pointsOf(s wire.Sweep, model string, examples int) []wire.SweepPoint {
	return slices.DeleteFunc(slices.Clone(s.Points), func(p wire.SweepPoint) bool { return p.Model != model || p.Examples != examples })
}

// SweepTable tells how a model's accuracy spreads over calibration samples of each size.
func SweepTable(s wire.Sweep, model string) PlainTable {
	t := PlainTable{
		Title: "Calibrating " + model,
		Columns: []Column{
			{Key: "examples", Title: "Calibrated with", Right: true}, {Key: "samples", Title: "Samples", Right: true},
			{Key: "mean", Title: "Mean accuracy", Right: true}, {Key: "against", Title: "Against float32", Right: true},
			{Key: "std", Title: "Spread over samples", Right: true}, {Key: "sampling", Title: "Of the test set", Right: true},
			{Key: "range", Title: "Lowest to highest"}, {Key: "differ", Title: "Answers that differ", Right: true},
		},
	}
	for _, p := range spreadsOf(s, model) {
		points := pointsOf(s, model, p.Examples)
		if len(points) == 0 {
			continue
		}
		first := points[0]
		if t.Caption == "" {
			t.Caption = fmt.Sprintf("Plan %s, tested on %s examples, of which float32 gets %s right. Spreads are standard deviations in percentage points: "+
				"over the calibration samples, and of the difference to float32 over test sets of that size.",
				ShortPlan(first.Plan), Count(first.Total), Percent(p.Baseline, first.Total))
		}
		t.Rows = append(t.Rows, []string{
			Count(p.Examples), strconv.Itoa(p.Seeds), Percent(p.Mean, first.Total), signedPoints(p.Mean - p.Baseline),
			Points(p.Std), Points(p.Sampling), Percent(p.Lowest, first.Total) + " to " + Percent(p.Highest, first.Total), differing(points),
		})
	}
	return t
}

// differing tells how many answers differ from float32's: "12 to 31".
func differing(points []wire.SweepPoint) string {
	low, high := points[0].Differ, points[0].Differ
	for _, p := range points {
		low, high = min(low, p.Differ), max(high, p.Differ)
	}
	if low == high {
		return Count(low)
	}
	return Count(low) + " to " + Count(high)
}

// Points writes a difference of shares in percentage points: "0.13".
func Points(share float64) string { return minus(Fixed(100*share, 2)) }

// signedPoints is Points with its sign: "+0.13".
func signedPoints(share float64) string { return signed(100*share, 2) }

// ShortPlan names a plan in a few words: "static int8 · float32 · float32". What no plan is stays as it is.
func ShortPlan(text string) string {
	p, err := scheme.ParsePlan(text, 1+strings.Count(text, ","))
	if err != nil {
		return text
	}
	if len(p) == 1 { // of as many layers as there are
		return "all " + p.Short()
	}
	return p.Short()
}

// SweepSentences says in plain words how much of a lottery a model's calibration is.
func SweepSentences(s wire.Sweep, model string) []string {
	spreads := slices.DeleteFunc(spreadsOf(s, model), func(p wire.SweepSpread) bool { return p.Seeds < 2 })
	if len(spreads) == 0 {
		return nil
	}
	total := 0
	for _, p := range s.Points {
		if p.Model == model {
			total = p.Total
		}
	}
	worst := slices.MaxFunc(luckiest(spreads), func(a, b wire.SweepSpread) int { return cmp.Compare(a.Std, b.Std) })
	var out []string
	if !slices.ContainsFunc(spreads, isLottery) {
		out = append(out, fmt.Sprintf("Calibration is no lottery here: over %d samples of any size the accuracy spreads by %s points at most (standard deviation, with %s), "+
			"where the choice of the test examples alone is worth %s.", worst.Seeds, Points(worst.Std), examples(worst.Examples), Points(worst.Sampling)))
	} else {
		out = append(out, fmt.Sprintf("Calibration with %s is a lottery of %s points (standard deviation over %d samples, from %s to %s), "+
			"where the choice of the test examples alone is worth %s.", examples(worst.Examples), Points(worst.Std), worst.Seeds,
			Percent(worst.Lowest, total), Percent(worst.Highest, total), Points(worst.Sampling)))
		out = append(out, settled(spreads))
	}
	first, last := spreads[0], spreads[len(spreads)-1]
	if len(spreads) > 1 {
		out = append(out, fmt.Sprintf("On average the plan is %s with %s and %s with %s.", against(first), examples(first.Examples), against(last), examples(last.Examples)))
	}
	return out
}

// isLottery reports whether accuracy spreads more over the samples than Sampling and chance explain: whether the ratio of the
// variances, times the degrees of freedom, is beyond the 95% quantile of chi squared (Wilson and Hilferty's approximation).
func isLottery(p wire.SweepSpread) bool {
	if p.Seeds < 2 {
		return false
	}
	const z = 1.645
	f := 2 / (9 * float64(p.Seeds-1))
	return p.Std*p.Std > p.Sampling*p.Sampling*math.Pow(1-f+z*math.Sqrt(f), 3)
}

// luckiest returns those spreads that are a lottery, or all where none is.
func luckiest(spreads []wire.SweepSpread) []wire.SweepSpread {
	if some := slices.DeleteFunc(slices.Clone(spreads), func(p wire.SweepSpread) bool { return !isLottery(p) }); len(some) > 0 {
		return some
	}
	return spreads
}

// settled says from which size on the sample no longer matters.
func settled(spreads []wire.SweepSpread) string {
	from := len(spreads)
	for from > 0 && !isLottery(spreads[from-1]) {
		from--
	}
	switch {
	case from == len(spreads):
		return fmt.Sprintf("Even with %s the sample still matters more than the test set.", examples(spreads[from-1].Examples))
	case from == len(spreads)-1:
		return fmt.Sprintf("With %s the choice no longer matters: it is worth no more than that of the test examples.", examples(spreads[from].Examples))
	}
	return fmt.Sprintf("From %s on the choice no longer matters: it is worth no more than that of the test examples.", examples(spreads[from].Examples))
}

// against says how a size's mean accuracy compares with float32's: "0.13 points below float32".
func against(p wire.SweepSpread) string {
	d := p.Mean - p.Baseline
	switch text := Points(max(d, -d)); {
	case strings.Trim(text, "0.") == "":
		return "as accurate as float32"
	case d < 0:
		return text + " points below float32"
	default:
		return text + " points above float32"
	}
}

func examples(n int) string { return Count(n) + plural(n, " example", " examples") }

// SweepSettings says in a sentence how a sweep was made. Of the settings of a run, those that time passes do not matter to it.
func SweepSettings(s wire.Sweep) string {
	text := measuredBy(s.Version, s.Hardware.Host) + ": test examples in batches as in a run."
	if n := s.Settings.Examples; n > 0 {
		text = strings.TrimSuffix(text, ".") + ", only the first " + Count(n) + "."
	}
	if s.Settings.Weights == wire.Fresh {
		text += " Weights trained anew, seed " + strconv.FormatUint(s.Settings.Seed, 10) + "."
	}
	return text
}

// SweepJSON writes an object with the fields version, hardware, settings, points, spreads and notes.
func SweepJSON(w io.Writer, s wire.Sweep) error {
	if s.Points == nil {
		s.Points = []wire.SweepPoint{}
	}
	if s.Spreads == nil {
		s.Spreads = []wire.SweepSpread{}
	}
	return encode(w, s)
}

// sweepHeader names the columns of SweepCSV.
var sweepHeader = []string{
	"model", "plan", "examples", "seed", "correct", "total", "accuracy", "differ",
	"float32_accuracy", "size_mean", "size_std", "size_lowest", "size_highest", "size_sampling", "host", "engine", "cpu", "browser", "version",
}

// SweepCSV writes a line a calibration, at full precision, with what sums up the calibrations of its size behind.
func SweepCSV(w io.Writer, s wire.Sweep) error {
	lines := [][]string{sweepHeader}
	for _, p := range s.Points {
		line := []string{
			harmless(p.Model), harmless(p.Plan), strconv.Itoa(p.Examples), strconv.FormatUint(p.Seed, 10), strconv.Itoa(p.Correct), strconv.Itoa(p.Total),
			number(float64(p.Correct)/float64(p.Total), p.Total > 0), strconv.Itoa(p.Differ),
		}
		of := slices.IndexFunc(s.Spreads, func(q wire.SweepSpread) bool { return q.Model == p.Model && q.Examples == p.Examples })
		var q wire.SweepSpread
		if of >= 0 {
			q = s.Spreads[of]
		}
		for _, v := range []float64{q.Baseline, q.Mean, q.Std, q.Lowest, q.Highest, q.Sampling} {
			line = append(line, number(v, of >= 0))
		}
		h := s.Hardware
		lines = append(lines, append(line, harmless(h.Host), harmless(h.Engine), harmless(h.CPU), harmless(h.Browser), harmless(s.Version)))
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// SweepMarkdown writes each model's table and what it comes to in plain words.
func SweepMarkdown(w io.Writer, s wire.Sweep) error {
	var b strings.Builder
	b.WriteString("# Calibration sweep\n\n" + escape(SweepSettings(s)) + "\n\n")
	markdownHardware(&b, s.Hardware)
	for _, model := range SweepModels(s) {
		markdownPlain(&b, SweepTable(s, model))
		markdownList(&b, SweepSentences(s, model))
	}
	markdownNotes(&b, s.Notes)
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// markdownNotes writes a section of notes where there are any.
func markdownNotes(b *strings.Builder, notes []string) {
	if len(notes) > 0 {
		b.WriteString("## Notes\n\n")
		markdownList(b, notes)
	}
}
