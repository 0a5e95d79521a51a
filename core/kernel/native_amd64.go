//go:build !purego

package kernel

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
	e.lowAVX2()
	return e
}

func newAVX512() *Engine {
	e := newPortable()
	e.name = "avx512"
	e.floatsAVX512()
	e.intsAVX512()
	e.trainingAVX512()
	e.limitsAVX512()
	e.lowAVX512()
	return e
}
