package quant

import "math"

// A Distortion says how far quantized numbers are from the ones they stand for.
type Distortion struct {
	SQNR float64 // signal-to-quantization-noise ratio, dB; at most MaxSQNR
	Max  float64 // largest absolute error
	Mean float64 // mean absolute error
}

// MaxSQNR is the ratio where nothing was lost, or less than float64 can tell. JSON has no infinity.
const MaxSQNR = 400

// Compare measures got against want, which are equally long. Of nothing, and of silence kept, SQNR is MaxSQNR.
func Compare(want, got []float32) Distortion {
	var t Tally
	t.Add(want, got)
	return t.Distortion()
}

// A Tally adds up errors piece by piece. The zero Tally has none.
type Tally struct {
	Signal, Noise float64 // sums of the squares of what was wanted, and of the errors
	Count         int     // of numbers
	sum, max      float64 // of absolute errors
}

// Add takes in the errors of got against want, which are equally long.
func (t *Tally) Add(want, got []float32) {
	got = got[:len(want)]
	signal, noise, sum, most := 0.0, 0.0, 0.0, t.max
	for i, w := range want {
		v := float64(w)
		e := math.Abs(float64(got[i]) - v)
		signal += v * v
		noise += e * e
		sum += e
		if e > most { // max is slow in WebAssembly
			most = e
		}
	}
	t.Signal, t.Noise, t.sum, t.max = t.Signal+signal, t.Noise+noise, t.sum+sum, most
	t.Count += len(want)
}

// AddZeros takes in n zeros that were kept.
func (t *Tally) AddZeros(n int) { t.Count += n }

// Join takes in what another Tally has.
func (t *Tally) Join(o Tally) {
	t.Signal, t.Noise, t.Count = t.Signal+o.Signal, t.Noise+o.Noise, t.Count+o.Count
	t.sum, t.max = t.sum+o.sum, max(t.max, o.max)
}

// Distortion returns what the errors add up to.
func (t *Tally) Distortion() Distortion {
	d := Distortion{Max: t.max, SQNR: SQNR(t.Signal, t.Noise)}
	if t.Count > 0 {
		d.Mean = t.sum / float64(t.Count)
	}
	return d
}

// SQNR returns the ratio of two sums of squares in dB, from -MaxSQNR to MaxSQNR.
func SQNR(signal, noise float64) float64 {
	switch {
	case noise == 0:
		return MaxSQNR
	case signal == 0:
		return -MaxSQNR
	}
	return max(min(10*math.Log10(signal/noise), MaxSQNR), -MaxSQNR)
}

// Clipped returns the share of x, 0 to 1, that lies more than half a step beyond the grid's ends.
func Clipped(x []float32, p QParams) float64 {
	if len(x) == 0 {
		return 0
	}
	lo, hi := p.Range()
	n := 0
	for _, v := range x {
		if f := float64(v); f < lo-p.Scale/2 || f > hi+p.Scale/2 {
			n++
		}
	}
	return float64(n) / float64(len(x))
}
