package paper

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/report/figure"
)

// tooUneven is how many times the shortest latency a figure's longest may be, so that both can be seen.
const tooUneven = 60

// latencies are figures of bars for each task and batch size; of models that differ too much, for each model.
func (w *writer) latencies() []figure.Figure {
	rows := w.shown(func(r wire.Row) bool { return len(r.LatencyUS) > 0 })
	var out []figure.Figure
	for _, batch := range report.Batches(rows...) {
		for _, data := range []string{nn.MNIST, nn.SST2, ""} {
			var some []wire.Row
			for _, r := range rows {
				if _, ok := r.LatencyUS[batch]; ok && report.DataOf(w.models, r.Model) == data {
					some = append(some, r)
				}
			}
			for _, group := range even(some, batch) {
				out = append(out, latencyFigure(group, batch))
			}
		}
	}
	return out
}

// even parts rows by model where their latencies are too uneven for one axis.
func even(rows []wire.Row, batch string) [][]wire.Row {
	if len(rows) == 0 {
		return nil
	}
	low, high := math.Inf(1), 0.0
	var models []string
	for _, r := range rows {
		low, high = min(low, r.LatencyUS[batch].Mean), max(high, r.LatencyUS[batch].Mean)
		if !slices.Contains(models, r.Model) {
			models = append(models, r.Model)
		}
	}
	if high <= tooUneven*low {
		return [][]wire.Row{rows}
	}
	var out [][]wire.Row
	for _, m := range models {
		out = append(out, slices.DeleteFunc(slices.Clone(rows), func(r wire.Row) bool { return r.Model != m }))
	}
	return out
}

func latencyFigure(rows []wire.Row, batch string) figure.Figure {
	var categories []string
	category := func(r wire.Row) string {
		if slices.ContainsFunc(rows, func(o wire.Row) bool { return o.Host != r.Host }) {
			return r.Model + ", " + r.Host
		}
		return r.Model
	}
	for _, r := range rows {
		if c := category(r); !slices.Contains(categories, c) {
			categories = append(categories, c)
		}
	}
	about := taskOf(rows[0].Model)
	if m := rows[0].Model; !slices.ContainsFunc(rows, func(r wire.Row) bool { return r.Model != m }) {
		about = m
	} else if about == "" {
		about = "other models"
	}
	f := figure.Figure{
		ID:      "latency-" + anchor(about) + "-" + batch,
		Title:   fmt.Sprintf("Latency of %s, batch %s", about, batch),
		Caption: "Bars are means, whiskers one standard deviation up and down, dots the single runs.",
		X:       figure.Axis{Label: "Latency of a pass (µs)", Zero: true},
		Y:       figure.Axis{Categories: categories},
	}
	byVariant(rows, func(s *figure.Series, r wire.Row) {
		l := r.LatencyUS[batch]
		s.Kind = figure.Bars
		s.Points = append(s.Points, figure.Point{
			X: l.Mean, Y: float64(slices.Index(categories, category(r))), Span: &figure.Span{Low: max(l.Mean-l.Std, 0), High: l.Mean + l.Std}, Samples: l.Samples,
		})
	}, &f)
	return f
}

// byVariant adds a series for each variant of the rows.
func byVariant(rows []wire.Row, point func(s *figure.Series, r wire.Row), f *figure.Figure) {
	for _, r := range rows {
		i := slices.IndexFunc(f.Series, func(s figure.Series) bool { return s.Variant == r.Variant })
		if i < 0 {
			f.Series = append(f.Series, figure.Series{Name: report.VariantTitle(r.Variant), Variant: r.Variant, Kind: figure.Points})
			i = len(f.Series) - 1
		}
		point(&f.Series[i], r)
	}
}

// anchor is text as an ID.
func anchor(text string) string {
	var b []rune
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b = append(b, r)
		case r >= 'A' && r <= 'Z':
			b = append(b, r+'a'-'A')
		case len(b) > 0 && b[len(b)-1] != '-':
			b = append(b, '-')
		}
	}
	return string(b)
}

// sizes are figures of accuracy over size, one for each task.
func (w *writer) sizes() []figure.Figure {
	var out []figure.Figure
	for _, data := range []string{nn.MNIST, nn.SST2, ""} {
		seen := map[string]bool{} // accuracy and size are the same on every host
		var rows []wire.Row
		for _, r := range w.shown(func(r wire.Row) bool {
			return r.Accuracy != nil && r.SizeBytes > 0 && report.DataOf(w.models, r.Model) == data
		}) {
			if k := fmt.Sprint(r.Model, r.Variant, r.SizeBytes, r.Correct, r.Total); !seen[k] {
				seen[k] = true
				rows = append(rows, r)
			}
		}
		if len(rows) == 0 {
			continue
		}
		about := taskOf(rows[0].Model)
		if about == "" {
			about = "other models"
		}
		f := figure.Figure{
			ID: "size-" + anchor(about), Title: "Size against accuracy, " + about, Caption: "Whiskers are Wilson's 95% intervals. Up and to the left is better.",
			X: figure.Axis{Label: "Size of the file (MB)", Log: true}, Y: figure.Axis{Label: "Accuracy", Percent: true},
		}
		byVariant(rows, func(s *figure.Series, r wire.Row) {
			p := figure.Point{X: float64(r.SizeBytes) / 1e6, Y: *r.Accuracy, Name: r.Model}
			if r.Variant == wire.Baseline {
				p.Label = r.Model
			}
			if r.Interval != nil {
				p.Span = &figure.Span{Low: r.Interval[0], High: r.Interval[1]}
			}
			s.Points = append(s.Points, p)
		}, &f)
		out = append(out, f)
	}
	return out
}

// roofs is the roofline of a bench: its passes under the roofs of arithmetic and of memory.
func roofs(b *bench) *figure.Figure {
	f := &figure.Figure{
		ID: "roofline", Title: "Roofline",
		Caption: "Lines are the machine's limits: multiply-adds a second in each arithmetic, and reading weights from the fastest and from the slowest memory that was measured. A pass lies between the two slopes, by the bytes of its weights.",
		X:       figure.Axis{Label: "Multiply-adds per byte of weights", Log: true}, Y: figure.Axis{Label: "Billion multiply-adds a second", Log: true},
	}
	low, high := math.Inf(1), 0.0
	for _, c := range b.cells {
		low, high = min(low, c.Intensity()), max(high, c.Intensity())
	}
	low, high = low/2, high*2
	slowest, fastest := b.peaks.Read[0].GBs, b.peaks.Read[0].GBs
	for _, r := range b.peaks.Read {
		slowest, fastest = min(slowest, r.GBs), max(fastest, r.GBs)
	}
	for _, peak := range []struct {
		name, variant string
		gmacs         float64
	}{{"float32", wire.Baseline, b.peaks.Float32}, {"int8", "static-qint8", b.peaks.Int8}} {
		f.Series = append(f.Series, roof(peak.name+" peak", peak.variant, peak.gmacs, fastest, low, high))
	}
	knee := min(b.peaks.Float32/slowest, high)
	f.Series = append(f.Series, figure.Series{Name: "slowest memory", Kind: figure.Line, Points: []figure.Point{{X: low, Y: low * slowest}, {X: knee, Y: knee * slowest}}})
	for _, c := range b.cells {
		i := slices.IndexFunc(f.Series, func(s figure.Series) bool { return s.Kind == figure.Points && s.Variant == c.Variant })
		if i < 0 {
			f.Series = append(f.Series, figure.Series{Name: report.VariantTitle(c.Variant), Variant: c.Variant, Kind: figure.Points})
			i = len(f.Series) - 1
		}
		f.Series[i].Points = append(f.Series[i].Points, figure.Point{X: c.Intensity(), Y: c.GMACs, Name: c.Model + ", batch " + strconv.Itoa(c.Batch)})
	}
	return f
}

// roof is one arithmetic's limit: the slope of the fastest memory up to the peak, and level from there.
func roof(name, variant string, peak, bandwidth, low, high float64) figure.Series {
	s := figure.Series{Name: name, Variant: variant, Kind: figure.Line}
	knee := peak / bandwidth
	if knee > low {
		s.Points = append(s.Points, figure.Point{X: low, Y: low * bandwidth})
	}
	if knee > low && knee < high {
		s.Points = append(s.Points, figure.Point{X: knee, Y: peak})
	} else if knee <= low {
		s.Points = append(s.Points, figure.Point{X: low, Y: peak})
	}
	s.Points = append(s.Points, figure.Point{X: high, Y: min(peak, high*bandwidth)})
	return s
}
