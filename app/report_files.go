package app

import (
	"io"
	"strings"

	"quantlab/core/report/paper"
)

// download gives the reader the report as a file.
func (s *session) download(name, kind string, write func(w io.Writer, p paper.Paper) error) {
	var b strings.Builder
	if err := write(&b, s.Report.writeUp(s)); err != nil {
		s.Report.Problem = sentence(err.Error())
		s.say(s.Report.Problem)
		return
	}
	s.platform.Save(name, kind, b.String())
	s.say(name + " is being downloaded.")
}

func (s *session) saveHTML()     { s.download("quantlab-report.html", "text/html", paper.HTML) }
func (s *session) saveMarkdown() { s.download("quantlab-report.md", "text/markdown", paper.Markdown) }

// saveJSON saves the study, from which the report can be made again.
func (s *session) saveJSON() {
	s.download("quantlab-results.json", "application/json", func(w io.Writer, _ paper.Paper) error { return paper.JSON(w, s.reportStudy()) })
}
