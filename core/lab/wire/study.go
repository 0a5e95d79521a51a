package wire

import (
	"slices"

	"quantlab/core/scheme"
)

// Experiments beyond the lab's tables: which layer can't bear quantization, what plans are worth having, how much of a lottery
// calibration is, and what mixed-precision training buys. Each is a Command that a host carries out like a run, after the
// runs before it; its last event, EventDone, holds a Study with that one part.

// The operations of a Command that are experiments beside OpRun. All have a Request, whose Validate they share.
const (
	OpSensitivity = "sensitivity" // Request: EventSensitivity, one a row
	OpPlans       = "plans"       // Request and Plans: EventPlan, one for each plan of a front, once it is measured
	OpSweep       = "sweep"       // Request and Sweep: EventSweep, one a calibration
	OpAMP         = "amp"         // Request and AMP: EventTraining as training goes on, EventAMP for each model
)

// Measures reports whether an operation measures: a run, or one of the experiments. Hosts carry these out one at a time.
func Measures(op string) bool {
	return slices.Contains([]string{OpRun, OpSensitivity, OpPlans, OpSweep, OpAMP}, op)
}

// The kinds of Event that answer them, beside those of a run.
const (
	EventSensitivity = "sensitivity" // Sensitivity
	EventPlan        = "plan"        // Plan
	EventSweep       = "sweep"       // Sweep
	EventTraining    = "training"    // Training
	EventAMP         = "amp"         // AMP
)

// StudyFormat is the format of a Study that this program writes. It counts up when an older program would misread it.
const StudyFormat = 1

// A Study is everything that a report is made of: what a file of results holds. Each part says of itself on which machine and
// with which settings it was measured.
type Study struct {
	Format      int               `json:"format"`
	Version     string            `json:"version"`           // of the program that put it together
	Made        string            `json:"made,omitempty"`    // when, RFC 3339
	Command     string            `json:"command,omitempty"` // the command line that makes it again
	Results     []Result          `json:"results,omitempty"` // runs, of different hosts or models
	Sensitivity []Sensitivity     `json:"sensitivity,omitempty"`
	Plans       []Plans           `json:"plans,omitempty"`
	Sweeps      []Sweep           `json:"sweeps,omitempty"`
	AMP         []AMP             `json:"amp,omitempty"`
	Words       map[string]string `json:"words,omitempty"` // the reader's own, by the draft that they replace
}

// Note adds what the reader must know to each part.
func (s *Study) Note(notes ...string) {
	for i := range s.Results {
		s.Results[i].Notes = append(s.Results[i].Notes, notes...)
	}
	for i := range s.Sensitivity {
		s.Sensitivity[i].Notes = append(s.Sensitivity[i].Notes, notes...)
	}
	for i := range s.Plans {
		s.Plans[i].Notes = append(s.Plans[i].Notes, notes...)
	}
	for i := range s.Sweeps {
		s.Sweeps[i].Notes = append(s.Sweeps[i].Notes, notes...)
	}
	for i := range s.AMP {
		s.AMP[i].Notes = append(s.AMP[i].Notes, notes...)
	}
}

// A Setting is on which machine, by which program and with which settings an experiment was made.
type Setting struct {
	Version  string   `json:"version"`
	Hardware Hardware `json:"hardware"`
	Settings Request  `json:"settings"`
}

// What a SensitivityRow quantizes.
const (
	Only   = "only"   // the layer, all others staying float32
	Except = "except" // all layers but this one
)

// A Sensitivity is what quantizing single layers does.
type Sensitivity struct {
	Setting
	Rows         []SensitivityRow `json:"rows"`                   // model by model, variant by variant, layer by layer, Only before Except
	References   []Row            `json:"references"`             // each model's float32, and each variant with every layer quantized
	Correlations []Correlation    `json:"correlations,omitempty"` // of the rows' cheap measures with their accuracy
	Notes        []string         `json:"notes,omitempty"`
}

// A SensitivityRow is one plan, measured like a run's variant. Row.Variant is the variant that the layers were quantized as.
type SensitivityRow struct {
	Row
	Layer    string   `json:"layer"` // its name: "layers.0"
	Mode     string   `json:"mode"`  // Only or Except
	Plan     string   `json:"plan"`  // as scheme.ParsePlan reads it
	Fidelity Fidelity `json:"fidelity"`
}

// QuantizesNothing reports whether the row's plan is float32's: of a single layer, all but that one.
func (r SensitivityRow) QuantizesNothing() bool { return r.Plan == string(scheme.Float32) }

// A Fidelity is how true quantized numbers are to float32's: what can be had without a label, and almost without data. All are
// signal-to-quantization-noise ratios in dB; 400 where nothing was lost.
type Fidelity struct {
	Weights float64 `json:"weights"` // of the weights of the layers that are quantized, all together
	Output  float64 `json:"output"`  // of the layer's own output, its input being float32's, on the calibration examples; of Only's layer, and of Except's worst one
	Logits  float64 `json:"logits"`  // of the network's logits on the calibration examples

	Examples int `json:"examples"` // that Output and Logits are of; 0: they could not be measured, and both are 0
}

// A Correlation says whether one measure of a model's rows predicts another: Spearman's of their ranks.
type Correlation struct {
	Model   string  `json:"model"`
	Mode    string  `json:"mode,omitempty"` // of the rows, "" is both
	Measure string  `json:"measure"`        // "weights", "output" or "logits" of Fidelity
	Against string  `json:"against"`        // "accuracy" or "flips" of Row
	Rho     float64 `json:"rho"`            // -1 to 1
	P       float64 `json:"p"`              // two-sided, of no correlation
	N       int     `json:"n"`              // plans that are compared: rows that quantize something, each plan once
}

// PlansOptions say which plans are searched.
type PlansOptions struct {
	Schemes []string `json:"schemes,omitempty"` // tried for each layer, as scheme.ParseScheme reads them; none: float32, float16, int8 dynamic and static, int4
}

// Plans is a search for plans that are worth having, model by model.
type Plans struct {
	Setting
	Searches []PlanSearch `json:"searches"`
	Notes    []string     `json:"notes,omitempty"`
}

// A PlanSearch is what was found for one model.
type PlanSearch struct {
	Model      string      `json:"model"`
	Schemes    []string    `json:"schemes"`
	Plans      int         `json:"plans"`      // that there are
	Exhaustive bool        `json:"exhaustive"` // all of them were tried; else those that the greedy search came by
	Points     []PlanPoint `json:"points"`     // those tried, the smallest first
	Greedy     []string    `json:"greedy"`     // plans that the greedy search took, from float32 on
}

// A PlanPoint is one plan. Row.Variant is Custom; the row's latencies are measured where a front holds the plan, and missing
// elsewhere, as are the flipped examples (not their counts).
type PlanPoint struct {
	Row
	Plan      string             `json:"plan"`
	Predicted map[string]float64 `json:"predicted_us"`     // the sum of the layers' measured times, by batch size
	Fronts    []string           `json:"fronts,omitempty"` // batch sizes at which no other plan is as small, as accurate and (predicted) as fast, and better in one
}

// SweepOptions say which calibrations are tried.
type SweepOptions struct {
	Plan  string `json:"plan,omitempty"`  // as scheme.ParsePlan reads it; "" is the lab's static int8
	Sizes []int  `json:"sizes,omitempty"` // numbers of calibration examples; none: a range of them
	Seeds int    `json:"seeds,omitempty"` // samples of each size; 0 is 10
}

// A Sweep is how far accuracy depends on the calibration examples.
type Sweep struct {
	Setting
	Points  []SweepPoint  `json:"points"`  // model by model, size by size, seed by seed
	Spreads []SweepSpread `json:"spreads"` // of each model and size
	Notes   []string      `json:"notes,omitempty"`
}

// A SweepPoint is one calibration.
type SweepPoint struct {
	Model    string `json:"model"`
	Plan     string `json:"plan"`
	Examples int    `json:"examples"` // that calibrated
	Seed     uint64 `json:"seed"`     // that drew them from the training set
	Correct  int    `json:"correct"`
	Total    int    `json:"total"`
	Differ   int    `json:"differ"` // answers that are not float32's
}

// A SweepSpread sums up the calibrations of one size. Accuracies are shares, 0 to 1.
type SweepSpread struct {
	Model    string  `json:"model"`
	Examples int     `json:"examples"`
	Seeds    int     `json:"seeds"`
	Mean     float64 `json:"mean"`
	Std      float64 `json:"std"`
	Lowest   float64 `json:"lowest"`
	Highest  float64 `json:"highest"`
	Baseline float64 `json:"baseline"` // float32's
	Sampling float64 `json:"sampling"` // standard deviation of the differences to float32 that the choice of test examples alone makes, to compare Std with
}

// The types of mixed-precision training.
const (
	BFloat16 = "bf16"
	Float16  = "f16"
)

// AMPOptions say how to train.
type AMPOptions struct {
	Type   string `json:"type"`             // BFloat16 or Float16
	Seeds  int    `json:"seeds,omitempty"`  // trainings of each kind; 0 is 3
	Epochs int    `json:"epochs,omitempty"` // 0 is the lab's
	Limit  int    `json:"limit,omitempty"`  // train on the first so many examples; 0 is all
}

// AMP compares mixed-precision training with float32's.
type AMP struct {
	Setting
	Options AMPOptions `json:"options"`
	Rows    []AMPRow   `json:"rows"`
	Notes   []string   `json:"notes,omitempty"`
}

// An AMPRow is one model, trained with automatic mixed precision and evaluated in float32. Row.Variant is "amp"; accuracy,
// size and latency are those of the first seed, Row.Paired and the verdicts compare it with float32's training of that seed.
type AMPRow struct {
	Row
	Type     string     `json:"type"`
	Emulated bool       `json:"emulated"`         // the low type's products were computed without the instructions for them: no speed claim
	Baseline Row        `json:"baseline"`         // float32's training of the first seed
	Float32  []Training `json:"float32"`          // one a seed
	Mixed    []Training `json:"mixed"`            // one a seed
	Time     *Verdict   `json:"time,omitempty"`   // training, against float32: above 1 is faster
	Matrix   *Verdict   `json:"matrix,omitempty"` // its matrix products alone
}

// AMPVariant is the Row.Variant of an AMPRow, AMPQ its Row.Q.
const (
	AMPVariant = "amp"
	AMPQ       = "AMP"
)

// A Training is how one training went.
type Training struct {
	Model   string       `json:"model"`
	Type    string       `json:"type"` // "float32", BFloat16 or Float16
	Seed    uint64       `json:"seed"`
	Seconds float64      `json:"seconds"`        // in the training steps
	Matrix  float64      `json:"matrix_seconds"` // of these in matrix products, conversions to the low type included
	Correct int          `json:"correct"`
	Total   int          `json:"total"`
	Steps   int          `json:"steps"`
	Skipped int          `json:"skipped"` // steps whose gradients overflowed
	Curve   []CurvePoint `json:"curve"`   // at most 256, evenly spread; the last is the last step's
}

// A CurvePoint is a training after a step.
type CurvePoint struct {
	Step    int     `json:"step"`            // from 1
	Loss    float64 `json:"loss"`            // mean of the steps since the point before
	Scale   float64 `json:"scale,omitempty"` // of the loss; 0: not scaled
	Skipped int     `json:"skipped,omitempty"`
}
