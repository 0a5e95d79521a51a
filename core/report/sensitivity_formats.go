package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
)

// settingOf is the result of a run with these settings, without rows.
func settingOf(s wire.Setting) wire.Result {
	return wire.Result{Version: s.Version, Hardware: s.Hardware, Settings: s.Settings}
}

// SettingText says in a sentence how an experiment was measured.
func SettingText(s wire.Setting) string { return Settings(settingOf(s)) }

// SensitivityJSON writes an object with the fields version, hardware, settings, rows, references, correlations and notes.
func SensitivityJSON(w io.Writer, s wire.Sensitivity) error {
	if s.Rows == nil {
		s.Rows = []wire.SensitivityRow{}
	}
	if s.References == nil {
		s.References = []wire.Row{}
	}
	return encode(w, s)
}

// SensitivityCSV writes lines like CSV's with what was quantized in front and the decibels behind. References have no layer.
func SensitivityCSV(w io.Writer, s wire.Sensitivity) error {
	c := csv.NewWriter(w)
	lines := [][]string{append(append([]string{"layer", "mode", "plan"}, csvHeader...), "weights_sqnr_db", "output_sqnr_db", "logits_sqnr_db", "sqnr_examples")}
	add := func(r wire.SensitivityRow) {
		batches := Batches(r.Row)
		if len(batches) == 0 {
			batches = []string{""}
		}
		f := r.Fidelity
		for _, b := range batches {
			line := append([]string{harmless(r.Layer), harmless(r.Mode), harmless(r.Plan)}, csvLine(settingOf(s.Setting), r.Row, b)...)
			lines = append(lines, append(line, number(f.Weights, f.Weights != 0), number(f.Output, f.Examples > 0), number(f.Logits, f.Examples > 0), positive(int64(f.Examples))))
		}
	}
	for _, r := range s.References {
		add(wire.SensitivityRow{Row: r})
	}
	for _, r := range s.Rows {
		add(r)
	}
	return c.WriteAll(lines)
}

// SensitivityMarkdown writes each model's table, what it comes to in plain words, and the correlations.
func SensitivityMarkdown(w io.Writer, s wire.Sensitivity) error {
	var b strings.Builder
	b.WriteString("# Sensitivity to quantization, layer by layer\n\n" + escape(SettingText(s.Setting)) + "\n\n")
	markdownHardware(&b, s.Hardware)
	for _, model := range SensitivityModels(s) {
		markdownPlain(&b, SensitivityTable(s, model))
		markdownList(&b, SensitivityFindings(s, model))
		if t := CorrelationTable(s, model); len(t.Rows) > 0 {
			markdownPlain(&b, t)
			markdownList(&b, CorrelationSentences(s, model))
		}
	}
	if notes := SensitivityNotes(s); len(notes) > 0 {
		b.WriteString("## Notes\n\n")
		markdownList(&b, notes)
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

func markdownList(b *strings.Builder, items []string) {
	for _, item := range items {
		b.WriteString("- " + escape(item) + "\n")
	}
	if len(items) > 0 {
		b.WriteString("\n")
	}
}

// SensitivityNotes returns what the reader must know of the whole and of single rows.
func SensitivityNotes(s wire.Sensitivity) []string {
	rows := slices.Clone(s.References)
	for _, r := range s.Rows {
		rows = append(rows, r.Row)
	}
	out := append(rowNotes(rows), outlierNotes(rows)...)
	return append(out, s.Notes...)
}
