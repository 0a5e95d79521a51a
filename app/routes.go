// Package app is quantlab's page: go-app components that draw what the engines report and ask them to run. It links no
// kernel and computes no result. The files follow the flow of data:
//
//	settings.go   what the reader chose, and its form in the URL
//	state.go      everything the page knows; wire.Events are folded into it
//	session.go    the conductor: turns clicks into commands and events into state; engines.go is its talk with both engines
//	ask.go        its questions to the worker, of which the newest matters
//	platform.go   the browser as the session sees it; platform_browser.go is the real one
//	view.go       the list of views; address.go spells what they show, page.go is the frame around them
//	navigate.go   what a browser does between pages, done between views
//	part.go       boxes that are drawn by themselves, where the whole page would be too slow
//	share.go      the page's link, and its views in frames
//	experiments*  the Experiments view and its parts, each a small component that gets plain values; so are draw*, type* and inspect*
//
// State flows down by value: a component whose values did not change is not rendered again.
package app

import (
	"sync"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

const pageTitle = "quantlab: what does a network lose when its numbers get smaller?"

var registerOnce sync.Once

// Routes tells go-app which paths are pages. The server calls it through Handler, the WebAssembly's main directly.
func Routes() {
	registerOnce.Do(func() {
		for _, path := range paths() {
			goapp.RouteFunc(path, func() goapp.Composer { return newPage() })
		}
	})
}
