package exchange

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"quantlab/core/modelfile"
	"quantlab/core/modelfile/torch"
	"quantlab/core/nn"
)

// An array is a tensor of any file, its numbers not decoded yet.
type array struct {
	name   string
	shape  []int
	ints   bool                      // it holds integers or booleans
	values func() ([]float32, error) // decoded once
}

func (a array) len() int {
	n := 1
	for _, d := range a.shape {
		if d == 0 {
			return 0
		}
		if n > nn.MaxParams*4/d {
			return nn.MaxParams * 4
		}
		n *= d
	}
	return n
}

// A collection is the tensors of a file.
type collection struct {
	ordered bool // in the order in which the model names its layers
	arrays  []array
	notes   []string
}

// fromCheckpoint takes PyTorch's tensors, and the layers that torch.ao packed as the numbers that their weights stand for.
func fromCheckpoint(c *torch.Checkpoint) collection {
	out := collection{ordered: true}
	type placed struct {
		at int
		array
	}
	var all []placed
	for _, t := range c.Tensors {
		all = append(all, placed{t.Position, torchArray(t.Name, t)})
	}
	quantized, halves := false, false
	for _, p := range c.Packed {
		all = append(all, placed{p.Position, torchArray(p.Name+".weight", p.Weight)})
		if p.Bias != nil {
			all = append(all, placed{p.Position, torchArray(p.Name+".bias", p.Bias)})
		}
		if p.DType == torch.Float16 {
			halves = true
		} else {
			quantized = true
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.at - b.at })
	for _, a := range all {
		out.arrays = append(out.arrays, a.array)
	}
	if quantized {
		out.notes = append(out.notes, "already int8: its weights are read as the numbers they stand for, and what is made of it starts from these")
	}
	if halves {
		out.notes = append(out.notes, "already float16: its weights are read as the numbers they stand for")
	}
	if c.Path != "" {
		out.notes = append(out.notes, fmt.Sprintf("the tensors under %q were taken", c.Path))
	}
	if len(c.Passed) > 0 {
		out.notes = append(out.notes, "left aside: "+listed(c.Passed))
	}
	return out
}

func torchArray(name string, t *torch.Tensor) array {
	ints := slices.Contains([]torch.DType{torch.Int64, torch.Int32, torch.Int16, torch.Int8, torch.UInt8, torch.Bool}, t.DType)
	return array{name, t.Shape, ints, sync.OnceValues(t.Float32)}
}

// fromTensors takes the tensors of a safetensors file, in the natural order of their names: 2 before 10.
func fromTensors(c *modelfile.Contents) collection {
	out := collection{}
	for i := range c.Tensors {
		t := &c.Tensors[i]
		ints := !strings.Contains(t.DType, "F")
		out.arrays = append(out.arrays, array{t.Name, t.Shape, ints, sync.OnceValues(t.Float32)})
	}
	slices.SortStableFunc(out.arrays, func(a, b array) int { return compareNames(a.name, b.name) })
	return out
}

// compareNames orders names with the numbers in them by value.
func compareNames(a, b string) int {
	x, y := splitNumbers(a), splitNumbers(b)
	for i := range min(len(x), len(y)) {
		if x[i] == y[i] {
			continue
		}
		if isDigit(x[i][0]) && isDigit(y[i][0]) {
			p, q := strings.TrimLeft(x[i], "0"), strings.TrimLeft(y[i], "0")
			if len(p) != len(q) {
				return len(p) - len(q)
			}
			return strings.Compare(p, q)
		}
		return strings.Compare(x[i], y[i])
	}
	return len(x) - len(y)
}

// splitNumbers cuts a name where digits begin and end.
func splitNumbers(name string) []string {
	var parts []string
	from := 0
	for i := 1; i <= len(name); i++ {
		if i == len(name) || isDigit(name[i]) != isDigit(name[i-1]) {
			parts = append(parts, name[from:i])
			from = i
		}
	}
	return parts
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// listed joins at most a few names.
func listed(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", listed(names[:most]), len(names)-most)
	}
	short := make([]string, len(names))
	for i, n := range names {
		short[i] = fmt.Sprintf("%.60s", n)
	}
	return strings.Join(short, ", ")
}
