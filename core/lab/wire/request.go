// Package wire holds what crosses the seams between the page, the worker, the devserver and the command line:
// requests, events and result rows, plain structs that encode to JSON. It computes nothing and links no kernel.
package wire

import (
	"fmt"
	"slices"
	"strings"

	"quantlab/core/nn"
)

// A Variant is one way to convert a model: a row of the lab's tables.
type Variant struct {
	ID    string // "dynamic-qint8"
	Q     string // the lab's column Q: "--" baseline, "D" dynamic, "S" static
	DType string // "qint8"
	Title string // "dynamic int8"
}

// Variants returns the lab's variants, in the lab's order; the first is the baseline.
func Variants() []Variant {
	return []Variant{
		{ID: "fp32", Q: "--", DType: "float32", Title: "float32, baseline"},
		{ID: "dynamic-float16", Q: "D", DType: "float16", Title: "float16 weights"},
		{ID: "dynamic-qint8", Q: "D", DType: "qint8", Title: "dynamic int8"},
		{ID: "static-qint8", Q: "S", DType: "qint8", Title: "static int8"},
	}
}

// Baseline is the variant that the others are compared with.
const Baseline = "fp32"

// VariantIDs returns the variants' names, in the lab's order.
func VariantIDs() []string {
	var ids []string
	for _, v := range Variants() {
		ids = append(ids, v.ID)
	}
	return ids
}

// VariantOf returns the variant of that name.
func VariantOf(id string) (Variant, error) {
	for _, v := range Variants() {
		if v.ID == id {
			return v, nil
		}
	}
	return Variant{}, fmt.Errorf("unknown variant %q: choose from %s", id, strings.Join(VariantIDs(), ", "))
}

// How the first layer reads a bag of words.
const (
	Dense  = "dense"  // as the lab times it: a full matrix product
	Sparse = "sparse" // a sum of the weight rows of the words that occur (SST-2 only)
)

// Where the weights of a run come from.
const (
	Shipped = "shipped" // trained once, natively, and cached
	Fresh   = "fresh"   // trained by this host, now, from Seed
)

// Bounds of a Request; they keep a run's memory and time in hand.
const (
	MaxBatch   = 4096
	MaxBatches = 8
	MaxRuns    = 100
	MaxThreads = 64

	MaxBrowserThreads = 8 // each holds every model of a run
)

// A Request says which experiments to run.
type Request struct {
	Models   []string `json:"models"`
	Variants []string `json:"variants"`
	Batches  []int    `json:"batches"`
	Runs     int      `json:"runs"`
	Threads  int      `json:"threads"`
	Input    string   `json:"input"`              // Dense or Sparse
	Engine   string   `json:"engine,omitempty"`   // a kernel engine's name; empty is the best one of the host
	Seed     uint64   `json:"seed"`               // orders the variants and draws made-up inputs; with Fresh also the weights
	Examples int      `json:"examples,omitempty"` // how many test examples measure accuracy; 0 is all
	Weights  string   `json:"weights"`            // Shipped or Fresh

	// Own tells of the models that are not the lab's, and of the examples named below. A host tells of its own in what it gives.
	Own         *Own   `json:"own,omitempty"`
	Test        string `json:"test,omitempty"`        // the reader's own examples that measure accuracy, of the models that read such; "" is each model's test set
	Calibration string `json:"calibration,omitempty"` // the reader's own examples that calibrate; "" is the lab's sample
}

// Catalog returns the models that the request may name.
func (r Request) Catalog() nn.Catalog { return r.Own.Catalog() }

// Lab returns the lab's own settings: every model, every variant, batch 1 and 64, 5 runs, one thread.
func Lab() Request {
	return Request{
		Models: nn.IDs(), Variants: VariantIDs(), Batches: []int{1, 64}, Runs: 5, Threads: 1,
		Input: Dense, Weights: Shipped,
	}
}

// Quick returns the run that the page starts unasked: the smallest model, on its first 1,000 test images.
func Quick() Request {
	r := Lab()
	r.Models, r.Runs, r.Examples = []string{"mnist-lab1"}, 3, 1000
	return r
}

// Validate reports the first setting that no host can run, in a sentence that says what would do.
func (r Request) Validate() error {
	if err := r.validateOwn(); err != nil {
		return err
	}
	if len(r.Models) == 0 {
		return fmt.Errorf("no model chosen: choose from %s", strings.Join(r.Catalog().IDs(), ", "))
	}
	if len(r.Variants) == 0 {
		return fmt.Errorf("no variant chosen: choose from %s", strings.Join(VariantIDs(), ", "))
	}
	if len(r.Batches) == 0 {
		return fmt.Errorf("no batch size chosen: give one from 1 to %d, such as 1,64", MaxBatch)
	}
	for i, id := range r.Models {
		if _, err := r.Catalog().Of(id); err != nil {
			return err
		}
		if slices.Contains(r.Models[:i], id) {
			return fmt.Errorf("model %s is named twice: name it once", id)
		}
	}
	for i, id := range r.Variants {
		if _, err := VariantOf(id); err != nil {
			return err
		}
		if slices.Contains(r.Variants[:i], id) {
			return fmt.Errorf("variant %s is named twice: name it once", id)
		}
	}
	if len(r.Batches) > MaxBatches {
		return fmt.Errorf("%d batch sizes are too many: give at most %d", len(r.Batches), MaxBatches)
	}
	for i, b := range r.Batches {
		if b < 1 || b > MaxBatch {
			return fmt.Errorf("batch %d is out of range: give 1 to %d", b, MaxBatch)
		}
		if slices.Contains(r.Batches[:i], b) {
			return fmt.Errorf("batch %d is named twice: name it once", b)
		}
	}
	if r.Runs < 1 || r.Runs > MaxRuns {
		return fmt.Errorf("runs %d is out of range: give 1 to %d", r.Runs, MaxRuns)
	}
	if r.Threads < 1 || r.Threads > MaxThreads {
		return fmt.Errorf("threads %d is out of range: give 1 to %d", r.Threads, MaxThreads)
	}
	if r.Input != Dense && r.Input != Sparse {
		return fmt.Errorf("unknown input %q: choose %s or %s", r.Input, Dense, Sparse)
	}
	if r.Examples < 0 {
		return fmt.Errorf("examples %d is out of range: give 0 for all, or how many", r.Examples)
	}
	if r.Weights != Shipped && r.Weights != Fresh {
		return fmt.Errorf("unknown weights %q: choose %s or %s", r.Weights, Shipped, Fresh)
	}
	return nil
}

// validateOwn checks what the request tells of the reader's own.
func (r Request) validateOwn() error {
	for _, s := range r.Own.Specs() {
		if err := s.Validate(); err != nil {
			return err
		}
	}
	for _, name := range []string{r.Test, r.Calibration} {
		if name == "" {
			continue
		}
		if _, err := r.Own.DataOf(name); err != nil {
			return err
		}
	}
	return nil
}

// IsLab reports whether the measuring settings are the lab's own: whatever models, variants and batches were chosen,
// their rows can stand in the lab's tables. A kernel engine that was asked for by name is a departure: it decides more of a
// latency than any other setting.
func (r Request) IsLab() bool {
	d := Lab()
	return r.Runs == d.Runs && r.Threads == d.Threads && r.Input == d.Input && r.Engine == d.Engine && r.Examples == 0 && r.Test == "" && r.Calibration == "" && slices.Equal(r.Batches, d.Batches)
}
