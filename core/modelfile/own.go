package modelfile

import (
	"encoding/json"
	"io"

	"quantlab/core/nn"
)

// ReadOwn reads a float32 network of the reader's own, whose spec its file tells. It reads at most limit bytes of r.
func ReadOwn(r io.Reader, limit int64) (*nn.Network, Meta, error) {
	a, err := open(r, limit-8-maxHeader)
	if err != nil {
		return nil, Meta{}, err
	}
	spec, err := ownSpec(a.info)
	if err != nil {
		return nil, Meta{}, err
	}
	meta, err := decode(a.info, spec)
	if err != nil {
		return nil, Meta{}, err
	}
	net, err := a.network(spec)
	if err != nil {
		return nil, Meta{}, err
	}
	return net, meta, nil
}

// ownSpec returns the spec that the metadata of a model of the reader's own tells.
func ownSpec(info map[string]string) (nn.Spec, error) {
	text, ok := info[keyOwn]
	if !ok {
		return nn.Spec{}, damaged("it does not tell what model it holds")
	}
	var own struct {
		Spec nn.Spec `json:"spec"`
	}
	if err := json.Unmarshal([]byte(text), &own); err != nil {
		return nn.Spec{}, damaged("what is known of it is unreadable")
	}
	return own.Spec, own.Spec.Validate()
}
