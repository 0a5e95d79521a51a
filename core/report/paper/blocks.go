package paper

// A Pager writes a paper's blocks one by one as HTML, for a page that shows the paper among other things. It numbers tables and
// figures as they come.
type Pager struct{ tables, figures int }

// Block writes a block as one element. Drafts are written as in a file; a page that lets them be edited draws them itself.
func (p *Pager) Block(b Block) string {
	h := &hypertext{tables: p.tables, figures: p.figures}
	h.WriteString(`<div class="paper-block">`)
	h.block(b)
	h.WriteString(`</div>`)
	p.tables, p.figures = h.tables, h.figures
	return h.String()
}

// Skip counts a block that is written elsewhere.
func (p *Pager) Skip(b Block) {
	if b.Table != nil {
		p.tables++
	}
	if b.Figure != nil {
		p.figures++
	}
}
