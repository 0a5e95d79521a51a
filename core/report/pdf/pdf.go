// Package pdf sets a paper on A4, with figures drawn as vectors and fonts embedded. The same paper gives the same bytes.
package pdf

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"quantlab/core/report/paper"
)

// Write writes the paper as a PDF file. It is laid out in memory: of a paper that can't be set, nothing is written.
func Write(w io.Writer, p paper.Paper) error {
	// The table of contents says on which page a section begins, which is known only once everything is set.
	draft, err := set(p, layout{contents: true})
	if err != nil {
		return err
	}
	plan := layout{pages: draft.doc.PageNo(), sections: draft.sections, contents: draft.doc.PageNo() > pagesWithoutContents}
	if !plan.contents {
		if draft, err = set(p, layout{}); err != nil {
			return err
		}
		plan.pages = draft.doc.PageNo()
	}
	final, err := set(p, plan)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := final.doc.Output(&b); err != nil {
		return fmt.Errorf("setting the report: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// pagesWithoutContents is how long a paper may be to need no table of contents.
const pagesWithoutContents = 4

// A layout is what setting a paper needs to know of the outcome.
type layout struct {
	pages    int         // of all; 0: not known yet
	sections map[int]int // the page that a section begins on
	contents bool        // there is a table of contents
}

// set sets the paper.
func set(p paper.Paper, plan layout) (*setter, error) {
	s := newSetter(p, plan)
	s.front(p)
	if plan.contents {
		s.contents(p)
	}
	for i, section := range p.Sections {
		s.heading(i, section)
		for _, b := range section.Blocks {
			s.block(b)
		}
	}
	s.flow()
	s.doc.Close()
	if err := s.doc.Error(); err != nil {
		return nil, fmt.Errorf("setting the report: %w", err)
	}
	return s, nil
}

// newSetter begins a document.
func newSetter(p paper.Paper, plan layout) *setter {
	doc := fpdf.New("P", "pt", "A4", "")
	s := &setter{doc: doc, plan: plan, title: p.Title, version: p.Version, sections: map[int]int{}}
	addFonts(doc)
	doc.SetCatalogSort(true) // maps have no order, files must
	doc.SetAutoPageBreak(false, 0)
	doc.SetMargins(0, 0, 0)
	doc.SetCellMargin(0)
	doc.SetLang("en-GB")
	doc.SetTitle(legible(p.Title), true)
	doc.SetSubject("Post-training quantization of four small networks: size, accuracy and latency, measured", true)
	doc.SetKeywords("post-training quantization, int8, float16, mixed precision, sensitivity, latency, roofline", true)
	doc.SetCreator(strings.TrimSpace("quantlab "+p.Version), true)
	doc.SetProducer("fpdf", true)
	made := time.Unix(0, 0).UTC() // of a paper that doesn't know its date; the clock's would differ each time
	if t, err := time.Parse(time.RFC3339, p.Made); err == nil {
		made = t.UTC()
	}
	doc.SetCreationDate(made)
	doc.SetModificationDate(made)
	s.links = make([]int, len(p.Sections))
	for i := range s.links {
		s.links[i] = doc.AddLink()
	}
	return s
}
