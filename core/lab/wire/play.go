package wire

// What the reader's hands ask for: one drawing or sentence, one plan of his own, a look inside. Questions go to package
// play as Commands, like runs; each is answered by events that end with EventDone, EventError or EventCancel.

// The operations of a Command that ask package play.
const (
	OpWarm     = "warm"     // Warm: load and convert a model that will be asked soon; nothing but the end is answered
	OpPredict  = "predict"  // Predict: EventPrediction
	OpSamples  = "samples"  // Samples: EventExample, one each
	OpPicture  = "picture"  // Picture: EventPicture
	OpSearch   = "search"   // Search: EventProgress, and EventExample for each one found
	OpInspect  = "inspect"  // Inspect: EventInspection
	OpAdvise   = "advise"   // Advise: EventAdvice, one a layer that something better was looked for
	OpEvaluate = "evaluate" // Evaluate: EventRow, over and over, of more and more examples; the last one is complete
)

// The kinds of Event that answer them.
const (
	EventPrediction = "prediction" // Prediction
	EventExample    = "example"    // Example
	EventPicture    = "picture"    // Picture
	EventInspection = "inspection" // Inspection
	EventAdvice     = "advice"     // Advice
)

// Custom is the variant of a plan of the reader's own, in rows and in questions.
const Custom = "custom"

// Bounds of questions.
const (
	MaxRepeats     = 50      // timed samples of a PredictRequest
	MaxFound       = 200     // examples that a search gives
	MaxSamples     = 100     // examples of a SamplesRequest
	MaxCalibration = 8192    // examples that calibrate
	MaxUnits       = 32      // of an InspectRequest
	MaxText        = 1 << 16 // of a sentence, bytes
	MaxWords       = 500     // of a sentence that are told one by one
	MaxPoints      = 20000   // of a drawing
	MaxGrayPixels  = 1 << 20 // of a GrayPicture
	DrawingGrid    = 1 << 10 // points of a drawing lie on a grid of this side
	DigitSide      = 28      // of an MNIST image
)

// A Conversion is a plan of the reader's own and the examples that calibrate it.
type Conversion struct {
	Plan     string `json:"plan"`               // as scheme.ParsePlan reads it
	Examples int    `json:"examples,omitempty"` // that calibrate; 0 is the lab's 1024
	Seed     uint64 `json:"seed,omitempty"`     // draws them from the training set; 0 is the lab's sample
}

// A PredictRequest shows one input to every variant of a model, and to a plan of the reader's own if there is one.
type PredictRequest struct {
	Model   string      `json:"model"`
	Custom  *Conversion `json:"custom,omitempty"`
	Drawing *Drawing    `json:"drawing,omitempty"` // for the MNIST models
	Text    string      `json:"text,omitempty"`    // for the SST-2 models
	Repeats int         `json:"repeats,omitempty"` // timed samples of each row, at most; 0 times none
	Explain string      `json:"explain,omitempty"` // SST-2: the variant of which to tell what each word adds; empty tells nothing
}

// A Drawing is a digit on its way to the nets: light ink on a dark field.
type Drawing struct {
	// Strokes are polylines of the pen: x, y, x, y, … each from 0 to DrawingGrid-1, from the top left.
	Strokes [][]int  `json:"strokes,omitempty"`
	Picture *Picture `json:"picture,omitempty"`  // what lies under the strokes
	Example *int     `json:"example,omitempty"`  // or this image of the test set
	AsDrawn bool     `json:"as_drawn,omitempty"` // neither centred by mass nor scaled to MNIST's 20-pixel box
	Invert  bool     `json:"invert,omitempty"`   // dark ink on a light field, which the nets never saw
}

// A Picture is a photo or a scan made an MNIST image of, in both ways: DigitSide x DigitSide bytes, 0 is background and 255
// is ink.
type Picture struct {
	Centred []byte `json:"centred"`  // the ink fitted into 20x20 and centred by mass
	AsDrawn []byte `json:"as_drawn"` // the whole picture, squeezed
	Note    string `json:"note,omitempty"`
}

// A GrayPicture is a decoded picture: row-major, 0 is black and 255 is white.
type GrayPicture struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Gray   []byte `json:"gray"`
}

// A SamplesRequest asks for some examples of the test set: for MNIST of each digit as many, for SST-2 of both verdicts.
type SamplesRequest struct {
	Model string `json:"model"`
	Count int    `json:"count"`
	Seed  uint64 `json:"seed,omitempty"`
}

// A SearchRequest looks through the test set for examples that a variant and float32 answer differently when they are shown
// each one alone.
type SearchRequest struct {
	Model   string      `json:"model"`
	Variant string      `json:"variant"`          // Custom too
	Custom  *Conversion `json:"custom,omitempty"` // with Custom
	Limit   int         `json:"limit,omitempty"`  // how many to find; 0 is MaxFound
}

// An Example is one of the test set.
type Example struct {
	Index int    `json:"index"`           // its place there
	Label string `json:"label"`           // the right answer
	Digit []byte `json:"digit,omitempty"` // MNIST: DigitSide x DigitSide, row-major, 0 is background
	Text  string `json:"text,omitempty"`  // SST-2

	// Of a search.
	Baseline string  `json:"baseline,omitempty"` // what float32 answers
	Answer   string  `json:"answer,omitempty"`   // what the variant answers
	Margin   float64 `json:"margin,omitempty"`   // by which float32 prefers its answer, in probability
}

// An InspectRequest asks what a conversion did to each layer.
type InspectRequest struct {
	Model string `json:"model"`
	Conversion
	Units []int `json:"units,omitempty"` // first-layer units of the MNIST models whose weights are to be drawn
}

// An AdviseRequest asks for each layer what would do better. What is tried is measured on the test set.
type AdviseRequest struct {
	Model string `json:"model"`
	Conversion
}

// An EvaluateRequest asks for size, accuracy and latency of a conversion.
type EvaluateRequest struct {
	Model string `json:"model"`
	Conversion
	Examples int   `json:"examples,omitempty"` // how many test examples; 0 is all
	Batches  []int `json:"batches,omitempty"`  // to time; none times nothing
}

// An Inspection is what a conversion did to a model.
type Inspection struct {
	Model    string   `json:"model"`
	Plan     string   `json:"plan"`
	Examples int      `json:"examples"` // that the activations come from
	Layers   []Layer  `json:"layers"`
	Filters  []Filter `json:"filters,omitempty"` // of the first layer, for the units asked for
	Notes    []string `json:"notes,omitempty"`
}

// A Layer is what a conversion did to one layer.
type Layer struct {
	Name   string `json:"name"`
	In     int    `json:"in"`
	Out    int    `json:"out"`
	ReLU   bool   `json:"relu"`
	Scheme string `json:"scheme"` // as scheme.ParseScheme reads it
	Bytes  int64  `json:"bytes"`  // of its parameters in the saved file

	Weights Distribution `json:"weights"`
	Input   Distribution `json:"input"`  // what entered it in the float32 network, on the calibration examples
	Output  Distribution `json:"output"` // and what left it, after the ReLU

	WeightLoss Distortion `json:"weight_loss"` // dequantized against float32
	InputLoss  Distortion `json:"input_loss"`  // of the activations that enter
	OutputLoss Distortion `json:"output_loss"` // of the layer alone, its input being float32's; on the first examples, at most 256
	ChainLoss  Distortion `json:"chain_loss"`  // of its output with all layers before it converted too; on the same examples

	Dead []int  `json:"dead,omitempty"` // units that no calibration example makes positive; only where there is a ReLU
	Rows []Loss `json:"rows,omitempty"` // outputs whose weights have the largest shares of the squared error, the worst first
	Cols []Loss `json:"cols,omitempty"` // inputs, likewise

	Explain []string `json:"explain"` // sentences, computed from these numbers
}

// A Distribution is how many numbers lie where, and the grid that stands for them.
//
// A dynamic layer's input has a grid for each batch, or each example: Grid is then the one in the middle by scale of those that
// the calibration examples get in batches of 64; Clipped and Used are those of all these grids together.
type Distribution struct {
	Lo      float64   `json:"lo"` // the smallest and the largest
	Hi      float64   `json:"hi"`
	Mean    float64   `json:"mean"`
	Std     float64   `json:"std"` // of all of them: divided by Count
	Count   int       `json:"count"`
	Zeros   int       `json:"zeros"`            // exactly zero
	Bins    []int     `json:"bins"`             // equal ones from Lo to Hi; the last one includes Hi
	Grid    *Grid     `json:"grid,omitempty"`   // none where the numbers stay floating-point
	Scales  []float64 `json:"scales,omitempty"` // of the channels' grids, ascending: smallest, quartiles, largest; Grid is then the median's
	Clipped float64   `json:"clipped"`          // share, 0 to 1, that lies more than half a step beyond the grid's ends
	Used    int       `json:"used,omitempty"`   // levels of the grid that some number takes
}

// A Grid is an activation's or a weight's: the integer q from Min to Max stands for Scale*(q-Zero).
type Grid struct {
	Scale float64 `json:"scale"`
	Zero  int32   `json:"zero"`
	Min   int32   `json:"min"`
	Max   int32   `json:"max"`
	Lo    float64 `json:"lo"` // the numbers that Min and Max stand for
	Hi    float64 `json:"hi"`
	Top   int32   `json:"top,omitempty"` // the highest integer that the calibrated range is spread over, with a reduced range below Max
}

// A Distortion says how far quantized numbers are from the ones they stand for.
type Distortion struct {
	SQNR float64 `json:"sqnr"` // signal-to-quantization-noise ratio, dB; 400 where nothing was lost
	Max  float64 `json:"max"`  // largest absolute error
	Mean float64 `json:"mean"` // mean absolute error
}

// A Loss is what one row or column of weights lost.
type Loss struct {
	Index int     `json:"index"`
	SQNR  float64 `json:"sqnr"`
	Share float64 `json:"share"` // of the layer's squared error
}

// A Filter is a first-layer unit's weights as pictures of Side x Side, one byte a weight.
type Filter struct {
	Unit       int     `json:"unit"`
	Side       int     `json:"side"`
	Range      float64 `json:"range"`       // in Float and Quantized, 0 is -Range, 128 is 0 and 255 is almost Range
	ErrorRange float64 `json:"error_range"` // likewise in Error
	Float      []byte  `json:"float"`
	Quantized  []byte  `json:"quantized"`
	Error      []byte  `json:"error"`
	SQNR       float64 `json:"sqnr"`
}

// An Advice is a change of one layer's scheme, measured.
type Advice struct {
	Layer  int     `json:"layer"`
	Scheme string  `json:"scheme"` // to use instead
	Text   string  `json:"text"`   // a sentence with the numbers
	Gained int     `json:"gained"` // test examples answered rightly only with it
	Lost   int     `json:"lost"`   // and only without
	Total  int     `json:"total"`  // examples tried
	P      float64 `json:"p"`      // exact two-sided McNemar
}
