package limits

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quantlab/core/kernel"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
)

// counting returns a measurer that finds one more every time.
func counting(calls *int) lab.Peaks {
	return func(_ context.Context, e *kernel.Engine, threads int) (*wire.Peaks, error) {
		*calls++
		n := float64(*calls)
		return &wire.Peaks{Engine: e.Name(), Threads: threads, Float32: n, Float16: n, Int8: n, Read: []wire.Bandwidth{{Bytes: 1, GBs: n}}, Measured: time.Now()}, nil
	}
}

func TestKept(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "made when it is needed")
	e := kernel.Best()
	calls := 0
	ask := func(m Machine, fresh bool, threads int) float64 {
		t.Helper()
		p, err := Kept(folder, func() Machine { return m }, fresh, counting(&calls))(t.Context(), e, threads)
		if err != nil || p.Engine != e.Name() || p.Threads != threads {
			t.Fatalf("%+v, error %v", p, err)
		}
		return p.Int8
	}
	here, there, later := Machine{"a", "1"}, Machine{"b", "1"}, Machine{"a", "2"}
	for i, c := range []struct {
		m       Machine
		fresh   bool
		threads int
		want    float64
	}{
		{here, false, 1, 1}, {here, false, 1, 1}, {there, false, 1, 2}, {later, false, 1, 3}, {here, false, 2, 4},
		{here, false, 1, 1}, {here, true, 1, 5}, {here, false, 1, 5}, {there, false, 1, 2}, {here, false, 2, 4},
	} {
		if got := ask(c.m, c.fresh, c.threads); got != c.want {
			t.Errorf("%d: %v, want %v", i, got, c.want)
		}
	}
	for _, damaged := range []string{"", "{", "[]", `[{"cpu":"a","version":"1"}]`, `[{"cpu":"a","version":"1","peaks":{"engine":"` + e.Name() + `","threads":1}}]`} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if before := calls; ask(here, false, 1) != float64(before+1) {
			t.Errorf("a file of %q was believed", damaged)
		}
	}
	huge := append(bytes.Repeat([]byte(" "), maxBytes), "[]"...)
	if err := os.WriteFile(filepath.Join(folder, file), huge, 0o644); err != nil {
		t.Fatal(err)
	}
	if ask(here, false, 1); ask(here, false, 1) != float64(calls) {
		t.Error("a file that is too large was not replaced")
	}
}

func TestUsable(t *testing.T) {
	good := func() *wire.Peaks {
		return &wire.Peaks{Float32: 50, Float16: 40, Int8: 200, Read: []wire.Bandwidth{{Bytes: 10, GBs: 20}, {Bytes: 20, GBs: 10}}, Measured: time.Now()}
	}
	if !usable(good()) || usable(nil) {
		t.Error("good limits are refused, or none are taken")
	}
	for name, damage := range map[string]func(p *wire.Peaks){
		"no rate":            func(p *wire.Peaks) { p.Float16 = 0 },
		"a subnormal rate":   func(p *wire.Peaks) { p.Float32 = 5e-324 },
		"a huge rate":        func(p *wire.Peaks) { p.Int8 = 1e308 },
		"a huge bandwidth":   func(p *wire.Peaks) { p.Read[1].GBs = 1e308 },
		"no bandwidths":      func(p *wire.Peaks) { p.Read = nil },
		"a set of no bytes":  func(p *wire.Peaks) { p.Read[0].Bytes = 0 },
		"sets out of order":  func(p *wire.Peaks) { p.Read[1].Bytes = 5 },
		"a time of its own":  func(p *wire.Peaks) { p.Measured = time.Now().Add(time.Hour) },
		"no time at all":     func(p *wire.Peaks) { p.Measured = time.Time{} },
		"a negative set too": func(p *wire.Peaks) { p.Read[0].Bytes = -1 << 62 },
	} {
		if p := good(); usable(p) {
			if damage(p); usable(p) {
				t.Errorf("%s: taken for limits", name)
			}
		}
	}
}

func TestKeptErrors(t *testing.T) {
	folder := t.TempDir()
	broken := func(context.Context, *kernel.Engine, int) (*wire.Peaks, error) { return nil, errors.New("no more") }
	m := func() Machine { return Machine{} }
	if _, err := Kept(folder, m, false, broken)(t.Context(), kernel.Best(), 1); err == nil {
		t.Error("no error")
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("a failure left %v", left)
	}
	calls := 0
	nowhere := filepath.Join(folder, "file", "folder")
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if p, err := Kept(nowhere, m, false, counting(&calls))(t.Context(), kernel.Best(), 1); err != nil || p.Int8 != 1 {
		t.Errorf("without a folder: %+v, error %v", p, err)
	}
}
