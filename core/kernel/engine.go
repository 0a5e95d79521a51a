package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// An Engine is a table of the kernels that suit one kind of processor. A new engine starts from newPortable's table and
// replaces what it does faster.
type Engine struct {
	name string

	// definedFloats says that the float32 layers, dense and sparse, give the bits of the portable ones.
	definedFloats bool

	packF32 func(w, bias []float32, out, in int, relu bool) floatProduct
	packF16 func(w []uint16, bias []float32, out, in int, relu bool) floatProduct
	packI8  func(w []int8, out, in int) intProduct

	// combine adds a weighted sum of rows: y[j] += Σk value[k]·w[index[k]*ld + j], in ascending k. The int8 form's
	// weights of the rows are value[k]-zero.
	combineF32 func(y, w []float32, ld int, index []int32, value []float32)
	combineF16 func(y []float32, w []uint16, ld int, index []int32, value []float32)
	combineI8  func(acc []int32, w []int8, ld int, index []int32, value []uint8, zero int32)

	finish func(y, bias []float32, relu bool) // see portable finish

	// What happens to activations before and after an integer product: see elementwise.go and epilogue.go, whose
	// functions define them.
	rangeOf         func(x []float32) (lo, hi float32)
	quantize        func(dst []uint8, x []float32, g Grid)
	quantizeDynamic func(dst []uint8, x []float32, g Grid)
	dequantize      func(dst []float32, x []uint8, g Grid)
	dequantizeSums  func(p *epilogue, y []float32, acc []int32, from int, xsum int32, g Grid)
	requantizeSums  func(r *requantizer, y []uint8, acc []int32, from int, xsum int32)

	gemm func(j *gemmJob, part, parts int) // a part of a product of training

	// Low types: see low.go and gemm_low.go.
	lower       lowTypes[func(dst []uint16, src []float32)]
	raise       lowTypes[func(dst []float32, src []uint16)]
	round       lowTypes[func(x []float32)]
	gemmLow     lowTypes[func(j *lowJob, part, parts int)] // nil where gemm emulates it
	gemmFlushes bool                                       // gemm obeys gemmJob.flush, and leaves no product out

	// Steps of Adam: see adam.go.
	adam     func(r *AdamRates, s AdamStep, w, g, m, v []float32)
	adamIdle func(r *AdamRates, steps []AdamStep, w, m, v []float32)

	gate func(sum, dy, y []float32) // see portable gate

	// What the roofline measures: see Peak and Read.
	peak     func(k Kind, n int) int
	read     func(p []byte) byte
	readAlso func(p []byte) byte // in another order, which is the faster one at times; nil for none
}

// A floatProduct is a packed float layer: weights, bias and ReLU.
type floatProduct interface {
	// width is how many neighbouring outputs are packed together: work is split at its multiples.
	width() int
	// multiply writes the outputs lo to hi-1 of every row of y, rows x out, from x, rows x in. lo is a multiple of the
	// width; hi is too, or it is out. An output's bits depend on neither rows, lo nor hi.
	multiply(y, x []float32, rows, lo, hi int)
}

// An intProduct is a packed int8 weight matrix. Its methods are like floatProduct's; what it writes are plain sums of
// integer products.
type intProduct interface {
	width() int
	multiply(acc []int32, x []uint8, rows, lo, hi int)
}

// A fusedProduct is an intProduct that can also round its sums before they leave the registers. Its methods write the same
// integers and floats as multiply followed by the epilogue would. They serve weights without zero points, and one grid
// for all rows.
type fusedProduct interface {
	intProduct
	dynamic(y []float32, x []uint8, rows, lo, hi int, p *epilogue, g Grid)
	static(y, x []uint8, rows, lo, hi int, r *requantizer)
}

// registry holds the engines that this machine can run, the portable one first and the fastest last.
var registry = append([]*Engine{newPortable()}, native()...)

// Variable is the environment variable that names the engine to use where nothing else does.
const Variable = "QUANTLAB_ENGINE"

// Engines returns the engines that this machine can run: portable first, best last.
func Engines() []*Engine { return slices.Clone(registry) }

// Best returns the engine that the environment names, or else the fastest one of this machine.
func Best() *Engine {
	if e, err := Lookup(""); err == nil {
		return e
	}
	return registry[len(registry)-1]
}

// Lookup returns the engine of that name. No name means the one that the environment variable QUANTLAB_ENGINE names, or else
// the fastest.
func Lookup(name string) (*Engine, error) {
	from := ""
	if name == "" {
		if name = os.Getenv(Variable); name == "" {
			return registry[len(registry)-1], nil
		}
		from = Variable + ": "
	}
	var names []string
	for _, e := range registry {
		if e.name == name {
			return e, nil
		}
		names = append(names, e.name)
	}
	return nil, fmt.Errorf("%sunknown kernel engine %q: this machine can run %s", from, name, strings.Join(names, ", "))
}

// Reproducible returns the fastest engine of this machine whose float32 layers, dense and sparse, give the same bits
// everywhere: those of the portable engine.
func Reproducible() *Engine {
	best := registry[0]
	for _, e := range registry {
		if e.definedFloats {
			best = e
		}
	}
	return best
}

// Name returns the name that Lookup knows the engine by.
func (e *Engine) Name() string { return e.name }

// need panics unless a slice that is an argument of op holds at least want elements.
func need(op, slice string, have, want int) {
	if have < want {
		panic(fmt.Sprintf("kernel: %s: %s holds %d elements, not %d", op, slice, have, want))
	}
}

// needShape panics unless a packed layer's arguments fit together.
func needShape(op string, weights, bias, out, in int) {
	if out < 1 || in < 1 || weights != out*in || (bias != 0 && bias != out) {
		panic(fmt.Sprintf("kernel: %s: %d weights and %d biases do not make a %d x %d layer", op, weights, bias, out, in))
	}
}
