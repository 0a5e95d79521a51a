package torch

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"slices"
)

// folder is what torch.save names an archive that it writes to memory.
const folder = "archive/"

// alignment is where torch.save has an entry's bytes begin.
const alignment = 64

// Write writes the state_dict as torch.save does; torch.load(…, weights_only=True) opens it. The same state_dict gives the same
// bytes: those of PyTorch 2.6, but for the id of 40 digits that it gives every file.
func Write(w io.Writer, s *StateDict) error {
	buffered := bufio.NewWriterSize(w, 64<<10)
	z := archiver{w: buffered}
	if err := s.archive(&z); err != nil {
		return fmt.Errorf("writing the PyTorch file: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("writing the PyTorch file: %w", err)
	}
	return nil
}

// Size returns how many bytes Write writes, without touching the numbers: of tensors of two dimensions only the shapes, scales and
// zero points need to be there.
func Size(s *StateDict) (int64, error) {
	var z archiver
	if err := s.archive(&z); err != nil {
		return 0, fmt.Errorf("measuring the PyTorch file: %w", err)
	}
	return z.at, nil
}

// archive writes the entries in torch.save's order: the storages' numbers are sorted as texts.
func (s *StateDict) archive(z *archiver) error {
	pickled, storages, err := s.pickle()
	if err != nil {
		return err
	}
	z.text("data.pkl", string(pickled))
	z.text("byteorder", "little")
	keys := make([]string, len(storages))
	numbers := map[string]content{}
	for i, c := range storages {
		keys[i] = fmt.Sprintf("data/%d", i)
		numbers[keys[i]] = c
	}
	slices.Sort(keys)
	for _, k := range keys {
		z.entry(k, numbers[k])
	}
	z.text("version", "3\n")
	z.text(".data/serialization_id", z.id())
	z.end()
	return z.err
}

// An archiver writes a zip archive as PyTorch does: entries that are not compressed, whose checksums follow them, and a zip64
// ending whatever the size. One without a writer only measures.
type archiver struct {
	w       io.Writer
	at      int64
	entries []written
	err     error
}

type written struct {
	name   string
	size   int64
	crc    uint32
	offset int64
}

// Bounds that keep sizes and offsets within 32 bits, and the number of entries within 16.
const (
	maxArchive   = 1<<32 - 1<<24
	maxDirectory = 1<<16 - 10
)

func (z *archiver) text(name, s string) {
	z.entry(name, content{int64(len(s)), func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}})
}

// entry writes an entry: its header, padding so that its bytes begin where they should, these, and its checksum.
func (z *archiver) entry(name string, c content) {
	e := written{name: folder + name, size: c.size, offset: z.at}
	if z.err == nil && (z.at+c.size > maxArchive || len(z.entries) >= maxDirectory) {
		z.err = fmt.Errorf("it would be larger than 4 GB, or of more than %d entries", maxDirectory)
	}
	const header, padHeader = 30, 4
	pad := -(z.at + int64(header+len(e.name)+padHeader)) & (alignment - 1)
	var b []byte
	b = append(b, "PK\x03\x04"...)
	b = append(b, e.common(0, 0)...)
	b = binary.LittleEndian.AppendUint16(b, uint16(padHeader+pad))
	b = append(b, e.name...)
	b = append(b, "FB"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(pad))
	z.write(append(b, bytes.Repeat([]byte("Z"), int(pad))...))

	if z.w != nil && z.err == nil {
		sum := crc32.NewIEEE()
		z.err = c.write(io.MultiWriter(z.w, sum))
		e.crc = sum.Sum32()
	}
	z.at += c.size
	b = append([]byte("PK\x07\x08"), binary.LittleEndian.AppendUint32(nil, e.crc)...)
	b = binary.LittleEndian.AppendUint32(b, uint32(c.size))
	z.write(binary.LittleEndian.AppendUint32(b, uint32(c.size)))
	z.entries = append(z.entries, e)
}

// common returns what the headers before an entry and at the end of the archive have in common, up to the length of the name.
func (e written) common(crc uint32, size int64) []byte {
	const flags = 1<<3 | 1<<11 // the checksum follows; the name is in UTF-8
	b := []byte{0, 0}          // the version needed
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = append(b, make([]byte, 2+4)...) // not compressed; no time
	b = binary.LittleEndian.AppendUint32(b, crc)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	return binary.LittleEndian.AppendUint16(b, uint16(len(e.name)))
}

// end writes the archive's directory.
func (z *archiver) end() {
	start := z.at
	for _, e := range z.entries {
		b := append([]byte("PK\x01\x02"), 0, 0)
		b = append(b, e.common(e.crc, e.size)...)
		b = append(b, make([]byte, 2+2+2+2+4)...) // no padding, comment, disk or attributes
		b = binary.LittleEndian.AppendUint32(b, uint32(e.offset))
		z.write(append(b, e.name...))
	}
	n, size, directory := uint64(len(z.entries)), uint64(z.at-start), uint64(z.at)
	b := []byte("PK\x06\x06")
	b = binary.LittleEndian.AppendUint64(b, 44)   // bytes that follow
	b = append(b, 0x1e, 3, 45, 0)                 // written by zip 3.0 on Unix, readable by zip 4.5
	b = append(b, make([]byte, 4+4)...)           // disks
	b = binary.LittleEndian.AppendUint64(b, n)    // entries here
	b = binary.LittleEndian.AppendUint64(b, n)    // and in all
	b = binary.LittleEndian.AppendUint64(b, size) // of the directory
	b = binary.LittleEndian.AppendUint64(b, uint64(start))
	b = append(b, "PK\x06\x07\x00\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint64(b, directory)
	b = append(b, 1, 0, 0, 0)
	b = append(b, "PK\x05\x06\x00\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(n))
	b = binary.LittleEndian.AppendUint16(b, uint16(n))
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, uint32(start))
	z.write(append(b, 0, 0))
}

// id returns the 40 digits by which PyTorch tells files apart: hashes of the entries' names and of their contents.
func (z *archiver) id() string {
	names, contents := fnv.New64a(), fnv.New64a()
	for _, e := range z.entries {
		io.WriteString(names, e.name)
		binary.Write(contents, binary.LittleEndian, e.crc)
	}
	return fmt.Sprintf("%020d%020d", names.Sum64(), contents.Sum64())
}

func (z *archiver) write(b []byte) {
	z.at += int64(len(b))
	if z.w != nil && z.err == nil {
		_, z.err = z.w.Write(b)
	}
}
