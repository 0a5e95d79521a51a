package custom

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"quantlab/core/lab/wire"
)

// A reader carries one Read.
type reader struct {
	ctx      context.Context
	progress func(step string, fraction float64)
	room     int64 // bytes that may still be unpacked
	format   string
	notes    []string
}

// An entry is a file that may hold examples: one that was given, or one in an archive.
type entry struct {
	name string
	open func(limit int64) ([]byte, error) // at most so many bytes and one more
}

// note tells the reader of the set something about it.
func (r *reader) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// read finds the form of the files, and reads them.
func (r *reader) read(files []File) (*Set, error) {
	r.room = wire.MaxFile
	entries, err := r.entries(files)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, ErrForeign
	}
	kinds, err := r.sort(entries)
	if err != nil {
		return nil, err
	}
	for _, form := range []struct {
		kind kind
		read func([]entry) (*Set, error)
	}{{pictures, r.pictures}, {arrays, r.arrays}, {tables, r.tables}} {
		if of := kinds[form.kind]; len(of) > 0 {
			r.ignored(len(entries) - len(of))
			return form.read(of)
		}
	}
	return nil, ErrForeign
}

// ignored notes how many files were left aside.
func (r *reader) ignored(n int) {
	if n > 0 {
		r.note("%s of another kind %s ignored", count(n, "file"), was(n))
	}
}

// entries lists the files, or what lies in the one archive, in the order of their names.
func (r *reader) entries(files []File) ([]entry, error) {
	var entries []entry
	var err error
	if len(files) == 1 && isZip(files[0].Data) {
		if entries, err = r.unzip(files[0]); err != nil {
			return nil, fmt.Errorf("%s: %w", shown(path.Base(files[0].Name)), err)
		}
	} else {
		for _, f := range files {
			entries = append(entries, entry{f.Name, func(int64) ([]byte, error) { return f.Data, nil }})
		}
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return hidden(e.name) })
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return entries, nil
}

// shown is a file's name as a sentence can hold it: its first letters, on one line.
func shown(name string) string {
	return fmt.Sprintf("%.80s", strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return unicode.ReplacementChar
		}
		return c
	}, name))
}

// hidden reports whether a file is what operating systems leave in folders: .DS_Store, __MACOSX/3/._a.png, Thumbs.db.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || part == "__MACOSX" || part == "Thumbs.db" || part == "desktop.ini" {
			return true
		}
	}
	return false
}

// A kind is what a file holds.
type kind int

const (
	others   kind = iota
	pictures      // a PNG image
	arrays        // one file of an IDX pair
	tables        // lines of sentences and labels
)

// sort tells the entries apart by how they start, and tables by their names. A file that was given alone may be a table whatever
// its name is.
func (r *reader) sort(entries []entry) (map[kind][]entry, error) {
	kinds := map[kind][]entry{}
	for i, e := range entries {
		if err := r.look(i, len(entries), "looking at the files"); err != nil {
			return nil, err
		}
		start, err := r.peek(e)
		if err != nil {
			return nil, err
		}
		k := kindOf(start)
		if k == others && (isTable(e.name) || len(entries) == 1 && isText(start)) {
			k = tables
		}
		kinds[k] = append(kinds[k], e)
	}
	return kinds, nil
}

// lookEvery is after how many files progress is told.
const lookEvery = 64

// look tells progress now and then, and returns the context's error.
func (r *reader) look(done, total int, step string) error {
	if done%lookEvery == 0 {
		r.progress(step, float64(done)/float64(total))
	}
	return r.ctx.Err()
}

// parts of the names of folders and files that say which part of a data set they hold.
var (
	trainParts = []string{"train", "training"}
	testParts  = []string{"test", "testing", "t10k", "dev", "val", "valid", "validation", "eval"}
)

// splitOf returns which part of a data set a name speaks of: "train", "test" or "".
func splitOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') })
	switch {
	case slices.ContainsFunc(words, func(w string) bool { return slices.Contains(testParts, w) }):
		return "test"
	case slices.ContainsFunc(words, func(w string) bool { return slices.Contains(trainParts, w) }):
		return "train"
	}
	return ""
}

// oneSplit returns those of the entries that belong to the test part, where there are a test and a training part: accuracy must not
// be measured on what a model was trained with. where tells what of an entry's name to look at.
func (r *reader) oneSplit(entries []entry, where func(name string) string) []entry {
	parts := map[string][]entry{}
	for _, e := range entries {
		s := splitOf(where(e.name))
		parts[s] = append(parts[s], e)
	}
	test, training := parts["test"], parts["train"]
	if len(test) == 0 || len(training) == 0 {
		return entries
	}
	r.note("the test part was taken, %s; to use the training part, bring it alone", count(len(test), "file"))
	return test
}

// count says how many: "1 file", "12 files".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// was is the verb after count.
func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
