//go:build !purego

package kernel

func (e *Engine) limitsAVX2() {
	e.peak = func(k Kind, n int) int {
		switch k {
		case Float16:
			return nativePeak(peakF16AVX2, 12*8, n)
		case Int8:
			return nativePeak(peakI8AVX2, 12*32, n)
		}
		return nativePeak(peakF32AVX2, 12*8, n)
	}
	e.read = func(p []byte) byte { return nativeRead(p, read2AVX2Loop) }
	e.readAlso = func(p []byte) byte { return nativeRead(p, read1AVX2Loop) }
}

func (e *Engine) limitsAVX512() {
	e.peak = func(k Kind, n int) int {
		switch k {
		case Float16:
			return nativePeak(peakF16AVX512, 24*16, n)
		case Int8:
			return nativePeak(peakI8AVX512, 24*64, n)
		}
		return nativePeak(peakF32AVX512, 24*16, n)
	}
	e.read = func(p []byte) byte { return nativeRead(p, read2AVX512Loop) }
	e.readAlso = func(p []byte) byte { return nativeRead(p, read1AVX512Loop) }
}

// Assembly can't be preempted, so a call gets no more than some 0.1 ms of it.
const (
	peakRounds = 1 << 13
	readRounds = 1 << 11
)

// nativePeak does about n multiply-adds, of which a round of the function does each, and returns how many it did.
func nativePeak(f func(rounds int, x *[64]byte), each, n int) int {
	rounds := max((n+each-1)/each, 1)
	for left := rounds; left > 0; left -= peakRounds {
		f(min(left, peakRounds), &factors)
	}
	return rounds * each
}

// factors are what peaks multiply: as float32 and as halves about 1, whose sums stay normal, as bytes anything.
var factors = func() (x [64]byte) {
	for i := range x {
		x[i] = 0x3C // 0x3C3C3C3C is 0.0115 in float32, 0x3C3C is 1.06 in half precision
	}
	return x
}()

// A readLoop names one of the loops, which are called directly so that their argument stays on the stack.
type readLoop int

const (
	read1AVX2Loop readLoop = iota
	read2AVX2Loop
	read1AVX512Loop
	read2AVX512Loop
)

// nativeRead returns the exclusive or of all bytes of p.
func nativeRead(p []byte, loop readLoop) (x byte) {
	const round = 512 // bytes
	for len(p) >= round {
		var sum [64]byte
		rounds := min(len(p)/round, readRounds)
		switch loop {
		case read1AVX2Loop:
			read1AVX2(&p[0], rounds, &sum)
		case read2AVX2Loop:
			read2AVX2(&p[0], rounds, &sum)
		case read1AVX512Loop:
			read1AVX512(&p[0], rounds, &sum)
		default:
			read2AVX512(&p[0], rounds, &sum)
		}
		x ^= portableRead(sum[:])
		p = p[rounds*round:]
	}
	return x ^ portableRead(p)
}
