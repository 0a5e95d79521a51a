//go:build !purego

package kernel

//go:generate go run -C _asm . -pkg kernel -out ../floats_amd64.s -stubs ../floats_stub_amd64.go floats
//go:generate go run -C _asm . -pkg kernel -out ../ints_amd64.s -stubs ../ints_stub_amd64.go ints
//go:generate go run -C _asm . -pkg kernel -out ../training_amd64.s -stubs ../training_stub_amd64.go training
//go:generate go run -C _asm . -pkg kernel -out ../limits_amd64.s -stubs ../limits_stub_amd64.go limits

import "github.com/klauspost/cpuid/v2"

// native returns the engines in assembly that this processor can run.
func native() []*Engine {
	var engines []*Engine
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3, cpuid.F16C) {
		engines = append(engines, newAVX2())
	}
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3, cpuid.F16C,
		cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL, cpuid.AVX512VNNI) {
		engines = append(engines, newAVX512())
	}
	return engines
}

func newAVX2() *Engine {
	e := newPortable()
	e.name = "avx2"
	e.floatsAVX2()
	e.intsAVX2()
	e.trainingAVX2()
	e.limitsAVX2()
	return e
}

func newAVX512() *Engine {
	e := newPortable()
	e.name = "avx512"
	e.floatsAVX512()
	e.intsAVX512()
	e.trainingAVX512()
	e.limitsAVX512()
	return e
}
