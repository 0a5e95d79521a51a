package app

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// A view is one part of the page with its own address. A new view is one more line in views: its link and its routes
// follow from that. All views together, one below the other, are the page at allPath.
type view struct {
	Path, Title    string
	Alone          bool // it is no part of all views together
	Headline, Lede string

	// Render draws the view's parts below its headline; level is that of its headings.
	Render func(s *session, level int) goapp.UI
	// Late names parts that take long to draw: they come a moment after the rest.
	Late []string
	// Visit takes over what an address says; what it leaves out is as at first. It returns what was wrong with it.
	Visit func(s *session, query url.Values) (notices []string)
	// Named are the keys of the view's that name models and examples, which may be the reader's own, and those that depend on them.
	Named []string
	// Query spells the view's state as Visit reads it; "" is the state at first. No two views share a key.
	Query func(s *session) string
	// Enter is called in the browser when the reader comes to the view, after Visit, and after the engine was started anew.
	Enter func(s *session)
	// Leave, where there is one, is called when the reader goes where the view is not shown.
	Leave func(s *session)
}

const (
	// allPath is the address of all views together.
	allPath = "/all"
	// embedPath comes before a view's path where the view stands alone, for a frame in a page of somebody else's.
	embedPath = "/embed"
)

func views() []view {
	return []view{experimentsView(), drawView(), typeView(), inspectView(), sensitivityView(), trainingView(), modelsView(), reportView()}
}

// id is the view's name in addresses: of its section, and of its part in embedded addresses.
func (v view) id() string { return strings.ToLower(v.Title) }

// embedded is the path of the view alone.
func (v view) embedded() string { return strings.TrimSuffix(embedPath+v.Path, "/") }

// invitation is what a link to the view says at the end of the one before.
func (v view) invitation() string { return lowerFirst(v.Headline) }

// documentTitle is what the browser calls the page.
func (v view) documentTitle() string {
	if v.Path == "/" {
		return pageTitle
	}
	return v.Headline + " · quantlab"
}

// viewsAt returns the views at a path: one, or all; the first for a path that is not known.
func viewsAt(path string) []view {
	all := views()
	if path == allPath {
		return slices.DeleteFunc(all, func(v view) bool { return v.Alone })
	}
	for i, v := range all {
		if path == v.Path || path == v.embedded() {
			return all[i : i+1]
		}
	}
	return all[:1]
}

// after returns the view that follows, if there is one.
func (v view) after() (next view, ok bool) {
	all := views()
	i := slices.IndexFunc(all, func(o view) bool { return o.Path == v.Path }) + 1
	if i == len(all) {
		return view{}, false
	}
	return all[i], true
}

// paths are the addresses of pages.
func paths() []string {
	out := []string{allPath}
	for _, v := range views() {
		out = append(out, v.Path, v.embedded())
	}
	return out
}

// heading is a heading of the first to the fourth level; id may be empty.
func heading(level int, id, text string) goapp.UI { return headingOf(level, id, goapp.Text(text)) }

func headingOf(level int, id string, body ...goapp.UI) goapp.UI {
	h := goapp.Elem("h" + strconv.Itoa(level)).Body(body...)
	if id != "" {
		h = h.ID(id)
	}
	return h
}
