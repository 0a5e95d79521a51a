// Package nn describes quantlab's networks as plain data: which layers a model has, how it is trained, and its
// float32 parameters. It computes nothing and links no kernel, so that the page can import it too.
package nn

import (
	"fmt"
	"strings"
)

// The two tasks. A Spec's Data is one of them.
const (
	MNIST = "mnist"
	SST2  = "sst2"
)

// A Spec fixes one model, of the lab or of the reader's own: its data, its layers and how it is trained (Adam, cross-entropy).
type Spec struct {
	ID     string  `json:"id"`              // "mnist-lab1"
	Title  string  `json:"title"`           // "MNIST 1"
	Data   string  `json:"data"`            // MNIST or SST2
	Crop   int     `json:"crop,omitempty"`  // MNIST: side of the square centre crop, 28 is the whole image
	Vocab  int     `json:"vocab,omitempty"` // SST-2: how many of the most frequent words, 0 is all of them
	In     int     `json:"in"`              // input features
	Hidden []int   `json:"hidden"`          // widths of the hidden layers, each followed by a ReLU
	Out    int     `json:"out"`             // logits; one stands for two classes, see Labels
	LR     float64 `json:"lr"`              // Adam's learning rate
	Batch  int     `json:"batch"`           // examples a training step
	Epochs int     `json:"epochs"`

	// Of the reader's own models.
	Own     bool     `json:"own,omitempty"`
	Scaling Scaling  `json:"scaling,omitzero"`  // MNIST: what the model was trained to see of pixels
	Binary  bool     `json:"binary,omitempty"`  // SST-2: a bag tells which words occur, not how often
	Classes []string `json:"classes,omitempty"` // names of the classes, where they are not the data's own

	// The reader's own examples, by name, that stand in for Data's; "" is Data's.
	Test        string `json:"test,omitempty"`        // to measure accuracy
	Calibration string `json:"calibration,omitempty"` // to calibrate static layers
}

// A Scaling makes features of pixels from 0 to 255: (pixel/255 - Mean) / Std. The zero Scaling leaves them from 0 to 1.
type Scaling struct {
	Mean float64 `json:"mean"`
	Std  float64 `json:"std"`
}

// Feature returns what becomes of a pixel, rounded once.
func (s Scaling) Feature(pixel uint8) float32 {
	if s.Std == 0 {
		return float32(pixel) / 255
	}
	return float32((float64(pixel)/255 - s.Mean) / s.Std)
}

// Labels returns the names of the classes that the model tells apart. A model with one logit tells two: the second class is
// its answer where the logit is above 0.
func (s Spec) Labels() []string {
	switch {
	case len(s.Classes) > 0:
		return s.Classes
	case s.Data == SST2 && s.Out <= 2:
		return []string{"negative", "positive"}
	}
	var out []string
	for class := range max(s.Out, 2) {
		out = append(out, fmt.Sprint(class))
	}
	return out
}

// Specs returns the lab's four models, in the lab's order.
func Specs() []Spec {
	return []Spec{
		{ID: "mnist-lab1", Title: "MNIST 1", Data: MNIST, Crop: 28, In: 784, Hidden: []int{512}, Out: 10, LR: 0.001, Batch: 100, Epochs: 2},
		{ID: "mnist-lab2", Title: "MNIST 2", Data: MNIST, Crop: 20, In: 400, Hidden: []int{1024, 1024}, Out: 10, LR: 0.001, Batch: 64, Epochs: 2},
		{ID: "sst2-lab1", Title: "SST-2 1", Data: SST2, In: 14816, Hidden: []int{512}, Out: 2, LR: 0.001, Batch: 100, Epochs: 2},
		{ID: "sst2-lab2", Title: "SST-2 2", Data: SST2, Vocab: 5000, In: 5000, Hidden: []int{256, 256, 256}, Out: 2, LR: 0.001, Batch: 64, Epochs: 2},
	}
}

// Dims returns the width of every layer boundary, from the input to the logits: 784, 512, 10.
func (s Spec) Dims() []int {
	dims := append([]int{s.In}, s.Hidden...)
	return append(dims, s.Out)
}

// Shape spells Dims: "784 – 512 – 10".
func (s Spec) Shape() string { return Shape(s.Dims()) }

// Shape spells the widths of a network's layer boundaries.
func Shape(dims []int) string {
	var parts []string
	for _, d := range dims {
		parts = append(parts, fmt.Sprint(d))
	}
	return strings.Join(parts, " – ")
}

// Params counts weights and biases.
func (s Spec) Params() int {
	dims, n := s.Dims(), 0
	for i := 1; i < len(dims); i++ {
		n += (dims[i-1] + 1) * dims[i]
	}
	return n
}

// A Linear is a fully connected layer: y = x·Wᵀ + B, then max(0, y) where ReLU is set.
type Linear struct {
	Name    string // "layers.0"
	In, Out int
	W       []float32 // Out x In, row-major, as PyTorch keeps it
	B       []float32 // Out
	ReLU    bool
}

// A Network is a stack of Linear layers with their float32 parameters; the last one's outputs are the logits.
type Network struct {
	Spec   Spec
	Layers []Linear
}

// LayerName names layer i as PyTorch does: "layers.0".
func LayerName(i int) string { return fmt.Sprintf("layers.%d", i) }

// New returns the spec's network with every parameter zero.
func New(s Spec) *Network {
	n, dims := &Network{Spec: s}, s.Dims()
	for i := 1; i < len(dims); i++ {
		in, out := dims[i-1], dims[i]
		n.Layers = append(n.Layers, Linear{
			Name: LayerName(i - 1), In: in, Out: out,
			W: make([]float32, in*out), B: make([]float32, out), ReLU: i < len(dims)-1,
		})
	}
	return n
}

// Validate checks that the layers fit together and that every parameter is finite.
func (n *Network) Validate() error {
	if len(n.Layers) == 0 {
		return fmt.Errorf("network %q has no layers", n.Spec.ID)
	}
	for i, l := range n.Layers {
		if l.In <= 0 || l.Out <= 0 || len(l.W) != l.In*l.Out || len(l.B) != l.Out {
			return fmt.Errorf("layer %s: %d weights and %d biases do not make a %d x %d layer", l.Name, len(l.W), len(l.B), l.Out, l.In)
		}
		if i > 0 && l.In != n.Layers[i-1].Out {
			return fmt.Errorf("layer %s takes %d features, but %s gives %d", l.Name, l.In, n.Layers[i-1].Name, n.Layers[i-1].Out)
		}
		for _, p := range [][]float32{l.W, l.B} {
			for _, v := range p {
				if d := v - v; d != 0 { // NaN or infinite
					return fmt.Errorf("layer %s holds a parameter that is %v: the model is damaged, train or import it again", l.Name, v)
				}
			}
		}
	}
	return nil
}

// Params counts weights and biases.
func (n *Network) Params() int {
	c := 0
	for _, l := range n.Layers {
		c += len(l.W) + len(l.B)
	}
	return c
}
