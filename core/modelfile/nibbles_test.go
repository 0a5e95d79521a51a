package modelfile

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantlab/core/internal/must"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

func TestNibbles(t *testing.T) {
	for _, c := range []struct {
		ints []int8
		row  int
		want []byte
	}{
		{nil, 3, []byte{}},
		{[]int8{-8, 7, 1, -1}, 4, []byte{0x78, 0xF1}},
		{[]int8{-8, 7, 1, -1}, 2, []byte{0x78, 0xF1}},
		{[]int8{1, 2, 3, -4, -5, -6}, 3, []byte{0x21, 0x03, 0xBC, 0x0A}},
		{[]int8{-1, 5}, 1, []byte{0x0F, 0x05}},
	} {
		n := nibbles{c.ints, c.row}
		got := n.pack()
		if !bytes.Equal(got, c.want) || n.bytes() != len(got) {
			t.Errorf("%v in rows of %d: % x, %d bytes; want % x", c.ints, c.row, got, n.bytes(), c.want)
		}
		back := make([]int8, len(c.ints))
		if err := unpack(back, got, c.row); err != nil || !slices.Equal(back, c.ints) {
			t.Errorf("% x: %v, error %v; want %v", got, back, err, c.ints)
		}
	}
	if err := unpack(make([]int8, 3), []byte{0, 0x10}, 3); err == nil {
		t.Error("a half byte of padding that is not 0 was taken")
	}
}

// few returns the network converted to static layers of weights of so many bits.
func few(t *testing.T, spec nn.Spec, bits int) *quant.Model {
	t.Helper()
	net, x := random(spec)
	plan := must.Have(quant.Preset("static-qint8", len(net.Layers)))(t)
	for i := range plan {
		plan[i].Weight.Bits = bits
	}
	return convert(t, net, x, plan)
}

// A file of 4-bit weights is half as large as one of 8-bit weights, and has a byte for every two of them.
func TestFewBitsAreSmall(t *testing.T) {
	spec := must.Have(nn.SpecOf("mnist-lab2"))(t)
	sizes := map[int]int64{}
	for bits := 2; bits <= 8; bits++ {
		m := few(t, spec, bits)
		sizes[bits] = must.Have(Size(m))(t)
		layers := int64(0)
		for i := range m.Weights() {
			layers += LayerBytes(&m.Weights()[i])
		}
		if header := sizes[bits] - layers; header < 0 || header > 3000 {
			t.Errorf("%d bits: the layers take %d bytes, the file %d", bits, layers, sizes[bits])
		}
	}
	weights := int64(400*1024 + 1024*1024 + 1024*10)
	if d := sizes[8] - sizes[4] - weights/2; d < -100 || d > 100 {
		t.Errorf("4 bits save %d bytes, want about %d", sizes[8]-sizes[4], weights/2)
	}
	if sizes[2] > sizes[4] || sizes[4]-sizes[2] > 100 || sizes[5] != sizes[8] {
		t.Errorf("sizes by bits: %v", sizes)
	}
}

// Format 1 stored weights of few bits as it did others. Such a file gives the same model.
func TestReadsFormat1(t *testing.T) {
	m := few(t, small, 3)
	var file bytes.Buffer
	if err := Write(&file, m, Meta{}); err != nil {
		t.Fatal(err)
	}
	tensors, info := parts(t, file.Bytes())
	if info[keyFormat] != formatPacked {
		t.Errorf("the file says it is of format %q", info[keyFormat])
	}
	for i, l := range m.Weights() {
		tensors[weightOf(i)] = newTensor(l.I8, l.Out, l.In)
	}
	info[keyFormat] = format
	old := archived(t, tensors, info)
	got, _, err := Read(bytes.NewReader(old), small, quant.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if !reflect.DeepEqual(got.Weights(), m.Weights()) {
		t.Error("the layers that were read differ")
	}
}

func TestReadRefusesNibbles(t *testing.T) {
	var file bytes.Buffer
	if err := Write(&file, few(t, small, 3), Meta{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(weights []int8) tensor
		says   string
	}{
		"padding":       {func(w []int8) tensor { w[3] = 0x10; return newTensor(bytesOf(w), 6, 4) }, "fills up"},
		"beyond 3 bits": {func(w []int8) tensor { w[0] = 0x05; return newTensor(bytesOf(w), 6, 4) }, "weight 5 is not between -4 and 3"},
		"a row short":   {func(w []int8) tensor { return newTensor(bytesOf(w[4:]), 5, 4) }, "expected U8 [6 4]"},
		"halves":        {func([]int8) tensor { return newTensor(make([]uint16, 12), 6, 2) }, "expected U8 [6 4]"},
	} {
		tensors, info := parts(t, file.Bytes())
		tensors[weightOf(0)] = c.change(tensors[weightOf(0)].values.([]int8))
		if _, _, err := Read(bytes.NewReader(archived(t, tensors, info)), small, quant.Options{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.says)
		}
	}
}

func bytesOf(ints []int8) []uint8 {
	out := make([]uint8, len(ints))
	for i, v := range ints {
		out[i] = uint8(v)
	}
	return out
}

func FuzzNibbles(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(5))
	f.Fuzz(func(t *testing.T, seed uint64, rows, row uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := nibbles{make([]int8, int(rows)*(int(row)+1)), int(row) + 1}
		for i := range n.ints {
			n.ints[i] = int8(r.IntN(16)) - 8
		}
		back := make([]int8, len(n.ints))
		if err := unpack(back, n.pack(), n.row); err != nil || !slices.Equal(back, n.ints) {
			t.Fatalf("%d rows of %d come back otherwise: %v", rows, n.row, err)
		}
	})
}
