package roofline

import "quantlab/core/lab/wire"

// A Report is everything that quantlab roofline tells.
type Report struct {
	Version  string        `json:"version"`
	Hardware wire.Hardware `json:"hardware"`
	Settings wire.Request  `json:"settings"`
	Peaks    *wire.Peaks   `json:"peaks"`
	Cells    []Cell        `json:"cells"`
	Layers   []Layer       `json:"layers,omitempty"`
	Notes    []string      `json:"notes,omitempty"`
}

// A Layer is one dense layer by itself, held against limits that were measured in turns with it.
type Layer struct {
	wire.LayerTime
	Bound   string  `json:"bound"` // Memory or Arithmetic
	Share   float64 `json:"share"` // BoundUS / TimeUS
	BoundUS float64 `json:"bound_us"`
	GMACs   float64 `json:"gmacs"` // reached
	GBs     float64 `json:"gbs"`   // reached, of weights
}

// Layers holds the times against their limits: what is left of a cell's bound where there is one layer whose input is in the
// cache.
func Layers(times []wire.LayerTime) []Layer {
	layers := make([]Layer, 0, len(times))
	for _, t := range times {
		weights := float64(t.In) * float64(t.Out)
		l := Layer{LayerTime: t, Bound: Arithmetic}
		bytes, macs := weights*bytesOf(t.Variant), weights*float64(t.Batch)
		memory, arithmetic := bytes/t.Bandwidth/1e3, macs/t.Peak/1e3
		if memory > arithmetic {
			l.Bound = Memory
		}
		l.BoundUS = max(memory, arithmetic)
		l.Share, l.GMACs, l.GBs = l.BoundUS/t.TimeUS, macs/t.TimeUS/1e3, bytes/t.TimeUS/1e3
		layers = append(layers, l)
	}
	return layers
}
