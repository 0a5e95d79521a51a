package app

import (
	"net/url"
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// A view is one part of the page with its own address. A new view is one more line in views: its link and its route
// follow from that. All views together, one below the other, are the page at reportPath.
type view struct {
	Path, Title    string
	Headline, Lede string

	// Render draws the view's parts below its headline; level is that of its headings.
	Render func(s *session, level int) goapp.UI
	// Visit takes over what an address says; what it leaves out is as at first. It returns what was wrong with it.
	Visit func(s *session, query url.Values) (notices []string)
	// Query spells the view's state as Visit reads it; "" is the state at first. No two views share a key.
	Query func(s *session) string
	// Enter is called in the browser when the reader comes to the view, after Visit.
	Enter func(s *session)
}

const reportPath = "/all"

func views() []view {
	return []view{experimentsView(), drawView(), typeView(), inspectView()}
}

// viewsAt returns the views at a path: one, or all; the first for a path that is not known.
func viewsAt(path string) []view {
	all := views()
	if path == reportPath {
		return all
	}
	if i := slices.IndexFunc(all, func(v view) bool { return v.Path == path }); i > 0 {
		return all[i : i+1]
	}
	return all[:1]
}

// query spells the state of the views that are shown.
func (s *session) query() string {
	var parts []string
	for _, v := range viewsAt(s.path) {
		if q := v.Query(s); q != "" {
			parts = append(parts, q)
		}
	}
	return strings.Join(parts, "&")
}

// remember puts the state of the views that are shown into the address.
func (s *session) remember() { s.platform.SetQuery(s.query()) }

// visit takes over an address. In the browser enter follows.
func (s *session) visit(path string, query url.Values) {
	s.path, s.Notices = path, nil
	for _, v := range viewsAt(path) {
		s.Notices = append(s.Notices, v.Visit(s, query)...)
	}
}

// enter lets the views that are shown ask their first questions.
func (s *session) enter() {
	for _, v := range viewsAt(s.path) {
		v.Enter(s)
	}
}
