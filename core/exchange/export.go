package exchange

import (
	encoding "encoding/json"
	"fmt"
	"io"

	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/modelfile/onnx"
	"quantlab/core/modelfile/torch"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// A Card tells a file's reader what the model in it is.
type Card struct {
	Spec       nn.Spec
	Vocabulary []string // where the model counts words
	Correct    int      // test examples that the float32 network got right when it was trained,
	Total      int      // of how many; 0: not known
	Version    string   // of this program
}

// Export writes a converted model in one of wire.ExportFormats. It returns what the file's reader must know.
func Export(w io.Writer, m *quant.Model, c Card, format string) (notes []string, err error) {
	switch format {
	case wire.Safetensors:
		meta := modelfile.Meta{Vocabulary: c.Vocabulary, Correct: c.Correct, Total: c.Total}
		if c.Spec.Own {
			if meta.Own, err = encoding.Marshal(wire.OwnModel{Spec: c.Spec}); err != nil {
				return nil, fmt.Errorf("describing %s: %w", c.Spec.ID, err)
			}
		}
		return nil, modelfile.Write(w, m, meta)
	case wire.PyTorch:
		return torchNotes(m.Weights()), torch.Write(w, stateDict(m.Weights(), false))
	case wire.ONNX:
		return onnx.Notes(m.Weights()), onnx.Write(w, m.Weights(), onnx.Description{
			Spec: c.Spec, Vocabulary: c.Vocabulary, Correct: c.Correct, Total: c.Total, Version: c.Version,
		})
	}
	return nil, wire.ExportRequest{Format: format, Variant: wire.Baseline}.Validate()
}

// FileName names the file of an export: "mnist-lab2-static-qint8.onnx".
func FileName(req wire.ExportRequest) string {
	return fmt.Sprintf("%s-%s.%s", req.Model, req.Variant, req.Format)
}

// TorchSize returns how many bytes the layers' model takes in the file that PyTorch saves it as: torch.save of the state_dict of what
// torch.ao converts. It keeps halves in memory only, and stores them as float32.
func TorchSize(layers []quant.QuantizedLayer) (int64, error) {
	return torch.Size(stateDict(layers, true))
}
