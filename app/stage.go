package app

import (
	"slices"
	"time"
)

// betweenParts is the pause in which the browser lays out one part of the page and listens to the reader, before the next is
// drawn. All at once would hold him up.
const betweenParts = 20 * time.Millisecond

// bodyOf names the part that is a view's body.
func bodyOf(path string) string { return "body of " + path }

// isBehind reports whether a part is to be drawn only in a moment. Until then it is empty.
func (s *session) isBehind(name string) bool { return slices.Contains(s.behind, name) }

// fallBehind leaves to catchUp what would take long to draw at once: the late parts of the views at a path and, where there are
// several views, their bodies.
func (s *session) fallBehind(path string) {
	s.behind = nil
	shown := viewsAt(path)
	for _, v := range shown {
		if len(shown) > 1 {
			s.behind = append(s.behind, bodyOf(v.Path))
		}
		s.behind = append(s.behind, v.Late...)
	}
}

// catchUp draws what is behind, one part after the other, then calls done, unless the reader has gone elsewhere.
func (s *session) catchUp(done func()) {
	s.platform.After(betweenParts, func() {
		s.soon(func() {
			s.told = true
			if len(s.behind) == 0 {
				return
			}
			name := s.behind[0]
			s.behind = s.behind[1:]
			s.redraw(name)
			if len(s.behind) > 0 {
				s.catchUp(done)
				return
			}
			done()
		})
	})
}
