package app

import (
	"maps"
	"strings"
	"sync"
	"time"

	"quantlab/core/lab/wire"
)

const (
	// flushEvery bounds how often events redraw the page: drawing costs time on the machine that is being measured.
	flushEvery = 120 * time.Millisecond
	// patience is how long a cancelled run may take to say that it ended.
	patience = 3 * time.Second
	// statusWait is how long to wait for the server's word on whether it still prepares.
	statusWait = 2500 * time.Millisecond
	// breath is the pause between announcements that are told apart.
	breath = 2 * time.Second
	// mostSaid is how many announcements are put together.
	mostSaid = 3
	// copiedFor is how long the page says that something was copied.
	copiedFor = 4 * time.Second
)

// A session conducts the page: it holds the state, turns the reader's wishes into commands, and folds what comes back
// into the state. All its methods but later run on the UI goroutine.
type session struct {
	State

	platform    platform
	ui          func(func() (draw bool)) // runs a function on the UI goroutine, and draws the page anew where it says so
	parts       map[string]*part         // what can be drawn by itself, by name
	behind      []string                 // parts that are to be drawn in a moment, by name
	stage       int                      // counts up when an earlier catchUp is to end
	prerendered map[string]string        // HTML of bodies as the server has drawn them, by part, until they are drawn here
	told        bool                     // what to draw after the event at hand
	stale       bool                     // the page is to be drawn after this flush
	recalled    bool                     // the study of an earlier visit was asked for
	renewed     bool                     // something of the reader's own was brought that may have the name of what was there before

	mu      sync.Mutex
	inbox   []func()
	waiting bool // for a flush that comes in a while
	hurried bool // for one that comes at once
	flushed time.Time
	said    []string // announcements that belong together
	saidAt  time.Time

	data    bool    // the data that both engines read is there, as far as the page knows
	active  *active // the command under way
	next    func()  // what to do once it has ended
	command int     // number of the last command
	lanes   map[string]*lane

	Draw        DrawState
	Report      ReportState
	Inspect     InspectState
	Models      ModelsState
	Type        TypeState
	Training    TrainingState
	Sensitivity SensitivityState

	address
	share share
}

// An active is a command that an engine works on.
type active struct {
	id         int
	host       string
	cancel     func()
	experiment *experiment // nil: the current run of the plan
}

func newSession(settings Settings) *session {
	return &session{State: NewState(settings), address: address{path: "/"}}
}

// start connects the session to its tab.
func (s *session) start(p platform, ui func(func() (draw bool))) {
	s.platform, s.ui = p, ui
	s.Local = isLocal(p.Address("/", ""))
	s.flushed = time.Now().Add(betweenParts - flushEvery) // what the engine said before is heard after the page's first frame
	err := p.Subscribe(func(kind, payload string) {
		hear := func() { s.hear(kind, payload) }
		if strings.HasPrefix(payload, `{"id":-`) {
			s.soon(hear)
			return
		}
		s.later(hear)
	})
	if err != nil {
		s.Engine = Engine{Phase: EngineFailed, Text: err.Error()}
	}
	p.OnHide(func() {
		s.later(s.Hide)
		s.save()
	})
	p.OnFollow(s.save)
	if s.embedded() { // slides show what a browser can do by itself
		s.meetNative("", "this page is embedded in another")
		return
	}
	p.NativeHardware(func(hardware, problem string) {
		s.soon(func() { s.meetNative(hardware, problem) })
	})
	p.After(statusWait, func() { s.later(s.dataReady) })
	s.pump()
}

// later queues f for the UI goroutine. What queues up within flushEvery is done, and drawn, together.
func (s *session) later(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox = append(s.inbox, f)
	if s.waiting {
		return
	}
	s.waiting = true
	if rest := flushEvery - time.Since(s.flushed); rest > 0 {
		s.platform.After(rest, func() { s.ui(s.flush) })
		return
	}
	go s.ui(s.flush)
}

// soon is later without the delay, for what a moving hand waits for.
func (s *session) soon(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox = append(s.inbox, f)
	if !s.hurried {
		s.hurried = true
		go s.ui(s.flush)
	}
}

// flush does what is queued, and reports whether any of it asks for more than the parts that it has redrawn.
func (s *session) flush() (draw bool) {
	s.mu.Lock()
	inbox := s.inbox
	s.inbox, s.waiting, s.hurried, s.flushed = nil, false, false, time.Now()
	s.mu.Unlock()
	for _, f := range inbox {
		s.told = false
		f()
		draw = draw || !s.told
	}
	draw, s.stale = draw || s.stale, false
	return draw
}

// say puts text into the live region. What comes in quick succession is put together, because a reader may not have got
// to the first of it yet; of much of it, the latest.
func (s *session) say(text string) {
	if time.Since(s.saidAt) > breath {
		s.said = nil
	}
	s.said, s.saidAt = append(s.said, text), time.Now()
	s.said = s.said[max(0, len(s.said)-mostSaid):]
	s.Announcement = strings.Join(s.said, " ")
}

// edit changes one setting, spelled as in the address. What can't be taken stays in its field with the reason.
func (s *session) edit(key, value string) {
	drafts := maps.Clone(s.Drafts)
	delete(drafts, key)
	next, err := s.Settings.With(key, value)
	if err != nil {
		if drafts == nil {
			drafts = map[string]Draft{}
		}
		drafts[key] = Draft{Text: value, Problem: sentence(err.Error())}
		s.Drafts = drafts
		s.say(drafts[key].Problem)
		return
	}
	s.Drafts = drafts
	s.set(next)
}

// reset goes back to the lab's settings; where to run stays.
func (s *session) reset() {
	lab := LabSettings()
	lab.Where, lab.Own = s.Settings.Where, s.Own
	s.Drafts = nil
	s.set(lab)
}

func (s *session) set(settings Settings) {
	s.Settings, s.Notices = settings, nil
	delete(s.awaited, "/")
	s.remember()
}

// run starts what the settings ask for. The quick run gives way to it.
func (s *session) run() {
	if s.Busy() || len(s.Drafts) > 0 || s.awaited["/"] != nil {
		return
	}
	settings := s.Settings
	settings.Own = s.Own.NamedBy(settings.Request)
	hosts := settings.Hosts()
	if settings.Where == Both && (s.Native.Phase == NativeAbsent || s.staysHere(settings.Request)) {
		hosts = []string{wire.Browser}
	}
	s.begin(func() { s.Plan(settings.Request, hosts, false) })
}

// retry runs again what failed or was cancelled, and starts the worker anew if that had died.
func (s *session) retry() {
	s.revive()
	s.begin(s.Again)
}

// startAgain brings back what had failed and asks again what the views show.
func (s *session) startAgain() {
	s.revive()
	s.enter()
}

func (s *session) revive() {
	if s.Engine.Phase == EngineFailed {
		s.restartEngine()
	}
	if s.Native.Phase == NativeBroken { // a request makes the server try again, and its answer tells
		s.Native.Phase = NativeReady
		s.dataReady()
	}
}

// begin carries out a plan, after the end of what goes on.
func (s *session) begin(plan func()) {
	if s.active != nil && s.active.experiment == nil {
		s.next = plan
		s.cancel()
		return
	}
	plan()
	if s.active != nil {
		s.say("The run waits for " + s.ahead() + " to end.")
		return
	}
	s.say("Measuring starts.")
	s.pump()
}

// cancelAll is the reader's Cancel: nothing follows.
func (s *session) cancelAll() {
	s.next = nil
	s.cancel()
}

// cancel ends the current run and drops those that would follow.
func (s *session) cancel() {
	run := s.Current()
	if run == nil {
		return
	}
	for i := range s.Runs {
		if r := &s.Runs[i]; r != run && !r.Phase.Over() {
			r.Phase = RunCanceled
		}
	}
	if s.active == nil || s.active.experiment != nil {
		run.Phase = RunCanceled
		return
	}
	if run.Phase == RunCanceling {
		return
	}
	run.Phase = RunCanceling
	s.end(s.active)
}

// end cancels what an engine works on, and does not wait for ever to be told that it ended.
func (s *session) end(a *active) {
	a.cancel()
	s.platform.After(patience, func() {
		s.later(func() {
			if s.active != a {
				return
			}
			if a.host == wire.Browser {
				s.restartEngine() // it does not listen: end it
				defer s.enter()   // what the views had asked is lost with it
			}
			s.event(a, wire.Event{Kind: wire.EventCancel})
		})
	})
}

func (s *session) restartEngine() {
	s.Engine = Engine{Text: "Starting the engine again"}
	s.platform.Restart()
	s.unanswered(wire.Event{Kind: wire.EventCancel})
}
