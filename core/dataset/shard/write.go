package shard

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"quantlab/core/dataset"
	"quantlab/core/nn"
)

// FirstTest is how many examples the first shard of MNIST's test set holds: those that a quick first run reads.
const FirstTest = 1000

// Content is what a site offers. What is nil is left out.
type Content struct {
	MNISTTrain, MNISTTest *dataset.Images
	SST2Train, SST2Dev    *dataset.Sentences
	Vocabulary            *dataset.Vocabulary // of SST-2
	Models                []ModelContent
	Missing               map[string]string // as in Manifest
}

// A ModelContent is a trained model.
type ModelContent struct {
	ID       string
	Data     []byte // its safetensors file
	Accuracy float64
	Settings json.RawMessage
}

// WriteSite cuts content into shards, hands each to write, and at last the manifest, which it also returns. progress,
// which may be nil, hears how many bytes of about how many are written.
func WriteSite(content Content, write func(name string, data []byte) error, progress func(done, total int64)) (*Manifest, error) {
	w := &writer{write: write, progress: progress, total: content.size()}
	m := &Manifest{Version: version, Sets: []Set{}, Models: []Model{}, Missing: content.Missing}
	if err := w.sets(m, content); err != nil {
		return nil, err
	}
	if v := content.Vocabulary; v != nil {
		f, err := w.file("sst2-vocabulary", Bytes, []byte(v.String()))
		if err != nil {
			return nil, err
		}
		m.Vocabulary = &f
	}
	for _, model := range content.Models {
		f, err := w.file(model.ID, Floats, model.Data)
		if err != nil {
			return nil, err
		}
		m.Models = append(m.Models, Model{ID: model.ID, Accuracy: model.Accuracy, Settings: model.Settings, File: f})
	}
	data, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("writing the manifest: %w", err)
	}
	// What was written must be what a reader accepts.
	if _, err := ParseManifest(data); err != nil {
		return nil, fmt.Errorf("the manifest %w", err)
	}
	return m, write(ManifestName, append(data, '\n'))
}

// sets writes the data sets, what is needed first being listed first.
func (w *writer) sets(m *Manifest, c Content) error {
	add := func(s Set, err error) error {
		m.Sets = append(m.Sets, s)
		return err
	}
	if im := c.MNISTTest; im != nil {
		if err := add(w.images(Test, im, FirstTest)); err != nil {
			return err
		}
	}
	if im := c.MNISTTrain; im != nil {
		sample := im.Pick(dataset.CalibrationRows(im.Len()))
		if err := add(w.images(Calibration, sample, 0)); err != nil {
			return err
		}
		if err := add(w.images(Train, im, 0)); err != nil {
			return err
		}
	}
	if s := c.SST2Dev; s != nil {
		if err := add(w.sentences(Test, s)); err != nil {
			return err
		}
	}
	if s := c.SST2Train; s != nil {
		sample := s.Pick(dataset.CalibrationRows(s.Len()))
		if err := add(w.sentences(Calibration, sample)); err != nil {
			return err
		}
		if err := add(w.sentences(Train, s)); err != nil {
			return err
		}
	}
	return nil
}

// size estimates the bytes of all shards.
func (c *Content) size() (n int64) {
	for _, im := range []*dataset.Images{c.MNISTTrain, c.MNISTTest} {
		if im != nil {
			n += int64(len(im.Pixels) + im.Len())
		}
	}
	for _, s := range []*dataset.Sentences{c.SST2Train, c.SST2Dev} {
		if s != nil {
			n += textBytes(s)
		}
	}
	for _, m := range c.Models {
		n += int64(len(m.Data))
	}
	return n
}

type writer struct {
	write       func(name string, data []byte) error
	progress    func(done, total int64)
	done, total int64
}

// shard writes one shard under a name that holds a hash of its content.
func (w *writer) shard(prefix string, kind Kind, examples int, data []byte) (Entry, error) {
	sum := sha256.Sum256(data)
	name := fmt.Sprintf("%s.%s.qlsh", prefix, hex.EncodeToString(sum[:8]))
	if err := w.write(name, data); err != nil {
		return Entry{}, err
	}
	w.done += int64(len(data))
	if w.progress != nil {
		w.progress(min(w.done, w.total), w.total)
	}
	return Entry{Name: name, Kind: kind, Examples: examples, Bytes: int64(len(data)), SHA256: hex.EncodeToString(data[32:headerSize])}, nil
}

// images writes a split of MNIST: a first shard of so many images, unless first is 0, then as few equal ones as can be.
func (w *writer) images(split string, im *dataset.Images, first int) (Set, error) {
	set := Set{Data: nn.MNIST, Split: split, Examples: im.Len()}
	cuts := []int{0}
	if first > 0 && first < im.Len() {
		cuts = append(cuts, first)
	}
	most := MaxPayload / (1 + im.Height*im.Width)
	cuts = append(cuts, even(cuts[len(cuts)-1], im.Len(), most)...)
	for i := 1; i < len(cuts); i++ {
		part := im.Slice(cuts[i-1], cuts[i])
		data, err := EncodeImages(part, dataset.Digits)
		if err != nil {
			return set, err
		}
		e, err := w.shard(fmt.Sprintf("mnist-%s-%d", split, i-1), Images, part.Len(), data)
		if err != nil {
			return set, err
		}
		set.Shards = append(set.Shards, e)
	}
	return set, nil
}

// even returns the ends of as few equal parts of lo to hi as there can be of at most that many.
func even(lo, hi, most int) (ends []int) {
	parts := (hi - lo + most - 1) / most
	for i := range parts {
		ends = append(ends, lo+(hi-lo)*(i+1)/parts)
	}
	return ends
}

// sentences writes a split of SST-2.
func (w *writer) sentences(split string, s *dataset.Sentences) (Set, error) {
	set := Set{Data: nn.SST2, Split: split, Examples: s.Len()}
	for lo, part := 0, 0; lo < s.Len(); part++ {
		hi, n := lo, 0
		for ; hi < s.Len(); hi++ {
			if n += len(s.Text[hi]) + 2; n > MaxPayload && hi > lo {
				break
			}
		}
		data, err := EncodeSentences(s.Slice(lo, hi), dataset.Sentiments)
		if err != nil {
			return set, err
		}
		e, err := w.shard(fmt.Sprintf("sst2-%s-%d", split, part), Sentences, hi-lo, data)
		if err != nil {
			return set, err
		}
		set.Shards = append(set.Shards, e)
		lo = hi
	}
	return set, nil
}

// textBytes counts the payload of sentences.
func textBytes(s *dataset.Sentences) (n int64) {
	for _, t := range s.Text {
		n += int64(len(t) + 2)
	}
	return n
}

// file writes a file cut into shards of that kind.
func (w *writer) file(prefix string, kind Kind, data []byte) (File, error) {
	sum := sha256.Sum256(data)
	f := File{Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
	ends := even(0, len(data), MaxPayload)
	if len(ends) == 0 {
		return f, fmt.Errorf("%s is empty: there is nothing to write", prefix)
	}
	lo := 0
	for i, hi := range ends {
		part, err := EncodePart(kind, data[lo:hi])
		if err != nil {
			return f, err
		}
		e, err := w.shard(fmt.Sprintf("%s-%d", prefix, i), kind, 0, part)
		if err != nil {
			return f, err
		}
		f.Shards = append(f.Shards, e)
		lo = hi
	}
	return f, nil
}
