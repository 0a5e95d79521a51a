package app

import (
	"maps"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// modelsPath is the address of the view where the reader brings what is his own.
const modelsPath = "/models"

// catalog returns the models that there are: the lab's, then the reader's own.
func (s *State) catalog() nn.Catalog { return s.Own.Catalog() }

// hearOwn takes over what of the reader's own there is: the answer to any command that changed it, and what the worker says by
// itself once it has started, or when another tab of the page changed something.
func (s *session) hearOwn(e wire.Event) {
	if im := e.Import; im != nil && (im.Model != nil || im.Data != nil) {
		s.renewed = true
	}
	if e.Kind != wire.EventOwn {
		return
	}
	own, first := e.Own, s.Own == nil
	if own == nil {
		own = &wire.Own{}
	}
	changed := s.renewed || first || !reflect.DeepEqual(own, s.Own)
	if s.renewed = false; !changed {
		return
	}
	some := len(own.Models)+len(own.Data) > 0
	s.stale = s.stale || some || !first || s.path == modelsPath
	s.Own, s.Settings.Own, s.links = own, own, nil
	s.Draw.forgetOwn()
	s.Type.forgetOwn()
	var again []view
	for _, v := range views() {
		if s.came[v.Path] && s.namesOwn(v) {
			s.reconcile(v, first)
			s.stale = true
			again = append(again, v)
		}
	}
	s.Inspect.meet(own)
	s.Sensitivity.meet(own)
	s.Training.meet(own)
	for _, v := range again {
		if v.Path != modelsPath && s.shows(v) { // Models would ask for what was just told
			v.Enter(s)
		}
	}
}

// shows reports whether a view is on the page.
func (s *session) shows(v view) bool {
	return slices.ContainsFunc(viewsAt(s.path), func(o view) bool { return o.Path == v.Path })
}

// reconcile has a view that names what is the reader's own take up its address once more. What is gone is told.
func (s *session) reconcile(v view, first bool) {
	query, _ := url.ParseQuery(s.queryOf(v))
	delete(s.awaited, v.Path)
	now, gone := s.present(v, query)
	for _, a := range gone {
		if first {
			s.notice(a.words())
		} else {
			s.notice(a.name + " is no longer in this browser: what had chosen it is as at first. What was measured stays.")
		}
	}
	for _, n := range v.Visit(s, now) {
		s.notice(n)
	}
	if len(gone) > 0 {
		s.remember()
	}
}

// notice tells the reader once what an address says in vain.
func (s *session) notice(text string) {
	if !slices.Contains(s.Notices, text) {
		s.Notices = append(slices.Clone(s.Notices), text)
		s.say(text)
	}
}

// An absent is something of the reader's own that an address names, and that is not here.
type absent struct {
	key, name string
	with      []string // the keys that said more of it
}

func (a absent) words() string {
	text := "The link says " + a.key + "=" + a.name + ", but this browser has no examples of that name"
	if slices.Contains(modelKeys, a.key) {
		text = "The link says " + a.key + "=" + a.name + ", but this browser has no model of that name"
	}
	if len(a.with) > 0 {
		text += ": what else the link says of it (" + strings.Join(a.with, ", ") + ") is left out, too"
	}
	return text + "."
}

// take has a view take over an address. Where that names something that may be the reader's own, it waits until this is known.
func (s *session) take(v view, query url.Values) (notices []string) {
	delete(s.awaited, v.Path)
	now, gone := s.present(v, query)
	if len(gone) > 0 && s.Own == nil {
		now = maps.Clone(query)
		later := url.Values{}
		for _, key := range v.Named {
			if values, ok := query[key]; ok {
				later[key] = values
				delete(now, key)
			}
		}
		put(&s.awaited, v.Path, later)
		return v.Visit(s, now)
	}
	for _, a := range gone {
		notices = append(notices, a.words())
	}
	return append(notices, v.Visit(s, now)...)
}

// The keys of addresses that name models, and those that name examples of the reader's own.
var (
	modelKeys = []string{"models", "digits", "sentences", "net", keySens, keyTrain, keyExport}
	dataKeys  = []string{"test", "calibrate", keySensTest, keySensCalibrate}
)

// present returns an address without the names that could be the reader's own, but are not: those are gone. With the last model of
// a key goes what depends on it.
func (s *State) present(v view, query url.Values) (now url.Values, gone []absent) {
	now = maps.Clone(query)
	for _, key := range v.Named {
		names := splitList(strings.Join(query[key], ","))
		there := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return s.lacks(key, name) })
		if len(there) == len(names) {
			continue
		}
		for _, name := range names {
			if s.lacks(key, name) {
				gone = append(gone, absent{key: key, name: name})
			}
		}
		if now[key] = []string{strings.Join(there, ",")}; len(there) == 0 {
			delete(now, key)
			with := slices.DeleteFunc(slices.Clone(v.Named), func(k string) bool {
				return !slices.Contains(modelKeys, key) || !now.Has(k) || slices.Contains(slices.Concat(modelKeys, dataKeys), k)
			})
			for _, k := range with {
				delete(now, k)
			}
			gone[len(gone)-1].with = with
		}
	}
	return now, gone
}

// lacks reports whether a value of that key could be the name of something of the reader's own, and there is no such thing.
func (s *State) lacks(key, name string) bool {
	if name == Both || nn.CheckName(name) != nil {
		return false
	}
	if slices.Contains(modelKeys, key) {
		_, err := s.catalog().Of(name)
		return err != nil
	}
	_, err := s.Own.DataOf(name)
	return slices.Contains(dataKeys, key) && err != nil
}

// namesOwn reports whether a view's state names something that is no model of the lab's, or waits for that.
func (s *session) namesOwn(v view) bool {
	query, _ := url.ParseQuery(s.queryOf(v))
	none := State{}
	_, own := none.present(v, query)
	return len(own) > 0
}

// awaiting says for what an address waits, "" where it does not.
func (s *session) awaiting(v view) string {
	_, gone := s.present(v, s.awaited[v.Path])
	var names []string
	for _, a := range gone {
		names = append(names, a.name)
	}
	return strings.Join(names, ", ")
}

// held says why a view's request can't be measured on a host, or not yet: its address may name something of the reader's own. It is ""
// where it can.
func (s *session) held(v view, host string, r *wire.Request) string {
	if names := s.awaiting(v); names != "" {
		return lookingFor(names)
	}
	return s.barred(host, r)
}

func lookingFor(names string) string { return "Looking for " + names + " in this browser …" }

// merged returns what is in either; what has the same name is b's.
func merged(a, b *wire.Own) *wire.Own {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	var out wire.Own
	for _, m := range a.Models {
		if !slices.ContainsFunc(b.Models, func(o wire.OwnModel) bool { return o.Spec.ID == m.Spec.ID }) {
			out.Models = append(out.Models, m)
		}
	}
	for _, d := range a.Data {
		if !slices.ContainsFunc(b.Data, func(o wire.OwnData) bool { return o.Name == d.Name }) {
			out.Data = append(out.Data, d)
		}
	}
	out.Models, out.Data = append(out.Models, b.Models...), append(out.Data, b.Data...)
	return &out
}

// sameOwn reports whether what both have by the same name is the same.
func sameOwn(a, b *wire.Own) bool {
	if a == nil || b == nil {
		return true
	}
	for _, m := range a.Models {
		for _, o := range b.Models {
			if m.Spec.ID == o.Spec.ID && !reflect.DeepEqual(m, o) {
				return false
			}
		}
	}
	for _, d := range a.Data {
		for _, o := range b.Data {
			if d.Name == o.Name && !reflect.DeepEqual(d, o) {
				return false
			}
		}
	}
	return true
}

// isLocal reports whether an address is this machine's own.
func isLocal(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// staysHere reports whether a request names something of the reader's own that must not leave this machine, where the server is
// another.
func (s *State) staysHere(r wire.Request) bool { return !s.Local && s.Own.NamedBy(r) != nil }

const staysHereText = "Your own models and data stay on this machine, and the native engine is on another: choose this browser."
