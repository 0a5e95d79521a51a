package exchange

import (
	"bytes"
	"context"
	"encoding/binary"
	encoding "encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// An entry is one tensor of a file that a test writes.
type entry struct {
	name   string
	values []float32
	shape  []int
}

// filled is a tensor whose numbers depend on its name.
func filled(name string, shape ...int) entry {
	n, e := 1, entry{name: name, shape: shape}
	for _, d := range shape {
		n *= d
	}
	sum := 0
	for i, c := range name {
		sum += (i + 1) * int(c)
	}
	for i := range n {
		e.values = append(e.values, float32(i%7)-3+float32(sum)/1000)
	}
	return e
}

// linear is a layer with a bias.
func linear(name string, in, out int) []entry {
	return []entry{filled(name+".weight", out, in), filled(name+".bias", out)}
}

// safetensors writes a file as other programs do.
func safetensors(entries ...[]entry) []byte {
	type info struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header, payload := map[string]info{}, []byte{}
	for _, e := range slices.Concat(entries...) {
		from := len(payload)
		for _, v := range e.values {
			payload = binary.LittleEndian.AppendUint32(payload, math.Float32bits(v))
		}
		header[e.name] = info{"F32", e.shape, [2]int{from, len(payload)}}
	}
	text, err := encoding.Marshal(header)
	if err != nil {
		panic(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, payload)
}

func concat(layers ...[]entry) []entry { return slices.Concat(layers...) }

// What real PyTorch saved gives PyTorch's logits, whatever the layers are called, whatever type their numbers have.
func TestFixturesGivePyTorchsLogits(t *testing.T) {
	folder := filepath.Join("..", "modelfile", "torch", "testdata")
	text, err := os.ReadFile(filepath.Join(folder, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Inputs [][]float32
		Files  map[string]struct{ Logits [][]float64 }
	}
	if err := encoding.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	words := File{Name: "words.json", Data: []byte(`["a", "b", "c", "d", "e", "f"]`)}
	x := nn.Batch{Rows: len(golden.Inputs), Cols: len(golden.Inputs[0]), Dense: slices.Concat(golden.Inputs...)}
	tried := 0
	for name, file := range golden.Files {
		if file.Logits == nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Import(t.Context(), []File{{Name: name, Data: data}, words}, wire.ImportRequest{Answers: map[string]string{keyScaling: "counts"}}, nil, nil)
		if err != nil || got.Net == nil {
			t.Errorf("%s: %+v, error %v", name, got, err)
			continue
		}
		// torch.ao's quantized layers round activations too; which numbers their weights stand for its own test tells.
		quantized := strings.HasPrefix(name, "dynamic") || strings.HasPrefix(name, "static")
		if quantized != strings.Contains(strings.Join(got.Model.Notes, "\n"), "already ") {
			t.Errorf("%s: notes %q", name, got.Model.Notes)
		}
		bound := 1e-5
		if quantized {
			bound = 0.05
		}
		plan, err := quant.Preset("fp32", len(got.Net.Layers))
		if err != nil {
			t.Fatal(err)
		}
		m, err := quant.Convert(got.Net, plan, nil, quant.Options{})
		if err != nil {
			t.Fatal(err)
		}
		logits, err := m.Forward(x)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Concat(file.Logits...)
		for i, z := range want {
			if d := math.Abs(float64(logits[i]) - z); !(d <= bound*max(1, math.Abs(z))) {
				t.Errorf("%s: logit %d is %v, PyTorch's %v", name, i, logits[i], z)
				break
			}
		}
		m.Close()
		tried++
	}
	if tried < 15 {
		t.Errorf("only %d files were compared", tried)
	}
}

// Layers are found by shape, in the order that the file, numbers in names, or shapes tell.
func TestLayersOfSafetensors(t *testing.T) {
	for name, c := range map[string]struct {
		layers []entry
		answer map[string]string
		shape  string // of the network; or
		asks   string // the key of the question; or
		says   string // the error
		notes  string
	}{
		"plain":                   {layers: concat(linear("fc1", 784, 8), linear("fc2", 8, 10)), shape: "784 – 8 – 10", notes: "fc1, fc2"},
		"one layer":               {layers: linear("fc", 400, 10), shape: "400 – 10"},
		"ten numbered layers":     {layers: concat(linear("net.0", 784, 5), linear("net.2", 5, 5), linear("net.10", 5, 10), linear("net.4", 5, 5)), shape: "784 – 5 – 5 – 5 – 10", notes: "net.0, net.2, net.4, net.10"},
		"names against the order": {layers: concat(linear("a_out", 8, 10), linear("b_in", 784, 8)), shape: "784 – 8 – 10", notes: "b_in, a_out"},
		"no order":                {layers: concat(linear("in", 784, 8), linear("left", 8, 8), linear("right", 8, 8), linear("zz", 8, 10)), asks: keyOrder},
		"order answered":          {layers: concat(linear("in", 784, 8), linear("left", 8, 8), linear("right", 8, 8), linear("zz", 8, 10)), answer: map[string]string{keyOrder: "in, right, left, zz"}, shape: "784 – 8 – 8 – 8 – 10", notes: "in, right, left, zz"},
		"order answered wrongly":  {layers: concat(linear("in", 784, 8), linear("left", 8, 8), linear("right", 8, 8), linear("zz", 8, 10)), answer: map[string]string{keyOrder: "zz"}, says: "no answer"},
		"two heads":               {layers: concat(linear("fc1", 784, 8), linear("digit", 8, 10), linear("parity", 8, 1)), asks: keyOutput},
		"a head chosen":           {layers: concat(linear("fc1", 784, 8), linear("digit", 8, 10), linear("parity", 8, 1)), answer: map[string]string{keyOutput: "parity"}, shape: "784 – 8 – 1", notes: "left aside: digit"},
		"turned":                  {layers: []entry{filled("l1.kernel", 784, 8), filled("l1.bias", 8), filled("l2.kernel", 8, 10), filled("l2.bias", 10)}, shape: "784 – 8 – 10", notes: "turned"},
		"turned, no bias":         {layers: []entry{filled("l1.kernel", 784, 8), filled("l2.kernel", 8, 10)}, shape: "784 – 8 – 10", notes: "turned"},
		"no bias":                 {layers: []entry{filled("l1.weight", 8, 784), filled("l2.weight", 10, 8)}, shape: "784 – 8 – 10", notes: "without a bias"},
		"flat bias":               {layers: []entry{filled("W1", 8, 784), filled("b1", 1, 8), filled("W2", 10, 8), filled("b2", 1, 10)}, shape: "784 – 8 – 10"},
		"wrapped":                 {layers: concat(linear("module._orig_mod.fc1", 784, 8), linear("module._orig_mod.fc2", 8, 10)), shape: "784 – 8 – 10"},
		"two names":               {layers: []entry{filled("fc1.weight", 8, 784), {name: "net0.weight", values: filled("fc1.weight", 8, 784).values, shape: []int{8, 784}}, filled("fc2.weight", 10, 8)}, shape: "784 – 8 – 10", notes: "two names"},
		"tied":                    {layers: []entry{filled("a1.weight", 8, 784), filled("b1.weight", 8, 8), {name: "b2.weight", values: filled("b1.weight", 8, 8).values, shape: []int{8, 8}}, filled("c1.weight", 10, 8)}, asks: keyTied},
		"stored either way":       {layers: []entry{filled("a.weight", 50, 30), filled("b.weight", 30, 20)}, asks: keyOrientation},
		"stored turned":           {layers: []entry{filled("a.weight", 50, 30), filled("b.weight", 30, 20)}, answer: map[string]string{keyOrientation: "a, b: turned"}, asks: keyVocabulary},
		"other squares":           {layers: concat(linear("fc1", 196, 8), linear("fc2", 8, 10)), asks: keyData},
		"a crop of 14":            {layers: concat(linear("fc1", 196, 8), linear("fc2", 8, 10)), answer: map[string]string{keyData: nn.MNIST}, shape: "196 – 8 – 10"},
		"words":                   {layers: concat(linear("fc1", 50, 8), linear("fc2", 8, 2)), asks: keyVocabulary},
		"784 words":               {layers: linear("fc1", 784, 2), answer: map[string]string{keyData: nn.SST2}, asks: keyVocabulary},
		"a gap":                   {layers: concat(linear("fc1", 784, 8), linear("fc2", 9, 10)), says: "fc1 gives 8 features and fc2 takes 9"},
		"a convolution":           {layers: append(linear("fc1", 784, 10), filled("conv.weight", 4, 1, 3, 3)), says: "conv.weight belongs to a convolution"},
		"batch normalization":     {layers: append(linear("fc1", 784, 10), filled("bn.weight", 10), filled("bn.bias", 10), filled("bn.running_mean", 10)), says: "batch normalization"},
		"layer normalization":     {layers: append(linear("fc1", 784, 10), filled("ln.weight", 10), filled("ln.bias", 10)), says: "ln.weight is a vector"},
		"an activation's weight":  {layers: append(linear("fc1", 784, 10), filled("act.weight", 1)), says: "PReLU"},
		"an LSTM":                 {layers: append(linear("fc1", 784, 10), filled("rnn.weight_ih_l0", 8, 784)), says: "recurrent"},
		"an embedding":            {layers: append(linear("fc1", 64, 2), filled("embed.weight", 1000, 64)), says: "embedding"},
		"pruned":                  {layers: []entry{filled("fc.weight_orig", 10, 784), filled("fc.weight_mask", 10, 784)}, says: "prune.remove"},
		"a scalar":                {layers: append(linear("fc1", 784, 10), filled("loss.pos_weight", 1)), shape: "784 – 10", notes: "left aside"},
		"nothing":                 {layers: []entry{filled("x", 3)}, says: "no matrix"},
		"empty layer":             {layers: []entry{filled("fc.weight", 0, 784)}, says: "empty matrix"},
		"too wide":                {layers: []entry{filled("fc.weight", 1, nn.MaxWidth+1)}, says: "262145"},
		"too many classes":        {layers: []entry{filled("fc.weight", nn.MaxOut+1, 400)}, says: "1001 classes"},
		"NaN":                     {layers: []entry{{"fc.weight", slices.Repeat([]float32{float32(math.NaN())}, 784), []int{1, 784}}}, says: "fc.weight holds NaN"},
		"infinity":                {layers: []entry{{"fc.weight", slices.Repeat([]float32{float32(math.Inf(-1))}, 784), []int{1, 784}}}, says: "holds -Inf"},
	} {
		answers := map[string]string{keyScaling: "unit"}
		for k, v := range c.answer {
			answers[k] = v
		}
		got, err := Import(t.Context(), []File{{Name: "m.safetensors", Data: safetensors(c.layers)}}, wire.ImportRequest{Answers: answers}, nil, nil)
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %v, want %q", name, err, c.says)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case c.asks != "":
			if len(got.Questions) != 1 || got.Questions[0].Key != c.asks || got.Net != nil {
				t.Errorf("%s: %+v, want a question %q", name, got, c.asks)
			}
		case got.Net == nil:
			t.Errorf("%s: asks %+v", name, got.Questions)
		default:
			if s := got.Model.Spec.Shape(); s != c.shape || !strings.Contains(strings.Join(got.Model.Notes, "\n"), c.notes) {
				t.Errorf("%s: %s, notes %q; want %s and %q", name, s, got.Model.Notes, c.shape, c.notes)
			}
			if err := got.Model.Spec.Validate(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// A turned weight gives the outputs of the upright one.
func TestTurnedWeights(t *testing.T) {
	w := filled("l.kernel", 784, 3)
	got, err := Import(t.Context(), []File{{Name: "m.safetensors", Data: safetensors([]entry{w, filled("l.bias", 3)})}}, wire.ImportRequest{Answers: map[string]string{keyScaling: "unit"}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := got.Net.Layers[0]
	for i := range l.In {
		for o := range l.Out {
			if l.W[o*l.In+i] != w.values[i*l.Out+o] {
				t.Fatalf("weight %d, %d is %v, want %v", o, i, l.W[o*l.In+i], w.values[i*l.Out+o])
			}
		}
	}
}

func TestNames(t *testing.T) {
	for file, want := range map[string]string{
		"mlp.pt": "mlp", "runs/My Model (2).pth": "my-model-2", "mnist-lab1.safetensors": "my-mnist-lab1", "...pt": "my-model", "Modell_ä.pt": "modell",
		strings.Repeat("x", 90) + ".pt": strings.Repeat("x", nn.MaxName),
	} {
		if got := nameOf(file); got != want || nn.CheckName(got) != nil {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

func TestCancelledImport(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Import(ctx, []File{{Name: "m.safetensors", Data: safetensors(linear("fc", 784, 10))}}, wire.ImportRequest{}, nil, nil)
	if !errors.Is(err, ctx.Err()) {
		t.Errorf("error %v", err)
	}
}

// Nothing that a file holds makes Import panic, or gives a model that does not stand.
func FuzzImport(f *testing.F) {
	f.Add(safetensors(linear("fc1", 784, 2)), []byte("a\nb"))
	f.Add(safetensors(linear("a", 16, 4), linear("b", 4, 4), linear("c", 4, 2)), []byte(nil))
	f.Add(safetensors(linear("a", 2, 3), linear("b", 3, 1)), []byte(`{"x": 0, "y": 1}`))
	for _, name := range []string{"mlp.pt", "legacy.pt", "dynamic_qint8.pt", "static_fx.pt", "whole.pt", "words_index.pt"} {
		data, err := os.ReadFile(filepath.Join("..", "modelfile", "torch", "testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte(`["a", "b", "c", "d", "e", "f"]`))
	}
	f.Fuzz(func(t *testing.T, model, words []byte) {
		files := []File{{Name: "m", Data: model}}
		if len(words) > 0 {
			files = append(files, File{Name: "v", Data: words})
		}
		got, err := Import(t.Context(), files, wire.ImportRequest{Answers: map[string]string{keyScaling: "unit"}}, nil, nil)
		if err != nil {
			if strings.Contains(err.Error(), "\n") && !bytes.Contains(model, []byte("\n")) {
				t.Errorf("an error of two lines: %v", err)
			}
			return
		}
		if got.Model == nil {
			return
		}
		if err := got.Net.Validate(); err != nil {
			t.Error(err)
		}
		if err := got.Model.Spec.Validate(); err != nil {
			t.Error(err)
		}
	})
}
