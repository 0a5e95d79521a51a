package exchange

import (
	"bytes"
	encoding "encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"quantlab/core/dataset"
	"quantlab/core/modelfile/torch"
)

// maxWords bounds the bytes of a vocabulary: it is kept in the header of a file.
const maxWords = 4 << 20

// readWords reads a vocabulary: JSON, a list of words or what maps words to their numbers; text, a word a line; or a pickled list.
func readWords(f File) ([]string, error) {
	words, err := wordsOf(f)
	if err == nil {
		words, err = cleanWords(words)
	}
	if err != nil {
		return nil, fmt.Errorf("the vocabulary %s can't be taken: %w", path.Base(f.Name), err)
	}
	return words, nil
}

func wordsOf(f File) ([]string, error) {
	if len(f.Data) > 8*maxWords {
		return nil, fmt.Errorf("it takes %d MB: give at most %d MB", len(f.Data)>>20, 8*maxWords>>20)
	}
	k, _ := kindOf(f)
	switch k {
	case checkpoint, pickled:
		return torch.ReadList(f.Data)
	case json:
		return jsonWords(bytes.TrimPrefix(f.Data, []byte("\ufeff")))
	}
	text := strings.TrimPrefix(string(f.Data), "\ufeff")
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	// A column of numbers beside the words tells their order.
	if numbered, ok := numberedLines(lines); ok {
		return byNumber(numbered)
	}
	return lines, nil
}

// jsonWords reads a list of words, or what maps words to numbers.
func jsonWords(data []byte) ([]string, error) {
	var list []string
	if err := encoding.Unmarshal(data, &list); err == nil {
		return list, nil
	}
	var numbers map[string]int
	if err := encoding.Unmarshal(data, &numbers); err == nil {
		return byNumber(numbers)
	}
	var words map[int]string
	if err := encoding.Unmarshal(data, &words); err == nil {
		inverse := make(map[string]int, len(words))
		for i, w := range words {
			if _, twice := inverse[w]; twice {
				return nil, fmt.Errorf("the word %.40q comes twice", w)
			}
			inverse[w] = i
		}
		return byNumber(inverse)
	}
	return nil, errors.New("as JSON it must be a list of words, or an object that gives each word its number")
}

// byNumber lists words by their numbers, which are 0, 1, 2, … or begin with 1.
func byNumber(numbers map[string]int) ([]string, error) {
	words := make([]string, len(numbers))
	taken := make([]bool, len(numbers))
	first := 0
	for _, n := range numbers {
		if n == len(numbers) {
			first = 1
		}
	}
	for w, n := range numbers {
		i := n - first
		if i < 0 || i >= len(words) {
			return nil, fmt.Errorf("the word %.40q has the number %d, but there are %d words: number them from 0", w, n, len(words))
		}
		if taken[i] {
			return nil, fmt.Errorf("the number %d is of two words, %.40q and %.40q: number them from 0, each once", n, words[i], w)
		}
		words[i], taken[i] = w, true
	}
	return words, nil
}

// numberedLines reads lines of a word and its number, with a tab or a comma between them. ok reports whether all lines are so.
func numberedLines(lines []string) (map[string]int, bool) {
	numbers := make(map[string]int, len(lines))
	for _, line := range lines {
		i := strings.LastIndexAny(line, "\t,")
		if i <= 0 {
			return nil, false
		}
		var n int
		if _, err := fmt.Sscanf(line[i+1:], "%d", &n); err != nil || fmt.Sprint(n) != line[i+1:] {
			return nil, false
		}
		if _, twice := numbers[line[:i]]; twice {
			return nil, false
		}
		numbers[line[:i]] = n
	}
	return numbers, true
}

// cleanWords refuses what no vocabulary can be.
func cleanWords(words []string) ([]string, error) {
	if _, err := dataset.NewVocabulary(words); err != nil {
		if at := slices.IndexFunc(words, func(w string) bool { return strings.IndexFunc(w, unicode.IsSpace) >= 0 }); at >= 0 {
			return nil, fmt.Errorf("%w; quantlab splits sentences at white space, so such a word never occurs", err)
		}
		return nil, err
	}
	size := 0
	for _, w := range words {
		size += len(w) + 1
	}
	if size > maxWords {
		return nil, fmt.Errorf("its words take %d bytes: at most %d can be kept", size, maxWords)
	}
	return words, nil
}
