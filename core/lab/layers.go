package lab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/quant"
)

// wideLayer is how many outputs a layer must have for LayerTimes to time it: in smaller ones the call counts.
const wideLayer = 256

// eachLayer is how long a layer, and each of its limits, is measured.
const eachLayer = 100 * time.Millisecond

// LayerTimes times the wide dense layers of the models one by one, on random numbers, in turns with the limits that bound
// them. The callback, which may be nil, hears how many shapes of how many are done.
func LayerTimes(ctx context.Context, engine *kernel.Engine, req wire.Request, progress func(done, total int)) ([]wire.LayerTime, error) {
	team := kernel.NewTeam(req.Threads)
	defer team.Close()
	var times []wire.LayerTime
	shapes := wideLayers(req)
	for i, s := range shapes {
		if progress != nil {
			progress(i, len(shapes))
		}
		t, err := newLayerTimer(engine, team, s, slices.Max(req.Batches)).measure(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("layer %d x %d: %w", s.in, s.out, err)
		}
		times = append(times, t...)
	}
	return times, nil
}

type shape struct{ in, out int }

// wideLayers returns the shapes of its models' wide layers, each once.
func wideLayers(req wire.Request) []shape {
	var shapes []shape
	for _, id := range req.Models {
		spec, err := req.Catalog().Of(id)
		if err != nil { // the request was validated
			continue
		}
		dims := spec.Dims()
		for i := 1; i < len(dims); i++ {
			if s := (shape{dims[i-1], dims[i]}); s.out >= wideLayer && !slices.Contains(shapes, s) {
				shapes = append(shapes, s)
			}
		}
	}
	return shapes
}

// A layerTimer times one shape.
type layerTimer struct {
	shape
	calls map[string]func(rows int) // one a variant
	bench
}

// newLayerTimer packs the layer in every format, for batches of up to rows.
func newLayerTimer(e *kernel.Engine, team *kernel.Team, s shape, rows int) *layerTimer {
	random := rand.New(rand.NewPCG(1, 1))
	w, bias := make([]float32, s.in*s.out), make([]float32, s.out)
	for i := range w {
		w[i] = float32(random.NormFloat64()) / 16
	}
	x, y := make([]float32, rows*s.in), make([]float32, rows*s.out)
	xq, yq := make([]uint8, rows*s.in), make([]uint8, rows*s.out)
	for i := range x {
		x[i], xq[i] = random.Float32(), uint8(random.IntN(128))
	}
	grid := kernel.Grid{Scale: 1.0 / 64, Zero: 0, Min: 0, Max: 127}
	wq, scale, zero := quant.QuantizeWeights(w, s.out, s.in, quant.WeightQuantizer{Bits: 8, Symmetric: true})
	f32 := e.PackF32(w, bias, s.out, s.in, true)
	f16 := e.PackF16(quant.Halves(w), bias, s.out, s.in, true)
	i8 := e.PackI8(wq, s.out, s.in, scale, zero, bias, true)
	static := i8.Requantize(grid, grid)
	grids, scratch := []kernel.Grid{grid}, new(kernel.Scratch)
	scratch.Reserve(rows, s.out)
	return &layerTimer{
		shape: s, bench: bench{engine: e, team: team},
		calls: map[string]func(rows int){
			"fp32":            func(rows int) { f32.Forward(team, y, x, rows) },
			"dynamic-float16": func(rows int) { f16.Forward(team, y, x, rows) },
			"dynamic-qint8":   func(rows int) { i8.Dynamic(team, y, xq, rows, grids, scratch) },
			"static-qint8":    func(rows int) { static.Forward(team, yq, xq, rows, scratch) },
		},
	}
}

func (t *layerTimer) measure(ctx context.Context, req wire.Request) ([]wire.LayerTime, error) {
	var times []wire.LayerTime
	var layers []int // the candidates of the times
	var peaks, reads []limit
	for _, v := range wire.Variants() {
		call := t.calls[v.ID]
		if call == nil || !slices.Contains(req.Variants, v.ID) {
			continue
		}
		for _, rows := range req.Batches {
			kind, each := arithmetic(v, rows)
			peaks, reads = append(peaks, t.peak(kind)), append(reads, t.read(each*t.in*t.out))
			layers = append(layers, t.add(v.ID, func() error { call(rows); return nil }))
			times = append(times, wire.LayerTime{
				In: t.in, Out: t.out, Variant: v.ID, Batch: rows, Engine: t.engine.Name(), Threads: req.Threads,
			})
		}
	}
	best, err := measure.Fastest(ctx, t.candidates, eachLayer)
	if err != nil {
		return nil, err
	}
	for i := range times {
		times[i].TimeUS = best[layers[i]] / 1e3
		times[i].Peak, times[i].Bandwidth = peaks[i].rate(best), reads[i].rate(best)
	}
	return times, nil
}

// arithmetic returns what kind of multiply-adds bounds a variant's layer, and the bytes of a weight.
func arithmetic(v wire.Variant, rows int) (kind kernel.Kind, each int) {
	switch {
	case v.DType == "qint8":
		return kernel.Int8, 1
	case v.DType == "float16" && rows == 1:
		return kernel.Float16, 2
	case v.DType == "float16":
		return kernel.Float32, 2
	}
	return kernel.Float32, 4
}
