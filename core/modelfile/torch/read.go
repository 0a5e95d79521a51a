package torch

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/nlpodyssey/gopickle/types"
)

// A Checkpoint is what a file holds of a model. Its tensors refer to the file's bytes.
type Checkpoint struct {
	Format  string          // "PyTorch state_dict (zip)"
	Path    string          // of the state_dict within what was saved: "" for all of it, or "model_state_dict"
	Passed  []string        // paths of other sets of tensors that were not taken: "optimizer_state_dict", "ema"
	Tensors []*Tensor       // in the state_dict's order, without those of Packed
	Packed  []*PackedLinear // in the state_dict's order
}

// ErrWords is within the error of Read where a file holds words and no tensors: ReadList reads it.
var ErrWords = errors.New("the file holds words, not tensors: it is a vocabulary, bring it with its model")

// instead says what to save where a file holds what cannot be read.
const instead = `save torch.save(model.state_dict(), "model.pt") instead`

// IsCheckpoint reports whether data looks like what PyTorch writes, in any of its formats, readable or not. Pickles that
// pickle.dump wrote are IsPickle.
func IsCheckpoint(data []byte) bool {
	if isLegacy(data) || isTar(data) {
		return true
	}
	if !isZip(data) {
		return false
	}
	a, err := openArchive(data)
	if err != nil {
		// A damaged archive is the reader's own if its first entry says so.
		return bytes.Contains(data[:min(len(data), 256)], []byte("data.pkl"))
	}
	_, pickled := a.find("data.pkl")
	return pickled || a.isProgram()
}

func isZip(data []byte) bool { return bytes.HasPrefix(data, []byte("PK\x03\x04")) }

// IsPickle reports whether data begins like a plain pickle of protocol 2 or newer, or is a whole one of an older protocol.
func IsPickle(data []byte) bool {
	if isLegacy(data) {
		return false
	}
	if len(data) > 2 && data[0] == 0x80 {
		return data[1] >= 2 && data[1] <= 5
	}
	if len(data) == 0 || data[0] != '(' && data[0] != ']' && data[0] != '}' {
		return false
	}
	n, err := scan(data)
	return err == nil && n == len(data) || err == errOldest
}

// Read reads a state_dict, wherever it lies in what was saved. Nothing of the file is executed.
func Read(data []byte) (*Checkpoint, error) {
	v, format, err := open(data)
	if err != nil {
		return nil, err
	}
	if format == formatPickle {
		if _, err := words(v); err == nil {
			return nil, ErrWords
		}
		return nil, fmt.Errorf("the file was written with pickle.dump and holds no model: " + instead)
	}
	c, err := find(v)
	if err != nil {
		if _, notWords := words(v); notWords == nil {
			return nil, ErrWords
		}
		return nil, err
	}
	what := "state_dict"
	if c.Path != "" {
		what = "checkpoint"
	}
	if len(c.Packed) > 0 {
		what += " quantized by torch.ao"
	}
	c.Format = fmt.Sprintf("PyTorch %s (%s)", what, format)
	return c, nil
}

// ReadList reads a vocabulary that was pickled or saved with torch.save: a list of words, or what maps words to the numbers
// 0, 1, 2, … or these to words. The words come in the order of their numbers.
func ReadList(data []byte) ([]string, error) {
	v, _, err := open(data)
	if err != nil {
		return nil, err
	}
	return words(v)
}

// The formats of a file.
const (
	formatZip    = "zip"
	formatLegacy = "legacy"
	formatPickle = "pickle"
)

// open returns what was saved in a file.
func open(data []byte) (v any, format string, err error) {
	switch {
	case isZip(data):
		a, err := openArchive(data)
		if err != nil {
			return nil, "", err
		}
		v, err = a.load()
		return v, formatZip, err
	case isLegacy(data):
		v, err = loadLegacy(data)
		return v, formatLegacy, err
	case isTar(data):
		return nil, "", fmt.Errorf("the file is in the format of a PyTorch older than 0.1.10: save it again with a newer one")
	case IsPickle(data):
		v, _, err = load(data, func(types.Tuple) (*storage, error) {
			return nil, fmt.Errorf("the file is part of one that torch.save wrote: bring the whole file")
		})
		return v, formatPickle, err
	}
	return nil, "", fmt.Errorf("the file is not one that PyTorch writes: " + instead)
}
