package prepare

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"

	"quantlab/core/nn"
)

// DefaultSeed is the seed that the lab's models are trained from; it is also wire.Lab's. Another seed moves the accuracy on
// SST-2 by a point or so either way.
const DefaultSeed = 0

// trainVersion changes whenever core/train, or how this package feeds it, gives other weights for the same settings.
const trainVersion = 2

// Settings are all that decides a model's weights, but for the rounding of the machine that trains it. They are kept in
// the model's file, and a hash of them in its name.
type Settings struct {
	Model  string            `json:"model"`
	Crop   int               `json:"crop,omitempty"`  // side of MNIST's centre crop
	Vocab  int               `json:"vocab,omitempty"` // words that SST-2's bags are made of, 0 is all
	Dims   []int             `json:"dims"`            // widths from the input to the logits
	LR     float64           `json:"lr"`
	Batch  int               `json:"batch"`
	Epochs int               `json:"epochs"`
	Seed   uint64            `json:"seed"`
	AMP    string            `json:"amp,omitempty"` // low type of mixed precision, "" for float32
	Train  int               `json:"train"`         // version of the training code
	Data   map[string]string `json:"data"`          // SHA-256 of each file that it is trained and tested on
}

// settingsOf returns the settings of the model trained in float32 from the seed.
func settingsOf(spec nn.Spec, seed uint64) Settings {
	s := Settings{
		Model: spec.ID, Crop: spec.Crop, Vocab: spec.Vocab, Dims: spec.Dims(),
		LR: spec.LR, Batch: spec.Batch, Epochs: spec.Epochs, Seed: seed, Train: trainVersion, Data: map[string]string{},
	}
	for _, f := range files(spec.Data) {
		s.Data[f.Name] = f.SHA256
	}
	return s
}

// json encodes the settings, always the same ones in the same way.
func (s Settings) json() json.RawMessage {
	data, err := json.Marshal(s)
	if err != nil { // only a learning rate that is not a number could do that
		panic(err)
	}
	return data
}

// key is what a cached file's name says of the settings.
func (s Settings) key() string { return hash(s.json()) }

// hash returns 12 hexadecimal digits of the SHA-256 of data.
func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

// modelPath is the cached file of the model trained with the settings.
func (s *Store) modelPath(settings Settings) string {
	return filepath.Join(s.cache, "models", settings.Model+"-"+settings.key()+".safetensors")
}
