package app

import goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

// Save offers the text as a file of that name, by the way of downloads.
func (b browser) Save(name, kind, text string) {
	window := goapp.Window()
	options := goapp.Window().Get("Object").New()
	options.Set("type", kind)
	parts := window.Get("Array").New()
	parts.Call("push", text)
	urls := window.Get("URL")
	address := urls.Call("createObjectURL", window.Get("Blob").New(parts, options))
	document := window.Get("document")
	link := document.Call("createElement", "a")
	link.Set("href", address)
	link.Set("download", name)
	link.Set("target", "_blank") // or the page would take it for a link within itself
	document.Get("body").Call("appendChild", link)
	link.Call("click")
	link.Call("remove")
	b.After(releaseAfter, func() { urls.Call("revokeObjectURL", address) })
}

// Print opens the browser's printing.
func (browser) Print() { goapp.Window().Call("print") }

// Keep keeps a text for later visits. A browser may deny that, or have no more room.
func (browser) Keep(key, text string) (ok bool) {
	defer func() { ok = recover() == nil }()
	storage := goapp.Window().Get("localStorage")
	if text == "" {
		storage.Call("removeItem", key)
	} else {
		storage.Call("setItem", key, text)
	}
	return
}

// Kept returns what was kept, or "".
func (browser) Kept(key string) (text string) {
	defer func() {
		if recover() != nil { // storage is denied
			text = ""
		}
	}()
	if v := goapp.Window().Get("localStorage").Call("getItem", key); v.Truthy() {
		text = v.String()
	}
	return
}
