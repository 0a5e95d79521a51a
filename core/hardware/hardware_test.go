package hardware

import (
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"quantlab/core/lab/wire"
)

// This machine, whatever it is.
func TestDetect(t *testing.T) {
	h := Detect()
	t.Logf("%+v", h)
	for name, s := range map[string]string{"CPU": h.CPU, "accelerator": h.Accelerator, "OS": h.OS} {
		if s == "" || s != strings.TrimSpace(s) || strings.ContainsAny(s, "\n\t") {
			t.Errorf("%s is %q", name, s)
		}
	}
	if h.Arch != runtime.GOARCH || h.Go != runtime.Version() {
		t.Errorf("%s, %s", h.Arch, h.Go)
	}
	if h.ClockNS <= 0 || h.ClockNS > 2e7 {
		t.Errorf("the clock steps by %v ns", h.ClockNS)
	}
	if h.Instructions == nil {
		t.Error("instructions would be null in JSON")
	}
	if h.Engine != "" || h.Engines != nil {
		t.Errorf("engines are the caller's to fill: %q, %q", h.Engine, h.Engines)
	}
	if runtime.GOOS == "js" {
		if h.Host != wire.Browser || h.Isolated == nil || h.SIMD == "" || h.Browser == "" {
			t.Errorf("a browser is described by %+v", h)
		}
		return
	}
	if h.Host != wire.Native || h.Isolated != nil || h.SIMD != "" || h.Browser != "" {
		t.Errorf("a native host is described by %+v", h)
	}
	if h.Threads < 1 || h.Threads != runtime.GOMAXPROCS(0) {
		t.Errorf("%d threads", h.Threads)
	}
	if runtime.GOOS == "linux" && (h.MemoryBytes < 1<<20 || h.Cores < 1 || !strings.Contains(h.OS, "Linux")) {
		t.Errorf("Linux tells memory %d, cores %d, system %q", h.MemoryBytes, h.Cores, h.OS)
	}
	if runtime.GOARCH == "amd64" && h.CPU == Unknown {
		t.Error("every amd64 processor knows its name")
	}
}

func TestBrowserOfBrands(t *testing.T) {
	tests := []struct {
		brands []brand
		want   string
	}{
		{nil, ""},
		{[]brand{{"Not)A;Brand", "8"}, {"Chromium", "138"}, {"Google Chrome", "138"}}, "Chrome 138"},
		{[]brand{{"Google Chrome", "138"}, {"Not)A;Brand", "8"}, {"Chromium", "138"}}, "Chrome 138"},
		{[]brand{{"Microsoft Edge", "137.0.1"}, {"Chromium", "137"}, {"Not/A)Brand", "24"}}, "Edge 137"},
		{[]brand{{"Chromium", "156"}, {"Not_A Brand", "24"}}, "Chromium 156"},
		{[]brand{{"HeadlessChrome", "156"}, {"Chromium", "156"}}, "Chrome, headless 156"},
		{[]brand{{"Brave", "136"}, {"Chromium", "136"}}, "Brave 136"},
		{[]brand{{"Not A;Brand", "99"}}, ""},
		{[]brand{{"a\nb\x00" + strings.Repeat("x", 500), "1"}}, "ab" + strings.Repeat("x", 58) + " 1"},
	}
	for _, tt := range tests {
		if got := browserOfBrands(tt.brands); got != tt.want {
			t.Errorf("%v is %q, want %q", tt.brands, got, tt.want)
		}
	}
}

func TestAgents(t *testing.T) {
	tests := []struct{ agent, browser, system string }{
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", "Chrome 138", "Linux"},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36", "Chrome, headless 156", "Linux"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.3351.65", "Edge 138", "Windows"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36 OPR/121.0.0.0", "Opera 121", "Windows"},
		{"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0", "Firefox 141", "Linux"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "Safari 18", "macOS"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", "Safari 18", "iOS"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.7204.53 Mobile/15E148 Safari/604.1", "Chrome 138", "iOS"},
		{"Mozilla/5.0 (Android 15; Mobile; rv:141.0) Gecko/141.0 Firefox/141.0", "Firefox 141", "Android"},
		{"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "Samsung Internet 28", "Android"},
		{"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", "Chrome 138", "ChromeOS"},
		{"Node.js/22", "Node.js 22", ""},
		{"", "", ""},
		{"curl/8", "", ""},
	}
	for _, tt := range tests {
		if got := browserOfAgent(tt.agent); got != tt.browser {
			t.Errorf("%s is %q, want %q", tt.agent, got, tt.browser)
		}
		if got := systemOfAgent(tt.agent); got != tt.system {
			t.Errorf("%s runs on %q, want %q", tt.agent, got, tt.system)
		}
	}
}

func TestSIMDLevel(t *testing.T) {
	accept := func(modules ...*[]byte) func([]byte) bool {
		return func(m []byte) bool {
			for _, a := range modules {
				if &(*a)[0] == &m[0] {
					return true
				}
			}
			return false
		}
	}
	for want, validate := range map[string]func([]byte) bool{
		"none": accept(), "simd128": accept(&simd128Module), "relaxed": accept(&simd128Module, &relaxedModule),
	} {
		if got := simdLevel(validate); got != want {
			t.Errorf("level %s, want %s", got, want)
		}
	}
}

func FuzzAgents(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", "138")
	f.Add("Version/\x00 Safari/", "\xff")
	f.Fuzz(func(t *testing.T, agent, version string) {
		for _, s := range []string{browserOfAgent(agent), systemOfAgent(agent), browserOfBrands([]brand{{agent, version}, {version, agent}})} {
			if len(s) > 600 || strings.ContainsAny(s, "\x00\n\x1b") || !utf8.ValidString(s) {
				t.Errorf("%q, %q became %q", agent, version, s)
			}
		}
	})
}
