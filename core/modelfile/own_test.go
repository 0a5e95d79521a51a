package modelfile

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"quantlab/core/nn"
)

// ownFile returns the file of a small model of the reader's own, told of by own, or by its spec where that is "".
func ownFile(t testing.TB, spec nn.Spec, own string) ([]byte, *nn.Network) {
	t.Helper()
	if own == "" {
		text, err := json.Marshal(struct {
			Spec  nn.Spec  `json:"spec"`
			Notes []string `json:"notes"`
		}{spec, []string{"a note"}})
		if err != nil {
			t.Fatal(err)
		}
		own = string(text)
	}
	net := nn.New(spec)
	for _, l := range net.Layers {
		for i := range l.W {
			l.W[i] = float32(i%5) - 2
		}
	}
	var file bytes.Buffer
	if err := WriteNetwork(&file, net, Meta{Own: json.RawMessage(own)}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), net
}

var mine = nn.Spec{ID: "mine", Title: "mine", Data: nn.MNIST, Crop: 4, In: 16, Hidden: []int{3}, Out: 1, Own: true, Scaling: nn.Scaling{Mean: 0.5, Std: 0.5}}

func TestReadOwn(t *testing.T) {
	file, net := ownFile(t, mine, "")
	got, meta, err := ReadOwn(bytes.NewReader(file), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, net) || !bytes.Contains(meta.Own, []byte("a note")) {
		t.Errorf("came back as %+v, %+v", got, meta)
	}
	if _, _, err := ReadOwn(bytes.NewReader(file), 100); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("beyond the limit: error %v", err)
	}
	if err := WriteNetwork(&bytes.Buffer{}, net, Meta{Own: json.RawMessage("{")}); err == nil {
		t.Error("what is no JSON was stored")
	}
}

func TestReadOwnRefuses(t *testing.T) {
	spec := func(change func(*nn.Spec)) string {
		s := mine
		change(&s)
		text, err := json.Marshal(map[string]any{"spec": s})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, c := range map[string]struct{ own, says string }{
		"no spec":      {`{}`, "can't be a name"},
		"a list":       {`[1]`, "unreadable"},
		"the lab's":    {spec(func(s *nn.Spec) { s.ID = "mnist-lab1" }), "lab's models"},
		"not own":      {spec(func(s *nn.Spec) { s.Own = false }), "no model of the reader's own"},
		"another name": {spec(func(s *nn.Spec) { s.ID = "other" }), "it holds the model"},
		"wider":        {spec(func(s *nn.Spec) { s.Hidden = []int{4} }), "its tensors take"},
		"narrower":     {spec(func(s *nn.Spec) { s.Hidden = []int{2} }), "expected F32"},
		"10 GB":        {spec(func(s *nn.Spec) { s.Hidden = []int{1 << 18, 1 << 18} }), "parameters"},
		"128 MB":       {spec(func(s *nn.Spec) { s.Hidden = []int{5000, 5000} }), "its tensors take"},
		"below 0":      {spec(func(s *nn.Spec) { s.Hidden = []int{-3} }), "width -3"},
	} {
		file, _ := ownFile(t, mine, c.own)
		if _, _, err := ReadOwn(bytes.NewReader(file), 1<<20); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", name, err, c.says)
		}
	}
	net := nn.New(mine)
	var plain bytes.Buffer
	if err := WriteNetwork(&plain, net, Meta{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadOwn(&plain, 1<<20); err == nil || !strings.Contains(err.Error(), "does not tell") {
		t.Errorf("without a spec: error %v", err)
	}
}

func FuzzReadOwn(f *testing.F) {
	file, _ := ownFile(f, mine, "")
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		net, _, err := ReadOwn(bytes.NewReader(data), 1<<20)
		if err == nil {
			if err := net.Validate(); err != nil {
				t.Error(err)
			}
			if err := net.Spec.Validate(); err != nil {
				t.Error(err)
			}
		}
		if c, err := ReadTensors(data); err == nil {
			for i := range c.Tensors {
				c.Tensors[i].Float32() // must not panic
			}
		}
	})
}
