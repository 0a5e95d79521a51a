package app

import (
	"slices"
	"time"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// Drawing all of a page at once would hold the reader up: what takes long is behind at first, and is drawn part by part, with pauses
// in which the browser lays out what is there and listens.

// betweenParts is such a pause.
const betweenParts = 20 * time.Millisecond

// bodyOf names the part that is a view's body.
func bodyOf(path string) string { return "body of " + path }

// isBehind reports whether a part is to be drawn only in a moment. Until then standIn stands for it.
func (s *session) isBehind(name string) bool { return slices.Contains(s.behind, name) }

// standIn is what is in a part's place while it is behind: what the server drew there, or nothing.
func (s *session) standIn(name string) goapp.UI {
	if html := s.prerendered[name]; html != "" {
		return goapp.Raw(html)
	}
	return goapp.Div().Class("behind")
}

// takeOver leaves the bodies of the views that the server has drawn as they are, for catchUp to bring to life.
func (s *session) takeOver(drawn func(v view) (html string)) {
	s.behind = nil
	for _, v := range viewsAt(s.path) {
		name := bodyOf(v.Path)
		s.behind = append(s.behind, name)
		put(&s.prerendered, name, drawn(v))
	}
}

// fallBehind leaves to catchUp, when the reader comes to a path, what would take long to draw at once: the late parts of the views
// and, where there are several views, their bodies.
func (s *session) fallBehind(path string) {
	s.behind = nil
	s.stage++
	shown := viewsAt(path)
	for _, v := range shown {
		if len(shown) > 1 {
			s.behind = append(s.behind, bodyOf(v.Path))
		}
		s.behind = append(s.behind, v.Late...)
	}
}

// catchUp draws what is behind, one part after the other, then calls done. Where the reader goes elsewhere meanwhile it ends
// without: what is behind there is another call's.
func (s *session) catchUp(done func()) {
	s.stage++
	s.catchUpAt(s.stage, done)
}

func (s *session) catchUpAt(stage int, done func()) {
	s.platform.After(betweenParts, func() {
		s.soon(func() {
			s.told = true
			if stage != s.stage {
				return
			}
			name := s.behind[0]
			s.behind = slices.Concat(s.within(name), s.behind[1:])
			s.redraw(name)
			if len(s.behind) > 0 {
				s.catchUpAt(stage, done)
				return
			}
			s.prerendered = nil
			done()
		})
	})
}

// within names the parts of a part that come after it.
func (s *session) within(name string) []string {
	if name == partPaper {
		return s.sectionParts()
	}
	return nil
}
