package shard

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

func TestPart(t *testing.T) {
	const text = "0123456789abcdef"
	for n, planes := range map[int]string{
		0: "", 1: "0", 3: "012", 4: "0123", 5: "01234", 7: "0123456", 8: "04152637", 11: "041526378 9a", 13: "048159 26a37bc", 16: "048c159d26ae37bf",
	} {
		planes = strings.ReplaceAll(planes, " ", "")
		for kind, want := range map[Kind]string{Bytes: text[:n], Floats: planes} {
			data := must(t)(EncodePart(kind, []byte(text[:n])))
			if got := string(data[headerSize:]); got != want {
				t.Errorf("%d %v are stored as %q, want %q", n, kind, got, want)
			}
			got, err := DecodePart([]byte("before"), kind, data)
			if err != nil || string(got) != "before"+text[:n] {
				t.Errorf("%d %v come back as %q, error %v", n, kind, got, err)
			}
		}
	}
}

func TestDecodePartRefuses(t *testing.T) {
	floats := must(t)(EncodePart(Floats, []byte("weights")))
	flipped := bytes.Clone(floats)
	flipped[headerSize] ^= 1
	counted := bytes.Clone(floats)
	counted[8] = 1
	for _, test := range []struct {
		kind Kind
		data []byte
		want string
	}{
		{Bytes, floats, "holds floats, not bytes"},
		{Floats, must(t)(EncodeImages(images(1, 1, 1), 10)), "holds images, not floats"},
		{Images, floats, "is no part of a file: it holds images"},
		{Floats, floats[:len(floats)-1], "is truncated: its payload has 6 of 7 bytes"},
		{Floats, flipped, "is damaged: SHA-256"},
		{Floats, counted, "sets fields that floats do not use"},
	} {
		got, err := DecodePart([]byte("before"), test.kind, test.data)
		if err == nil || !strings.Contains(err.Error(), test.want) || string(got) != "before" {
			t.Errorf("%q and error %v, want %q", got, err, test.want)
		}
	}
}

// What planes are for: weights compress better in them.
func TestPlanesCompress(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var weights []byte
	for range 50_000 {
		weights = binary.LittleEndian.AppendUint32(weights, math.Float32bits(float32(0.05*r.NormFloat64())))
	}
	size := func(kind Kind) float64 {
		var out bytes.Buffer
		w := brotli.NewWriterLevel(&out, 5)
		w.Write(must(t)(EncodePart(kind, weights)))
		w.Close()
		return float64(out.Len())
	}
	if planes, whole := size(Floats), size(Bytes); planes > 0.93*whole {
		t.Errorf("in planes %.0f bytes, as they are %.0f", planes, whole)
	}
}
