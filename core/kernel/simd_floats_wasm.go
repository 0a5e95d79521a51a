//go:build !purego

package kernel

import "unsafe"

// The functions of _wasm/product.go. Distances are in bytes.
//
//go:wasmimport kernels gemm_f32
//go:noescape
func gemmF32(rows, k, panels int32, x unsafe.Pointer, ldx int32, w unsafe.Pointer, ldw int32, y unsafe.Pointer, ldy int32, bias unsafe.Pointer, flags int32)

//go:wasmimport kernels gemm_f16
//go:noescape
func gemmF16(rows, k, panels int32, x unsafe.Pointer, ldx int32, w unsafe.Pointer, ldw int32, y unsafe.Pointer, ldy int32, bias unsafe.Pointer, flags int32)

//go:wasmimport kernels gemm_f32_relaxed
//go:noescape
func gemmF32Relaxed(rows, k, panels int32, x unsafe.Pointer, ldx int32, w unsafe.Pointer, ldw int32, y unsafe.Pointer, ldy int32, bias unsafe.Pointer, flags int32)

//go:wasmimport kernels gemm_f16_relaxed
//go:noescape
func gemmF16Relaxed(rows, k, panels int32, x unsafe.Pointer, ldx int32, w unsafe.Pointer, ldw int32, y unsafe.Pointer, ldy int32, bias unsafe.Pointer, flags int32)

//go:wasmimport kernels scale
//go:noescape
func scaleSIMD(dst, src unsafe.Pointer, n int32) int32

//go:wasmimport kernels widen_f16
//go:noescape
func widenF16(dst, src unsafe.Pointer, n int32)

const (
	productFirst = 1 // begin at 0, not at what is in y
	productLast  = 2 // add the bias
	productReLU  = 4
)

// floatsSIMD sets the float products: with strict arithmetic, which gives the portable engine's bits, or with relaxed
// multiply-adds.
func (e *Engine) floatsSIMD(relaxed bool) {
	e.definedFloats = !relaxed
	gemmWide, gemmHalf := gemmF32, gemmF16
	if relaxed {
		gemmWide, gemmHalf = gemmF32Relaxed, gemmF16Relaxed
	}
	e.packF32 = func(w, bias []float32, out, in int, relu bool) floatProduct {
		return &simdF32{simdFloats{padded(bias, out), out, in, relu, gemmWide}, pack(w, out, in, 1)}
	}
	e.packF16 = func(w []uint16, bias []float32, out, in int, relu bool) floatProduct {
		p := simdFloats{padded(bias, out), out, in, relu, gemmWide}
		if out*in <= mostWidened || !finiteHalves(w) {
			wide := make([]float32, len(w))
			for i, h := range w {
				wide[i] = widen(h)
			}
			return &simdF32{p, pack(wide, out, in, 1)}
		}
		return &simdF16{p, gemmHalf, pack(w, out, in, 1)}
	}
}

// mostWidened is how many halves a layer may have to be kept as float32, in 8 MB of memory: WebAssembly has no instruction
// that widens a half, and the five that it takes are slower than reading twice the bytes, unless these come from beyond a
// processor's caches. Widened before or on the way, the products are the same bits.
const mostWidened = 2 << 20

// finiteHalves reports whether there is neither an infinity nor a NaN among the halves: those the kernels don't widen.
func finiteHalves(w []uint16) bool {
	for _, h := range w {
		if h&0x7C00 == 0x7C00 {
			return false
		}
	}
	return true
}

// gemm is one of the functions above.
type gemm func(rows, k, panels int32, x unsafe.Pointer, ldx int32, w unsafe.Pointer, ldw int32, y unsafe.Pointer, ldy int32, bias unsafe.Pointer, flags int32)

// simdFloats is what layers of float32 and of halves have in common.
type simdFloats struct {
	bias    []float32 // of whole panels
	out, in int
	relu    bool
	gemm    gemm // of float32
}

func (p *simdFloats) width() int { return 4 * panel }

// flags says what to do with the inputs from k0 to k1-1 of all.
func (p *simdFloats) flags(k0, k1 int) int32 {
	var f int32
	if k0 == 0 {
		f |= productFirst
	}
	if k1 == p.in {
		f |= productLast
		if p.relu {
			f |= productReLU
		}
	}
	return f
}

// simdF32 packs float32 weights in panels.
type simdF32 struct {
	simdFloats
	w packed[float32]
}

func (p *simdF32) multiply(y, x []float32, rows, lo, hi int) {
	s := takeSpare()
	spread(y, s.floats[:], p.out, rows, lo, hi, func(y []float32, ldy, r0, rows, lo, n int) {
		x := x[r0*p.in : (r0+rows)*p.in]
		bias := p.bias[lo : lo+n]
		p.gemm(int32(rows), int32(p.in), int32(n/panel), pointer(x), int32(4*p.in), p.w.from(lo, n), int32(4*p.w.ld),
			pointer(y), int32(4*ldy), pointer(bias), p.flags(0, p.in))
	})
	s.give()
}

// simdF16 packs halves in panels. They are widened on the way into the product with a single row; for more rows, a block
// at a time.
type simdF16 struct {
	simdFloats
	half gemm // of halves
	w    packed[uint16]
}

const (
	widePanels = 4
	wideDepth  = 256 // inputs that are widened at a time: 32 KB
)

func (p *simdF16) multiply(y, x []float32, rows, lo, hi int) {
	s := takeSpare()
	exact := rows == 1 && s.scale(x[:p.in])
	spread(y, s.floats[:], p.out, rows, lo, hi, func(y []float32, ldy, r0, rows, lo, n int) {
		if !exact {
			p.multiplyBlocks(y, ldy, x[r0*p.in:(r0+rows)*p.in], rows, lo, n, &s.wide)
			return
		}
		bias := p.bias[lo : lo+n]
		p.half(1, int32(p.in), int32(n/panel), pointer(s.scaled), 0, p.w.from(lo, n), int32(2*p.w.ld),
			pointer(y), int32(4*ldy), pointer(bias), p.flags(0, p.in))
	})
	s.give()
}

// scale scales activations for a product with halves, and reports whether it is exact with them: see _wasm/halves.go.
func (s *spare) scale(x []float32) bool {
	n := len(x) &^ 3
	s.scaled = grown(s.scaled, n+4)
	var rest [4]float32
	copy(rest[:], x[n:])
	return scaleSIMD(pointer(s.scaled), pointer(x), int32(n)) == 0 && scaleSIMD(pointer(s.scaled[n:]), unsafe.Pointer(&rest), 4) == 0
}

func (p *simdF16) multiplyBlocks(y []float32, ldy int, x []float32, rows, lo, n int, wide *[widePanels * wideDepth * panel]float32) {
	for c := 0; c < n; c += widePanels * panel {
		columns := min(widePanels*panel, n-c)
		for k0 := 0; k0 < p.in; k0 += wideDepth {
			size := (min(k0+wideDepth, p.in) - k0) * panel // of a panel's part
			for i := range columns / panel {
				w := p.w.w[((lo+c)/panel+i)*p.w.ld+k0*panel:][:size]
				widenF16(pointer(wide[i*size:(i+1)*size]), pointer(w), int32(size))
			}
			bias := p.bias[lo+c : lo+c+columns]
			p.gemm(int32(rows), int32(size/panel), int32(columns/panel), pointer(x[k0:]), int32(4*p.in), pointer(wide[:]), int32(4*size),
				pointer(y[c:]), int32(4*ldy), pointer(bias), p.flags(k0, k0+size/panel))
		}
	}
}
