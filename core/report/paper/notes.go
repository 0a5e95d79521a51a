package paper

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Bounds of a reader's own words, in bytes and drafts.
const (
	maxNotes  = 1 << 20
	maxDrafts = 1000
)

// AuthorID is the ID of the words that replace no draft: what a file of notes says before its first heading.
const AuthorID = "author"

// heading is a second-level heading of Markdown.
var heading = regexp.MustCompile(`^ {0,3}##[ \t]+(.*?)[ \t]*#*[ \t]*$`)

// ParseNotes reads a reader's own words: Markdown whose second-level headings name drafts by their IDs, in capitals or not. What
// stands below a heading replaces that draft; what stands above the first one goes to a section of its own, under AuthorID. A
// heading with nothing below it leaves its draft alone. The words are text: paragraphs parted by empty lines, markup shown as it
// is typed. The file is UTF-8 of at most a megabyte.
//
// The notices tell of words that nothing can come of, as far as the file alone shows it; Paper.Unknown tells of IDs that no draft
// has.
func ParseNotes(r io.Reader) (map[string]string, []string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxNotes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the notes: %w", err)
	}
	if len(data) > maxNotes {
		return nil, nil, fmt.Errorf("the notes are larger than %d MB, more than a report holds: shorten them", maxNotes>>20)
	}
	if !utf8.Valid(data) {
		return nil, nil, fmt.Errorf("the notes are no text in UTF-8: save them as UTF-8")
	}
	n := notes{words: map[string]string{}, id: AuthorID}
	text := strings.TrimPrefix(clean(string(data)), templateHelp)
	for l := range strings.SplitSeq(text, "\n") {
		if err := n.line(l); err != nil {
			return nil, nil, err
		}
	}
	n.end()
	return n.words, n.notices, nil
}

// A notes reads line by line.
type notes struct {
	words    map[string]string
	notices  []string
	id       string   // of the draft whose words are being read
	text     []string // its lines so far
	headings int
}

func (n *notes) line(text string) error {
	m := heading.FindStringSubmatch(text)
	if m == nil {
		n.text = append(n.text, text)
		return nil
	}
	if n.headings++; n.headings > maxDrafts {
		return fmt.Errorf("the notes have more than %d headings, far more than there are drafts", maxDrafts)
	}
	n.end()
	n.id = strings.ToLower(line(strings.Trim(m[1], "`")))
	return nil
}

// end keeps the words that have been read.
func (n *notes) end() {
	text := tidyParagraphs(strings.Join(n.text, "\n"))
	n.text = nil
	if text == "" || n.id == "" {
		if text != "" {
			n.notices = append(n.notices, "the notes have words below a heading without a name: they are left out")
		}
		return
	}
	if _, twice := n.words[n.id]; twice {
		n.notices = append(n.notices, fmt.Sprintf("the notes name %s twice: both texts are used, one after the other", shorten(n.id)))
		text = n.words[n.id] + "\n\n" + text
	}
	n.words[n.id] = text
}

// tidyParagraphs is text whose paragraphs are parted by one empty line each, without spaces around.
func tidyParagraphs(text string) string {
	return strings.Join(Paragraphs(text), "\n\n")
}

// Paragraphs parts text at its empty lines; each paragraph is one line.
func Paragraphs(text string) []string {
	var out, lines []string
	end := func() {
		if len(lines) > 0 {
			out, lines = append(out, strings.Join(lines, " ")), nil
		}
	}
	for l := range strings.SplitSeq(clean(text), "\n") {
		if l = line(l); l == "" {
			end()
			continue
		}
		lines = append(lines, l)
	}
	end()
	return out
}

// Unknown returns a notice for each of the words that no draft of the paper takes up, in the order of their IDs.
func (p Paper) Unknown(words map[string]string) []string {
	var ids, notices []string
	known := map[string]bool{AuthorID: true}
	for _, d := range p.Drafts() {
		ids = append(ids, d.ID)
		known[d.ID] = true
	}
	for _, id := range sorted(words) {
		switch {
		case known[strings.ToLower(id)]:
		case len(ids) == 0:
			notices = append(notices, fmt.Sprintf("your words for %q are left out: this report has no drafts", shorten(id)))
		default:
			notices = append(notices, fmt.Sprintf("your words for %q are left out: this report has no such draft, only %s", shorten(id), list(ids)))
		}
	}
	return notices
}

// own puts the reader's words in the drafts' places.
func (p *Paper) own(words map[string]string) {
	byID := map[string]string{}
	for _, id := range sorted(words) {
		byID[strings.ToLower(id)] = tidyParagraphs(words[id])
	}
	for _, d := range p.Drafts() {
		if text := byID[d.ID]; text != tidyParagraphs(d.Text) { // a template that was left as it was is no one's own words
			d.Own = text
		}
	}
	if text := byID[AuthorID]; text != "" {
		s := Section{ID: AuthorID, Title: "Notes of the author", Level: 1}
		for _, paragraph := range Paragraphs(text) {
			s.Blocks = append(s.Blocks, Block{Text: paragraph})
		}
		p.Sections = append([]Section{s}, p.Sections...)
	}
}

// templateHelp begins every template; ParseNotes skips it.
const templateHelp = `<!-- Below each heading stands what the rules drafted from your measurements. Replace it with your own words: plain
text, paragraphs parted by empty lines. What you leave as it is stays a draft. Words above the first heading go to
the beginning of the report. -->
`

// NotesTemplate writes notes with every draft in them, for editing.
func NotesTemplate(p Paper) string {
	var b strings.Builder
	b.WriteString(templateHelp)
	for _, d := range p.Drafts() {
		b.WriteString("\n## " + d.ID + "\n\n")
		for _, paragraph := range Paragraphs(d.Words()) {
			b.WriteString(notHeading(paragraph) + "\n\n")
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// notHeading keeps a paragraph from being read as a heading.
func notHeading(text string) string {
	if heading.MatchString(text) {
		return "    " + text // four spaces: no heading, and none of them is kept
	}
	return text
}
