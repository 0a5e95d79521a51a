//go:build js && wasm

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall/js"
)

// A database is a library.Shelf in the browser's database, by way of web/own.js.
type database struct{}

// call calls a function of web/own.js.
func (database) call(ctx context.Context, name string, args ...any) (js.Value, error) {
	return await(ctx, js.Global().Get("quantlabOwn").Call(name, args...))
}

// Names implements library.Shelf.
func (d database) Names(ctx context.Context) ([]string, error) {
	keys, err := d.call(ctx, "names")
	if err != nil {
		return nil, storageError(err)
	}
	var names []string
	for i := range keys.Length() {
		if key := keys.Index(i); key.Type() == js.TypeString {
			names = append(names, key.String())
		}
	}
	return names, nil
}

// Get implements library.Shelf.
func (d database) Get(ctx context.Context, name string) ([]byte, error) {
	blob, err := d.call(ctx, "get", name)
	if err != nil {
		return nil, storageError(err)
	}
	if !blob.InstanceOf(js.Global().Get("Blob")) {
		return nil, fmt.Errorf("this browser stores no %s: %w", name, fs.ErrNotExist)
	}
	data, err := readBlob(ctx, blob)
	if err != nil {
		return nil, storageError(err)
	}
	return data, nil
}

// Put implements library.Shelf.
func (d database) Put(ctx context.Context, name string, data []byte) error {
	_, err := d.call(ctx, "put", name, js.Global().Get("Blob").New([]any{toJS(data)}))
	return storageError(err)
}

// Remove implements library.Shelf.
func (d database) Remove(ctx context.Context, name string) error {
	_, err := d.call(ctx, "remove", name)
	return storageError(err)
}

// storageError says in a sentence what the browser's database refused.
func storageError(err error) error {
	var refusal js.Error
	if !errors.As(err, &refusal) {
		return err // nil, or the context's
	}
	if name := refusal.Value.Get("name"); name.Type() == js.TypeString {
		return refused(name.String(), refusal.Error())
	}
	return refused("", refusal.Error())
}

func toJS(data []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	return array
}

// readBlob reads a Blob, or a File, which is one.
func readBlob(ctx context.Context, blob js.Value) ([]byte, error) {
	buffer, err := await(ctx, blob.Call("arrayBuffer"))
	if err != nil {
		return nil, err
	}
	array := js.Global().Get("Uint8Array").New(buffer)
	data := make([]byte, array.Length())
	js.CopyBytesToGo(data, array)
	return data, nil
}

// newUploads returns the files that came beside a command, if any, as web/files.js lists them.
func newUploads(lists []js.Value) []upload {
	if len(lists) == 0 {
		return nil
	}
	var files []upload
	for i := range lists[0].Length() {
		named := lists[0].Index(i)
		file := named.Get("file")
		files = append(files, upload{
			name: named.Get("name").String(),
			size: int64(file.Get("size").Float()),
			read: func(ctx context.Context) ([]byte, error) { return readBlob(ctx, file) },
		})
	}
	return files
}

// parts is a download whose pieces wait in JavaScript.
type parts struct{ list, transfer js.Value }

func newParts() download {
	array := js.Global().Get("Array")
	return parts{list: array.New(), transfer: array.New()}
}

// Write implements io.Writer.
func (p parts) Write(data []byte) (int, error) {
	array := toJS(data)
	p.list.Call("push", array)
	p.transfer.Call("push", array.Get("buffer"))
	return len(data), nil
}

func (p parts) offer(name string) {
	file := map[string]any{"name": name, "type": "application/octet-stream", "parts": p.list}
	js.Global().Call("postMessage", []any{"file", file}, p.transfer)
}

// ownChannel is where tabs tell each other that what is the reader's own has changed.
const ownChannel = "quantlab own"

// others returns how to tell other tabs of a change; heard is called when one of them has changed something.
func others(heard func()) (tell func()) {
	class := js.Global().Get("BroadcastChannel")
	if !class.Truthy() {
		return func() {}
	}
	channel := class.New(ownChannel)
	channel.Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any {
		go heard()
		return nil
	}))
	return func() { channel.Call("postMessage", "changed") }
}
