package app

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// An address is where the page is, and what the browser's address bar says of it.
type address struct {
	path string
	hide []string // what is to be left out, of hideFlags
	// seen is the query that was last taken over or put into the address bar: one that comes again says nothing new.
	seen    string
	visited bool                  // seen holds
	fresh   bool                  // visited and not yet entered
	came    map[string]bool       // to these views, by path
	awaited map[string]url.Values // what their addresses name that may be the reader's own, until that is known
	sight   string                // the view that is being read, where all are shown

	savedAt time.Time
	saving  bool // the address bar is behind, and a save is on its way

	links map[string]string // of the views, by path, until something changes
}

// hideFlags are the parts of the page that an address may leave out, and their names for the reader.
var hideFlags = [][2]string{
	{"controls", "controls"}, {"notes", "explanations"}, {"lede", "introduction"}, {"nav", "navigation"}, {"footer", "footer"},
}

const (
	// rememberEvery is the time between two changes of the address bar. Safari refuses more than 100 within 30 s.
	rememberEvery = 350 * time.Millisecond
	// forgive is the time after which a browser that refused one is asked again.
	forgive = 10 * time.Second
)

// embedded reports whether the page is a frame in another.
func (s *session) embedded() bool {
	return s.path == embedPath || strings.HasPrefix(s.path, embedPath+"/")
}

// query spells the state of the views, and the reader's own plan, which all of them heed.
func (s *session) query(shown []view, hide []string) string {
	var parts []string
	for _, v := range shown {
		if q := s.queryOf(v); q != "" {
			parts = append(parts, q)
		}
	}
	if q := s.queryOf(inspectView()); q != "" && !inspects(shown) {
		parts = append(parts, q)
	}
	if len(hide) > 0 {
		parts = append(parts, "hide="+strings.Join(hide, ","))
	}
	return strings.Join(parts, "&")
}

// queryOf spells one view's state. One that was never visited is as at first.
func (s *session) queryOf(v view) string {
	if !s.came[v.Path] {
		return ""
	}
	if s.awaited[v.Path] == nil {
		return v.Query(s)
	}
	query, _ := url.ParseQuery(v.Query(s))
	maps.Copy(query, s.awaited[v.Path])
	return query.Encode()
}

func inspects(shown []view) bool {
	return slices.ContainsFunc(shown, func(v view) bool { return v.Path == inspectView().Path })
}

// link is the address of a path within the site, with the state of its views as it is.
func (s *session) link(path string) string {
	if l, ok := s.links[path]; ok {
		return l
	}
	l := path
	if q := s.query(viewsAt(path), s.hide); q != "" {
		l += "?" + q
	}
	put(&s.links, path, l)
	return l
}

// remember puts the state of the views that are shown into the address, at once or in a moment.
func (s *session) remember() {
	s.links = nil
	if s.platform == nil || s.saving {
		return
	}
	s.saving = true
	if rest := rememberEvery - time.Since(s.savedAt); rest > 0 {
		s.saveIn(rest)
		return
	}
	s.save()
}

// save brings the address bar up to date, if it is behind.
func (s *session) save() {
	if !s.saving {
		return
	}
	q := s.query(viewsAt(s.path), s.hide)
	s.savedAt = time.Now()
	if !s.platform.SetQuery(q) {
		s.saveIn(forgive)
		return
	}
	s.saving, s.seen = false, canonical(q)
}

func (s *session) saveIn(d time.Duration) {
	s.platform.After(d, func() { s.later(s.save) })
}

// canonical gives queries that mean the same the same spelling. What can't be read of a damaged one is left out.
func canonical(query string) string {
	v, _ := url.ParseQuery(query)
	return v.Encode()
}

// visit takes over an address, unless it says what is so already. In the browser enter follows.
func (s *session) visit(path string, query url.Values) {
	seen := query.Encode()
	if s.visited && path == s.path && seen == s.seen && !s.saving {
		return
	}
	s.leave(path)
	s.path, s.seen, s.visited, s.fresh = path, seen, true, true
	s.links, s.saving, s.share, s.sight = nil, false, share{}, ""
	var notices []string
	if s.hide, notices = parseHide(query); s.embedded() && len(s.hide) > 0 {
		// A frame has neither header nor footer to begin with.
		s.hide = slices.DeleteFunc(s.hide, func(f string) bool { return f == "nav" || f == "footer" })
	}
	shown := viewsAt(path)
	if old, _ := url.ParseQuery(s.queryOf(inspectView())); !inspects(shown) && !samePlan(old, query) {
		shown = append(shown[:len(shown):len(shown)], inspectView())
	}
	for _, v := range shown {
		put(&s.came, v.Path, true)
		notices = append(notices, s.take(v, query)...)
	}
	s.Notices = notices
}

// planKeys are the keys of Inspect.
var planKeys = []string{"net", "plan", "calibration", "calseed", "layer"}

// samePlan reports whether two queries speak of the same plan of the reader's own.
func samePlan(a, b url.Values) bool {
	pick := func(q url.Values) map[string][]string {
		out := map[string][]string{}
		for _, k := range planKeys {
			if v, ok := q[k]; ok {
				out[k] = v
			}
		}
		return out
	}
	return maps.EqualFunc(pick(a), pick(b), slices.Equal)
}

// leave lets the views that are shown, but not at the path where the reader goes, give up what only they wait for.
func (s *session) leave(path string) {
	for _, v := range viewsAt(s.path) {
		stays := slices.ContainsFunc(viewsAt(path), func(o view) bool { return o.Path == v.Path })
		if v.Leave != nil && !stays {
			v.Leave(s)
		}
	}
}

// enter lets the views that are shown ask their first questions.
func (s *session) enter() {
	s.fresh = false
	for _, v := range viewsAt(s.path) {
		v.Enter(s)
	}
}

// parseHide reads what is to be left out. What is not known is told and ignored.
func parseHide(query url.Values) (hide, notices []string) {
	asked := splitList(strings.Join(query["hide"], ","))
	for _, f := range hideFlags {
		if slices.Contains(asked, f[0]) {
			hide = append(hide, f[0])
		}
	}
	known := func(f string) bool {
		return slices.ContainsFunc(hideFlags, func(h [2]string) bool { return h[0] == f })
	}
	if unknown := slices.DeleteFunc(asked, known); len(unknown) > 0 {
		var names []string
		for _, f := range hideFlags {
			names = append(names, f[0])
		}
		notices = append(notices, fmt.Sprintf("The link says hide=%s, but only %s can be hidden.", brief(unknown[0]), strings.Join(names, ", ")))
	}
	return hide, notices
}

// brief shortens what an address says so that it can be repeated.
func brief(v string) string {
	const most = 24
	r := []rune(strings.ToValidUTF8(v, "\uFFFD"))
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}
