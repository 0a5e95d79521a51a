package torch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Bounds of a pickle. Real ones stay far below: a vocabulary of 400,000 words costs 1.2 million.
const (
	maxPickle = 16 << 20 // bytes
	maxCost   = 2 << 20  // what its opcodes cost together, in steps of at most 128 bytes of memory
	maxMarks  = 1000     // open at a time; Python itself nests no deeper
	maxText   = 1 << 20  // bytes of one string
	maxLine   = 4 << 10  // bytes of one line of the text opcodes
	maxLong   = 64       // bytes of one integer
)

// argument says what follows an opcode.
type argument uint8

const (
	unknown   argument = iota
	none               // nothing
	bytes1             // a byte
	bytes2             // 2 bytes
	bytes4             // 4 bytes
	bytes8             // 8 bytes
	line               // a line
	text               // a line in which Python escapes what is not ASCII
	lines              // two lines
	counted1           // bytes, after their count of 1 byte
	counted4           // of 4 bytes
	counted8           // of 8 bytes
	long1              // an integer, after its length of 1 byte
	long4              // of 4 bytes
	frame              // the length of the frame that begins here
	extension          // a code of Python's registry of extensions
)

// An opcode is what scan must know of one: its argument, and what carrying it out costs at most.
type opcode struct {
	arg  argument
	cost int
}

// opcodes are those of protocols 0 to 5 (Lib/pickletools.py). A container costs what an empty one takes; a mark 4, since it
// takes a stack of its own.
var opcodes = [256]opcode{
	'(': {none, 4}, '.': {none, 1}, '0': {none, 1}, '1': {none, 1}, '2': {none, 1}, 'F': {line, 1}, 'I': {line, 1},
	'J': {bytes4, 1}, 'K': {bytes1, 1}, 'L': {line, 2}, 'M': {bytes2, 1}, 'N': {none, 1}, 'P': {line, 1}, 'Q': {none, 1},
	'R': {none, 6}, 'S': {text, 1}, 'T': {counted4, 1}, 'U': {counted1, 1}, 'V': {text, 1}, 'X': {counted4, 1}, 'a': {none, 1},
	'b': {none, 2}, 'c': {lines, 2}, 'd': {none, 2}, '}': {none, 3}, 'e': {none, 1}, 'g': {line, 1}, 'h': {bytes1, 1},
	'i': {lines, 6}, 'j': {bytes4, 1}, 'l': {none, 1}, ']': {none, 2}, 'o': {none, 6}, 'p': {line, 1}, 'q': {bytes1, 1},
	'r': {bytes4, 1}, 's': {none, 2}, 't': {none, 1}, ')': {none, 1}, 'u': {none, 1}, 'G': {bytes8, 1},
	0x80: {bytes1, 1}, 0x81: {none, 6}, 0x82: {extension, 1}, 0x83: {extension, 1}, 0x84: {extension, 1}, 0x85: {none, 1},
	0x86: {none, 1}, 0x87: {none, 2}, 0x88: {none, 1}, 0x89: {none, 1}, 0x8a: {long1, 1}, 0x8b: {long4, 1},
	'B': {counted4, 1}, 'C': {counted1, 1},
	0x8c: {counted1, 1}, 0x8d: {counted8, 1}, 0x8e: {counted8, 1}, 0x8f: {none, 5}, 0x90: {none, 2}, 0x91: {none, 4},
	0x92: {none, 6}, 0x93: {none, 2}, 0x94: {none, 1}, 0x95: {frame, 1},
	0x96: {counted8, 1}, 0x97: {none, 1}, 0x98: {none, 1},
}

// scan goes through the pickle that data begins with, without carrying it out, and returns its length. What passes takes
// bounded memory to carry out: every length is of bytes that are there, and all opcodes together cost at most maxCost.
func scan(data []byte) (int, error) {
	s := scanner{data: data[:min(len(data), maxPickle)], cut: len(data) > maxPickle}
	for {
		op, err := s.take(1)
		if err != nil {
			return 0, err
		}
		o := opcodes[op[0]]
		if err := s.argument(op[0], o.arg); err != nil {
			return 0, err
		}
		switch op[0] {
		case '.':
			return s.at, nil
		case '(':
			s.marks++
		case '1', 'd', 'e', 'i', 'l', 'o', 't', 'u', 0x90, 0x91: // those that end a mark
			s.marks--
		}
		s.cost += o.cost
		if s.cost > maxCost || s.marks > maxMarks {
			return 0, fmt.Errorf("the file's pickle builds more, or nests deeper, than any model needs: save only model.state_dict()")
		}
	}
}

type scanner struct {
	data  []byte
	at    int
	cut   bool // data goes on, but too far
	cost  int
	marks int
	frame int // where the current frame ends
}

// take returns the next n bytes.
func (s *scanner) take(n uint64) ([]byte, error) {
	if n > uint64(len(s.data)-s.at) {
		if s.cut {
			return nil, errLong
		}
		return nil, damaged("its pickle ends too early, or claims more bytes than there are")
	}
	from := s.at
	s.at += int(n)
	return s.data[from:s.at], nil
}

// number takes a little-endian number of so many bytes.
func (s *scanner) number(width uint64) (uint64, error) {
	var whole [8]byte
	b, err := s.take(width)
	copy(whole[:], b)
	return binary.LittleEndian.Uint64(whole[:]), err
}

// argument goes past an opcode's argument.
func (s *scanner) argument(op byte, arg argument) error {
	switch arg {
	case none:
		return nil
	case bytes1, bytes2, bytes4, bytes8:
		_, err := s.take(1 << (arg - bytes1))
		return err
	case line:
		return s.line()
	case text:
		from := s.at
		if err := s.line(); err != nil {
			return err
		}
		return plainText(s.data[from:s.at])
	case lines:
		if err := s.line(); err != nil {
			return err
		}
		return s.line()
	case counted1:
		return s.counted(1, maxText)
	case counted4:
		return s.counted(4, maxText)
	case counted8:
		return s.counted(8, maxText)
	case long1:
		return s.counted(1, maxLong)
	case long4:
		return s.counted(4, maxLong)
	case frame:
		return s.enter()
	case extension:
		return fmt.Errorf("the file's pickle uses Python's registry of extensions, which is not read: save only model.state_dict()")
	}
	return damaged("its pickle holds the unknown opcode %#x", op)
}

func (s *scanner) line() error {
	rest := s.data[s.at:]
	n := bytes.IndexByte(rest[:min(len(rest), maxLine)], '\n')
	if n < 0 {
		return damaged("a line of its pickle does not end")
	}
	s.at += n + 1
	return nil
}

var errLong = fmt.Errorf("the file's pickle is longer than %d MB: save only model.state_dict()", maxPickle>>20)

var errOldest = errors.New("the file is a pickle in Python's oldest form, with text that is not ASCII: pickle it again with protocol 2 or newer")

// plainText reports text that would have to be unescaped.
func plainText(line []byte) error {
	for _, b := range line {
		if b >= utf8.RuneSelf || b == '\\' {
			return errOldest
		}
	}
	return nil
}

func (s *scanner) counted(width, limit uint64) error {
	n, err := s.number(width)
	if err != nil {
		return err
	}
	skipped, err := s.take(n)
	if err == nil && uint64(len(skipped)) > limit {
		err = fmt.Errorf("the file's pickle holds %d bytes in one piece where tensors have their own place: save only model.state_dict()", n)
	}
	// Text is kept once as bytes and once as a string.
	s.cost += len(skipped) / 32
	return err
}

// enter begins a frame, which is read into memory of its own.
func (s *scanner) enter() error {
	n, err := s.number(8)
	if err != nil {
		return err
	}
	if n > uint64(len(s.data)-s.at) || s.at < s.frame {
		return damaged("a frame of its pickle claims more bytes than there are")
	}
	s.frame = s.at + int(n)
	return nil
}
