package lab

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

func TestTracker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		p := &tracker{total: 10, emit: func(e wire.Event) { got = append(got, fmt.Sprintf("%s %.2f", e.Step, e.Fraction)) }}
		p.begin("load", 2)
		p.at("load", 0.5) // too soon
		time.Sleep(progressEvery)
		p.at("load", 0.5)
		p.begin("work", 4)
		time.Sleep(progressEvery)
		p.at("work", 0.25)
		time.Sleep(progressEvery)
		p.at("work", 0.1) // a share that falls does not show
		time.Sleep(progressEvery)
		p.at("work", 3) // nor does one above all of it
		p.reach(8)      // a step that was planned and did not take place
		p.begin("end", 2)
		p.end()
		p.begin("more than planned", 5)
		want := []string{"load 0.00", "load 0.10", "work 0.20", "work 0.30", "work 0.30", "work 0.60", "end 0.80", "more than planned 1.00"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestTrackerIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := 0
		p := &tracker{total: 1, emit: func(wire.Event) { events++ }}
		p.begin("work", 1)
		for i := range 1000 {
			time.Sleep(time.Millisecond)
			p.at("work", float64(i)/1000)
		}
		if events > 21 {
			t.Errorf("%d events in a second", events)
		}
	})
}

// The plan of a model must be the sum of its steps, or the fraction would stop short of 1 or reach it early.
func TestCosting(t *testing.T) {
	for _, spec := range nn.Specs() {
		req := testRequest(spec.ID)
		c := costing{spec: spec, host: testHost(), req: req}
		sum := c.load() + c.data() + c.calibrate() + c.convert(4) + 4*c.accuracy() + c.latency(4, 1) + c.latency(4, 3)
		if math.Abs(c.model(4)-sum) > 1e-9 {
			t.Errorf("%s: planned %v, steps %v", spec.ID, c.model(4), sum)
		}
		req.Weights = wire.Fresh
		if fresh := (costing{spec: spec, host: testHost(), req: req}); math.Abs(fresh.model(4)-sum-c.train()) > 1e-9 {
			t.Errorf("%s: training is not planned", spec.ID)
		}
	}
}
