package dataset

import (
	"encoding/binary"
	"fmt"
)

// The IDX format, as http://yann.lecun.com/exdb/mnist describes it: a magic number of two zero bytes, the element
// type (8: unsigned byte) and the number of dimensions; the dimensions, big endian; the elements.
const (
	IDXImages = 0x00000803 // magic number of a file of images
	IDXLabels = 0x00000801 // and of one of labels

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
	if magic := be.Uint32(data); magic != IDXImages {
		return nil, fmt.Errorf("is not an IDX file of images: it starts with %08x, not %08x", magic, IDXImages)
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
	if magic := be.Uint32(data); magic != IDXLabels {
		return nil, fmt.Errorf("is not an IDX file of labels: it starts with %08x, not %08x", magic, IDXLabels)
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

// ParseIDX reads an IDX file of images and one of their labels, each below classes. The images share the files' memory. The error is
// the rest of a sentence that begins with the files' name.
func ParseIDX(images, labels []byte, classes int) (*Images, error) {
	im, err := parseImages(images)
	if err != nil {
		return nil, err
	}
	if im.Labels, err = parseLabels(labels, classes); err != nil {
		return nil, err
	}
	if n := len(im.Pixels) / (im.Height * im.Width); n != len(im.Labels) {
		return nil, fmt.Errorf("holds %d labels for %d images", len(im.Labels), n)
	}
	return im, nil
}
