package main

import (
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

func TestMissingKernels(t *testing.T) {
	all := []string{"portable", "simd128", "relaxed"}
	for _, c := range []struct {
		simd, problem string
		engines       int
		say           string
	}{
		{"relaxed", "", 3, ""},
		{"simd128", "kernels/relaxed.wasm: this browser does not accept it", 2, ""},
		{"none", "kernels/simd128.wasm: this browser does not accept it", 1, "no WebAssembly SIMD"},
		{"relaxed", "kernels/relaxed.wasm: status 404", 2, "(kernels/relaxed.wasm: status 404), so slower ones compute: reload"},
		{"relaxed", "kernels/link.wasm: status 404", 1, "(kernels/link.wasm: status 404), so slower ones compute: reload"},
		{"simd128", "kernels/simd128.wasm: bad magic.", 1, "(kernels/simd128.wasm: bad magic), so slower ones compute: reload"},
		{"relaxed", "", 2, "gives wrong sums, so slower kernels compute"},
	} {
		hw := wire.Hardware{SIMD: c.simd, Engines: all[:c.engines], Engine: all[c.engines-1]}
		got := missingKernels(hw, []string{c.problem})
		if (c.say == "") != (got == "") || !strings.Contains(got, c.say) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
