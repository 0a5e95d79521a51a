package paper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
)

// ReadStudy reads results as JSON: a study, or any part of one by itself (what quantlab run, sensitivity, plans, sweep and amp
// write), or a list of such parts. The notices say what is missing from files of older programs, and what is not known here;
// they are sentences for the reader of the report. Text that is no study, or whose numbers can't be true, is an error that says
// where and why.
func ReadStudy(r io.Reader) (wire.Study, []string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return wire.Study{}, nil, fmt.Errorf("reading the results: %w", err)
	}
	if len(data) > maxBytes {
		return wire.Study{}, nil, fmt.Errorf("the results are larger than %d MB, far more than any study: was the file made by quantlab?", maxBytes>>20)
	}
	if err := check(data); err != nil {
		return wire.Study{}, nil, err
	}
	study, notices, err := decode(data)
	if err != nil {
		return wire.Study{}, nil, err
	}
	more, err := validate(&study)
	if err != nil {
		return wire.Study{}, nil, err
	}
	return study, append(notices, more...), nil
}

// decode reads a study, a part, or a list of parts.
func decode(data []byte) (wire.Study, []string, error) {
	var list []json.RawMessage
	if data = bytes.TrimSpace(data); data[0] != '[' || json.Unmarshal(data, &list) != nil {
		return decodeOne(data)
	}
	var whole wire.Study
	var notices []string
	for i, part := range list {
		study, more, err := decodeOne(part)
		if err != nil {
			return wire.Study{}, nil, fmt.Errorf("part %d of %d: %w", i+1, len(list), err)
		}
		whole = Merge(whole, study)
		notices = append(notices, more...)
	}
	if len(list) == 0 {
		notices = append(notices, "the file of results is empty")
	}
	return whole, notices, nil
}

// decodeOne recognizes what an object is by its fields.
func decodeOne(data []byte) (wire.Study, []string, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || fields == nil {
		return wire.Study{}, nil, errors.New("this is JSON, but no results: a file of results is an object, as quantlab run --format json writes it")
	}
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { _, ok := fields[n]; return ok })
	}
	study := wire.Study{Format: wire.StudyFormat}
	var err error
	switch {
	case has("results", "sweeps", "sensitivity", "plans", "amp", "format", "words"):
		return decodeStudy(data)
	case has("searches"):
		study.Plans = make([]wire.Plans, 1)
		err = decodeAs("search for plans", data, &study.Plans[0])
	case has("spreads", "points"):
		study.Sweeps = make([]wire.Sweep, 1)
		err = decodeAs("calibration sweep", data, &study.Sweeps[0])
	case has("options"):
		study.AMP = make([]wire.AMP, 1)
		err = decodeAs("mixed-precision training", data, &study.AMP[0])
	case has("references", "correlations"):
		study.Sensitivity = make([]wire.Sensitivity, 1)
		err = decodeAs("sensitivity", data, &study.Sensitivity[0])
	case has("rows"):
		study.Results = make([]wire.Result, 1)
		err = decodeAs("run", data, &study.Results[0])
	case has("cells"):
		err = errors.New("this is a roofline, which a report makes by itself from a run: give the results of quantlab run --format json")
	default:
		err = errors.New("this is JSON, but no results: it has neither rows nor any part of a study; quantlab run --format json writes one")
	}
	return study, nil, err
}

func decodeStudy(data []byte) (wire.Study, []string, error) {
	// The format comes first: a newer one may not fit the rest.
	var head struct {
		Format  *int   `json:"format"`
		Version string `json:"version"`
	}
	if err := decodeAs("study", data, &head); err != nil {
		return wire.Study{}, nil, err
	}
	var notices []string
	switch f := head.Format; {
	case f == nil || *f == 0:
		notices = append(notices, "the results were written by an older quantlab, without a format; they are read with what they have")
	case *f > wire.StudyFormat:
		return wire.Study{}, nil, fmt.Errorf("the results are in format %d, of a newer quantlab%s; this one reads up to format %d: update it, then try again",
			*f, spaced(shorten(head.Version)), wire.StudyFormat)
	case *f < 0:
		return wire.Study{}, nil, fmt.Errorf("the results claim to be in format %d, which there is none of: was the file made by quantlab?", *f)
	}
	var study wire.Study
	if err := decodeAs("study", data, &study); err != nil {
		return wire.Study{}, nil, err
	}
	study.Format = wire.StudyFormat
	return study, notices, nil
}

func spaced(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// decodeAs decodes and words the decoder's errors for people.
func decodeAs(what string, data []byte, into any) error {
	err := json.Unmarshal(data, into)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return fmt.Errorf("the %s can't be read: %s holds a %s where another kind of value belongs", what, strings.TrimPrefix(mismatch.Field, "."), mismatch.Value)
	}
	if err != nil {
		return fmt.Errorf("the %s can't be read: %w", what, err)
	}
	return nil
}

// Merge puts studies together: their parts stand side by side, in the order of the studies. Of what a study has but once, the
// last word counts.
func Merge(studies ...wire.Study) wire.Study {
	whole := wire.Study{Format: wire.StudyFormat}
	for _, s := range studies {
		whole.Version, whole.Made, whole.Command = last(whole.Version, s.Version), last(whole.Made, s.Made), last(whole.Command, s.Command)
		whole.Results = append(whole.Results, s.Results...)
		whole.Sensitivity = append(whole.Sensitivity, s.Sensitivity...)
		whole.Plans = append(whole.Plans, s.Plans...)
		whole.Sweeps = append(whole.Sweeps, s.Sweeps...)
		whole.AMP = append(whole.AMP, s.AMP...)
		for id, text := range s.Words {
			if whole.Words == nil {
				whole.Words = map[string]string{}
			}
			whole.Words[id] = text
		}
	}
	return whole
}

func last(a, b string) string {
	if b != "" {
		return b
	}
	return a
}
