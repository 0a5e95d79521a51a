package main

// kernels lists all functions, in the order of their slots in the table.
var kernels = []kernel{
	{"gemm_f32", "iiiiiiiiiii", false, levelSIMD128, product{floats: true, bytes: 16, weights: load, madd: maddF32, tallest: 4}.build},
	{"gemm_f16", "iiiiiiiiiii", false, levelSIMD128, product{floats: true, halves: true, bytes: 8, madd: maddF32, tallest: 1}.build},
	{"gemm_i16", "iiiiiiiiii", false, levelSIMD128, product{bytes: 8, weights: load8x8S, madd: maddI16, tallest: 4}.build},
	{"gemm_f32_relaxed", "iiiiiiiiiii", false, levelRelaxed, product{floats: true, bytes: 16, weights: load, madd: f32x4RelaxedMadd, tallest: 6}.build},
	{"gemm_f16_relaxed", "iiiiiiiiiii", false, levelRelaxed, product{floats: true, halves: true, bytes: 8, madd: f32x4RelaxedMadd, tallest: 1}.build},
	{"gemm_i8_relaxed", "iiiiiiiiii", false, levelRelaxed, product{bytes: 16, weights: loadBytes, madd: dotI8, tallest: 6}.build},

	{"scale", "iii", true, levelSIMD128, scale},
	{"widen_f16", "iii", false, levelSIMD128, widenF16},
	{"widen_u8", "iii", false, levelSIMD128, widenU8},
	{"split_u8", "iiii", true, levelSIMD128, splitU8},

	{"combine_f32", "iiiiiii", false, levelSIMD128, combination{bytes: 16, weights: load, madd: maddF32}.build},
	{"combine_f16", "iiiiiii", false, levelSIMD128, combination{bytes: 8, madd: maddF32}.build},
	{"combine_i8", "iiiiiiii", false, levelSIMD128, combineI8},
	{"combine_f32_relaxed", "iiiiiii", false, levelRelaxed, combination{bytes: 16, weights: load, madd: f32x4RelaxedMadd}.build},
	{"combine_f16_relaxed", "iiiiiii", false, levelRelaxed, combination{bytes: 8, madd: f32x4RelaxedMadd}.build},

	{"add_high_relaxed", "iiiiiii", false, levelRelaxed, addHigh},

	{"finish", "iiii", false, levelSIMD128, finish},
	{"range_of", "iii", false, levelSIMD128, rangeOf},
	{"quantize", "iiifiii", false, levelSIMD128, quantize},
	{"quantize_dynamic", "iiifiii", false, levelSIMD128, quantizeDynamic(false)},
	{"dequantize", "iiifi", false, levelSIMD128, dequantize},
	{"dequantize_sums", "iiiiiiifiii", false, levelSIMD128, dequantizeSums(false)},
	{"requantize_sums", "iiiiiiiiiii", false, levelSIMD128, requantizeSums},
	{"fuses", "i", true, levelRelaxed, fuses},
	{"quantize_dynamic_fused", "iiifiii", false, levelRelaxed, quantizeDynamic(true)},
	{"dequantize_sums_fused", "iiiiiiifiii", false, levelRelaxed, dequantizeSums(true)},

	{"transpose", "iiii", false, levelSIMD128, transpose},
	{"gate", "iiii", false, levelSIMD128, gate},
	{"adam", "iiiiiii", false, levelSIMD128, adam},
	{"adam_idle", "iiiiiii", false, levelSIMD128, adamIdle},

	{"peak_f32", "ii", true, levelSIMD128, peak{maddF32, 4}.build},
	{"peak_i16", "ii", true, levelSIMD128, peak{maddI16, 4}.build},
	{"peak_f32_relaxed", "ii", true, levelRelaxed, peak{f32x4RelaxedMadd, 6}.build},
	{"peak_i8_relaxed", "ii", true, levelRelaxed, peak{dotI8, 6}.build},
	{"read", "ii", true, levelSIMD128, read},
}
