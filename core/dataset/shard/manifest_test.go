package shard

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"quantlab/core/nn"
)

// aManifest is as small as one can be that lists everything.
const aManifest = `{"version":1,"sets":[{"data":"mnist","split":"test","examples":2,"shards":[{"name":"a.qlsh","kind":"images","examples":2,"bytes":100}]}],
		"models":[{"id":"mnist-lab1","bytes":36,"shards":[{"name":"b.qlsh","kind":"floats","bytes":100}]}],
		"vocabulary":{"bytes":36,"shards":[{"name":"c.qlsh","kind":"bytes","bytes":100}]}}`

func TestParseManifest(t *testing.T) {
	if _, err := ParseManifest([]byte(aManifest)); err != nil {
		t.Fatal(err)
	}
	// A manifest from before floats is read, too: a browser may have kept one.
	if _, err := ParseManifest([]byte(strings.Replace(aManifest, "floats", "bytes", 1))); err != nil {
		t.Error(err)
	}
	for _, test := range [][3]string{
		{`"mnist","split"`, `"cifar","split"`, "there is no such set"},
		{`"split":"test"`, `"split":"dev"`, "there is no such set"},
		{`"examples":2,"shards"`, `"examples":3,"shards"`, "its shards hold 2 examples, not 3"},
		{`"examples":2,"bytes"`, `"examples":-2,"bytes"`, "can't hold -2 examples"},
		{`a.qlsh`, `../a.qlsh`, `"../a.qlsh" can't be the name`},
		{`a.qlsh`, `.`, `"." can't be the name`},
		{`a.qlsh`, `a?b`, `"a?b" can't be the name`},
		{`a.qlsh`, ``, `"" can't be the name`},
		{`"kind":"images"`, `"kind":"bytes"`, "shard a.qlsh holds bytes, which have no place there"},
		{`"kind":"floats"`, `"kind":"images"`, "shard b.qlsh holds images, which have no place there"},
		{`"kind":"images"`, `"kind":"tar"`, `not "tar"`},
		{`"examples":2,"bytes":100`, `"examples":2,"bytes":9000000`, "can't have 9000000 bytes"},
		{`"examples":2,"bytes":100`, `"examples":2,"bytes":-1`, "can't have -1 bytes"},
		{`mnist-lab1`, `mnist-lab9`, `unknown model "mnist-lab9"`},
		{`"bytes":36`, `"bytes":9223372036854775807`, "its shards hold 36 bytes, not 9223372036854775807"},
		{`"vocabulary":{"bytes":36`, `"vocabulary":{"bytes":37`, "lists a bad vocabulary: its shards hold 36 bytes, not 37"},
		{`[{"name":"a.qlsh","kind":"images","examples":2,"bytes":100}]`, `[]`, "its shards hold 0 examples"},
		{`[{"name":"c.qlsh","kind":"bytes","bytes":100}]`, `[]`, "lists a bad vocabulary: it has no shards"},
	} {
		bad := strings.Replace(aManifest, test[0], test[1], 1)
		if _, err := ParseManifest([]byte(bad)); err == nil || !strings.Contains(err.Error(), test[2]) {
			t.Errorf("%s: got error %v, want %q", test[1], err, test[2])
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(aManifest))
	f.Add([]byte(`{"version":1,"sets":[{"data":"sst2","split":"test","examples":1,"shards":[{"name":"a","kind":"sentences","examples":1,"bytes":100}]}],"vocabulary":{"bytes":36,"shards":[{"name":"c","kind":"bytes","bytes":100}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		// What is listed can be held, and no name leaves the site's directory.
		for _, s := range m.Sets {
			for _, e := range s.Shards {
				if e.Bytes > MaxSize || !fs.ValidPath(e.Name) || strings.Contains(e.Name, "/") {
					t.Errorf("%+v", e)
				}
			}
		}
		for _, model := range m.Models {
			if model.Bytes > maxFile || model.Bytes < 0 {
				t.Errorf("%d bytes", model.Bytes)
			}
		}
		r := NewReader(FS{fstest.MapFS{ManifestName: {Data: data}}})
		for _, spec := range nn.Specs() {
			_, _ = r.Examples(t.Context(), spec, Test, 0, nil)
			_, _, _ = r.Model(t.Context(), spec, nil)
		}
	})
}
