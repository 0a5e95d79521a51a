package kernel

// portableI8 multiplies three weights by an activation in one 64-bit multiplication. A word holds the weights of three
// neighbouring outputs as a sum of three lanes,
//
//	w0 + w1·2^21 + w2·2^42  (mod 2^64)
//
// so a word times x holds x·w0, x·w1 and x·w2 in the same places, and sums of such words hold the sums. After 32 of them a
// lane is at most 32·255·128 < 2^20 in magnitude: it can be told from its neighbours and is moved on to an int32.
//
// w[g*words + j][i] holds the weights of input g*4 + i and outputs 3j, 3j+1 and 3j+2. Missing ones are 0. Each weight
// takes 2⅔ bytes of memory.
type portableI8 struct {
	w       [][4]uint64
	out, in int
	words   int // a row of outputs, ceil(out / 3)
}

const (
	laneBits  = 21
	laneMask  = 1<<laneBits - 1
	laneHalf  = 1 << (laneBits - 1)
	laneTerms = 32 // products that a lane has room for
	// laneStart makes every lane of a sum positive.
	laneStart = laneHalf | laneHalf<<laneBits | laneHalf<<(2*laneBits)

	wordBlock  = 64  // words that a batch is multiplied by at a time: 16 KB for laneTerms inputs
	wordBuffer = 256 // words that a single row is multiplied by at a time
)

func packPortableI8(w []int8, out, in int) intProduct {
	p := &portableI8{out: out, in: in, words: (out + 2) / 3}
	p.w = make([][4]uint64, (in+3)/4*p.words)
	for o := range out {
		for k, v := range w[o*in : (o+1)*in] {
			p.w[k/4*p.words+o/3][k%4] += uint64(int64(v)) << (o % 3 * laneBits)
		}
	}
	return p
}

func (p *portableI8) width() int { return 48 }

func (p *portableI8) multiply(acc []int32, x []uint8, rows, lo, hi int) {
	var sums [wordBuffer]uint64
	step := 3 * wordBlock
	if rows == 1 {
		step = 3 * wordBuffer
	}
	for c0 := lo; c0 < hi; c0 += step {
		c1 := min(c0+step, hi)
		s := sums[:(c1-c0+2)/3]
		for r := range rows {
			p.startLanes(acc[r*p.out+c0 : r*p.out+c1])
		}
		for k0 := 0; k0 < p.in; k0 += laneTerms {
			k1 := min(k0+laneTerms, p.in)
			for r := range rows {
				for j := range s {
					s[j] = laneStart
				}
				p.accumulate4(s, x[r*p.in+k0:r*p.in+k1], k0/4*p.words+c0/3)
				addLanes(acc[r*p.out+c0:r*p.out+c1], s)
			}
		}
	}
}

// startLanes sets acc to what makes up for the laneHalf that every addLanes will add too much.
func (p *portableI8) startLanes(acc []int32) {
	start := -int32((p.in+laneTerms-1)/laneTerms) * laneHalf
	for o := range acc {
		acc[o] = start
	}
}

// accumulate4 adds to s[j] the products of x with w[at+j], then of its next 4 elements with w[at+words+j], and so on.
func (p *portableI8) accumulate4(s []uint64, x []uint8, at int) {
	for len(x) >= 4 {
		multiplyAddWords(s, (*[4]uint8)(x), p.w[at:])
		x, at = x[4:], at+p.words
	}
	if len(x) > 0 {
		var tail [4]uint8
		copy(tail[:], x)
		multiplyAddWords(s, &tail, p.w[at:])
	}
}

// multiplyAddWords is the innermost loop of the int8 products: s[j] += Σi x[i]·w[j][i].
func multiplyAddWords(s []uint64, x *[4]uint8, w [][4]uint64) {
	w = w[:len(s)]
	x0, x1, x2, x3 := uint64(x[0]), uint64(x[1]), uint64(x[2]), uint64(x[3])
	for j := range w {
		v := &w[j]
		s[j] += x0*v[0] + x1*v[1] + x2*v[2] + x3*v[3]
	}
}

// addLanes adds the lanes of s to acc, which may lack the last one or two.
func addLanes(acc []int32, s []uint64) {
	for len(acc) >= 3 && len(s) >= 1 {
		v := s[0]
		acc[0] += int32(v & laneMask)
		acc[1] += int32(v >> laneBits & laneMask)
		acc[2] += int32(v >> (2 * laneBits))
		acc, s = acc[3:], s[1:]
	}
	for o := range acc {
		acc[o] += int32(s[0] >> (o * laneBits) & laneMask)
	}
}
