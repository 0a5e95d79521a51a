package paper

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean is text without what could change more than itself: control characters but for line breaks (a tab is a space), the
// characters that turn the direction of what follows or hide (Unicode's category Cf), and bytes that are no UTF-8.
func clean(text string) string {
	if !dirty(text) {
		return text
	}
	text = strings.ReplaceAll(strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\r\n", "\n"), "\r", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case hidden(r):
			return -1
		}
		return r
	}, text)
}

func dirty(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && hidden(r) || r == '\u2028' || r == '\u2029' })
}

// hidden reports characters without a face of their own. The joiners, which some scripts and signs need, may stay.
func hidden(r rune) bool {
	if r >= ' ' && r < 0x7f || r == '\u200c' || r == '\u200d' {
		return false
	}
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || r == 0xfffe || r == 0xffff
}

// line is clean text in one line.
func line(text string) string { return strings.Join(strings.Fields(clean(text)), " ") }

// shorten cuts a name that is longer than any of ours.
func shorten(name string) string {
	const longest = 60
	name = line(name)
	if r := []rune(name); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return name
}

// tidy cleans every text of a paper: results and notes are files, and files may hold anything.
func (p *Paper) tidy() {
	p.Title = line(p.Title)
	pairs(p.Facts)
	lines(p.Warnings)
	for i := range p.Sections {
		s := &p.Sections[i]
		s.ID, s.Title = line(s.ID), line(s.Title)
		for j := range s.Blocks {
			s.Blocks[j].tidy()
		}
	}
}

func (b *Block) tidy() {
	b.Text, b.Code = line(b.Text), clean(b.Code)
	lines(b.List)
	pairs(b.Facts)
	if t := b.Table; t != nil {
		t.Title, t.Caption = line(t.Title), line(t.Caption)
		for i := range t.Columns {
			t.Columns[i].Title = line(t.Columns[i].Title)
		}
		for _, row := range t.Rows {
			lines(row)
		}
	}
	if f := b.Figure; f != nil {
		f.Title, f.Caption, f.X.Label, f.Y.Label = line(f.Title), line(f.Caption), line(f.X.Label), line(f.Y.Label)
		lines(f.X.Categories)
		lines(f.Y.Categories)
		for i := range f.Series {
			s := &f.Series[i]
			s.Name, s.Variant = line(s.Name), line(s.Variant)
			for j := range s.Points {
				s.Points[j].Label, s.Points[j].Name = line(s.Points[j].Label), line(s.Points[j].Name)
			}
		}
	}
	if d := b.Draft; d != nil {
		d.Title, d.Text, d.Code, d.Own = line(d.Title), clean(d.Text), clean(d.Code), clean(d.Own)
		lines(d.Cites)
	}
}

func lines(texts []string) {
	for i, t := range texts {
		texts[i] = line(t)
	}
}

func pairs(rows [][2]string) {
	for i := range rows {
		rows[i] = [2]string{line(rows[i][0]), line(rows[i][1])}
	}
}
