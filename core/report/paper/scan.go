package paper

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a file of results. A study of everything that the lab asks for, and more, has about a tenth of each.
const (
	maxBytes   = 64 << 20
	maxObjects = 100_000
	maxDepth   = 16
	maxLists   = 100_000
)

// numbers are the fields that hold lists of numbers; every other list holds objects, lists or strings.
var numbers = []string{"samples", "outliers", "flipped", "batches", "interval", "sizes", "hidden"}

// check reports what would take far more memory to decode than the file has bytes: too deep a nesting, too many objects, and
// lists of anything but what their field holds, which the decoder would first make room for.
func check(data []byte) error {
	if !json.Valid(data) {
		var v any
		err := json.Unmarshal(data, &v)
		if strings.Contains(err.Error(), "unexpected end") {
			return fmt.Errorf("this is no whole JSON: it ends at byte %d, before the results do; save it again", len(data))
		}
		return fmt.Errorf("this is no JSON, which a file of results is: %v", err)
	}
	s := scan{data: data}
	return s.value("")
}

// A scan walks through valid JSON.
type scan struct {
	data           []byte
	at, depth      int
	objects, lists int
}

// value reads one value, that of the field key.
func (s *scan) value(key string) error {
	s.space()
	switch s.data[s.at] {
	case '{':
		return s.object()
	case '[':
		return s.list(key)
	case '"':
		s.text()
		return nil
	}
	for s.at < len(s.data) && !strings.ContainsRune(" \t\r\n,]}", rune(s.data[s.at])) {
		s.at++
	}
	return nil
}

func (s *scan) object() error {
	if s.objects++; s.objects > maxObjects {
		return fmt.Errorf("the file holds more than %d objects, far more than any study: was it made by quantlab?", maxObjects)
	}
	if err := s.enter(); err != nil {
		return err
	}
	for s.more('}') {
		key := s.text()
		s.more(':')
		if err := s.value(key); err != nil {
			return err
		}
	}
	return nil
}

func (s *scan) list(key string) error {
	if s.lists++; s.lists > maxLists {
		return fmt.Errorf("the file holds more than %d lists, far more than any study: was it made by quantlab?", maxLists)
	}
	if err := s.enter(); err != nil {
		return err
	}
	for s.more(']') {
		switch c := s.data[s.at]; {
		case c == '{' || c == '[' || c == '"':
		case c == '-' || c >= '0' && c <= '9':
			if !slices.ContainsFunc(numbers, func(n string) bool { return strings.EqualFold(n, key) }) {
				return fmt.Errorf("the list %s holds a number at byte %d, where quantlab writes none", strconv.Quote(shorten(key)), s.at)
			}
		default:
			return fmt.Errorf("the list %s holds something empty at byte %d, where quantlab writes nothing of the kind", strconv.Quote(shorten(key)), s.at)
		}
		if err := s.value(key); err != nil {
			return err
		}
	}
	return nil
}

// enter goes into an object or a list.
func (s *scan) enter() error {
	s.at++
	if s.depth++; s.depth > maxDepth {
		return fmt.Errorf("the file nests deeper than %d levels at byte %d: was it made by quantlab?", maxDepth, s.at)
	}
	return nil
}

// more skips what parts values and reports whether there is another one before the end, which it leaves.
func (s *scan) more(end byte) bool {
	s.space()
	for s.data[s.at] == ',' || s.data[s.at] == ':' {
		s.at++
		s.space()
	}
	if s.data[s.at] == end {
		s.at++
		s.depth--
		return false
	}
	return true
}

func (s *scan) space() {
	for s.at < len(s.data) && (s.data[s.at] == ' ' || s.data[s.at] == '\n' || s.data[s.at] == '\t' || s.data[s.at] == '\r') {
		s.at++
	}
}

// text reads a string and returns what it means; of a long one, which names no field, the beginning.
func (s *scan) text() string {
	begin := s.at
	for s.at++; s.data[s.at] != '"'; s.at++ {
		if s.data[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
	var text string
	if raw := s.data[begin:s.at]; len(raw) > 100 || json.Unmarshal(raw, &text) != nil {
		return string(raw[:min(len(raw), 100)])
	}
	return text
}
