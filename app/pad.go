package app

import (
	"sync"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// pad is the canvas that the reader draws on. It listens to the browser's events itself, without go-app, which would lay the page out
// anew for each; a point of the pen is on the screen before its handler returns, and the session hears of it when it comes to it. The
// page renders the pad anew only when a field changes.
type pad struct {
	goapp.Compo
	S      *session
	Look   int // changes whenever what is on the pad does, but for the pen
	Invert bool
	Empty  bool
	Label  string

	mu       sync.Mutex // the browser's events come on goroutines of their own
	ink      *ink
	stroke   *penStroke // of the pen that is down, or was last
	down     bool
	pointer  int                               // whose stroke it is
	box      struct{ left, top, side float64 } // of the canvas in the window; the side is 0 where that is not known
	pointing bool                              // the focus comes from a pointer
	keys     keyPen
	release  []func()
}

// A penStroke is a stroke on its way from the pen to the session.
type penStroke struct {
	points  []int // x, y, x, y, …
	handed  int   // how much of them the session has heard of
	handing bool  // it is about to hear of the rest
}

// rest returns the points that the session has not heard of, and counts them as heard.
func (k *penStroke) rest() []int {
	points := append([]int(nil), k.points[k.handed:]...)
	k.handed = len(k.points)
	return points
}

// keyPointer is the pointer of the keyboard's pen; the browser's are not below 0.
const keyPointer = -1

func (p *pad) Render() goapp.UI {
	class, hint := "pad", ""
	if p.Invert {
		class += " inverted"
	}
	if p.Empty {
		hint = "Draw a digit here"
	}
	canvas := goapp.Canvas().ID("pad").Class("pad-field").Width(wire.DigitSide).Height(wire.DigitSide).
		Aria("label", p.Label).Aria("describedby", "pad-keys").Aria("roledescription", "drawing pad")
	// Without WebAssembly there is nothing to do with it.
	if goapp.IsClient {
		canvas = canvas.Attr("role", "application").TabIndex(0)
	} else {
		canvas = canvas.Attr("role", "img")
	}
	return goapp.Div().Class(class).Body(
		canvas,
		goapp.P().Class("pad-hint").Aria("hidden", "true").Text(hint),
		goapp.P().Class("pad-drop").Aria("hidden", "true").Text("Drop the picture here"),
		goapp.P().Class("pad-keys").ID("pad-keys").Body(
			goapp.Kbd().Text("Arrows"), goapp.Text(" move the pen, two at once go askew, "),
			goapp.Kbd().Text("Shift"), goapp.Text(" in larger steps. "),
			goapp.Kbd().Text("Space"), goapp.Text(" puts it down and lifts it. "),
			goapp.Kbd().Text("Backspace"), goapp.Text(" undoes, "),
			goapp.Kbd().Text("Delete"), goapp.Text(" clears, "),
			goapp.Kbd().Text("Esc"), goapp.Text(" leaves."),
		),
	)
}

// OnMount runs in the browser, once the canvas is there.
func (p *pad) OnMount(goapp.Context) {
	box := p.JSValue()
	canvas := box.Call("querySelector", "canvas")
	p.ink = newInk(canvas)
	p.keys = newKeyPen()
	p.on(canvas, "pointerdown", p.onDown)
	p.on(canvas, "pointermove", p.onMove)
	p.on(canvas, "pointerup", p.onUp)
	p.on(canvas, "pointercancel", p.onUp)
	p.on(canvas, "lostpointercapture", p.onUp)
	p.on(goapp.Window(), "scroll", func(goapp.Value) { p.move() })
	p.on(canvas, "contextmenu", func(e goapp.Value) { // a long touch
		if p.isDown() {
			e.Call("preventDefault")
		}
	})
	p.on(canvas, "keydown", p.onKey)
	p.on(canvas, "keyup", p.onKeyUp)
	p.on(canvas, "focus", func(goapp.Value) { p.instruct(!p.pointing) })
	p.on(canvas, "blur", p.onBlur)
	p.on(goapp.Window().Get("document"), "keydown", p.onShortcut)
	p.on(goapp.Window().Call("matchMedia", "(prefers-color-scheme: dark)"), "change", func(goapp.Value) { p.refresh() })
	p.observe(canvas)
	p.listenToPictures(box)
	p.refresh()
}

// OnUpdate runs when a field has changed.
func (p *pad) OnUpdate(goapp.Context) { p.refresh() }

func (p *pad) OnDismount() {
	for _, f := range p.release {
		f()
	}
	p.release = nil
}

// on listens to an event until the pad is dismounted.
func (p *pad) on(target goapp.Value, event string, hear func(e goapp.Value)) {
	f := goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		if len(args) > 0 {
			hear(args[0])
		}
		return nil
	})
	target.Call("addEventListener", event, f)
	p.release = append(p.release, func() {
		target.Call("removeEventListener", event, f)
		f.Release()
	})
}

// observe follows the size of the canvas, which no event tells of.
func (p *pad) observe(canvas goapp.Value) {
	class := goapp.Window().Get("ResizeObserver")
	if !class.Truthy() {
		p.on(goapp.Window(), "resize", func(goapp.Value) { p.refresh() })
		return
	}
	f := goapp.FuncOf(func(goapp.Value, []goapp.Value) any {
		p.refresh()
		return nil
	})
	observer := class.New(f)
	observer.Call("observe", canvas)
	p.release = append(p.release, func() {
		observer.Call("disconnect")
		f.Release()
	})
}

// listenToPictures hears of pictures that are chosen, pasted or dropped in the view.
func (p *pad) listenToPictures(box goapp.Value) {
	bridge := goapp.Window().Get("quantlab")
	if !bridge.Truthy() || !bridge.Get("pictures").Truthy() {
		return
	}
	f := goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		if len(args) == 2 {
			kind, payload := args[0].String(), args[1].String()
			p.S.soon(func() { p.S.hearPicture(kind, payload) })
		}
		return nil
	})
	stop := bridge.Get("pictures").Call("listen", box.Call("closest", ".draw"), f)
	p.release = append(p.release, func() {
		stop.Call("stop")
		f.Release()
	})
}

// move forgets where the canvas is in the window.
func (p *pad) move() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.box.side = 0
}

func (p *pad) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

func (p *pad) onDown(e goapp.Value) {
	if p.isDown() || e.Get("button").Int() != 0 { // a second finger, the ball of the hand, another button
		return
	}
	pointer := e.Get("pointerId")
	capture(p.ink.canvas, pointer)
	p.instruct(false)
	p.pointing = true
	p.ink.canvas.Call("focus", map[string]any{"preventScroll": true}) // which calls the listener before it returns
	p.pointing = false
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys.seen = false
	p.begin(pointer.Int())
	p.follow(e)
}

// instruct shows the keys' instructions, which are for those who came with the keyboard, or hides them.
func (p *pad) instruct(on bool) {
	p.ink.canvas.Call("toggleAttribute", "data-keys", on)
	p.refresh()
}

// capture keeps the pointer's events coming when it leaves the canvas. The browser refuses that for a pointer that is gone by now.
func capture(canvas, pointer goapp.Value) {
	defer func() { _ = recover() }()
	canvas.Call("setPointerCapture", pointer)
}

func (p *pad) onMove(e goapp.Value) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down && e.Get("pointerId").Int() == p.pointer {
		p.follow(e)
	}
}

func (p *pad) onUp(e goapp.Value) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down && e.Get("pointerId").Int() == p.pointer {
		if e.Get("type").String() == "pointerup" {
			p.follow(e)
		}
		p.end()
	}
}

// follow draws where the pointer has been since the last event: all places, not only those of each frame.
func (p *pad) follow(e goapp.Value) {
	if p.box.side <= 0 { // asked once a stroke: it makes the browser lay the page out
		box := p.ink.canvas.Call("getBoundingClientRect")
		p.box.left, p.box.top, p.box.side = box.Get("left").Float(), box.Get("top").Float(), max(box.Get("width").Float(), 1)
	}
	at := func(e goapp.Value) {
		p.to(onGrid((e.Get("clientX").Float()-p.box.left)/p.box.side), onGrid((e.Get("clientY").Float()-p.box.top)/p.box.side))
	}
	if !e.Get("getCoalescedEvents").Truthy() {
		at(e)
		return
	}
	between := e.Call("getCoalescedEvents")
	n := between.Get("length").Int()
	for i := range n {
		at(between.Index(i))
	}
	if n == 0 {
		at(e)
	}
}

// onGrid is the place on the drawing's grid of a share of the field; the pen stays within.
func onGrid(share float64) int {
	return min(max(int(share*wire.DrawingGrid), 0), wire.DrawingGrid-1)
}

// begin puts the pen down.
func (p *pad) begin(pointer int) {
	p.stroke, p.down, p.pointer, p.box.side = &penStroke{}, true, pointer, 0
}

// to moves the pen that is down.
func (p *pad) to(x, y int) {
	k := p.stroke
	n := len(k.points)
	if n >= 2 && k.points[n-2] == x && k.points[n-1] == y {
		return
	}
	if n == 0 && p.S.Draw.sketch.Example != nil { // which the first stroke replaces
		p.ink.clear()
	}
	k.points = append(k.points, x, y)
	p.ink.advance(k.points)
	p.hand(k)
}

// hand lets the session have the points that it has not heard of, as soon as it comes to it.
func (p *pad) hand(k *penStroke) {
	if k.handing {
		return
	}
	k.handing = true
	p.S.soon(func() {
		p.mu.Lock()
		began := k.handed == 0
		points := k.rest()
		k.handing = false
		p.mu.Unlock()
		switch {
		case len(points) > 0 && !p.S.penMoves(points):
			p.refuse(k)
		case began:
			p.S.redraw(drawPart)
		default: // the answer comes with the next frame
			p.S.redraw()
		}
	})
}

// refuse ends a stroke that the session has no room for.
func (p *pad) refuse(k *penStroke) {
	p.mu.Lock()
	if p.stroke == k {
		p.stroke, p.down = &penStroke{}, false
	}
	p.mu.Unlock()
	p.refresh()
}

// end lifts the pen.
func (p *pad) end() {
	p.down = false
	points := p.stroke.rest()
	p.S.soon(func() {
		if len(points) > 0 {
			p.S.penMoves(points)
		}
		p.S.penUp()
	})
}

// refresh draws everything anew.
func (p *pad) refresh() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ink == nil {
		return
	}
	d := &p.S.Draw
	p.ink.fit()
	p.ink.clear()
	under := d.sketch.Digit
	if pic := d.sketch.Picture; pic != nil {
		under = pic.Centred
		if d.AsDrawn {
			under = pic.AsDrawn
		}
	}
	if len(under) == digitPixels && !(p.down && d.sketch.Example != nil) {
		p.ink.picture(under)
	}
	for _, s := range d.sketch.Strokes {
		p.ink.polyline(s)
	}
	p.ink.polyline(d.stroke)
	if p.down {
		p.ink.polyline(p.stroke.points)
	}
	if p.keys.seen {
		p.ink.ring(p.keys.x, p.keys.y, p.down)
	}
}
