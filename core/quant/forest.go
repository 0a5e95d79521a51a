package quant

import (
	"fmt"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// MaxPlans bounds the plans of a Forest: more than every choice of five schemes for each of five layers.
const MaxPlans = 1 << 12

// A Forest is one network converted by many plans. Layers that plans have in common are quantized and packed once, and where
// plans begin alike, what these layers compute is computed once for all of them: a pass is a walk, depth first, through the
// tree of the plans' schemes.
//
// It has room for one batch's outputs of each layer, however many plans there are. It serves one call at a time, its models'
// among them.
type Forest struct {
	spec     nn.Spec
	plans    []Plan
	features int // that a batch has
	packed   map[packing]*packedLayer
	roots    []*branch
	look     func() error
	*workspace
}

// A packing is all that decides what a packed layer of a network computes, given one calibration.
type packing struct {
	layer  int
	scheme Scheme
}

// A packedLayer is a layer that is ready to run.
type packedLayer struct {
	QuantizedLayer
	step step
}

// A branch is a layer as some plans have it that have all layers before it in common.
type branch struct {
	*packedLayer
	next []*branch
	ends []int // the plans whose last layer it is
}

// NewForest quantizes the network by every plan and makes all of them ready to run. cal is needed where a plan has static
// layers, and must cover every one. Options.Look is called while the forest is made, and during its passes too. The same
// plan may be there several times. Close the forest when done.
func NewForest(net *nn.Network, plans []Plan, cal *Calibration, opt Options) (*Forest, error) {
	if len(plans) == 0 || len(plans) > MaxPlans {
		return nil, fmt.Errorf("%d plans are out of range: give 1 to %d", len(plans), MaxPlans)
	}
	if err := net.Validate(); err != nil {
		return nil, err
	}
	for i, p := range plans {
		if err := p.Validate(len(net.Layers)); err != nil {
			return nil, fmt.Errorf("plan %d: %w", i, err)
		}
		if err := cal.covers(p); err != nil {
			return nil, fmt.Errorf("plan %d: %w", i, err)
		}
	}
	w, err := newWorkspace(opt)
	if err != nil {
		return nil, err
	}
	f := &Forest{
		spec: net.Spec, plans: plans, features: net.Layers[0].In,
		packed: map[packing]*packedLayer{}, look: opt.Look, workspace: w,
	}
	for i, p := range plans {
		if err := f.plant(net, i, p, cal); err != nil {
			return nil, err
		}
	}
	f.spread(net)
	w.team = kernel.NewTeam(opt.Threads)
	return f, nil
}

// plant adds a plan to the tree.
func (f *Forest) plant(net *nn.Network, plan int, p Plan, cal *Calibration) error {
	var at *branch
	level := &f.roots
	for i, s := range p {
		l, err := f.pack(net, i, s, cal)
		if err != nil {
			return err
		}
		at = nil
		for _, b := range *level {
			if b.packedLayer == l {
				at = b
			}
		}
		if at == nil {
			at = &branch{packedLayer: l}
			*level = append(*level, at)
		}
		level = &at.next
	}
	at.ends = append(at.ends, plan)
	return nil
}

// pack returns a layer as the scheme has it.
func (f *Forest) pack(net *nn.Network, i int, s Scheme, cal *Calibration) (*packedLayer, error) {
	key := packing{i, s}
	if l := f.packed[key]; l != nil {
		return l, nil
	}
	l := &packedLayer{}
	var err error
	if l.QuantizedLayer, err = QuantizeLayer(net.Layers[i], s, f.look); err != nil {
		return nil, err
	}
	l.SetScheme(s, i, cal)
	if err := l.Validate(); err != nil {
		return nil, err
	}
	if f.look != nil {
		if err := f.look(); err != nil {
			return nil, err
		}
	}
	l.step = f.newStep(i, &l.QuantizedLayer)
	f.packed[key] = l
	return l, nil
}

// spread makes room for every layer of the network at once: while the branches that begin at a layer are walked one after the
// other, its outputs must stay.
func (f *Forest) spread(net *nn.Network) {
	f.floats, f.ints = make([][]float32, len(net.Layers)), make([][]uint8, len(net.Layers))
	for key := range f.packed {
		n := f.max * net.Layers[key.layer].Out
		switch static := key.scheme.Mode == Static; {
		case static && f.ints[key.layer] == nil:
			f.ints[key.layer] = make([]uint8, n)
		case !static && f.floats[key.layer] == nil:
			f.floats[key.layer] = make([]float32, n)
		}
	}
	for i := range f.plans {
		f.reserve(f.Layers(i))
	}
}

// Forward runs the batch by every plan and hands each one's logits, rows x classes, to the function: the numbers that the
// plan's own Model would give, bit for bit. The plans come in the order of the tree, not in theirs. The logits are only valid
// during the call, which must not use the forest; its error ends the pass. Forward itself allocates nothing. It can be
// interrupted like Model.ForwardInterruptible, by the error of Options.Look.
func (f *Forest) Forward(x nn.Batch, each func(plan int, logits []float32) error) error {
	s, err := f.enter(x, f.features)
	if err != nil {
		return err
	}
	f.workspace.look = f.look
	defer func() { f.workspace.look = nil }()
	for _, b := range f.roots {
		if err := f.walk(b, s, each); err != nil {
			return err
		}
	}
	return nil
}

// walk runs the branch and all that grows on it.
func (f *Forest) walk(b *branch, in signal, each func(plan int, logits []float32) error) error {
	out, err := b.step.forward(f.workspace, in)
	if err != nil {
		return err
	}
	for _, next := range b.next {
		if err := f.walk(next, out, each); err != nil {
			return err
		}
	}
	if len(b.ends) == 0 {
		return nil
	}
	logits := f.float(out)
	for _, plan := range b.ends {
		if err := each(plan, logits); err != nil {
			return err
		}
	}
	return nil
}

// Layers returns what a plan made of the network, which is what its model file would hold. It must not be changed.
func (f *Forest) Layers(plan int) []QuantizedLayer {
	var layers []QuantizedLayer
	for i, s := range f.plans[plan] {
		layers = append(layers, f.packed[packing{i, s}].QuantizedLayer)
	}
	return layers
}

// Model returns a plan's model, which shares the forest's packed layers, room and threads: of all of these and the forest only
// one may run at a time. Close the forest, not the model.
func (f *Forest) Model(plan int) *Model {
	m := &Model{Spec: f.spec, layers: f.Layers(plan), workspace: f.workspace}
	for i, s := range f.plans[plan] {
		m.steps = append(m.steps, f.packed[packing{i, s}].step)
	}
	return m
}

// Close ends the threads of the forest and its models. They must be idle and not be used again.
func (f *Forest) Close() { f.team.Close() }
