package nn

import (
	"fmt"
	"slices"
	"strings"
)

// A Catalog is the models that there are, or that something is about: the lab's first, then the reader's own.
type Catalog []Spec

// CatalogOf returns the lab's models and these of the reader's own.
func CatalogOf(own []Spec) Catalog { return append(Catalog(Specs()), own...) }

// Of returns the model of that name.
func (c Catalog) Of(id string) (Spec, error) {
	for _, s := range c {
		if s.ID == id {
			return s, nil
		}
	}
	return Spec{}, fmt.Errorf("unknown model %.60q: choose from %s", id, strings.Join(c.IDs(), ", "))
}

// IDs returns the models' names, in their order.
func (c Catalog) IDs() []string {
	var ids []string
	for _, s := range c {
		ids = append(ids, s.ID)
	}
	return ids
}

// IDs returns the names of the lab's models, in the lab's order.
func IDs() []string { return CatalogOf(nil).IDs() }

// SpecOf returns the lab's model of that name.
func SpecOf(id string) (Spec, error) { return CatalogOf(nil).Of(id) }

// Bounds of a model of the reader's own. They keep what it takes in memory, in float32 and converted, in hand.
const (
	MaxName   = 40       // bytes of its name
	MaxParams = 32 << 20 // weights and biases: 128 MB in float32
	MaxLayers = 16
	MaxWidth  = 1 << 18 // features or logits
	MaxOut    = 1000
)

// CheckName refuses a name that a model or a data set of the reader's own can't have.
func CheckName(name string) error {
	if len(name) > MaxName || !isName(name) {
		return fmt.Errorf("%.60q can't be a name: give at most %d small letters, digits, dots, hyphens and underscores, such as my-mlp", name, MaxName)
	}
	if slices.Contains(IDs(), name) {
		return fmt.Errorf("%s is the name of one of the lab's models: give another", name)
	}
	return nil
}

// isName reports whether a name has the form of one. It is no regular expression, which would add 70 KB to the page's download.
func isName(name string) bool {
	const inside = ".-_"
	for _, c := range []byte(name) {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte(inside, c) >= 0) {
			return false
		}
	}
	return name != "" && strings.Trim(name, inside) == name
}

// Validate refuses a spec of the reader's own that is out of bounds or contradicts itself. One from a file or a request needs it.
func (s Spec) Validate() error {
	if err := CheckName(s.ID); err != nil {
		return err
	}
	if !s.Own || s.Data != MNIST && s.Data != SST2 {
		return fmt.Errorf("model %s is no model of the reader's own, or reads unknown data %.20q", s.ID, s.Data)
	}
	if len(s.Hidden) >= MaxLayers {
		return fmt.Errorf("model %s has %d layers: at most %d can be taken", s.ID, len(s.Hidden)+1, MaxLayers)
	}
	params := 0
	for i, d := range s.Dims() {
		if d < 1 || d > MaxWidth {
			return fmt.Errorf("model %s has a layer boundary of width %d: 1 to %d can be taken", s.ID, d, MaxWidth)
		}
		if i > 0 {
			params += (s.Dims()[i-1] + 1) * d
		}
		if params > MaxParams {
			return fmt.Errorf("model %s has more than %d parameters, which is the most that can be taken", s.ID, MaxParams)
		}
	}
	switch {
	case s.Out > MaxOut:
		return fmt.Errorf("model %s tells %d classes apart: at most %d can be taken", s.ID, s.Out, MaxOut)
	case len(s.Classes) > 0 && len(s.Classes) != max(s.Out, 2):
		return fmt.Errorf("model %s has %d names for %d classes", s.ID, len(s.Classes), max(s.Out, 2))
	case s.Data == MNIST && (s.Crop < 1 || s.Crop > 28 || s.Crop*s.Crop != s.In):
		return fmt.Errorf("model %s reads %d pixels, which are no crop of side %d", s.ID, s.In, s.Crop)
	case s.Data == SST2 && s.Vocab != s.In:
		return fmt.Errorf("model %s reads %d features, but counts %d words", s.ID, s.In, s.Vocab)
	case !(s.Scaling.Std >= 0 && s.Scaling.Std <= 1e6) || !(s.Scaling.Mean >= -1e6 && s.Scaling.Mean <= 1e6):
		return fmt.Errorf("model %s scales its pixels by %v and %v, which can't be computed with", s.ID, s.Scaling.Mean, s.Scaling.Std)
	}
	return nil
}
