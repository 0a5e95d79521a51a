package app

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAllFallsBehindViewByView(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		s.visit("/all", nil)
		s.fallBehind("/all")
		all := slices.Clone(s.behind)
		for _, v := range viewsAt("/all") {
			body := slices.Index(all, bodyOf(v.Path))
			if body < 0 {
				t.Errorf("%s is drawn at once", v.Title)
			}
			for _, late := range v.Late {
				if slices.Index(all, late) <= body {
					t.Errorf("%s comes before the view around it", late)
				}
			}
		}
		if strings.Contains(rendered(s), `id="run"`) {
			t.Error("what is behind is drawn")
		}

		settle()
		arrived, draws := 0, f.draws
		s.catchUp(func() { arrived++ })
		for i, name := range all {
			if !s.isBehind(name) || arrived != 0 {
				t.Fatalf("%s came too soon, as number %d", name, i)
			}
			time.Sleep(betweenParts + time.Millisecond)
			synctest.Wait()
			if s.isBehind(name) {
				t.Errorf("%s is still behind", name)
			}
		}
		if arrived != 1 || f.draws != draws {
			t.Errorf("arrived %d times, with %d draws of the page", arrived, f.draws-draws)
		}
		if !strings.Contains(rendered(s), `id="run"`) {
			t.Error("what was behind is not drawn")
		}
	})
}

// One view is drawn at once, but for what takes long.
func TestOneViewFallsBehindInParts(t *testing.T) {
	for _, v := range views() {
		s := newSession(LabSettings())
		s.fallBehind(v.Path)
		if !slices.Equal(s.behind, v.Late) {
			t.Errorf("%s: %q", v.Title, s.behind)
		}
	}
}

// What the server has drawn stays until it is drawn anew.
func TestTheFirstPageIsTakenOver(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		s.takeOver(func(v view) string { return "<p>" + v.Title + " as it came</p>" })
		if page := rendered(s); !strings.Contains(page, "<p>Experiments as it came</p>") || strings.Contains(page, `id="run"`) {
			t.Error("the page does not show what came")
		}
		s.catchUp(func() {})
		time.Sleep(2 * betweenParts)
		synctest.Wait()
		if page := rendered(s); strings.Contains(page, "as it came") || !strings.Contains(page, `id="run"`) || s.prerendered != nil {
			t.Error("the page shows what came still")
		}
	})
}

func TestWhoGoesElsewhereDoesNotArrive(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		var arrived []string
		arrive := func(where string) func() { return func() { arrived = append(arrived, where) } }
		s.visit("/all", nil)
		s.fallBehind("/all")
		s.catchUp(arrive("all"))
		time.Sleep(2 * betweenParts)
		s.catchUp(arrive("a place in it")) // by a fragment
		time.Sleep(betweenParts / 2)
		s.visit("/inspect", nil)
		s.fallBehind("/inspect")
		s.catchUp(arrive("inspect"))
		time.Sleep(betweenParts / 2)
		s.visit("/draw", nil)
		s.fallBehind("/draw") // and on before it began to catch up
		settle()
		if len(arrived) != 0 {
			t.Errorf("arrived at %q", arrived)
		}
		s.visit("/type", nil)
		s.fallBehind("/type")
		s.catchUp(arrive("type"))
		settle()
		if !slices.Equal(arrived, []string{"type"}) || len(s.behind) != 0 {
			t.Errorf("arrived at %q, behind %q", arrived, s.behind)
		}
	})
}
