package hardware

import (
	"math"
	"syscall/js"

	"quantlab/core/lab/wire"
)

// detect reads what the browser tells, which is the same in a page and in a worker, and may be nothing.
func detect() wire.Hardware {
	global := js.Global()
	navigator := get(global, "navigator")
	agent := text(get(navigator, "userAgent"))
	data := get(navigator, "userAgentData")
	isolated := get(global, "crossOriginIsolated").Truthy()
	cores := int(number(get(navigator, "hardwareConcurrency"), 1<<16))
	h := wire.Hardware{
		Host:         wire.Browser,
		CPU:          Unknown,
		Cores:        cores,
		Threads:      cores,
		MemoryBytes:  uint64(number(get(navigator, "deviceMemory"), 1<<20) * (1 << 30)),
		Accelerator:  Unknown,
		Instructions: []string{},
		OS:           text(get(data, "platform")),
		Browser:      browserOfBrands(brands(get(data, "brands"))),
		Isolated:     &isolated,
		SIMD:         simdLevel(validate),
	}
	if h.OS == "" {
		h.OS = systemOfAgent(agent)
	}
	if h.Browser == "" {
		h.Browser = browserOfAgent(agent)
	}
	if node := text(get(get(get(global, "process"), "versions"), "node")); h.Browser == "" && node != "" {
		h.Browser = oneName("Node.js", node)
	}
	if h.OS == "" {
		h.OS = Unknown
	}
	if h.Browser == "" {
		h.Browser = Unknown
	}
	if h.SIMD == "relaxed" || h.SIMD == "simd128" {
		h.Instructions = append(h.Instructions, "WebAssembly SIMD")
	}
	if h.SIMD == "relaxed" {
		h.Instructions = append(h.Instructions, "relaxed SIMD")
	}
	return h
}

// get returns a property, or undefined where v has none; js.Value.Get panics there.
func get(v js.Value, name string) js.Value {
	if t := v.Type(); t != js.TypeObject && t != js.TypeFunction {
		return js.Undefined()
	}
	return v.Get(name)
}

// text returns a string, or "".
func text(v js.Value) string {
	if v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}

// number returns a number from 0 to most, or 0.
func number(v js.Value, most float64) float64 {
	if v.Type() != js.TypeNumber {
		return 0
	}
	if f := v.Float(); f > 0 && !math.IsInf(f, 0) {
		return min(f, most)
	}
	return 0
}

func brands(list js.Value) []brand {
	var out []brand
	if get(list, "length").Type() != js.TypeNumber {
		return nil
	}
	for i := range min(list.Length(), 20) {
		out = append(out, brand{text(get(list.Index(i), "brand")), text(get(list.Index(i), "version"))})
	}
	return out
}

// validate asks the browser whether it accepts a WebAssembly module.
func validate(module []byte) bool {
	wasm, bytes := get(js.Global(), "WebAssembly"), get(js.Global(), "Uint8Array")
	if get(wasm, "validate").Type() != js.TypeFunction || bytes.Type() != js.TypeFunction {
		return false
	}
	array := bytes.New(len(module))
	js.CopyBytesToJS(array, module)
	return wasm.Call("validate", array).Truthy()
}
