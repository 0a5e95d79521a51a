package shard

import (
	"encoding/json"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"quantlab/core/nn"
)

// ManifestName is the file that lists a site's shards. It alone keeps its name when its content changes.
const ManifestName = "manifest.json"

// Bounds of what a reader believes.
const (
	maxManifest = 1 << 20   // bytes of a manifest
	maxShards   = 1 << 10   // of a set or a file
	maxFile     = 512 << 20 // bytes of a file made of shards
)

// The splits of a set.
const (
	Test        = "test" // MNIST's test images, SST-2's dev sentences
	Calibration = "calibration"
	Train       = "train"
)

// A Manifest lists the shards of a site.
type Manifest struct {
	Version    int     `json:"version"` // of the manifest and of the shards
	Sets       []Set   `json:"sets"`
	Vocabulary *File   `json:"vocabulary,omitempty"` // SST-2's words, one a line, most frequent first
	Models     []Model `json:"models"`

	// Missing holds, for each data set that could not be had when the site was made, a sentence that says how to supply it.
	Missing map[string]string `json:"missing,omitempty"`
}

// A Set is one split of a data set, its shards in the order of the examples.
type Set struct {
	Data     string  `json:"data"`  // nn.MNIST or nn.SST2
	Split    string  `json:"split"` // Test, Calibration or Train
	Examples int     `json:"examples"`
	Shards   []Entry `json:"shards"`
}

// A File is a file cut into shards of bytes or floats.
type File struct {
	Bytes  int64   `json:"bytes"`
	SHA256 string  `json:"sha256"` // of the whole file, hexadecimal; readers check the shards' own
	Shards []Entry `json:"shards"`
}

// A Model is a trained model's safetensors file.
type Model struct {
	ID       string          `json:"id"`
	Accuracy float64         `json:"accuracy"` // measured after training
	Settings json.RawMessage `json:"settings"` // that trained it
	File
}

// An Entry is one shard.
type Entry struct {
	Name     string `json:"name"` // of the file, part of which is a hash of its content
	Kind     Kind   `json:"kind"`
	Examples int    `json:"examples,omitempty"`
	Bytes    int64  `json:"bytes"`  // of the shard's file, uncompressed
	SHA256   string `json:"sha256"` // of the payload, as in the shard's header, hexadecimal
}

// Set returns the named set, or nil.
func (m *Manifest) Set(data, split string) *Set {
	for i, s := range m.Sets {
		if s.Data == data && s.Split == split {
			return &m.Sets[i]
		}
	}
	return nil
}

// Model returns the named model, or nil.
func (m *Manifest) Model(id string) *Model {
	for i, model := range m.Models {
		if model.ID == id {
			return &m.Models[i]
		}
	}
	return nil
}

// Entries yields every shard that the manifest lists.
func (m *Manifest) Entries() iter.Seq[Entry] {
	lists := [][]Entry{}
	for _, s := range m.Sets {
		lists = append(lists, s.Shards)
	}
	if m.Vocabulary != nil {
		lists = append(lists, m.Vocabulary.Shards)
	}
	for _, model := range m.Models {
		lists = append(lists, model.Shards)
	}
	return func(yield func(Entry) bool) {
		for _, e := range slices.Concat(lists...) {
			if !yield(e) {
				return
			}
		}
	}
}

// ParseManifest reads a manifest and checks that what it lists can be.
func ParseManifest(data []byte) (*Manifest, error) {
	if len(data) > maxManifest {
		return nil, fmt.Errorf("is larger than the %d bytes that a manifest may have", maxManifest)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("is not a manifest: %w", err)
	}
	if m.Version != version {
		return nil, fmt.Errorf("has format version %d: this program reads version %d", m.Version, version)
	}
	for _, s := range m.Sets {
		if err := s.validate(); err != nil {
			return nil, fmt.Errorf("lists a bad set %.20q %.20q: %w", s.Data, s.Split, err)
		}
	}
	for _, model := range m.Models {
		if _, err := nn.SpecOf(model.ID); err != nil {
			return nil, fmt.Errorf("lists an %w", err)
		}
		if err := model.validate(); err != nil {
			return nil, fmt.Errorf("lists a bad model %s: %w", model.ID, err)
		}
	}
	if m.Vocabulary != nil {
		if err := m.Vocabulary.validate(); err != nil {
			return nil, fmt.Errorf("lists a bad vocabulary: %w", err)
		}
	}
	return &m, nil
}

func (s *Set) validate() error {
	kind, ok := map[string]Kind{nn.MNIST: Images, nn.SST2: Sentences}[s.Data]
	if !ok || !slices.Contains([]string{Test, Calibration, Train}, s.Split) {
		return fmt.Errorf("there is no such set")
	}
	n := 0
	for _, e := range s.Shards {
		if e.Examples < 1 || e.Examples > MaxSize {
			return fmt.Errorf("shard %.80q can't hold %d examples", e.Name, e.Examples)
		}
		n += e.Examples
	}
	if n != s.Examples {
		return fmt.Errorf("its shards hold %d examples, not %d", n, s.Examples)
	}
	return validate(s.Shards, func(k Kind) bool { return k == kind })
}

func (f *File) validate() error {
	if err := validate(f.Shards, Kind.ofFile); err != nil {
		return err
	}
	var n int64
	for _, e := range f.Shards {
		n += e.Bytes - headerSize
	}
	if n != f.Bytes || n > maxFile {
		return fmt.Errorf("its shards hold %d bytes, not %d", n, f.Bytes)
	}
	return nil
}

// validate checks shards whose kind must be one of those that fits reports.
func validate(entries []Entry, fits func(Kind) bool) error {
	if len(entries) == 0 {
		return fmt.Errorf("it has no shards")
	}
	if len(entries) > maxShards {
		return fmt.Errorf("%d shards are more than %d", len(entries), maxShards)
	}
	for _, e := range entries {
		if e.Name == "" || e.Name != path.Base(e.Name) || strings.Trim(e.Name, nameBytes) != "" || e.Name[0] == '.' {
			return fmt.Errorf("%.80q can't be the name of a shard", e.Name)
		}
		if !fits(e.Kind) {
			return fmt.Errorf("shard %s holds %v, which have no place there", e.Name, e.Kind)
		}
		if e.Bytes < headerSize || e.Bytes > MaxSize {
			return fmt.Errorf("shard %s can't have %d bytes", e.Name, e.Bytes)
		}
	}
	return nil
}

// nameBytes are what a shard's name is made of.
const nameBytes = "abcdefghijklmnopqrstuvwxyz0123456789.-"
