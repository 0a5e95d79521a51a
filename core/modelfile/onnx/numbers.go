package onnx

import (
	"encoding/binary"
	"io"
)

// writeBlock is how many elements are encoded at a time.
const writeBlock = 1 << 14

// A number is an element that a file can hold.
type number interface {
	float32 | uint16 | uint8 | int8 | int32
}

// A vector is elements in the order of the file. uint16 are the bits of halves.
type vector[T number] []T

func (v vector[T]) size() int { return len(v) * binary.Size(T(0)) }

func (v vector[T]) writeTo(w io.Writer) error {
	var buf []byte
	for len(v) > 0 {
		n := min(len(v), writeBlock)
		buf, _ = binary.Append(buf[:0], binary.LittleEndian, []T(v[:n])) // fixed-size numbers always encode
		if _, err := w.Write(buf); err != nil {
			return err
		}
		v = v[n:]
	}
	return nil
}

// A transposed is a matrix of int8, out x in, that is written in x out.
type transposed struct {
	ints    []int8
	out, in int
}

func (t transposed) size() int { return len(t.ints) }

func (t transposed) writeTo(w io.Writer) error {
	rows := max(writeBlock/t.out, 1)
	buf := make([]byte, 0, rows*t.out)
	for from := 0; from < t.in; from += rows {
		to := min(from+rows, t.in)
		buf = buf[:(to-from)*t.out]
		for o := range t.out {
			for i, q := range t.ints[o*t.in+from : o*t.in+to] {
				buf[i*t.out+o] = byte(q)
			}
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}
