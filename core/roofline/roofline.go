// Package roofline holds measured latencies against what the machine can do at the most, and says in words which limit each
// meets: Williams, Waterman and Patterson, Roofline: an insightful visual performance model for multicore
// architectures, CACM 52 (2009).
//
// The bound of a forward pass is the shortest time in which the machine could make it. Each layer takes at least as long as
// its multiply-adds at the peak of its arithmetic, and as long as reading its weights at the bandwidth of a working set
// of the whole net's weights; both can overlap, so the larger counts, and the layers' times add up. In detail:
//
//   - Weights count as they are stored: 4 bytes in float32, 2 in float16, 1 in int8. Biases, scales and activations between
//     layers, which stay in the caches, count nothing. A dense input counts 4 bytes an element, read with the first layer's
//     weights; dynamic int8 must have seen all of it before it multiplies, so that reads it once more, beforehand.
//   - Halves are widened and multiplied in float32: once for each row at batch 1, which is the float16 peak, and for larger
//     batches once in all, which leaves the float32 peak.
//   - A sparse first layer multiplies the weights of the elements that are there, and reads each of these once.
//   - The time that a bound is compared with is that of the fastest burst of calls, where bursts were timed, or of the fastest
//     run, as the limits are those of the fastest bursts: what else happens on a machine only ever adds time.
//
// The package is pure: it imports no kernel, so the page can compute cells too.
package roofline

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// What a cell is bound by.
const (
	Memory     = "memory"     // reading weights
	Arithmetic = "arithmetic" // multiply-adds
	Overhead   = "overhead"   // calls, and passes over activations: see overheadUS
)

// A cell is bound by overhead where it takes more than twice its bound and the difference is a matter of calls: so few µs.
const (
	overheadShare = 0.5
	overheadUS    = 10
)

// A Cell is one latency, and what limits it.
type Cell struct {
	Model    string  `json:"model"`
	Variant  string  `json:"variant"`
	Batch    int     `json:"batch"`
	Bound    string  `json:"bound"`    // Memory, Arithmetic or Overhead
	Share    float64 `json:"share"`    // BoundUS / TimeUS: 1 is the machine's limit
	Sentence string  `json:"sentence"` // the same in words

	Host    string `json:"host"`
	Engine  string `json:"engine"`
	Threads int    `json:"threads"`
	Input   string `json:"input"`

	TimeUS       float64 `json:"time_us"`  // the fastest
	BoundUS      float64 `json:"bound_us"` // no pass can take less
	MultiplyAdds float64 `json:"multiply_adds"`
	WeightBytes  float64 `json:"weight_bytes"` // that a pass reads
	GMACs        float64 `json:"gmacs"`        // reached, 1e9 multiply-adds a second
	GBs          float64 `json:"gbs"`          // reached, 1e9 bytes of weights a second
	Peak         float64 `json:"peak_gmacs"`   // of this arithmetic
	Bandwidth    float64 `json:"peak_gbs"`     // of this working set

	Predicted float64 `json:"predicted,omitempty"` // times faster than the baseline by the bounds; 0 for the baseline itself
	Measured  float64 `json:"measured,omitempty"`  // times faster than the baseline by the times

	spec nn.Spec // the model's
	in   input
}

// Intensity is the cell's multiply-adds per byte of weights, the x of a roofline.
func (c Cell) Intensity() float64 { return c.MultiplyAdds / c.WeightBytes }

// Cells returns a cell for each latency of the rows that were measured with the peaks' engine and threads: models, variants
// and batches in these models' and the lab's order. No peaks give none.
func Cells(rows []wire.Row, models nn.Catalog, p *wire.Peaks) []Cell {
	if p == nil || len(p.Read) == 0 {
		return nil
	}
	var cells []Cell
	for _, r := range rows {
		if r.Engine == p.Engine && r.Threads == p.Threads {
			cells = append(cells, cellsOf(r, models, p)...)
		}
	}
	ids, variants := models.IDs(), wire.VariantIDs()
	slices.SortStableFunc(cells, func(a, b Cell) int {
		return cmp.Or(
			cmp.Compare(slices.Index(ids, a.Model), slices.Index(ids, b.Model)),
			cmp.Compare(slices.Index(variants, a.Variant), slices.Index(variants, b.Variant)),
			cmp.Compare(a.Batch, b.Batch),
		)
	})
	for i := range cells {
		c := &cells[i]
		base := slices.IndexFunc(cells, func(b Cell) bool {
			return b.Variant == wire.Baseline && b.Model == c.Model && b.Batch == c.Batch && b.Host == c.Host
		})
		if base >= 0 && c.Variant != wire.Baseline {
			c.Predicted, c.Measured = cells[base].BoundUS/c.BoundUS, cells[base].TimeUS/c.TimeUS
			c.Sentence = c.words(&cells[base], p)
			continue
		}
		c.Sentence = c.words(nil, p)
	}
	return cells
}

func cellsOf(r wire.Row, models nn.Catalog, p *wire.Peaks) []Cell {
	spec, err := models.Of(r.Model)
	if err != nil {
		return nil
	}
	var cells []Cell
	for key, l := range r.LatencyUS {
		batch, err := strconv.Atoi(key)
		time := fastest(l)
		if err != nil || batch < 1 || !(time > 0) || math.IsInf(time, 0) {
			continue
		}
		in := input{l.NonZeros, l.Columns}
		w, ok := workOf(spec, r.Variant, batch, in)
		if !ok {
			continue
		}
		c := Cell{
			Model: r.Model, Variant: r.Variant, Batch: batch, Host: r.Host, Engine: r.Engine, Threads: r.Threads, Input: r.Input,
			TimeUS: time, spec: spec, in: in,
		}
		b := w.bound(p)
		c.MultiplyAdds, c.WeightBytes, c.BoundUS = w.macs(), w.bytes(), b.total()/1e3
		c.Peak, c.Bandwidth = w.peak(p), BandwidthOf(p, w.bytes()+w.input)
		c.GMACs, c.GBs, c.Share = c.MultiplyAdds/c.TimeUS/1e3, c.WeightBytes/c.TimeUS/1e3, c.BoundUS/c.TimeUS
		if !(c.Share > 0) || math.IsInf(c.Share, 0) { // limits of zero, say, which some file or page brought
			continue
		}
		switch {
		case c.Share < overheadShare && c.TimeUS-c.BoundUS < overheadUS:
			c.Bound = Overhead
		case b.memory > b.arithmetic:
			c.Bound = Memory
		default:
			c.Bound = Arithmetic
		}
		cells = append(cells, c)
	}
	return cells
}

// fastest returns the shortest time of a pass, in µs; 0 where none was measured.
func fastest(l wire.Latency) float64 {
	if l.Fastest > 0 || len(l.Samples) == 0 {
		return l.Fastest
	}
	return slices.Min(l.Samples)
}

// BandwidthOf returns the read bandwidth of a working set of so many bytes, in GB/s: between two measured sizes that of a
// straight line over the logarithm of the size.
func BandwidthOf(p *wire.Peaks, bytes float64) float64 {
	after, found := slices.BinarySearchFunc(p.Read, bytes, func(b wire.Bandwidth, bytes float64) int {
		return cmp.Compare(float64(b.Bytes), bytes)
	})
	switch {
	case found || after == 0:
		return p.Read[after].GBs
	case after == len(p.Read):
		return p.Read[after-1].GBs
	}
	lo, hi := p.Read[after-1], p.Read[after]
	at := math.Log(bytes/float64(lo.Bytes)) / math.Log(float64(hi.Bytes)/float64(lo.Bytes))
	return lo.GBs + at*(hi.GBs-lo.GBs)
}

// WorkingSets returns the bytes of the weights of the lab's networks in every format: what bandwidths to measure.
func WorkingSets() []int {
	var sizes []int
	for _, spec := range nn.Specs() {
		for _, each := range []int{4, 2, 1} {
			sizes = append(sizes, WeightBytes(spec, each))
		}
	}
	return sizes
}

// WeightBytes counts the bytes of a network's weights that have so many each.
func WeightBytes(spec nn.Spec, each int) (n int) {
	dims := spec.Dims()
	for i := 1; i < len(dims); i++ {
		n += dims[i-1] * dims[i] * each
	}
	return n
}
