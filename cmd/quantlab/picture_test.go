package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/draw"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

func encode(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sheet returns an empty white picture.
func sheet(w, h int) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, w, h))
	draw.Draw(g, g.Rect, image.White, image.Point{}, draw.Src)
	return g
}

// inked draws a bar, which may be a one, on the picture.
func inked(on draw.Image) image.Image {
	draw.Draw(on, image.Rect(20, 10, 26, 50), image.Black, image.Point{}, draw.Src)
	return on
}

// A picture of a digit, enlarged, off centre and dark on light, is read about as well as the digit itself.
func TestDigitsFromPictures(t *testing.T) {
	store := withModels(t, "mnist-lab1")
	spec, err := nn.SpecOf("mnist-lab1")
	if err != nil {
		t.Fatal(err)
	}
	net, _, err := store.Network(t.Context(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	const n = 300
	examples, err := store.Test(t.Context(), spec, n, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := quant.Preset(wire.Baseline, len(net.Layers))
	if err != nil {
		t.Fatal(err)
	}
	model, err := quant.Convert(net, plan, nil, quant.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	right := 0
	for i := range n {
		picture := sheet(160, 120)
		digit := &image.Gray{Pix: make([]uint8, 28*28), Stride: 28, Rect: image.Rect(0, 0, 28, 28)}
		for k, p := range examples.Pixels[i*spec.In : (i+1)*spec.In] {
			digit.Pix[k] = 255 - p
		}
		draw.BiLinear.Scale(picture, image.Rect(3, 15, 103, 115), digit, digit.Rect, draw.Src, nil)
		d, err := decodeDigit(bytes.NewReader(encode(t, picture)))
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, spec.In)
		for k, p := range d {
			x[k] = float32(p) / 255
		}
		logits, err := model.Forward(nn.Batch{Rows: 1, Cols: spec.In, Dense: x})
		if err != nil {
			t.Fatal(err)
		}
		if quant.Class(logits) == int(examples.Labels[i]) {
			right++
		}
	}
	t.Logf("%d of %d right", right, n)
	if right < n*93/100 {
		t.Errorf("%d of %d right", right, n)
	}
}

func TestDigitOnTransparentPaper(t *testing.T) {
	on := func(p draw.Image) []byte {
		d, err := decodeDigit(bytes.NewReader(encode(t, inked(p))))
		if err != nil {
			t.Fatal(err)
		}
		return d[:]
	}
	if !slices.Equal(on(image.NewNRGBA(image.Rect(0, 0, 60, 60))), on(sheet(60, 60))) {
		t.Error("black ink on nothing is not read as on white")
	}
}

func TestDecodeDigitRefuses(t *testing.T) {
	whole := encode(t, inked(sheet(60, 60)))
	huge := bytes.Clone(whole)
	binary.BigEndian.PutUint32(huge[16:], 1<<30) // the width in the header
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for _, c := range []struct {
		name string
		file []byte
		say  string
	}{
		{"nothing", nil, "not a PNG"},
		{"text", []byte("seven"), "not a PNG"},
		{"truncated", whole[:len(whole)-30], "damaged"},
		{"huge", huge, "pixels"},
		{"flat", encode(t, sheet(40, 40)), "empty"},
		{"too many bytes", make([]byte, maxPictureBytes+1), "MB"},
	} {
		d, err := decodeDigit(bytes.NewReader(c.file))
		if err == nil || d != nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: error %v does not say %q", c.name, err, c.say)
		}
	}
}

func FuzzDecodeDigit(f *testing.F) {
	whole := encode(f, inked(sheet(60, 60)))
	f.Add(whole)
	f.Add(whole[:50])
	f.Add(encode(f, inked(sheet(28, 28))))
	f.Fuzz(func(t *testing.T, file []byte) {
		if d, err := decodeDigit(bytes.NewReader(file)); (d == nil) == (err == nil) {
			t.Fatalf("digit %v and error %v", d != nil, err)
		}
	})
}
