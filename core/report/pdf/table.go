package pdf

import (
	"fmt"
	"slices"
	"strings"

	"quantlab/core/report"
)

// The sizes that a table's text may have, and the room in its cells.
var tableSizes = []float64{8.25, 7.75, 7.25, 6.75}

const (
	cellPad    = 3.5 // left and right of a cell
	rowPad     = 2.0 // above and below a row
	wideRows   = 16  // rows that are worth a landscape page
	fewRows    = 12  // of a table that isn't split between pages
	stretch    = .72 // of the width: a table that fills so much is made to fill it all
	headWords  = 1.6 // a header's word may be so much wider than its column's cells before it counts as content
	maxColumns = 60
)

// A grid is a table with the widths of its columns.
type grid struct {
	report.PlainTable
	size   float64
	widths []float64
	wide   bool
}

func (g grid) cell() face { return face{sans, "", g.size} }
func (g grid) head() face { return face{sans, "B", g.size} }

func (g grid) width() float64 {
	w := 0.0
	for _, c := range g.widths {
		w += c
	}
	return w
}

// table sets a table: its name, its caption and its rows, as wide as its content asks for. One too wide for a page is set
// smaller, then on landscape pages, or, if it is short, in parts below each other.
func (s *setter) table(t report.PlainTable) {
	s.tables++
	t = cleanTable(t)
	name := fmt.Sprintf("Table %d. %s", s.tables, t.Title)
	if g, ok := s.fit(t, across(false)); ok {
		s.grid(g, name, t.Caption)
		return
	}
	if len(t.Rows) >= wideRows {
		if g, ok := s.fit(t, across(true)); ok {
			g.wide = true
			s.grid(g, name, t.Caption)
			return
		}
	}
	for i, part := range s.split(t) {
		caption := t.Caption
		if i > 0 {
			name, caption = fmt.Sprintf("Table %d, continued: the other columns", s.tables), ""
		}
		s.grid(part, name, caption)
	}
}

// cleanTable makes every row as long as there are columns, and all texts legible.
func cleanTable(t report.PlainTable) report.PlainTable {
	columns := slices.Clone(t.Columns[:min(len(t.Columns), maxColumns)])
	for i := range columns {
		columns[i].Title = legible(columns[i].Title)
	}
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = make([]string, len(columns))
		for k := range min(len(row), len(columns)) {
			rows[i][k] = together.Replace(legible(row[k]))
		}
	}
	return report.PlainTable{Title: legible(t.Title), Caption: legible(t.Caption), Columns: columns, Rows: rows}
}

// together holds a number and its uncertainty on one line.
var together = strings.NewReplacer(" ± ", "\u00a0±\u00a0", "p = ", "p\u00a0=\u00a0", "p < ", "p\u00a0<\u00a0")

// fit finds the largest size at which the table is not wider than that and no word is broken.
func (s *setter) fit(t report.PlainTable, width float64) (grid, bool) {
	return s.fitAt(t, width, tableSizes)
}

// fitAt is fit of these sizes.
func (s *setter) fitAt(t report.PlainTable, width float64, sizes []float64) (grid, bool) {
	for _, size := range sizes {
		g := grid{PlainTable: t, size: size}
		least, most := s.content(g)
		if sum(least) <= width {
			if level := s.level(g, most); sum(level) <= width {
				most = level
			}
			g.widths = share(least, most, width)
			return g, true
		}
	}
	return grid{}, false
}

// content returns the least and the greatest width that each column can use.
func (s *setter) content(g grid) (least, most []float64) {
	for i, c := range g.Columns {
		lo, hi := s.longestWord(g.head(), c.Title), 0.0
		for _, row := range g.Rows {
			lo = max(lo, s.longestWord(g.cell(), row[i]))
			hi = max(hi, s.width(g.cell(), row[i]))
		}
		// A long header wraps rather than making its column wide.
		hi = max(hi, lo, min(s.width(g.head(), c.Title), headWords*lo))
		least, most = append(least, lo+2*cellPad), append(most, hi+2*cellPad)
	}
	return least, most
}

// level widens columns until no header wraps.
func (s *setter) level(g grid, most []float64) []float64 {
	out := slices.Clone(most)
	for i, c := range g.Columns {
		out[i] = max(out[i], s.width(g.head(), c.Title)+2*cellPad)
	}
	return out
}

// share gives each column what it can use, or its least width and a part of what is left.
func share(least, most []float64, width float64) []float64 {
	total := sum(most)
	out := slices.Clone(most)
	switch {
	case total > width:
		part := (width - sum(least)) / max(total-sum(least), 1e-9)
		for i := range out {
			out[i] = least[i] + part*(most[i]-least[i])
		}
	case total >= stretch*width:
		for i := range out {
			out[i] += (width - total) / float64(len(out))
		}
	}
	return out
}

func sum(v []float64) float64 {
	total := 0.0
	for _, x := range v {
		total += x
	}
	return total
}

// split parts a table by its columns. Each part begins with the columns that name a row, those before the first of figures.
func (s *setter) split(t report.PlainTable) []grid {
	names := max(1, slices.IndexFunc(t.Columns, func(c report.Column) bool { return c.Right }))
	if names > len(t.Columns)/2 {
		names = 1
	}
	var parts []grid
	for next := names; next < len(t.Columns); {
		var best grid
		end := next
		for end < len(t.Columns) {
			g, ok := s.fitAt(columns(t, names, next, end+1), across(false), tableSizes[1:2]) // all parts alike
			if !ok {
				break
			}
			best, end = g, end+1
		}
		if end == next { // even one column is too wide: its words are broken
			end++
			best = grid{PlainTable: columns(t, names, next, end), size: tableSizes[len(tableSizes)-1]}
			best.widths = slices.Repeat([]float64{across(false) / float64(names+1)}, names+1)
		}
		parts, next = append(parts, best), end
	}
	if parts == nil { // one column of a very long word
		parts = []grid{{PlainTable: t, size: tableSizes[0], widths: slices.Repeat([]float64{across(false) / float64(len(t.Columns))}, len(t.Columns))}}
	}
	return parts
}

// columns is the table's first columns, and those from begin to end.
func columns(t report.PlainTable, names, begin, end int) report.PlainTable {
	pick := func(row []string) []string { return append(slices.Clone(row[:names]), row[begin:end]...) }
	out := report.PlainTable{Columns: append(slices.Clone(t.Columns[:names]), t.Columns[begin:end]...)}
	for _, row := range t.Rows {
		out.Rows = append(out.Rows, pick(row))
	}
	return out
}

// grid adds the pieces of a table. Its name, header and first rows stay together, and its last rows; every page on which it
// goes on begins with the header.
func (s *setter) grid(g grid, name, caption string) {
	width := across(g.wide)
	s.together(g.wide, func() {
		s.textLines(nameFace, ink, s.wrap(nameFace, name, width), marginX, 14, nil)
		if caption != "" {
			s.textLines(captionFace, muted, s.wrap(captionFace, caption, width), marginX, 0, nil)
		}
	})
	if len(g.Columns) == 0 {
		return
	}
	header := make([]string, len(g.Columns))
	for i, c := range g.Columns {
		header[i] = c.Title
	}
	head := s.cells(g, g.head(), header)
	rule := func(y, width float64) { s.rule(ink, width, marginX, y, marginX+g.width(), y) }
	drawHead := func(y float64) {
		rule(y, .9)
		s.row(g, g.head(), head, y, true)
		rule(y+head.height, .5)
	}
	var rows []tableRow
	for _, texts := range g.Rows {
		rows = append(rows, s.cells(g, g.cell(), texts).parts(g.cell(), head.height)...)
	}
	s.add(piece{height: head.height, before: 4, keep: len(rows) > 0, wide: g.wide, draw: func(y, _ float64) { drawHead(y) }})
	for i, r := range rows {
		last := i+1 == len(rows)
		p := piece{height: r.height, keep: !last && (len(rows) <= fewRows || i == 0 || i+2 == len(rows)), wide: g.wide, draw: func(y, _ float64) {
			s.row(g, g.cell(), r, y, false)
			if last {
				rule(y+r.height, .9)
			} else {
				s.rule(line, .4, marginX, y+r.height, marginX+g.width(), y+r.height)
			}
		}}
		if i > 0 {
			p.again, p.againHeight = drawHead, head.height
		}
		s.add(p)
	}
	s.add(piece{height: 8, wide: g.wide, draw: func(_, _ float64) {}})
}

// A tableRow is a row's cells, broken into lines.
type tableRow struct {
	cells  [][]string
	most   int // lines
	height float64
}

func (s *setter) cells(g grid, f face, texts []string) tableRow {
	var r tableRow
	for i, text := range texts {
		lines := s.wrap(f, text, g.widths[i]-2*cellPad+.01)
		r.cells, r.most = append(r.cells, lines), max(r.most, len(lines))
	}
	r.height = float64(r.most)*leadingOf(f) + 2*rowPad
	return r
}

// parts splits a row that is higher than a page, beside what stands above it there.
func (r tableRow) parts(f face, above float64) []tableRow {
	n := int((shortSide - marginTop - marginBottom - above) / leadingOf(f) / 2)
	if r.most <= n || n < 1 {
		return []tableRow{r}
	}
	var out []tableRow
	for from := 0; from < r.most; from += n {
		part := tableRow{cells: make([][]string, len(r.cells))}
		for i, lines := range r.cells {
			part.cells[i] = lines[min(from, len(lines)):min(from+n, len(lines))]
			part.most = max(part.most, len(part.cells[i]))
		}
		part.height = float64(part.most)*leadingOf(f) + 2*rowPad
		out = append(out, part)
	}
	return out
}

// leadingOf is tighter in tables than in text.
func leadingOf(f face) float64 { return 1.24 * f.size }

func (s *setter) row(g grid, f face, r tableRow, y float64, head bool) {
	s.ink(ink)
	x := marginX
	for i, lines := range r.cells {
		top := y + rowPad
		if head { // headers stand on their columns
			top += float64(r.most-len(lines)) * leadingOf(f)
		}
		for k, text := range lines {
			left := x + cellPad
			if i == 0 {
				left = x
			}
			if g.Columns[i].Right {
				left = x + g.widths[i] - cellPad - s.width(f, text)
			}
			s.write(f, left, top+float64(k)*leadingOf(f)+f.size, text)
		}
		x += g.widths[i]
	}
}
