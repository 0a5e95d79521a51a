package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/lab/wire"
)

// Without SST-2 and with the network cut, all that concerns MNIST works; sst2-lab2, which comes with the program, gets
// sizes and latencies; and what needs SST-2 says how to supply it. In the browser and natively.
func TestOffline(t *testing.T) {
	s := offline(t)
	t.Run("browser", func(t *testing.T) { withoutSST2(t, s.base, wire.Browser) })
	t.Run("native", func(t *testing.T) { withoutSST2(t, s.base, wire.Native) })
}

func withoutSST2(t *testing.T, address, host string) {
	tb := openAt(t, address, "/?models=mnist-lab1,sst2-lab1,sst2-lab2&variants=fp32,static-qint8&batches=1&runs=1&where="+host, 4*time.Minute)
	tb.click("#run")
	for _, model := range []string{"mnist-lab1", "sst2-lab2"} {
		for _, variant := range []string{wire.Baseline, "static-qint8"} {
			tb.until("the row of "+model+", "+variant+" is there", `document.querySelector('`+row(model, variant, host)+`')`)
		}
	}
	tb.finished()
	const untested = "not measured here: SST-2 missing"
	rows := tb.results()
	if len(rows) != 6 {
		t.Errorf("%d rows, want 6", len(rows))
	}
	for _, r := range rows {
		name := r.Model + ", " + r.Variant
		switch r.Model {
		case "mnist-lab1":
			if r.Total != 10000 || r.Accuracy == nil || *r.Accuracy < 0.96 || r.Note != "" {
				t.Errorf("%s: %d of %d right, note %q", name, r.Correct, r.Total, r.Note)
			}
		case "sst2-lab2":
			if r.Accuracy != nil || !strings.HasPrefix(r.Note, untested) {
				t.Errorf("%s: accuracy %v, note %q", name, r.Accuracy, r.Note)
			}
			if r.SizeBytes < 1e6 || r.LatencyUS["1"].Mean <= 0 {
				t.Errorf("%s: %d bytes, latency %+v", name, r.SizeBytes, r.LatencyUS["1"])
			}
		case "sst2-lab1":
			if r.Accuracy != nil || r.Note != untested || len(r.LatencyUS) > 0 {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
	if text := js[string](tb, `document.body.innerText`); !strings.Contains(text, "Not measured here: SST-2 missing") || !strings.Contains(text, prepare.EnvData) {
		t.Errorf("the page says neither what is missing nor how to supply it:\n%s", text)
	}
	picture(tb, "offline-"+host)
}

// offline starts a devserver of its own: the network cut, no SST-2, and a cache that holds no more than MNIST's models.
func offline(t *testing.T) *devserver {
	t.Helper()
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cache, empty := filepath.Join(t.TempDir(), "cache"), t.TempDir()
	if err := os.MkdirAll(filepath.Join(cache, "models"), 0o755); err != nil {
		t.Fatal(err)
	}
	// The names hold a hash of the settings, whether SST-2 is here or not; what is not there yet is trained again.
	models, err := filepath.Glob(filepath.Join(store.CacheDir(), "models", "mnist-*.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range models {
		data, err := os.ReadFile(model)
		if err == nil {
			err = os.WriteFile(filepath.Join(cache, "models", filepath.Base(model)), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const nowhere = "http://127.0.0.1:9" // the discard port, on which nobody listens
	s, err := start(empty, []string{
		prepare.EnvCache + "=" + cache, prepare.EnvData + "=" + empty,
		"HTTP_PROXY=" + nowhere, "HTTPS_PROXY=" + nowhere, "NO_PROXY=127.0.0.1,localhost",
		"http_proxy=" + nowhere, "https_proxy=" + nowhere, "no_proxy=127.0.0.1,localhost",
		"GOPROXY=off", "GOFLAGS=-mod=mod",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the devserver printed:\n%s", s.log)
		}
		s.stop()
	})
	return s
}

// A cancelled run ends within a fraction of a second, also in the browser's largest model and wherever it is. The bound
// is generous, as the machine may be busy; it still tells a cancel that is heard from one that waits for the run to end.
func TestCancelIsPrompt(t *testing.T) {
	for _, where := range []string{wire.Browser, wire.Native} {
		for _, at := range []string{"loading", "calibrating", "accuracy", "batch 64"} {
			t.Run(where+" "+at, func(t *testing.T) {
				tb := open(t, "/?models=sst2-lab1&batches=64&runs=100&where="+where, 2*time.Minute)
				tb.click("#run")
				tb.until("it is "+at, `document.querySelector('#step')?.innerText.includes('sst2-lab1') && (
					document.querySelector('#step').innerText.includes('`+at+`') || /accuracy|batch/.test(document.querySelector('#step').innerText))`)
				took := promptly(tb)
				t.Logf("cancelled after %.0f ms", took)
				if took > 2000 {
					t.Errorf("it took %.0f ms to cancel", took)
				}
			})
		}
	}
}

// promptly clicks on Cancel and returns after how many milliseconds the page says that the run was cancelled.
func promptly(tb *tab) float64 {
	tb.Helper()
	js[bool](tb, `(() => {
		window.cancelled = undefined
		const start = performance.now()
		document.querySelector('#cancel').click()
		const wait = () => /^Cancelled/.test(document.querySelector('#step')?.innerText) ? window.cancelled = performance.now() - start : setTimeout(wait, 5)
		wait()
		return true
	})()`)
	tb.until("it is cancelled", `window.cancelled !== undefined`)
	return js[float64](tb, `window.cancelled`)
}
