package kernel

import (
	"fmt"
	"math"
	"testing"
)

var kinds = map[string]Kind{"float32": Float32, "float16": Float16, "int8": Int8, "mixed": Mixed}

// How fast a peak is, no test can say.
func TestPeakDoesAboutSoMany(t *testing.T) {
	for _, e := range Engines() {
		for name, k := range kinds {
			for _, n := range []int{0, 1, 1000, 3_000_000} {
				if did := e.Peak(k, n); did < max(n, 1) || did > n+2000 {
					t.Errorf("%s, %s: Peak(%d) did %d", e.Name(), name, n, did)
				}
			}
		}
	}
}

// The factors must keep sums clear of subnormal numbers, infinities and NaN, with which some processors are slow.
func TestPeakSumsStayNormal(t *testing.T) {
	if s := float64(portablePeakF32(1<<20, &floats)); !(s > 1 && s < math.MaxFloat32) {
		t.Errorf("a long peak sums to %v", s)
	}
}

func TestReadReadsEverything(t *testing.T) {
	r := newRandom(1)
	for _, n := range []int{0, 1, 63, 64, 65, 511, 512, 513, 1024, 1500, 5000, 1<<20 + 512 + 7} {
		want, bytes := byte(0), r.bytes(n)
		for _, v := range bytes {
			want ^= v
		}
		for place := range placements {
			a := &arena{placement: place}
			p := input(a, "p", bytes)
			for _, e := range Engines() {
				for way, read := range append(e.Reads(), e.Read) {
					if got := read(p); got != want {
						t.Errorf("%s: reading %d bytes, %s, in way %d gives %#x, want %#x", e.Name(), n, place, way, got, want)
					}
				}
			}
			a.release()
		}
	}
}

func TestBufferIsWritten(t *testing.T) {
	for _, n := range []int{0, 1, 5000, 5 << 20} {
		p := Buffer(n)
		if len(p) != n {
			t.Fatalf("%d bytes, want %d", len(p), n)
		}
		for i := range p {
			if p[i] != byte(i) {
				t.Fatalf("byte %d of %d is %d", i, n, p[i])
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	p := Buffer(1 << 20)
	for _, e := range Engines() {
		for way, read := range e.Reads() {
			b.Run(fmt.Sprint(e.Name(), "/", way), func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				for b.Loop() {
					read(p)
				}
			})
		}
	}
}

func BenchmarkPeak(b *testing.B) {
	for _, e := range Engines() {
		for name, k := range kinds {
			b.Run(e.Name()+"/"+name, func(b *testing.B) {
				did := 0
				for b.Loop() {
					did += e.Peak(k, 1<<20)
				}
				b.ReportMetric(float64(did)/b.Elapsed().Seconds()/1e9, "GMAC/s")
			})
		}
	}
}
