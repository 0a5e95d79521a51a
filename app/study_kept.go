package app

import (
	"errors"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report/paper"
)

// maxKept bounds what is kept of a study for later visits, in bytes of JSON.
const maxKept = 8 << 20

var errTooLarge = errors.New("what was kept is larger than what is ever kept")

// keepStudy keeps what the experiments gave for later visits: it took minutes to measure. A browser may refuse.
func (s *session) keepStudy() {
	study := s.Study
	study.Format = wire.StudyFormat
	if text := encode(study); len(text) <= maxKept {
		s.platform.KeepResults(text)
	}
}

// recallStudy asks for the study of an earlier visit, the first time that a view wants to show it: there may be megabytes to read.
func (s *session) recallStudy() {
	if s.recalled || s.platform == nil || s.embedded() {
		return
	}
	s.recalled = true
	s.platform.KeptResults(func(text string) { s.soon(func() { s.recall(text) }) })
}

// recall takes up the study of an earlier visit, unless this one has already measured. What can't be read is forgotten.
func (s *session) recall(text string) {
	if text == "" || hasParts(s.Study) {
		s.redraw()
		return
	}
	study, err := wire.Study{}, errTooLarge
	if len(text) <= maxKept {
		study, _, err = paper.ReadStudy(strings.NewReader(text))
	}
	if err != nil {
		s.platform.KeepResults("")
		s.redraw()
		return
	}
	study.Results = nil // the rows of runs are this visit's
	s.Study = study
}

// forgetResults throws away what the experiments gave, here and for later visits.
func (s *session) forgetResults() {
	s.Study = wire.Study{}
	s.platform.KeepResults("")
	s.say("The results of the experiments are forgotten.")
}

// hasParts reports whether experiments gave anything yet.
func hasParts(s wire.Study) bool {
	return len(s.Sensitivity)+len(s.Plans)+len(s.Sweeps)+len(s.AMP) > 0
}
