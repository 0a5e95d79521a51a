package modelfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantlab/core/internal/must"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

var small = nn.Spec{ID: "small", In: 7, Hidden: []int{6, 5}, Out: 3}

// random fills the spec's network and makes a batch for it.
func random(spec nn.Spec) (*nn.Network, nn.Batch) {
	r := rand.New(rand.NewPCG(1, 2))
	net := nn.New(spec)
	for _, l := range net.Layers {
		for i := range l.W {
			l.W[i] = float32(r.NormFloat64() * 0.1)
		}
		for i := range l.B {
			l.B[i] = float32(r.NormFloat64() * 0.1)
		}
	}
	x := nn.Batch{Rows: 4, Cols: spec.In, Dense: make([]float32, 4*spec.In)}
	for i := range x.Dense {
		x.Dense[i] = max(0, float32(r.NormFloat64()))
	}
	return net, x
}

// convert calibrates on the batch and converts.
func convert(t testing.TB, net *nn.Network, x nn.Batch, plan quant.Plan) *quant.Model {
	cal := must.Have(quant.Calibrate(t.Context(), net, plan, slices.Values([]nn.Batch{x})))(t)
	m := must.Have(quant.Convert(net, plan, cal, quant.Options{}))(t)
	t.Cleanup(m.Close)
	return m
}

// plans returns plans of every way that a layer is stored in.
func plans(t testing.TB, layers int) map[string]quant.Plan {
	ps := map[string]quant.Plan{}
	for _, v := range []string{"fp32", "dynamic-float16", "dynamic-qint8", "static-qint8"} {
		ps[v] = must.Have(quant.Preset(v, layers))(t)
	}
	affine := quant.Scheme{Mode: quant.Dynamic, Weight: quant.WeightQuantizer{Bits: 4, PerChannel: true}, Activation: quant.ActivationQuantizer{Bits: 8, PerRow: true}}
	ps["affine per channel"] = slices.Repeat(quant.Plan{affine}, layers)
	affine.Weight.PerChannel = false
	ps["affine per tensor"] = slices.Repeat(quant.Plan{affine}, layers)
	few := ps["static-qint8"][0]
	for bits := 2; bits <= 4; bits++ {
		few.Weight.Bits = bits
		ps[fmt.Sprint("static, ", bits, " bits")] = slices.Repeat(quant.Plan{few}, layers)
	}
	mixed := slices.Clone(ps["static-qint8"])
	mixed[0], mixed[1] = affine, ps["dynamic-float16"][0]
	mixed[2].Activation.Observer, mixed[2].Activation.Percentile = quant.Percentile, 99.5
	ps["mixed"] = mixed
	return ps
}

func TestNetworkRoundTrip(t *testing.T) {
	net, x := random(small)
	cal := must.Have(quant.Calibrate(t.Context(), net, must.Have(quant.Preset("static-qint8", 3))(t), slices.Values([]nn.Batch{x})))(t)
	meta := Meta{
		Settings: json.RawMessage(`{"seed":7,"epochs":2}`), Correct: 9, Total: 10, Calibration: cal,
		Vocabulary: strings.Fields(`the "quoted" <tag> naïve \n ' ,`),
	}
	var file bytes.Buffer
	if err := WriteNetwork(&file, net, meta); err != nil {
		t.Fatal(err)
	}
	again := file
	got, gotMeta, err := ReadNetwork(io.MultiReader(&file), small) // not a reader that tells its length
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, net) {
		t.Error("the network that was read differs")
	}
	meta.Model = small.ID
	if !reflect.DeepEqual(gotMeta, meta) {
		t.Errorf("read %+v, wrote %+v", gotMeta, meta)
	}
	var second bytes.Buffer
	if err := WriteNetwork(&second, got, gotMeta); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(second.Bytes(), again.Bytes()) {
		t.Error("written again, the file has other bytes")
	}
	// A static model needs no data once the calibration is in the file.
	if _, err := quant.Quantize(got, must.Have(quant.Preset("static-qint8", 3))(t), gotMeta.Calibration); err != nil {
		t.Error(err)
	}
}

func TestQuantizedRoundTrip(t *testing.T) {
	net, x := random(small)
	for name, plan := range plans(t, 3) {
		t.Run(name, func(t *testing.T) {
			m := convert(t, net, x, plan)
			want := slices.Clone(must.Have(m.Forward(x))(t))
			var file bytes.Buffer
			if err := Write(&file, m, Meta{}); err != nil {
				t.Fatal(err)
			}
			if n := must.Have(Size(m))(t); n != int64(file.Len()) {
				t.Errorf("Size says %d bytes, the file has %d", n, file.Len())
			}
			if n := must.Have(Size(m))(t); name == "fp32" {
				var plain bytes.Buffer
				if err := WriteNetwork(&plain, net, Meta{}); err != nil || int64(plain.Len()) != n {
					t.Errorf("as a network it takes %d bytes, as a model %d (%v)", plain.Len(), n, err)
				}
			}
			data := file.Bytes()
			got, meta, err := Read(bytes.NewReader(data), small, quant.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer got.Close()
			if meta.Model != small.ID || !reflect.DeepEqual(got.Plan(), plan) {
				t.Errorf("read model %q with plan %+v", meta.Model, got.Plan())
			}
			if !reflect.DeepEqual(got.Weights(), m.Weights()) {
				t.Error("the layers that were read differ")
			}
			if !slices.Equal(must.Have(got.Forward(x))(t), want) {
				t.Error("the model that was read predicts otherwise")
			}
			_, _, err = ReadNetwork(bytes.NewReader(data), small)
			if quantized := name != "fp32"; quantized != (err != nil && strings.Contains(err.Error(), "quantized")) {
				t.Errorf("read as a float32 network: %v", err)
			}
		})
	}
}

// TestSizes holds the files to the sizes that parameters alone would take, within 1 per cent.
func TestSizes(t *testing.T) {
	for id, want := range map[string][3]float64{ // MB of float32, float16, int8
		"mnist-lab1": {1.628, 0.815, 0.409},
		"mnist-lab2": {5.882, 2.945, 1.477},
		"sst2-lab2":  {5.649, 2.826, 1.415},
	} {
		spec := must.Have(nn.SpecOf(id))(t)
		net, x := random(spec)
		for variant, k := range map[string]int{"fp32": 0, "dynamic-float16": 1, "dynamic-qint8": 2, "static-qint8": 2} {
			m := convert(t, net, x, must.Have(quant.Preset(variant, len(net.Layers)))(t))
			n := must.Have(Size(m))(t)
			off := float64(n)/1e6/want[k] - 1
			t.Logf("%s %s: %d bytes, %+.2f%%", id, variant, n, 100*off)
			if math.Abs(off) > 0.01 {
				t.Errorf("%s %s takes %d bytes, %.1f%% off %v MB", id, variant, n, 100*off, want[k])
			}
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	net, x := random(small)
	broken, _ := random(small)
	broken.Layers[1].W[3] = float32(math.NaN())
	m := convert(t, net, x, plans(t, 3)["dynamic-qint8"])
	full := fullDisk{}
	words := slices.Repeat([]string{"a"}, 7)
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"NaN":                {WriteNetwork(io.Discard, broken, Meta{}), "NaN"},
		"other model":        {WriteNetwork(io.Discard, net, Meta{Model: "mnist-lab1"}), "mnist-lab1"},
		"too few words":      {WriteNetwork(io.Discard, net, Meta{Vocabulary: words[:6]}), "6 words"},
		"empty word":         {WriteNetwork(io.Discard, net, Meta{Vocabulary: append(words[:6:6], "")}), "can't be stored"},
		"word of two lines":  {WriteNetwork(io.Discard, net, Meta{Vocabulary: append(words[:6:6], "a\nb")}), "can't be stored"},
		"settings not JSON":  {WriteNetwork(io.Discard, net, Meta{Settings: json.RawMessage("{")}), "settings"},
		"full disk":          {WriteNetwork(full, net, Meta{}), "no space"},
		"full disk, convert": {Write(full, m, Meta{}), "no space"},
		"quantized as other": {Write(io.Discard, m, Meta{Model: "mnist-lab1"}), "mnist-lab1"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%s: error %v, expected one with %q", name, c.err, c.says)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// archived writes tensors and metadata as they are.
func archived(t testing.TB, tensors map[string]tensor, info map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := save(&b, tensors, info); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// parts returns a file's contents for a test to change.
func parts(t testing.TB, file []byte) (map[string]tensor, map[string]string) {
	t.Helper()
	a := must.Have(open(bytes.NewReader(file), 1<<20))(t)
	tensors := map[string]tensor{}
	for name, info := range a.tensors {
		raw := a.data[info.DataOffsets[0]:info.DataOffsets[1]]
		var values any
		switch info.DType.Size() {
		case 4:
			values = make([]float32, len(raw)/4)
		case 2:
			values = make([]uint16, len(raw)/2)
		default:
			values = make([]int8, len(raw))
		}
		must.Have(binary.Decode(raw, binary.LittleEndian, values))(t)
		tensors[name] = tensor{info.DType, info.Shape, values}
	}
	return tensors, a.info
}

func TestReadRefuses(t *testing.T) {
	net, x := random(small)
	var plain, static bytes.Buffer
	if err := WriteNetwork(&plain, net, Meta{Correct: 1, Total: 2, Vocabulary: strings.Fields("a b c d e f g")}); err != nil {
		t.Fatal(err)
	}
	if err := Write(&static, convert(t, net, x, plans(t, 3)["static-qint8"]), Meta{}); err != nil {
		t.Fatal(err)
	}
	change := func(file []byte, f func(tensors map[string]tensor, info map[string]string)) []byte {
		tensors, info := parts(t, file)
		f(tensors, info)
		return archived(t, tensors, info)
	}
	replace := func(key, old, new string) []byte {
		return change(static.Bytes(), func(_ map[string]tensor, info map[string]string) {
			if !strings.Contains(info[key], old) {
				t.Fatalf("%s holds no %s: %s", key, old, info[key])
			}
			info[key] = strings.Replace(info[key], old, new, 1)
		})
	}
	_, info := parts(t, static.Bytes())
	lastGrid := info["layers"][strings.LastIndex(info["layers"], `"in":`):] // what enters the last layer
	wrap := `{"x":{"dtype":"U8","shape":[%d],"data_offsets":[0,%[1]d]}}`
	huge := uint64(math.MaxUint64)
	overflow := fmt.Sprintf(wrap, huge-7-uint64(len(fmt.Sprintf(wrap, huge)))+100)
	overflow = string(binary.LittleEndian.AppendUint64(nil, uint64(len(overflow)))) + overflow
	overflow += strings.Repeat("x", max(0, 100-len(overflow)))
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":                 {nil, "ends after 0 bytes"},
		"one byte":              {[]byte{1}, "ends after 1 bytes"},
		"a PNG":                 {[]byte("\x89PNG\r\n\x1a\n0000000000"), "not a model in safetensors"},
		"text":                  {[]byte("epoch,loss\n1,0.5\n"), "not a model in safetensors"},
		"cut in the header":     {plain.Bytes()[:40], "ends within its header"},
		"cut in the tensors":    {plain.Bytes()[:plain.Len()-1], "do not fit together"},
		"longer":                {append(bytes.Clone(plain.Bytes()), 0), "do not fit together"},
		"much longer":           {make([]byte, 8+maxHeader+int(payload(small))+1), "larger than"},
		"offsets that overflow": {[]byte(overflow), "damaged"},
		"no JSON":               {[]byte("\x02\x00\x00\x00\x00\x00\x00\x00[]"), "do not fit together"},
		"no tensors":            {[]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"), "no tensor layers.0.weight"},
		"null":                  {[]byte("\x04\x00\x00\x00\x00\x00\x00\x00null"), "no tensor layers.0.weight"},
		"other tensors":         {archived(t, map[string]tensor{"fc1.weight": newTensor([]float32{1}, 1)}, nil), "no tensor layers.0.weight"},
		"other model":           {change(plain.Bytes(), func(_ map[string]tensor, i map[string]string) { i["model"] = "mnist-lab1" }), `"mnist-lab1"`},
		"newer format":          {change(plain.Bytes(), func(_ map[string]tensor, i map[string]string) { i["format"] = "quantlab 3" }), "update quantlab"},
		"missing bias":          {change(plain.Bytes(), func(ts map[string]tensor, _ map[string]string) { delete(ts, "layers.1.bias") }), "no tensor layers.1.bias"},
		"extra tensor":          {change(plain.Bytes(), func(ts map[string]tensor, _ map[string]string) { ts["x"] = newTensor([]int8{1}, 1) }), `"x"`},
		"other shape": {change(plain.Bytes(), func(ts map[string]tensor, _ map[string]string) {
			ts["layers.0.weight"] = newTensor(net.Layers[0].W, 7, 6)
		}), "expected F32 [6 7]"},
		"other type": {change(plain.Bytes(), func(ts map[string]tensor, _ map[string]string) { ts["layers.2.bias"] = newTensor([]int8{1, 2, 3}, 3) }), "expected F32 [3]"},
		"NaN": {change(plain.Bytes(), func(ts map[string]tensor, _ map[string]string) {
			ts["layers.2.bias"] = newTensor([]float32{0, float32(math.NaN()), 0}, 3)
		}), "holds a parameter that is"},
		"short vocabulary":       {change(plain.Bytes(), func(_ map[string]tensor, i map[string]string) { i["vocabulary"] = "a\nb" }), "2 words"},
		"unreadable training":    {change(plain.Bytes(), func(_ map[string]tensor, i map[string]string) { i["training"] = "{" }), "training record"},
		"impossible accuracy":    {change(plain.Bytes(), func(_ map[string]tensor, i map[string]string) { i["training"] = `{"correct":3,"total":2}` }), "training record"},
		"unreadable calibration": {change(plain.Bytes(), func(_ map[string]tensor, i map[string]string) { i["calibration"] = "[]" }), "calibration"},
		"other calibration":      {change(plain.Bytes(), func(_ map[string]tensor, i map[string]string) { i["calibration"] = `{"boundaries":[{}]}` }), "calibration"},
		"unreadable schemes":     {replace("layers", "[", "{"), "schemes"},
		"too few schemes":        {change(static.Bytes(), func(_ map[string]tensor, i map[string]string) { i["layers"] = "[]" }), "0 layers"},
		"null schemes":           {change(static.Bytes(), func(_ map[string]tensor, i map[string]string) { i["layers"] = "null" }), "0 layers"},
		"unknown mode":           {replace("layers", `"static"`, `"statik"`), "unknown mode"},
		"99 bits":                {replace("layers", `"bits":8`, `"bits":99`), "99 bits"},
		"no grid":                {replace("layers", `"in"`, `"inn"`), "lacks an activation grid"},
		"grid that differs":      {replace("layers", lastGrid, strings.Replace(lastGrid, `"zero":0`, `"zero":1`, 1)), "another activation grid"},
		"grid too large":         {replace("layers", `"max":255`, `"max":256`), "can't be computed with"},
		"negative grid scale":    {replace("layers", `"scale":`, `"scale":-`), "can't be computed with"},
		"scale 0": {change(static.Bytes(), func(ts map[string]tensor, _ map[string]string) {
			ts["layers.2.weight_scale"] = newTensor([]float32{1, 0, 1}, 3)
		}), "weight scale 0"},
	} {
		_, _, err := ReadNetwork(bytes.NewReader(c.file), small)
		m, _, err2 := Read(bytes.NewReader(c.file), small, quant.Options{})
		if m != nil {
			m.Close()
		}
		if err == nil || err2 == nil {
			t.Errorf("%s was read: %v, %v", name, err, err2)
			continue
		}
		if !strings.Contains(err2.Error(), c.says) || strings.ContainsAny(err2.Error(), "\n\r") {
			t.Errorf("%s: %q, expected one sentence with %q", name, err2, c.says)
		}
		says := c.says
		if bytes.Contains(c.file, []byte(`"layers":`)) {
			says = "quantized" // all that ReadNetwork looks at
		}
		if !strings.Contains(err.Error(), says) || strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%s: %q, expected one sentence with %q", name, err, says)
		}
	}
}

func TestReadFails(t *testing.T) {
	_, _, err := ReadNetwork(io.MultiReader(strings.NewReader("abc"), brokenReader{}), small)
	if err == nil || !strings.Contains(err.Error(), "unplugged") {
		t.Errorf("error %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("unplugged") }

func seeds(f *testing.F) {
	net, x := random(small)
	for _, plan := range plans(f, 3) {
		var b bytes.Buffer
		if err := Write(&b, convert(f, net, x, plan), Meta{Correct: 1, Total: 2}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
		f.Add(b.Bytes()[:b.Len()/2])
	}
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
}

func FuzzReadNetwork(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		net, meta, err := ReadNetwork(bytes.NewReader(file), small)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := WriteNetwork(&b, net, meta); err != nil {
			t.Fatalf("read, but can't be written: %v", err)
		}
	})
}

func FuzzRead(f *testing.F) {
	seeds(f)
	_, x := random(small)
	f.Fuzz(func(t *testing.T, file []byte) {
		m, _, err := Read(bytes.NewReader(file), small, quant.Options{})
		if err != nil {
			return
		}
		defer m.Close()
		if _, err := m.Forward(x); err != nil && !strings.Contains(err.Error(), "range") {
			t.Fatal(err)
		}
		if err := Write(io.Discard, m, Meta{}); err != nil {
			t.Fatalf("read, but can't be written: %v", err)
		}
	})
}
