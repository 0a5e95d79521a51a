package app

import (
	"fmt"
	"net/url"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// experimentsView measures size, accuracy and latency.
func experimentsView() view {
	return view{
		Path: "/", Title: "Experiments",
		Headline: "What does a network lose when its numbers get smaller?",
		Lede: "Four small networks, trained once and then stored in fewer bits: float16 and int8 " +
			"in place of float32. Here is what that does to size, accuracy and speed, measured in your own browser " +
			"and beside it by the same code running natively.",
		Render: renderExperiments,
		Visit: func(s *session, query url.Values) (notices []string) {
			s.Settings, notices = ParseSettings(query, s.Own)
			s.Drafts = nil
			if s.Runs == nil { // a first impression, unasked
				s.Plan(wire.Quick(), []string{wire.Browser}, true)
			}
			return notices
		},
		Named: []string{"models", "test", "calibrate"},
		Query: func(s *session) string {
			if s.Settings.Equal(LabSettings()) {
				return "" // the bare address is the lab
			}
			return s.Settings.Query()
		},
		Enter: func(s *session) { s.pump() },
	}
}

// renderExperiments draws the machines, the controls, the progress, the results.
func renderExperiments(s *session, level int) goapp.UI {
	parts := []goapp.UI{
		&machines{Browser: browserPills(&s.State), Native: nativePills(&s.State)},
	}
	cards := s.cards()
	// What varies in number has a box of its own: go-app matches siblings by position, and would build anew, closed,
	// what stands behind.
	section := goapp.Section().Class("section").Aria("labelledby", "measure").Body(
		goapp.Div().Class("head").Body(
			heading(level, "measure", "Experiments"),
			goapp.P().Text("Choose what to measure and press Run. Rows appear as they finish."),
		),
		&controls{S: s, Settings: s.Settings, Drafts: s.Drafts, Busy: s.Busy(), Native: s.Native.Phase, Engines: s.engines(), Threads: s.offered(),
			Awaiting: s.awaiting(experimentsView()), Takes: s.Own.NamedBy(s.Settings.Request) != nil, Stays: s.staysHere(s.Settings.Request)},
		goapp.Div().Class("notices").Body(notices(s)...),
		&progress{S: s, View: s.progress()},
		&results{S: s, Level: level + 1, View: s.results()},
		goapp.Div().Class("cards").Body(goapp.Range(cards).Slice(func(i int) goapp.UI { return &card{Level: level + 1, View: cards[i]} })),
		&hints{Level: level + 1, View: s.hints()},
		&roof{Level: level, View: s.roofs()},
		&about{Own: merged(s.Results.Request.Own, s.Own)},
	)
	return goapp.Div().Body(append(parts, section)...)
}

// notices are the banners between the controls and the progress.
func notices(s *session) []goapp.UI {
	var out []goapp.UI
	if d := Departures(s.Settings.Request); len(d) > 0 {
		out = append(out, goapp.Div().Class("notice").ID("departures").Body(
			goapp.P().Text("These are not the lab’s settings: "+strings.Join(d, "; ")+"."),
			goapp.Button().Type("button").Text("Back to the lab’s settings").OnClick(s.onReset),
		))
	}
	return out
}

func (s *session) onReset(goapp.Context, goapp.Event) { s.reset() }

// A resultsView is the line above the cards.
type resultsView struct {
	Title, Text    string
	Ready          bool // there is something to copy
	Copied, Failed string
}

func (s *State) results() resultsView {
	r := s.Results
	v := resultsView{Ready: len(r.Rows) > 0, Copied: s.Copied, Failed: s.CopyText}
	switch {
	case r.Quick:
		v.Title = fmt.Sprintf("Quick run: first %s test images, %s", report.Count(r.Request.Examples), plural(r.Request.Runs, "run"))
		v.Text = "A first impression that starts by itself: accuracy is known to about one point only, and three runs tell " +
			"little of the spread. Press Run for the lab’s table."
	case r.Request.IsLab():
		v.Title = "The lab’s table"
		v.Text = labText(r.Request)
	default:
		v.Title = "With other settings than the lab’s"
		v.Text = sentence(strings.Join(Departures(r.Request), "; ")) + " " + labText(r.Request)
	}
	return v
}

func labText(r wire.Request) string {
	weights := "The weights were trained once, natively, and are the same everywhere."
	if r.Weights == wire.Fresh {
		weights = fmt.Sprintf("Each host trained the weights itself, from seed %d.", r.Seed)
	}
	return fmt.Sprintf("%s Mean ± standard deviation over %s, one thread unless said.", weights, plural(r.Runs, "run"))
}

// hints are what the hosts said of the whole run.
func (s *State) hints() []string {
	var out []string
	seen := map[string]bool{}
	for _, host := range inOrderHosts {
		for _, n := range s.Results.Notes[host] {
			if n = sentence(n); !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}

// hints shows notes under the cards.
type hints struct {
	goapp.Compo
	Level int // of its heading
	View  []string
}

func (h *hints) Render() goapp.UI {
	if len(h.View) == 0 {
		return goapp.Div()
	}
	return goapp.Div().Class("hints").Body(
		heading(h.Level, "", "Notes of this run"),
		goapp.Ul().Body(goapp.Range(h.View).Slice(func(i int) goapp.UI { return goapp.Li().Text(h.View[i]) })),
	)
}
