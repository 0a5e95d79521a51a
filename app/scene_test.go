package app

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"quantlab/core/lab/wire"
)

// A fakeTab is a platform whose engines do what a test tells them.
type fakeTab struct {
	t         *testing.T
	mu        sync.Mutex // the UI goroutine
	draws     int        // of the page
	missing   bool       // the bridge's script is not there
	listener  func(kind, payload string)
	sent      []wire.Command
	restarts  int
	native    []wire.Command
	events    []func(string) // of each native run
	canceled  int
	hardware  func(hardware, problem string)
	status    func(string)
	stopped   bool
	hide      func()
	clipboard string
	refuse    bool // the clipboard
	follow    func()
	stubborn  bool // the address bar
	query     string
	queries   int               // how often it was set
	saved     map[string]string // files, by name
	printed   int
	kept      map[string]string
	full      bool         // storage
	results   []string     // that were to be kept, one after the other
	recall    func(string) // hears of those of an earlier visit
	files     [][]int      // that went with each command to the worker
	entries   [][]string   // that went with each native run
	zone      string       // the selector of where files are heard of
	onFiles   func(kind, payload string)
	forgotten []int // files
}

func (f *fakeTab) Subscribe(l func(kind, payload string)) error {
	if f.missing {
		return errors.New("The page's script quantlab.js did not load. Reload the page.")
	}
	f.listener = l
	l("state", `{"state":"loading","text":"loading the engine","fraction":0.1}`)
	return nil
}

func (f *fakeTab) Send(command string, files ...int) {
	var c wire.Command
	if err := json.Unmarshal([]byte(command), &c); err != nil {
		f.t.Error(err)
	}
	f.sent, f.files = append(f.sent, c), append(f.files, files)
}

func (f *fakeTab) Restart() { f.restarts++ }

func (f *fakeTab) NativeRun(command string, entries []string, event func(string)) func() {
	var c wire.Command
	if err := json.Unmarshal([]byte(command), &c); err != nil {
		f.t.Error(err)
	}
	f.native, f.entries, f.events = append(f.native, c), append(f.entries, entries), append(f.events, event)
	return func() { f.canceled++ }
}

func (f *fakeTab) NativeHardware(h func(hardware, problem string)) { f.hardware = h }

func (f *fakeTab) NativeStatus(s func(string)) func() {
	f.status = s
	return func() { f.stopped = true }
}

func (f *fakeTab) OnFiles(selector string, hear func(kind, payload string)) func() {
	f.zone, f.onFiles = selector, hear
	return func() { f.onFiles = nil }
}

func (f *fakeTab) ForgetFiles(files ...int) { f.forgotten = append(f.forgotten, files...) }

func (f *fakeTab) OnHide(h func()) { f.hide = h }

func (f *fakeTab) Save(name, _, text string) { put(&f.saved, name, text) }

func (f *fakeTab) Print() { f.printed++ }

func (f *fakeTab) Keep(key, text string) bool {
	if f.full {
		return false
	}
	put(&f.kept, key, text)
	return true
}

func (f *fakeTab) KeepResults(text string) { f.results = append(f.results, text) }

func (f *fakeTab) KeptResults(h func(string)) { f.recall = h }

func (f *fakeTab) Kept(key string) string { return f.kept[key] }

func (f *fakeTab) Copy(text string, done func(bool)) {
	if !f.refuse {
		f.clipboard = text
	}
	done(!f.refuse)
}

func (f *fakeTab) OnFollow(h func()) { f.follow = h }

func (f *fakeTab) SetQuery(q string) bool {
	if f.stubborn {
		return false
	}
	f.query = q
	f.queries++
	return true
}

func (f *fakeTab) Address(path, q string) string       { return "http://lab" + path + "?" + q }
func (f *fakeTab) After(d time.Duration, after func()) { time.AfterFunc(d, after) }

// scene starts a session in a fake tab, in a bubble of fake time.
func scene(t *testing.T, play func(t *testing.T, s *session, f *fakeTab)) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTab{t: t}
		s := newSession(LabSettings())
		s.visit("/", nil)
		s.start(f, f.ui)
		play(t, s, f)
	})
}

// ui is the UI goroutine.
func (f *fakeTab) ui(fn func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fn() {
		f.draws++
	}
}

// sceneAt starts a session at an address, with a worker that is ready.
func sceneAt(t *testing.T, path, query string, play func(t *testing.T, s *session, f *fakeTab)) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		s.visit(path, q)
		s.enter()
		f.worker("ready", "")
		f.meet(false)
		play(t, s, f)
	})
}

// asked returns the commands of one operation.
func (f *fakeTab) asked(op string) []wire.Command {
	return slices.DeleteFunc(slices.Clone(f.sent), func(c wire.Command) bool { return c.Op != op })
}

// settle lets everything queued arrive.
func settle() {
	time.Sleep(2 * flushEvery)
	synctest.Wait()
}

func (f *fakeTab) worker(state, text string) {
	b, _ := json.Marshal(workerState{State: state, Text: text})
	f.listener("state", string(b))
	settle()
}

func (f *fakeTab) browser(id int, events ...wire.Event) {
	for _, e := range events {
		f.listener("message", encode(wire.Envelope{ID: id, Event: e}))
	}
	settle()
}

func (f *fakeTab) nativeEvent(run int, events ...wire.Event) {
	for _, e := range events {
		f.events[run](encode(e))
	}
	settle()
}

// meet lets the native host answer, ready or not there.
func (f *fakeTab) meet(present bool) {
	if present {
		f.hardware(`{"host":"native","cpu":"a CPU","engine":"portable"}`, "")
		settle()
		f.status(`{"ready":true}`)
	} else {
		f.hardware("", "this site is static")
	}
	settle()
}

func done() wire.Event { return wire.Event{Kind: wire.EventDone, Result: &wire.Result{}} }
