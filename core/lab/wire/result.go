package wire

import "strings"

// Where a row was measured.
const (
	Browser = "browser"
	Native  = "native"
)

// A Latency is how long one forward pass of one batch took, in microseconds.
type Latency struct {
	Mean     float64   `json:"mean"`
	Std      float64   `json:"std"` // sample standard deviation over the runs
	Median   float64   `json:"median"`
	P95      float64   `json:"p95"`
	Samples  []float64 `json:"samples"`             // one a run, in the order measured
	Outliers []int     `json:"outliers,omitempty"`  // positions in Samples beyond Tukey's far fences; kept in every figure
	Calls    int       `json:"calls"`               // forward passes a run
	Fastest  float64   `json:"fastest,omitempty"`   // mean of the fastest short burst of passes, for a roofline
	NonZeros int       `json:"non_zeros,omitempty"` // elements of the batch, where the input is sparse
	Columns  int       `json:"columns,omitempty"`   // different columns that these lie in
	Verdict  *Verdict  `json:"verdict,omitempty"`   // against the baseline; nil for the baseline itself
}

// A Verdict compares a latency with the baseline's by the paired runs' ratio baseline/this: above 1 is faster.
type Verdict struct {
	Word  string  `json:"word"` // Faster, Slower or NoDifference
	Ratio float64 `json:"ratio"`
	Low   float64 `json:"low"` // 95% interval of Ratio
	High  float64 `json:"high"`
}

// The words of a Verdict.
const (
	Faster       = "faster"
	Slower       = "slower"
	NoDifference = "no difference detected"
)

// Paired compares a variant's answers with the baseline's on the same examples.
type Paired struct {
	Flipped []int   `json:"flipped"` // test examples on which the answers differ, ascending
	Gained  int     `json:"gained"`  // wrong in the baseline, right here
	Lost    int     `json:"lost"`    // right in the baseline, wrong here
	P       float64 `json:"p"`       // exact two-sided McNemar
}

// A Row is one variant of one model, measured on one host.
type Row struct {
	Model   string `json:"model"`
	Variant string `json:"variant"`
	Q       string `json:"q"`
	DType   string `json:"dtype"`
	Host    string `json:"host"` // Browser or Native
	Engine  string `json:"engine"`
	Threads int    `json:"threads"`
	Input   string `json:"input"`

	SizeBytes int64   `json:"size_bytes"`                 // of the saved model file
	SizeTorch int64   `json:"size_torch_bytes,omitempty"` // of the file that PyTorch saves it as
	Smaller   float64 `json:"smaller"`                    // times smaller than the baseline's file
	Params    int     `json:"params"`

	Accuracy *float64    `json:"accuracy"` // Correct / Total; nil where it could not be measured, and Note says why
	Correct  int         `json:"correct"`
	Total    int         `json:"total"`
	Interval *[2]float64 `json:"interval,omitempty"` // Wilson, 95%
	Paired   *Paired     `json:"paired,omitempty"`   // nil for the baseline

	LatencyUS map[string]Latency `json:"latency_us"` // keyed by batch size, "1", "64"
	Note      string             `json:"note,omitempty"`

	Partial bool `json:"partial,omitempty"` // of an event: latencies are still to come, with the row that replaces this one
}

// Hardware is what is known of the machine that measured.
type Hardware struct {
	Host         string   `json:"host"` // Browser or Native
	CPU          string   `json:"cpu"`
	Cores        int      `json:"cores"`
	Threads      int      `json:"threads"`                // hardware threads that this process may use
	MemoryBytes  uint64   `json:"memory_bytes,omitempty"` // 0: not known
	Accelerator  string   `json:"accelerator"`            // "none" where there is none
	Instructions []string `json:"instructions"`           // instruction sets that matter to the kernels
	Engine       string   `json:"engine"`                 // kernel engine in use
	Engines      []string `json:"engines"`                // engines that this machine can run
	OS           string   `json:"os"`
	Arch         string   `json:"arch"`
	Go           string   `json:"go"`
	ClockNS      float64  `json:"clock_ns"`           // smallest step of the clock that times the runs
	Browser      string   `json:"browser,omitempty"`  // family and major version
	Isolated     *bool    `json:"isolated,omitempty"` // cross-origin isolation, in a browser
	SIMD         string   `json:"simd,omitempty"`     // "none", "simd128" or "relaxed": what the browser could run
}

// A Result is everything that one run gave.
type Result struct {
	Version  string   `json:"version"`
	Hardware Hardware `json:"hardware"`
	Settings Request  `json:"settings"`
	Rows     []Row    `json:"rows"`
	Peaks    *Peaks   `json:"peaks,omitempty"` // of the machine, where its host measures them
	Notes    []string `json:"notes,omitempty"` // what the reader must know of the whole run
}

// What notes say of latencies that something else may have spoiled.
const (
	NoteBusy = "something else is using this machine"
	NoteHigh = "latencies may be too high"
)

// Disturbs reports whether a note says so: readers have to know that before they look at a figure.
func Disturbs(note string) bool {
	return strings.Contains(note, NoteBusy) || strings.Contains(note, NoteHigh)
}

// The kinds of Event.
const (
	EventQueued   = "queued"   // another run is going on; Position says how many are ahead
	EventStart    = "start"    // Result holds version, hardware and settings, no rows yet
	EventProgress = "progress" // Step and Fraction
	EventRow      = "row"      // Row is final, unless it is Partial
	EventNote     = "note"     // Text belongs to the whole run
	EventDone     = "done"     // Result is complete
	EventError    = "error"    // Text is one sentence; nothing follows
	EventCancel   = "canceled" // the run was cancelled; nothing follows
)

// An Event is one thing that happened during a run. A run ends with exactly one of EventDone, EventError and EventCancel.
type Event struct {
	Kind     string  `json:"kind"`
	Step     string  `json:"step,omitempty"`     // what is being done: "mnist-lab2, static int8, batch 64, run 3 of 5"
	Fraction float64 `json:"fraction,omitempty"` // of the whole run, 0 to 1
	Position int     `json:"position,omitempty"`
	Row      *Row    `json:"row,omitempty"`
	Result   *Result `json:"result,omitempty"`
	Text     string  `json:"text,omitempty"`

	// What answers the questions of play.go.
	Prediction *Prediction `json:"prediction,omitempty"`
	Example    *Example    `json:"example,omitempty"`
	Picture    *Picture    `json:"picture,omitempty"`
	Inspection *Inspection `json:"inspection,omitempty"`
	Advice     *Advice     `json:"advice,omitempty"`

	// What the experiments of study.go give.
	Sensitivity *SensitivityRow `json:"sensitivity,omitempty"`
	Plan        *PlanPoint      `json:"plan,omitempty"`
	Sweep       *SweepPoint     `json:"sweep,omitempty"`
	Training    *Training       `json:"training,omitempty"` // so far: Curve holds what came since the last event
	AMP         *AMPRow         `json:"amp,omitempty"`
	Study       *Study          `json:"study,omitempty"` // of EventDone: the one part that is complete now

	// What answers the commands of own.go.
	Own    *Own      `json:"own,omitempty"`
	Import *Import   `json:"import,omitempty"`
	File   *Exported `json:"file,omitempty"`
}

// The operations of a Command; study.go, play.go and own.go have more.
const (
	OpRun    = "run"    // Request
	OpCancel = "cancel" // the command of the same ID
)

// A Command is what the page sends to the worker. Every Event that answers it carries the same ID in an Envelope.
type Command struct {
	ID      int      `json:"id"`
	Op      string   `json:"op"`
	Request *Request `json:"request,omitempty"`

	// Of the experiments of study.go, beside Request.
	Plans *PlansOptions `json:"plans,omitempty"`
	Sweep *SweepOptions `json:"sweep,omitempty"`
	AMP   *AMPOptions   `json:"amp,omitempty"`

	// Of the operation that bears its name.
	Warm     string           `json:"warm,omitempty"` // a model
	Predict  *PredictRequest  `json:"predict,omitempty"`
	Samples  *SamplesRequest  `json:"samples,omitempty"`
	Picture  *GrayPicture     `json:"picture,omitempty"`
	Search   *SearchRequest   `json:"search,omitempty"`
	Inspect  *InspectRequest  `json:"inspect,omitempty"`
	Advise   *AdviseRequest   `json:"advise,omitempty"`
	Evaluate *EvaluateRequest `json:"evaluate,omitempty"`
	Import   *ImportRequest   `json:"import,omitempty"`
	Rename   *RenameRequest   `json:"rename,omitempty"`
	Remove   *RemoveRequest   `json:"remove,omitempty"`
	Export   *ExportRequest   `json:"export,omitempty"`
}

// An Envelope carries an event of the command ID from the worker to the page. ID 0 is no command's: with it the worker
// introduces itself, by an EventStart with version and hardware, once it is ready.
type Envelope struct {
	ID    int   `json:"id"`
	Event Event `json:"event"`
}
