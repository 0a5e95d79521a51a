package onnx

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"quantlab/core/nn"
	"quantlab/core/quant"
)

// A Description is what a file tells of its model beside the graph.
type Description struct {
	Spec       nn.Spec  // name, shape, classes and what the model is fed
	Vocabulary []string // SST-2: the words, in the order of the inputs
	Correct    int      // how many test examples the network got right in float32, when it was trained
	Total      int      // of how many; 0: not known
	Version    string   // of quantlab
}

// A property is an entry of the metadata.
type property struct{ key, value string }

// metadata returns what the file tells for programs to read: text, or JSON where it has parts.
func (d Description) metadata(layers []quant.QuantizedLayer) ([]property, error) {
	if len(d.Vocabulary) > 0 && len(d.Vocabulary) != layers[0].In {
		return nil, fmt.Errorf("its vocabulary has %d words for %d inputs", len(d.Vocabulary), layers[0].In)
	}
	properties := []property{
		{"model", d.Spec.ID},
		{"title", d.Spec.Title},
		{"plan", quant.PlanOf(layers).String()},
		{"input", d.input()},
		{"output", d.output()},
	}
	for _, p := range []struct {
		key   string
		value any
		known bool
	}{
		{"classes", d.Spec.Labels(), true},
		{"preprocessing", d.preprocessing(), true},
		{"schemes", quant.PlanOf(layers), true},
		{"accuracy_float32", map[string]int{"correct": d.Correct, "total": d.Total}, d.Total > 0},
		{"vocabulary", d.Vocabulary, len(d.Vocabulary) > 0},
	} {
		if !p.known {
			continue
		}
		text, err := json.Marshal(p.value)
		if err != nil {
			return nil, fmt.Errorf("encoding its %s: %w", p.key, err)
		}
		properties = append(properties, property{p.key, string(text)})
	}
	return properties, nil
}

// doc describes the file for people.
func (d Description) doc(layers []quant.QuantizedLayer) string {
	text := fmt.Sprintf("%s (%s), %s, converted by quantlab: %s.\n\nInput: %s\n\nOutput: %s", d.Spec.ID, d.Spec.Title, d.Spec.Shape(), quant.PlanOf(layers).Short(), d.input(), d.output())
	if d.Total > 0 {
		text += fmt.Sprintf("\n\nIn float32 the model was right on %d of %d test examples.", d.Correct, d.Total)
	}
	for _, note := range Notes(layers) {
		text += "\n\n" + note
	}
	return text
}

// An imagePreprocessing says which features an image becomes: of the crop's pixels, row by row, (pixel / Divide - Mean) / Std.
type imagePreprocessing struct {
	Kind   string  `json:"kind"` // "image"
	Height int     `json:"height"`
	Width  int     `json:"width"`
	Paper  int     `json:"paper"` // the pixels' values
	Ink    int     `json:"ink"`
	Crop   crop    `json:"crop"`
	Layout string  `json:"layout"` // "row-major"
	Divide float64 `json:"divide"`
	Mean   float64 `json:"mean"`
	Std    float64 `json:"std"`
}

type crop struct {
	Top    int `json:"top"`
	Left   int `json:"left"`
	Height int `json:"height"`
	Width  int `json:"width"`
}

// A bagPreprocessing says which features a sentence becomes: one for each word of the vocabulary.
type bagPreprocessing struct {
	Kind    string `json:"kind"`    // "bag of words"
	Split   string `json:"split"`   // "white space"
	Case    string `json:"case"`    // "kept"
	Values  string `json:"values"`  // "counts" or "presence"
	Unknown string `json:"unknown"` // "dropped": words that the vocabulary lacks
}

const side = 28 // of MNIST's images

func (d Description) preprocessing() any {
	if d.Spec.Data == nn.SST2 {
		p := bagPreprocessing{Kind: "bag of words", Split: "white space", Case: "kept", Values: "counts", Unknown: "dropped"}
		if d.Spec.Binary {
			p.Values = "presence"
		}
		return p
	}
	margin := (side - d.Spec.Crop) / 2
	p := imagePreprocessing{
		Kind: "image", Height: side, Width: side, Paper: 0, Ink: 255, Layout: "row-major", Divide: 255, Std: 1,
		Crop: crop{margin, margin, d.Spec.Crop, d.Spec.Crop},
	}
	if d.Spec.Scaling != (nn.Scaling{}) {
		p.Mean, p.Std = d.Spec.Scaling.Mean, d.Spec.Scaling.Std
	}
	return p
}

// input says in words what preprocessing says.
func (d Description) input() string {
	switch p := d.preprocessing().(type) {
	case bagPreprocessing:
		each := "how often each word of the vocabulary occurs in the sentence"
		if d.Spec.Binary {
			each = "1 for each word of the vocabulary that occurs in the sentence, 0 for each other"
		}
		return fmt.Sprintf("a bag of words a row: %s, in the vocabulary’s order. Sentences are split on white space, letters keep their case, and words that the vocabulary lacks are dropped.", each)
	case imagePreprocessing:
		pixels := fmt.Sprintf("the %d × %d pixels", side, side)
		if d.Spec.Crop < side {
			pixels = fmt.Sprintf("the %d × %d pixels in the centre (from row and column %d on)", d.Spec.Crop, d.Spec.Crop, p.Crop.Top)
		}
		feature := "each divided by 255"
		if d.Spec.Scaling != (nn.Scaling{}) {
			feature = fmt.Sprintf("each of which becomes (pixel / 255 - %v) / %v", p.Mean, p.Std)
		}
		return fmt.Sprintf("an image a row: %s of a %d × %d image, row by row, ink 255 on paper 0, %s.", pixels, side, side, feature)
	}
	return ""
}

// output says what the logits answer.
func (d Description) output() string {
	labels := strings.Join(d.Spec.Labels(), ", ")
	if d.Spec.Out == 1 {
		return fmt.Sprintf("one logit a row, of the classes %s: the second one is the answer where it is above 0.", labels)
	}
	return fmt.Sprintf("a row of logits, one for each of the classes %s: the largest is the answer.", labels)
}

// Notes returns what whoever runs the file that Write writes must know.
func Notes(layers []quant.QuantizedLayer) []string {
	var notes []string
	has := func(is func(s quant.Scheme) bool, note string) {
		if slices.ContainsFunc(quant.PlanOf(layers), is) {
			notes = append(notes, note)
		}
	}
	int8Layer := func(s quant.Scheme) bool { return s.Mode == quant.Dynamic || s.Mode == quant.Static }
	has(func(s quant.Scheme) bool { return s.Mode == quant.Float16 },
		"Halves are stored; whoever runs the file computes in float32 with them.")
	has(func(s quant.Scheme) bool { return int8Layer(s) && s.Weight.Bits < 8 },
		"Weights of fewer than 8 bits take 8 bits each in the file: operator set 17 of ONNX has no smaller type.")
	has(func(s quant.Scheme) bool { return s.Mode == quant.Dynamic && !s.Activation.PerRow },
		"A dynamic layer takes the grid of its activations from the whole batch: what an example gives depends a little on the others in its batch.")
	has(func(s quant.Scheme) bool { return int8Layer(s) && quant.Top(s.Activation) > math.MaxInt8 },
		"Activations use all 8 bits: on x86 processors without VNNI, ONNX Runtime’s integer products may overflow unless its session option session.x64quantprecision is 1.")
	return notes
}
