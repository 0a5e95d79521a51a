// Package shard cuts data sets and models into small files for the browser, and puts them together again.
//
// A shard is a header of 64 bytes and a payload, all integers little endian:
//
//	offset  bytes
//	     0      4  magic "QLSH"
//	     4      2  version, 1
//	     6      1  kind: 1 images, 2 sentences, 3 bytes, 4 floats
//	     7      1  0
//	     8      4  count: examples; 0 for bytes and floats
//	    12      4  classes: every label is smaller; 0 for bytes and floats
//	    16      4  height of an image; 0 for other kinds
//	    20      4  width of an image; 0 for other kinds
//	    24      8  length of the payload in bytes
//	    32     32  SHA-256 of the payload
//	    64         payload
//
// The payload of images is a label a byte, then the pixels, image by image, row by row. The payload of sentences is a
// label a byte, then the texts in UTF-8, each ended by a line feed. The payload of bytes is part of a larger file: the
// parts follow each other in the order that the [Manifest] gives.
//
// The payload of floats, too, is part of a file, one that is mostly float32, such as a model's weights. It is stored in four
// planes: bytes 0, 4, 8, … of the part, then 1, 5, 9, …, then 2, 6, 10, …, then 3, 7, 11, …, and at last the up to three bytes
// left over by a length that four does not divide. The bytes of the exponents, which resemble each other, are then
// neighbours, and the part compresses to 84% of its size in place of 93%. HDF5's shuffle filter does the same.
//
// No shard is larger than [MaxSize], and a reader takes no memory before it has checked the sizes against it.
package shard

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"quantlab/core/dataset"
)

const (
	magic      = "QLSH"
	version    = 1
	headerSize = 64

	// MaxSize is the largest shard, header and payload, before compression.
	MaxSize = 8 << 20
	// MaxPayload is the largest payload.
	MaxPayload = MaxSize - headerSize

	maxSide = 1 << 12
)

// A Kind says what a shard's payload holds.
type Kind uint8

// The kinds of shards.
const (
	Images    Kind = 1
	Sentences Kind = 2
	Bytes     Kind = 3
	Floats    Kind = 4
)

var kinds = map[Kind]string{Images: "images", Sentences: "sentences", Bytes: "bytes", Floats: "floats"}

// ofFile reports whether shards of that kind are parts of a file.
func (k Kind) ofFile() bool { return k == Bytes || k == Floats }

func (k Kind) String() string {
	if s, ok := kinds[k]; ok {
		return s
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// MarshalText names a known kind.
func (k Kind) MarshalText() ([]byte, error) {
	if _, ok := kinds[k]; !ok {
		return nil, fmt.Errorf("shards have no %v", k)
	}
	return []byte(k.String()), nil
}

// UnmarshalText knows the names that String gives.
func (k *Kind) UnmarshalText(text []byte) error {
	for kind, name := range kinds {
		if name == string(text) {
			*k = kind
			return nil
		}
	}
	return fmt.Errorf("shards hold images, sentences, bytes or floats, not %.20q", text)
}

// A header is the start of a shard, without its magic and version.
type header struct {
	kind          Kind
	count         uint32
	classes       uint32
	height, width uint32
	length        uint64
	sum           [sha256.Size]byte
}

// encode returns the shard of the given payload, whose length and checksum it fills in.
func encode(h header, payload []byte) ([]byte, error) {
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("%d bytes are too many for a shard of at most %d", len(payload), MaxSize)
	}
	out := make([]byte, headerSize+len(payload))
	le := binary.LittleEndian
	copy(out, magic)
	le.PutUint16(out[4:], version)
	out[6] = byte(h.kind)
	le.PutUint32(out[8:], h.count)
	le.PutUint32(out[12:], h.classes)
	le.PutUint32(out[16:], h.height)
	le.PutUint32(out[20:], h.width)
	le.PutUint64(out[24:], uint64(len(payload)))
	sum := sha256.Sum256(payload)
	copy(out[32:], sum[:])
	copy(out[headerSize:], payload)
	return out, nil
}

// parseHeader reads a shard's header. The error is the rest of a sentence that begins with the shard's name.
func parseHeader(data []byte) (h header, err error) {
	if len(data) > MaxSize {
		return h, fmt.Errorf("is larger than the %d bytes that a shard may have", MaxSize)
	}
	if !bytes.HasPrefix(data, []byte(magic)[:min(len(data), len(magic))]) {
		return h, fmt.Errorf("is not a shard: it starts with %.12q", data[:min(len(data), 12)])
	}
	if len(data) < headerSize {
		return h, fmt.Errorf("is truncated: %d bytes are less than a header", len(data))
	}
	le := binary.LittleEndian
	if v := le.Uint16(data[4:]); v != version {
		return h, fmt.Errorf("has format version %d: this program reads version %d", v, version)
	}
	h = header{
		kind: Kind(data[6]), count: le.Uint32(data[8:]), classes: le.Uint32(data[12:]),
		height: le.Uint32(data[16:]), width: le.Uint32(data[20:]), length: le.Uint64(data[24:]),
	}
	copy(h.sum[:], data[32:])
	if unused := h.kind != Images && h.height|h.width != 0 || h.kind.ofFile() && h.count|h.classes != 0; unused || data[7] != 0 {
		return h, fmt.Errorf("is damaged: its header sets fields that %v do not use", h.kind)
	}
	return h, nil
}

// decode checks a shard of the wanted kind and returns its header and its payload, which shares data's memory. The error
// is the rest of a sentence that begins with the shard's name.
func decode(data []byte, want Kind) (header, []byte, error) {
	h, err := parseHeader(data)
	if err != nil {
		return h, nil, err
	}
	if h.kind != want {
		return h, nil, fmt.Errorf("holds %v, not %v", h.kind, want)
	}
	payload := data[headerSize:]
	switch n := uint64(len(payload)); {
	case n < h.length:
		return h, nil, fmt.Errorf("is truncated: its payload has %d of %d bytes", n, h.length)
	case n > h.length:
		return h, nil, fmt.Errorf("has %d bytes after its payload", n-h.length)
	}
	if sum := sha256.Sum256(payload); sum != h.sum {
		return h, nil, fmt.Errorf("is damaged: SHA-256 %.12s…, not %.12s…", hex.EncodeToString(sum[:]), hex.EncodeToString(h.sum[:]))
	}
	return h, payload, nil
}

// checkLabels reports the first label that isn't smaller than classes.
func checkLabels(labels []uint8, classes uint32) error {
	for i, l := range labels {
		if uint32(l) >= classes {
			return fmt.Errorf("has a label %d at %d, but only %d classes", l, i, classes)
		}
	}
	return nil
}

// EncodeImages returns a shard of images, whose labels are smaller than classes.
func EncodeImages(im *dataset.Images, classes int) ([]byte, error) {
	if im.Height < 1 || im.Width < 1 || im.Height > maxSide || im.Width > maxSide || len(im.Pixels) != im.Len()*im.Height*im.Width {
		return nil, fmt.Errorf("%d pixels do not make %d images of %d x %d", len(im.Pixels), im.Len(), im.Height, im.Width)
	}
	if err := checkLabels(im.Labels, uint32(classes)); err != nil {
		return nil, fmt.Errorf("the set of images %w", err)
	}
	h := header{kind: Images, count: uint32(im.Len()), classes: uint32(classes), height: uint32(im.Height), width: uint32(im.Width)}
	return encode(h, append(bytes.Clone(im.Labels), im.Pixels...))
}

// DecodeImages reads a shard of images. The images share data's memory.
func DecodeImages(data []byte) (*dataset.Images, error) {
	h, payload, err := decode(data, Images)
	if err != nil {
		return nil, err
	}
	if h.height < 1 || h.width < 1 || h.height > maxSide || h.width > maxSide {
		return nil, fmt.Errorf("holds images of %d x %d pixels: 1 to %d are possible", h.height, h.width, maxSide)
	}
	// count < 2^32, height and width <= 2^12: no overflow.
	if want := uint64(h.count) * (1 + uint64(h.height)*uint64(h.width)); want != uint64(len(payload)) {
		return nil, fmt.Errorf("has a payload of %d bytes, but %d images of %d x %d need %d", len(payload), h.count, h.height, h.width, want)
	}
	im := &dataset.Images{Height: int(h.height), Width: int(h.width), Labels: payload[:h.count:h.count], Pixels: payload[h.count:]}
	return im, checkLabels(im.Labels, h.classes)
}
