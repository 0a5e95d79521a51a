package paper

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// Bounds of a study that a report is made of.
const (
	maxRows    = 1_000  // of all runs, sensitivities and trainings
	maxPoints  = 20_000 // of all searches and sweeps
	maxBatches = 64     // of one row
	maxSamples = 10_000 // of one latency
	maxCurve   = 4_096  // points of one training
	maxName    = 200    // bytes of a name
	maxText    = 10_000 // bytes of a note
	maxTime    = 1e12   // µs: eleven days
	maxCount   = 1e10
)

// A validator looks for what can't be true. The first fault counts; what is merely unknown is noticed.
type validator struct {
	rows, points    int
	own             []string // models that the settings describe
	models, strange []string // names that this program does not know
	bare            int      // parts without settings
}

// validate reports the first thing in the study that can't be true, and notices of what is not known here.
func validate(s *wire.Study) ([]string, error) {
	v := &validator{}
	err := v.study(s)
	if err != nil {
		return nil, err
	}
	var notices []string
	if len(v.models) > 0 {
		notices = append(notices, fmt.Sprintf("of %s this program knows nothing: their rows are shown, without settings and reasons", list(v.models)))
	}
	if len(v.strange) > 0 {
		notices = append(notices, fmt.Sprintf("%s %s not among the lab's variants: shown as they are", list(v.strange), plural(len(v.strange), "is", "are")))
	}
	if v.bare > 0 {
		notices = append(notices, fmt.Sprintf("%s without the settings that %s measured with, as older programs wrote them", number(v.bare, "part of the results comes", "parts of the results come"),
			plural(v.bare, "it was", "they were")))
	}
	return notices, nil
}

func (v *validator) study(s *wire.Study) error {
	checks := []func() error{
		func() error { return names("the study", s.Version, s.Made) },
		func() error { return texts("the study", s.Command) },
		func() error { return words(s.Words) },
	}
	for i, r := range s.Results {
		checks = append(checks, func() error { return v.result(at("run", i), r) })
	}
	for i, p := range s.Sensitivity {
		checks = append(checks, func() error { return v.sensitivity(at("sensitivity", i), p) })
	}
	for i, p := range s.Plans {
		checks = append(checks, func() error { return v.plans(at("search for plans", i), p) })
	}
	for i, p := range s.Sweeps {
		checks = append(checks, func() error { return v.sweep(at("calibration sweep", i), p) })
	}
	for i, p := range s.AMP {
		checks = append(checks, func() error { return v.amp(at("mixed-precision training", i), p) })
	}
	return first(checks...)
}

// at names one of several parts.
func at(what string, i int) string { return what + " " + strconv.Itoa(i+1) }

// first returns the first error.
func first(checks ...func() error) error {
	for _, c := range checks {
		if err := c(); err != nil {
			return err
		}
	}
	return nil
}

// A number is checked with its name.
type figureOf struct {
	name      string
	v         float64
	low, high float64
}

func inRange(where string, figures ...figureOf) error {
	for _, f := range figures {
		if !(f.v >= f.low && f.v <= f.high) {
			return fmt.Errorf("%s: %s %v can't be true: it lies between %v and %v", where, f.name, f.v, f.low, f.high)
		}
	}
	return nil
}

func names(where string, values ...string) error {
	for _, s := range values {
		if len(s) > maxName {
			return fmt.Errorf("%s: a name of %d bytes is too long (%.20q…): quantlab writes none longer than %d", where, len(s), s, maxName)
		}
	}
	return nil
}

func texts(where string, values ...string) error {
	for _, s := range values {
		if len(s) > maxText {
			return fmt.Errorf("%s: a text of %d bytes is too long (%.20q…): quantlab writes none longer than %d", where, len(s), s, maxText)
		}
	}
	return nil
}

func words(w map[string]string) error {
	if len(w) > maxDrafts {
		return fmt.Errorf("the study has your words for %d drafts, far more than there are", len(w))
	}
	for id, text := range w {
		if len(id) > maxName || len(text) > maxNotes {
			return fmt.Errorf("the study's words for %.20q have %d bytes: write at most %d", id, len(text), maxNotes)
		}
	}
	return nil
}

// setting checks on what, by whom and how a part was measured.
func (v *validator) setting(where string, version string, h wire.Hardware, q wire.Request, notes []string) error {
	if len(q.Models) == 0 && q.Runs == 0 {
		v.bare++
	}
	if len(q.Batches) > wire.MaxBatches || len(q.Models) > 100 || len(q.Variants) > 100 || len(notes) > 1000 || len(h.Instructions) > 100 || len(h.Engines) > 100 {
		return fmt.Errorf("%s: the settings list more models, variants, batches, engines or notes than any run has", where)
	}
	for _, b := range q.Batches {
		if b < 1 || b > wire.MaxBatch {
			return fmt.Errorf("%s: batch %d in the settings is out of range: 1 to %d", where, b, wire.MaxBatch)
		}
	}
	return first(
		func() error { return v.brought(where, q.Own) },
		func() error {
			return names(where, slices.Concat([]string{version, h.Host, h.CPU, h.Accelerator, h.Engine, h.OS, h.Arch, h.Go, h.Browser, h.SIMD, q.Input, q.Engine, q.Weights},
				q.Models, q.Variants, h.Instructions, h.Engines)...)
		},
		func() error { return texts(where, notes...) },
		func() error {
			return inRange(where,
				figureOf{"the number of cores", float64(h.Cores), 0, 1e6}, figureOf{"the number of threads", float64(h.Threads), 0, 1e6},
				figureOf{"the memory", float64(h.MemoryBytes), 0, 1 << 60}, figureOf{"the clock's step", h.ClockNS, 0, 1e12},
				figureOf{"the number of runs", float64(q.Runs), 0, maxSamples}, figureOf{"the number of threads in the settings", float64(q.Threads), 0, 1e6},
				figureOf{"the number of test examples", float64(q.Examples), 0, maxCount})
		})
}

// brought checks what the settings tell of the reader's own.
func (v *validator) brought(where string, own *wire.Own) error {
	if own == nil {
		return nil
	}
	if len(own.Models) > wire.MaxOwn || len(own.Data) > wire.MaxOwn {
		return fmt.Errorf("%s: the settings describe more models or sets of examples of your own than are kept: at most %d each", where, wire.MaxOwn)
	}
	for _, m := range own.Models {
		if err := m.Spec.Validate(); err != nil {
			return fmt.Errorf("%s: the settings describe a model that can't be: %w", where, err)
		}
		if err := described(where, m.Notes, m.Spec.Classes, []string{m.Spec.Test, m.Spec.Calibration, m.File, m.Format}); err != nil {
			return err
		}
		v.own = append(v.own, m.Spec.ID)
	}
	for _, d := range own.Data {
		if err := described(where, d.Notes, d.Labels, []string{d.Name, d.Data, d.File, d.Format}); err != nil {
			return err
		}
	}
	return nil
}

// described checks the texts and the names that tell of something of the reader's own.
func described(where string, notes []string, named ...[]string) error {
	return first(
		func() error { return names(where, slices.Concat(named...)...) },
		func() error { return texts(where, notes...) },
	)
}

func (v *validator) result(where string, r wire.Result) error {
	if err := v.setting(where, r.Version, r.Hardware, r.Settings, r.Notes); err != nil {
		return err
	}
	for i, row := range r.Rows {
		if err := v.row(where+", "+at("row", i), row); err != nil {
			return err
		}
	}
	if r.Peaks != nil {
		return peaks(where, *r.Peaks)
	}
	return nil
}

func peaks(where string, p wire.Peaks) error {
	if len(p.Read) > 1000 {
		return fmt.Errorf("%s: %d bandwidths are more than any roofline has", where, len(p.Read))
	}
	last := 0
	for _, b := range p.Read {
		if b.Bytes <= last {
			return fmt.Errorf("%s: the working sets of the bandwidths do not ascend", where)
		}
		last = b.Bytes
		if err := inRange(where, figureOf{"a bandwidth", b.GBs, 1e-6, 1e9}); err != nil {
			return err
		}
	}
	return first(
		func() error { return names(where, p.Engine) },
		func() error {
			return inRange(where, figureOf{"the peak in float32", p.Float32, 1e-6, 1e9}, figureOf{"the peak in float16", p.Float16, 1e-6, 1e9},
				figureOf{"the peak in int8", p.Int8, 1e-6, 1e9}, figureOf{"the number of threads", float64(p.Threads), 0, 1e6})
		})
}

// row checks one row and counts it.
func (v *validator) row(where string, r wire.Row) error {
	if v.rows++; v.rows > maxRows {
		return fmt.Errorf("%s: the results have more than %d rows, far more than any study: was the file made by quantlab?", where, maxRows)
	}
	return v.measured(where, r)
}

func (v *validator) measured(where string, r wire.Row) error {
	v.known(r)
	if r.Model != "" {
		where += " (" + shorten(r.Model) + ", " + shorten(r.Variant) + ")"
	}
	return first(
		func() error { return names(where, r.Model, r.Variant, r.Q, r.DType, r.Host, r.Engine, r.Input) },
		func() error { return texts(where, r.Note) },
		func() error {
			return inRange(where, figureOf{"the size", float64(r.SizeBytes), 0, 1e15}, figureOf{"the size of PyTorch's file", float64(r.SizeTorch), 0, 1e15},
				figureOf{"times smaller", r.Smaller, 0, 1e6},
				figureOf{"the number of parameters", float64(r.Params), 0, 1e13}, figureOf{"the number of threads", float64(r.Threads), 0, 1e6})
		},
		func() error { return answers(where, r) },
		func() error { return latencies(where, r.LatencyUS) },
	)
}

// known collects names that this program doesn't know.
func (v *validator) known(r wire.Row) {
	if _, err := nn.SpecOf(r.Model); err != nil && !slices.Contains(v.own, r.Model) && !slices.Contains(v.models, shorten(r.Model)) && len(v.models) < 10 {
		v.models = append(v.models, shorten(r.Model))
	}
	_, err := wire.VariantOf(r.Variant)
	if err != nil && r.Variant != wire.Custom && r.Variant != wire.AMPVariant && !slices.Contains(v.strange, shorten(r.Variant)) && len(v.strange) < 10 {
		v.strange = append(v.strange, shorten(r.Variant))
	}
}

// answers checks accuracy and what goes with it.
func answers(where string, r wire.Row) error {
	if err := counts(where, r.Correct, r.Total); err != nil {
		return err
	}
	if a := r.Accuracy; a != nil {
		if err := inRange(where, figureOf{"accuracy", *a, 0, 1}); err != nil {
			return err
		}
		if r.Total > 0 && math.Abs(*a-float64(r.Correct)/float64(r.Total)) > 1e-6 {
			return fmt.Errorf("%s: accuracy %v is not that of %d of %d", where, *a, r.Correct, r.Total)
		}
	}
	if i := r.Interval; i != nil {
		if err := inRange(where, figureOf{"the accuracy's interval", i[0], 0, 1}, figureOf{"the accuracy's interval", i[1], i[0], 1}); err != nil {
			return err
		}
	}
	if p := r.Paired; p != nil {
		if len(p.Flipped) > 0 && r.Total > 0 && len(p.Flipped) > r.Total {
			return fmt.Errorf("%s: %d answers differ of %d", where, len(p.Flipped), r.Total)
		}
		return inRange(where, figureOf{"p", p.P, 0, 1}, figureOf{"the number of answers that became right", float64(p.Gained), 0, float64(r.Correct)},
			figureOf{"the number of answers that became wrong", float64(p.Lost), 0, float64(r.Total - r.Correct)})
	}
	return nil
}

func counts(where string, correct, total int) error {
	return inRange(where, figureOf{"the number of examples", float64(total), 0, maxCount}, figureOf{"the number of right answers", float64(correct), 0, float64(total)})
}

func latencies(where string, all map[string]wire.Latency) error {
	if len(all) > maxBatches {
		return fmt.Errorf("%s: latencies of %d batch sizes are more than any run has", where, len(all))
	}
	for b, l := range all {
		n, err := strconv.Atoi(b)
		if err != nil || n < 1 || n > wire.MaxBatch {
			return fmt.Errorf("%s: %.20q is no batch size: 1 to %d", where, b, wire.MaxBatch)
		}
		if err := latency(where+", batch "+b, l); err != nil {
			return err
		}
	}
	return nil
}

func latency(where string, l wire.Latency) error {
	if len(l.Samples) > maxSamples || len(l.Outliers) > len(l.Samples) {
		return fmt.Errorf("%s: %d runs with %d outliers are more than any latency has", where, len(l.Samples), len(l.Outliers))
	}
	for _, s := range l.Samples {
		if err := inRange(where, figureOf{"a run's latency", s, 0, maxTime}); err != nil {
			return err
		}
	}
	for _, o := range l.Outliers {
		if o < 0 || o >= len(l.Samples) {
			return fmt.Errorf("%s: an outlier is run %d of %d", where, o+1, len(l.Samples))
		}
	}
	if err := inRange(where, figureOf{"the mean latency", l.Mean, 0, maxTime}, figureOf{"the standard deviation", l.Std, 0, maxTime},
		figureOf{"the median", l.Median, 0, maxTime}, figureOf{"the 95th percentile", l.P95, 0, maxTime}, figureOf{"the fastest burst", l.Fastest, 0, maxTime},
		figureOf{"the number of calls", float64(l.Calls), 0, 1e12}, figureOf{"the number of words", float64(l.NonZeros), 0, maxCount},
		figureOf{"the number of different words", float64(l.Columns), 0, maxCount}); err != nil {
		return err
	}
	return verdict(where, l.Verdict)
}

func verdict(where string, v *wire.Verdict) error {
	if v == nil {
		return nil
	}
	if !slices.Contains([]string{"", wire.Faster, wire.Slower, wire.NoDifference}, v.Word) {
		return fmt.Errorf("%s: %.20q is no verdict: choose from %s", where, v.Word, strings.Join([]string{wire.Faster, wire.Slower, wire.NoDifference}, ", "))
	}
	return inRange(where, figureOf{"the ratio", v.Ratio, 0, 1e9}, figureOf{"the ratio's lower end", v.Low, 0, v.Ratio}, figureOf{"the ratio's upper end", v.High, v.Ratio, 1e12})
}
