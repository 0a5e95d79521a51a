package quant

import (
	"slices"

	"quantlab/core/nn"
)

// Stage returns a call that runs layer i alone, as Forward does: on what the layers before it make of the batch, which is
// computed now, with whatever conversions of its input and, of the last layer, of the logits come with it. It serves timing:
// what it computes is left in the model's room. The batch must stay as it is as long as the call is used, and the call counts as one of
// the model's.
func (m *Model) Stage(x nn.Batch, i int) (func() error, error) {
	in, err := m.enter(x, m.layers[0].In)
	if err != nil {
		return nil, err
	}
	for _, step := range m.steps[:i] {
		if in, err = step.forward(m.workspace, in); err != nil {
			return nil, err
		}
	}
	if i > 0 { // other calls write there
		in.f, in.q = slices.Clone(in.f), slices.Clone(in.q)
	}
	step, last := m.steps[i], i == len(m.steps)-1
	return func() error {
		out, err := step.forward(m.workspace, in)
		if err == nil && last {
			m.float(out)
		}
		return err
	}, nil
}
