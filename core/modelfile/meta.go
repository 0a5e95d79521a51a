// Package modelfile stores networks, trained or quantized, as safetensors.
//
// A file holds, for layer N of the network:
//
//	layers.N.weight        F32, F16 or I8, out x in, as its mode says; weights of 4 bits or fewer: U8, out x ⌈in/2⌉
//	layers.N.bias          F32, out
//	layers.N.weight_scale  F32, out: int8 layers with a scale for each output
//	layers.N.weight_zero   I8, out: those of them that are not symmetric
//
// and in the metadata, whose values are strings:
//
//	format       "quantlab 1"; "quantlab 2" where a layer's weights are U8
//	model        the network's id, such as mnist-lab1
//	layers       JSON: each layer's scheme, its scale and zero point where there is one for the layer, and a static
//	             layer's activation grids; absent where every layer is float32
//	training     JSON: the settings that trained it and the accuracy measured then
//	calibration  JSON: activation grids, so that a static model can be made where the data is not
//	vocabulary   the words that the inputs count, one a line, in the order of the inputs
//	own          JSON: what is known of a model of the reader's own, its spec under "spec"
//
// A byte of U8 weights holds two integers in two's complement, the one of even position in its lower half; an odd row's last
// upper half is 0. In files of format 1 weights of few bits are I8 like others, and are read as well.
//
// Any program that reads safetensors can read the tensors. Reading is bounded: a file is never much larger than its
// network, and nothing in it is believed before it was checked.
package modelfile

import (
	"encoding/json"
	"fmt"
	"strings"

	"quantlab/core/nn"
	"quantlab/core/quant"
)

// Meta is what a file tells of its network beside the parameters. All of it is optional.
type Meta struct {
	Model       string             // a spec's ID; writing fills it in
	Settings    json.RawMessage    // JSON: what trained the network
	Correct     int                // how many test examples it got right then
	Total       int                // of how many; 0: not measured
	Calibration *quant.Calibration // activation grids of the lab's static variant
	Vocabulary  []string           // SST-2: the words, in the order of the inputs
	Own         json.RawMessage    // JSON: of a model of the reader's own, a wire.OwnModel
}

// The metadata's keys and what format says.
const (
	keyFormat      = "format"
	keyModel       = "model"
	keyLayers      = "layers"
	keyTraining    = "training"
	keyCalibration = "calibration"
	keyVocabulary  = "vocabulary"
	keyOwn         = "own"

	format       = "quantlab 1"
	formatPacked = "quantlab 2"
)

type training struct {
	Settings json.RawMessage `json:"settings,omitempty"`
	Correct  int             `json:"correct,omitempty"`
	Total    int             `json:"total,omitempty"`
}

// encode returns the metadata of a file that holds the spec's network.
func (m Meta) encode(spec nn.Spec) (map[string]string, error) {
	info := map[string]string{keyFormat: format, keyModel: spec.ID}
	if m.Model != "" && m.Model != spec.ID {
		return nil, fmt.Errorf("the metadata describes the model %s, the network is %s", m.Model, spec.ID)
	}
	if t := (training{m.Settings, m.Correct, m.Total}); len(t.Settings) > 0 || t.Total > 0 {
		text, err := json.Marshal(t)
		if err != nil {
			return nil, fmt.Errorf("encoding the training settings of %s: %w", spec.ID, err)
		}
		info[keyTraining] = string(text)
	}
	if m.Calibration != nil {
		text, err := json.Marshal(m.Calibration)
		if err != nil {
			return nil, fmt.Errorf("encoding the calibration of %s: %w", spec.ID, err)
		}
		info[keyCalibration] = string(text)
	}
	if len(m.Vocabulary) > 0 {
		for _, w := range m.Vocabulary {
			if w == "" || strings.Contains(w, "\n") {
				return nil, fmt.Errorf("the vocabulary of %s holds the word %q, which can't be stored", spec.ID, w)
			}
		}
		if len(m.Vocabulary) != spec.In {
			return nil, fmt.Errorf("the vocabulary has %d words, but %s has %d inputs", len(m.Vocabulary), spec.ID, spec.In)
		}
		info[keyVocabulary] = strings.Join(m.Vocabulary, "\n")
	}
	if len(m.Own) > 0 {
		if !json.Valid(m.Own) {
			return nil, fmt.Errorf("what is known of %s can't be stored: it is no JSON", spec.ID)
		}
		info[keyOwn] = string(m.Own)
	}
	return info, nil
}

// decode reads the metadata of a file that should hold the spec's network. One without metadata, such as another
// program writes, is as good if its tensors are.
func decode(info map[string]string, spec nn.Spec) (Meta, error) {
	m := Meta{Model: info[keyModel]}
	if f := info[keyFormat]; strings.HasPrefix(f, "quantlab ") && f != format && f != formatPacked {
		return m, fmt.Errorf("it is of format %q, this program reads %q and %q: update quantlab, or train or download the model again", f, format, formatPacked)
	}
	if m.Model == "" {
		m.Model = spec.ID
	}
	if m.Model != spec.ID {
		return m, fmt.Errorf("it holds the model %q, not %s: give the file of %s", m.Model, spec.ID, spec.ID)
	}
	if text, ok := info[keyTraining]; ok {
		var t training
		if err := json.Unmarshal([]byte(text), &t); err != nil || t.Correct < 0 || t.Correct > t.Total {
			return m, damaged("its training record is unreadable")
		}
		m.Settings, m.Correct, m.Total = t.Settings, t.Correct, t.Total
	}
	if text, ok := info[keyCalibration]; ok {
		m.Calibration = new(quant.Calibration)
		if err := json.Unmarshal([]byte(text), m.Calibration); err != nil {
			return m, damaged("its calibration is unreadable")
		}
		if got, want := len(m.Calibration.Boundaries), len(spec.Dims()); got != want {
			return m, damaged("its calibration is for %d layers, the model has %d", got-1, want-1)
		}
	}
	if text, ok := info[keyOwn]; ok {
		if !json.Valid([]byte(text)) {
			return m, damaged("what is known of it is unreadable")
		}
		m.Own = json.RawMessage(text)
	}
	if text, ok := info[keyVocabulary]; ok {
		m.Vocabulary = strings.Split(text, "\n")
		if len(m.Vocabulary) != spec.In {
			return m, damaged("its vocabulary has %d words, the model %d inputs", len(m.Vocabulary), spec.In)
		}
	}
	return m, nil
}

// damaged says what is wrong with a file and what helps.
func damaged(problem string, args ...any) error {
	return fmt.Errorf("the model file is damaged: "+problem+": train or download the model again", args...)
}
