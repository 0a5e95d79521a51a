//go:build js && wasm

// Command compute is the program of the page's Web Worker: it carries out wire.Commands and answers with wire.Envelopes,
// both as JSON text. It reads models and examples from the site that served it. The build writes it to web/compute.wasm;
// web/worker.js runs it.
package main

import (
	"os"
	"sync"
	"syscall/js"

	"quantlab/core/hardware"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/library"
	"quantlab/core/play"
)

// version is set by the linker.
var version = "devel"

// dataPath is where the site keeps its manifest and shards (web.Data; that package would link net/http).
const dataPath = "/data/"

// maxBatch bounds a forward pass, which nothing interrupts while it is timed: of the largest model it then takes seconds,
// not minutes, and its dense input 30 MB.
const maxBatch = 512

func main() {
	if isHelper() {
		help()
	}
	global, detect := js.Global(), sync.OnceValue(hardware.Detect)
	host := lab.Host{
		Name:       wire.Browser,
		Version:    version,
		Hardware:   detect,
		MaxThreads: threadLimit(detect().Threads),
		MaxBatch:   maxBatch,
		Share:      share,
		Peaks:      lab.Remembering(lab.Limits),
		Yield:      newYield(),
	}
	if note := missingKernels(host.Describe(), os.Args[1:]); note != "" {
		host.Notes = append(host.Notes, note)
	}
	if !canShareMemory() {
		host.Notes = append(host.Notes, "this page can't share memory between threads here: it computes with one, and its clock is coarse")
	}
	data := newKept(site{path: dataPath}, openShelf())
	shelf := &lasting{browser: database{}}
	src := &library.Source{Source: newSource(data), Library: library.New(shelf)}
	s := newSession(host, src, play.NewBench(host, src), play.NewBench(host, src), func(envelope string) {
		global.Call("postMessage", []any{"message", envelope})
	}, newParts)
	s.notes, s.collection.notes, s.tell = data.notes, shelf.notes, others(s.hearOthers)
	if global.Get("BroadcastChannel").Truthy() {
		s.watch = neighbours()
	}
	s.introduce() // before the page can ask for a run: what it asks for depends on what this host has
	// A panic in the callback or in any goroutine ends the program; worker.js then tells the page so, with its words.
	global.Call("quantlabReady", js.FuncOf(func(_ js.Value, args []js.Value) any {
		s.receive(args[0].String(), newUploads(args[1:])...)
		return nil
	}))
	s.tellOwn()
	select {}
}
