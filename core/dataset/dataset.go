// Package dataset reads the lab's two data sets, MNIST and SST-2, and turns them into batches that a network reads.
//
// The host hands in the files as an [fs.FS]; this package verifies their checksums, parses them and answers with plain
// slices. An image network reads pixels scaled to 0..1, a sentence network bags of words: see [Examples].
package dataset

// The splits that ReadMNIST and ReadSST2 read.
const (
	Train = "train"
	Test  = "test" // MNIST
	Dev   = "dev"  // SST-2: its evaluation set, since the labels of its test set were never published
)

// Sample is the part of the training set that calibrates static quantization: see CalibrationRows.
const Sample = "sample"

// Images are grey images of one size with the class of each.
type Images struct {
	Height, Width int
	Pixels        []uint8 // Len x Height x Width, row-major; 0 is background, 255 is ink
	Labels        []uint8 // one an image
}

// Len returns how many images there are.
func (im *Images) Len() int { return len(im.Labels) }

// Head returns the first n images, or all of them if there are fewer. It shares im's memory.
func (im *Images) Head(n int) *Images { return im.Slice(0, n) }

// Slice returns the images lo to hi-1, both clipped to what there is. It shares im's memory.
func (im *Images) Slice(lo, hi int) *Images {
	lo, hi = clip(lo, hi, im.Len())
	size := im.Height * im.Width
	return &Images{
		Height: im.Height, Width: im.Width,
		Pixels: im.Pixels[lo*size : hi*size : hi*size], Labels: im.Labels[lo:hi:hi],
	}
}

// Pick returns copies of the named images, in that order.
func (im *Images) Pick(rows []int) *Images {
	size := im.Height * im.Width
	out := &Images{Height: im.Height, Width: im.Width, Pixels: make([]uint8, 0, len(rows)*size), Labels: make([]uint8, 0, len(rows))}
	for _, r := range rows {
		out.Pixels = append(out.Pixels, im.Pixels[r*size:(r+1)*size]...)
		out.Labels = append(out.Labels, im.Labels[r])
	}
	return out
}

// Crop returns the square of the given side cut from the centre of every image: where the margin is odd, the extra row
// or column is dropped at the bottom or right. A side as large as the image, or larger, keeps the image as it is.
func (im *Images) Crop(side int) *Images {
	if side <= 0 || (side >= im.Height && side >= im.Width) {
		return im
	}
	h, w := min(side, im.Height), min(side, im.Width)
	top, left := (im.Height-h)/2, (im.Width-w)/2
	out := &Images{Height: h, Width: w, Pixels: make([]uint8, im.Len()*h*w), Labels: im.Labels}
	for i, dst := 0, out.Pixels; i < im.Len(); i++ {
		src := im.Pixels[i*im.Height*im.Width:]
		for y := range h {
			row := src[(top+y)*im.Width+left:]
			dst = dst[copy(dst, row[:w]):]
		}
	}
	return out
}

// Sentences are texts with the class of each: for SST-2, 0 is negative and 1 is positive.
type Sentences struct {
	Text   []string
	Labels []uint8
}

// Len returns how many sentences there are.
func (s *Sentences) Len() int { return len(s.Labels) }

// Head returns the first n sentences, or all of them if there are fewer. It shares s's memory.
func (s *Sentences) Head(n int) *Sentences { return s.Slice(0, n) }

// Slice returns the sentences lo to hi-1, both clipped to what there is. It shares s's memory.
func (s *Sentences) Slice(lo, hi int) *Sentences {
	lo, hi = clip(lo, hi, s.Len())
	return &Sentences{Text: s.Text[lo:hi:hi], Labels: s.Labels[lo:hi:hi]}
}

// Pick returns the named sentences, in that order.
func (s *Sentences) Pick(rows []int) *Sentences {
	out := &Sentences{Text: make([]string, 0, len(rows)), Labels: make([]uint8, 0, len(rows))}
	for _, r := range rows {
		out.Text = append(out.Text, s.Text[r])
		out.Labels = append(out.Labels, s.Labels[r])
	}
	return out
}

// clip limits lo <= hi to 0..n.
func clip(lo, hi, n int) (int, int) {
	lo = min(max(lo, 0), n)
	return lo, min(max(hi, lo), n)
}
