package pdf

import (
	"strings"
	"sync"
	"unicode"

	"codeberg.org/go-fonts/liberation/liberationmonoregular"
	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansitalic"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
)

// A face is a font at a size, in points.
type face struct {
	family, style string
	size          float64
}

const (
	sans = "Liberation Sans"
	mono = "Liberation Mono"
)

// The faces of a paper.
var (
	titleFace   = face{sans, "B", 20}
	h1Face      = face{sans, "B", 14}
	h2Face      = face{sans, "B", 11}
	bodyFace    = face{sans, "", 9.5}
	boldFace    = face{sans, "B", 9.5}
	captionFace = face{sans, "", 8.25}
	nameFace    = face{sans, "B", 8.75} // of tables and figures
	smallFace   = face{sans, "", 7.5}
	italicFace  = face{sans, "I", 7.5}
	codeFace    = face{mono, "", 8}
)

// leading is the distance of two base lines.
func (f face) leading() float64 { return 1.42 * f.size }

func (f face) at(size float64) face { return face{f.family, f.style, size} }

// addFonts embeds the Liberation fonts, under the SIL Open Font License; fpdf writes only the glyphs that occur. They come
// with gonum's plots anyway, which measure their texts in them.
func addFonts(doc *fpdf.Fpdf) {
	doc.AddUTF8FontFromBytes(sans, "", liberationsansregular.TTF)
	doc.AddUTF8FontFromBytes(sans, "B", liberationsansbold.TTF)
	doc.AddUTF8FontFromBytes(sans, "I", liberationsansitalic.TTF)
	doc.AddUTF8FontFromBytes(mono, "", liberationmonoregular.TTF)
}

// glyphs is the regular font; the other ones hold the same characters.
var glyphs = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(liberationsansregular.TTF)
	if err != nil {
		panic(err) // the font is part of the program
	}
	return f
})

// missing stands for what there is no glyph for.
const missing = '□'

// alike are characters that the fonts lack, and what reads the same.
var alike = map[rune]string{
	'\u2009': " ", '\u202f': "\u00a0", '\u200a': " ", '\u2011': "-", '\u2010': "-", '\t': "    ",
	'⁻': "−", '✓': "√", '✗': "×", '\u200b': "", '\ufeff': "", '\u00ad': "",
}

// legible replaces what the fonts have no glyph for: by what reads the same, else by a sign that something is missing.
func legible(text string) string {
	var buffer sfnt.Buffer
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\ufffd") {
		if other, ok := alike[r]; ok {
			b.WriteString(other)
			continue
		}
		if r == '\n' {
			b.WriteRune(r)
			continue
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Mn, r) {
			continue
		}
		if i, err := glyphs().GlyphIndex(&buffer, r); err != nil || i == 0 {
			r = missing
		}
		b.WriteRune(r)
	}
	return b.String()
}

// width measures text in points.
func (s *setter) width(f face, text string) float64 {
	s.doc.SetFont(f.family, f.style, f.size)
	return s.doc.GetStringWidth(text)
}

// wrap breaks text into lines of that width: at spaces, and words that are too long after a sign or anywhere. Text without
// a word is one empty line.
func (s *setter) wrap(f face, text string, width float64) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(noBreak.Replace(text)) {
		word = asSpace.Replace(word)
		joined := word
		if line != "" {
			joined = line + " " + word
		}
		if s.width(f, joined) <= width {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for s.width(f, word) > width {
			n := s.fitting(f, word, width)
			lines = append(lines, word[:n])
			word = word[n:]
		}
		line = word
	}
	return append(lines, line)
}

// A space that may not be broken is none to strings.Fields while it is held by another character.
var (
	noBreak = strings.NewReplacer("\u00a0", "\x00")
	asSpace = strings.NewReplacer("\x00", "\u00a0")
)

// fitting returns how many bytes of a word that is too long fit: at least one character, and if it can be up to a sign.
func (s *setter) fitting(f face, word string, width float64) int {
	fit, sign := 0, 0
	for i, r := range word {
		end := i + len(string(r))
		if fit > 0 && s.width(f, word[:end]) > width {
			break
		}
		fit = end
		if strings.ContainsRune("-/,_.;:=+&?)×–", r) && end < len(word) {
			sign = end
		}
	}
	if sign > fit/3 {
		return sign
	}
	return fit
}

// longestWord is the least width in which no word of the text is broken.
func (s *setter) longestWord(f face, text string) float64 {
	most := 0.0
	for word := range strings.FieldsSeq(noBreak.Replace(text)) {
		most = max(most, s.width(f, asSpace.Replace(word)))
	}
	return most
}

// write writes a line with its base line at y, in the colour set before.
func (s *setter) write(f face, x, y float64, text string) {
	if text == "" {
		return
	}
	s.doc.SetFont(f.family, f.style, f.size)
	s.doc.Text(x, y, text)
}

// linked is write, where addresses can be followed.
func (s *setter) linked(f face, x, y float64, text string) {
	s.write(f, x, y, text)
	at := 0
	for word := range strings.FieldsSeq(text) {
		begin := at + strings.Index(text[at:], word)
		at = begin + len(word)
		address := strings.TrimRight(strings.TrimLeft(word, "(<“"), ".,;:)>”")
		if strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://") {
			s.doc.LinkString(x+s.width(f, text[:begin]), y-f.size, s.width(f, word), f.leading(), address)
		}
	}
}

func (s *setter) ink(c rgb)  { s.doc.SetTextColor(c.r, c.g, c.b) }
func (s *setter) fill(c rgb) { s.doc.SetFillColor(c.r, c.g, c.b) }

// rule draws a line.
func (s *setter) rule(c rgb, width, x1, y1, x2, y2 float64) {
	s.doc.SetDrawColor(c.r, c.g, c.b)
	s.doc.SetLineWidth(width)
	s.doc.SetDashPattern(nil, 0)
	s.doc.Line(x1, y1, x2, y2)
}
