package shard

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"quantlab/core/dataset"
)

func images(n, h, w int) *dataset.Images {
	im := &dataset.Images{Height: h, Width: w, Pixels: make([]uint8, n*h*w), Labels: make([]uint8, n)}
	for i := range im.Pixels {
		im.Pixels[i] = uint8(i * 7)
	}
	for i := range im.Labels {
		im.Labels[i] = uint8(i % 10)
	}
	return im
}

func sentences(n int) *dataset.Sentences {
	s := &dataset.Sentences{}
	for i := range n {
		s.Text = append(s.Text, strings.Repeat("mot naïve ", i%4)+"fin")
		s.Labels = append(s.Labels, uint8(i%2))
	}
	return s
}

func must(t testing.TB) func([]byte, error) []byte {
	return func(data []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
}

func TestRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 2, 33} {
		im := images(n, 3, 4)
		got, err := DecodeImages(must(t)(EncodeImages(im, 10)))
		if err != nil || got.Height != 3 || got.Width != 4 || !bytes.Equal(got.Pixels, im.Pixels) || !bytes.Equal(got.Labels, im.Labels) {
			t.Errorf("%d images: %+v, error %v", n, got, err)
		}
		s := sentences(n)
		back, err := DecodeSentences(must(t)(EncodeSentences(s, 2)))
		if err != nil || !slices.Equal(back.Text, s.Text) || !bytes.Equal(back.Labels, s.Labels) {
			t.Errorf("%d sentences: %+v, error %v", n, back, err)
		}
	}
	// The texts may be empty.
	s := &dataset.Sentences{Text: []string{"", ""}, Labels: []uint8{1, 0}}
	if back, err := DecodeSentences(must(t)(EncodeSentences(s, 2))); err != nil || !slices.Equal(back.Text, s.Text) {
		t.Errorf("empty sentences: %+v, error %v", back, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := must(t)(EncodeImages(images(5, 2, 2), 10)) // payload of 25 bytes
	text := must(t)(EncodeSentences(sentences(5), 2))
	set := func(data []byte, at int, b ...byte) []byte {
		data = bytes.Clone(data)
		copy(data[at:], b)
		return data
	}
	// sealed has a payload other than the header's count and shape ask for, and its true checksum.
	sealed := func(h header, payload string) []byte { return must(t)(encode(h, []byte(payload))) }
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"empty":           {nil, "is truncated: 0 bytes are less than a header"},
		"half a header":   {good[:32], "is truncated: 32 bytes are less than a header"},
		"HTML":            {[]byte("<!DOCTYPE html><html>not found</html>"), `is not a shard: it starts with "<!DOCTYPE ht"`},
		"short HTML":      {[]byte("404"), `is not a shard: it starts with "404"`},
		"version 2":       {set(good, 4, 2, 0), "has format version 2: this program reads version 1"},
		"other kind":      {text, "holds sentences, not images"},
		"unknown kind":    {set(good, 6, 9), "sets fields that kind 9 do not use"},
		"reserved byte":   {set(good, 7, 1), "is damaged"},
		"truncated":       {good[:len(good)-1], "is truncated: its payload has 24 of 25 bytes"},
		"trailing":        {append(bytes.Clone(good), 0), "has 1 bytes after its payload"},
		"payload flipped": {set(good, headerSize+3, 99), "is damaged: SHA-256"},
		"sum flipped":     {set(good, 40, 0xAA), "is damaged: SHA-256"},
		"length 2^63":     {set(good, 31, 0x80), "is truncated: its payload has 25 of"},
		"count":           {set(good, 8, 6), "has a payload of 25 bytes, but 6 images of 2 x 2 need 30"},
		"count 2^32-1":    {set(good, 8, 255, 255, 255, 255), "but 4294967295 images"},
		"height 0":        {set(good, 16, 0), "holds images of 0 x 2"},
		"height 2^32-1":   {set(good, 16, 255, 255, 255, 255), "holds images of 4294967295 x 2"},
		"label 10":        {sealed(header{kind: Images, count: 1, classes: 10, height: 1, width: 1}, "\x0a\x00"), "has a label 10 at 0, but only 10 classes"},
		"oversized":       {append(bytes.Clone(good), make([]byte, MaxSize)...), "is larger than the 8388608 bytes"},
	} {
		_, err := DecodeImages(test.data)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %q", name, err, test.want)
		}
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"other kind":    {good, "holds images, not sentences"},
		"no room":       {sealed(header{kind: Sentences, count: 3, classes: 2}, "\x00\x01\x00\n\n"), "payload of 5 bytes, too few for 3 sentences"},
		"count 2^32-1":  {set(text, 8, 255, 255, 255, 255), "too few for 4294967295 sentences"},
		"fewer lines":   {sealed(header{kind: Sentences, count: 2, classes: 2}, "\x00\x01abc\n"), "holds 1 lines of text for 2 sentences"},
		"more lines":    {sealed(header{kind: Sentences, count: 1, classes: 2}, "\x00a\nb\n"), "holds 2 lines of text for 1 sentences"},
		"unended line":  {sealed(header{kind: Sentences, count: 1, classes: 2}, "\x00a\nb"), "holds 1 lines of text for 1 sentences"},
		"text of none":  {sealed(header{kind: Sentences, classes: 2}, "abc"), "holds 0 lines of text for 0 sentences"},
		"invalid UTF-8": {sealed(header{kind: Sentences, count: 1, classes: 2}, "\x00\xff\n"), "not UTF-8"},
		"label 2":       {sealed(header{kind: Sentences, count: 1, classes: 2}, "\x02a\n"), "has a label 2 at 0"},
	} {
		_, err := DecodeSentences(test.data)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("sentences, %s: got error %v, want %q", name, err, test.want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	bad := images(2, 2, 2)
	bad.Pixels = bad.Pixels[1:]
	for name, encode := range map[string]func() ([]byte, error){
		"pixels": func() ([]byte, error) { return EncodeImages(bad, 10) },
		"class":  func() ([]byte, error) { return EncodeImages(images(5, 1, 1), 3) },
		"line feed": func() ([]byte, error) {
			return EncodeSentences(&dataset.Sentences{Text: []string{"a\nb"}, Labels: []uint8{0}}, 2)
		},
		"UTF-8": func() ([]byte, error) {
			return EncodeSentences(&dataset.Sentences{Text: []string{"\xff"}, Labels: []uint8{0}}, 2)
		},
		"label": func() ([]byte, error) {
			return EncodeSentences(&dataset.Sentences{Text: []string{"a"}, Labels: []uint8{2}}, 2)
		},
		"lengths": func() ([]byte, error) { return EncodeSentences(&dataset.Sentences{Labels: []uint8{0}}, 2) },
		"size":    func() ([]byte, error) { return EncodePart(Bytes, make([]byte, MaxPayload+1)) },
		"floats":  func() ([]byte, error) { return EncodePart(Floats, make([]byte, MaxPayload+1)) },
		"kind":    func() ([]byte, error) { return EncodePart(Images, []byte("part")) },
	} {
		if data, err := encode(); err == nil {
			t.Errorf("%s: %d bytes and no error", name, len(data))
		}
	}
	if data, err := EncodePart(Floats, make([]byte, MaxPayload)); err != nil || len(data) != MaxSize {
		t.Errorf("the largest shard: %d bytes, error %v", len(data), err)
	}
}

// FuzzDecode checks that whatever is accepted is what the encoder writes for it.
func FuzzDecode(f *testing.F) {
	f.Add(must(f)(EncodeImages(images(3, 2, 2), 10)))
	f.Add(must(f)(EncodeSentences(sentences(3), 2)))
	f.Add(must(f)(EncodePart(Bytes, []byte("part"))))
	f.Add(must(f)(EncodePart(Floats, []byte("parted"))))
	f.Add([]byte("QLSH"))
	f.Fuzz(func(t *testing.T, data []byte) {
		// The fuzzer can't guess a checksum, so the data also passes with the right one.
		for _, d := range [][]byte{data, seal(data)} {
			if im, err := DecodeImages(d); err == nil {
				if again, err := EncodeImages(im, int(binary.LittleEndian.Uint32(d[12:]))); err != nil || !bytes.Equal(again, d) {
					t.Errorf("images come back different, error %v", err)
				}
			}
			if s, err := DecodeSentences(d); err == nil {
				if again, err := EncodeSentences(s, int(binary.LittleEndian.Uint32(d[12:]))); err != nil || !bytes.Equal(again, d) {
					t.Errorf("sentences come back different, error %v", err)
				}
			}
			for _, kind := range []Kind{Bytes, Floats} {
				if b, err := DecodePart(nil, kind, d); err == nil {
					if again, err := EncodePart(kind, b); err != nil || !bytes.Equal(again, d) {
						t.Errorf("%v come back different, error %v", kind, err)
					}
				}
			}
		}
	})
}

// seal sets the magic, version, length and checksum that data's header should have.
func seal(data []byte) []byte {
	if len(data) < headerSize {
		return nil
	}
	out, err := encode(header{}, data[headerSize:])
	if err != nil {
		return nil
	}
	copy(out[6:24], data[6:24])
	return out
}
