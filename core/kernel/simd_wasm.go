//go:build !purego

package kernel

import "unsafe"

// panel is how many neighbouring outputs are packed together: two vectors of 32-bit lanes.
const panel = 8

// A packed matrix is weights, out x in, in panels of 8 outputs, and within them in steps of so many inputs:
//
//	w[o/8*ld + k/step * 8*step + o%8 * step + k%step]
//
// multiplies input k into output o. Missing outputs and inputs weigh 0.
type packed[T int8 | uint16 | float32] struct {
	w     []T
	ld    int // distance of panels: a cache line more than they take, so that neighbours don't fall on the same cache sets
	steps int // how many steps it takes to cover in
}

func pack[T int8 | uint16 | float32](w []T, out, in, step int) packed[T] {
	steps := (in + step - 1) / step
	p := packed[T]{ld: steps*panel*step + lineBytes/int(unsafe.Sizeof(w[0])), steps: steps}
	p.w = aligned[T]((out + panel - 1) / panel * p.ld)
	for o := range out {
		to := p.w[o/panel*p.ld+o%panel*step:]
		for k, v := range w[o*in : (o+1)*in] {
			to[k/step*panel*step+k%step] = v
		}
	}
	return p
}

// from returns where the panels of the outputs lo, lo+1, …, n of them, begin.
func (p *packed[T]) from(lo, n int) unsafe.Pointer {
	return pointer(p.w[lo/panel*p.ld : (lo+n)/panel*p.ld])
}

// padded returns the bias, nil for none, of whole panels.
func padded(bias []float32, out int) []float32 {
	p := make([]float32, (out+panel-1)/panel*panel)
	copy(p, bias)
	return p
}

// pointer returns where s begins.
func pointer[T any](s []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }

// A spare is memory that a product needs for as long as it runs.
type spare struct {
	floats [tailSize]float32 // outputs of panels that are not whole
	ints   [tailSize]int32
	wide   [widePanels * wideDepth * panel]float32 // widened weights
	scaled []float32                               // activations for halves
	x      []int16                                 // activations, widened
	low    []uint8                                 // their low 7 bits
	high   []uint8                                 // and the eighth
	index  []int32                                 // which fours of inputs have an eighth bit
	fours  []uint32
}

const tailSize = 128

// lastSpare is the spare that was given back last. WebAssembly has a single thread, and a product is not interrupted; if it
// were, whoever came next would find none and make one.
var lastSpare *spare

func takeSpare() *spare {
	s := lastSpare
	lastSpare = nil
	if s == nil {
		s = new(spare)
	}
	return s
}

func (s *spare) give() { lastSpare = s }

// grown returns a slice of n elements, s itself if it has as many.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// spread calls multiply for whole panels that cover the outputs lo to hi-1 of rows of y, out apart: rows r0, r0+1, … and
// outputs lo, lo+1, …, n of them, into a y that begins with these, with rows ldy apart. Panels that are not whole go
// through tail; for a single row, those before them do too, so that up to 4 are multiplied at a time.
func spread[T int32 | float32](y, tail []T, out, rows, lo, hi int, multiply func(y []T, ldy, r0, rows, lo, n int)) {
	inPlace := hi - lo
	if inPlace%panel != 0 {
		unit := panel
		if rows == 1 {
			unit = 4 * panel
		}
		inPlace -= inPlace % unit
	}
	if inPlace > 0 {
		multiply(y[lo:(rows-1)*out+lo+inPlace], out, 0, rows, lo, inPlace)
	}
	c := lo + inPlace
	if c == hi {
		return
	}
	n := (hi - c + panel - 1) / panel * panel
	for r := 0; r < rows; r += tailSize / n {
		m := min(tailSize/n, rows-r)
		multiply(tail, n, r, m, c, n)
		for i := range m {
			copy(y[(r+i)*out+c:(r+i)*out+hi], tail[i*n:])
		}
	}
}
