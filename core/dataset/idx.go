package dataset

import (
	"encoding/binary"
	"fmt"
)

// The IDX format, as http://yann.lecun.com/exdb/mnist describes it: a magic number of two zero bytes, the element
// type (8: unsigned byte) and the number of dimensions; the dimensions, big endian; the elements.
const (
	imagesMagic  = 0x00000803
	labelsMagic  = 0x00000801
	imagesHeader = 16
	labelsHeader = 8
	maxSide      = 1 << 12
)

// parseImages reads an IDX file of images: the labels stay empty. It allocates nothing of the size that the header
// claims, since the pixels stay in data.
func parseImages(data []byte) (*Images, error) {
	if len(data) < imagesHeader {
		return nil, fmt.Errorf("is truncated: %d bytes are less than an IDX header", len(data))
	}
	be := binary.BigEndian
	if magic := be.Uint32(data); magic != imagesMagic {
		return nil, fmt.Errorf("is not an IDX file of images: it starts with %08x, not %08x", magic, imagesMagic)
	}
	n, h, w := uint64(be.Uint32(data[4:])), uint64(be.Uint32(data[8:])), uint64(be.Uint32(data[12:]))
	if h < 1 || w < 1 || h > maxSide || w > maxSide {
		return nil, fmt.Errorf("holds images of %d x %d pixels: 1 to %d are possible", h, w, maxSide)
	}
	pixels := data[imagesHeader:]
	// n < 2^32 and h, w <= 2^12: the product can't overflow.
	if n*h*w != uint64(len(pixels)) {
		return nil, fmt.Errorf("holds %d bytes of pixels, but its header announces %d", len(pixels), n*h*w)
	}
	return &Images{Height: int(h), Width: int(w), Pixels: pixels}, nil
}

// parseLabels reads an IDX file of labels, each below classes.
func parseLabels(data []byte, classes int) ([]uint8, error) {
	if len(data) < labelsHeader {
		return nil, fmt.Errorf("is truncated: %d bytes are less than an IDX header", len(data))
	}
	be := binary.BigEndian
	if magic := be.Uint32(data); magic != labelsMagic {
		return nil, fmt.Errorf("is not an IDX file of labels: it starts with %08x, not %08x", magic, labelsMagic)
	}
	labels := data[labelsHeader:]
	if n := be.Uint32(data[4:]); uint64(n) != uint64(len(labels)) {
		return nil, fmt.Errorf("holds %d labels, but its header announces %d", len(labels), n)
	}
	for i, l := range labels {
		if int(l) >= classes {
			return nil, fmt.Errorf("label %d is %d: 0 to %d are possible", i, l, classes-1)
		}
	}
	return labels, nil
}
