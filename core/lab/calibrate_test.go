package lab

import (
	"fmt"
	"slices"
	"testing"

	"quantlab/core/nn"
	"quantlab/core/quant"
)

// calibrated returns what a model's file holds for hosts without the data.
func calibrated(t *testing.T, model string) *quant.Calibration {
	t.Helper()
	spec, err := nn.SpecOf(model)
	if err != nil {
		t.Fatal(err)
	}
	cal, err := Calibrate(t.Context(), randomNetwork(spec), randomExamples(spec, 70, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

func TestCalibrateTellsHowFar(t *testing.T) {
	spec, _ := nn.SpecOf("mnist-lab1")
	var told []string
	_, err := Calibrate(t.Context(), randomNetwork(spec), randomExamples(spec, 150, 1), func(done, total int) {
		told = append(told, fmt.Sprint(done, "/", total))
	})
	if want := []string{"64/150", "128/150", "150/150"}; err != nil || !slices.Equal(told, want) {
		t.Errorf("told %q, error %v", told, err)
	}
}
