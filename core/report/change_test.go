package report

import (
	"math"
	"testing"

	"quantlab/core/lab/wire"
)

func TestChangeOf(t *testing.T) {
	r := wire.Row{Total: 10000, Paired: &wire.Paired{Gained: 7, Lost: 38}}
	d, ok := ChangeOf(r)
	// Bonett and Price's interval for 7 and 38 of 10,000, computed by hand.
	if !ok || math.Abs(d.Points+.31) > 1e-9 || math.Abs(d.Low+.4443) > 5e-4 || math.Abs(d.High+.1756) > 5e-4 {
		t.Errorf("%+v", d)
	}
	if points, interval := d.Words(10000); points != "−0.31" || interval != "[−0.44, −0.18]" {
		t.Error(points, interval)
	}
	if _, ok := ChangeOf(wire.Row{Total: 10}); ok {
		t.Error("nothing to compare")
	}
	if d, _ := ChangeOf(wire.Row{Total: 1000, Paired: &wire.Paired{}}); d.Points != 0 || !(d.Low < 0 && d.High > 0) {
		t.Errorf("none differs: %+v", d)
	}
}
