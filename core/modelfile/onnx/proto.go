package onnx

import (
	"io"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// A message is a protocol buffer message that is being put together. Its length is known before its tensors' numbers are
// encoded, which happens only when they are written.
type message struct {
	parts []part
	size  int // bytes
}

// A part is bytes, or numbers that become bytes.
type part struct {
	bytes   []byte
	numbers numbers
}

// numbers are a tensor's elements, little-endian and row-major when written.
type numbers interface {
	size() int // bytes
	writeTo(w io.Writer) error
}

// grow appends bytes.
func (m *message) grow(b []byte) {
	m.size += len(b)
	if n := len(m.parts); n > 0 && m.parts[n-1].numbers == nil {
		m.parts[n-1].bytes = append(m.parts[n-1].bytes, b...)
		return
	}
	m.parts = append(m.parts, part{bytes: b})
}

func (m *message) int(field protowire.Number, v int64) {
	m.grow(protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), uint64(v)))
}

// text adds a string, which the format wants in UTF-8.
func (m *message) text(field protowire.Number, v string) {
	m.grow(protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), strings.ToValidUTF8(v, "\uFFFD")))
}

// open begins a field of so many bytes, which follow.
func (m *message) open(field protowire.Number, size int) {
	m.grow(protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.BytesType), uint64(size)))
}

func (m *message) message(field protowire.Number, v message) {
	m.open(field, v.size)
	m.append(v)
}

// append adds the fields of another message.
func (m *message) append(v message) {
	for _, p := range v.parts {
		if p.numbers == nil {
			m.grow(p.bytes)
		} else {
			m.add(p.numbers)
		}
	}
}

func (m *message) numbers(field protowire.Number, v numbers) {
	m.open(field, v.size())
	m.add(v)
}

func (m *message) add(v numbers) {
	m.parts = append(m.parts, part{numbers: v})
	m.size += v.size()
}

// writeTo writes the message, without its length.
func (m *message) writeTo(w io.Writer) error {
	for _, p := range m.parts {
		var err error
		if p.numbers == nil {
			_, err = w.Write(p.bytes)
		} else {
			err = p.numbers.writeTo(w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
