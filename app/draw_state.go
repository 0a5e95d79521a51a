package app

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

const (
	firstSample  = 0            // of them, that is there before anything is drawn: a seven
	keptSketches = 100          // that undo can bring back
	brush        = 80           // width of the pen on the drawing's grid: 2.2 of 28 pixels, as the nets see it
	firstDigits  = "mnist-lab1" // the model that answers at first
)

// modelsOn returns the models that read those data.
func modelsOn(data string, models nn.Catalog) nn.Catalog {
	return slices.DeleteFunc(slices.Clone(models), func(s nn.Spec) bool { return s.Data != data })
}

// labDigits returns the lab's models that read drawings.
func labDigits() []string { return modelsOn(nn.MNIST, nn.CatalogOf(nil)).IDs() }

// A sketch is what is on the pad. It is never changed, only replaced, so that undo can keep it.
type sketch struct {
	Strokes [][]int       // as wire.Drawing has them
	Picture *wire.Picture // under them
	Example *int          // or this image of the test set, without strokes
	Digit   []byte        // the example's pixels, as far as they are known
	Label   string        // and its right answer
	Unasked bool          // the sample that nobody chose
}

// firstSketch is the sample that is there before anything is drawn.
func firstSketch() sketch {
	n := firstSample
	return sketch{Example: &n, Unasked: true}
}

func (k sketch) empty() bool { return len(k.Strokes) == 0 && k.Picture == nil && k.Example == nil }

func (k sketch) points() int {
	n := 0
	for _, s := range k.Strokes {
		n += len(s) / 2
	}
	return n
}

// DrawState is what the Draw view knows.
type DrawState struct {
	Models  string // a model that reads drawings, or Both of the lab's
	AsDrawn bool   // neither centred nor scaled
	Invert  bool

	sketch       sketch
	stroke       []int  // that the pen draws at the moment
	before       sketch // what was there when it began
	past, future []sketch

	look     int // counts what changes the pad, but for the pen
	input    int // counts what changes the nets' input
	replies  map[string]*drawReply
	other    otherwise         // the same input with centring switched
	compare  map[string]string // what float32 answered, by model, before centring was switched
	centring string            // what that changed, in words
	problem  string            // why what the reader gave could not be taken
	reading  bool              // a picture

	samples sampleDigits
	search  digitSearch
}

// A drawReply is what one model has said.
type drawReply struct {
	Prediction *wire.Prediction
	Timed      timings
	Input      int // that it belongs to
	Passes     int // that were asked for
	Failed     string
	Step       string // what it is waiting for
	Fraction   float64
}

// forgetOwn forgets what was said of models and examples of the reader's own: others may have their names now.
func (d *DrawState) forgetOwn() {
	maps.DeleteFunc(d.replies, func(model string, _ *drawReply) bool { return !slices.Contains(labDigits(), model) })
	if d.samples.Of != "" {
		d.samples = sampleDigits{}
	}
	if d.search.Test.Of != "" {
		d.search = digitSearch{}
	}
}

// tested is the set that examples on the pad are of: that of the first model that answers.
func (d *DrawState) tested(own *wire.Own) testSet {
	spec, _ := own.Catalog().Of(d.asked()[0])
	return testSetOf(spec, own, "")
}

func (s *session) drawTest() testSet { return s.Draw.tested(s.Own) }

// asked returns the models that answer.
func (d *DrawState) asked() []string {
	if d.Models == Both {
		return labDigits()
	}
	return []string{d.Models}
}

// reply returns the place of a model's answer.
func (d *DrawState) reply(model string) *drawReply {
	if d.replies == nil {
		d.replies = map[string]*drawReply{}
	}
	if d.replies[model] == nil {
		d.replies[model] = &drawReply{}
	}
	return d.replies[model]
}

// drawing is what to show to the nets, nil where there is nothing.
func (d *DrawState) drawing() *wire.Drawing {
	k := d.sketch
	strokes := k.Strokes
	if len(d.stroke) > 0 {
		strokes = append(slices.Clone(strokes), d.stroke)
	}
	if len(strokes) == 0 && k.empty() {
		return nil
	}
	return &wire.Drawing{Strokes: strokes, Picture: k.Picture, Example: k.Example, AsDrawn: d.AsDrawn, Invert: d.Invert}
}

// learn takes the pixels of the example on the pad from an answer to it, where they are not known yet.
func (d *DrawState) learn(p *wire.Prediction, asked *wire.Drawing) {
	k := d.sketch
	if k.Example == nil || asked.Example == nil || *k.Example != *asked.Example || k.Digit != nil || len(p.Digit) != digitPixels {
		return
	}
	digit := slices.Clone(p.Digit)
	if asked.Invert {
		for i, v := range digit {
			digit[i] = 255 - v
		}
	}
	d.sketch.Digit = digit
	d.look++
}

// put replaces what is on the pad, so that undo brings the old back.
func (d *DrawState) put(k sketch) {
	d.past = append(d.past, d.sketch)
	if len(d.past) > keptSketches {
		d.past = d.past[1:]
	}
	d.future = nil
	d.show(k)
}

func (d *DrawState) show(k sketch) {
	d.sketch, d.stroke, d.problem, d.centring = k, nil, "", ""
	d.look++
	d.input++
}

// pen takes points of a stroke, x, y, x, y, …; the first ones begin it, and replace an example. It reports whether there was room for
// them.
func (d *DrawState) pen(points []int) bool {
	if d.sketch.points()+(len(d.stroke)+len(points))/2 > wire.MaxPoints {
		return false
	}
	if len(d.stroke) == 0 {
		d.before = d.sketch
		if d.sketch.Example != nil {
			d.sketch = sketch{}
			d.look++
		}
	}
	for i := 0; i+1 < len(points); i += 2 {
		if n := len(d.stroke); n >= 2 && d.stroke[n-2] == points[i] && d.stroke[n-1] == points[i+1] {
			continue // the pen rests
		}
		d.stroke = append(d.stroke, points[i], points[i+1])
	}
	d.problem, d.centring = "", ""
	d.input++
	return true
}

// lift ends the stroke.
func (d *DrawState) lift() {
	if len(d.stroke) == 0 {
		return
	}
	k := d.sketch
	k.Strokes = append(slices.Clone(k.Strokes), d.stroke)
	d.sketch = d.before
	d.put(k)
}

func (d *DrawState) undo() bool { return d.step(&d.past, &d.future) }
func (d *DrawState) redo() bool { return d.step(&d.future, &d.past) }

func (d *DrawState) step(from, to *[]sketch) bool {
	n := len(*from)
	if n == 0 {
		return false
	}
	k := (*from)[n-1]
	*from, *to = (*from)[:n-1], append(*to, d.sketch)
	d.show(k)
	return true
}

// parseDrawing reads a view's address. What it leaves out is as at first: a sample of the test set under the first model.
func parseDrawing(query url.Values, own *wire.Own) (d DrawState, notices []string) {
	complain := func(key, why string) {
		notices = append(notices, "The link says "+key+"="+short(query.Get(key))+": "+why)
	}
	d = DrawState{Models: firstDigits}
	models := modelsOn(nn.MNIST, own.Catalog())
	switch m := query.Get("digits"); {
	case m == Both || slices.Contains(models.IDs(), m):
		d.Models = m
	case query.Has("digits"):
		complain("digits", "choose from "+strings.Join(models.IDs(), ", ")+" and both. "+firstDigits+" answers.")
	}
	test := d.tested(own)
	for key, flag := range map[string]*bool{"asdrawn": &d.AsDrawn, "invert": &d.Invert} {
		*flag = query.Get(key) == "1"
		if v := query.Get(key); query.Has(key) && v != "1" {
			complain(key, "write 1, or leave it out. It is left out.")
		}
	}
	chosen := false
	if query.Has("strokes") {
		strokes, err := decodeStrokes(query.Get("strokes"))
		if err != nil {
			complain("strokes", err.Error()+", the link may have been cut. Nothing of them is drawn.")
		} else {
			d.sketch.Strokes, chosen = strokes, true
		}
	}
	if query.Has("picture") {
		p, err := decodePicture(query.Get("picture"))
		if err != nil {
			complain("picture", err.Error()+", the link may have been cut. There is no picture.")
		} else {
			d.sketch.Picture, chosen = p, true
		}
	}
	if query.Has("example") {
		n, err := strconv.Atoi(query.Get("example"))
		switch {
		case err != nil || n < 0 || n >= test.Size:
			complain("example", fmt.Sprintf("give a number from 0 to %d. A sample is shown.", test.Size-1))
		case chosen:
			complain("example", "an example has no strokes or picture beside it. It is left out.")
		default:
			d.sketch.Example, chosen = &n, true
		}
	}
	if !chosen {
		d.sketch = firstSketch()
	}
	slices.Sort(notices)
	return d, notices
}

// short cuts what a link says to what a sentence can bear.
func short(text string) string {
	const most = 24
	text = strings.ToValidUTF8(text, "\uFFFD")
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// query spells the state as parseDrawing reads it. Without ink it leaves out what may be long.
func (d *DrawState) query(ink bool) string {
	v := make([]byte, 0, 64)
	add := func(key, value string) {
		if len(v) > 0 {
			v = append(v, '&')
		}
		v = append(v, key+"="+value...)
	}
	if d.Models != firstDigits {
		add("digits", d.Models)
	}
	k := d.sketch
	switch {
	case k.Unasked || !ink:
	case k.Example != nil:
		add("example", strconv.Itoa(*k.Example))
	default:
		if len(k.Strokes) > 0 || k.Picture == nil {
			add("strokes", encodeStrokes(k.Strokes)) // none: an empty pad, on which no sample shall appear
		}
		if k.Picture != nil {
			add("picture", encodePicture(k.Picture))
		}
	}
	if d.AsDrawn {
		add("asdrawn", "1")
	}
	if d.Invert {
		add("invert", "1")
	}
	return string(v)
}

// address is the query that the page's address carries: a drawing that is too long for a link is not in it.
func (d *DrawState) address() (query string, whole bool) {
	if d.Models == "" { // no address was visited yet
		return "", true
	}
	if q := d.query(true); len(q) <= maxLink {
		return q, true
	}
	return d.query(false), false
}
