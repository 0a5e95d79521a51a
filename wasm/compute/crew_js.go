//go:build js && wasm

package main

import (
	"context"
	"os"
	"syscall/js"
	"unsafe"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/quant"
)

//go:wasmimport threads put
//go:noescape
func threadsPut(to uint32, p unsafe.Pointer, n uint32)

//go:wasmimport threads get
//go:noescape
func threadsGet(from uint32, p unsafe.Pointer, n uint32)

//go:wasmimport threads start
func threadsStart(model, rows int32)

//go:wasmimport threads finish
func threadsFinish()

//go:wasmimport threads next
func threadsNext() int32

//go:wasmimport threads rows
func threadsRows() int32

//go:wasmimport threads done
func threadsDone()

//go:wasmimport threads meet
//go:noescape
func threadsMeet(p unsafe.Pointer)

// shared is the crew that web/threads.js has bound this program to.
type shared struct{}

func (shared) put(to int, p []float32) {
	threadsPut(uint32(to), unsafe.Pointer(unsafe.SliceData(p)), uint32(len(p)))
}

func (shared) get(from int, p []float32) {
	threadsGet(uint32(from), unsafe.Pointer(unsafe.SliceData(p)), uint32(len(p)))
}

func (shared) start(model, rows int) { threadsStart(int32(model), int32(rows)) }
func (shared) finish()               { threadsFinish() }
func (shared) next() (int, int)      { return int(threadsNext()), int(threadsRows()) }
func (shared) done()                 { threadsDone() }

func (shared) meet(lo, hi float32) (float32, float32) {
	p := [2]float32{lo, hi}
	threadsMeet(unsafe.Pointer(&p))
	return p[0], p[1]
}

// threads is the namespace of web/threads.js.
func threads() js.Value { return js.Global().Get("quantlabThreads") }

// share is this host's lab.Share.
func share(ctx context.Context, models []*quant.Model, n int) (lab.Shared, error) {
	text, files, err := pack(models)
	if err != nil {
		return nil, err
	}
	list := js.Global().Get("Array").New()
	for _, file := range files {
		array := js.Global().Get("Uint8Array").New(len(file))
		js.CopyBytesToJS(array, file)
		list.Call("push", array)
	}
	m := newMember(shared{}, 0, n, models)
	if _, err := await(ctx, threads().Call("share", text, list, n, m.size())); err != nil {
		threads().Call("dismiss") // some may wait for a batch that never comes
		return nil, err
	}
	return m, nil
}

// canShareMemory reports whether this page can have memory in common with its threads.
func canShareMemory() bool {
	return js.Global().Get("crossOriginIsolated").Truthy() && js.Global().Get("SharedArrayBuffer").Truthy()
}

// threadLimit is how many threads this page may have: others need memory that it can share with them.
func threadLimit(threads int) int {
	if !canShareMemory() {
		return 1
	}
	return min(max(threads, 1), wire.MaxBrowserThreads)
}

// isHelper reports whether this program runs in a helper.
func isHelper() bool { return os.Args[0] == "helper" }

// help is the main program of a helper.
func help() {
	var m *member
	equip := js.FuncOf(func(_ js.Value, args []js.Value) any {
		var files [][]byte
		for i := range args[1].Length() {
			file := make([]byte, args[1].Index(i).Length())
			js.CopyBytesToGo(file, args[1].Index(i))
			files = append(files, file)
		}
		models, err := unpack(args[0].String(), files)
		if err != nil {
			return err.Error()
		}
		m = newMember(shared{}, args[2].Int(), args[3].Int(), models)
		return ""
	})
	serve := js.FuncOf(func(js.Value, []js.Value) any {
		m.serve()
		m = nil // its models are many megabytes
		return nil
	})
	threads().Call("ready", equip, serve)
	select {}
}
