package app

import (
	"net/url"
	"slices"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// A page is the frame around the views: header, what is shown, footer, and the live region. It is the one component that
// reads the session's state; all below it get plain values, but for parts.
type page struct {
	goapp.Compo

	// Unexported, so that go-app keeps them when it navigates between views, which are the same component.
	session *session
	nav     navigator
}

func newPage() *page { return &page{session: newSession(LabSettings())} }

// OnInit runs before anything is drawn.
func (p *page) OnInit() {
	if goapp.IsClient {
		u := goapp.Window().URL()
		p.session.visit(u.Path, u.Query())
		p.session.takeOver(func(v view) string {
			body := goapp.Window().Get("document").Call("querySelector", "#"+v.id()+" > .view-body")
			if !body.Truthy() {
				return ""
			}
			return body.Get("innerHTML").String()
		})
	}
}

// OnPreRender runs on the server, and makes the controls of the first paint those of the address.
func (p *page) OnPreRender(ctx goapp.Context) {
	u := ctx.Page().URL()
	p.session.visit(u.Path, u.Query())
	ctx.Page().SetTitle(p.session.title())
	// go-app writes the address into the page's head as it came, quotes and all: give it one of our making.
	ctx.Page().ReplaceURL(&url.URL{Path: p.session.path})
}

// OnMount runs in the browser, once.
func (p *page) OnMount(ctx goapp.Context) {
	p.nav.install()
	tab := browser{ctx, p.nav.follow}
	p.session.start(tab, func(f func() bool) {
		ctx.Dispatcher().Dispatch(goapp.Dispatch{Mode: goapp.Next, Source: p, Function: func(goapp.Context) {
			if f() {
				p.Update()
			}
		}})
	})
}

// OnNav follows links between views and the browser's back and forward buttons. It comes after OnMount too.
func (p *page) OnNav(ctx goapp.Context) {
	s, u := p.session, ctx.Page().URL()
	s.visit(u.Path, u.Query())
	if s.fresh {
		ctx.Page().SetTitle(s.title())
		s.enter()
	}
	if p.nav.comesFromElsewhere(u) {
		s.fallBehind(u.Path)
	}
	ctx.Defer(func(goapp.Context) {
		if len(s.behind) == 0 {
			p.nav.arrive(u)
		} else {
			s.catchUp(func() { ctx.Defer(func(goapp.Context) { p.nav.arrive(u) }) })
		}
		p.nav.observe(s.sections(), func(id string) {
			s.soon(func() {
				s.sight = id
				s.redraw("nav")
				showCurrent()
			})
		})
	})
}

// title is what the browser calls the page.
func (s *session) title() string {
	if s.path == allPath {
		return reportTitle + " · quantlab"
	}
	return viewsAt(s.path)[0].documentTitle()
}

// sections are the ids of the views of the report, and none elsewhere.
func (s *session) sections() []string {
	var ids []string
	if s.path == allPath {
		for _, v := range viewsAt(s.path) {
			ids = append(ids, v.id())
		}
	}
	return ids
}

const reportTitle = "Measure, draw, type, look inside"

func (p *page) Render() goapp.UI {
	s := p.session
	body := []goapp.UI{
		goapp.Div().Class("report-head").Body(s.reportHead()...),
		goapp.Div().Class("notices").Body(goapp.Range(s.Notices).Slice(func(i int) goapp.UI {
			return goapp.P().Class("notice warn").Text(s.Notices[i])
		})),
	}
	for _, v := range views() {
		body = append(body, s.section(v))
	}
	return goapp.Div().Class(rootOf(s)).Body(
		goapp.A().Class("skip").Href("#main").Text("Skip to the content").OnClick(focusMain),
		goapp.Div().Class("top-box").Body(s.header()...),
		goapp.Main().ID("main").Class("wrap").TabIndex(-1).Body(body...),
		goapp.Footer().Body(goapp.Div().Class("wrap").Body(s.footer()...)),
		goapp.P().ID("announcer").Class("unseen").Role("status").Aria("live", "polite").Text(s.Announcement),
	)
}

// reportHead is the one headline above all views.
func (s *session) reportHead() []goapp.UI {
	if s.path != allPath {
		return nil
	}
	return []goapp.UI{
		goapp.H1().TabIndex(-1).Text(reportTitle),
		goapp.P().Class("lede").Text("Everything on one page, from the measurements to what happens inside. Each part also has a page of its own."),
	}
}

// section is a view in its place. One that is not shown leaves its place empty, with an element of another kind, so that go-app
// never makes one view's elements of another's.
func (s *session) section(v view) goapp.UI {
	if !slices.ContainsFunc(viewsAt(s.path), func(o view) bool { return o.Path == v.Path }) {
		return goapp.Div().Class("absent")
	}
	together := s.path == allPath
	var head, foot []goapp.UI
	level := 2
	if together {
		level = 3
		head = append(head, goapp.H2().Text(v.Headline))
		foot = append(foot, goapp.A().Class("next").Href(s.link(v.Path)).Text(v.Title+" on a page of its own"))
	} else {
		head = append(head, goapp.H1().TabIndex(-1).Text(v.Headline))
		if next, ok := v.after(); ok && !s.embedded() {
			foot = append(foot, goapp.A().Class("next").Href(s.link(next.Path)).Text("Next: "+next.invitation()))
		} else if !s.embedded() {
			foot = append(foot, goapp.A().Class("next").Href(s.link(allPath)).Text("Everything on one page"))
		}
	}
	return goapp.Section().Class("view").ID(v.id()).TabIndex(-1).DataSet("view", v.Title).Body(
		goapp.Div().Class("view-head").Body(append(head, goapp.P().Class("lede").Text(v.Lede))...),
		goapp.Div().Class("view-body").Body(s.part(bodyOf(v.Path), func() goapp.UI { return v.Render(s, level) })),
		goapp.Div().Class("view-foot").Body(foot...),
	)
}

func (s *session) footer() []goapp.UI {
	if s.embedded() {
		return []goapp.UI{goapp.P().Body(
			goapp.A().Class("open-whole").Href(s.link(viewsAt(s.path)[0].Path)).Target("_blank").Rel("noopener").Text("Open in quantlab"),
		)}
	}
	words := "Nothing is sent anywhere: browser rows are computed in this tab, native rows by the program that served this page."
	if forgetful() {
		words += " This browser denies the page all storage: everything works but the next visit without a network."
	}
	return []goapp.UI{goapp.P().Text(words)}
}

// forgetful reports whether the browser denies storage.
func forgetful() bool {
	if goapp.IsServer {
		return false
	}
	bridge := goapp.Window().Get("quantlab")
	return bridge.Truthy() && bridge.Get("forgetful").Truthy()
}

// focusMain does what a skip link should: go-app scrolls to a fragment, but leaves the focus behind.
func focusMain(goapp.Context, goapp.Event) {
	if main := goapp.Window().GetElementByID("main"); main.Truthy() {
		main.Call("focus")
	}
}

const logo = `<svg class="logo" width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">` +
	`<path class="steps" d="M1 20.5h4v-5h4v-5h4v-5h4v-4h4" fill="none" stroke="currentColor" stroke-width="2.2"></path>` +
	`<path class="curve" d="M1 20.5C8 19 14 10 21 1.5" fill="none" stroke="currentColor" stroke-width="1.4"></path></svg>`

// header is what stands above the views: a bar, and below it what it opened.
func (s *session) header() []goapp.UI {
	if s.embedded() {
		return nil
	}
	return []goapp.UI{
		goapp.Header().Class("top").Body(goapp.Div().Class("wrap").Body(
			goapp.A().Class("brand").Href(s.link("/")).Aria("label", "quantlab, the start").Body(goapp.Raw(logo), goapp.Span().Text("quantlab")),
			s.part("nav", s.navigation),
			&shareBar{S: s, Linked: s.Linked, Open: s.share.Open},
		)),
		s.shareBox(),
	}
}

// navigation links the views; in the report, their sections.
func (s *session) navigation() goapp.UI {
	together := s.path == allPath
	var links []goapp.UI
	for i, v := range views() {
		href, current := s.link(v.Path), v.Path == s.path
		if together && !v.Alone {
			href, current = s.link(allPath)+"#"+v.id(), v.id() == s.sight || s.sight == "" && i == 0
		}
		links = append(links, navLink(v.Title, href, current, together && !v.Alone))
	}
	links = append(links, navLink("All", s.link(allPath), together, false))
	return goapp.Nav().Aria("label", "Views").Body(links...)
}

// navLink is a link to a view, or to a place within the page.
func navLink(title, href string, current, within bool) goapp.UI {
	link := goapp.A().Href(href).Text(title)
	if title == "All" {
		link = link.Title("All views on one page")
	}
	switch {
	case current && within:
		link = link.Aria("current", "location")
	case current:
		link = link.Aria("current", "page")
	}
	return link
}
