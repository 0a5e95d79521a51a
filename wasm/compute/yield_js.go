//go:build js && wasm

package main

import (
	"syscall/js"
	"time"
)

// breath is how long the program computes at most before it lets messages in: a cancelled run is to end within 200 ms.
const breath = 30 * time.Millisecond

// newYield returns a function that lets the worker's event loop run, if it has not for a while. Go in a browser has one
// thread, which it leaves only when every goroutine waits; without this a cancel would arrive after the run. A message to
// oneself comes back in microseconds, where a timer takes 4 ms.
func newYield() func() {
	channel := js.Global().Get("MessageChannel").New()
	back := make(chan struct{}, 1)
	channel.Get("port1").Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any {
		back <- struct{}{}
		return nil
	}))
	port, last := channel.Get("port2"), time.Now()
	return func() {
		if time.Since(last) < breath {
			return
		}
		port.Call("postMessage", nil)
		<-back
		last = time.Now()
	}
}
