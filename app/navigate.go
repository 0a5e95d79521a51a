package app

import (
	"net/url"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// A navigator does between views what a browser does between pages: it names the page, puts the focus on what is new, and
// scrolls to its top, or to where the reader had left it when he comes back.
type navigator struct {
	here  string             // path and fragment of what is shown
	left  map[string]float64 // how far down the reader was when he left an address, px
	link  bool               // a link is being followed, and not the browser's buttons
	watch goapp.Value        // the IntersectionObserver of the report
	sight goapp.Func
}

func placeOf(u *url.URL) string { return u.Path + "#" + u.Fragment }

// install listens for comings and goings. The listeners live as long as the tab.
func (n *navigator) install() {
	window := goapp.Window()
	n.here, n.left = placeOf(window.URL()), map[string]float64{}
	history := window.Get("history")
	history.Set("scrollRestoration", "manual")
	window.Call("addEventListener", "pagehide", goapp.FuncOf(func(goapp.Value, []goapp.Value) any {
		history.Set("scrollRestoration", "auto") // for a reload, which the browser does better
		return nil
	}))
	window.Call("addEventListener", "popstate", goapp.FuncOf(func(goapp.Value, []goapp.Value) any {
		n.leave()
		n.link = false
		return nil
	}))
}

// leave notes where the reader is.
func (n *navigator) leave() {
	n.left[n.here] = goapp.Window().Get("scrollY").Float()
}

// comesFromElsewhere reports whether u is another page than what is shown.
func (n *navigator) comesFromElsewhere(u *url.URL) bool {
	path, _, _ := strings.Cut(n.here, "#")
	return path != u.Path
}

// follow notes that a link is about to be followed.
func (n *navigator) follow() {
	n.leave()
	n.link = true
}

// arrive moves to what is shown at u, once it is drawn. To the first page of a visit the browser has moved by itself.
func (n *navigator) arrive(u *url.URL) {
	showCurrent()
	window, place, link := goapp.Window(), placeOf(u), n.link
	n.link = false
	if place == n.here {
		return
	}
	n.here = place
	target := window.Get("document").Call("querySelector", "main h1")
	if u.Fragment != "" {
		target = window.GetElementByID(u.Fragment)
	}
	if target.Truthy() {
		target.Call("focus", map[string]any{"preventScroll": true})
	}
	switch {
	case !link:
		window.Call("scrollTo", 0, n.left[place])
	case u.Fragment == "":
		window.Call("scrollTo", 0, 0)
	case target.Truthy():
		target.Call("scrollIntoView")
	}
}

// showCurrent brings the link to the current view into sight, where the navigation is wider than the window.
func showCurrent() {
	nav := goapp.Window().Get("document").Call("querySelector", "nav")
	if !nav.Truthy() || nav.Get("scrollWidth").Int() <= nav.Get("clientWidth").Int() {
		return
	}
	link := nav.Call("querySelector", "[aria-current]")
	if !link.Truthy() {
		return
	}
	box, within := link.Call("getBoundingClientRect"), nav.Call("getBoundingClientRect")
	middle := func(v goapp.Value) float64 { return (v.Get("left").Float() + v.Get("right").Float()) / 2 }
	nav.Set("scrollLeft", nav.Get("scrollLeft").Float()+middle(box)-middle(within))
}

// sightMargins leave a line across the window, a third of its height down: the section on it is being read.
const sightMargins = "-33% 0px -66% 0px"

// observe tells which of the sections with these ids is being read; it ends what an earlier call began.
func (n *navigator) observe(ids []string, read func(id string)) {
	if n.watch != nil {
		n.watch.Call("disconnect")
		n.sight.Release()
		n.watch = nil
	}
	observer := goapp.Window().Get("IntersectionObserver")
	if len(ids) == 0 || !observer.Truthy() {
		return
	}
	n.sight = goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		for i := range args[0].Length() {
			if entry := args[0].Index(i); entry.Get("isIntersecting").Bool() {
				read(entry.Get("target").Get("id").String())
			}
		}
		return nil
	})
	n.watch = observer.New(n.sight, map[string]any{"rootMargin": sightMargins})
	for _, id := range ids {
		if section := goapp.Window().GetElementByID(id); section.Truthy() {
			n.watch.Call("observe", section)
		}
	}
}

// rootOf gives the classes of the page's root at which the style sheets see what is to be left out.
func rootOf(s *session) string {
	classes := []string{"page"}
	if s.path == allPath {
		classes = append(classes, "report")
	}
	if s.embedded() {
		classes = append(classes, "embed")
	}
	for _, f := range s.hide {
		classes = append(classes, "hide-"+f)
	}
	return strings.Join(classes, " ")
}
