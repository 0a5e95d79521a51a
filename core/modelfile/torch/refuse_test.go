package torch

import (
	"strings"
	"testing"
)

// TestReadRefuses reads what PyTorch wrote and no state_dict is.
func TestReadRefuses(t *testing.T) {
	for name, says := range map[string]string{
		"whole.pt":            `a whole object of the class __main__.MLP, which only the Python program that wrote it knows: save torch.save(model.state_dict(), "model.pt") instead`,
		"whole_legacy.pt":     "a whole object of the class __main__.MLP",
		"whole_quantized.pt":  "a whole object of the class __main__.MLP",
		"script.pt":           "TorchScript",
		"script_quantized.pt": "TorchScript",
		"program.pt2":         "torch.export",
		"optimizer.pt":        "no tensors",
		"tensor.pt":           "a single tensor",
		"list.pt":             "holds a list",
		"two.pt":              `several models ("generator", "critic")`,
		"old.pt":              "older than 0.1.10",
		"oldest.pkl":          "oldest form",
	} {
		data := fixture(t, name)
		if !IsCheckpoint(data) && name != "oldest.pkl" {
			t.Errorf("%s is not recognised", name)
		}
		_, err := Read(data)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
		if _, err := ReadList(data); err == nil {
			t.Errorf("%s is read as a vocabulary", name)
		}
	}
}
