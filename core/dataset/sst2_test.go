package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// fileOf describes data as a published file.
func fileOf(name string, data []byte) File {
	sum := sha256.Sum256(data)
	return File{Name: name, What: name, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

func TestReadSST2(t *testing.T) {
	fsys := sst2FS(t)
	for split, want := range map[string]struct {
		n, positive int
		first       string
	}{
		Train: {67349, 37569, "hide new secretions from the parental units"},
		Dev:   {872, 444, "it 's a charming and often affecting journey ."},
	} {
		s, err := ReadSST2(fsys, split)
		if err != nil {
			t.Fatal(err)
		}
		positive := 0
		for _, l := range s.Labels {
			positive += int(l)
		}
		if s.Len() != want.n || len(s.Text) != want.n || positive != want.positive || s.Text[0] != want.first {
			t.Errorf("%s: %d sentences, %d positive, first %q", split, s.Len(), positive, s.Text[0])
		}
	}
	if _, err := ReadSST2(fsys, "test"); err == nil || !strings.Contains(err.Error(), `no split "test"`) {
		t.Errorf("split test: %v", err)
	}
}

func TestReadSST2Refuses(t *testing.T) {
	dev, err := fs.ReadFile(sst2FS(t), "sst2/dev.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"truncated": {dev[:len(dev)/2], "sst2/dev.tsv is truncated: 47465 bytes, not 94931: delete it and run quantlab prepare"},
		"CRLF":      {bytes.ReplaceAll(dev, []byte("\n"), []byte("\r\n")), "sst2/dev.tsv is larger than the 94931 bytes"},
		"foreign":   {bytes.Repeat([]byte("x"), len(dev)), "sst2/dev.tsv is not the published file"},
	} {
		_, err := ReadSST2(fstest.MapFS{"sst2/dev.tsv": {Data: test.data}}, Dev)
		var integrity *IntegrityError
		if err == nil || !strings.Contains(err.Error(), test.want) || !errors.As(err, &integrity) {
			t.Errorf("%s: got %T %v, want %q", name, err, err, test.want)
		}
	}
	_, err = ReadSST2(fstest.MapFS{}, Dev)
	var missing *MissingError
	if !errors.As(err, &missing) || missing.Path != "sst2/dev.tsv" {
		t.Errorf("absent: %v", err)
	}
}

func TestParseTSV(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want string // "": good, two sentences
	}{
		"good":            {"sentence\tlabel\na b \t1\n c\t0\n", ""},
		"no last newline": {"sentence\tlabel\na b \t1\n c\t0", ""},
		"empty":           {"", `its first line is ""`},
		"no heading":      {"a b \t1\n", `its first line is "a b \t1"`},
		"blank line":      {"sentence\tlabel\n\n", "line 2 is not"},
		"label 2":         {"sentence\tlabel\na\t1\nb\t2\n", `line 3 is not a sentence, a tab and 0 or 1: "b\t2"`},
		"two tabs":        {"sentence\tlabel\na\tb\t1\n", "line 2 is not"},
		"HTML":            {"<!DOCTYPE html>\n", "is not GLUE's SST-2"},
	} {
		s, err := parseTSV(test.text)
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: got error %v, want %q", name, err, test.want)
			}
			continue
		}
		if err != nil || strings.Join(s.Text, "|") != "a b|c" || !bytes.Equal(s.Labels, []byte{1, 0}) {
			t.Errorf("%s: %v, error %v", name, s, err)
		}
	}
}

func FuzzTSV(f *testing.F) {
	f.Add("sentence\tlabel\na b \t1\n c\t0\n")
	f.Add("sentence\tlabel\n")
	f.Add("sentence\tlabel\n\t1\n\t")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseTSV(text)
		if err != nil {
			return
		}
		if len(s.Text) != len(s.Labels) {
			t.Fatalf("%d texts, %d labels", len(s.Text), len(s.Labels))
		}
		if s.Len() == 0 {
			return
		}
		// What was read makes bags as wide as its own vocabulary, and every word counts.
		v := BuildVocabulary(s, 0)
		e, words := FromSentences(s, v), 0
		for _, text := range s.Text {
			words += len(strings.Fields(text))
		}
		var n float32
		for _, c := range e.Count {
			n += c
		}
		if int(n) != words {
			t.Errorf("bags count %v words of %d", n, words)
		}
	})
}
