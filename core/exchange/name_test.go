package exchange

import (
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// What only its name calls a model is not taken for examples.
func TestModelByNameOnly(t *testing.T) {
	for name, data := range map[string]string{"x.pt": "hello, not a model", "x.pth": "\x00\x01\x02\x03", "empty.PT": ""} {
		_, err := Import(t.Context(), []File{{Name: name, Data: []byte(data)}}, wire.ImportRequest{}, nil, nil)
		if err == nil || !strings.Contains(err.Error(), name+" is no file that PyTorch writes") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
