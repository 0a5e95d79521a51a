package chart

import "strings"

// Table writes a chart's numbers as an HTML table: its caption, the columns' headers, and rows whose first cell is their header. A column
// may have none, missing cells are empty, and surplus ones are left out.
func Table(caption string, headers []string, rows [][]string) string {
	var b strings.Builder
	b.WriteString(`<table class="chart-table"><caption>` + Escape(caption) + `</caption><thead><tr>`)
	for _, h := range headers {
		if h == "" {
			b.WriteString(`<td></td>`) // a header without words is none
			continue
		}
		b.WriteString(`<th scope="col">` + Escape(h) + `</th>`)
	}
	b.WriteString(`</tr></thead><tbody>`)
	for _, r := range rows {
		b.WriteString(`<tr>`)
		for i := range headers {
			cell := ""
			if i < len(r) {
				cell = Escape(r[i])
			}
			if i == 0 {
				b.WriteString(`<th scope="row">` + cell + `</th>`)
			} else {
				b.WriteString(`<td>` + cell + `</td>`)
			}
		}
		b.WriteString(`</tr>`)
	}
	b.WriteString(`</tbody></table>`)
	return b.String()
}
