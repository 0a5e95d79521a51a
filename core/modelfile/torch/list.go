package torch

import (
	"fmt"
	"unicode/utf8"

	"github.com/nlpodyssey/gopickle/types"
)

// words returns the words of a vocabulary, by their numbers.
func words(v any) ([]string, error) {
	switch list := v.(type) {
	case *types.List:
		return listed(*list)
	case *types.Tuple:
		return listed(*list)
	case *types.Dict:
		pairs := make([][2]any, 0, list.Len())
		for _, e := range *list {
			pairs = append(pairs, [2]any{e.Key, e.Value})
		}
		return numbered(pairs)
	case *types.OrderedDict:
		pairs := make([][2]any, 0, list.Len())
		for e := list.List.Front(); e != nil; e = e.Next() {
			entry := e.Value.(*types.OrderedDictEntry)
			pairs = append(pairs, [2]any{entry.Key, entry.Value})
		}
		return numbered(pairs)
	case *object:
		return nil, fmt.Errorf("the vocabulary is a whole object of the class %s, which only Python knows: pickle the list of its words instead, as vocabulary.get_itos() of torchtext gives it", list.class)
	}
	return nil, fmt.Errorf("the file holds no vocabulary: pickle a list of words, or a dict of words and their numbers")
}

func listed(list []any) ([]string, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("the vocabulary is empty: pickle a list of words")
	}
	out := make([]string, len(list))
	for i, e := range list {
		var err error
		if out[i], err = word(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func word(v any) (string, error) {
	w, ok := v.(string)
	if !ok || !utf8.ValidString(w) {
		return "", fmt.Errorf("the vocabulary holds something that is not a word: pickle a list of words, or a dict of words and their numbers")
	}
	return w, nil
}

// numbered returns the words of pairs of a word and its number, or of a number and its word.
func numbered(pairs [][2]any) ([]string, error) {
	if len(pairs) == 0 {
		return nil, fmt.Errorf("the vocabulary is empty: pickle a dict of words and their numbers")
	}
	out, seen := make([]string, len(pairs)), make([]bool, len(pairs))
	for _, p := range pairs {
		n, isNumber := p[1].(int)
		text := p[0]
		if !isNumber {
			n, isNumber = p[0].(int)
			text = p[1]
		}
		if !isNumber {
			return nil, fmt.Errorf("the vocabulary maps something else than words to numbers: pickle a list of words, or a dict of words and their numbers")
		}
		w, err := word(text)
		if err != nil {
			return nil, err
		}
		if n < 0 || n >= len(pairs) || seen[n] {
			return nil, fmt.Errorf("the %d words of the vocabulary are not numbered 0 to %d, each once (%.40q has %d): pickle them so", len(pairs), len(pairs)-1, w, n)
		}
		out[n], seen[n] = w, true
	}
	return out, nil
}
