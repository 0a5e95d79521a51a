package app

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// browser is the platform of a real tab.
type browser struct {
	ctx    goapp.Context // of the page, which lives as long as the tab
	follow func()        // hears before a link is followed
}

func (browser) bridge(part string) goapp.Value {
	b := goapp.Window().Get("quantlab")
	if !b.Truthy() {
		return b
	}
	return b.Get(part)
}

// Subscribe's callback is never released: the worker speaks for as long as the tab lives.
func (b browser) Subscribe(f func(kind, payload string)) error {
	worker := b.bridge("browser")
	if !worker.Truthy() {
		return errors.New("The page's script quantlab.js did not load. Reload the page.") //lint:ignore ST1005 shown as it is
	}
	worker.Call("subscribe", goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		if len(args) == 2 {
			f(args[0].String(), args[1].String())
		}
		return nil
	}))
	return nil
}

func (b browser) Send(command string, files ...int) {
	worker := b.bridge("browser")
	switch {
	case !worker.Truthy():
	case len(files) > 0:
		worker.Call("import", command, list(files))
	default:
		worker.Call("send", command)
	}
}

func (b browser) Restart() {
	worker := b.bridge("browser")
	if !worker.Truthy() {
		goapp.Window().Get("location").Call("reload")
		return
	}
	worker.Call("restart")
}

// NativeRun releases its callback some time after the last event: until then the bridge may call it once more, when a
// request that is over is cancelled all the same.
func (b browser) NativeRun(command string, entries []string, event func(string)) (cancel func()) {
	native := b.bridge("native")
	if !native.Truthy() {
		event(`{"kind":"error","text":"The page's script quantlab.js did not load. Reload the page."}`)
		return func() {}
	}
	var hear goapp.Func
	hear = goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		if len(args) == 0 {
			return nil
		}
		e := args[0].String()
		event(e)
		if isLast(e) {
			b.After(releaseAfter, hear.Release)
		}
		return nil
	})
	handle := native.Call("run", command, hear, list(entries))
	return func() {
		if handle.Truthy() {
			handle.Call("cancel")
		}
	}
}

const releaseAfter = 10 * time.Second

// isLast looks at how an event begins only: the last one may be megabytes.
func isLast(event string) bool {
	return slices.ContainsFunc([]string{wire.EventDone, wire.EventError, wire.EventCancel}, func(kind string) bool {
		return strings.HasPrefix(event, `{"kind":"`+kind+`"`)
	})
}

func (b browser) NativeHardware(f func(hardware, problem string)) {
	native := b.bridge("native")
	if !native.Truthy() {
		f("", "the page's script quantlab.js did not load")
		return
	}
	var answer goapp.Func
	answer = goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		hardware, problem := "", "no native engine answered"
		if len(args) > 0 && args[0].Truthy() {
			hardware, problem = args[0].String(), ""
		} else if len(args) > 1 && args[1].Truthy() {
			problem = args[1].String()
		}
		f(hardware, problem)
		answer.Release()
		return nil
	})
	native.Call("hardware", answer)
}

// NativeStatus's callback is never released: it is one for the tab, and the bridge may hold an event back.
func (b browser) NativeStatus(f func(status string)) (stop func()) {
	native := b.bridge("native")
	if !native.Truthy() {
		return func() {}
	}
	handle := native.Call("status", goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		if len(args) > 0 {
			f(args[0].String())
		}
		return nil
	}))
	return func() {
		if handle.Truthy() {
			handle.Call("close")
		}
	}
}

func (browser) OnHide(f func()) {
	document := goapp.Window().Get("document")
	document.Call("addEventListener", "visibilitychange", goapp.FuncOf(func(goapp.Value, []goapp.Value) any {
		if document.Get("visibilityState").String() == "hidden" {
			f()
		}
		return nil
	}))
}

// Copy tries the asynchronous clipboard, which wants a secure context and a focused tab, and then the old command.
func (b browser) Copy(text string, done func(ok bool)) {
	clipboard := goapp.Window().Get("navigator").Get("clipboard")
	if !clipboard.Truthy() {
		done(copyBySelection(text))
		return
	}
	var yes, no goapp.Func
	settle := func(f func()) func(goapp.Value, []goapp.Value) any {
		return func(goapp.Value, []goapp.Value) any {
			f()
			yes.Release()
			no.Release()
			return nil
		}
	}
	yes = goapp.FuncOf(settle(func() { done(true) }))
	no = goapp.FuncOf(settle(func() { done(copyBySelection(text)) }))
	clipboard.Call("writeText", text).Call("then", yes, no)
}

func copyBySelection(text string) bool {
	document := goapp.Window().Get("document")
	before := document.Get("activeElement")
	area := document.Call("createElement", "textarea")
	area.Set("value", text)
	area.Set("className", "offscreen")
	area.Set("readOnly", true)
	document.Get("body").Call("appendChild", area)
	area.Call("select")
	ok := document.Call("execCommand", "copy")
	area.Call("remove")
	if before.Truthy() {
		before.Call("focus")
	}
	return ok.Truthy()
}

func (b browser) SetQuery(query string) (ok bool) {
	defer func() { ok = recover() == nil }()
	u := goapp.Window().URL()
	b.ctx.Page().ReplaceURL(b.address(u.Path, query, u.Fragment))
	return
}

func (b browser) Address(path, query string) string { return b.address(path, query, "").String() }

func (b browser) address(path, query, fragment string) *url.URL {
	u := *goapp.Window().URL()
	u.Path, u.RawPath, u.RawQuery, u.ForceQuery, u.Fragment = path, "", query, false, fragment
	return &u
}

// OnFollow listens ahead of go-app, which follows links by itself. One that opens a page of its own is left to the browser.
func (b browser) OnFollow(f func()) {
	document := goapp.Window().Get("document")
	document.Call("addEventListener", "click", goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		link := args[0].Get("target").Call("closest", "a[href]")
		if !link.Truthy() {
			return nil
		}
		if link.Get("target").String() == "_blank" {
			args[0].Call("stopPropagation")
			return nil
		}
		b.follow()
		f()
		return nil
	}), true)
}

func (browser) After(d time.Duration, f func()) { setTimeout(d, f) }

// setTimeout is used in place of Go's timers, because one of those that is due while Go is busy goes on in the same task, and the
// browser has no turn in between.
func setTimeout(d time.Duration, f func()) {
	var call goapp.Func
	call = goapp.FuncOf(func(goapp.Value, []goapp.Value) any {
		call.Release()
		f()
		return nil
	})
	goapp.Window().Call("setTimeout", call, d.Milliseconds())
}

// Breathe lets the browser have its turn, and returns in a task of its own.
func Breathe() {
	if goapp.IsServer {
		return
	}
	turn := make(chan struct{})
	setTimeout(0, func() { close(turn) })
	<-turn
}
