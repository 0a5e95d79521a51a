package roofline

import (
	"fmt"
	"strconv"

	"quantlab/core/lab/wire"
)

// Where a sentence says that the code, not the machine, is the limit, and that a prediction was missed or surpassed.
const (
	lowShare   = 0.7
	missedBy   = 0.85 // of a predicted speed-up
	surpassed  = 1.05 // times a predicted speed-up, or a share of a bound that no noise of measuring explains
	noSpeedUp  = 1.1  // a predicted speed-up that is none
	sharesDiff = 0.05
)

// words says what bounds the cell, how near it comes, and how its speed compares with the baseline's, which is nil where it
// was not measured or is the cell itself.
func (c *Cell) words(base *Cell, p *wire.Peaks) string {
	return c.Limit() + c.outlook(base, p)
}

// Limit says what bounds the cell and how near it comes, the first half of its sentence: "bound by memory: 1.6 MB of weights at 96 of 100 GB/s".
func (c *Cell) Limit() string {
	var s string
	switch c.Bound {
	case Overhead:
		return fmt.Sprintf("bound by overhead: of %s µs only %s are the least that its products take, the rest are calls and passes over activations",
			figure(c.TimeUS), figure(c.BoundUS))
	case Memory:
		s = fmt.Sprintf("bound by memory: %s of weights at %s", megabytes(c.WeightBytes), c.reached(c.GBs, "GB/s"))
	default:
		s = fmt.Sprintf("bound by arithmetic: %s multiply-adds at %s", count(c.MultiplyAdds), c.reached(c.GMACs, "billion a second"))
	}
	if c.Share < lowShare {
		s += fmt.Sprintf(", only %s of what the machine allows", percent(c.Share))
	}
	return s
}

// reached holds a rate against the limit: "96 of 100 GB/s".
func (c *Cell) reached(rate float64, unit string) string {
	got, limit := figure(rate), figure(rate/c.Share)
	if c.Share > 1 && got != limit {
		return fmt.Sprintf("%s %s, above the measured limit of %s", got, unit, limit)
	}
	return fmt.Sprintf("%s of %s %s", got, limit, unit)
}

// Exceeds reports whether a share of a bound is so large that the limits must have been measured too low, say on a machine that was
// busy then.
func Exceeds(share float64) bool { return share > surpassed }

// outlook is its second half: what int8 could bring, or what was predicted and what came. Limits that were measured too low
// predict nothing.
func (c *Cell) outlook(base *Cell, p *wire.Peaks) string {
	if base == nil {
		if c.Variant == wire.Baseline && !Exceeds(c.Share) {
			return c.promise(p)
		}
		return ""
	}
	if Exceeds(c.Share) || Exceeds(base.Share) {
		return "; " + speed(c.Measured) + c.widening()
	}
	name := short[dtype(c.Variant)]
	switch {
	case c.Measured > surpassed*c.Predicted && c.Share > base.Share+sharesDiff:
		return fmt.Sprintf("; %s× float32's speed, where the limits allow %s×, because float32 reaches %s of its limit",
			times(c.Measured), times(c.Predicted), percent(base.Share))
	case c.Predicted < noSpeedUp && c.Bound == Arithmetic && dtype(c.Variant) == "float16":
		return fmt.Sprintf("; %s is multiplied in float32, so it can't be faster: %s× float32's speed", name, times(c.Measured))
	case c.Predicted < noSpeedUp:
		return fmt.Sprintf("; so %s can hardly be faster than float32: %s× its speed", name, times(c.Measured))
	case c.Measured >= c.Predicted, times(c.Measured) == times(c.Predicted):
		return fmt.Sprintf("; %s, all that the limits allow", speed(c.Measured))
	case c.Measured >= missedBy*c.Predicted && c.Measured >= faster:
		return fmt.Sprintf("; %s, of %s× that the limits allow", speed(c.Measured), times(c.Predicted))
	}
	s := fmt.Sprintf("; %s, not the %s× that the limits allow", speed(c.Measured), times(c.Predicted))
	if c.Measured < faster {
		s = fmt.Sprintf("; %s, though the limits allow %s× faster", speed(c.Measured), times(c.Predicted))
	}
	switch why := c.widening(); {
	case why != "":
		s += why
	case base.Share > c.Share+sharesDiff:
		s += fmt.Sprintf(", because float32 reaches %s of its limit and this %s", percent(base.Share), percent(c.Share))
	}
	return s
}

// widening says why halves gain little at batch 1 in WebAssembly.
func (c *Cell) widening() string {
	if c.Batch != 1 || dtype(c.Variant) != "float16" || c.Engine != "simd128" && c.Engine != "relaxed" {
		return ""
	}
	return "; WebAssembly has no instruction that widens a half: small layers are kept as float32, larger ones take time to widen"
}

// faster is a speed-up that shows with one decimal.
const faster = 1.05

// speed compares with the baseline.
func speed(measured float64) string {
	switch {
	case measured >= faster:
		return times(measured) + "× faster than float32"
	case measured <= 1/faster:
		return times(1/measured) + "× slower than float32"
	}
	return "as fast as float32"
}

// promise tells what static int8 could bring in the baseline's place.
func (c *Cell) promise(p *wire.Peaks) string {
	if c.Bound == Overhead {
		return ""
	}
	w, ok := workOf(c.spec, "static-qint8", c.Batch, c.in)
	if !ok {
		return ""
	}
	gain := c.BoundUS * 1e3 / w.bound(p).total()
	why := "int8 is 4× smaller"
	if c.Bound == Arithmetic {
		why = fmt.Sprintf("int8 does %s× as many a second", times(p.Int8/p.Float32))
	}
	if gain < noSpeedUp {
		return fmt.Sprintf("; %s, and yet hardly faster", why)
	}
	return fmt.Sprintf("; %s, so up to %s× faster", why, times(gain))
}

var short = map[string]string{"float32": "float32", "float16": "float16", "qint8": "int8"}

// figure writes two or three figures: 139, 96, 9.6, 0.41.
func figure(v float64) string {
	switch {
	case v >= 9.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 0.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

func times(v float64) string {
	if v >= 9.95 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 0, 64) + "%" }

func megabytes(bytes float64) string {
	if bytes < 0.0995e6 {
		return figure(bytes/1e3) + " KB"
	}
	return figure(bytes/1e6) + " MB"
}

func count(n float64) string {
	switch {
	case n >= 0.9995e9:
		return figure(n/1e9) + " billion"
	case n >= 0.9995e6:
		return figure(n/1e6) + " million"
	}
	return figure(n/1e3) + " thousand"
}
