//go:build !purego

package kernel

import "unsafe"

// The functions of _wasm/training.go. They stop before the last elements that don't fill a block.
//
//go:wasmimport kernels transpose
//go:noescape
func transposeSIMD(dst, src unsafe.Pointer, ld, n int32)

//go:wasmimport kernels gate
//go:noescape
func gateSIMD(sum, dy, y unsafe.Pointer, n int32)

//go:wasmimport kernels adam
//go:noescape
func adamSIMD(w, g, m, v unsafe.Pointer, n int32, rates, step unsafe.Pointer)

//go:wasmimport kernels adam_idle
//go:noescape
func adamIdleSIMD(w, m, v unsafe.Pointer, n int32, rates, steps unsafe.Pointer, count int32)

// trainingSIMD sets what training needs. Products with a matrix that isn't transposed are made of combineF32.
func (e *Engine) trainingSIMD(product gemm) {
	e.gate = func(sum, dy, y []float32) {
		n := len(dy) &^ 3
		sum, y = sum[:len(dy)], y[:len(dy)]
		gateSIMD(pointer(sum), pointer(dy), pointer(y), int32(n))
		gate(sum[n:], dy[n:], y[n:])
	}
	e.adam = func(r *AdamRates, s AdamStep, w, g, m, v []float32) {
		n := len(w) &^ 3
		adamSIMD(pointer(w), pointer(g), pointer(m), pointer(v), int32(n), unsafe.Pointer(r), unsafe.Pointer(&s))
		adam(r, s, w[n:], g[n:], m[n:], v[n:])
	}
	e.adamIdle = func(r *AdamRates, steps []AdamStep, w, m, v []float32) {
		n := len(w) &^ 3
		adamIdleSIMD(pointer(w), pointer(m), pointer(v), int32(n), unsafe.Pointer(r), pointer(steps), int32(len(steps)))
		adamIdle(r, steps, w[n:], m[n:], v[n:])
	}
	e.gemm = func(j *gemmJob, part, parts int) {
		if j.kind == gemmNT {
			j.crosswiseSIMD(product, part, parts)
		} else {
			j.portable(part, parts)
		}
	}
}

// crosswiseSIMD computes A·Bᵀ: B's rows are packed like a layer's weights.
func (j *gemmJob) crosswiseSIMD(product gemm, part, parts int) {
	g := split(part, parts, j.c.Rows, j.c.Cols, 4*panel)
	if g.empty() {
		return
	}
	depth, block, t := j.a.Cols, &j.scratch[part], takeSpare()
	size := depth * panel
	block.grow(4 * size)
	spread(j.c.Data[g.r0*j.c.Stride:], t.floats[:], j.c.Stride, g.r1-g.r0, g.lo, g.hi, func(y []float32, ldy, r0, rows, lo, n int) {
		for c := 0; c < n; c += 4 * panel {
			columns := min(4*panel, n-c)
			for i := range columns / panel {
				packRows(block.packed[i*size:(i+1)*size], j.b, lo+c+i*panel)
			}
			product(int32(rows), int32(depth), int32(columns/panel), pointer(j.a.Data[(g.r0+r0)*j.a.Stride:]), int32(4*j.a.Stride),
				pointer(block.packed), int32(4*size), pointer(y[c:]), int32(4*ldy), nil, productFirst)
		}
	})
	t.give()
}

// packRows packs 8 rows of b, from row o on, as a panel. Rows that b lacks are left as they are: nothing comes of them.
func packRows(packed []float32, b Matrix, o int) {
	from := 0
	if o+panel <= b.Rows {
		transposeSIMD(pointer(packed), pointer(b.Data[o*b.Stride:]), int32(4*b.Stride), int32(b.Cols))
		from = b.Cols &^ 3
	}
	for i := range min(panel, b.Rows-o) {
		for k, v := range b.Row(o + i)[from:] {
			packed[(from+k)*panel+i] = v
		}
	}
}
