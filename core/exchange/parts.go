package exchange

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"quantlab/core/nn"
)

// stacks says what can be taken.
const stacks = "quantlab takes stacks of fully connected layers with ReLU between them"

// A part is a fully connected layer of a file.
type part struct {
	name       string // of its module: "net.0"
	weight     array
	bias       *array // nil where there is none
	rows, cols int    // of the weight as it is stored
}

// upright reports whether the weight can be stored as PyTorch stores it, out x in.
func (p part) upright() bool { return p.bias == nil || p.bias.shape[0] == p.rows }

// transposed reports whether it can be stored in x out.
func (p part) transposed() bool { return p.bias == nil || p.bias.shape[0] == p.cols }

// maxArrays bounds the tensors that are looked at.
const maxArrays = 1024

// parts finds the fully connected layers among the arrays, in their order. A tensor that belongs to anything else that computes is an
// error.
func parts(c *collection) ([]part, error) {
	if len(c.arrays) > maxArrays {
		return nil, fmt.Errorf("the file holds %d tensors, far more than %d layers have: %s", len(c.arrays), nn.MaxLayers, stacks)
	}
	for _, a := range c.arrays {
		if what := alien(a); what != "" {
			return nil, fmt.Errorf("%.60s %s", a.name, what)
		}
	}
	var found []part
	var vectors []array
	for i, a := range c.arrays {
		switch {
		case a.ints || len(a.shape) == 0:
			c.notes = append(c.notes, fmt.Sprintf("%.60s was left aside: it is no weight", a.name))
		case len(a.shape) == 2 && !flatBias(c.arrays, i):
			found = append(found, part{name: moduleOf(a.name), weight: a, rows: a.shape[0], cols: a.shape[1]})
		case len(a.shape) == 2:
			a.shape = []int{a.len()}
			vectors = append(vectors, a)
		default:
			vectors = append(vectors, a)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("the file holds no matrix of weights: %s", stacks)
	}
	if err := c.attach(found, vectors); err != nil {
		return nil, err
	}
	return found, bounded(found)
}

// flatBias reports whether array i is a matrix of one row or column that is the bias of another: 1 x out.
func flatBias(arrays []array, i int) bool {
	a := arrays[i]
	if a.shape[0] != 1 && a.shape[1] != 1 {
		return false
	}
	return slices.ContainsFunc(arrays, func(w array) bool {
		return len(w.shape) == 2 && w.name != a.name && slices.Contains(biasNames(w.name), a.name) && slices.Contains(w.shape, a.len())
	})
}

// bounded refuses more or larger layers than can be taken. Layers may come under two names.
func bounded(found []part) error {
	total := 0
	for _, p := range found {
		if p.rows < 1 || p.cols < 1 {
			return fmt.Errorf("%.60s is an empty matrix, %d x %d: save the model again", p.weight.name, p.rows, p.cols)
		}
		if max(p.rows, p.cols) > nn.MaxWidth {
			return fmt.Errorf("%.60s is %d x %d: at most %d features can be taken", p.weight.name, p.rows, p.cols, nn.MaxWidth)
		}
		total += p.weight.len()
	}
	if len(found) > 2*nn.MaxLayers {
		return fmt.Errorf("the file holds %d layers: at most %d can be taken", len(found), nn.MaxLayers)
	}
	if total > 2*nn.MaxParams {
		return fmt.Errorf("the file holds %d weights: at most %d can be taken", total, nn.MaxParams)
	}
	return nil
}

// alien says what an array belongs to, if that is no fully connected layer, and what to do.
func alien(a array) string {
	last := a.name[strings.LastIndexByte(a.name, '.')+1:]
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(last, p) })
	}
	low := strings.ToLower(a.name)
	what := ""
	switch {
	case has("running_mean", "running_var", "num_batches_tracked"):
		return "belongs to a batch normalization: fold it into the layer before it with torch.nn.utils.fusion.fuse_linear_bn_eval, and save again; " + stacks
	case last == "weight_g" || last == "weight_v" || last == "original0" || last == "original1" || last == "original" || last == "weight_u":
		return "is half of a parametrized weight: take that off first, with torch.nn.utils.parametrize.remove_parametrizations or remove_weight_norm, and save again"
	case strings.HasSuffix(last, "_mask") || strings.HasSuffix(last, "_orig"):
		return "belongs to a pruned layer: make the pruning permanent with torch.nn.utils.prune.remove, and save again"
	case has("weight_ih", "weight_hh", "bias_ih", "bias_hh") || strings.Contains(low, "lstm") || strings.Contains(low, "gru."):
		what = "a recurrent layer"
	case has("in_proj") || strings.Contains(low, "attn") || strings.Contains(low, "attention"):
		what = "an attention layer"
	case len(a.shape) == 3 || len(a.shape) == 4 || len(a.shape) == 5:
		what = fmt.Sprintf("a convolution, by its %d dimensions", len(a.shape))
	case len(a.shape) > 5:
		what = fmt.Sprintf("something of %d dimensions", len(a.shape))
	}
	if what != "" {
		what = "belongs to " + what + ": " + stacks
	}
	return what
}

// attach gives each part its bias. A vector that is none is an error, since what it does to the features is not known.
func (c *collection) attach(found []part, vectors []array) error {
	var without []string
	for i := range found {
		p := &found[i]
		at := slices.IndexFunc(vectors, func(v array) bool {
			return slices.Contains(biasNames(p.weight.name), v.name) && (v.len() == p.rows || v.len() == p.cols)
		})
		if at >= 0 {
			v := vectors[at]
			p.bias = &v
			vectors = slices.Delete(vectors, at, at+1)
		}
	}
	for i := range found {
		p := &found[i]
		if p.bias != nil {
			continue
		}
		if at := c.follows(p.weight.name, vectors); at >= 0 && vectors[at].len() == p.rows {
			v := vectors[at]
			p.bias = &v
			vectors = slices.Delete(vectors, at, at+1)
			c.notes = append(c.notes, fmt.Sprintf("%.60s was taken for the bias of %.60s, which it follows", v.name, p.weight.name))
			continue
		}
		if strings.Contains(strings.ToLower(p.name), "emb") {
			return fmt.Errorf("%.60s belongs to an embedding: %s", p.weight.name, stacks)
		}
		without = append(without, p.name)
	}
	for _, v := range vectors {
		if last := v.name[strings.LastIndexByte(v.name, '.')+1:]; last == "weight" || last == "gamma" || last == "beta" {
			return fmt.Errorf("%.60s is a vector of %d weights, as a normalization or a PReLU has: %s", v.name, v.len(), stacks)
		}
	}
	for _, v := range vectors {
		if v.len() != 1 {
			return fmt.Errorf("%.60s, %d numbers, belongs to no layer of the file: save the layers alone; %s", v.name, v.len(), stacks)
		}
		c.notes = append(c.notes, fmt.Sprintf("%.60s was left aside: it is a single number", v.name))
	}
	if len(without) > 0 {
		c.notes = append(c.notes, "without a bias, which is taken to be 0: "+listed(without))
	}
	return nil
}

// follows returns which of the vectors comes right after the array of that name, in a file that keeps an order; -1 for none.
func (c *collection) follows(name string, vectors []array) int {
	i := slices.IndexFunc(c.arrays, func(a array) bool { return a.name == name })
	if !c.ordered || i+1 >= len(c.arrays) {
		return -1
	}
	return slices.IndexFunc(vectors, func(v array) bool { return v.name == c.arrays[i+1].name })
}

// biasNames returns what the bias of a weight of that name may be called.
func biasNames(weight string) []string {
	var names []string
	for _, pair := range [][2]string{{"weights", "biases"}, {"weight", "bias"}, {"kernel", "bias"}, {"W", "B"}, {"W", "b"}, {"w", "b"}} {
		if i := strings.LastIndex(weight, pair[0]); i >= 0 {
			names = append(names, weight[:i]+pair[1]+weight[i+len(pair[0]):])
		}
	}
	return names
}

// moduleOf is the name of a weight's layer: of "net.0.weight" it is "net.0".
func moduleOf(weight string) string {
	if name, ok := strings.CutSuffix(weight, ".weight"); ok && name != "" {
		return name
	}
	return weight
}

// numbers decodes the part's weight and bias and refuses what can't be computed with. Without a bias it is zeros. Transposed
// weights are turned.
func (p part) numbers(transposed bool) (nn.Linear, error) {
	l := nn.Linear{In: p.cols, Out: p.rows}
	if transposed {
		l.In, l.Out = l.Out, l.In
	}
	var err error
	if l.W, err = finite(p.weight); err != nil {
		return l, err
	}
	if transposed {
		w := make([]float32, len(l.W))
		for o := range l.Out {
			for i := range l.In {
				w[o*l.In+i] = l.W[i*l.Out+o]
			}
		}
		l.W = w
	}
	if p.bias == nil {
		l.B = make([]float32, l.Out)
		return l, nil
	}
	l.B, err = finite(*p.bias)
	return l, err
}

// finite decodes an array, all of whose numbers must be finite.
func finite(a array) ([]float32, error) {
	values, err := a.values()
	if err != nil {
		return nil, err
	}
	if len(values) != a.len() {
		return nil, fmt.Errorf("%.60s holds %d numbers, not the %d of its shape: save the model again", a.name, len(values), a.len())
	}
	for _, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("%.60s holds %v, which can't be computed with: train the model again, with a lower learning rate perhaps", a.name, v)
		}
	}
	return values, nil
}
