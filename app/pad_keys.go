package app

import (
	"fmt"
	"time"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// A keyPen is the pen that the keyboard moves.
type keyPen struct {
	x, y int  // on the drawing's grid
	seen bool // the keyboard has moved it last
	held map[string]bool
	said int // counts its moves, so that its place is told only where it rests
}

// How far one key moves the pen: a little less than a pixel of the nets' field, and three of them.
const (
	keyStep  = wire.DrawingGrid / 32
	keyLeap  = 3 * keyStep
	penRests = 600 * time.Millisecond
)

var arrows = map[string][2]int{"ArrowLeft": {-1, 0}, "ArrowRight": {1, 0}, "ArrowUp": {0, -1}, "ArrowDown": {0, 1}}

func newKeyPen() keyPen {
	return keyPen{x: wire.DrawingGrid / 2, y: wire.DrawingGrid / 4, held: map[string]bool{}}
}

// onKey hears the keys while the pad has the focus.
func (p *pad) onKey(e goapp.Value) {
	if e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool() || e.Get("altKey").Bool() {
		return
	}
	key := e.Get("key").String()
	again := e.Get("repeat").Bool()
	switch key {
	case "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown":
		step := keyStep
		if e.Get("shiftKey").Bool() {
			step = keyLeap
		}
		p.moveKeyPen(key, step)
	case " ", "Enter":
		if !again {
			p.toggleKeyPen()
		}
	case "Backspace":
		p.liftKeyPen()
		p.S.soon(p.S.undoDrawing)
	case "Delete":
		p.liftKeyPen()
		p.S.soon(p.S.clearDrawing)
	case "Escape":
		p.ink.canvas.Call("blur")
	default:
		return
	}
	e.Call("preventDefault")
}

func (p *pad) onKeyUp(e goapp.Value) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.keys.held, e.Get("key").String())
}

// moveKeyPen goes in the direction of all arrows that are held: two of them go askew.
func (p *pad) moveKeyPen(key string, step int) {
	p.mu.Lock()
	if p.down && p.pointer != keyPointer {
		p.mu.Unlock()
		return
	}
	k := &p.keys
	k.held[key] = true
	dx, dy := 0, 0
	for held := range k.held {
		dx, dy = dx+arrows[held][0], dy+arrows[held][1]
	}
	const last = wire.DrawingGrid - 1
	k.x, k.y = min(max(k.x+dx*step, 0), last), min(max(k.y+dy*step, 0), last)
	k.seen = true
	k.said++
	if p.down {
		p.to(k.x, k.y)
	}
	turn := k.said
	p.mu.Unlock()
	p.instruct(true)
	p.S.platform.After(penRests, func() { p.S.later(func() { p.sayPlace(turn) }) })
}

// sayPlace tells where the pen is, unless it has moved on.
func (p *pad) sayPlace(turn int) {
	p.mu.Lock()
	k, down := p.keys, p.down
	p.mu.Unlock()
	if k.said != turn {
		p.S.redraw()
		return
	}
	state := "up"
	if down {
		state = "down"
	}
	p.S.say(fmt.Sprintf("Pen %s, %d%% across, %d%% down.", state, gridPercent(k.x), gridPercent(k.y)))
}

func gridPercent(v int) int { return (100*v + wire.DrawingGrid/2) / wire.DrawingGrid }

func (p *pad) toggleKeyPen() {
	p.mu.Lock()
	k := &p.keys
	down := p.down
	if down && p.pointer != keyPointer {
		p.mu.Unlock()
		return
	}
	k.seen = true
	k.said++
	if !down {
		p.begin(keyPointer)
		p.to(k.x, k.y)
	}
	p.mu.Unlock()
	p.instruct(true)
	if down {
		p.liftKeyPen()
		return
	}
	p.S.soon(func() { p.S.say("Pen down.") })
}

// liftKeyPen ends the keyboard's stroke if there is one.
func (p *pad) liftKeyPen() {
	p.mu.Lock()
	down := p.down && p.pointer == keyPointer
	if down {
		p.end()
	}
	p.mu.Unlock()
	p.refresh()
	if down {
		p.S.soon(func() { p.S.say("Pen up.") })
	}
}

// onBlur lifts the keyboard's pen, which can't be moved from elsewhere.
func (p *pad) onBlur(goapp.Value) {
	p.liftKeyPen()
	p.mu.Lock()
	p.keys.seen = false
	clear(p.keys.held)
	p.mu.Unlock()
	p.instruct(false)
}

// onShortcut hears the keys of the whole page: undo and redo, unless they are meant for a field of text.
func (p *pad) onShortcut(e goapp.Value) {
	if !e.Get("ctrlKey").Bool() && !e.Get("metaKey").Bool() || e.Get("altKey").Bool() {
		return
	}
	target := e.Get("target")
	if !target.Get("matches").Truthy() || target.Call("matches", "select, textarea, input:not([type=checkbox], [type=radio])").Truthy() {
		return
	}
	if p.S.path == allPath && !target.Call("closest", ".draw").Truthy() { // where other views have an undo too
		return
	}
	key := e.Get("key").String()
	switch {
	case key == "z" && !e.Get("shiftKey").Bool():
		p.S.soon(p.S.undoDrawing)
	case key == "y", key == "z" || key == "Z":
		p.S.soon(p.S.redoDrawing)
	default:
		return
	}
	e.Call("preventDefault")
}
