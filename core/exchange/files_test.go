package exchange

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

func TestVocabularies(t *testing.T) {
	model := File{Name: "reader.safetensors", Data: safetensors(linear("fc1", 3, 4), linear("fc2", 4, 2))}
	for name, c := range map[string]struct {
		file, text string
		words      string
		says       string
	}{
		"list":          {"v.json", `["the", "<unk>", "film"]`, "the <unk> film", ""},
		"dictionary":    {"v.json", `{"film": 2, "the": 0, "<pad>": 1}`, "the <pad> film", ""},
		"from 1":        {"v.json", `{"film": 3, "the": 1, "is": 2}`, "the is film", ""},
		"by number":     {"v.json", `{"0": "the", "1": "is", "2": "film"}`, "the is film", ""},
		"lines":         {"v.txt", "the\nis\nfilm\n", "the is film", ""},
		"Windows lines": {"v.txt", "\ufeffthe\r\nis\r\nfilm\r\n", "the is film", ""},
		"numbered":      {"v.tsv", "film\t2\nthe\t0\nis\t1\n", "the is film", ""},
		"too few":       {"v.txt", "the\nis", "", "the vocabulary has 2 words, but the model reads 3 features"},
		"white space":   {"v.json", `["the", "the end", "film"]`, "", "white space"},
		"twice":         {"v.json", `["the", "the", "film"]`, "", "already word 0"},
		"empty":         {"v.json", `["the", "", "film"]`, "", "is empty"},
		"gap":           {"v.json", `{"film": 7, "the": 0, "is": 1}`, "", "number them from 0"},
		"same number":   {"v.json", `{"film": 1, "the": 0, "is": 1}`, "", "is of two words"},
		"no words":      {"v.json", `{"film": {}}`, "", "list of words"},
		"numbers":       {"v.json", `[1, 2, 3]`, "", "list of words"},
		"two lists":     {"w.txt", "the\nis\nfilm", "", "could both be the vocabulary"},
	} {
		files := []File{{Name: c.file, Data: []byte(c.text)}, model}
		if name == "two lists" {
			files = append(files, File{Name: "x.txt", Data: []byte("a\nb\nc")})
		}
		got, err := Import(t.Context(), files, wire.ImportRequest{Answers: map[string]string{keyScaling: "presence"}}, nil, nil)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: error %v, want %q", name, err, c.says)
			}
			continue
		}
		if err != nil || got.Net == nil || strings.Join(got.Meta.Vocabulary, " ") != c.words || got.Net.Spec.Data != nn.SST2 || !got.Net.Spec.Binary || got.Net.Spec.Vocab != 3 {
			t.Errorf("%s: %+v, error %v", name, got, err)
		}
	}
	folder := filepath.Join("..", "modelfile", "torch", "testdata")
	for _, name := range []string{"words4.pkl", "words_index.pt"} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		// The fixtures have a word with a blank, which no sentence holds.
		_, err = Import(t.Context(), []File{model, {Name: name, Data: data}}, wire.ImportRequest{}, nil, nil)
		if err == nil || !strings.Contains(err.Error(), "the end") {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := Import(t.Context(), []File{{Name: name, Data: data}}, wire.ImportRequest{}, nil, nil); err == nil || !strings.Contains(err.Error(), "together with the model") {
			t.Errorf("%s alone: error %v", name, err)
		}
	}
}

// Files that can't be taken are refused with one sentence that says what to do.
func TestForeignFiles(t *testing.T) {
	model := File{Name: "m.safetensors", Data: safetensors(linear("fc", 784, 10))}
	folder := filepath.Join("..", "modelfile", "torch", "testdata")
	read := func(name string) File {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return File{Name: name, Data: data}
	}
	for name, c := range map[string]struct {
		files []File
		says  string
	}{
		"none":            {nil, "no file"},
		"Keras":           {[]File{{Name: "m.h5", Data: []byte("\x89HDF\r\n\x1a\n0000")}}, "m.h5 is an HDF5 file"},
		"TFLite":          {[]File{{Name: "m.tflite", Data: []byte("\x1c\x00\x00\x00TFL3....")}}, "TensorFlow Lite"},
		"GGUF":            {[]File{{Name: "m.gguf", Data: []byte("GGUF\x03\x00\x00\x00")}}, "GGUF"},
		"NumPy":           {[]File{{Name: "m.npy", Data: []byte("\x93NUMPY\x01\x00")}}, "NumPy"},
		"ONNX":            {[]File{{Name: "m.onnx", Data: []byte("\x08\x08\x12\x07pytorch")}}, "export the state_dict"},
		"scikit-learn":    {[]File{{Name: "m.pkl", Data: []byte("\x80\x04\x95\x20\x00\x00\x00\x00\x00\x00\x00\x8c\x07sklearn\x94\x8c\x03MLP\x94\x93\x94)\x81\x94.")}}, "scikit-learn"},
		"a picture":       {[]File{{Name: "7.jpg", Data: []byte("\xff\xd8\xff\xe0 JFIF")}}, "one picture"},
		"a module":        {[]File{read("whole.pt")}, "state_dict()"},
		"TorchScript":     {[]File{read("script.pt")}, "state_dict()"},
		"two models":      {[]File{model, {Name: "n.safetensors", Data: model.Data}}, "one at a time"},
		"with a picture":  {[]File{model, {Name: "7.png", Data: []byte("\x89PNG\r\n\x1a\n")}}, "7.png is no vocabulary"},
		"JSON alone":      {[]File{{Name: "v.json", Data: []byte(`["a"]`)}}, "together with the model"},
		"noise":           {[]File{{Name: "m.bin", Data: []byte{1, 2, 3, 0xff, 0}}}, "neither a model nor examples"},
		"cut":             {[]File{{Name: "m.safetensors", Data: model.Data[:100]}}, "ends within its header"},
		"short":           {[]File{{Name: "m.safetensors", Data: model.Data[:len(model.Data)-1]}}, "do not fit together"},
		"claims 10 GB":    {[]File{{Name: "m.safetensors", Data: safetensorsOf(`{"fc.weight":{"dtype":"F32","shape":[50000,50000],"data_offsets":[0,10000000000]}}`, 40)}}, "do not fit together"},
		"overflow":        {[]File{{Name: "m.safetensors", Data: safetensorsOf(`{"fc.weight":{"dtype":"F32","shape":[0,9223372036854775807,9223372036854775807],"data_offsets":[0,0]}}`, 0)}}, "m.safetensors: "},
		"overlap":         {[]File{{Name: "m.safetensors", Data: safetensorsOf(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12)}}, "do not fit together"},
		"a name twice":    {[]File{{Name: "m.safetensors", Data: safetensorsOf(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8)}}, "twice"},
		"deep nesting":    {[]File{{Name: "m.safetensors", Data: safetensorsOf(`{"a":`+strings.Repeat("[", 5000), 0)}}, "nested"},
		"unknown type":    {[]File{{Name: "m.safetensors", Data: safetensorsOf(`{"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}}`, 1)}}, "F8"},
		"integers alone":  {[]File{{Name: "m.safetensors", Data: safetensorsOf(`{"a":{"dtype":"I8","shape":[1,1],"data_offsets":[0,1]}}`, 1)}}, "no matrix"},
		"a name with ../": {[]File{{Name: "../../m.safetensors", Data: safetensors([]entry{filled("x", 1)})}}, "m.safetensors: the file holds no matrix"},
	} {
		got, err := Import(t.Context(), c.files, wire.ImportRequest{}, nil, nil)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %+v, error %v, want %q", name, got, err, c.says)
		}
	}
	if _, err := Import(t.Context(), []File{model}, wire.ImportRequest{Name: "No Name"}, nil, nil); err == nil || !strings.Contains(err.Error(), "can't be a name") {
		t.Errorf("a bad name: error %v", err)
	}
}

// safetensorsOf writes a file of any header and so many bytes after it.
func safetensorsOf(header string, payload int) []byte {
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), []byte(header), make([]byte, payload))
}
