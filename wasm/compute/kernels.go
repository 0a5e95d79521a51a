package main

import (
	"fmt"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
)

// missingKernels says which kernels a browser could run and yet doesn't, "" if none. The program's arguments tell what
// worker.js met when it loaded their files.
func missingKernels(hw wire.Hardware, args []string) string {
	// The levels of SIMD are called like the engines that need them.
	if hw.SIMD == "none" {
		return "this browser has no WebAssembly SIMD, so slower kernels in plain Go compute"
	}
	if slices.Contains(hw.Engines, hw.SIMD) {
		return ""
	}
	problem := strings.TrimSuffix(strings.Join(args, " "), ".")
	if problem == "" { // loaded, but it did not pass its own check
		return fmt.Sprintf("this browser's %s SIMD gives wrong sums, so slower kernels compute", hw.SIMD)
	}
	return fmt.Sprintf("the kernels for this browser's SIMD could not be loaded (%s), so slower ones compute: reload the page to try again",
		problem)
}
