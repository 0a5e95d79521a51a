package app

import (
	"fmt"
	"html"
	"slices"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// A share is what the reader takes along: the page's address, and the address of a view in a frame.
type share struct {
	Refused string // the link, where the clipboard refused it

	Open    bool     // the box about frames
	Hide    []string // what is to be left out of the frame
	Framed  string   // which text of the box was copied
	Unframe string   // the text that the clipboard refused
}

// copyLink puts the address, with all that the views show, on the clipboard.
func (s *session) copyLink() {
	link := s.platform.Address(s.path, s.query(viewsAt(s.path), s.hide))
	s.copy(link, "Link copied.", &s.Linked, &s.share.Refused)
}

// framed is the view that a frame would show.
func (s *session) framed() view {
	shown := viewsAt(s.path)
	if i := slices.IndexFunc(shown, func(v view) bool { return v.id() == s.sight }); i >= 0 {
		return shown[i]
	}
	return shown[0]
}

// frameAddress is the address of the view in a frame.
func (s *session) frameAddress() string {
	v := s.framed()
	return s.platform.Address(v.embedded(), s.query([]view{v}, s.share.Hide))
}

// frameHTML is the line that puts the frame into a page.
func (s *session) frameHTML() string {
	return fmt.Sprintf(`<iframe src="%s" title="%s" width="960" height="720" allow="clipboard-write"></iframe>`,
		html.EscapeString(s.frameAddress()), html.EscapeString(s.framed().documentTitle()))
}

// shareBar is the pair of buttons in the header.
type shareBar struct {
	goapp.Compo
	S      *session
	Linked string
	Open   bool
}

func (b *shareBar) Render() goapp.UI {
	label := "Copy link"
	if b.Linked != "" {
		label = "Copied"
	}
	return goapp.Div().Class("share").Body(
		disable(goapp.Button().Type("button"), false).Class("small").ID("copy-link").Title("Copy the address of this page with everything that you have set").
			Text(label).OnClick(b.onCopy),
		disable(goapp.Button().Type("button"), false).Class("small").ID("embed").Aria("expanded", b.Open).Aria("controls", "share-box").
			Title("An address for slides or another page").Text("Embed").OnClick(b.onOpen),
	)
}

func (b *shareBar) onCopy(goapp.Context, goapp.Event) { b.S.copyLink() }

func (b *shareBar) onOpen(goapp.Context, goapp.Event) {
	s := &b.S.share
	s.Open = !s.Open
	if s.Open && s.Hide == nil {
		s.Hide = b.S.hide
	}
}

// shareBox is what stands under the header: the link that could not be copied, and how to embed a view. Its place is always
// taken.
type shareBox struct {
	goapp.Compo
	S     *session
	Share share
	// Of the frame, where the box is open.
	View, Address, HTML string
}

func (s *session) shareBox() goapp.UI {
	b := &shareBox{S: s, Share: s.share}
	if s.share.Open {
		b.View, b.Address, b.HTML = s.framed().Title, s.frameAddress(), s.frameHTML()
	}
	return b
}

func (b *shareBox) Render() goapp.UI {
	var refused, frame []goapp.UI
	if b.Share.Refused != "" {
		refused = append(refused, goapp.Div().Class("notice warn").Body(
			byHand("refused-link", "The browser did not let this page use the clipboard. Select the link and copy it:", b.Share.Refused, 2),
			goapp.Button().Type("button").Text("Close").OnClick(b.onClose),
		))
	}
	if b.Share.Open {
		frame = append(frame, b.frame())
	}
	return goapp.Div().ID("share-box").Class("wrap").Body(goapp.Div().Body(refused...), goapp.Div().Body(frame...))
}

func (b *shareBox) frame() goapp.UI {
	done := b.Share.Framed
	if b.Share.Unframe != "" {
		done = "The browser did not let this page use the clipboard: select the text and copy it."
	}
	return goapp.Section().Class("frame-box").Aria("label", "Embed").Body(
		goapp.P().Body(goapp.B().Text(b.View+" in slides or another page. "),
			goapp.Text("The frame shows what you see now, computes in the browser that shows it, and needs this server to be reachable from there.")),
		goapp.FieldSet().Body(
			goapp.Legend().Text("Leave out"),
			goapp.Div().Class("checks").Body(goapp.Range(frameFlags).Slice(func(i int) goapp.UI {
				f := frameFlags[i]
				return goapp.Label().Body(
					check(goapp.Input().Type("checkbox"), slices.Contains(b.Share.Hide, f[0])).Name("leave-out").Value(f[0]).OnChange(b.onHide(f[0]), f[0]),
					goapp.Span().Text(upperFirst(f[1])),
				)
			})),
		),
		byHand("frame-address", "Address", b.Address, 2),
		byHand("frame-html", "HTML", b.HTML, 3),
		goapp.Div().Class("tools").Body(
			goapp.Button().Type("button").ID("copy-frame-address").Text("Copy address").OnClick(b.onAddress),
			goapp.Button().Type("button").ID("copy-frame-html").Text("Copy HTML").OnClick(b.onHTML),
			goapp.Button().Type("button").Class("quiet").Text("Close").OnClick(b.onClose),
			goapp.Span().Class("copied").Text(done),
		),
	)
}

// frameFlags are the hideFlags that mean something in a frame.
var frameFlags = slices.DeleteFunc(slices.Clone(hideFlags), frameless)

// frameless reports whether a frame lacks the part anyway.
func frameless(flag [2]string) bool { return flag[0] == "nav" || flag[0] == "footer" }

// byHand is a text to copy by hand.
func byHand(id, label, text string, rows int) goapp.UI {
	return goapp.Div().Class("field", "by-hand").Body(
		goapp.Label().For(id).Text(label),
		goapp.Textarea().ID(id).ReadOnly(true).Spellcheck(false).Rows(rows).Text(text),
	)
}

func (b *shareBox) onHide(flag string) goapp.EventHandler {
	return func(ctx goapp.Context, _ goapp.Event) {
		s := &b.S.share
		chosen := slices.DeleteFunc(slices.Clone(s.Hide), func(f string) bool { return f == flag })
		if ctx.JSSrc().Get("checked").Bool() {
			chosen = append(chosen, flag)
		}
		s.Hide = chosen
	}
}

func (b *shareBox) onAddress(goapp.Context, goapp.Event) {
	b.S.copy(b.Address, "Address copied.", &b.S.share.Framed, &b.S.share.Unframe)
}

func (b *shareBox) onHTML(goapp.Context, goapp.Event) {
	b.S.copy(b.HTML, "HTML copied.", &b.S.share.Framed, &b.S.share.Unframe)
}

func (b *shareBox) onClose(goapp.Context, goapp.Event) { b.S.share = share{} }
