package hardware

// Two modules, as small as can be, that only a browser with the instructions in question accepts. Each is a function
// without parameters that returns a v128:
//
//	i32.const 0  i8x16.splat  i8x16.popcnt                                        (simd128)
//	three times i32.const 0 i8x16.splat, i32x4.relaxed_dot_i8x16_i7x16_add_s      (relaxed SIMD)
var (
	simd128Module = wasmModule(0x41, 0, 0xfd, 15, 0xfd, 98)
	relaxedModule = wasmModule(0x41, 0, 0xfd, 15, 0x41, 0, 0xfd, 15, 0x41, 0, 0xfd, 15, 0xfd, 0x93, 2)
)

// wasmModule returns a WebAssembly module with one function of that code, of fewer than 100 bytes.
func wasmModule(code ...byte) []byte {
	body := append([]byte{0}, append(code, 0x0b)...) // no locals, the code, end
	m := []byte{
		0, 'a', 's', 'm', 1, 0, 0, 0,
		1, 5, 1, 0x60, 0, 1, 0x7b, // types: a function without parameters that returns a v128
		3, 2, 1, 0, // functions: one of that type
		10, byte(len(body) + 2), 1, byte(len(body)), // code: one body
	}
	return append(m, body...)
}

// simdLevel words what a validator of modules accepts.
func simdLevel(validate func(module []byte) bool) string {
	switch {
	case !validate(simd128Module):
		return "none"
	case !validate(relaxedModule):
		return "simd128"
	}
	return "relaxed"
}
