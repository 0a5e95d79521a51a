package report

import (
	"encoding/json"
	"fmt"
	"io"

	"quantlab/core/lab/wire"
)

// JSON writes one result as an object with the fields version, hardware, settings, rows and notes, indented by two
// spaces; several results as an array of such objects, so that each keeps its own hardware and settings.
func JSON(w io.Writer, results ...wire.Result) error {
	if len(results) == 1 {
		return encode(w, results[0])
	}
	if results == nil {
		results = []wire.Result{}
	}
	return encode(w, results)
}

// HardwareJSON writes the hardware as an object.
func HardwareJSON(w io.Writer, h wire.Hardware) error { return encode(w, h) }

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}
