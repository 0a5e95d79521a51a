package lab

import (
	"fmt"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// spec returns the model of that name as this run measures it.
func (r *runner) spec(id string) (nn.Spec, error) { return r.req.SpecOf(id) }

// tellOwn notes on which examples of the reader's own what was measured, and which models could not be.
func (r *runner) tellOwn() {
	if !r.timeOnly {
		r.tellUse(r.req.Test, func(s nn.Spec) string { return s.Test }, wire.OwnData.Fits,
			"accuracy was measured on %s, %s of your own: %s", "measured on its own test set")
	}
	r.tellUse(r.req.Calibration, func(s nn.Spec) string { return s.Calibration }, wire.OwnData.ReadBy,
		"static layers were calibrated with %s, %s of your own: %s", "calibrated with its own sample")
}

// tellUse notes one use of the reader's own examples: for which models they served, and why they did not where they were asked for.
func (r *runner) tellUse(asked string, of func(nn.Spec) string, fits func(wire.OwnData, nn.Spec) error, served, not string) {
	var order []string
	models := map[string][]string{}
	for _, id := range r.req.Models {
		spec, err := r.spec(id)
		if err != nil { // said where its turn comes
			continue
		}
		name := of(spec)
		if models[name] == nil {
			order = append(order, name)
		}
		models[name] = append(models[name], id)
		usual, _ := r.req.Catalog().Of(id)
		for _, wanted := range []string{asked, of(usual)} {
			if data, err := r.req.Own.DataOf(wanted); err == nil && fits(data, spec) != nil && name == "" {
				r.note(fmt.Sprintf("%v: %s was %s", fits(data, spec), id, not))
				break
			}
		}
	}
	for _, name := range order {
		if data, err := r.req.Own.DataOf(name); err == nil {
			r.note(fmt.Sprintf(served, name, data.Count(), strings.Join(models[name], ", ")))
		}
	}
}

// fresh reports whether the model is to be trained first. How one of the reader's own was trained is not known.
func (t *trial) fresh() bool {
	if t.req.Weights != wire.Fresh {
		return false
	}
	if t.spec.Own {
		t.note(t.spec.ID + " was measured with the weights of its file: how a model of your own was trained is not known")
	}
	return !t.spec.Own
}

// trained is the spec as training reads it: examples that calibrate train nothing.
func trained(spec nn.Spec) nn.Spec {
	spec.Calibration = ""
	return spec
}

// trainable refuses models that can't be trained.
func (r *runner) trainable() error {
	for _, id := range r.req.Models {
		if spec, err := r.spec(id); err == nil && spec.Own {
			return fmt.Errorf("%s can't be trained again: how a model of your own was trained is not known; choose from %s", id, strings.Join(nn.IDs(), ", "))
		}
	}
	return nil
}
