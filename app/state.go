package app

import (
	"cmp"
	"math"
	"slices"

	"quantlab/core/lab/wire"
)

// EnginePhase is how far the browser's compute worker has come.
type EnginePhase int

const (
	EngineLoading EnginePhase = iota
	EngineReady
	EngineFailed
)

// Engine is the browser's compute worker as the page knows it.
type Engine struct {
	Phase    EnginePhase
	Text     string  // what is loading, or what went wrong
	Fraction float64 // of the loading, 0 to 1
}

// NativePhase is what is known of the native host.
type NativePhase int

const (
	NativeUnknown NativePhase = iota
	NativeAbsent
	NativePreparing // the server trains and cuts what the engines need; neither host can run yet
	NativeReady
	NativeBroken // the server could not prepare; neither host can run
)

// Native is the devserver's engine as the page knows it.
type Native struct {
	Phase    NativePhase
	Text     string // why it is absent, or what it prepares
	Fraction float64
}

// RunPhase is how far one host's run has come.
type RunPhase int

const (
	RunWaiting RunPhase = iota // for its turn, its engine or its data
	RunQueued                  // behind the runs of other pages
	RunActive
	RunCanceling
	RunDone
	RunCanceled
	RunFailed
)

// Over reports whether nothing more will come.
func (p RunPhase) Over() bool { return p >= RunDone }

// A Run is one request on one host.
type Run struct {
	Host     string
	Request  wire.Request
	Phase    RunPhase
	Step     string
	Fraction float64
	Position int    // runs ahead, while queued
	Text     string // why it failed
	Hidden   bool   // the tab was in the background while the browser measured
}

// Results are the rows on the page. All were measured under the same settings; only models, variants and hosts differ.
type Results struct {
	Quick   bool // the run that the page started unasked
	Request wire.Request
	Rows    []wire.Row
	Notes   map[string][]string // of each host's run
}

// A Draft is the text of a field that is no valid setting, and why.
type Draft struct{ Text, Problem string }

// State is everything that the page knows. Its methods change it and do nothing else: the session does the talking.
type State struct {
	Settings Settings
	Notices  []string         // what was wrong with the link
	Drafts   map[string]Draft // what the reader typed that can't be taken, by the setting's key

	// Own is what the reader brought, nil until the worker has told.
	Own *wire.Own
	// Local reports whether the server is on this machine: only then is it given what is the reader's own.
	Local bool

	Engine   Engine
	Native   Native
	Hardware map[string]wire.Hardware
	Versions map[string]string      // of the program on each host
	Peaks    map[string]*wire.Peaks // of each host, as its last run found them

	Runs    []Run      // of the current plan, in the order in which they follow each other
	Partial []wire.Row // of these runs: size and accuracy, which come before latencies
	Results Results

	Experiments []*experiment // in their order; of those that are over, the last of each operation and host
	Study       wire.Study    // what they gave

	Announcement string // the latest for the live region
	Copied       string // what was just copied of the results
	Linked       string // and of the address
	CopyText     string // text that the clipboard refused, for the reader to copy by hand
}

// NewState returns the page before anything happened.
func NewState(s Settings) State { return State{Settings: s} }

// Plan replaces the runs by new ones. Rows that were measured under the same settings stay beside the new ones, but
// for those that the new runs will measure again.
func (s *State) Plan(req wire.Request, hosts []string, quick bool) {
	r := &s.Results
	if r.Notes == nil || r.Quick != quick || !comparable(r.Request, req) {
		*r = Results{Quick: quick, Request: req, Notes: map[string][]string{}}
	}
	r.Request.Own = merged(r.Request.Own, req.Own)
	r.Request.Models = inOrder(append(slices.Clone(r.Request.Models), req.Models...), r.Request.Catalog().IDs())
	r.Request.Variants = inOrder(append(slices.Clone(r.Request.Variants), req.Variants...), wire.VariantIDs())
	s.Runs, s.Partial = nil, nil
	for _, h := range hosts {
		s.Runs = append(s.Runs, Run{Host: h, Request: req})
		delete(r.Notes, h)
	}
	r.Rows = slices.DeleteFunc(slices.Clone(r.Rows), func(row wire.Row) bool {
		return slices.ContainsFunc(s.Runs, func(run Run) bool { return run.covers(row.Model, row.Variant, row.Host) })
	})
}

// Again plans the failed and cancelled runs once more, as they were.
func (s *State) Again() {
	hosts := []string{}
	var req wire.Request
	for _, r := range s.Runs {
		if r.Phase == RunFailed || r.Phase == RunCanceled {
			hosts, req = append(hosts, r.Host), r.Request
		}
	}
	if len(hosts) > 0 {
		s.Plan(req, hosts, s.Results.Quick)
	}
}

// engines are the kernel engines of each host that has told.
func (s *State) engines() map[string][]string {
	out := map[string][]string{}
	for host, hw := range s.Hardware {
		out[host] = hw.Engines
	}
	return out
}

// request is what to ask a run's host for. Hosts have engines of different names, and the reader chooses one: a host
// without it computes with its fastest, if another host of the same table has it. The browser may have fewer threads.
func (s *State) request(run *Run) wire.Request {
	var hosts []string
	for _, r := range s.Runs {
		hosts = append(hosts, r.Host)
	}
	for _, r := range s.Results.Rows {
		hosts = append(hosts, r.Host)
	}
	req := run.Request
	req.Engine = engineOn(req.Engine, run.Host, hosts, s.engines())
	if run.Host == wire.Browser {
		req.Threads = min(req.Threads, browserThreads(s.Hardware[wire.Browser]))
	}
	return req
}

// browserThreads is how many threads a browser offers. Only those of an isolated page can have memory in common.
func browserThreads(hw wire.Hardware) int {
	if hw.Isolated == nil || !*hw.Isolated {
		return 1
	}
	return max(1, min(hw.Threads, wire.MaxBrowserThreads))
}

// offered is how many threads the browser offers, 0 before it has told.
func (s *State) offered() int {
	hw, ok := s.Hardware[wire.Browser]
	if !ok {
		return 0
	}
	return browserThreads(hw)
}

// engineOn returns the engine to ask a host for when that one was chosen for all these hosts. One that nobody has stays as
// it is: the host then says which it has.
func engineOn(engine, host string, hosts []string, engines map[string][]string) string {
	has := func(h string) bool { return slices.Contains(engines[h], engine) }
	if !has(host) && slices.ContainsFunc(hosts, has) {
		return ""
	}
	return engine
}

// comparable reports whether rows of the two requests may stand in one table.
func comparable(a, b wire.Request) bool {
	return slices.Equal(a.Batches, b.Batches) && a.Runs == b.Runs && a.Threads == b.Threads && a.Input == b.Input &&
		a.Engine == b.Engine && a.Seed == b.Seed && a.Examples == b.Examples && a.Weights == b.Weights &&
		a.Test == b.Test && a.Calibration == b.Calibration && sameOwn(a.Own, b.Own)
}

func (r Run) covers(model, variant, host string) bool {
	return r.Host == host && slices.Contains(r.Request.Models, model) && slices.Contains(r.Request.Variants, variant)
}

// Current returns the run that goes on or is next, or nil when all are over.
func (s *State) Current() *Run { return current(s.Runs) }

func current(runs []Run) *Run {
	for i := range runs {
		if !runs[i].Phase.Over() {
			return &runs[i]
		}
	}
	return nil
}

// Busy reports whether a run that the reader asked for goes on. The quick run gives way, so it does not count.
func (s *State) Busy() bool { return s.Current() != nil && !s.Results.Quick }

// fraction is how much of all the runs is done, 0 to 1.
func fraction(runs []Run) float64 {
	if len(runs) == 0 {
		return 0
	}
	sum := 0.0
	for _, r := range runs {
		if r.Phase.Over() {
			sum++
		} else {
			sum += r.Fraction
		}
	}
	return sum / float64(len(runs))
}

// Apply folds one event of the host's run into the state. Events that come after a run's end are ignored.
func (s *State) Apply(host string, e wire.Event) {
	run := s.Current()
	if run == nil || run.Host != host {
		return
	}
	switch e = run.follow(e); e.Kind {
	case wire.EventStart, wire.EventDone:
		s.merge(host, e.Result)
	case wire.EventRow:
		switch {
		case e.Row == nil:
		case e.Row.Partial:
			s.Partial = with(s.Partial, host, *e.Row)
		default:
			s.upsert(host, *e.Row)
		}
	case wire.EventNote:
		s.note(host, e.Text)
	}
}

// follow notes how far an event says that a run is, and returns the event as it is to be understood.
func (r *Run) follow(e wire.Event) wire.Event {
	if e.Kind == wire.EventError && r.Phase == RunCanceling {
		e = wire.Event{Kind: wire.EventCancel} // the reader asked for the end; how it came about is no news
	}
	switch e.Kind {
	case wire.EventQueued:
		r.Phase, r.Position = advance(r.Phase, RunQueued), max(e.Position, 0)
	case wire.EventProgress:
		r.Phase = advance(r.Phase, RunActive)
		r.Step, r.Fraction = e.Step, max(r.Fraction, clamp01(e.Fraction))
	case wire.EventNote:
	case wire.EventDone:
		r.Phase, r.Fraction = RunDone, 1
	case wire.EventError:
		e.Text = cmp.Or(e.Text, "The run ended without saying why.")
		r.Phase, r.Text = RunFailed, e.Text
	case wire.EventCancel:
		r.Phase = RunCanceled
	default:
		r.Phase = advance(r.Phase, RunActive)
	}
	return e
}

// advance never leads back from RunCanceling.
func advance(from, to RunPhase) RunPhase {
	if from == RunCanceling {
		return from
	}
	return to
}

// merge takes over what a (partial) result says.
func (s *State) merge(host string, r *wire.Result) {
	if r == nil {
		return
	}
	s.meet(host, r)
	for _, n := range r.Notes {
		s.note(host, n)
	}
	for _, row := range r.Rows {
		s.upsert(host, row)
	}
}

// meet takes over what a result says of its host.
func (s *State) meet(host string, r *wire.Result) {
	if r == nil {
		return
	}
	if r.Hardware.Engine != "" || r.Hardware.CPU != "" || r.Hardware.Cores != 0 {
		put(&s.Hardware, host, r.Hardware)
	}
	if r.Version != "" {
		put(&s.Versions, host, r.Version)
	}
	if r.Peaks != nil {
		put(&s.Peaks, host, r.Peaks)
	}
}

func (s *State) upsert(host string, row wire.Row) { s.Results.Rows = with(s.Results.Rows, host, row) }

// with returns the rows with that one of the host added, or in the place of its older version.
func with(rows []wire.Row, host string, row wire.Row) []wire.Row {
	row.Host = host
	rows = slices.Clone(rows) // whoever renders may still hold the old ones
	if i := slices.IndexFunc(rows, is(row.Model, row.Variant, host)); i >= 0 {
		rows[i] = row
		return rows
	}
	return append(rows, row)
}

// is recognizes a row.
func is(model, variant, host string) func(wire.Row) bool {
	return func(r wire.Row) bool { return r.Model == model && r.Variant == variant && r.Host == host }
}

func (s *State) note(host, text string) {
	notes := s.Results.Notes[host]
	if text != "" && !slices.Contains(notes, text) {
		put(&s.Results.Notes, host, append(slices.Clone(notes), text))
	}
}

// put sets a key of a map that may not be there yet.
func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// Hide notes that the tab went to the background.
func (s *State) Hide() {
	if run := s.Current(); run != nil && run.Host == wire.Browser && run.Phase == RunActive {
		run.Hidden = true
	}
	for _, x := range s.Experiments {
		x.Hidden = x.Hidden || x.Host == wire.Browser && x.Phase == RunActive
	}
}

func clamp01(f float64) float64 {
	if math.IsNaN(f) {
		return 0
	}
	return min(max(f, 0), 1)
}
