//go:build !pageonly

package app

import (
	_ "embed"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// RawSizeHeader is the response header in which the server states the size of app.wasm before compression. The loader
// counts decompressed bytes, so that Content-Length, the size on the wire, would take its progress beyond 100%.
const RawSizeHeader = "X-Raw-Length"

// serviceWorker replaces go-app's, which fetches every file a second time while the page measures, and goes on serving
// yesterday's page. Whoever serves the page lists its files in Handler.CacheableResources.
//
//go:embed serviceworker.js
var serviceWorker string

const description = "A playground for post-training quantization: four small networks in float32, float16 and int8, " +
	"measured in your own browser and beside it natively. Size, accuracy and latency, with their uncertainty."

// Handler returns the handler of the page: its HTML, rendered once on the server so that something is there to read
// before WebAssembly is, and go-app's own scripts. The version must change with every build and with nothing else: it
// is the page's ETag and tells an open page that a newer one is to be had. Static files, compression and security
// headers are the server's part; /web/app.wasm should carry RawSizeHeader.
func Handler(version string) *goapp.Handler {
	Routes()
	return &goapp.Handler{
		Version:     version,
		Name:        "quantlab",
		ShortName:   "quantlab",
		Title:       pageTitle,
		Description: description,
		Keywords:    []string{"quantization", "int8", "float16", "neural network", "WebAssembly", "benchmark"},
		Author:      "the quantlab authors",
		Icon: goapp.Icon{
			Default:    "/web/icon-192.png",
			Large:      "/web/icon-512.png",
			AppleTouch: "/web/icon-192.png",
			SVG:        "/web/icon.svg",
		},
		BackgroundColor: "#fbfaf7",
		ThemeColor:      "#0b5fa5",
		LoadingLabel:    "Loading the page: {progress}%",
		Styles:          []string{"/web/quantlab.css", "/web/chart.css", "/web/figure.css", "/web/draw.css", "/web/type.css", "/web/inspect.css", "/web/paper.css", "/web/report.css", "/web/sensitivity.css", "/web/training.css", "/web/models.css"},
		// Without defer, so that it runs before go-app's deferred scripts and its worker starts loading at once.
		Scripts:                 []string{"/web/quantlab.js", "/web/own.js defer", "/web/files.js defer", "/web/pictures.js defer"},
		WasmContentLengthHeader: RawSizeHeader,
		ServiceWorkerTemplate:   serviceWorker,
		CacheableResources:      paths(),
		RawHeaders: []string{
			// go-app asks for it only once its scripts have run.
			`<link rel="preload" as="fetch" crossorigin="anonymous" href="/v/` + version + `/web/app.wasm">`,
			// go-app forbids zooming; of two viewports a browser heeds the last.
			`<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">`,
			`<meta name="color-scheme" content="light dark">`,
		},
	}
}
