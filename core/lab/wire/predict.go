package wire

// A Prediction is what every variant of one model answers to one input.
type Prediction struct {
	Version string   `json:"version"`
	Model   string   `json:"model"`
	Labels  []string `json:"labels"` // of the classes, in the order of Probabilities

	// What the net really saw. MNIST: Side x Side pixels, row-major, 0 is background and 255 is ink.
	Side   int   `json:"side,omitempty"`
	Pixels []int `json:"pixels,omitempty"`
	// MNIST: the image before it is cropped for the model, DigitSide x DigitSide.
	Digit []byte `json:"digit,omitempty"`
	// SST-2: the sentence's words in their order, the first MaxWords of them; the unknown ones are dropped before the bag is made.
	Words     []Word `json:"words,omitempty"`
	MoreWords int    `json:"more_words,omitempty"` // how many words follow them
	// What the words add up to, where PredictRequest.Explain asked.
	Decision *Decision `json:"decision,omitempty"`

	Answers []Answer `json:"answers"` // one a variant, the baseline first
	Notes   []string `json:"notes,omitempty"`
}

// A Word is one word of a sentence.
type Word struct {
	Text  string `json:"text"`
	Known bool   `json:"known"`           // the model's vocabulary holds it
	Rank  int    `json:"rank,omitempty"`  // its place in the vocabulary, the most frequent word being 1
	Count int    `json:"count,omitempty"` // how often the sentence holds it, where it is known

	// What the word, all its occurrences together, adds to the decision; see Decision.
	Adds    float64 `json:"adds,omitempty"`
	Without float64 `json:"without,omitempty"`
}

// A Decision is how far a sentence's logit of "positive" is above that of "negative", and where that comes from. With every
// ReLU as this sentence sets it the network is linear, so Sum is exactly the bias's part and the words' Word.Adds: how
// much the word's weights contribute. Word.Without asks the whole net instead: by how much Sum falls when the word is left out and the
// ReLUs are free to change. Word.Adds is float32's, whatever Variant is.
type Decision struct {
	Variant string  `json:"variant"` // of Sum and Word.Without
	Sum     float64 `json:"sum"`
	Float32 float64 `json:"float32"` // the baseline's Sum, which Bias and Word.Adds add up to
	Bias    float64 `json:"bias"`
}

// An Answer is one variant's answer.
type Answer struct {
	Variant       string    `json:"variant"`
	Q             string    `json:"q"`
	DType         string    `json:"dtype"`
	Label         string    `json:"label"`         // of the likeliest class
	Probabilities []float64 `json:"probabilities"` // softmax of the logits, one a class
	Logits        []float64 `json:"logits"`
	Agrees        bool      `json:"agrees"`            // with the baseline's class
	Margin        float64   `json:"margin"`            // by how much the likeliest class is more probable than the second
	Call          *Latency  `json:"call_us,omitempty"` // of this very input, of up to PredictRequest.Repeats samples
	Note          string    `json:"note,omitempty"`    // why there is no answer
}
