package quant

import "math"

// A Distortion says how far quantized numbers are from the ones they stand for.
type Distortion struct {
	SQNR float64 `json:"sqnr"` // signal-to-quantization-noise ratio, dB; at most MaxSQNR
	Max  float64 `json:"max"`  // largest absolute error
	Mean float64 `json:"mean"` // mean absolute error
}

// MaxSQNR is the ratio where nothing was lost, or less than float64 can tell. JSON has no infinity.
const MaxSQNR = 400

// Compare measures got against want, which are equally long. Of nothing, and of silence kept, SQNR is MaxSQNR.
func Compare(want, got []float32) Distortion {
	var d Distortion
	var signal, noise float64
	for i, w := range want {
		e := math.Abs(float64(got[i]) - float64(w))
		signal += float64(w) * float64(w)
		noise += e * e
		d.Max = max(d.Max, e)
		d.Mean += e
	}
	if len(want) > 0 {
		d.Mean /= float64(len(want))
	}
	switch {
	case noise == 0:
		d.SQNR = MaxSQNR
	case signal == 0:
		d.SQNR = -MaxSQNR
	default:
		d.SQNR = max(min(10*math.Log10(signal/noise), MaxSQNR), -MaxSQNR)
	}
	return d
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
