package pdf

import (
	"fmt"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"quantlab/core/report/chart"
	"quantlab/core/report/figure"
)

// Sizes of a figure's parts, in points.
const (
	plotHeight = 158.0 // three figures to a page
	laneHeight = 12.0  // of few rows, and
	laneLeast  = 8.0   // of many, two figures to a page
	rowGap     = .65   // between rows, in lanes
	rowsHeight = 236.0 // that many rows are made to fit
	axisRoom   = 42.0  // below the rows
	tallest    = 520.0 // of a plot
	keyLine    = 13.0
	tickSize   = 7.5
	labelSize  = 7.0
	ticksX     = 6
	ticksY     = 6
	nameRunes  = 40 // of what stands in a plot
	axisRunes  = 70 // of an axis's title, or in the key
	levelNames = 80 // characters of all names below a plot that fit beside each other
)

// fonts measures text for gonum's plots, in the font that the canvas writes with.
var fonts = sync.OnceValue(func() *font.Cache {
	parsed, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		panic(err) // the font is part of the program
	}
	return font.NewCache(font.Collection{{Font: font.Font{Typeface: sans}, Face: parsed}})
})

func style(size float64, c rgb) text.Style {
	return text.Style{Color: c, Font: font.Font{Typeface: sans, Size: vg.Points(size)}, Handler: text.Plain{Fonts: fonts()}}
}

// figure sets a figure with its name, key and caption; it is never split.
func (s *setter) figure(f figure.Figure) {
	s.figures++
	f = clean(f)
	d := f.Drawable()
	key := s.key(d)
	_, lanes := d.Lanes()
	high := plotHeight
	if d.Sideways() {
		rows := float64(len(d.Y.Categories)) * (float64(lanes) + rowGap) // in lanes
		high = min(tallest, rows*min(laneHeight, max(laneLeast, rowsHeight/rows))+axisRoom)
	}
	scale := s.scaleTitle(d)
	s.together(false, func() {
		s.textLines(nameFace, ink, s.wrap(nameFace, fmt.Sprintf("Figure %d. %s", s.figures, f.Title), across(false)), marginX, 14, nil)
		height := key.height + scale.height + high
		s.add(piece{height: height, before: 3, draw: func(y, _ float64) {
			key.draw(y)
			scale.draw(y + key.height)
			p := newPlot(d)
			c := newCanvas(s, marginX, y+height)
			p.Draw(draw.NewCanvas(c, vg.Points(across(false)), vg.Points(high)))
		}})
	})
	if f.Caption != "" {
		s.textLines(captionFace, muted, s.wrap(captionFace, f.Caption, across(false)), marginX, 4, nil)
	}
	s.add(piece{height: 8, draw: func(_, _ float64) {}})
}

// clean makes all texts of a figure legible.
func clean(f figure.Figure) figure.Figure {
	f.Title, f.Caption = legible(f.Title), legible(f.Caption)
	for _, a := range []*figure.Axis{&f.X, &f.Y} {
		a.Label = chart.Shorten(legible(a.Label), axisRunes)
		names := make([]string, len(a.Categories))
		for i, name := range a.Categories {
			names[i] = chart.Shorten(legible(name), nameRunes)
		}
		a.Categories = names
	}
	series := make([]figure.Series, len(f.Series))
	for i, s := range f.Series {
		s.Name = chart.Shorten(legible(s.Name), axisRunes)
		points := make([]figure.Point, len(s.Points))
		for k, p := range s.Points {
			p.Label = chart.Shorten(legible(p.Label), nameRunes)
			points[k] = p
		}
		s.Points, series[i] = points, s
	}
	f.Series = series
	return f
}

// newPlot makes gonum's plot of a drawable figure: its axes, and below them a plotter for all series.
func newPlot(f figure.Figure) *plot.Plot {
	p := plot.New()
	p.TextHandler = text.Plain{Fonts: fonts()}
	p.BackgroundColor = nil
	x, y := f.Rulers(ticksX, ticksY)
	dressAxis(&p.X, f.X, x)
	dressAxis(&p.Y, f.Y, y)
	p.Title.TextStyle = style(tickSize, ink)
	p.Legend.TextStyle = style(tickSize, ink)
	p.X.Label.TextStyle.XAlign, p.X.Label.TextStyle.YAlign = draw.XCenter, draw.YBottom
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XCenter, draw.YTop
	p.Y.Label.Text = "" // scaleTitle writes it
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = draw.XRight, draw.YCenter
	if f.Sideways() {
		p.Y.Scale = downward{y}
	}
	all := 0
	for _, name := range f.X.Categories {
		all += len([]rune(name))
	}
	if all > levelNames {
		p.X.Tick.Label.Rotation = slanted
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XRight, draw.YCenter
	}
	lanes, _ := f.Lanes()
	p.Add(&plotter{Figure: f, x: x, y: y, lanes: lanes, again: f.Repeats()})
	return p
}

// slanted is how far, in radians, names are turned that don't fit beside each other.
const slanted = .6

func dressAxis(a *plot.Axis, f figure.Axis, r figure.Ruler) {
	a.Min, a.Max, a.Scale = r.Lo, r.Hi, along{r}
	a.LineStyle.Width = 0 // the plotter draws the base line
	a.Padding = 0
	a.Label.Text = f.Label
	a.Label.TextStyle = style(tickSize, muted)
	a.Label.Padding = vg.Points(1)
	a.Tick.Label = style(tickSize, muted)
	a.Tick.LineStyle = draw.LineStyle{Color: line, Width: gridWidth}
	a.Tick.Length = vg.Points(3)
	if len(f.Categories) > 0 {
		a.Tick.Label = style(tickSize, ink)
	}
	var ticks plot.ConstantTicks
	for _, t := range r.Ticks {
		ticks = append(ticks, plot.Tick{Value: t.Value, Label: t.Label})
	}
	a.Tick.Marker = ticks
}

// along is a ruler as gonum's normalizer.
type along struct{ figure.Ruler }

func (a along) Normalize(_, _, v float64) float64 { return a.Scale.At(v) }

// downward begins at the top, as categories do.
type downward struct{ figure.Ruler }

func (d downward) Normalize(_, _, v float64) float64 { return 1 - d.Scale.At(v) }

// A band is what stands above a plot, so high.
type band struct {
	height float64
	draw   func(y float64)
}

// scaleTitle is the title of the vertical axis: above it, where it is read without turning the page, as on the screen.
func (s *setter) scaleTitle(f figure.Figure) band {
	face := smallFace.at(tickSize)
	if f.Y.Label == "" || f.Sideways() {
		return band{draw: func(float64) {}}
	}
	return band{height: face.leading() + 2, draw: func(y float64) {
		s.ink(muted)
		s.write(face, marginX, y+face.size, f.Y.Label)
	}}
}

// key sets the names beside each other, on as many lines as they need.
func (s *setter) key(f figure.Figure) band {
	type entry struct {
		figure.Mark
		x, line float64
	}
	var entries []entry
	x, line := 0.0, 0.0
	const sign, gap = 20.0, 14.0
	for _, m := range f.Marks() {
		w := sign + s.width(captionFace, m.Name)
		if x > 0 && x+w > across(false) {
			x, line = 0, line+1
		}
		entries = append(entries, entry{m, x, line})
		x += w + gap
	}
	if len(entries) == 0 {
		return band{draw: func(float64) {}}
	}
	return band{height: (line+1)*keyLine + 3, draw: func(y float64) {
		for _, e := range entries {
			left, base := marginX+e.x, y+e.line*keyLine+captionFace.size
			drawSign(newCanvas(s, left+8, base-3), e.Mark)
			s.ink(ink)
			s.write(captionFace, left+sign, base, e.Name)
		}
	}}
}
