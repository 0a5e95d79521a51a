package scheme

import (
	"fmt"
	"slices"
	"strconv"
)

// A Setting is one of a scheme's, as With changes it.
type Setting string

// The settings of a scheme.
const (
	ModeOf              Setting = "mode"
	WeightBits          Setting = "weight bits"
	PerChannel          Setting = "per channel"
	WeightSymmetric     Setting = "weights symmetric"
	ActivationBits      Setting = "activation bits"
	ActivationSymmetric Setting = "activations symmetric"
	ReduceRange         Setting = "reduced range"
	PerRow              Setting = "per row"
	ObserverOf          Setting = "observer"
	PercentileOf        Setting = "percentile"
)

// usualPercentile is the share that the observer Percentile keeps where nothing else was said.
const usualPercentile = 99.9

// With returns the scheme with one setting changed. Numbers are spelled in decimal, switches as true and false, modes and observers
// by their names. A setting that the scheme's mode does not have is an error, as is a value out of range.
func (s Scheme) With(setting Setting, value string) (Scheme, error) {
	if setting == ModeOf {
		return s.in(Mode(value))
	}
	if !slices.Contains(s.Settings(), setting) {
		return s, fmt.Errorf("a layer in %s has no setting %q: choose another mode first", s, setting)
	}
	var err error
	w, a := &s.Weight, &s.Activation
	switch setting {
	case WeightBits:
		w.Bits, err = strconv.Atoi(value)
	case PerChannel:
		w.PerChannel, err = strconv.ParseBool(value)
	case WeightSymmetric:
		w.Symmetric, err = strconv.ParseBool(value)
	case ActivationBits:
		a.Bits, err = strconv.Atoi(value)
	case ActivationSymmetric:
		a.Symmetric, err = strconv.ParseBool(value)
	case ReduceRange:
		a.ReduceRange, err = strconv.ParseBool(value)
	case PerRow:
		a.PerRow, err = strconv.ParseBool(value)
	case ObserverOf:
		a.Observer, a.Percentile = value, 0
		if value == Percentile {
			a.Percentile = usualPercentile
		}
	case PercentileOf:
		a.Percentile, err = strconv.ParseFloat(value, 64)
	}
	if err != nil {
		return s, fmt.Errorf("%s %.40q can't be read: give a number, or true or false", setting, value)
	}
	return s, s.Validate()
}

// Setting spells a setting as With reads it; one that is not known is "".
func (s Scheme) Setting(setting Setting) string {
	switch setting {
	case ModeOf:
		return string(s.Mode)
	case WeightBits:
		return strconv.Itoa(s.Weight.Bits)
	case PerChannel:
		return strconv.FormatBool(s.Weight.PerChannel)
	case WeightSymmetric:
		return strconv.FormatBool(s.Weight.Symmetric)
	case ActivationBits:
		return strconv.Itoa(s.Activation.Bits)
	case ActivationSymmetric:
		return strconv.FormatBool(s.Activation.Symmetric)
	case ReduceRange:
		return strconv.FormatBool(s.Activation.ReduceRange)
	case PerRow:
		return strconv.FormatBool(s.Activation.PerRow)
	case ObserverOf:
		return s.Activation.Observer
	case PercentileOf:
		return strconv.FormatFloat(s.Activation.Percentile, 'f', -1, 64)
	}
	return ""
}

// Settings returns the settings that mean something in the scheme's mode.
func (s Scheme) Settings() []Setting {
	out := []Setting{ModeOf}
	if s.Mode != Dynamic && s.Mode != Static {
		return out
	}
	out = append(out, WeightBits, PerChannel, WeightSymmetric, ActivationBits, ActivationSymmetric, ReduceRange)
	if s.Mode == Dynamic {
		return append(out, PerRow)
	}
	out = append(out, ObserverOf)
	if s.Activation.Observer == Percentile {
		out = append(out, PercentileOf)
	}
	return out
}

// in returns the scheme in another mode. What both modes have is kept; but a scheme of the lab's becomes the lab's of the other mode.
func (s Scheme) in(mode Mode) (Scheme, error) {
	lab, ok := labs(mode)
	if !ok {
		return s, Scheme{Mode: mode}.Validate()
	}
	own, _ := labs(s.Mode)
	if s == own || len(s.Settings()) == 1 || mode == Float32 || mode == Float16 {
		return lab, nil
	}
	if mode != s.Mode {
		s.Mode = mode
		s.Activation.Observer, s.Activation.Percentile, s.Activation.PerRow = lab.Activation.Observer, 0, false
	}
	return s, nil
}

// labs returns the lab's scheme of a mode.
func labs(mode Mode) (Scheme, bool) {
	for _, p := range presets {
		if p.scheme.Mode == mode {
			return p.scheme, true
		}
	}
	return Scheme{}, false
}

// With returns the plan with a setting of one layer changed, or of all layers where layer is below 0. Where a change of all concerns a
// setting that only some of them have, these are changed.
func (p Plan) With(layer int, setting Setting, value string) (Plan, error) {
	if layer >= len(p) {
		return p, fmt.Errorf("there is no layer %d: the plan has %d", layer, len(p))
	}
	next, changed := slices.Clone(p), false
	for i, s := range p {
		if layer >= 0 && i != layer || layer < 0 && !slices.Contains(s.Settings(), setting) {
			continue
		}
		var err error
		if next[i], err = s.With(setting, value); err != nil {
			return p, err
		}
		changed = true
	}
	if !changed {
		return p, fmt.Errorf("no layer has the setting %q in its mode: choose another mode first", setting)
	}
	return next, nil
}
