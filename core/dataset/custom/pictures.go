package custom

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/png"
	"path"
	"slices"
	"strings"

	"quantlab/core/dataset"
	"quantlab/core/ink"
	"quantlab/core/lab/wire"
)

// Bounds of a picture. Decoding takes up to eight bytes a pixel, and finding a digit as much again.
const (
	maxPictureBytes  = 16 << 20
	maxPicturePixels = 4 << 20
)

const (
	side     = wire.DigitSide
	lightInk = 127 // what is brighter is ink, or the paper of a picture that must be inverted
)

// shuffleSeed orders the images of folders, so that the first ones are of all classes.
const shuffleSeed = 0

// pictures reads PNG images that lie in folders named by their class.
func (r *reader) pictures(entries []entry) (*Set, error) {
	r.format = "PNG images in folders"
	entries = r.oneSplit(entries, func(name string) string { return path.Dir(path.Dir(name)) })
	inFolder := slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return classOf(e.name) == "" })
	if n := len(entries) - len(inFolder); n > 0 {
		r.note("%s in no folder %s ignored: an image's folder is its class", count(n, "image"), was(n))
	}
	if len(inFolder) == 0 {
		return nil, errors.New("the PNG images lie in no folder: put those of each class in a folder that bears its name, such as 3")
	}
	if len(inFolder) > wire.MaxOwnData {
		return nil, fmt.Errorf("%d images are too many: give at most %d", len(inFolder), wire.MaxOwnData)
	}
	c, err := r.classes(inFolder)
	if err != nil {
		return nil, err
	}
	im := &dataset.Images{Height: side, Width: side, Pixels: make([]uint8, 0, len(inFolder)*side*side)}
	made := tally{}
	for done, i := range dataset.Draw(len(inFolder), len(inFolder), shuffleSeed) {
		if err := r.look(done, len(inFolder), "reading the images"); err != nil {
			return nil, err
		}
		e := inFolder[i]
		data, err := r.whole(e, maxPictureBytes)
		if err != nil {
			return nil, err
		}
		picture, err := decode(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shown(e.name), err)
		}
		if pixels := made.digit(picture); pixels != nil {
			im.Pixels = append(im.Pixels, pixels...)
			im.Labels = append(im.Labels, c.label(classOf(e.name)))
		}
	}
	return r.finish(im, c.names, made)
}

// finish makes a set of the images.
func (r *reader) finish(im *dataset.Images, classes []string, made tally) (*Set, error) {
	if im.Len() == 0 {
		return nil, errors.New("there is no digit in any of the images: give images of digits that differ from their background")
	}
	made.tell(r)
	return &Set{Images: im, Classes: classes}, nil
}

// classOf returns the name of the folder that the file lies in; "" where that is none.
func classOf(name string) string {
	dir := path.Base(path.Dir(name))
	if dir == "." || dir == "/" {
		return ""
	}
	return plainNumber(dir)
}

// classes returns the classes of the images' folders.
func (r *reader) classes(entries []entry) (*classes, error) {
	var all []string
	for _, e := range entries {
		all = append(all, classOf(e.name))
	}
	c, err := newClasses(all)
	if err == nil && len(c.names) == 1 && !isNumber(c.names[0]) {
		err = fmt.Errorf("all images lie in one folder, %.40s: put those of each class in a folder that bears its name, such as 3", c.names[0])
	}
	return c, err
}

// decode reads a PNG file.
func decode(data []byte) (*image.Gray, error) {
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("it is no PNG image (%w): save it again", err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxPicturePixels/config.Height {
		return nil, fmt.Errorf("it has %d x %d pixels: give images of at most %d million", config.Width, config.Height, maxPicturePixels>>20)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the PNG image is damaged (%w): save it again", err)
	}
	return ink.Gray(picture), nil
}

// A tally counts what was done to images.
type tally struct {
	asIs, fitted, inverted, empty int
	why                           error // of the first one that is empty
}

// digit makes an image of MNIST's size and look of a picture: one of that size is taken as it is, but for its polarity, any other as a
// photo or a scan of a digit is. It returns nil where the picture shows none.
func (t *tally) digit(g *image.Gray) []uint8 {
	if g.Rect.Dx() == side && g.Rect.Dy() == side {
		pixels := g.Pix // of exactly that many bytes: ink.Gray makes no larger ones
		t.asIs++
		if darkOnLight(pixels) {
			invert(pixels)
			t.inverted++
		}
		return pixels
	}
	p, err := ink.ReadGray(g)
	if err != nil {
		t.empty++
		t.why = cmp.Or(t.why, err)
		return nil
	}
	t.fitted++
	return p.Centred
}

// darkOnLight reports whether an image's border is light all around, but for a quarter: a digit may touch it, and an image of
// something else may well be light at an edge or two.
func darkOnLight(pixels []uint8) bool {
	light := 0
	for i := range side {
		for _, at := range [4]int{i, (side-1)*side + i, i * side, i*side + side - 1} {
			if pixels[at] > lightInk {
				light++
			}
		}
	}
	return light > 3*side
}

func invert(pixels []uint8) {
	for i, p := range pixels {
		pixels[i] = 255 - p
	}
}

// tell notes what was done to the images.
func (t tally) tell(r *reader) {
	if t.fitted > 0 {
		r.note("%s of another size than 28x28 %s made MNIST's: the digit found, scaled and centred", count(t.fitted, "image"), was(t.fitted))
	}
	if t.inverted > 0 {
		r.note("%s dark on light, and inverted: the models read light ink on a dark field", fmt.Sprintf("%s %s", count(t.inverted, "image"), was(t.inverted)))
	}
	if t.empty > 0 {
		r.note("%s %s left out: %s", count(t.empty, "image"), was(t.empty), strings.TrimSpace(t.why.Error()))
	}
}
