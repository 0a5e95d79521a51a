package app

import goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

// Save offers the text as a file of that name, by the way of downloads.
func (b browser) Save(name, kind, text string) {
	if bridge := goapp.Window().Get("quantlab"); bridge.Truthy() {
		bridge.Call("save", name, kind, []any{text})
	}
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
