// Package limits keeps the limits of this machine, which take a second to measure, in a file.
package limits

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	"quantlab/cmd/internal/atomicfile"
	"quantlab/core/kernel"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
)

// file is the name of the file in the cache's folder.
const file = "limits.json"

// Of returns what tells a host's limits from those of others.
func Of(h lab.Host) func() Machine {
	return func() Machine { return Machine{CPU: h.Describe().CPU, Version: h.Version} }
}

// A Machine is what limits belong to. Another program has other kernels, and so other limits.
type Machine struct {
	CPU     string `json:"cpu"`
	Version string `json:"version"` // of the program
}

// An entry is what the file holds for one machine, engine and number of threads.
type entry struct {
	Machine
	Peaks *wire.Peaks `json:"peaks"`
}

// Kept returns the measurer that measures what the file in the folder does not hold yet, and adds it. With fresh it measures
// everything anew. A file that can't be read or written only costs the second that measuring takes.
func Kept(folder string, machine func() Machine, fresh bool, measure lab.Peaks) lab.Peaks {
	path := filepath.Join(folder, file)
	return func(ctx context.Context, engine *kernel.Engine, threads int) (*wire.Peaks, error) {
		m, entries := machine(), read(path)
		mine := func(e entry) bool {
			return e.Machine == m && e.Peaks.Engine == engine.Name() && e.Peaks.Threads == threads
		}
		if i := slices.IndexFunc(entries, mine); i >= 0 && !fresh {
			return entries[i].Peaks, nil
		}
		p, err := measure(ctx, engine, threads)
		if err != nil {
			return nil, err
		}
		write(path, append(slices.DeleteFunc(read(path), mine), entry{m, p}))
		return p, nil
	}
}

// Bounds of the file.
const (
	maxEntries = 64      // the oldest, of former versions, go first
	maxBytes   = 1 << 20 // several times what so many take
)

func read(path string) []entry {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxBytes { // not written here
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var entries []entry
	if json.Unmarshal(data, &entries) != nil {
		return nil
	}
	return slices.DeleteFunc(entries, func(e entry) bool { return !usable(e.Peaks) })
}

// usable reports whether what a file says can be computed with, and printed.
func usable(p *wire.Peaks) bool {
	return p != nil && plausible(p.Float32) && plausible(p.Float16) && plausible(p.Int8) &&
		len(p.Read) > 0 && p.Read[0].Bytes > 0 && !p.Measured.IsZero() && !p.Measured.After(time.Now()) &&
		!slices.ContainsFunc(p.Read, func(b wire.Bandwidth) bool { return !plausible(b.GBs) }) &&
		slices.IsSortedFunc(p.Read, func(a, b wire.Bandwidth) int { return cmp.Compare(a.Bytes, b.Bytes) })
}

// plausible reports whether any machine could do so many billions a second.
func plausible(rate float64) bool { return rate > 1e-3 && rate < 1e9 }

func write(path string, entries []entry) {
	entries = entries[max(len(entries)-maxEntries, 0):]
	data, err := json.Marshal(entries)
	if err != nil {
		return
	}
	if os.MkdirAll(filepath.Dir(path), 0o755) == nil {
		_ = atomicfile.WriteBytes(path, data)
	}
}
