package dataset

import (
	"fmt"
	"io/fs"
	"strings"
)

type sst2Split struct {
	file  File
	count int
}

// sst2 lists the files as GLUE's SST-2.zip holds them.
var sst2 = map[string]sst2Split{
	Train: {File{"sst2/train.tsv", "SST-2 training phrases", 3806081, "48eac26399f8456935f81dd9e3a745c1430adb6c62e233ccfe22db4a0d15d1d1"}, 67349},
	Dev:   {File{"sst2/dev.tsv", "SST-2 dev sentences", 94931, "54a9c12c77e402fc14d6a66a506f24d999f596b0176eb777c972cccc2f9cc4b0"}, 872},
}

// SST2Files returns the two files that ReadSST2 reads.
func SST2Files() []File { return []File{sst2[Train].file, sst2[Dev].file} }

// ReadSST2 reads a split of SST-2, Train or Dev, from sst2/train.tsv or sst2/dev.tsv in fsys. A missing file is a
// *MissingError; one that isn't exactly GLUE's is an *IntegrityError.
func ReadSST2(fsys fs.FS, split string) (*Sentences, error) {
	s, ok := sst2[split]
	if !ok {
		return nil, fmt.Errorf("SST-2 has no split %q: choose %s or %s", split, Train, Dev)
	}
	data, err := s.file.Read(fsys)
	if err != nil {
		return nil, err
	}
	sentences, err := parseTSV(string(data))
	if err == nil && sentences.Len() != s.count {
		err = fmt.Errorf("holds %d sentences, not %d", sentences.Len(), s.count)
	}
	if err != nil {
		return nil, &IntegrityError{Path: s.file.Name, Problem: err.Error(), Hint: redo}
	}
	return sentences, nil
}

// parseTSV reads GLUE's form of SST-2: a heading, then a line for each sentence, its text and its label with a tab
// between them. White space around a text is dropped. The texts share text's memory.
func parseTSV(text string) (*Sentences, error) {
	const heading = "sentence\tlabel"
	first, rest, _ := strings.Cut(text, "\n")
	if first != heading {
		return nil, fmt.Errorf("is not GLUE's SST-2: its first line is %.40q, not %q", first, heading)
	}
	n := strings.Count(rest, "\n") + 1
	s := &Sentences{Text: make([]string, 0, n), Labels: make([]uint8, 0, n)}
	for number := 2; rest != ""; number++ {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		sentence, label, ok := strings.Cut(line, "\t")
		if !ok || (label != "0" && label != "1") {
			return nil, fmt.Errorf("line %d is not a sentence, a tab and 0 or 1: %.40q", number, line)
		}
		s.Text = append(s.Text, strings.TrimSpace(sentence))
		s.Labels = append(s.Labels, label[0]-'0')
	}
	return s, nil
}
