package dataset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// MaxWords bounds a vocabulary that is read from a file.
const MaxWords = 1 << 18

// A Vocabulary numbers the words that a sentence model knows.
type Vocabulary struct {
	Words []string // word i is feature i of a bag
	index map[string]int32
}

// BuildVocabulary counts the words of the training sentences, split on white space, and keeps the limit most frequent
// ones, or all of them if limit is 0: most frequent first, ties in alphabetical (byte) order.
func BuildVocabulary(train *Sentences, limit int) *Vocabulary {
	count := map[string]int{}
	for _, text := range train.Text {
		for word := range strings.FieldsSeq(text) {
			count[word]++
		}
	}
	words := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), strings.Compare(a, b))
	})
	if limit > 0 && limit < len(words) {
		words = slices.Clone(words[:limit])
	}
	return number(words)
}

// number makes a vocabulary of different words.
func number(words []string) *Vocabulary {
	v := &Vocabulary{Words: words, index: make(map[string]int32, len(words))}
	for i, w := range words {
		v.index[w] = int32(i)
	}
	return v
}

// NewVocabulary numbers words in the order given. A word that is empty, holds white space or comes twice is an error.
func NewVocabulary(words []string) (*Vocabulary, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("the vocabulary has no words")
	}
	if len(words) > MaxWords {
		return nil, fmt.Errorf("the vocabulary has %d words, more than %d", len(words), MaxWords)
	}
	v := &Vocabulary{Words: words, index: make(map[string]int32, len(words))}
	for i, w := range words {
		if w == "" || strings.IndexFunc(w, unicode.IsSpace) >= 0 {
			return nil, fmt.Errorf("word %d of the vocabulary, %.40q, is empty or holds white space", i, w)
		}
		if j, ok := v.index[w]; ok {
			return nil, fmt.Errorf("word %d of the vocabulary, %.40q, is already word %d", i, w, j)
		}
		v.index[w] = int32(i)
	}
	return v, nil
}

// ParseVocabulary reads what String wrote: one word a line.
func ParseVocabulary(text string) (*Vocabulary, error) {
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return NewVocabulary(nil)
	}
	if n := strings.Count(text, "\n") + 1; n > MaxWords {
		return nil, fmt.Errorf("the vocabulary has %d words, more than %d", n, MaxWords)
	}
	return NewVocabulary(strings.Split(text, "\n"))
}

// String returns the words, one a line.
func (v *Vocabulary) String() string { return strings.Join(v.Words, "\n") }

// Len returns how many words there are: the width of a bag.
func (v *Vocabulary) Len() int { return len(v.Words) }

// Head returns the vocabulary of the first n words, or v itself if there are no more.
func (v *Vocabulary) Head(n int) *Vocabulary {
	if n >= v.Len() {
		return v
	}
	return number(v.Words[:n:n])
}

// Index returns the word's number, and whether the vocabulary holds it.
func (v *Vocabulary) Index(word string) (int32, bool) {
	i, ok := v.index[word]
	return i, ok
}

// Bag counts text's words: the numbers of those that occur, ascending, and how often each does. Words that the vocabulary
// doesn't hold are dropped; the order of words is lost.
func (v *Vocabulary) Bag(text string) (index []int32, count []float32) {
	return v.AppendBag(nil, nil, text)
}

// AppendBag appends text's Bag to index and count, and returns both.
func (v *Vocabulary) AppendBag(index []int32, count []float32, text string) ([]int32, []float32) {
	from := len(index)
	for word := range strings.FieldsSeq(text) {
		if i, ok := v.index[word]; ok {
			index = append(index, i)
		}
	}
	bag := index[from:]
	slices.Sort(bag)
	// Equal neighbours become one entry; writing never overtakes reading.
	n := 0
	for i := 0; i < len(bag); n++ {
		word, first := bag[i], i
		for i < len(bag) && bag[i] == word {
			i++
		}
		bag[n] = word
		count = append(count, float32(i-first))
	}
	return index[:from+n], count
}
