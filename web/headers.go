// Package web says how the page's files must be served: one table of response headers, by path, for every host of
// the site. The development server applies it to each response; a static host or an edge can be given the same table.
//
// The directory also holds the files themselves: hand-written scripts, style sheet and icons, the generated kernels, and what
// the build puts beside them (app.wasm, compute.wasm, wasm_exec.js and their compressed siblings), which git ignores.
package web

import (
	"net/http"
	"strings"
)

// Where things are on the site.
const (
	// Versioned is the prefix under which every file is also found as Versioned + version + "/web/" + name. What such
	// a path answers never changes, because the version is a hash of all the files together.
	Versioned = "/v/"
	// Data holds the manifest and the shards, whose names carry their content's hash.
	Data = "/data/"
	// Manifest is the one file under Data that changes under its name.
	Manifest = Data + "manifest.json"
	// Kernels is the folder of the modules in WebAssembly SIMD, beside the page's other files.
	Kernels = "kernels"
	// API is answered by a program, and never stored.
	API = "/api/"
	// Embed is the prefix of the views that other sites may show in a frame.
	Embed = "/embed/"
)

// RawLength is the response header that tells the size of a compressed file once decompressed, in bytes. The page's
// loader needs it to show progress: it counts decompressed bytes.
const RawLength = "X-Raw-Length"

// Values of Cache-Control.
const (
	Immutable  = "public, max-age=31536000, immutable"
	Revalidate = "no-cache" // stored, but asked about each time: the entity tag answers with 304
	NoStore    = "no-store"
)

// Policy is the Content-Security-Policy: only files of this site, nothing inline, and of all evaluation only
// WebAssembly's compilation. EmbedPolicy is that of the views below Embed, and differs in who may frame them only.
var (
	Policy      = policy("'none'")
	EmbedPolicy = policy("*")
)

func policy(ancestors string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' 'wasm-unsafe-eval'",
		"style-src 'self'",
		"img-src 'self' data: blob:",
		"font-src 'self'",
		"connect-src 'self'",
		"worker-src 'self'",
		"manifest-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors " + ancestors,
	}, "; ")
}

// framed are the headers of what other sites may show in a frame.
var framed = [][2]string{
	{"Content-Security-Policy", EmbedPolicy},
	{"X-Frame-Options", ""},
	{"Cross-Origin-Resource-Policy", "cross-origin"}, // a site that is isolated itself frames nothing else
}

// A Rule is a set of headers for the paths that it matches.
type Rule struct {
	Path   string      // exact, or a prefix where it ends in "*"
	Header [][2]string // name and value; without a value the header is taken away
}

// Rules are in the order of application: a later one replaces what an earlier one has set.
var Rules = []Rule{
	{Path: "/*", Header: [][2]string{
		// Cross-origin isolation: it sharpens performance.now from 100 µs to 5 µs, which the measurements need.
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Embedder-Policy", "require-corp"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Content-Security-Policy", Policy},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Permissions-Policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " +
			"magnetometer=(), microphone=(), midi=(), payment=(), usb=(), xr-spatial-tracking=()"},
		{"Cache-Control", Revalidate},
	}},
	{Path: strings.TrimSuffix(Embed, "/"), Header: framed},
	{Path: Embed + "*", Header: framed},
	{Path: Versioned + "*", Header: [][2]string{{"Cache-Control", Immutable}}},
	{Path: Data + "*", Header: [][2]string{{"Cache-Control", Immutable}}},
	{Path: Manifest, Header: [][2]string{{"Cache-Control", Revalidate}}},
	{Path: API + "*", Header: [][2]string{{"Cache-Control", NoStore}}},
	{Path: "/healthz", Header: [][2]string{{"Cache-Control", NoStore}}},
}

// SetHeaders sets the headers that the table gives to path. Whoever then answers with an error sets Cache-Control to
// NoStore, lest the error be kept for a year.
func SetHeaders(h http.Header, path string) {
	for _, rule := range Rules {
		if rule.matches(path) {
			for _, kv := range rule.Header {
				if h.Set(kv[0], kv[1]); kv[1] == "" {
					h.Del(kv[0])
				}
			}
		}
	}
}

func (r Rule) matches(path string) bool {
	if prefix, ok := strings.CutSuffix(r.Path, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return path == r.Path
}
