package kernel

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"testing"
)

// The fuzz targets turn bytes into operations and run them on every engine: integers must be the portable engine's, floats
// within the bound, and no operation may touch anything but its arguments.

// A byteSource makes random numbers of bytes, then, of what the bytes hash to, any number of further ones.
type byteSource struct {
	data []byte
	rest *rand.PCG
}

func fuzzed(data []byte) *random {
	h := fnv.New64a()
	h.Write(data)
	return &random{Rand: rand.New(&byteSource{data, rand.NewPCG(h.Sum64(), 2)})}
}

func (s *byteSource) Uint64() uint64 {
	if len(s.data) < 8 {
		return s.rest.Uint64()
	}
	v := binary.LittleEndian.Uint64(s.data)
	s.data = s.data[8:]
	return v
}

// fuzz checks the operations that make returns. It makes wild ones, too.
func fuzz(f *testing.F, operations func(r *random) []operation) {
	for _, seed := range []string{"", "1", "another", "some forty bytes that decide on the shape"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := fuzzed(data)
		r.wild = r.IntN(2) == 0
		place := placement(r.IntN(int(placements)))
		newChecker(t).each(operations(r), func(op *operation, e *Engine) error { return op.verify(e, place) })
	})
}

// size returns a size of up to n, most often a small one.
func (r *random) size(n int) int { return 1 + r.IntN(1+r.IntN(n)) }

func FuzzFloat(f *testing.F) {
	fuzz(f, func(r *random) []operation { return floatOperations(r, r.size(70), r.size(300), r.size(300)) })
}

func FuzzInt8(f *testing.F) {
	fuzz(f, func(r *random) []operation { return intOperations(r, r.size(70), r.size(300), r.size(600)) })
}

func FuzzSparse(f *testing.F) {
	fuzz(f, func(r *random) []operation { return sparseOperations(r, r.size(20), r.size(300), r.size(200)) })
}

func FuzzGemm(f *testing.F) {
	fuzz(f, func(r *random) []operation { return gemmOperations(r, r.size(70), r.size(200), r.size(200)) })
}

func FuzzAdam(f *testing.F) {
	fuzz(f, func(r *random) []operation {
		return append(adamOperations(r, r.size(300)), activationOperations(r, r.size(10), r.size(300))...)
	})
}

func FuzzElementwise(f *testing.F) {
	fuzz(f, func(r *random) []operation {
		return append(elementwiseOperations(r, r.size(500)), rowOperations(r, r.size(300), r.size(40))...)
	})
}

// FuzzRows checks that a row's bits don't depend on its batch.
func FuzzRows(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a batch of some rows"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := fuzzed(data)
		r.wild = r.IntN(2) == 0
		rows, out, in := r.size(70), r.size(300), r.size(200)
		from := r.IntN(rows)
		n := 1 + r.IntN(rows-from)
		for _, e := range Engines() {
			checkRows(t, e, rowLayers(e, r, rows, out, in), rows, out, in, from, n)
		}
	})
}

func FuzzLow(f *testing.F) {
	fuzz(f, func(r *random) []operation { return lowOperations(r, r.size(70), r.size(150), r.size(150)) })
}
