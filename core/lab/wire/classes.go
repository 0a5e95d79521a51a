package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/nn"
)

// ClassesOf tells for each label of examples which of the model's classes it means: the one of that name, the one that a number counts
// to, or, where a model of the reader's own has as many classes as there are labels, the one in that place.
func ClassesOf(labels []string, spec nn.Spec) ([]uint8, error) {
	names := spec.Labels()
	for _, find := range []func(string) int{
		func(label string) int {
			return slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, label) })
		},
		func(label string) int {
			if n, err := strconv.Atoi(label); err == nil && n >= 0 && n < len(names) {
				return n
			}
			return -1
		},
		func(label string) int {
			if spec.Own && len(labels) == len(names) {
				return slices.Index(labels, label)
			}
			return -1
		},
	} {
		if classes, ok := each(labels, find); ok {
			return classes, nil
		}
	}
	return nil, fmt.Errorf("%s tells %s apart, which examples labelled %s do not fit", spec.ID, some(names), some(labels))
}

// each finds a class for every label, or reports that it does not.
func each(labels []string, find func(string) int) ([]uint8, bool) {
	var classes []uint8
	for _, label := range labels {
		c := find(label)
		if c < 0 || c > 255 {
			return nil, false
		}
		classes = append(classes, uint8(c))
	}
	return classes, true
}

// some lists names, of many the first ones.
func some(names []string) string {
	const most = 4
	var short []string
	for _, n := range names[:min(len(names), most)] {
		short = append(short, fmt.Sprintf("%.20s", n))
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(short, ", "), len(names)-most)
	}
	return strings.Join(short, ", ")
}

// Fits reports why the model can't be measured on the examples; nil where it can.
func (d OwnData) Fits(spec nn.Spec) error {
	if err := d.ReadBy(spec); err != nil {
		return err
	}
	_, err := ClassesOf(d.Labels, spec)
	return err
}

// ReadBy reports why the model can't read the examples; nil where it can. That is all that calibration needs.
func (d OwnData) ReadBy(spec nn.Spec) error {
	if d.Data != spec.Data {
		return fmt.Errorf("%s holds %s", d.Name, d.what())
	}
	return nil
}

// what names the examples: "images" or "sentences".
func (d OwnData) what() string {
	if d.Data == nn.MNIST {
		return "images"
	}
	return "sentences"
}

// Count spells how many examples there are: "120 images".
func (d OwnData) Count() string {
	if d.Examples == 1 {
		return "1 " + strings.TrimSuffix(d.what(), "s")
	}
	return fmt.Sprintf("%d %s", d.Examples, d.what())
}

// SpecOf returns the model of that name as the request measures it: its Test and Calibration name the reader's own examples that the
// request asks for, or else those of the model itself, where it can be measured on such; "" stands for the lab's.
func (r Request) SpecOf(id string) (nn.Spec, error) {
	spec, err := r.Catalog().Of(id)
	if err != nil {
		return spec, err
	}
	if spec.Test, err = r.Own.choose(r.Test, spec.Test, func(d OwnData) error { return d.Fits(spec) }); err != nil {
		return spec, err
	}
	spec.Calibration, err = r.Own.choose(r.Calibration, spec.Calibration, func(d OwnData) error { return d.ReadBy(spec) })
	return spec, err
}

// choose returns the first of two names that is of examples that fit; "" where neither is.
func (o *Own) choose(asked, usual string, fits func(OwnData) error) (string, error) {
	for _, name := range []string{asked, usual} {
		if name == "" {
			continue
		}
		data, err := o.DataOf(name)
		if err != nil {
			return "", err
		}
		if fits(data) == nil {
			return name, nil
		}
	}
	return "", nil
}
