package app

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, query string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestViewsAt(t *testing.T) {
	for path, want := range map[string]string{
		"/": "Experiments", "/draw": "Draw", "/type": "Type", "/inspect": "Inspect", "/sensitivity": "Sensitivity", "/training": "Training", "/all": "Experiments Draw Type Inspect Sensitivity Training",
		"/embed": "Experiments", "/embed/draw": "Draw", "/embed/type": "Type", "/embed/inspect": "Inspect", "/unknown": "Experiments",
	} {
		var got []string
		for _, v := range viewsAt(path) {
			got = append(got, v.Title)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
		s := newSession(LabSettings())
		s.visit(path, nil)
		if s.embedded() != strings.HasPrefix(path, "/embed") {
			t.Errorf("%s: embedded %v", path, s.embedded())
		}
	}
}

// No two views, nor the frame, may read the same key of an address.
func TestViewsShareNoKeys(t *testing.T) {
	s := newSession(LabSettings())
	s.visit(allPath, parse(t, "runs=3&digits=mnist-lab2&asdrawn=1&sentences=sst2-lab1&text=good&net=mnist-lab2&layer=1&sens=sst2-lab1&train=mnist-lab2&hide=nav"))
	seen := map[string]string{"hide": "the frame"}
	for _, v := range views() {
		q := v.Query(s)
		if q == "" && !v.Alone {
			t.Errorf("%s spells nothing of what was asked", v.Title)
		}
		for key := range parse(t, q) {
			if other, taken := seen[key]; taken {
				t.Errorf("%s and %s share the key %s", v.Title, other, key)
			}
			seen[key] = v.Title
		}
	}
	// All of them together come back as they are.
	whole := s.query(viewsAt(allPath), s.hide)
	again := newSession(LabSettings())
	again.visit(allPath, parse(t, whole))
	if got := again.query(viewsAt(allPath), again.hide); got != whole || len(again.Notices) > 0 {
		t.Errorf("%s came back as %s, %v", whole, got, again.Notices)
	}
}

func TestLinksCarryTheViewsStates(t *testing.T) {
	s := newSession(LabSettings())
	if got := s.link("/draw"); got != "/draw" {
		t.Errorf("a bare link is %s", got)
	}
	s.visit("/", parse(t, "runs=3"))
	s.visit("/type", parse(t, "text=good&hide=footer"))
	for path, want := range map[string][]string{"/": {"runs=3", "hide=footer"}, "/type": {"text=good", "hide=footer"}, "/all": {"runs=3", "text=good"}} {
		for _, part := range want {
			if got := s.link(path); !strings.HasPrefix(got, path+"?") || !strings.Contains(got, part) {
				t.Errorf("the link to %s is %s", path, got)
			}
		}
	}
	s.edit("runs", "4")
	if got := s.link("/"); !strings.Contains(got, "runs=4") {
		t.Errorf("after a change the link is %s", got)
	}
}

// Every view heeds the reader's own plan, so every address carries it; and coming without it forgets it.
func TestThePlanGoesAlong(t *testing.T) {
	s := newSession(LabSettings())
	const plan = "net=mnist-lab2&layer=1"
	s.visit("/inspect", parse(t, plan))
	link := s.link("/draw")
	if !strings.Contains(link, "net=mnist-lab2") {
		t.Fatalf("the link to Draw is %s", link)
	}
	_, query, _ := strings.Cut(link, "?")
	s.visit("/draw", parse(t, query))
	elsewhere := newSession(LabSettings())
	elsewhere.visit("/draw", parse(t, query))
	for _, x := range []*session{s, elsewhere} {
		if got := x.link("/inspect"); !strings.Contains(got, "net=mnist-lab2") || !strings.Contains(got, "layer=1") {
			t.Errorf("the link to Inspect is %s", got)
		}
	}
	s.visit("/draw", nil)
	if got := s.link("/inspect"); got != "/inspect" {
		t.Errorf("without a plan the link to Inspect is %s", got)
	}
}

func TestHide(t *testing.T) {
	for _, c := range []struct{ query, want, notice string }{
		{"", "", ""},
		{"hide=controls", "controls", ""},
		{"hide=nav,controls", "controls,nav", ""},
		{"hide=nav&hide=notes", "notes,nav", ""},
		{"hide=nav,nav", "nav", ""},
		{"hide=everything,nav", "nav", "hide=everything"},
		{"hide=" + strings.Repeat("x", 1000), "", "xxx…"},
		{"hide=%ff%00", "", "\uFFFD"},
	} {
		hide, notices := parseHide(parse(t, c.query))
		if got := strings.Join(hide, ","); got != c.want {
			t.Errorf("%s hides %q, want %q", c.query, got, c.want)
		}
		told := strings.Join(notices, " ")
		if (told == "") != (c.notice == "") || !strings.Contains(told, c.notice) || len(told) > 200 {
			t.Errorf("%s: told %q", c.query, told)
		}
	}
}

// The address bar is changed a few times a second at most, and holds the last state in the end.
func TestTheAddressBarIsNotOverworked(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		for i := range 1000 {
			s.Settings.Seed = uint64(i + 1)
			s.remember()
			time.Sleep(30 * time.Millisecond)
		}
		if f.queries > 90 {
			t.Errorf("%d changes in 30 s", f.queries)
		}
		time.Sleep(rememberEvery)
		settle()
		if !strings.Contains(f.query, "seed=1000") {
			t.Errorf("in the end it says %s", f.query)
		}
	})
}

// What a link leads away from is complete, however short ago it changed.
func TestTheAddressBarIsReadyForALink(t *testing.T) {
	for name, leave := range map[string]func(*fakeTab){"link": func(f *fakeTab) { f.follow() }, "hide": func(f *fakeTab) { f.hide() }} {
		scene(t, func(t *testing.T, s *session, f *fakeTab) {
			s.edit("seed", "1")
			s.edit("seed", "2")
			if !strings.Contains(f.query, "seed=1") {
				t.Errorf("%s: at first it says %s", name, f.query)
			}
			leave(f)
			if !strings.Contains(f.query, "seed=2") {
				t.Errorf("%s: it says %s", name, f.query)
			}
		})
	}
}

func TestABrowserThatRefusesAddresses(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.stubborn = true
		s.edit("seed", "7")
		f.stubborn = false
		time.Sleep(forgive)
		settle()
		if !strings.Contains(f.query, "seed=7") {
			t.Errorf("it says %q", f.query)
		}
	})
}

// The browser's buttons bring back what was, and a save that was still to come does not spoil it.
func TestBackBringsBackWhatWas(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		s.edit("seed", "1")
		s.edit("seed", "2") // not yet in the address bar
		s.visit("/", parse(t, "seed=1"))
		if s.Settings.Seed != 1 {
			t.Errorf("seed %d", s.Settings.Seed)
		}
		time.Sleep(time.Minute)
		settle()
		if strings.Contains(f.query, "seed=2") {
			t.Errorf("the address bar says %s", f.query)
		}
	})
}

// An address that says what is so already changes nothing: not what the reader types, not what is asked.
func TestTheSameAddressAgain(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		s.edit("runs", "7")
		s.edit("batches", "nonsense")
		s.enter()
		s.visit("/", parse(t, f.query))
		if s.fresh || len(s.Drafts) != 1 {
			t.Errorf("fresh %v, drafts %v", s.fresh, s.Drafts)
		}
		s.visit("/", nil)
		if !s.fresh || len(s.Drafts) != 0 || s.Settings.Runs == 7 {
			t.Errorf("fresh %v, drafts %v, %d runs", s.fresh, s.Drafts, s.Settings.Runs)
		}
	})
}

func TestCopyLink(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		s.visit("/type", parse(t, "text=good&hide=nav"))
		s.copyLink()
		settle()
		for _, want := range []string{"http://lab/type?", "text=good", "hide=nav"} {
			if !strings.Contains(f.clipboard, want) {
				t.Errorf("the link is %s", f.clipboard)
			}
		}
		if s.Linked == "" || !strings.Contains(s.Announcement, "Link copied") {
			t.Errorf("it says %q and announces %q", s.Linked, s.Announcement)
		}
		time.Sleep(2 * copiedFor)
		settle()
		if s.Linked != "" {
			t.Error("it says so for ever")
		}
		f.refuse = true
		s.copyLink()
		settle()
		if !strings.Contains(s.share.Refused, "text=good") {
			t.Errorf("nothing to copy by hand: %+v", s.share)
		}
	})
}

func TestFrames(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		s.visit("/type", parse(t, "text=a+%22good%22+one"))
		s.share.Hide = []string{"controls"}
		link := s.frameAddress()
		if !strings.HasPrefix(link, "http://lab/embed/type?") || !strings.Contains(link, "hide=controls") {
			t.Errorf("the address is %s", link)
		}
		html := s.frameHTML()
		if strings.Contains(html, "&hide") || !strings.Contains(html, "&amp;hide=controls") {
			t.Errorf("the HTML is %s", html)
		}
		s.visit(allPath, nil)
		s.sight = "draw"
		if got := s.frameAddress(); !strings.HasPrefix(got, "http://lab/embed/draw") {
			t.Errorf("in the report the address is %s", got)
		}
	})
}

// A frame asks no native engine, and does not wait for one.
func TestAFrameIsForBrowsersOnly(t *testing.T) {
	f := &fakeTab{t: t}
	s := newSession(LabSettings())
	s.visit("/embed/draw", parse(t, "hide=nav,controls"))
	s.start(f, f.ui)
	if f.hardware != nil || !s.data || s.Native.Phase != NativeAbsent {
		t.Errorf("native %+v, asked %v", s.Native, f.hardware != nil)
	}
	if got := strings.Join(s.hide, ","); got != "controls" {
		t.Errorf("hidden %s", got)
	}
}
