package wire

// A Prediction is what every variant of one model answers to one input.
type Prediction struct {
	Version string   `json:"version"`
	Model   string   `json:"model"`
	Labels  []string `json:"labels"` // of the classes, in the order of Probabilities

	// What the net really saw. MNIST: Side x Side pixels, row-major, 0 is background and 255 is ink.
	Side   int   `json:"side,omitempty"`
	Pixels []int `json:"pixels,omitempty"`
	// SST-2: the sentence's words in their order; the unknown ones are dropped before the bag is made.
	Words []Word `json:"words,omitempty"`

	Answers []Answer `json:"answers"` // one a variant, the baseline first
	Notes   []string `json:"notes,omitempty"`
}

// A Word is one word of a sentence.
type Word struct {
	Text  string `json:"text"`
	Known bool   `json:"known"` // the model's vocabulary holds it
}

// An Answer is one variant's answer.
type Answer struct {
	Variant       string    `json:"variant"`
	Q             string    `json:"q"`
	DType         string    `json:"dtype"`
	Label         string    `json:"label"`         // of the likeliest class
	Probabilities []float64 `json:"probabilities"` // softmax of the logits, one a class
	Logits        []float64 `json:"logits"`
	Agrees        bool      `json:"agrees"`         // with the baseline's class
	Note          string    `json:"note,omitempty"` // why there is no answer
}
