//go:build !purego

package kernel

// floatKernels are the assembly routines of an instruction set for float layers. Their comments are in floats_stub_amd64.go.
type floatKernels struct {
	tiles    []tileFunc // tiles[m-1] computes m rows of tileCols outputs
	tileCols int
	fewRows  int // so few rows of halves are computed sooner one by one than by tiles
	f32      floatRoutines[float32]
	f16      floatRoutines[uint16]
	finish   func(y *float32, n int, bias *float32, flags int)
}

// floatRoutines read weights of type T.
type floatRoutines[T float32 | uint16] struct {
	gemv    []gemvFunc[T]  // gemv[n-1] computes one row of n panels
	dots    []dotFunc[T]   // dots[n-1] computes one row of n outputs of a narrow layer
	dots4   []dotFunc[T]   // four rows, or nil
	first   []firstFunc[T] // first[m-1] is tiles[m-1], and widens the weights for other rows; nil for float32
	combine func(y *float32, n int, w *T, ld, limit int, index *int32, value *float32, count int) bool
}

type (
	tileFunc                      func(c, a, b *float32, ldc, rs, cs, ldb, k, n int, bias *float32, flags int, next *float32)
	firstFunc[T float32 | uint16] func(c, a *float32, b *T, ldc, rs, cs, ldb, k, n int, bias *float32, flags int, next *T, wide *float32)
	gemvFunc[T float32 | uint16]  func(y, x *float32, w *T, panel, k, n int, bias *float32, flags int)
	dotFunc[T float32 | uint16]   func(y, x *float32, w *T, ldy, ldx, ldw, k int, bias *float32, flags int)
)

// What a routine starts from and ends with; the generator has the same constants.
const (
	addFlag   = 1 // start from what the output holds
	reluFlag  = 2
	flushFlag = 4 // take subnormals for zeros and leave none
)

func (e *Engine) floatsAVX2() {
	e.useFloats(&floatKernels{
		tiles:    []tileFunc{tile1x16AVX2, tile2x16AVX2, tile3x16AVX2, tile4x16AVX2, tile5x16AVX2, tile6x16AVX2},
		tileCols: 16,
		fewRows:  4,
		f32: floatRoutines[float32]{
			gemv:    []gemvFunc[float32]{gemv1x32AVX2, gemv2x32AVX2, gemv3x32AVX2},
			dots:    []dotFunc[float32]{dot1x1AVX2, dot1x2AVX2, dot1x3AVX2, dot1x4AVX2},
			combine: combineF32AVX2,
		},
		f16: floatRoutines[uint16]{
			gemv:    []gemvFunc[uint16]{gemvHalf1x32AVX2, gemvHalf2x32AVX2, gemvHalf3x32AVX2},
			dots:    []dotFunc[uint16]{dotHalf1x1AVX2, dotHalf1x2AVX2, dotHalf1x3AVX2, dotHalf1x4AVX2},
			first:   []firstFunc[uint16]{tileHalf1x16AVX2, tileHalf2x16AVX2, tileHalf3x16AVX2, tileHalf4x16AVX2, tileHalf5x16AVX2, tileHalf6x16AVX2},
			combine: combineF16AVX2,
		},
		finish: finishAVX2,
	})
}

func (e *Engine) floatsAVX512() {
	e.useFloats(&floatKernels{
		tiles: []tileFunc{
			tile1x32AVX512, tile2x32AVX512, tile3x32AVX512, tile4x32AVX512, tile5x32AVX512, tile6x32AVX512, tile7x32AVX512,
			tile8x32AVX512, tile9x32AVX512, tile10x32AVX512, tile11x32AVX512, tile12x32AVX512, tile13x32AVX512, tile14x32AVX512,
		},
		tileCols: 32,
		fewRows:  2,
		f32: floatRoutines[float32]{
			gemv:    []gemvFunc[float32]{gemv1x32AVX512, gemv2x32AVX512, gemv3x32AVX512, gemv4x32AVX512},
			dots:    []dotFunc[float32]{dot1x1AVX512, dot1x2AVX512, dot1x3AVX512, dot1x4AVX512},
			dots4:   []dotFunc[float32]{dot4x1AVX512, dot4x2AVX512, dot4x3AVX512, dot4x4AVX512},
			combine: combineF32AVX512,
		},
		f16: floatRoutines[uint16]{
			gemv:  []gemvFunc[uint16]{gemvHalf1x32AVX512, gemvHalf2x32AVX512, gemvHalf3x32AVX512, gemvHalf4x32AVX512},
			dots:  []dotFunc[uint16]{dotHalf1x1AVX512, dotHalf1x2AVX512, dotHalf1x3AVX512, dotHalf1x4AVX512},
			dots4: []dotFunc[uint16]{dotHalf4x1AVX512, dotHalf4x2AVX512, dotHalf4x3AVX512, dotHalf4x4AVX512},
			first: []firstFunc[uint16]{
				tileHalf1x32AVX512, tileHalf2x32AVX512, tileHalf3x32AVX512, tileHalf4x32AVX512, tileHalf5x32AVX512, tileHalf6x32AVX512, tileHalf7x32AVX512,
				tileHalf8x32AVX512, tileHalf9x32AVX512, tileHalf10x32AVX512, tileHalf11x32AVX512, tileHalf12x32AVX512, tileHalf13x32AVX512, tileHalf14x32AVX512,
			},
			combine: combineF16AVX512,
		},
		finish: finishAVX512,
	})
}

func (e *Engine) useFloats(f *floatKernels) {
	e.definedFloats = false
	e.packF32 = func(w, bias []float32, out, in int, relu bool) floatProduct {
		return newFloatLayer(f, &f.f32, w, bias, out, in, relu)
	}
	e.packF16 = func(w []uint16, bias []float32, out, in int, relu bool) floatProduct {
		return newFloatLayer(f, &f.f16, w, bias, out, in, relu)
	}
	e.combineF32 = f.f32.add
	e.combineF16 = f.f16.add
	e.finish = f.finishRow
	e.gemm = func(j *gemmJob, part, parts int) { j.tiled(f, part, parts) }
}

func newFloatLayer[T float32 | uint16](f *floatKernels, r *floatRoutines[T], w []T, bias []float32, out, in int, relu bool) floatProduct {
	if out <= narrowOut {
		return newNarrowLayer(r, w, bias, out, in, relu)
	}
	return newPanelLayer(f, r, w, bias, out, in, relu)
}

// finishRow is Engine.finish.
func (f *floatKernels) finishRow(y, bias []float32, relu bool) {
	if len(y) == 0 {
		return
	}
	f.finish(&y[0], len(y), firstOf(bias, len(y)), flagsOf(relu))
}

// add is Engine.combineF32 or combineF16.
func (r *floatRoutines[T]) add(y []float32, w []T, ld int, index []int32, value []float32) {
	value = value[:len(index)]
	if len(y) == 0 || len(index) == 0 {
		return
	}
	size, limit := sizeOf[T](), len(w)-len(y)
	if limit < 0 || !r.combine(&y[0], len(y), &w[0], ld*size, limit*size, &index[0], &value[0], len(index)) {
		panic("kernel: a sparse row has an index beyond the weights")
	}
}

// firstOf returns where a bias of n elements begins, nil where there is none.
func firstOf(bias []float32, n int) *float32 {
	if bias == nil {
		return nil
	}
	return &bias[:n][0]
}

func flagsOf(relu bool) int {
	if relu {
		return reluFlag
	}
	return 0
}
