//go:build !js

package hardware

import (
	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/cpu"
)

// instructionSets are those that matter to matrix products in float32, half precision and int8, in order of age. A set
// counts if the processor has it and the system saves its registers.
var instructionSets = []struct {
	name  string
	needs []cpuid.FeatureID
}{
	{"SSE4.1", []cpuid.FeatureID{cpuid.SSE4}},
	{"AVX", []cpuid.FeatureID{cpuid.AVX}},
	{"F16C", []cpuid.FeatureID{cpuid.F16C}},
	{"FMA", []cpuid.FeatureID{cpuid.FMA3}},
	{"AVX2", []cpuid.FeatureID{cpuid.AVX2}},
	{"AVX-512", []cpuid.FeatureID{cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL}},
	{"AVX-512 VNNI", []cpuid.FeatureID{cpuid.AVX512VNNI}},
	{"AVX-512 BF16", []cpuid.FeatureID{cpuid.AVX512BF16}},
	{"AVX-512 FP16", []cpuid.FeatureID{cpuid.AVX512FP16}},
	{"AVX-VNNI", []cpuid.FeatureID{cpuid.AVXVNNI}},
	{"AVX-VNNI-INT8", []cpuid.FeatureID{cpuid.AVXVNNIINT8}},
	{"AMX INT8", []cpuid.FeatureID{cpuid.AMXTILE, cpuid.AMXINT8}},
	{"AMX BF16", []cpuid.FeatureID{cpuid.AMXTILE, cpuid.AMXBF16}},

	{"NEON", []cpuid.FeatureID{cpuid.ASIMD}},
	{"NEON FP16", []cpuid.FeatureID{cpuid.ASIMDHP}},
	{"NEON dot product", []cpuid.FeatureID{cpuid.ASIMDDP}},
	{"NEON FHM", []cpuid.FeatureID{cpuid.FHM}},
	{"BF16", []cpuid.FeatureID{cpuid.BF16}},
	{"I8MM", []cpuid.FeatureID{cpuid.I8MM}},
	{"SVE", []cpuid.FeatureID{cpuid.SVE}},
	{"SVE2", []cpuid.FeatureID{cpuid.SVE2}},
}

// instructions names the sets that the processor offers. Of an ARM processor, cpuid asks Linux and macOS only; the Go
// project's package asks other systems, too, for those sets that kernels use.
func instructions(c cpuid.CPUInfo) []string {
	arm := map[string]bool{"NEON": cpu.ARM64.HasASIMD, "NEON dot product": cpu.ARM64.HasASIMDDP}
	names := []string{}
	for _, set := range instructionSets {
		if c.Supports(set.needs...) || arm[set.name] {
			names = append(names, set.name)
		}
	}
	return names
}
