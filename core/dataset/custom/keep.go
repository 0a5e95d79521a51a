package custom

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"quantlab/core/dataset"
	"quantlab/core/dataset/shard"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// A kept set is, all integers little endian:
//
//	bytes
//	    4  magic "QLOD"
//	    2  version, 1
//	    2  0
//	    4  length of what follows
//	       wire.OwnData as JSON
//	       and for each part, in the order of the examples:
//	    4  length of what follows
//	       a shard of images or sentences, with its checksum
const (
	keepMagic   = "QLOD"
	keepVersion = 1
	maxFacts    = 1 << 20 // bytes of the JSON
	partBytes   = 4 << 20 // of a part's examples
)

// Write writes the set and what is known of it in the form that is kept. The same set gives the same bytes.
func Write(w io.Writer, s *Set, facts wire.OwnData) error {
	if err := check(s, facts); err != nil {
		return fmt.Errorf("%s is not kept: %w", facts.Name, err)
	}
	head, err := json.Marshal(facts)
	if err != nil {
		return fmt.Errorf("encoding what is known of %s: %w", facts.Name, err)
	}
	if len(head) > maxFacts {
		return fmt.Errorf("%s is not kept: what is known of it takes %d bytes, more than %d", facts.Name, len(head), maxFacts)
	}
	out := binary.LittleEndian.AppendUint16([]byte(keepMagic), keepVersion)
	out = append(out, 0, 0)
	out = append(binary.LittleEndian.AppendUint32(out, uint32(len(head))), head...)
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("keeping %s: %w", facts.Name, err)
	}
	for lo := 0; lo < s.Len(); {
		hi := s.part(lo)
		part, err := s.encode(lo, hi)
		if err == nil {
			_, err = w.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(part))), part...))
		}
		if err != nil {
			return fmt.Errorf("keeping %s: %w", facts.Name, err)
		}
		lo = hi
	}
	return nil
}

// part returns where the part that begins at lo ends.
func (s *Set) part(lo int) int {
	if s.Images != nil {
		return min(lo+partBytes/(side*side+1), s.Len())
	}
	size, hi := 0, lo
	for hi < s.Len() && (hi == lo || size+len(s.Sentences.Text[hi])+2 <= partBytes) {
		size += len(s.Sentences.Text[hi]) + 2
		hi++
	}
	return hi
}

func (s *Set) encode(lo, hi int) ([]byte, error) {
	if s.Images != nil {
		return shard.EncodeImages(s.Images.Slice(lo, hi), len(s.Classes))
	}
	return shard.EncodeSentences(s.Sentences.Slice(lo, hi), len(s.Classes))
}

// check refuses a set that is none, or of which the facts tell something else.
func check(s *Set, facts wire.OwnData) error {
	if err := nn.CheckName(facts.Name); err != nil {
		return err
	}
	switch {
	case (s.Images == nil) == (s.Sentences == nil) || facts.Data != s.Data():
		return fmt.Errorf("it holds neither images nor sentences, or not what it says, %.20q", facts.Data)
	case s.Len() < 1 || s.Len() > wire.MaxOwnData || s.Len() != facts.Examples:
		return fmt.Errorf("it holds %d examples and tells of %d: 1 to %d are possible", s.Len(), facts.Examples, wire.MaxOwnData)
	case s.Images != nil && (s.Images.Height != side || s.Images.Width != side):
		return fmt.Errorf("it holds images of %d x %d pixels, not %d x %[3]d", s.Images.Height, s.Images.Width, side)
	case len(facts.Labels) < 1 || len(facts.Labels) > MaxClasses || !slices.Equal(facts.Labels, s.Classes):
		return fmt.Errorf("it has %d classes: 1 to %d are possible", len(facts.Labels), MaxClasses)
	}
	for _, name := range facts.Labels {
		if err := checkClass(name); err != nil {
			return err
		}
	}
	return nil
}

// ReadSet reads what Write wrote. The set shares data's memory.
func ReadSet(data []byte) (*Set, wire.OwnData, error) {
	facts, rest, err := readFacts(data)
	if err != nil {
		return nil, facts, err
	}
	s := &Set{Classes: facts.Labels}
	add := s.addImages
	if facts.Data == nn.SST2 {
		add = s.addSentences
	}
	for len(rest) > 0 {
		var part []byte
		if part, rest, err = cut(rest, shard.MaxSize); err == nil {
			err = add(part)
		}
		if err != nil {
			return nil, facts, fmt.Errorf("what is kept of %s is damaged: a part %w: bring it again", facts.Name, err)
		}
	}
	if s.Images == nil && s.Sentences == nil {
		return nil, facts, fmt.Errorf("what is kept of %s is damaged: there are no examples: bring it again", facts.Name)
	}
	if err = check(s, facts); err == nil {
		err = s.checkLabels()
	}
	if err != nil {
		return nil, facts, fmt.Errorf("what is kept of %s is damaged: %w: bring it again", facts.Name, err)
	}
	return s, facts, nil
}

// ReadFacts is ReadSet for what is known of the set alone: the examples are not looked at.
func ReadFacts(data []byte) (wire.OwnData, error) {
	facts, _, err := readFacts(data)
	return facts, err
}

// IsSet reports whether data starts as what Write wrote.
func IsSet(data []byte) bool { return bytes.HasPrefix(data, []byte(keepMagic)) }

func readFacts(data []byte) (facts wire.OwnData, rest []byte, err error) {
	if !IsSet(data) || len(data) < 8 {
		return facts, nil, fmt.Errorf("what is kept starts with %.8q, not as examples do: bring them again", data[:min(len(data), 8)])
	}
	if v := binary.LittleEndian.Uint16(data[4:]); v != keepVersion || data[6]|data[7] != 0 {
		return facts, nil, fmt.Errorf("the examples are kept in format %d, this program reads format %d: bring them again", v, keepVersion)
	}
	head, rest, err := cut(data[8:], maxFacts)
	if err == nil {
		err = json.Unmarshal(head, &facts)
	}
	if err == nil {
		err = nn.CheckName(facts.Name)
	}
	if err != nil {
		return facts, nil, fmt.Errorf("what is kept of the examples is damaged: what is known of them %w: bring them again", err)
	}
	return facts, rest, nil
}

// cut takes a part, which its length precedes. The error is the rest of a sentence that begins with the part's name.
func cut(data []byte, most uint32) (part, rest []byte, err error) {
	if len(data) < 4 {
		return nil, nil, fmt.Errorf("is truncated: %d bytes are no length", len(data))
	}
	n := binary.LittleEndian.Uint32(data)
	if n > most || uint64(n) > uint64(len(data)-4) {
		return nil, nil, fmt.Errorf("claims %d bytes, where %d are left and %d are possible", n, len(data)-4, most)
	}
	return data[4 : 4+n : 4+n], data[4+n:], nil
}

func (s *Set) addImages(part []byte) error {
	im, err := shard.DecodeImages(part)
	if err != nil {
		return err
	}
	if im.Height != side || im.Width != side {
		return fmt.Errorf("holds images of %d x %d pixels, not %d x %[3]d", im.Height, im.Width, side)
	}
	if s.Images == nil {
		s.Images = im
		return nil
	}
	s.Images = &dataset.Images{
		Height: side, Width: side,
		Pixels: append(s.Images.Pixels, im.Pixels...), Labels: append(s.Images.Labels, im.Labels...),
	}
	return nil
}

func (s *Set) addSentences(part []byte) error {
	more, err := shard.DecodeSentences(part)
	if err != nil {
		return err
	}
	if s.Sentences == nil {
		s.Sentences = more
		return nil
	}
	s.Sentences = &dataset.Sentences{Text: append(s.Sentences.Text, more.Text...), Labels: append(s.Sentences.Labels, more.Labels...)}
	return nil
}

// checkLabels refuses labels of classes that there are not. There is at least one example.
func (s *Set) checkLabels() error {
	if top := slices.Max(s.Labels()); int(top) >= len(s.Classes) {
		return fmt.Errorf("a label is %d, but there are only %d classes", top, len(s.Classes))
	}
	return nil
}
