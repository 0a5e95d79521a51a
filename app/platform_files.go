package app

import (
	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// The kinds of what OnFiles hears.
const (
	filesOver    = "over"    // "true" or "false"
	filesReading = "reading" // nothing more
	filesChosen  = "files"   // a fileChoice
	filesProblem = "problem" // a sentence
)

// A fileChoice is what the reader chose, pasted or dropped at once. The files themselves stay with the bridge, under a number.
type fileChoice struct {
	Number int      `json:"number"`
	Names  []string `json:"names"` // of the first few, with their folders: "digits/7/0001.png"
	Count  int      `json:"count"`
	Bytes  int64    `json:"bytes"` // of all of them
}

// entriesOf returns the keys of what the command names of the reader's own, as the worker keeps it.
func entriesOf(c wire.Command) []string {
	if c.Request == nil || c.Request.Own == nil {
		return nil
	}
	var keys []string
	for _, m := range c.Request.Own.Models {
		keys = append(keys, wire.EntryOf(wire.KindModel, m.Spec.ID))
	}
	for _, d := range c.Request.Own.Data {
		keys = append(keys, wire.EntryOf(wire.KindData, d.Name))
	}
	return keys
}

func (b browser) OnFiles(selector string, hear func(kind, payload string)) (stop func()) {
	files, root := b.bridge("files"), goapp.Window().Get("document").Call("querySelector", selector)
	if !files.Truthy() || !root.Truthy() {
		return func() {}
	}
	f := goapp.FuncOf(func(_ goapp.Value, args []goapp.Value) any {
		if len(args) == 2 {
			hear(args[0].String(), args[1].String())
		}
		return nil
	})
	handle := files.Call("listen", root, f)
	return func() {
		handle.Call("stop")
		f.Release()
	}
}

func (b browser) ForgetFiles(numbers ...int) {
	if files := b.bridge("files"); files.Truthy() {
		files.Call("forget", list(numbers))
	}
}

// list returns the values as JavaScript takes an array of them.
func list[T any](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}
