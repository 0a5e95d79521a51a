package play

import (
	"slices"
	"strings"
	"testing"

	"quantlab/core/dataset"
)

func TestWords(t *testing.T) {
	v, err := dataset.NewVocabulary(strings.Fields(`it do n't 's a film mess . , ! " good- good u.s. '`))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"it 's a mess .": "it 's a mess .", // as SST-2 writes it
		"It's a MESS.":   "it 's a mess .",
		"It’s a mess":    "it 's a mess",
		"don't":          "do n't",
		`"A film," it!!`: `" a film , " it ! !`,
		"good-":          "good-", // known as it is
		"u.s.":           "u.s.",
		"isn't (odd)":    "isn't (odd)", // unknown parts stay together
		"schlubby.":      "schlubby .",
		"...":            ". . .",
		"  \t ":          "",
		"'":              "'",
		"a\xff.":         "a\ufffd .",
	} {
		want := strings.Fields(want)
		if got := words(v, text); !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	v, err := dataset.NewVocabulary([]string{"it", "'s", "n't", ".", "'", "…"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("It's … \xe2\x80")
	f.Fuzz(func(t *testing.T, text string) {
		for _, w := range words(v, text) {
			if w == "" || len(strings.Fields(w)) != 1 {
				t.Fatalf("%q gives the word %q", text, w)
			}
		}
	})
}
