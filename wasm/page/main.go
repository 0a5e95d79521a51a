// Command page is the page as WebAssembly: it draws and asks, and computes nothing. The build writes it to web/app.wasm.
package main

import (
	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/app"
)

func main() {
	app.Routes()
	app.Breathe() // Go's start and its packages' have taken a while, and go-app's does too
	goapp.RunWhenOnBrowser()
}
