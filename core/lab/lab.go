// Package lab runs quantlab's experiments: a wire.Request goes in, wire.Events come out, and at the end a wire.Result.
// The command line, the devserver and the browser's worker all call the same Run; what differs between them is a Host
// (what the machine is and how finely its clock ticks) and a Source (where models and examples come from).
package lab

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/scheme"
)

// EvalBatch is how many examples pass at once while accuracy is measured and while observers watch the calibration
// sample. It matters where a batch's own range decides: dynamic int8 takes the grid of its activations from the batch at
// hand, and a histogram observer grows batch by batch. 64 is the lab's larger latency batch, and small enough for a
// cancelled run in a browser to stop at once.
const EvalBatch = 64

// A Source hands over models and examples: files on a native host, fetched shards in a browser. The callback, which may
// be nil, hears how many bytes of how many have arrived. An error that wraps *dataset.MissingError means that the data
// is not here; the rows concerned then say so, and the run goes on.
type Source interface {
	// Own tells what models and examples of the reader's own there are; nil where there are none.
	Own(ctx context.Context) (*wire.Own, error)
	// Network returns the trained model of that spec with what its file says of it.
	Network(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*nn.Network, modelfile.Meta, error)
	// Test returns the first n examples of the test set, or of spec.Test, in its order; 0 is all of them.
	Test(ctx context.Context, spec nn.Spec, n int, progress func(done, total int64)) (*dataset.Examples, error)
	// Calibration returns the examples that calibrate static quantization: of the training set, or of spec.Calibration.
	Calibration(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*dataset.Examples, error)
	// Sentences returns the texts of the first n examples, in their order; 0 is all of them. The split is dataset.Dev, as Test,
	// dataset.Sample, as Calibration, or dataset.Train.
	Sentences(ctx context.Context, spec nn.Spec, split string, n int, progress func(done, total int64)) (*dataset.Sentences, error)
	// Train returns the whole training set.
	Train(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*dataset.Examples, error)
}

// A Host is the machine that runs the experiments.
type Host struct {
	Name       string               // wire.Browser or wire.Native
	Version    string               // of this program
	Hardware   func() wire.Hardware // what the machine is; Run fills in the kernel engines. Called once a run; nil tells nothing
	MinRun     time.Duration        // a timed run lasts at least this long; 0 is measure.DefaultMinRun
	MaxThreads int                  // the most threads that a request may ask for; 0 is runtime.GOMAXPROCS
	MaxBatch   int                  // the largest batch that fits this host's memory; 0 is wire.MaxBatch
	Share      Share                // lets threads without common memory share batches; nil where a model's own threads do
	Notes      []string             // what the reader must know of every run on this host
	Peaks      Peaks                // measures the machine's limits at the end of a run; nil measures none
	Yield      func()               // called between pieces of work, a few times a second, so that a single thread can receive a cancel; may be nil
}

// Check reports the first setting of the request that this host can't run, in a sentence that says what would do. Run
// checks too; a server calls it before it queues a run.
func (h Host) Check(req wire.Request) error {
	if err := req.Validate(); err != nil {
		return err
	}
	if limit := h.maxThreads(); req.Threads > limit {
		where := "this machine offers"
		if h.Name == wire.Browser {
			where = "this browser offers"
		}
		if limit == 1 {
			return fmt.Errorf("threads %d is more than %s: give 1", req.Threads, where)
		}
		return fmt.Errorf("threads %d is more than %s: give 1 to %d", req.Threads, where, limit)
	}
	for _, b := range req.Batches {
		if h.MaxBatch > 0 && b > h.MaxBatch {
			return fmt.Errorf("batch %d is more than fits here: give 1 to %d", b, h.MaxBatch)
		}
	}
	_, err := kernel.Lookup(req.Engine)
	return err
}

func (h Host) maxThreads() int {
	if h.MaxThreads > 0 {
		return h.MaxThreads
	}
	return min(runtime.GOMAXPROCS(0), wire.MaxThreads)
}

func (h Host) minRun() time.Duration {
	return cmp.Or(h.MinRun, measure.DefaultMinRun)
}

// Describe returns what the host is, with its kernel engines, of which the best is in use unless a request names another.
func (h Host) Describe() wire.Hardware { return h.describe(kernel.Best()) }

func (h Host) describe(engine *kernel.Engine) wire.Hardware {
	hw := wire.Hardware{OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version()}
	if h.Hardware != nil {
		hw = h.Hardware()
	}
	hw.Host, hw.Engine, hw.Engines = h.Name, engine.Name(), nil
	for _, e := range kernel.Engines() {
		hw.Engines = append(hw.Engines, e.Name())
	}
	return hw
}

// short is a variant's title without what follows a comma: "float32", "static int8".
func short(v wire.Variant) string {
	title, _, _ := strings.Cut(v.Title, ",")
	return title
}

// CustomVariant describes a plan of the reader's own as the lab's variants are described.
func CustomVariant(p scheme.Plan) wire.Variant {
	v := wire.Variant{ID: wire.Custom, Q: "--", DType: p[0].Mode.DType(), Title: "your plan"}
	for _, s := range p {
		if s.Mode.DType() != v.DType {
			v.DType = "mixed"
		}
		if s.Mode == scheme.Static {
			v.Q = "S"
		} else if s.Mode != scheme.Float32 && v.Q != "S" {
			v.Q = "D"
		}
	}
	return v
}
