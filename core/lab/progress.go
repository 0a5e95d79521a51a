package lab

import (
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// progressEvery keeps progress events to about twenty a second.
const progressEvery = 50 * time.Millisecond

// A tracker turns steps of unequal cost into one fraction that only grows. Costs are rough seconds; what matters is
// that they are in proportion to each other.
type tracker struct {
	emit     func(wire.Event)
	total    float64 // cost of the whole run
	done     float64 // cost of the steps that are over
	cost     float64 // of the current step
	fraction float64
	last     time.Time
}

// begin ends the current step, if there is one, and announces the next.
func (t *tracker) begin(step string, cost float64) {
	t.end()
	t.cost = cost
	t.send(step, 0)
}

// at says how much of the current step is over; it is cheap to call often.
func (t *tracker) at(step string, share float64) {
	if time.Since(t.last) >= progressEvery {
		t.send(step, share)
	}
}

// end counts the current step as done.
func (t *tracker) end() {
	t.done += t.cost
	t.cost = 0
}

// reach ends the current step and counts as done whatever was planned up to cost and did not take place.
func (t *tracker) reach(cost float64) {
	t.end()
	t.done = max(t.done, cost)
}

func (t *tracker) send(step string, share float64) {
	t.last = time.Now()
	if t.total > 0 {
		t.fraction = max(t.fraction, min((t.done+t.cost*min(share, 1))/t.total, 1))
	}
	t.emit(wire.Event{Kind: wire.EventProgress, Step: step, Fraction: t.fraction})
}

// A costing estimates the seconds that the steps of one model take. Only proportions count: the rates are those of an
// engine in plain Go, and a faster engine is faster at most steps alike.
type costing struct {
	spec nn.Spec
	host Host
	req  wire.Request
}

const (
	macsPerSecond  = 3e9
	bytesPerSecond = 100e6
)

// macs counts the multiply-adds of one example.
func (c costing) macs() float64 { return float64(c.spec.Params()) }

func (c costing) load() float64 { return 0.05 + 4*float64(c.spec.Params())/bytesPerSecond }

func (c costing) data() float64 { return 0.1 }

// trainingExamples is about how many examples a training set has.
const trainingExamples = 60000

func (c costing) train() float64 {
	const passes = 3 // forward, gradient of the weights, gradient of the activations
	macs := c.macs()
	if c.spec.Data == nn.SST2 { // the first layer's product is sparse; its Adam step is not
		macs = c.macs() - float64(c.spec.In*c.spec.Hidden[0]) + c.macs()/float64(c.spec.Batch)
	}
	return float64(c.spec.Epochs) * trainingExamples * passes * macs / macsPerSecond
}

func (c costing) calibrate() float64 { return 0.2 + 1024*c.macs()/macsPerSecond }

func (c costing) convert(variants int) float64 { return float64(variants) * c.macs() / bytesPerSecond }

// accuracy is the cost of one variant.
func (c costing) accuracy() float64 {
	examples := 10000
	if c.spec.Data == nn.SST2 {
		examples = 872
	}
	if c.req.Examples > 0 {
		examples = min(examples, c.req.Examples)
	}
	return float64(examples) * c.macs() / macsPerSecond
}

// latency is the cost of all runs of all variants at one batch size. A run takes somewhat longer than it must, and a
// warm-up is a few calls at the least.
func (c costing) latency(variants, batch int) float64 {
	const slack, warmUp, warmUpCalls = 1.3, 0.15, 4
	call := float64(batch) * c.macs() / macsPerSecond
	run := max(slack*c.host.minRun().Seconds(), call)
	return float64(variants) * (warmUp + warmUpCalls*call + float64(c.req.Runs)*run)
}

// accuracies is the cost of so many plans in one pass, where about half of every plan is another one's too.
func (c costing) accuracies(plans int) float64 { return float64(plans) / 2 * c.accuracy() }

// fidelity is the cost of comparing so many plans with float32.
func (c costing) fidelity(plans int) float64 {
	return c.convert(plans) + float64(plans)*fidelityBatches*EvalBatch*c.macs()/macsPerSecond
}

// sensitivity is the cost of a model with so many layers, quantized as so many variants.
func (c costing) sensitivity(layers, variants int) float64 {
	plans := 1 + variants*(1+2*layers)
	sum := c.load() + c.data() + c.calibrate() + c.convert(plans) + c.accuracies(plans) + c.fidelity(plans)
	if c.req.Weights == wire.Fresh {
		sum += c.train()
	}
	for _, b := range c.req.Batches {
		sum += c.latency(plans, b)
	}
	return sum
}

// model is the cost of all steps of the model with so many variants.
func (c costing) model(variants int) float64 {
	sum := c.load() + c.data() + c.calibrate() + c.convert(variants) + float64(variants)*c.accuracy()
	if c.req.Weights == wire.Fresh {
		sum += c.train()
	}
	for _, b := range c.req.Batches {
		sum += c.latency(variants, b)
	}
	return sum
}
