package wire

import "time"

// Peaks are the most that a machine can do, measured with a kernel engine's own instructions on so many threads. They are
// what a roofline is made of.
type Peaks struct {
	Engine  string `json:"engine"`
	Threads int    `json:"threads"`

	// Multiply-adds, in 1e9 a second. Float16 is what a single row of activations can reach, whose product widens each
	// half that it reads; larger batches widen a half once and then multiply as float32 does.
	Float32 float64 `json:"float32_gmacs"`
	Float16 float64 `json:"float16_gmacs"`
	Int8    float64 `json:"int8_gmacs"`

	Read     []Bandwidth `json:"read"`     // by working set, ascending; never empty
	Measured time.Time   `json:"measured"` // when
}

// A Bandwidth is how fast a working set of so many bytes is read, over and over.
type Bandwidth struct {
	Bytes int     `json:"bytes"`
	GBs   float64 `json:"gbs"` // 1e9 bytes a second
}

// A LayerTime is how long one dense layer took by itself: its product with bias and ReLU, in int8 from activations that are
// quantized already. The limits were measured in turns with it.
type LayerTime struct {
	In      int    `json:"in"`
	Out     int    `json:"out"`
	Variant string `json:"variant"`
	Batch   int    `json:"batch"`
	Engine  string `json:"engine"`
	Threads int    `json:"threads"`

	TimeUS    float64 `json:"time_us"`    // the fastest
	Peak      float64 `json:"peak_gmacs"` // of its arithmetic
	Bandwidth float64 `json:"peak_gbs"`   // of reading as many bytes as its weights have
}
