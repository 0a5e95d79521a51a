package app

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report/paper"
)

// reportView is the lab's write-up, made of what this page has measured. It repeats what the other views show, so it is no part of
// all of them on one page.
func reportView() view {
	return view{
		Path: "/report", Title: "Report", Alone: true,
		Headline: "What would you hand in?",
		Lede: "The lab’s write-up, assembled from what was measured on this page: tables, figures, and a discussion drafted from the numbers by rules. " +
			"Every draft says on which rows it rests, and waits for your own words.",
		Render: renderReport, Late: []string{partPaper},
		Visit: func(*session, url.Values) []string { return nil },
		Query: func(*session) string { return "" },
		Enter: func(s *session) {
			s.Report.load(s.platform)
			s.recallStudy()
		},
	}
}

const partPaper = "report-paper"

// A ReportState is what the Report view knows beside the study.
type ReportState struct {
	Words   map[string]string // the reader's own, by draft
	edition int               // counts up when Words change
	Loaded  bool              // what was kept is in Words
	Editing string            // the draft whose text box is open
	Problem string            // why words could not be kept

	of    string // what was measured for paper
	made  string // the stamp of paper
	paper paper.Paper
}

// keptWords is the name under which the reader's words are kept, and maxWords bounds them, in bytes.
const (
	keptWords = "quantlab-words"
	maxWords  = 256 << 10
)

// load takes up the words of an earlier visit.
func (r *ReportState) load(p platform) {
	if r.Loaded || p == nil {
		return
	}
	r.Loaded = true
	text := p.Kept(keptWords)
	if text == "" || len(text) > 2*maxWords {
		return
	}
	words := map[string]string{}
	if json.Unmarshal([]byte(text), &words) == nil {
		r.Words = words
		r.edition++
	}
}

// write takes the reader's words in place of a draft; none bring the draft back. It reports whether there was room for them.
func (s *session) write(draft, words string) (taken bool) {
	r := &s.Report
	next := map[string]string{}
	size := len(words)
	for id, w := range r.Words {
		if id != draft {
			next[id] = w
			size += len(w)
		}
	}
	if size > maxWords {
		r.Problem = fmt.Sprintf("That is too much to keep: all your words together may have %d KB.", maxWords>>10)
		s.say(r.Problem)
		return false
	}
	if words = strings.TrimSpace(words); words != "" {
		next[draft] = words
	}
	r.Words, r.Problem = next, ""
	r.edition++
	if !s.platform.Keep(keptWords, encode(next)) {
		r.Problem = "This browser does not let the page keep your words: they are gone when you close it, unless you download the report."
		s.say(r.Problem)
	}
	return true
}

// reportStudy is what the report is made of.
func (s *session) reportStudy() wire.Study {
	study := s.study()
	study.Words = s.Report.Words
	return study
}

// measured changes whenever there is something new to write up. What a run measures is taken in at its end.
func (s *session) measured() string {
	r := &s.Report
	if s.Current() != nil && r.of != "" {
		return r.of
	}
	study, figures := s.Study, 0
	for _, row := range s.Results.Rows { // those of the same run, made again, are as many
		figures += row.Correct
		for _, l := range row.LatencyUS {
			figures += int(1e3 * l.Mean) // ns: whole numbers have the same sum in any order
		}
	}
	return fmt.Sprint(len(s.Results.Rows), figures, s.Results.Request, s.Results.Quick, len(s.Results.Notes), study.Made, len(study.Sensitivity), len(study.Plans), len(study.Sweeps), len(study.AMP))
}

// stamp changes whenever the report has to be written anew.
func (s *session) stamp() string { return fmt.Sprint(s.measured(), " ", s.Report.edition) }

// writeUp returns the paper as of now; it is assembled once for each stamp.
func (r *ReportState) writeUp(s *session) paper.Paper {
	if stamp := s.stamp(); r.made != stamp {
		r.of, r.made, r.paper = s.measured(), stamp, paper.New(s.reportStudy(), paper.Context{Version: s.Versions[wire.Browser]})
	}
	return r.paper
}

func renderReport(s *session, level int) goapp.UI {
	return goapp.Div().Class("report").Body(
		&reportTools{S: s, Problem: s.Report.Problem, Measured: hasParts(s.Study)},
		s.part(partPaper, func() goapp.UI { return s.article(level) }),
	)
}

// reportTools are what the reader can do with the report.
type reportTools struct {
	goapp.Compo
	S        *session
	Problem  string
	Measured bool // there are results of experiments, which outlive the page
}

func (t *reportTools) Render() goapp.UI {
	button := func(id, text, title string, do func()) goapp.UI {
		return disable(goapp.Button().Type("button"), false).ID(id).Title(title).Text(text).OnClick(func(goapp.Context, goapp.Event) { do() })
	}
	var forget []goapp.UI
	if t.Measured {
		forget = append(forget, button("forget-results", "Forget results", "Remove what the experiments gave from this browser", t.S.forgetResults))
	}
	return goapp.Div().Class("report-tools").Body(
		goapp.Div().Class("tools").Body(
			button("print-report", "Print", "Print, or save as PDF, with the browser’s own dialogue", func() { t.S.platform.Print() }),
			button("save-html", "Download HTML", "One file that needs nothing else", t.S.saveHTML),
			button("save-markdown", "Markdown", "Text with tables, to edit", t.S.saveMarkdown),
			button("save-json", "JSON", "The results, from which the report can be made again", t.S.saveJSON),
			goapp.Span().Body(forget...),
		),
		goapp.P().Class("hint").Body(
			goapp.Text("More to measure: "),
			goapp.A().Href(t.S.link("/")).Text("the tables"), goapp.Text(", "),
			goapp.A().Href(t.S.link("/sensitivity")).Text("sensitivity, plans and calibration"), goapp.Text(", "),
			goapp.A().Href(t.S.link("/training")).Text("mixed-precision training"),
			goapp.Text(". A PDF set on A4 comes from the command line, also from this page’s JSON: "),
			goapp.Code().Text("quantlab report --from quantlab-results.json -o report.pdf"), goapp.Text("."),
		),
		goapp.P().Class("problem").Role("alert").Text(t.Problem),
	)
}

// article draws the paper, each section as a part: all at once would hold the reader up.
func (s *session) article(level int) goapp.UI {
	p := s.Report.writeUp(s)
	body := []goapp.UI{goapp.Div().Class("paper-warnings").Body(goapp.Range(p.Warnings).Slice(func(i int) goapp.UI {
		return goapp.P().Class("notice warn").Text(p.Warnings[i])
	}))}
	for i := range p.Sections {
		body = append(body, s.part(sectionPart(i), func() goapp.UI {
			return goapp.Div().Body(&paperSection{S: s, Level: level, Number: i, Stamp: s.sectionStamp(i)})
		}))
	}
	return goapp.Article().Class("paper").Body(body...)
}

func sectionPart(i int) string { return fmt.Sprint(partPaper, " ", i) }

// sectionParts are the parts of the paper.
func (s *session) sectionParts() []string {
	var names []string
	for i := range s.Report.writeUp(s).Sections {
		names = append(names, sectionPart(i))
	}
	return names
}

// sectionStamp changes whenever a section has to be drawn anew.
func (s *session) sectionStamp(i int) string {
	sections := s.Report.writeUp(s).Sections
	stamp := s.Report.of
	if i >= len(sections) {
		return stamp
	}
	for _, b := range sections[i].Blocks {
		if b.Draft != nil {
			stamp += fmt.Sprintf("%q %t", b.Draft.Own, s.Report.Editing == b.Draft.ID)
		}
	}
	return stamp
}

// paperSection draws a section of the paper.
type paperSection struct {
	goapp.Compo
	S             *session
	Level, Number int
	Stamp         string // it is drawn anew when this changes
}

func (v *paperSection) Render() goapp.UI {
	sections := v.S.Report.writeUp(v.S).Sections
	if v.Number >= len(sections) {
		return goapp.Div()
	}
	var pager paper.Pager
	for _, before := range sections[:v.Number] {
		for _, b := range before.Blocks {
			pager.Skip(b)
		}
	}
	section := sections[v.Number]
	id := "report-" + section.ID
	parts := []goapp.UI{heading(v.Level+section.Level-1, id, section.Title)}
	for _, b := range section.Blocks {
		if d := b.Draft; d != nil {
			parts = append(parts, &draftBox{S: v.S, Level: v.Level + section.Level, Draft: *d, Stamp: fmt.Sprint(*d), Open: v.S.Report.Editing == d.ID})
			continue
		}
		parts = append(parts, goapp.Raw(pager.Block(b)))
	}
	if section.Level > 1 { // a part of the section above, which is the landmark
		return goapp.Div().Class("paper-section").Body(parts...)
	}
	return goapp.Section().Class("paper-section").Aria("labelledby", id).Body(parts...)
}
