package app

import (
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
)

// A testSet is the examples that measure a model's accuracy: the test set of its data, or examples of the reader's own.
type testSet struct {
	Size int
	Noun string // of one: "test image"
	Of   string // the name of the reader's own, or ""
}

// testSetOf returns what tests a model. Chosen are the reader's own examples that are to take the place of the model's, where it
// reads such; "" is none.
func testSetOf(spec nn.Spec, own *wire.Own, chosen string) testSet {
	for _, name := range []string{chosen, spec.Test} {
		if d, err := own.DataOf(name); err == nil && d.Data == spec.Data {
			noun := "image"
			if d.Data == nn.SST2 {
				noun = "sentence"
			}
			return testSet{Size: d.Examples, Noun: noun, Of: name}
		}
	}
	if spec.Data == nn.SST2 {
		return testSet{Size: 872, Noun: "dev sentence"}
	}
	return testSet{Size: 10000, Noun: "test image"}
}

// count counts some of the examples: "1,000 test images", "24 images of my-digits".
func (t testSet) count(n int) string { return plural(n, t.Noun) + t.whose() }

// first says that of the first n of them; 0 is all.
func (t testSet) first(n int) string {
	if n == 0 || n >= t.Size {
		return "all " + t.count(t.Size)
	}
	return "the first " + t.count(n)
}

func (t testSet) whose() string {
	if t.Of == "" {
		return ""
	}
	return " of " + t.Of
}

// name is what the examples are called together.
func (t testSet) name() string {
	switch {
	case t.Of != "":
		return t.Of
	case t.Noun == "dev sentence":
		return "the dev set"
	}
	return "the test set"
}

// sentences are all of them, where they are sentences.
func (t testSet) sentences() string { return "the " + plural(t.Size, "sentence") + " of " + t.name() }

// kind says how many there are of what: "24 images".
func (t testSet) kind() string { return plural(t.Size, t.Noun) }

// size is their number in words.
func (t testSet) size() string { return report.Count(t.Size) }

// spec returns the model of that name; one that is gone has nothing but the name.
func (s *State) spec(id string) nn.Spec {
	spec, err := s.catalog().Of(id)
	if err != nil {
		return nn.Spec{ID: id}
	}
	return spec
}
