package modelfile

import (
	"errors"

	"quantlab/core/quant"
)

// packs reports whether weights of that scheme, which are integers, are stored two in a byte.
func packs(s quant.Scheme) bool { return s.Weight.Bits <= 4 }

// nibbles are rows of integers from -8 to 7 that are stored two in a byte.
type nibbles struct {
	ints []int8
	row  int // how many integers a row has
}

// packedRow returns how many bytes a row of n integers takes.
func packedRow(n int) int { return (n + 1) / 2 }

// bytes returns how many bytes pack returns.
func (n nibbles) bytes() int { return len(n.ints) / n.row * packedRow(n.row) }

// pack returns the rows, each of its own bytes. A byte holds an integer of even position in its lower half, the one after in its
// upper half, in two's complement; half of the last byte of an odd row is 0.
func (n nibbles) pack() []byte {
	out := make([]byte, 0, n.bytes())
	for from := 0; from < len(n.ints); from += n.row {
		row := n.ints[from : from+n.row]
		for i := 0; i < len(row); i += 2 {
			b := byte(row[i]) & 0xF
			if i+1 < len(row) {
				b |= byte(row[i+1]) << 4
			}
			out = append(out, b)
		}
	}
	return out
}

var errPadding = errors.New("what fills up its rows is not 0")

// unpack undoes pack: ints has whole rows of so many integers, and data as many bytes as they take.
func unpack(ints []int8, data []byte, row int) error {
	for from := 0; from < len(ints); from += row {
		to := ints[from : from+row]
		for i := range to {
			b := data[i/2]
			if i%2 == 0 {
				b <<= 4
			}
			to[i] = int8(b) >> 4
		}
		if row%2 == 1 && data[row/2]>>4 != 0 {
			return errPadding
		}
		data = data[packedRow(row):]
	}
	return nil
}
