package pdf

import (
	"strconv"
	"strings"

	"quantlab/core/report/paper"
)

// front sets the title, the facts and what the reader must know before anything else.
func (s *setter) front(p paper.Paper) {
	for i, text := range s.wrap(titleFace, legible(p.Title), across(false)) {
		before := 0.0
		if i == 0 {
			before = 6
		}
		s.add(piece{height: titleFace.size * 1.25, before: before, keep: true, draw: func(y, _ float64) {
			s.ink(ink)
			s.write(titleFace, marginX, y+titleFace.size, text)
		}})
	}
	s.facts(p.Facts, 10)
	if len(p.Warnings) > 0 {
		s.warnings(p.Warnings)
	}
}

// warnings stand on a ground of their own.
func (s *setter) warnings(texts []string) {
	const pad = 8.0
	for i, text := range texts {
		lines := s.wrap(bodyFace, legible(text), across(false)-2*pad-4)
		height := float64(len(lines))*bodyFace.leading() + pad
		before := 0.0
		if i == 0 {
			before = 12
		}
		s.add(piece{height: height, before: before, draw: func(y, _ float64) {
			s.fill(warn)
			s.doc.Rect(marginX, y, across(false), height, "F")
			s.fill(variantColours["dynamic-qint8"])
			s.doc.Rect(marginX, y, 2.5, height, "F")
			s.ink(ink)
			s.lines(bodyFace, marginX+pad+4, y+pad/2, lines)
		}})
	}
}

// contents lists the sections with their pages.
func (s *setter) contents(p paper.Paper) {
	for i, section := range p.Sections {
		f, indent, before := bodyFace, 14.0, 0.0
		if section.Level <= 1 {
			f, indent, before = boldFace, 0, 3
		}
		if i == 0 {
			before = 20
		}
		number := ""
		if page := s.plan.sections[i]; page > 0 {
			number = strconv.Itoa(page)
		}
		const room = 30.0
		title := s.wrap(f, legible(section.Title), across(false)-indent-room)[0]
		s.add(piece{height: f.leading(), before: before, keep: i == 0 || i+2 == len(p.Sections), draw: func(y, _ float64) {
			base := y + f.size
			s.ink(ink)
			s.write(f, marginX+indent, base, title)
			right := marginX + across(false)
			s.ink(muted)
			s.write(bodyFace, right-s.width(bodyFace, number), base, number)
			if begin := marginX + indent + s.width(f, title) + 6; begin < right-room {
				s.doc.SetLineCapStyle("round")
				s.doc.SetDrawColor(edge.r, edge.g, edge.b)
				s.doc.SetLineWidth(.6)
				s.doc.SetDashPattern([]float64{0, 3}, 0)
				s.doc.Line(begin, base-1, right-room+10, base-1)
				s.doc.SetDashPattern(nil, 0)
				s.doc.SetLineCapStyle("butt")
			}
			s.doc.Link(marginX, y, across(false), f.leading(), s.links[i])
		}})
	}
}

// heading begins a section: it is never the last thing on a page, and can be jumped to.
func (s *setter) heading(i int, section paper.Section) {
	f, before, level := h1Face, 24.0, 0
	if section.Level > 1 {
		f, before, level = h2Face, 15, 1
	}
	if i == 0 {
		level = 0 // an outline begins at its top
	}
	title := legible(section.Title)
	lines := s.wrap(f, title, across(false))
	head := "" // sections within others, such as a discussion, say little by themselves
	if section.Level <= 1 {
		head = s.wrap(smallFace, title, across(false)/2)[0]
	}
	s.add(piece{height: float64(len(lines))*f.leading() + 2, before: before, keep: true, head: head, draw: func(y, _ float64) {
		s.sections[i] = s.doc.PageNo()
		s.doc.Bookmark(title, level, y)
		s.doc.SetLink(s.links[i], y, -1)
		s.ink(ink)
		s.lines(f, marginX, y, lines)
	}})
}

func (s *setter) block(b paper.Block) {
	switch {
	case b.Table != nil:
		s.table(*b.Table)
	case b.Figure != nil:
		s.figure(*b.Figure)
	case b.Draft != nil:
		s.draft(*b.Draft)
	case b.Code != "":
		s.code(b.Code, marginX, across(false), nil)
	case len(b.List) > 0:
		s.list(b.List)
	case len(b.Facts) > 0:
		s.facts(b.Facts, 6)
	default:
		s.paragraphs(bodyFace, b.Text, marginX, across(false), nil)
	}
}

// lines writes lines below each other, the first one from y on.
func (s *setter) lines(f face, x, y float64, lines []string) {
	for i, text := range lines {
		s.linked(f, x, y+float64(i)*f.leading()+f.size, text)
	}
}

// beside is drawn beside every piece of a block, over its height and what is above.
type beside func(y, height float64)

func (b beside) draw(y, above, height float64) {
	if b != nil {
		b(y-above, height+above)
	}
}

// paragraphs sets text whose paragraphs are parted by empty lines.
func (s *setter) paragraphs(f face, text string, x, width float64, mark beside) {
	for _, p := range paper.Paragraphs(legible(text)) {
		s.textLines(f, ink, s.wrap(f, p, width), x, 6, mark)
	}
}

// textLines sets a paragraph so that neither its first nor its last line is alone on a page.
func (s *setter) textLines(f face, c rgb, lines []string, x, before float64, mark beside) {
	for len(lines) > 0 {
		n := 1
		switch {
		case len(lines) <= 3:
			n = len(lines)
		case before > 0: // the first two
			n = 2
		}
		part := lines[:n]
		lines = lines[n:]
		height := float64(n) * f.leading()
		s.add(piece{height: height, before: before, draw: func(y, above float64) {
			mark.draw(y, above, height)
			s.ink(c)
			s.lines(f, x, y, part)
		}})
		before = 0
	}
}

// list sets points with hanging indents.
func (s *setter) list(points []string) {
	const indent = 12.0
	for _, point := range points {
		lines := s.wrap(bodyFace, legible(point), across(false)-indent)
		height := float64(len(lines)) * bodyFace.leading()
		s.add(piece{height: height, before: 3, draw: func(y, _ float64) {
			s.ink(muted)
			s.write(bodyFace, marginX+2, y+bodyFace.size, "•")
			s.ink(ink)
			s.lines(bodyFace, marginX+indent, y, lines)
		}})
	}
}

// facts sets names and what they are, in two columns.
func (s *setter) facts(facts [][2]string, before float64) {
	const gap = 14.0
	names := 0.0
	for _, f := range facts {
		names = max(names, s.width(captionFace, legible(f[0])))
	}
	names = min(names, across(false)/3)
	f := captionFace.at(8.75)
	for i, fact := range facts {
		name := s.wrap(f, legible(fact[0]), names+8)
		value := s.wrap(f, legible(fact[1]), across(false)-names-gap)
		height := float64(max(len(name), len(value)))*f.leading() + 1.5
		s.add(piece{height: height, before: before, keep: i == 0 || i+2 == len(facts), draw: func(y, _ float64) {
			s.ink(muted)
			s.lines(f, marginX, y, name)
			s.ink(ink)
			s.lines(f, marginX+names+gap, y, value)
		}})
		before = 0
	}
}

// draft sets what rules wrote, marked by a rule at its side, or the reader's own words without any.
func (s *setter) draft(d paper.Draft) {
	x, width := marginX, across(false)
	var mark beside
	before := 10.0
	if d.Own == "" {
		const indent = 11.0
		x, width = x+indent, width-indent
		mark = func(y, height float64) { s.rule(edge, .8, marginX+1, y, marginX+1, y+height) }
		label := "Draft, from the numbers"
		s.add(piece{height: smallFace.leading(), before: before, keep: true, draw: func(y, _ float64) {
			mark(y, smallFace.leading())
			s.ink(muted)
			s.write(italicFace, x, y+italicFace.size, label)
		}})
		before = 0
	}
	if d.Title != "" {
		lines := s.wrap(boldFace, legible(d.Title), width)
		height := float64(len(lines)) * boldFace.leading()
		s.add(piece{height: height, before: before, keep: true, draw: func(y, above float64) {
			mark.draw(y, above, height)
			s.ink(ink)
			s.lines(boldFace, x, y, lines)
		}})
	}
	for i, p := range paper.Paragraphs(legible(d.Words())) {
		before := 1.5
		if i > 0 {
			before = 6
		}
		s.textLines(bodyFace, ink, s.wrap(bodyFace, p, width), x, before, mark)
	}
	if d.Code != "" {
		s.code(d.Code, x, width, mark)
	}
	if d.Own == "" && len(d.Cites) > 0 {
		s.pieces[len(s.pieces)-1].keep = true
		s.textLines(smallFace, muted, s.wrap(smallFace, legible("Rests on: "+strings.Join(d.Cites, "; ")+"."), width), x, 3, mark)
	}
}

// code sets commands. A line that is too long goes on, indented, behind a backslash, so that it can still be copied.
func (s *setter) code(text string, x, width float64, mark beside) {
	const pad = 6.0
	var lines []string
	for l := range strings.SplitSeq(strings.TrimRight(legible(text), "\n"), "\n") {
		wrapped := s.wrap(codeFace, l, width-2*pad-s.width(codeFace, "     \\"))
		for i, part := range wrapped {
			if i > 0 {
				part = "    " + part
			}
			if i+1 < len(wrapped) {
				part += " \\"
			}
			lines = append(lines, part)
		}
	}
	for i, l := range lines {
		top, foot, before := 0.0, 0.0, 0.0
		if i == 0 {
			top, before = pad-1, 6
		}
		if i == len(lines)-1 {
			foot = pad - 1
		}
		height := codeFace.leading() + top + foot
		s.add(piece{height: height, before: before, keep: len(lines) <= 4 && i+1 < len(lines), draw: func(y, above float64) {
			mark.draw(y, above, height)
			s.fill(wash)
			s.doc.Rect(x, y, width, height, "F")
			s.ink(ink)
			s.write(codeFace, x+pad, y+top+codeFace.size, l)
		}})
	}
}
