package app

import (
	"fmt"
	"io"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// A format is one way to copy the results.
type format struct {
	ID, Title string
	write     func(io.Writer, ...wire.Result) error
}

var formats = []format{
	{"md", "Markdown", report.Markdown},
	{"csv", "CSV", report.CSV},
	{"json", "JSON", report.JSON},
}

// exported gives the rows on the page as one result for each host that has some.
func (s *State) exported() []wire.Result {
	var out []wire.Result
	for _, host := range inOrderHosts {
		r := wire.Result{Version: s.Versions[host], Hardware: s.Hardware[host], Settings: s.Results.Request, Peaks: s.Peaks[host], Notes: s.Results.Notes[host]}
		for _, c := range s.Results.Request.Models {
			for _, v := range s.Results.Request.Variants {
				if row, ok := s.row(c, v, host); ok {
					r.Rows = append(r.Rows, row)
					if row.Engine != r.Settings.Engine {
						r.Settings.Engine = "" // the host was asked for its fastest: see request
					}
				}
			}
		}
		if len(r.Rows) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// copyResults puts the rows on the clipboard.
func (s *session) copyResults(id string) {
	for _, f := range formats {
		if f.ID != id {
			continue
		}
		var text strings.Builder
		if err := f.write(&text, s.exported()...); err != nil {
			s.Copied = sentence(err.Error())
			return
		}
		s.copy(text.String(), fmt.Sprintf("Copied as %s.", f.Title), &s.Copied, &s.CopyText)
	}
}

// copy puts text on the clipboard and shows for a while, in the first place, that it did; or the text, in the second one, for
// the reader to copy by hand.
func (s *session) copy(text, done string, shown, refused *string) {
	s.platform.Copy(text, func(ok bool) {
		s.later(func() {
			if !ok {
				*refused = text
				s.say("The browser did not let this page use the clipboard.")
				return
			}
			*shown, *refused = done, ""
			s.say(done)
			s.platform.After(copiedFor, func() {
				s.later(func() {
					if *shown == done {
						*shown = ""
					}
				})
			})
		})
	})
}
