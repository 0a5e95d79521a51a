package wire

import (
	"encoding/json"
	"strings"
	"testing"
)

// A note reaches every part of a study that has notes.
func TestNote(t *testing.T) {
	s := Study{
		Results: make([]Result, 1), Sensitivity: make([]Sensitivity, 2), Plans: make([]Plans, 1), Sweeps: make([]Sweep, 1), AMP: make([]AMP, 1),
	}
	s.Note("the machine was busy", "so was the other")
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), `"notes":["the machine was busy","so was the other"]`); n != 6 {
		t.Errorf("%d of 6 parts have the notes: %s", n, data)
	}
}

func TestMeasures(t *testing.T) {
	for op, want := range map[string]bool{
		OpRun: true, OpSensitivity: true, OpPlans: true, OpSweep: true, OpAMP: true,
		OpCancel: false, OpPredict: false, OpEvaluate: false, "": false,
	} {
		if Measures(op) != want {
			t.Errorf("%q: %v", op, !want)
		}
	}
}
