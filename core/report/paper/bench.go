package paper

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/roofline"
)

// A bench is what was measured on one machine with one engine and one number of threads: what can be compared.
type bench struct {
	name     string // of the machine: "native", and where there are several "native B"
	settings wire.Request
	engines  []string // that the machine has
	rows     []wire.Row
	peaks    *wire.Peaks
	cells    []roofline.Cell
}

// has reports whether the row's model and variant were measured already.
func (b *bench) has(row wire.Row) bool {
	return slices.ContainsFunc(b.rows, func(r wire.Row) bool { return r.Model == row.Model && r.Variant == row.Variant })
}

// machines names the different machines of a study in order of appearance: "native", "browser"; with letters where there are
// several of a kind.
type machines struct {
	all []wire.Hardware
}

// same reports whether two descriptions are of one machine; its engine, its clock and the release of its system may differ from run
// to run.
func same(a, b wire.Hardware) bool {
	return a.Host == b.Host && a.CPU == b.CPU && a.Cores == b.Cores && a.Threads == b.Threads && a.MemoryBytes == b.MemoryBytes && a.Browser == b.Browser && a.Arch == b.Arch
}

func (m *machines) add(h wire.Hardware) {
	if h.Host != "" && m.index(h) < 0 {
		m.all = append(m.all, h)
	}
}

func (m *machines) index(h wire.Hardware) int {
	return slices.IndexFunc(m.all, func(k wire.Hardware) bool { return same(k, h) })
}

// name is the machine's name in tables.
func (m *machines) name(h wire.Hardware) string {
	host := cmp.Or(h.Host, "unknown")
	of, at := 0, 0
	for i, k := range m.all {
		if k.Host == h.Host {
			if i == m.index(h) {
				at = of
			}
			of++
		}
	}
	if of < 2 {
		return host
	}
	return host + " " + letter(at)
}

// letter is A, B, …, and beyond Z a number.
func letter(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return strconv.Itoa(i + 1)
}

// machinesOf collects the machines of all parts.
func machinesOf(s wire.Study) *machines {
	m := &machines{}
	for _, p := range s.Results {
		m.add(p.Hardware)
	}
	for _, p := range settings(s) {
		m.add(p.Hardware)
	}
	return m
}

// modelsOf are the models that any part may name.
func modelsOf(s wire.Study) nn.Catalog {
	var all []wire.Request
	for _, r := range s.Results {
		all = append(all, r.Settings)
	}
	for _, p := range settings(s) {
		all = append(all, p.Settings)
	}
	return report.Models(all...)
}

// settings are those of the parts beside the runs.
func settings(s wire.Study) []wire.Setting {
	var out []wire.Setting
	for _, p := range s.Sensitivity {
		out = append(out, p.Setting)
	}
	for _, p := range s.Plans {
		out = append(out, p.Setting)
	}
	for _, p := range s.Sweeps {
		out = append(out, p.Setting)
	}
	for _, p := range s.AMP {
		out = append(out, p.Setting)
	}
	return out
}

// benches sorts the runs' rows by what can be compared: native before browser, then the most rows first. What was measured again
// goes to a bench of its own.
func benches(s wire.Study, models nn.Catalog, m *machines) []*bench {
	type key struct {
		machine, engine, input string
		threads, again         int
	}
	var order []*bench
	byKey := map[key]*bench{}
	for _, r := range s.Results {
		for _, row := range r.Rows {
			k := key{machine: m.name(r.Hardware), engine: row.Engine, input: r.Settings.Input, threads: row.Threads}
			for byKey[k] != nil && byKey[k].has(row) {
				k.again++
			}
			b := byKey[k]
			if b == nil {
				b = &bench{name: m.name(r.Hardware), settings: r.Settings, engines: r.Hardware.Engines}
				byKey[k], order = b, append(order, b)
			}
			b.rows = append(b.rows, row)
			if p := r.Peaks; p != nil && b.peaks == nil && p.Engine == row.Engine && p.Threads == row.Threads {
				b.peaks = p
			}
		}
	}
	for _, b := range order {
		report.SortRows(b.rows, models)
		b.cells = roofline.Cells(b.rows, models, b.peaks)
	}
	slices.SortStableFunc(order, func(a, b *bench) int {
		native := func(b *bench) int {
			if b.rows[0].Host == wire.Native {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(native(a), native(b)), cmp.Compare(len(b.rows), len(a.rows)))
	})
	return order
}

// cell finds the roofline's word on a latency; nil where there is none, or its limits were measured too low.
func (b *bench) cell(model, variant string, batch int) *roofline.Cell {
	for i, c := range b.cells {
		if c.Model == model && c.Variant == variant && c.Batch == batch && !roofline.Exceeds(c.Share) {
			return &b.cells[i]
		}
	}
	return nil
}

// baseline finds a model's float32 row.
func (b *bench) baseline(model string) *wire.Row {
	for i, r := range b.rows {
		if r.Model == model && r.Variant == wire.Baseline {
			return &b.rows[i]
		}
	}
	return nil
}

// taskOf is a model's data set as one writes it; "" for a stranger's.
func taskOf(model string) string {
	spec, err := nn.SpecOf(model)
	if err != nil {
		return ""
	}
	return map[string]string{nn.MNIST: "MNIST", nn.SST2: "SST-2"}[spec.Data]
}

// labOf is which of a task's models it is: "lab1".
func labOf(model string) string {
	if taskOf(model) == "" {
		return ""
	}
	return model[len(model)-4:]
}

// variantName is a variant as a sentence names it: "static int8".
func variantName(id string) string {
	if id == "dynamic-float16" {
		return "float16" // "float16 weights" is a plural
	}
	return line(report.VariantTitle(id))
}

// cite names a latency as the roofline does: "mnist-lab2, static int8, batch 64".
func cite(model, variant string, batch int) string {
	s := model + ", " + line(report.VariantTitle(variant))
	if batch > 0 {
		s += ", batch " + strconv.Itoa(batch)
	}
	return s
}

// batchOf reads a key of latencies.
func batchOf(key string) int {
	n, _ := strconv.Atoi(key)
	return n
}

// inBatch words a batch size.
func inBatch(batch int) string { return fmt.Sprintf("at batch %d", batch) }
