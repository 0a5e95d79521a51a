package pdf

import (
	"strconv"

	"codeberg.org/go-pdf/fpdf"
)

// A page, in points: A4 with margins, and the lines of head and foot in them.
const (
	shortSide, longSide = 595.28, 841.89
	marginX             = 56.0
	marginTop           = 62.0
	marginBottom        = 60.0
	headY               = 40.0
	footUp              = 34.0
)

// A setter sets a paper: blocks become pieces, and flow puts these on pages.
type setter struct {
	doc      *fpdf.Fpdf
	plan     layout
	title    string
	version  string
	sections map[int]int // the page that a section begins on
	links    []int       // to the sections
	pieces   []piece
	tables   int // so far
	figures  int

	y       float64 // where the page is filled to
	wide    bool    // the page is landscape
	current string  // section, for the running head
}

// A piece is what stands on one page as a whole.
type piece struct {
	height float64
	before float64 // room above, none at the top of a page
	keep   bool    // on the same page as the next one
	wide   bool    // on a landscape page
	head   string  // of a section that begins here, for the running head
	draw   func(y, above float64)

	// What is drawn again above a piece that begins a page, such as the header of a table, and how high that is.
	again       func(y float64)
	againHeight float64
}

func (s *setter) add(p ...piece) { s.pieces = append(s.pieces, p...) }

// together keeps the pieces that are added on the page of what follows.
func (s *setter) together(wide bool, add func()) {
	from := len(s.pieces)
	add()
	for i := range s.pieces[from:] {
		s.pieces[from+i].keep, s.pieces[from+i].wide = true, wide
	}
}

// flow puts the pieces on pages, one after the other. There is a page even of nothing.
func (s *setter) flow() {
	if len(s.pieces) == 0 {
		s.page(false)
	}
	fresh := false
	for i, p := range s.pieces {
		starts := i == 0 || p.wide != s.wide || !fresh && s.y+p.before+s.chain(i) > s.bottom()
		if p.head != "" {
			s.current = p.head
		}
		if starts {
			s.page(p.wide)
			fresh = true
		}
		above := p.before
		if fresh {
			above = 0
			if p.again != nil {
				p.again(s.y)
				s.y += p.againHeight
			}
		}
		s.y += above
		p.draw(s.y, above)
		s.y += p.height
		fresh = false
	}
}

// chain is the height of a piece with all that must be on its page, at most a page's.
func (s *setter) chain(i int) float64 {
	h := s.pieces[i].height
	for ; i+1 < len(s.pieces) && s.pieces[i].keep && s.pieces[i+1].wide == s.pieces[i].wide; i++ {
		h += s.pieces[i+1].before + s.pieces[i+1].height
	}
	return min(h, s.bottom()-marginTop)
}

// bottom is where a page ends, right its right margin, and across the width of what is set.
func (s *setter) bottom() float64 {
	if s.wide {
		return shortSide - marginBottom
	}
	return longSide - marginBottom
}

func across(wide bool) float64 {
	if wide {
		return longSide - 2*marginX
	}
	return shortSide - 2*marginX
}

// page begins a page with its running head and its number.
func (s *setter) page(wide bool) {
	s.wide = wide
	orientation := "P"
	if wide {
		orientation = "L"
	}
	s.doc.AddPageFormat(orientation, fpdf.SizeType{Wd: shortSide, Ht: longSide})
	s.y = marginTop
	right := marginX + across(wide)
	s.ink(muted)
	if s.doc.PageNo() > 1 {
		s.write(smallFace, marginX, headY, legible(s.title))
		s.write(smallFace, right-s.width(smallFace, s.current), headY, s.current)
		s.rule(line, .6, marginX, headY+6, right, headY+6)
	}
	number := strconv.Itoa(s.doc.PageNo())
	if s.plan.pages > 0 {
		number += " of " + strconv.Itoa(s.plan.pages)
	}
	foot := s.bottom() + marginBottom - footUp
	s.write(smallFace, right-s.width(smallFace, number), foot, number)
	if s.version != "" {
		s.write(smallFace, marginX, foot, legible("quantlab "+s.version))
	}
}
