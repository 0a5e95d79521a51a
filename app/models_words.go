package app

import (
	"fmt"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

var exportFormats = []pick{{wire.ONNX, "ONNX"}, {wire.PyTorch, "PyTorch .pt"}, {wire.Safetensors, "safetensors"}}

// exportName is what the file will be called.
func exportName(c exportChoice) string { return c.Model + "-" + c.Variant + "." + c.Format }

// exportWords say what the file is.
func exportWords(c exportChoice) string {
	switch c.Format {
	case wire.ONNX:
		switch c.Variant {
		case "fp32":
			return "An ONNX graph in float32: features in, logits out. ONNX Runtime runs it, and whatever else reads ONNX."
		case "dynamic-float16":
			return "An ONNX graph whose weights are float16 and widen to float32 as they are read: half the file, the same arithmetic."
		case "dynamic-qint8":
			return "An ONNX graph with int8 weights, which measures each batch’s range as it comes: DynamicQuantizeLinear and MatMulInteger."
		case "static-qint8":
			return "An ONNX graph with int8 weights and the calibrated ranges of activations in it: QuantizeLinear and DequantizeLinear around each layer."
		}
		return "An ONNX graph, each layer in the numbers that your plan gives it."
	case wire.PyTorch:
		switch c.Variant {
		case "fp32":
			return "A state_dict as torch.save writes it, of float32 tensors, which torch.load opens without running any code."
		case "dynamic-float16":
			return "A state_dict whose weights are float16 tensors: half the file. PyTorch widens them to float32 when a model takes them up."
		case wire.Custom:
			return "A state_dict, each layer in the numbers that your plan gives it, as far as PyTorch’s own quantization (torch.ao) has such layers."
		}
		return "A state_dict with int8 layers as PyTorch’s own quantization (torch.ao) saves them, which torch.load opens without running any code."
	}
	return "What quantlab itself keeps, and reads again without loss: the weights as they are stored, with scales and zero points beside them."
}

// openWords introduce the lines that open the file.
func openWords(c exportChoice) string {
	switch c.Format {
	case wire.ONNX:
		return "pip install onnxruntime numpy, then:"
	case wire.PyTorch:
		return "pip install torch, then:"
	}
	return "pip install safetensors numpy, then:"
}

// openCode are the lines that open the file, in Python.
func openCode(c exportChoice, spec nn.Spec) string {
	name := exportName(c)
	switch c.Format {
	case wire.ONNX:
		return fmt.Sprintf(`import numpy as np, onnxruntime

session = onnxruntime.InferenceSession(%q)
x = np.zeros((1, %d), np.float32)  # %s
logits, = session.run(None, {session.get_inputs()[0].name: x})
print(%s)`, name, spec.In, featureWords(spec), answerCode(spec))
	case wire.PyTorch:
		if c.Variant == wire.Baseline || c.Variant == "dynamic-float16" {
			return fmt.Sprintf(`import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([%s])

    def forward(self, x):  # %s
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)

net = Net()
net.load_state_dict(torch.load(%q, weights_only=True))`, linears(spec), featureWords(spec), name)
		}
		return fmt.Sprintf(`import torch

state = torch.load(%q, weights_only=True)
for key, value in state.items():
    if key.endswith("._packed_params"):
        weight, bias = value
        print(key, weight.dtype, tuple(weight.shape))
    else:
        print(key, getattr(value, "shape", value))`, name)
	}
	return fmt.Sprintf(`from safetensors import safe_open

with safe_open(%q, "numpy") as file:
    print(file.metadata()["layers"] if "layers" in file.metadata() else "all float32")
    for key in file.keys():
        print(key, file.get_tensor(key).dtype, file.get_tensor(key).shape)`, name)
}

// linears spells a model's layers as PyTorch makes them.
func linears(spec nn.Spec) string {
	dims := spec.Dims()
	var parts []string
	for i := 1; i < len(dims); i++ {
		parts = append(parts, fmt.Sprintf("nn.Linear(%d, %d)", dims[i-1], dims[i]))
	}
	return strings.Join(parts, ", ")
}

// featureWords say what a model's features are, in a comment of a line.
func featureWords(spec nn.Spec) string {
	if spec.Data == nn.SST2 {
		if spec.Binary {
			return "1 for each word of the vocabulary that occurs"
		}
		return "how often each word of the vocabulary occurs"
	}
	text := "pixels / 255"
	if c := spec.Scaling; c.Std != 0 {
		text = fmt.Sprintf("(pixels / 255 - %.4g) / %.4g", c.Mean, c.Std)
	}
	if spec.Crop < 28 {
		text += fmt.Sprintf(" of the middle %d x %d", spec.Crop, spec.Crop)
	}
	return text + ", row by row, 0 is paper"
}

// answerCode is the class that logits stand for.
func answerCode(spec nn.Spec) string {
	if spec.Out == 1 {
		return "int(logits[0, 0] > 0)"
	}
	return "logits.argmax(1)"
}

const (
	saveModelCode = `torch.save(model.state_dict(), "model.pt")`
	saveWordsCode = `import json
json.dump(words, open("vocabulary.json", "w"))  # words[i] is the word that input i counts`
)

// savingHelp says how to save what can be brought.
type savingHelp struct {
	goapp.Compo
	S      *session
	Level  int
	Copied string // what was just copied, in words
}

func (h *savingHelp) Render() goapp.UI {
	return goapp.Section().Class("section saving").Aria("labelledby", "models-saving").Body(
		heading(h.Level, "models-saving", "From PyTorch to here"),
		goapp.Details().ID("saving-model").Body(
			goapp.Summary().Text("How do I save a model?"),
			goapp.Div().Class("saving-body").Body(
				goapp.P().Text("Save its numbers, not the object: a file of the whole module holds code that would have to be run to read it, so it is refused."),
				h.S.codeBlock("save-model", "Python that saves a model", saveModelCode),
				goapp.P().Text("What can be taken: linear layers, one after the other, with ReLU between them. Whatever the layers are called, they are found by their shapes. "+
					"float32, float16, bfloat16 and float64 will do; a bias may be missing; the last layer gives a logit for each class, or one for two."),
			),
		),
		goapp.Details().ID("saving-words").Body(
			goapp.Summary().Text("My model reads words: what is its vocabulary?"),
			goapp.Div().Class("saving-body").Body(
				goapp.P().Text("The words that its inputs count, in their order. Drop it together with the model, or when you are asked for it: as JSON, as text with a word a line, or as a pickled list."),
				h.S.codeBlock("save-words", "Python that saves a vocabulary", saveWordsCode),
			),
		),
		goapp.Details().ID("saving-data").Body(
			goapp.Summary().Text("How should data of my own look?"),
			goapp.Div().Class("saving-body").Body(
				goapp.P().Text("Digits: a folder for each class, named after it, with PNG images of one digit each (digits/7/photo.png), as it is or as a zip. Or an IDX pair, as MNIST comes, gzipped or not."),
				goapp.P().Text("Sentences: a CSV or TSV file with a sentence and a label in each line, under the headings sentence and label."),
			),
		),
	)
}
