package app

import (
	"net/url"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// A page is the frame around the views: header, the current view, footer, and the live region. It is the one component
// that reads the session's state; all below it get plain values.
type page struct {
	goapp.Compo

	// Unexported, so that go-app keeps them when it navigates between views, which are the same component.
	session *session
}

func newPage() *page { return &page{session: newSession(LabSettings())} }

// OnPreRender runs on the server, and makes the controls of the first paint those of the address.
func (p *page) OnPreRender(ctx goapp.Context) {
	u := ctx.Page().URL()
	p.session.visit(u.Path, u.Query())
	// go-app writes the address into the page's head as it came, quotes and all: give it one of our making.
	ctx.Page().ReplaceURL(&url.URL{Path: p.session.path})
}

// OnMount runs in the browser, once.
func (p *page) OnMount(ctx goapp.Context) {
	u := ctx.Page().URL()
	p.session.visit(u.Path, u.Query())
	p.session.start(browser{ctx}, func(f func()) {
		ctx.Dispatch(func(goapp.Context) { f() })
	})
	p.session.enter()
}

// OnNav follows links between views and the browser's back and forward buttons.
func (p *page) OnNav(ctx goapp.Context) {
	u := ctx.Page().URL()
	p.session.visit(u.Path, u.Query())
	p.session.enter()
}

func (p *page) Render() goapp.UI {
	shown := viewsAt(p.session.path)
	var body []goapp.UI
	for _, v := range shown {
		// Each in a section of its own view, so that go-app does not make one view's elements of another's.
		body = append(body, goapp.Section().Class("view").DataSet("view", v.Title).Body(
			goapp.H1().Text(v.Headline),
			goapp.P().Class("lede").Text(v.Lede),
			v.Render(p.session, 2),
		))
	}
	return goapp.Div().Class("page").Body(
		goapp.A().Class("skip").Href("#main").Text("Skip to the content").OnClick(focusMain),
		header(p.session.path),
		goapp.Main().ID("main").Class("wrap").TabIndex(-1).Body(body...),
		goapp.Footer().Body(goapp.Div().Class("wrap").Body(
			goapp.P().Text("Nothing is sent anywhere: browser rows are computed in this tab, native rows by the program that served this page."),
		)),
		goapp.P().ID("announcer").Class("unseen").Role("status").Aria("live", "polite").Text(p.session.Announcement),
	)
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

func header(current string) goapp.UI {
	right := goapp.UI(goapp.P().Class("motto").Text("post-training quantization, measured"))
	if all := views(); len(all) > 1 {
		right = goapp.Nav().Aria("label", "Views").Body(goapp.Range(all).Slice(func(i int) goapp.UI {
			link := goapp.A().Href(all[i].Path).Text(all[i].Title)
			if all[i].Path == current {
				link = link.Aria("current", "page")
			}
			return link
		}))
	}
	return goapp.Header().Class("top").Body(goapp.Div().Class("wrap").Body(
		goapp.A().Class("brand").Href("/").Aria("label", "quantlab, the start").Body(goapp.Raw(logo), goapp.Span().Text("quantlab")),
		right,
	))
}
