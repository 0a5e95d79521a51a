package app

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
)

// Both asks for a run in the browser and then one on the native host; one after the other, because on one machine they
// would compete for its cores.
const Both = "both"

// Settings are what the reader chose: a request, and where to run it. Its Own is everything that there is, named or not.
type Settings struct {
	wire.Request
	Where string // wire.Browser, wire.Native or Both
}

// LabSettings returns the lab's own settings, run in both places.
func LabSettings() Settings { return Settings{Request: wire.Lab(), Where: Both} }

// Hosts lists where to run, in the order in which the runs follow each other.
func (s Settings) Hosts() []string {
	if s.Where == Both {
		return []string{wire.Browser, wire.Native}
	}
	return []string{s.Where}
}

// Equal reports whether both ask for the same runs.
func (s Settings) Equal(o Settings) bool { return s.Query() == o.Query() }

// keys are the settings' names in a URL's query.
var keys = []string{"models", "variants", "batches", "runs", "where", "input", "weights", "seed", "threads", "examples", "engine", "test", "calibrate"}

// With returns the settings with one of them changed, named and spelled as in a URL's query, or the reason why not.
func (s Settings) With(key, value string) (Settings, error) {
	err := s.parse(key, value)
	if err == nil {
		err = s.Validate()
	}
	if err != nil {
		return Settings{}, err
	}
	s.Models, s.Variants = inOrder(s.Models, s.Catalog().IDs()), inOrder(s.Variants, wire.VariantIDs())
	return s, nil
}

func (s *Settings) parse(key, v string) (err error) {
	switch key {
	case "models":
		s.Models = splitList(v)
	case "variants":
		s.Variants = splitList(v)
	case "batches":
		s.Batches, err = parseBatches(splitList(v))
	case "runs":
		s.Runs, err = parseInt("runs", v)
	case "where":
		if s.Where = v; v != wire.Browser && v != wire.Native && v != Both {
			err = fmt.Errorf("unknown place %q: choose %s, %s or %s", v, wire.Browser, wire.Native, Both)
		}
	case "input":
		s.Input = v
	case "weights":
		s.Weights = v
	case "seed":
		s.Seed, err = parseSeed(v)
	case "threads":
		s.Threads, err = parseInt("threads", v)
	case "examples":
		s.Examples, err = parseInt("examples", v)
	case "engine":
		s.Engine, err = parseEngine(v)
	case "test":
		s.Test = v
	case "calibrate":
		s.Calibration = v
	default:
		err = fmt.Errorf("there is no setting %q", key)
	}
	return err
}

// value spells one setting as With reads it.
func (s Settings) value(key string) string {
	switch key {
	case "models":
		return strings.Join(s.Models, ",")
	case "variants":
		return strings.Join(s.Variants, ",")
	case "batches":
		parts := make([]string, len(s.Batches))
		for i, b := range s.Batches {
			parts[i] = strconv.Itoa(b)
		}
		return strings.Join(parts, ",")
	case "runs":
		return strconv.Itoa(s.Runs)
	case "where":
		return s.Where
	case "input":
		return s.Input
	case "weights":
		return s.Weights
	case "seed":
		return strconv.FormatUint(s.Seed, 10)
	case "threads":
		return strconv.Itoa(s.Threads)
	case "examples":
		return strconv.Itoa(s.Examples)
	case "engine":
		return cmp.Or(s.Engine, fastest)
	case "test":
		return s.Test
	case "calibrate":
		return s.Calibration
	}
	return ""
}

// Query spells the settings as a URL's query, every one of them that says anything, so that a link means the same when defaults
// change.
func (s Settings) Query() string {
	var parts []string
	for _, key := range keys {
		if v := s.value(key); v != "" {
			// A comma needs no escape in a query, and a link is for reading too.
			parts = append(parts, key+"="+strings.ReplaceAll(url.QueryEscape(v), "%2C", ","))
		}
	}
	return strings.Join(parts, "&")
}

// maxValue bounds what is read of one setting; the longest that means something has under 80 bytes.
const maxValue = 256

// ParseSettings reads a URL's query, which may name what is the reader's own. What is missing is the lab's; what is malformed is the
// lab's too, and a sentence for the reader says so. The settings returned are always valid. Keys that are not settings are not ours
// to judge.
func ParseSettings(query url.Values, own *wire.Own) (Settings, []string) {
	s, notices := LabSettings(), []string(nil)
	s.Own = own
	for _, key := range keys {
		values, ok := query[key]
		if !ok {
			continue
		}
		v := strings.TrimSpace(strings.Join(values, ","))
		var next Settings
		err := errors.New("that is too long")
		if len(v) <= maxValue {
			next, err = s.With(key, v)
		} else {
			v = v[:24] + "…"
		}
		if err != nil {
			notices = append(notices, fmt.Sprintf("The link says %s=%s, but %v. The lab’s own setting is used instead.",
				key, strings.ToValidUTF8(v, "\uFFFD"), err))
			continue
		}
		s = next
	}
	return s, notices
}

// splitList splits at commas, semicolons and white space, and drops what is empty.
func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\t' })
}

func parseBatches(items []string) ([]int, error) {
	batches := make([]int, 0, len(items))
	for _, item := range items {
		b, err := parseInt("batch", item)
		if err != nil {
			return nil, err
		}
		batches = append(batches, b)
	}
	return batches, nil
}

func parseInt(what, s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a whole number in range", what, s)
	}
	return int(n), nil
}

func parseSeed(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("seed %q is not a whole number from 0 to 18446744073709551615", brief(s))
	}
	return n, nil
}

// fastest stands for the engine of no name, which is each host's best.
const fastest = "fastest"

// maxEngine bounds the name of a kernel engine, in bytes.
const maxEngine = 16

// parseEngine takes any word that could name an engine: only a host knows which it has.
func parseEngine(s string) (string, error) {
	word := strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
	switch {
	case s == fastest:
		return "", nil
	case s == "" || len(s) > maxEngine || !word:
		return "", fmt.Errorf("%q can't be the name of a kernel engine: choose %s, or one that the page lists", s, fastest)
	}
	return s, nil
}

// inOrder returns the ids in the order of all, each once; ids that are not in all are dropped.
func inOrder(ids, all []string) []string {
	var out []string
	for _, id := range all {
		if slices.Contains(ids, id) {
			out = append(out, id)
		}
	}
	return out
}

// Departures says in words how the measuring settings differ from the lab's; it is empty where wire.Request.IsLab.
func Departures(r wire.Request) []string {
	lab := wire.Lab()
	var d []string
	if !slices.Equal(r.Batches, lab.Batches) {
		d = append(d, fmt.Sprintf("batch %s instead of %s", joinInts(r.Batches), joinInts(lab.Batches)))
	}
	if r.Runs != lab.Runs {
		d = append(d, fmt.Sprintf("%s instead of %d", plural(r.Runs, "run"), lab.Runs))
	}
	if r.Threads != lab.Threads {
		d = append(d, fmt.Sprintf("%s instead of %d", plural(r.Threads, "thread"), lab.Threads))
	}
	if r.Input != lab.Input {
		d = append(d, "sparse input instead of dense")
	}
	if r.Engine != lab.Engine {
		d = append(d, fmt.Sprintf("the kernel engine %s instead of the fastest", engineName(r.Engine)))
	}
	if r.Examples != 0 {
		d = append(d, fmt.Sprintf("accuracy on the first %s instead of all", plural(r.Examples, "test example")))
	}
	if r.Test != "" {
		d = append(d, "accuracy on your "+r.Test+" instead of the test set")
	}
	if r.Calibration != "" {
		d = append(d, "calibrated with your "+r.Calibration+" instead of the lab’s sample")
	}
	return d
}

func joinInts(v []int) string {
	parts := make([]string, len(v))
	for i, n := range v {
		parts[i] = strconv.Itoa(n)
	}
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " and " + parts[n-1]
	}
	return strings.Join(parts, "")
}
