//go:build js && wasm

package main

import "syscall/js"

// runsChannel is where runs of all tabs meet. One that begins says start, to which those that go on answer too; at its end
// it says end. The service worker listens as well, and does its loading when nothing is measured.
const runsChannel = "quantlab runs"

// neighbours is how the session watches for runs in other tabs.
func neighbours() func() (met func() bool, end func()) {
	channel := js.Global().Get("BroadcastChannel").New(runsChannel)
	say := func(word string) { channel.Call("postMessage", word) }
	running, heard := false, false
	channel.Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		word := args[0].Get("data").String()
		if running && (word == "start" || word == "too") {
			heard = true
		}
		if running && word == "start" {
			say("too")
		}
		return nil
	}))
	return func() (func() bool, func()) {
		running, heard = true, false
		say("start")
		return func() bool { return heard }, func() {
			running = false
			say("end")
		}
	}
}
