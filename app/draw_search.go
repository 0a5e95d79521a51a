package app

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// mostFound is how many disagreements a search of the test set shows.
const mostFound = 40

// A digitSearch looks through the test set for images on which a variant and float32 disagree.
type digitSearch struct {
	Test     testSet // that is searched
	Chosen   string  // model and variant to search next: "mnist-lab1/static-qint8"
	Ran      string  // and of what is found
	Found    []digitExample
	Fraction float64
	Going    bool
	Over     bool // it came to its end
	Failed   string
}

// on returns the search as it is for a test set: what was found in another is gone.
func (d digitSearch) on(test testSet) digitSearch {
	if d.Test == test {
		return d
	}
	return digitSearch{Test: test}
}

// searchLane is where searches wait for each other.
const searchLane = "draw-search"

// searchPair is what would be searched: what the reader chose, or static int8, which differs most often.
func (s *session) searchPair(pairs []option) string {
	chosen := s.Draw.search.Chosen
	if slices.ContainsFunc(pairs, func(o option) bool { return o.Value == chosen }) {
		return chosen
	}
	return s.Draw.asked()[0] + "/static-qint8"
}

func (s *session) searchDigits() {
	pair := s.searchPair(s.searchOptions(s.Draw.asked()))
	model, variant, _ := strings.Cut(pair, "/")
	request := &wire.SearchRequest{Model: model, Variant: variant, Limit: mostFound}
	if variant == wire.Custom {
		request.Custom = s.customFor(model)
	}
	s.Draw.search = digitSearch{Test: s.drawTest(), Chosen: pair, Ran: pair, Going: true}
	s.say("Searching " + s.Draw.search.Test.name() + ".")
	s.ask(searchLane, wire.Command{Op: wire.OpSearch, Search: request}, true, func(e wire.Event) {
		d := &s.Draw.search
		switch {
		case e.Kind == wire.EventProgress:
			d.Fraction = max(d.Fraction, clamp01(e.Fraction))
		case e.Kind == wire.EventExample && e.Example != nil && len(e.Example.Digit) == digitPixels && len(d.Found) < mostFound:
			d.Found = append(d.Found, newDigitExample(*e.Example))
		case e.Kind == wire.EventDone:
			d.Going, d.Over = false, true
			s.say(searchSentence(*d))
		case e.Kind == wire.EventError:
			d.Going, d.Failed = false, sentence(e.Text)
			s.say(d.Failed)
		case e.Kind == wire.EventCancel:
			d.Going = false
		}
	})
}

func (s *session) cancelSearch() {
	s.drop(searchLane)
	s.Draw.search.Going = false
	s.say(searchSentence(s.Draw.search))
}

// searchSentence says how the search stands.
func searchSentence(d digitSearch) string {
	model, variant, _ := strings.Cut(d.Ran, "/")
	searched := report.Count(int(math.Round(d.Fraction * float64(d.Test.Size))))
	if d.Over && len(d.Found) < mostFound {
		searched = "all " + d.Test.size()
	}
	images := d.Test.Noun + "s" + d.Test.whose()
	name := answerName(variant) + " of " + model
	switch {
	case d.Ran == "" || d.Failed != "":
		return d.Failed
	case len(d.Found) == 0 && d.Over:
		return fmt.Sprintf("None found: %s and float32 answer the same to %s %s.", name, searched, images)
	case d.Going:
		return fmt.Sprintf("%s of %s %s searched, %s found.", searched, d.Test.size(), images, report.Count(len(d.Found)))
	case d.Over && len(d.Found) >= mostFound:
		return fmt.Sprintf("The first %s %s on which %s and float32 disagree.", report.Count(len(d.Found)), images, name)
	case d.Over:
		return fmt.Sprintf("%s and float32 disagree on %s of %s %s.", upperFirst(name), report.Count(len(d.Found)), searched, images)
	}
	return fmt.Sprintf("Cancelled: %s of %s %s searched, %s found.", searched, d.Test.size(), images, report.Count(len(d.Found)))
}

// A searchView is the search as it is drawn.
type searchView struct {
	Test     testSet
	Pairs    []option
	Pair     string
	Going    bool
	Percent  int
	Sentence string
	Failed   bool
	Found    []thumbnail
}

func (s *session) drawSearch() searchView {
	d := s.Draw.search
	v := searchView{Test: s.drawTest(), Pairs: s.searchOptions(s.Draw.asked()), Going: d.Going, Percent: int(100 * d.Fraction), Sentence: searchSentence(d), Failed: d.Failed != ""}
	v.Pair = s.searchPair(v.Pairs)
	_, variant, _ := strings.Cut(d.Ran, "/")
	for _, found := range d.Found {
		e, t := found.Example, found.thumbnail(d.Test, s.Draw.sketch.Example)
		t.Words = []string{"a " + e.Label, "float32 " + e.Baseline, shortName(variant) + " " + e.Answer}
		v.Found = append(v.Found, t)
	}
	return v
}

// shortName is a variant's name in a thumbnail: what its numbers are.
func shortName(variant string) string {
	v, err := wire.VariantOf(variant)
	if err != nil {
		return "plan"
	}
	return strings.TrimPrefix(v.DType, "q")
}

// drawSearcher is the search: what to look for, how far it is, and what it found.
type drawSearcher struct {
	goapp.Compo
	S     *session
	Level int
	View  searchView
}

func (d *drawSearcher) Render() goapp.UI {
	v := d.View
	class := "search-words"
	if v.Failed {
		class += " problem"
	}
	button := disable(goapp.Button().Type("button"), false).ID("draw-search").Class("primary").Text("Find images").OnClick(d.onFind)
	if v.Going {
		button = disable(goapp.Button().Type("button"), false).ID("draw-search").Text("Cancel").OnClick(d.onCancel)
	}
	return goapp.Div().Class("draw-search tool").Body(
		heading(d.Level, "search-digits", "Find one that differs"),
		goapp.P().Class("about").Text("Looks through the "+v.Test.count(v.Test.Size)+" for those that a variant and float32 answer differently. Choose one to put it on the pad."),
		goapp.Div().Class("search-line").Body(
			goapp.Div().Class("field").Body(
				goapp.Label().For("search-pair").Text("Compare float32 with"),
				goapp.Select().ID("search-pair").Disabled(goapp.IsServer).OnChange(d.onPair).Body(entries(v.Pairs, v.Pair)...),
			),
			button,
			goapp.Div().Class("search-progress").Body(d.progress()...),
		),
		goapp.P().Class(class).Text(v.Sentence),
		thumbnails(v.Found, d.onFound),
	)
}

func (d *drawSearcher) progress() []goapp.UI {
	if !d.View.Going {
		return nil
	}
	return []goapp.UI{
		goapp.Progress().Max(100).Value(d.View.Percent).Aria("label", "Share searched"),
		goapp.Span().Class("percent").Text(strconv.Itoa(d.View.Percent) + "%"),
	}
}

func (d *drawSearcher) onPair(ctx goapp.Context, _ goapp.Event) {
	d.S.Draw.search.Chosen = ctx.JSSrc().Get("value").String()
}

func (d *drawSearcher) onFind(goapp.Context, goapp.Event) { d.S.searchDigits() }

func (d *drawSearcher) onCancel(goapp.Context, goapp.Event) { d.S.cancelSearch() }

func (d *drawSearcher) onFound(i int) goapp.EventHandler {
	return func(goapp.Context, goapp.Event) {
		if found := d.S.Draw.search.Found; i < len(found) {
			d.S.putExample(found[i].Example)
			showPad()
		}
	}
}
