package app

import (
	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// A part is a box of the page that can be drawn by itself: answers that follow a moving hand come sixty times a second, more
// often than the whole page should be laid out.
type part struct {
	goapp.Compo
	S    *session
	Name string
	Draw func() goapp.UI
}

// part returns the box of that name. Draw gives one root element; it reads the session when it is called.
func (s *session) part(name string, draw func() goapp.UI) goapp.UI {
	return &part{S: s, Name: name, Draw: draw}
}

func (p *part) Render() goapp.UI {
	put(&p.S.parts, p.Name, p)
	if p.S.isBehind(p.Name) {
		return p.S.standIn(p.Name)
	}
	return p.Draw()
}

// redraw has only these parts drawn anew. In what hears an event it says that no more than that is needed.
func (s *session) redraw(names ...string) {
	s.told = true
	for _, name := range names {
		// go-app reuses a component for another part, and keeps none that has left the page.
		if p := s.parts[name]; p != nil && p.Name == name && p.Mounted() {
			p.Update()
		}
	}
}
