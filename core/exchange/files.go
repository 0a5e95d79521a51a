package exchange

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"quantlab/core/dataset/custom"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile/torch"
)

// A kind is what a file holds, as far as its content tells at a glance.
type kind int

const (
	data       kind = iota // or anything else: package custom knows
	checkpoint             // what torch.save wrote
	tensors                // safetensors
	pickled                // a plain pickle: a vocabulary, or an object of another program
	written                // text
	json                   // text that begins like JSON
	unreadable             // a format that is known, but not read
)

// foreign lists formats that are known by how their files begin, and what to do with such a file.
var foreign = []struct {
	at     int
	magic  string
	advice string
}{
	{0, "\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras saves models: rebuild the layers in PyTorch, copy the weights and save its state_dict, or save the arrays as safetensors"},
	{4, "TFL3", "a TensorFlow Lite model, whose weights are packed for its own runtime: give the PyTorch state_dict or the safetensors file that it was made of"},
	{0, "GGUF", "a GGUF model, which holds language models: quantlab takes stacks of fully connected layers as a PyTorch state_dict or safetensors"},
	{0, "\x93NUMPY", "one NumPy array, not a model: save all layers together with safetensors.numpy.save_file, as fc1.weight, fc1.bias and so on"},
	{0, "\x7fELF", "a program, not a model: give a PyTorch state_dict or a safetensors file"},
	{0, "%PDF", "a PDF document: give a PyTorch state_dict, a safetensors file, or examples"},
	{0, "Rar!", "a RAR archive: unpack it, or pack it as zip"},
	{0, "7z\xbc\xaf", "a 7-Zip archive: unpack it, or pack it as zip"},
}

// adviseONNX says what to do with an ONNX model.
const adviseONNX = "an ONNX model, which is a graph and not a stack of layers: export the state_dict of the PyTorch model that it was made of with torch.save(model.state_dict(), \"model.pt\")"

// adviseTorch says what to do with a file that only its name calls PyTorch's.
const adviseTorch = "no file that PyTorch writes, whatever its name says: save torch.save(model.state_dict(), \"model.pt\")"

// kindOf tells what the file holds; advice says of an unreadable one what it is and what to do.
func kindOf(f File) (k kind, advice string) {
	for _, x := range foreign {
		if len(f.Data) >= x.at && bytes.HasPrefix(f.Data[x.at:], []byte(x.magic)) {
			return unreadable, x.advice
		}
	}
	switch {
	case isSafetensors(f):
		return tensors, ""
	case torch.IsCheckpoint(f.Data):
		return checkpoint, ""
	case bytes.HasPrefix(f.Data, []byte("PK\x03\x04")):
		return zipKind(f.Data)
	case extension(f) == ".onnx":
		return unreadable, adviseONNX
	case torch.IsPickle(f.Data):
		return pickled, ""
	case slices.Contains([]string{".pt", ".pth"}, extension(f)):
		return unreadable, adviseTorch
	}
	start := f.Data[:min(len(f.Data), 512)]
	for n := 0; n < utf8.UTFMax && len(start) > 0 && !utf8.Valid(start); n++ { // a rune may be cut
		start = start[:len(start)-1]
	}
	if len(f.Data) == 0 || !utf8.Valid(start) || bytes.IndexByte(start, 0) >= 0 {
		return data, ""
	}
	if text := bytes.TrimSpace(bytes.TrimPrefix(start, []byte("\ufeff"))); len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		return json, ""
	}
	return written, ""
}

// zipKind tells of an archive that torch.save did not write.
func zipKind(archive []byte) (kind, string) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil || len(z.File) > wire.MaxFiles {
		return data, "" // whose reader says so
	}
	for _, f := range z.File {
		switch name := path.Base(f.Name); {
		case name == "model.weights.h5":
			return unreadable, "a Keras model: rebuild the layers in PyTorch, copy the weights and save its state_dict, or save the arrays as safetensors"
		case path.Ext(name) == ".npy" && !strings.Contains(f.Name, "/"):
			return unreadable, "an archive of NumPy arrays: save them with safetensors.numpy.save_file, as fc1.weight, fc1.bias and so on"
		case slices.Contains([]string{".pt", ".pth", ".safetensors"}, path.Ext(name)):
			return unreadable, fmt.Sprintf("an archive with a model in it: unpack it and give %.60s itself", name)
		}
	}
	return data, ""
}

// isSafetensors reports whether the file begins like safetensors, with the length of a header, which is a JSON object; or says so.
func isSafetensors(f File) bool {
	return extension(f) == ".safetensors" || len(f.Data) > 8 && f.Data[8] == '{' && binary.LittleEndian.Uint64(f.Data) <= wire.MaxFile
}

func extension(f File) string { return strings.ToLower(path.Ext(f.Name)) }

// sorted are files by what they hold.
type sorted struct {
	model *File // with its kind
	kind  kind
	words *File // a vocabulary, where there is a model
}

// sort finds the one model among the files and its vocabulary. Where there is no model, model is nil: they may be examples.
func sort(files []File) (s sorted, err error) {
	if len(files) == 0 {
		return s, errors.New("no file was given: give a PyTorch state_dict, a safetensors file, or examples")
	}
	if len(files) > wire.MaxFiles {
		return s, fmt.Errorf("%d files are too many: give at most %d", len(files), wire.MaxFiles)
	}
	kinds := make([]kind, len(files))
	advice, size := "", int64(0)
	for i, f := range files {
		size += int64(len(f.Data))
		var a string
		kinds[i], a = kindOf(f)
		switch kinds[i] {
		case checkpoint:
			if _, err := torch.Read(f.Data); errors.Is(err, torch.ErrWords) {
				kinds[i] = pickled
			}
		case unreadable:
			advice = fmt.Sprintf("%s is %s", path.Base(f.Name), a)
		}
	}
	if size > wire.MaxFile {
		return s, fmt.Errorf("the files take %d MB: give at most %d MB", size>>20, wire.MaxFile>>20)
	}
	for i := range files {
		if kinds[i] != checkpoint && kinds[i] != tensors {
			continue
		}
		if s.model != nil {
			return s, fmt.Errorf("%s and %s are both models: bring one at a time", path.Base(s.model.Name), path.Base(files[i].Name))
		}
		s.model, s.kind = &files[i], kinds[i]
	}
	if s.model == nil {
		return s, lonely(files, kinds, advice)
	}
	for i := range files {
		if &files[i] == s.model {
			continue
		}
		if kinds[i] != pickled && kinds[i] != json && kinds[i] != written {
			return s, fmt.Errorf("%s is no vocabulary: beside a model give only the words that it counts, as JSON, text or a pickled list", path.Base(files[i].Name))
		}
		if s.words != nil {
			return s, fmt.Errorf("%s and %s could both be the vocabulary: give one", path.Base(s.words.Name), path.Base(files[i].Name))
		}
		s.words = &files[i]
	}
	return s, nil
}

// lonely refuses files without a model that can't be examples either.
func lonely(files []File, kinds []kind, advice string) error {
	if advice != "" {
		return errors.New(advice)
	}
	first := path.Base(files[0].Name)
	switch {
	case slices.Contains(kinds, pickled):
		name := path.Base(files[slices.Index(kinds, pickled)].Name)
		if _, err := torch.ReadList(files[slices.Index(kinds, pickled)].Data); err != nil {
			return fmt.Errorf("%s is a pickled Python object, as scikit-learn saves models, and reading it would run its code: save the weights as safetensors, or a PyTorch state_dict", name)
		}
		return fmt.Errorf("%s holds words: give it together with the model that counts them", name)
	case len(files) == 1 && kinds[0] == json:
		return fmt.Errorf("%s holds JSON: if it is a vocabulary, give it together with the model that counts its words", first)
	case len(files) == 1 && isPicture(files[0].Data):
		return fmt.Errorf("%s is one picture: to have a digit read, put it on the page under Draw; examples come as a folder or a zip of pictures, in folders named by their class", first)
	}
	return nil
}

func isPicture(data []byte) bool {
	for _, magic := range []string{"\x89PNG\r\n", "\xff\xd8\xff", "GIF8"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	return false
}

// foreignData says what files may be that hold no examples in any form that is known.
func foreignData(err error) error {
	if !errors.Is(err, custom.ErrForeign) {
		return err
	}
	return errors.New("these are neither a model nor examples: give a PyTorch state_dict or a safetensors file; or a folder or zip of PNG images in folders named by their class, an IDX pair, or a CSV or TSV of sentences and labels")
}
