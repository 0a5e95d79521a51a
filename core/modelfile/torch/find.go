package torch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nlpodyssey/gopickle/types"
)

// Bounds of the search for a state_dict.
const (
	maxDepth   = 16
	maxTensors = 10000
	maxVisits  = 1 << 20 // of values, those met again counted
	maxName    = 300     // bytes of one part of a tensor's name
)

// usual are the names under which programs save the model, the most telling first, then its averages.
var usual = strings.Fields(`state_dict model_state_dict model_state model net network module model_weights weights params
	ema_state_dict model_ema ema averaged_model swa_model`)

// never are parts of names under which there are tensors, but no model's.
var never = []string{"optim", "sched", "scaler", "rng", "random", "criterion", "callback"}

var errRich = errors.New("what was saved is nested too richly to search: " + instead)

// An item is one of a mapping's.
type item struct {
	key   string
	value any
}

// items returns a mapping's items in their order; nil where v is none. Keys that are neither names nor numbers are passed over.
func items(v any) []item {
	out := []item{}
	add := func(key, value any) {
		switch k := key.(type) {
		case string:
			if len(k) <= maxName {
				out = append(out, item{k, value})
			}
		case int:
			out = append(out, item{strconv.Itoa(k), value})
		}
	}
	switch m := v.(type) {
	case *types.OrderedDict:
		for e := m.List.Front(); e != nil; e = e.Next() {
			entry := e.Value.(*types.OrderedDictEntry)
			add(entry.Key, entry.Value)
		}
	case *types.Dict:
		at := map[string]int{}
		for _, e := range *m {
			// A key that is set again keeps its place.
			n := len(out)
			add(e.Key, e.Value)
			if len(out) == n {
				continue
			}
			if i, again := at[out[n].key]; again {
				out[i].value, out = out[n].value, out[:n]
			} else {
				at[out[n].key] = n
			}
		}
	default:
		return nil
	}
	return out
}

// A finder looks for a state_dict in what was saved.
type finder struct {
	visits   int
	mappings map[any][]item // that were met
	holds    map[any]bool   // of these, whether there are tensors in them
	foreign  *class         // of the first whole object that was met
	where    string         // its path
	passed   []string
}

// items returns a mapping's items, of which a mapping that is met again makes no copy.
func (f *finder) items(v any) []item {
	all, known := f.mappings[v]
	if !known {
		all = items(v)
		f.mappings[v] = all
	}
	return all
}

// find returns the model's tensors in what was saved.
func find(v any) (*Checkpoint, error) {
	f := finder{mappings: map[any][]item{}, holds: map[any]bool{}}
	switch root := v.(type) {
	case *object:
		return nil, whole(root.class, "")
	case *class:
		return nil, whole(root, "")
	case *Tensor:
		return nil, fmt.Errorf("the file holds a single tensor, not a model: " + instead)
	case *types.List, *types.Tuple:
		return nil, fmt.Errorf("the file holds a list, not a model's named tensors: " + instead)
	}
	if items(v) == nil {
		return nil, fmt.Errorf("the file holds no model: " + instead)
	}
	if !f.search(v, "", 0) {
		switch {
		case f.visits > maxVisits:
			return nil, errRich
		case f.foreign != nil:
			return nil, whole(f.foreign, f.where)
		}
		return nil, fmt.Errorf("the file holds no tensors: " + instead)
	}
	set, path, err := f.choose(v, "", 0)
	if err != nil {
		return nil, err
	}
	c := collector{f: &f}
	if err := c.collect(set, "", 0); err != nil {
		return nil, err
	}
	checkpoint, err := c.checkpoint()
	if err != nil {
		return nil, err
	}
	checkpoint.Path, checkpoint.Passed = path, f.passed
	return checkpoint, nil
}

// whole says that a whole object was saved, at a path.
func whole(c *class, where string) error {
	if where != "" {
		where = fmt.Sprintf(" as %.60q", where)
	}
	return fmt.Errorf("the file holds%s a whole object of the class %s, which only the Python program that wrote it knows: %s", where, c, instead)
}

// search reports whether there are tensors in the mapping v, a model's and not an optimizer's, and remembers it of every mapping.
func (f *finder) search(v any, path string, depth int) bool {
	if held, known := f.holds[v]; known {
		return held
	}
	f.visits++
	if depth > maxDepth || f.visits > maxVisits {
		return false
	}
	f.holds[v] = false // of a mapping within itself
	found := false
	all := f.items(v)
	if isOptimizer(all) {
		return false
	}
	for _, it := range all {
		f.visits++
		inner := join(path, it.key)
		switch value := it.value.(type) {
		case *Tensor:
			found = true
		case *types.Tuple:
			found = found || isPacked(inner)
		case *object:
			if f.foreign == nil {
				f.foreign, f.where = value.class, inner
			}
		case *types.Dict, *types.OrderedDict:
			if !isNever(it.key) && f.search(value, inner, depth+1) {
				found = true
			}
		}
	}
	f.holds[v] = found
	return found
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func isNever(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc(never, func(part string) bool { return strings.Contains(key, part) })
}

// isOptimizer reports whether a mapping is the state of an optimizer of torch.optim.
func isOptimizer(all []item) bool {
	var state, groups bool
	for _, it := range all {
		state = state || it.key == "state"
		groups = groups || it.key == "param_groups"
	}
	return state && groups
}

// choose returns the mapping within v that is the model's state_dict, and its path.
func (f *finder) choose(v any, path string, depth int) (any, string, error) {
	if depth > maxDepth {
		return nil, "", errRich
	}
	all := f.items(v)
	direct, nested := false, []item{}
	for _, it := range all {
		switch value := it.value.(type) {
		case *Tensor:
			direct = direct || len(value.Shape) > 0
		case *types.Tuple:
			direct = direct || isPacked(join(path, it.key))
		case *types.Dict, *types.OrderedDict:
			if isNever(it.key) || isOptimizer(f.items(value)) {
				f.passed = append(f.passed, join(path, it.key))
			} else if f.holds[value] {
				nested = append(nested, it)
			}
		}
	}
	for _, name := range usual {
		at := slices.IndexFunc(nested, func(it item) bool { return strings.ToLower(it.key) == name })
		if at >= 0 {
			for i, other := range nested {
				if i != at {
					f.passed = append(f.passed, join(path, other.key))
				}
			}
			return f.choose(nested[at].value, join(path, nested[at].key), depth+1)
		}
	}
	switch {
	case direct || len(nested) == 0:
		return v, path, nil
	case len(nested) == 1:
		return f.choose(nested[0].value, join(path, nested[0].key), depth+1)
	}
	var names []string
	for _, it := range nested {
		if f.isStateDict(it.value) {
			names = append(names, fmt.Sprintf("%.40q", it.key))
		}
	}
	if len(names) > 1 {
		return nil, "", fmt.Errorf("the file holds several models (%s): save the state_dict of one of them", strings.Join(names[:min(len(names), 5)], ", "))
	}
	return v, path, nil
}

// isStateDict reports whether a mapping is a whole model's, not one layer's: its names have parts.
func (f *finder) isStateDict(v any) bool {
	return slices.ContainsFunc(f.items(v), func(it item) bool { return strings.Contains(it.key, ".") })
}

// A collector takes the tensors out of a state_dict.
type collector struct {
	f        *finder
	position int
	elements int
	tensors  []*Tensor
	packed   []*PackedLinear
	types    map[string]DType // of packed layers, by the names of their entries
	names    map[string]bool
}

// collect takes what is in the mapping v, whose names begin with prefix.
func (c *collector) collect(v any, prefix string, depth int) error {
	if depth > maxDepth {
		return nil
	}
	if c.names == nil {
		c.names, c.types = map[string]bool{}, map[string]DType{}
	}
	for _, it := range c.f.items(v) {
		if c.f.visits++; c.f.visits > maxVisits {
			return errRich
		}
		name := join(prefix, it.key)
		var err error
		switch value := it.value.(type) {
		case *Tensor:
			err = c.tensor(name, value)
		case DType:
			c.types[name] = value
		case *types.Tuple:
			if isPacked(name) {
				err = c.pack(name, *value)
			}
		case *object:
			if isPacked(name) {
				err = fmt.Errorf("layer %.60q is packed in a form that only PyTorch reads: save torch.save(model.state_dict(), \"model.pt\") of the model before it was quantized", name)
			}
		case *types.Dict, *types.OrderedDict:
			if c.f.holds[value] && !isNever(it.key) {
				err = c.collect(value, name, depth+1)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tensor takes one tensor, and gives it its name.
func (c *collector) tensor(name string, t *Tensor) error {
	if c.names[name] {
		return damaged("two of its tensors are named %.60q", name)
	}
	c.names[name] = true
	n := t.Len()
	if n > MaxElements-c.elements {
		return fmt.Errorf("the model has more than %d numbers: bring a smaller one", MaxElements)
	}
	c.elements += n
	if len(c.tensors) >= maxTensors {
		return fmt.Errorf("the model has more than %d tensors: bring a smaller one", maxTensors)
	}
	named := *t // tied weights are one tensor under two names
	named.Name, named.Position = name, c.position
	c.position++
	c.tensors = append(c.tensors, &named)
	return nil
}
