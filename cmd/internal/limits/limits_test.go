package limits

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"quantlab/core/kernel"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
)

// counting returns a measurer that finds one more every time.
func counting(calls *int) lab.Peaks {
	return func(_ context.Context, e *kernel.Engine, threads int) (*wire.Peaks, error) {
		*calls++
		n := float64(*calls)
		return &wire.Peaks{Engine: e.Name(), Threads: threads, Float32: n, Float16: n, Int8: n, Read: []wire.Bandwidth{{Bytes: 1, GBs: n}}}, nil
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
