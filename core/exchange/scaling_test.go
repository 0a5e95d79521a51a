package exchange

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// shown is a Trial of made-up images, of which class c has ink in row c of the middle, and of a few sentences.
type shown struct{ missing bool }

func (s shown) Test(_ context.Context, spec nn.Spec, n int, _ func(done, total int64)) (*dataset.Examples, error) {
	if s.missing {
		return nil, &dataset.MissingError{What: "MNIST test images"}
	}
	if spec.Own || spec.In != 784 {
		return nil, errors.New("only the lab's models have examples")
	}
	r := rand.New(rand.NewPCG(3, 4))
	e := &dataset.Examples{Dim: 784}
	for i := range n {
		image := make([]uint8, 784)
		for k := range 40 {
			image[(4+2*(i%10))*28+r.IntN(28)+k%2*28] = 255
		}
		e.Pixels, e.Labels = append(e.Pixels, image...), append(e.Labels, uint8(i%10))
	}
	return e, nil
}

func (s shown) Sentences(_ context.Context, _ nn.Spec, split string, n int, _ func(done, total int64)) (*dataset.Sentences, error) {
	if s.missing || split != dataset.Dev {
		return nil, &dataset.MissingError{What: "SST-2"}
	}
	out := &dataset.Sentences{}
	for i := range min(n, 200) {
		text := []string{"bad bad good so", "good"}[i%2]
		out.Text, out.Labels = append(out.Text, text), append(out.Labels, uint8(i%2))
	}
	return out, nil
}

// rows is a network that looks where shown has its ink. Its answer is right if the features are scaled so that what it subtracts
// from each class, offset for each of the 56 pixels, fits.
func rows(class func(c int) float32) []byte {
	w, b := entry{name: "fc.weight", shape: []int{10, 784}, values: make([]float32, 7840)}, entry{name: "fc.bias", shape: []int{10}}
	for c := range 10 {
		for k := range 56 {
			w.values[c*784+(4+2*c)*28+k] = 1
		}
		b.values = append(b.values, class(c))
	}
	return safetensors([]entry{w, b})
}

func TestScalingByTrial(t *testing.T) {
	fair := rows(func(int) float32 { return 0 })
	for name, c := range map[string]struct {
		file    []byte
		src     Trial
		answer  string
		scaling nn.Scaling
		asks    bool
		notes   string
	}{
		// Without biases that matter every scaling gives the same answers, and the simplest is taken.
		"alike": {file: fair, src: shown{}, notes: "0 to 1: 100.0% of the first 1000 test images right, and the same answers"},
		// Class 0 is preferred by more than ink from 0 to 1 makes up for, and by less than ink of 0 to 255 does.
		"bytes":    {file: rows(func(c int) float32 { return 300 * float32(max(0, 1-c)) }), src: shown{}, scaling: nn.Scaling{Std: 1.0 / 255}, notes: "left at 0 to 255: 100.0%"},
		"chance":   {file: rows(func(c int) float32 { return 1e9 * float32(max(0, 1-c)) }), src: shown{}, notes: "no better than by chance"},
		"told":     {file: fair, src: shown{}, answer: "0.5,0.5", scaling: nn.Scaling{Mean: 0.5, Std: 0.5}, notes: "as you said"},
		"any":      {file: fair, answer: "0.2860, 0.3530", scaling: nn.Scaling{Mean: 0.286, Std: 0.353}, notes: "as you said"},
		"no data":  {file: fair, asks: true},
		"missing":  {file: fair, src: shown{missing: true}, asks: true},
		"two only": {file: safetensors(linear("fc", 784, 2)), src: shown{}, asks: true},
	} {
		req := wire.ImportRequest{}
		if c.answer != "" {
			req.Answers = map[string]string{keyScaling: c.answer}
		}
		var steps []string
		got, err := Import(t.Context(), []File{{Name: "m.safetensors", Data: c.file}}, req, c.src, func(step string, fraction float64) {
			if fraction < 0 || fraction > 1 {
				t.Errorf("%s: %s, %v", name, step, fraction)
			}
			steps = append(steps, step)
		})
		if err != nil || len(steps) == 0 {
			t.Errorf("%s: error %v, %d steps", name, err, len(steps))
			continue
		}
		if c.asks != (len(got.Questions) == 1 && got.Questions[0].Key == keyScaling && len(got.Questions[0].Choices) == 4) {
			t.Errorf("%s: %+v", name, got)
		}
		if c.asks {
			continue
		}
		if s := got.Model.Spec.Scaling; s != c.scaling || !strings.Contains(strings.Join(got.Model.Notes, "\n"), c.notes) {
			t.Errorf("%s: %+v, notes %q", name, s, got.Model.Notes)
		}
	}
	for _, answer := range []string{"twice", "0.5", "0.5,0", "NaN,1", "0.1,-1", "1e300,1"} {
		req := wire.ImportRequest{Answers: map[string]string{keyScaling: answer}}
		if _, err := Import(t.Context(), []File{{Name: "m.safetensors", Data: fair}}, req, nil, nil); err == nil {
			t.Errorf("%q was taken", answer)
		}
	}
}

// A bag that counts "bad" twice outweighs "good"; one that only notices it does not.
func TestCountingByTrial(t *testing.T) {
	words := File{Name: "v.txt", Data: []byte("bad\ngood\nso")}
	for name, c := range map[string]struct {
		weights []float32 // of one logit
		binary  bool
		notes   string
	}{
		"counts":   {[]float32{-1.5, 2, 0}, false, "its words are counted: 100.0% of SST-2's 200 evaluation sentences right"},
		"presence": {[]float32{2, 1, -3.5}, true, "only noticed"},
		"alike":    {[]float32{-3, 1, 0}, false, "the same answers otherwise"},
	} {
		file := safetensors([]entry{{name: "fc.weight", shape: []int{1, 3}, values: c.weights}})
		got, err := Import(t.Context(), []File{{Name: "m.safetensors", Data: file}, words}, wire.ImportRequest{}, shown{}, nil)
		if err != nil || got.Net == nil {
			t.Fatalf("%s: %+v, error %v", name, got, err)
		}
		if notes := strings.Join(got.Model.Notes, "\n"); got.Model.Spec.Binary != c.binary || !strings.Contains(notes, c.notes) || !strings.Contains(notes, "one logit") {
			t.Errorf("%s: binary %v, notes %q", name, got.Model.Spec.Binary, notes)
		}
	}
}

// What quantlab exports of a model of the reader's own comes back with all that it was: name, scaling, classes, vocabulary.
func TestOwnFilesTellEverything(t *testing.T) {
	images := digits
	images.Scaling, images.Classes = nn.Scaling{Mean: 0.1307, Std: 0.3081}, strings.Split("a b c d e f g h i j", " ")
	reader := nn.Spec{ID: "reader", Title: "reader", Data: nn.SST2, Vocab: 4, In: 4, Hidden: []int{3}, Out: 1, Own: true, Binary: true, LR: 0.001, Batch: 64, Epochs: 2}
	for _, spec := range []nn.Spec{images, reader} {
		net, x := random(spec)
		card := Card{Spec: spec}
		if spec.Data == nn.SST2 {
			card.Vocabulary = []string{"the", "film", "is", "\"good\""}
		}
		for _, variant := range wire.VariantIDs() {
			var file bytes.Buffer
			if _, err := Export(&file, converted(t, net, x, variant), card, wire.Safetensors); err != nil {
				t.Fatal(err)
			}
			got, err := Import(t.Context(), []File{{Name: "other.safetensors", Data: file.Bytes()}}, wire.ImportRequest{}, nil, nil)
			if err != nil || got.Net == nil {
				t.Fatalf("%s, %s: %+v, error %v", spec.ID, variant, got, err)
			}
			if !reflect.DeepEqual(got.Model.Spec, spec) || !slices.Equal(got.Meta.Vocabulary, card.Vocabulary) {
				t.Errorf("%s, %s: came back as %+v with the words %q", spec.ID, variant, got.Model.Spec, got.Meta.Vocabulary)
			}
			if exact := reflect.DeepEqual(got.Net.Layers, net.Layers); exact != (variant == "fp32") {
				t.Errorf("%s, %s: the same weights: %v", spec.ID, variant, exact)
			}
			for i, l := range got.Net.Layers {
				for k, w := range l.W {
					if d := w - net.Layers[i].W[k]; d > 0.01 || d < -0.01 {
						t.Fatalf("%s, %s: weight %d of layer %d is %v, was %v", spec.ID, variant, k, i, w, net.Layers[i].W[k])
					}
				}
			}
			if told := strings.Contains(strings.Join(got.Model.Notes, "\n"), "already quantized"); told != (variant != "fp32") {
				t.Errorf("%s, %s: notes %q", spec.ID, variant, got.Model.Notes)
			}
		}
	}
}

// A file of one of the lab's models becomes a model of the reader's own, with the data's vocabulary, under a name of its own.
func TestFileOfTheLabs(t *testing.T) {
	spec, err := nn.SpecOf("mnist-lab1")
	if err != nil {
		t.Fatal(err)
	}
	net, _ := random(spec)
	var file bytes.Buffer
	if err := modelfile.WriteNetwork(&file, net, modelfile.Meta{Correct: 9, Total: 10}); err != nil {
		t.Fatal(err)
	}
	got, err := Import(t.Context(), []File{{Name: "mnist-lab1.safetensors", Data: file.Bytes()}}, wire.ImportRequest{}, nil, nil)
	if err != nil || got.Model.Spec.ID != "my-mnist-lab1" || !got.Model.Spec.Own || got.Meta.Correct != 9 || !reflect.DeepEqual(got.Net.Layers, net.Layers) {
		t.Errorf("%+v, error %v", got, err)
	}
	// What one import gives can be kept, and read again.
	var kept bytes.Buffer
	got.Meta.Own = []byte(`{"spec":{"id":"my-mnist-lab1","title":"x","data":"mnist","crop":28,"in":784,"hidden":[512],"out":10,"own":true}}`)
	if err := modelfile.WriteNetwork(&kept, got.Net, got.Meta); err != nil {
		t.Fatal(err)
	}
	again, _, err := modelfile.ReadOwn(&kept, wire.MaxFile)
	if err != nil || !reflect.DeepEqual(again.Layers, net.Layers) {
		t.Errorf("error %v", err)
	}
}
