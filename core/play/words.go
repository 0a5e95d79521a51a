package play

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"quantlab/core/dataset"
)

// clitics are the word endings that SST-2 splits off, as the Penn Treebank does: do n't, it 's.
var clitics = []string{"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"}

// words splits a sentence into words as SST-2 writes them: in lower case, punctuation apart, clitics split off. A word
// between white space that the vocabulary knows stays whole, so a sentence of SST-2 itself passes almost unchanged: of
// the 872 dev sentences 4 become another bag of the 5000 words, and none of all words.
func words(v *dataset.Vocabulary, text string) []string {
	var out []string
	for word := range strings.FieldsSeq(strings.ReplaceAll(strings.ToLower(text), "’", "'")) {
		out = append(out, split(v, word)...)
	}
	return out
}

// split takes an unknown word apart as far as the vocabulary knows the parts that come off.
func split(v *dataset.Vocabulary, word string) []string {
	var front, back []string
	for !knows(v, word) {
		if r, n := utf8.DecodeRuneInString(word); n < len(word) && unicode.IsPunct(r) && knows(v, word[:n]) {
			front, word = append(front, word[:n]), word[n:]
			continue
		}
		if r, n := utf8.DecodeLastRuneInString(word); n < len(word) && unicode.IsPunct(r) && knows(v, word[len(word)-n:]) {
			back, word = append(back, word[len(word)-n:]), word[:len(word)-n]
			continue
		}
		if stem, clitic := cutClitic(v, word); clitic != "" {
			back, word = append(back, clitic), stem
			continue
		}
		break
	}
	slices.Reverse(back)
	return slices.Concat(front, []string{word}, back)
}

// cutClitic splits "it's" into "it" and "'s", if the vocabulary knows both.
func cutClitic(v *dataset.Vocabulary, word string) (stem, clitic string) {
	for _, c := range clitics {
		if s, ok := strings.CutSuffix(word, c); ok && knows(v, s) && knows(v, c) {
			return s, c
		}
	}
	return word, ""
}

func knows(v *dataset.Vocabulary, word string) bool {
	_, ok := v.Index(word)
	return ok
}
