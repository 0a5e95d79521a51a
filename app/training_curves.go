package app

import (
	"fmt"
	"math"
	"strconv"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/chart"
	plots "quantlab/core/report/figure"
)

// trainCurves draws how the loss, and its scale, went: live while it trains at the chosen place, else of the first seed of what was
// trained there last.
func (s *session) trainCurves(level int) goapp.UI {
	st := &s.Training
	if l, ok := st.live(); ok {
		base, mixed := l.pair()
		return trainFigures(level, st.choice(), base, mixed, liveWords(l))
	}
	if _, row, ok := st.trained(s.Study, st.choice().Where); ok && len(row.Float32) > 0 && len(row.Mixed) > 0 {
		return trainFigures(level, st.choice(), row.Float32[0], row.Mixed[0], seedWords(row))
	}
	text := "No " + report.TypeName(st.choice().Type) + " training of " + st.choice().Model + " " + inHost(st.choice().Where) + " yet: press Train and watch the loss fall."
	if s.measuring(wire.OpAMP) {
		text = "The curves begin with the first steps."
	}
	return goapp.Div().Class("train-curves").Body(goapp.P().Class("empty").Text(text))
}

// liveWords says which training the curves are of.
func liveWords(l *liveTraining) string {
	last := l.Trainings[len(l.Trainings)-1]
	seed := fmt.Sprintf("seed %d", last.Seed)
	switch l.End {
	case wire.EventCancel:
		return "Cancelled: the curves end where the training did, " + seed + "."
	case wire.EventError:
		return "Failed: the curves end where the training did, " + seed + "."
	}
	return fmt.Sprintf("Now training in %s, %s: step %s, %s s so far.", report.TypeName(last.Type), seed, report.Count(last.Steps), report.Figures(last.Seconds, 2))
}

func seedWords(row wire.AMPRow) string {
	if len(row.Mixed) > 1 {
		return fmt.Sprintf("Both from seed %d, the first of %d: the same weights at first, the same examples in the same order. The table of every training has the others.", row.Mixed[0].Seed, len(row.Mixed))
	}
	return fmt.Sprintf("Both from seed %d: the same weights at first, the same examples in the same order.", row.Mixed[0].Seed)
}

func trainFigures(level int, c trainChoice, base, mixed wire.Training, words string) goapp.UI {
	drawings := []goapp.UI{drawnFigure(lossFigure(c, base, mixed))}
	if c.Type == wire.Float16 {
		drawings = append(drawings, drawnFigure(scaleFigure(mixed)))
	}
	return goapp.Div().Class("train-curves").Body(
		goapp.P().Class("hint").ID("train-now").Text(words),
		goapp.Div().Class("train-plots").Body(drawings...),
		asTable(curveTable(c, base, mixed)),
	)
}

// drawnFigure shows a figure; its numbers are in a table below.
func drawnFigure(f plots.Figure) goapp.UI {
	return goapp.Raw(`<figure class="plot-figure" id="` + f.ID + `"><p class="figure-title">` + chart.Escape(f.Title) + `</p>` + f.Key() +
		`<div class="figure-box">` + f.SVG() + `</div><figcaption>` + chart.Escape(f.Caption) + `</figcaption></figure>`)
}

func lossFigure(c trainChoice, base, mixed wire.Training) plots.Figure {
	f := plots.Figure{
		ID: "train-loss", Title: "The loss falls",
		Caption: "Cross-entropy of the training examples, lower is better: the mean of the steps since the point before. The axis is logarithmic.",
		X:       plots.Axis{Label: "Step"}, Y: plots.Axis{Label: "Loss", Log: true},
	}
	for _, t := range []struct {
		wire.Training
		name, variant string
	}{{base, "float32", wire.Baseline}, {mixed, report.TypeName(c.Type) + ", mixed", wire.AMPVariant}} {
		s := plots.Series{Name: t.name, Variant: t.variant, Kind: plots.Line}
		for _, p := range t.Curve {
			s.Points = append(s.Points, plots.Point{X: float64(p.Step), Y: p.Loss})
		}
		f.Series = append(f.Series, s)
	}
	return f
}

// scaleFigure draws the scale of the loss by its logarithm, because it is halved and doubled.
func scaleFigure(t wire.Training) plots.Figure {
	f := plots.Figure{
		ID: "train-scale", Title: "The loss scale finds its place",
		Caption: "What the loss is multiplied by, as a power of two. A step whose gradients overflow is skipped and halves it; a long run without overflow doubles it.",
		X:       plots.Axis{Label: "Step"}, Y: plots.Axis{Label: "log₂ of the loss scale"},
	}
	scale := plots.Series{Name: "loss scale", Variant: wire.AMPVariant, Kind: plots.Steps}
	skips := plots.Series{Name: "steps skipped", Kind: plots.Points}
	skipped := 0
	for _, p := range t.Curve {
		if p.Scale <= 0 {
			continue
		}
		at := plots.Point{X: float64(p.Step), Y: math.Log2(p.Scale)}
		scale.Points = append(scale.Points, at)
		if n := p.Skipped - skipped; n > 0 {
			at.Name = plural(n, "step") + " skipped"
			skips.Points = append(skips.Points, at)
		}
		skipped = p.Skipped
	}
	f.Series = []plots.Series{scale}
	if len(skips.Points) > 0 {
		f.Series = append(f.Series, skips)
	}
	return f
}

// mostRows is how many steps the table of the curves has: it is drawn anew while they grow.
const mostRows = 32

// curveTable has the numbers of both figures, of steps evenly spread and of the last.
func curveTable(c trainChoice, base, mixed wire.Training) string {
	headers := []string{"Step", "float32 loss", report.TypeName(c.Type) + " loss"}
	scaled := c.Type == wire.Float16
	if scaled {
		headers = append(headers, "Loss scale", "Steps skipped so far")
	}
	var rows [][]string
	n := max(len(base.Curve), len(mixed.Curve))
	every := (n + mostRows - 1) / mostRows
	for i := range n {
		if (i+1)%every != 0 && i != n-1 {
			continue
		}
		row := []string{"", report.Missing, report.Missing}
		if i < len(base.Curve) {
			p := base.Curve[i]
			row[0], row[1] = report.Count(p.Step), report.Figures(p.Loss, 3)
		}
		if i < len(mixed.Curve) {
			p := mixed.Curve[i]
			row[0], row[2] = report.Count(p.Step), report.Figures(p.Loss, 3)
			if scaled {
				row = append(row, report.Figures(p.Scale, 1), strconv.Itoa(p.Skipped))
			}
		}
		rows = append(rows, row)
	}
	return chart.Table("Loss by step", headers, rows)
}
