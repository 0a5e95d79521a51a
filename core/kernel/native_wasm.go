//go:build !purego

package kernel

// What the host has linked: see _wasm/link.go.
const (
	levelSIMD128 = 1
	levelRelaxed = 2
)

//go:wasmimport kernels level
func level() int32

// native returns the engines that this host of WebAssembly can run: none, simd128, or simd128 and relaxed. The program's
// loader has linked what the host knows the instructions of.
func native() []*Engine {
	var engines []*Engine
	if level() >= levelSIMD128 {
		engines = append(engines, newSIMD128())
	}
	if level() >= levelRelaxed {
		engines = append(engines, newRelaxed())
	}
	return engines
}

// newSIMD128 returns the engine of WebAssembly's fixed-width vectors. It gives the portable engine's bits, floats included:
// there is no fused multiply-add, and every output is one chain of products and sums in ascending order.
func newSIMD128() *Engine {
	e := newPortable()
	e.name = "simd128"
	e.floatsSIMD(false)
	e.intsSIMD()
	e.sparseSIMD(false)
	e.elementwiseSIMD()
	e.trainingSIMD(gemmF32)
	e.limitsSIMD()
	return e
}

// newRelaxed returns the engine that also has relaxed vectors: multiply-adds that are fused where the processor can, and
// dot products of bytes, exact for activations of 7 bits.
func newRelaxed() *Engine {
	e := newSIMD128()
	e.name = "relaxed"
	e.floatsSIMD(true)
	e.intsRelaxed()
	e.sparseSIMD(true)
	e.elementwiseRelaxed()
	e.trainingSIMD(gemmF32Relaxed)
	e.limitsRelaxed()
	return e
}
