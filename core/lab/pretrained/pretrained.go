// Package pretrained carries the one trained model that comes with the program: sst2-lab2, so that typing a sentence,
// sizes and latencies work on a machine that SST-2 can't be brought to.
//
// Its file holds, beside the float32 weights, its vocabulary, the settings that trained it, the dev accuracy measured
// then and the grids of static quantization. It is written by
//
//	quantlab train sst2-lab2 --output core/lab/pretrained/sst2-lab2.safetensors
//
// and must be written again when those settings change, which a test of cmd/internal/prepare finds out.
package pretrained

import _ "embed"

//go:embed sst2-lab2.safetensors
var sst2lab2 []byte

// Model returns the model's safetensors file, or nil if that model doesn't come with the program. The caller must not
// change it.
func Model(id string) []byte {
	if id == "sst2-lab2" {
		return sst2lab2
	}
	return nil
}
