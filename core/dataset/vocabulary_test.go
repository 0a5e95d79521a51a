package dataset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestVocabularyOfSST2(t *testing.T) {
	train, err := ReadSST2(sst2FS(t), Train)
	if err != nil {
		t.Fatal(err)
	}
	all, most := BuildVocabulary(train, 0), BuildVocabulary(train, 5000)
	if all.Len() != 14816 || most.Len() != 5000 {
		t.Fatalf("%d and %d words, want 14816 and 5000", all.Len(), most.Len())
	}
	if !slices.Equal(all.Words[:5000], most.Words) {
		t.Error("the 5000 words are not the first of all")
	}
	count := map[string]int{}
	for _, text := range train.Text {
		for _, w := range strings.Fields(text) {
			count[w]++
		}
	}
	for i := 1; i < all.Len(); i++ {
		a, b := all.Words[i-1], all.Words[i]
		if count[a] < count[b] || count[a] == count[b] && a >= b {
			t.Fatalf("word %d %q, %d times, stands before %q, %d times", i-1, a, count[a], b, count[b])
		}
	}
	// Every training word has its place, so that no bag of all words loses one.
	e := FromSentences(train, all)
	var n float32
	for _, c := range e.Count {
		n += c
	}
	total := 0
	for _, c := range count {
		total += c
	}
	if int(n) != total || e.Dim != 14816 || e.Len() != 67349 {
		t.Errorf("bags hold %v of %d words, %d wide, %d of them", n, total, e.Dim, e.Len())
	}
}

func TestBuildVocabulary(t *testing.T) {
	train := &Sentences{Text: []string{"b a", "c b\u00a0d", "  Z\tZ b "}, Labels: []uint8{0, 1, 0}}
	for limit, want := range map[int]string{0: "b Z a c d", 2: "b Z", 3: "b Z a", 5: "b Z a c d", 9: "b Z a c d"} {
		v := BuildVocabulary(train, limit)
		if got := strings.Join(v.Words, " "); got != want {
			t.Errorf("limit %d: %q, want %q", limit, got, want)
		}
		for i, w := range v.Words {
			if j, ok := v.Index(w); !ok || int(j) != i {
				t.Errorf("limit %d: word %q has number %d, %v", limit, w, j, ok)
			}
		}
	}
}

func TestBag(t *testing.T) {
	v, err := NewVocabulary([]string{"the", "movie", "good", "."})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                             "[] []",
		"unknown words only":           "[] []",
		"good":                         "[2] [1]",
		" . good  the\tgood movie the": "[0 1 2 3] [2 1 2 1]",
		"The movie, good.":             "[] []", // neither case nor punctuation is touched
	} {
		index, count := v.Bag(text)
		if got := fmt.Sprint(index, count); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	// Appending leaves what is there alone.
	index, count := v.AppendBag([]int32{3, 3}, []float32{1, 1}, "movie the movie")
	if got := fmt.Sprint(index, count); got != "[3 3 0 1] [1 1 1 2]" {
		t.Errorf("appended: %s", got)
	}
}

func TestParseVocabulary(t *testing.T) {
	v := BuildVocabulary(&Sentences{Text: []string{"b a", "c b d"}, Labels: []uint8{0, 1}}, 0)
	back, err := ParseVocabulary(v.String())
	if err != nil || !slices.Equal(back.Words, v.Words) {
		t.Fatalf("%v, error %v", back, err)
	}
	for text, want := range map[string]string{
		"":                                    "no words",
		"\n":                                  "no words",
		"a\n\nb":                              `word 1 of the vocabulary, "", is empty`,
		"a b":                                 "holds white space",
		"a\nb\r\nc":                           "holds white space",
		"a\nb\na":                             `word 2 of the vocabulary, "a", is already word 0`,
		strings.Repeat("a\n", MaxWords) + "b": "262145 words, more than 262144",
	} {
		if _, err := ParseVocabulary(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got error %v, want %q", text, err, want)
		}
	}
}

func FuzzVocabulary(f *testing.F) {
	f.Add("a\nb", "a b a c")
	f.Add("the\n,\n.", "the . the")
	f.Add("x\n", "x")
	f.Fuzz(func(t *testing.T, words, text string) {
		v, err := ParseVocabulary(words)
		if err != nil {
			return
		}
		index, count := v.Bag(text)
		if len(index) != len(count) {
			t.Fatalf("%d words, %d counts", len(index), len(count))
		}
		want := map[int32]float32{}
		for _, w := range strings.Fields(text) {
			if i := slices.Index(v.Words, w); i >= 0 {
				want[int32(i)]++
			}
		}
		for k, i := range index {
			if k > 0 && index[k-1] >= i || count[k] != want[i] {
				t.Fatalf("bag %v %v of %q, want %v", index, count, text, want)
			}
		}
		if len(index) != len(want) {
			t.Fatalf("bag %v of %q, want %v", index, text, want)
		}
	})
}
