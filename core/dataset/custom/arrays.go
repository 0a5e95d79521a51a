package custom

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"path"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
)

// kindOf tells what a file holds by its start.
func kindOf(start []byte) kind {
	switch {
	case strings.HasPrefix(string(start), "\x89PNG\r\n\x1a\n"):
		return pictures
	case len(start) >= 4 && (isImages(start) || isLabels(start)):
		return arrays
	}
	return others
}

func isImages(start []byte) bool {
	return binary.BigEndian.Uint32(start) == dataset.IDXImages
}

func isLabels(start []byte) bool {
	return binary.BigEndian.Uint32(start) == dataset.IDXLabels
}

// arrays reads an IDX pair: a file of images and one of their labels.
func (r *reader) arrays(entries []entry) (*Set, error) {
	r.format = "IDX pair"
	entries = r.oneSplit(entries, path.Base)
	pixels, labels, err := r.pair(entries)
	if err != nil {
		return nil, err
	}
	im, err := dataset.ParseIDX(pixels, labels, MaxClasses)
	if err != nil {
		return nil, fmt.Errorf("the IDX pair %w: give images and labels that belong together", err)
	}
	switch {
	case im.Len() == 0:
		return nil, errors.New("the IDX pair holds no image: give one that holds some")
	case im.Len() > wire.MaxOwnData:
		return nil, fmt.Errorf("the IDX pair holds %d images: at most %d can be taken", im.Len(), wire.MaxOwnData)
	case im.Height > maxPicturePixels/im.Width:
		return nil, fmt.Errorf("the IDX pair holds images of %d x %d pixels: give smaller ones", im.Width, im.Height)
	}
	var names []string
	for _, l := range im.Labels {
		names = append(names, strconv.Itoa(int(l)))
	}
	c, err := newClasses(names)
	if err != nil {
		return nil, err
	}
	return r.digits(im, c)
}

// pair returns the contents of the files of images and of labels, of which there must be one each.
func (r *reader) pair(entries []entry) (images, labels []byte, err error) {
	for _, e := range entries {
		data, err := r.whole(e, wire.MaxFile)
		if err != nil {
			return nil, nil, err
		}
		of := &labels
		if len(data) >= 4 && isImages(data) {
			of = &images
		}
		if *of != nil {
			return nil, nil, errors.New("there is more than one IDX file of images, or of labels: give one of each")
		}
		*of = data
	}
	switch {
	case labels == nil:
		return nil, nil, errors.New("there is an IDX file of images, but none of their labels: give both files of the pair")
	case images == nil:
		return nil, nil, errors.New("there is an IDX file of labels, but none of the images: give both files of the pair")
	}
	return images, labels, nil
}

// digits makes the images MNIST's. Where most of them are dark on light, all are inverted: the images of an array are of one kind.
func (r *reader) digits(im *dataset.Images, c *classes) (*Set, error) {
	size := im.Height * im.Width
	out := &dataset.Images{Height: side, Width: side}
	made := tally{}
	if im.Height == side && im.Width == side {
		out.Pixels = slices.Clone(im.Pixels)
		light := 0
		for i := range im.Len() {
			if darkOnLight(im.Pixels[i*size : (i+1)*size]) {
				light++
			}
			out.Labels = append(out.Labels, c.label(strconv.Itoa(int(im.Labels[i]))))
		}
		if 2*light > im.Len() {
			invert(out.Pixels)
			made.inverted = im.Len()
		}
		return r.finish(out, c.names, made)
	}
	for i := range im.Len() {
		if err := r.look(i, im.Len(), "reading the images"); err != nil {
			return nil, err
		}
		g := &image.Gray{Pix: im.Pixels[i*size : (i+1)*size], Stride: im.Width, Rect: image.Rect(0, 0, im.Width, im.Height)}
		if pixels := made.digit(g); pixels != nil {
			out.Pixels = append(out.Pixels, pixels...)
			out.Labels = append(out.Labels, c.label(strconv.Itoa(int(im.Labels[i]))))
		}
	}
	return r.finish(out, c.names, made)
}
