package shard

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"quantlab/core/dataset"
)

// EncodeSentences returns a shard of sentences, whose labels are smaller than classes.
func EncodeSentences(s *dataset.Sentences, classes int) ([]byte, error) {
	if len(s.Text) != s.Len() {
		return nil, fmt.Errorf("%d texts do not make %d sentences", len(s.Text), s.Len())
	}
	if err := checkLabels(s.Labels, uint32(classes)); err != nil {
		return nil, fmt.Errorf("the set of sentences %w", err)
	}
	payload := bytes.Clone(s.Labels)
	for i, text := range s.Text {
		if strings.Contains(text, "\n") || !utf8.ValidString(text) {
			return nil, fmt.Errorf("sentence %d can't be stored: it is not one line of UTF-8: %.40q", i, text)
		}
		payload = append(append(payload, text...), '\n')
	}
	return encode(header{kind: Sentences, count: uint32(s.Len()), classes: uint32(classes)}, payload)
}

// DecodeSentences reads a shard of sentences.
func DecodeSentences(data []byte) (*dataset.Sentences, error) {
	h, payload, err := decode(data, Sentences)
	if err != nil {
		return nil, err
	}
	// A sentence takes at least two bytes, its label and its line feed.
	if 2*uint64(h.count) > uint64(len(payload)) {
		return nil, fmt.Errorf("has a payload of %d bytes, too few for %d sentences", len(payload), h.count)
	}
	s := &dataset.Sentences{Labels: payload[:h.count:h.count], Text: make([]string, 0, h.count)}
	if err := checkLabels(s.Labels, h.classes); err != nil {
		return nil, err
	}
	text := string(payload[h.count:])
	if n := strings.Count(text, "\n"); n != int(h.count) || (n > 0 && !strings.HasSuffix(text, "\n")) || (n == 0 && text != "") {
		return nil, fmt.Errorf("holds %d lines of text for %d sentences", n, h.count)
	}
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("holds text that is not UTF-8")
	}
	for line := range strings.Lines(text) {
		s.Text = append(s.Text, line[:len(line)-1])
	}
	return s, nil
}
