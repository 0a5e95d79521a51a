package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
)

// AMPTables returns the tables of mixed-precision training: how long it took, what it gave, how fast that is, and every single
// training.
func AMPTables(a wire.AMP) []PlainTable {
	if len(a.Rows) == 0 {
		return nil
	}
	tables := []PlainTable{trainingTable(a), trainedTable(a)}
	for _, t := range []PlainTable{trainedLatencies(a), trainingsTable(a)} {
		if len(t.Rows) > 0 {
			tables = append(tables, t)
		}
	}
	return tables
}

func trainingTable(a wire.AMP) PlainTable {
	kind := a.Options.Type
	t := PlainTable{
		Title: "Training in float32 and in mixed precision, " + kind, Caption: trainingCaption(a),
		Columns: []Column{
			{Key: "model", Title: "Model"}, {Key: "float32", Title: "float32 (s)", Right: true}, {Key: "mixed", Title: kind + " (s)", Right: true}, {Key: "time", Title: "Training"},
			{Key: "float32-matrix", Title: "float32 products (s)", Right: true}, {Key: "mixed-matrix", Title: kind + " products (s)", Right: true}, {Key: "matrix", Title: "Matrix products"},
		},
	}
	seconds, matrix := func(t wire.Training) float64 { return t.Seconds }, func(t wire.Training) float64 { return t.Matrix }
	for _, r := range a.Rows {
		t.Rows = append(t.Rows, []string{
			r.Model, OverSeeds(r.Float32, seconds), OverSeeds(r.Mixed, seconds), trainingVerdict(r, r.Time),
			OverSeeds(r.Float32, matrix), OverSeeds(r.Mixed, matrix), trainingVerdict(r, r.Matrix),
		})
	}
	return t
}

func trainingCaption(a wire.AMP) string {
	kind, seeds := a.Options.Type, max(a.Options.Seeds, 1)
	s := fmt.Sprintf("Seconds in training steps, and of these in matrix products, conversions to %s included: mean ± standard deviation over %s, "+
		"from which both kinds were trained by turns.", kind, strconv.Itoa(seeds)+plural(seeds, " seed", " seeds"))
	if n := a.Options.Epochs; n > 0 {
		s += " " + strconv.Itoa(n) + plural(n, " epoch each.", " epochs each.")
	}
	if n := a.Options.Limit; n > 0 {
		s += " Trained on the first " + Count(n) + plural(n, " example", " examples") + " only."
	}
	if slices.ContainsFunc(a.Rows, func(r wire.AMPRow) bool { return r.Emulated }) {
		s += " Products in " + kind + " were emulated: their results are what they should be, their times say nothing."
	}
	return s
}

func trainedTable(a wire.AMP) PlainTable {
	t := PlainTable{
		Title:   "What was trained in " + a.Options.Type + ", evaluated in float32",
		Caption: "The model of the first seed, against the one that float32 trained from it.",
		Columns: []Column{
			{Key: "model", Title: "Model"}, {Key: "baseline", Title: "float32's accuracy"}, {Key: "accuracy", Title: "Accuracy [95% interval]"},
			{Key: "flips", Title: "Answers against float32"}, {Key: "size", Title: "Size (MB)", Right: true},
		},
	}
	for _, r := range a.Rows {
		base := r.Baseline
		base.Interval = nil
		t.Rows = append(t.Rows, []string{r.Model, accuracy(base), accuracy(r.Row), Flips(r.Paired), cell(r.Row, "size", true)})
	}
	return t
}

// trainedLatencies has a row for each model and batch size.
func trainedLatencies(a wire.AMP) PlainTable {
	t := PlainTable{
		Title: "Latency of what was trained in " + a.Options.Type,
		Columns: []Column{
			{Key: "model", Title: "Model"}, {Key: "batch", Title: "Batch", Right: true}, {Key: "float32", Title: "Trained in float32 (µs)", Right: true},
			{Key: "mixed", Title: "Trained in " + a.Options.Type + " (µs)", Right: true}, {Key: "verdict", Title: "Against float32"},
		},
	}
	var rows []wire.Row
	for _, r := range a.Rows {
		rows = append(rows, r.Baseline, r.Row)
		for _, b := range Batches(r.Row) {
			t.Rows = append(t.Rows, []string{r.Model, b, cell(r.Baseline, "latency-"+b, true), cell(r.Row, "latency-"+b, true), cell(r.Row, "verdict-"+b, true)})
		}
	}
	t.Caption = caption(Models(a.Settings), "", rows)
	return t
}

// trainingVerdict words a verdict on trainings.
func trainingVerdict(r wire.AMPRow, v *wire.Verdict) string {
	switch {
	case len(r.Mixed) == 0:
		return Missing
	case r.Emulated:
		return "emulated"
	case v == nil:
		return "too few seeds to tell"
	}
	return verdictCell(v)
}

// OverSeeds is the mean of what the trainings took, and its sample standard deviation.
func OverSeeds(trainings []wire.Training, value func(wire.Training) float64) string {
	n := float64(len(trainings))
	if n == 0 {
		return Missing
	}
	mean, squares := 0.0, 0.0
	for _, t := range trainings {
		mean += value(t) / n
	}
	for _, t := range trainings {
		squares += (value(t) - mean) * (value(t) - mean)
	}
	return PlusMinus(mean, math.Sqrt(squares/max(n-1, 1)))
}

// trainingsTable has a row for every training.
func trainingsTable(a wire.AMP) PlainTable {
	t := PlainTable{
		Title:   "Every training",
		Caption: "Loss is the mean of the last steps.",
		Columns: []Column{
			{Key: "model", Title: "Model"}, {Key: "type", Title: "Products"}, {Key: "seed", Title: "Seed", Right: true},
			{Key: "seconds", Title: "Time (s)", Right: true}, {Key: "matrix", Title: "Matrix (s)", Right: true}, {Key: "steps", Title: "Steps", Right: true},
			{Key: "loss", Title: "Loss", Right: true}, {Key: "correct", Title: "Correct", Right: true},
		},
	}
	scaled := a.Options.Type == wire.Float16
	if scaled {
		t.Caption += " A step whose gradients overflow float16 is skipped, and halves the factor by which the loss is scaled."
		t.Columns = append(t.Columns, Column{Key: "skipped", Title: "Skipped", Right: true}, Column{Key: "scale", Title: "Loss scale"})
	}
	for _, r := range a.Rows {
		for _, v := range slices.Concat(r.Float32, r.Mixed) {
			cells := []string{
				v.Model, v.Type, strconv.FormatUint(v.Seed, 10), Figures(v.Seconds, 3), Figures(v.Matrix, 3), Count(v.Steps),
				lastLoss(v), Count(v.Correct) + " of " + Count(v.Total),
			}
			if scaled {
				cells = append(cells, Count(v.Skipped), ScaleHistory(v))
			}
			t.Rows = append(t.Rows, cells)
		}
	}
	return t
}

func lastLoss(t wire.Training) string {
	if len(t.Curve) == 0 {
		return Missing
	}
	return Figures(t.Curve[len(t.Curve)-1].Loss, 3)
}

// maxScales is how many changes of a loss scale are told one by one.
const maxScales = 6

// ScaleHistory tells how the loss scale went: "65,536; 32,768 by step 8; 65,536 by step 1,201". Where it was not scaled, that is
// Missing.
func ScaleHistory(t wire.Training) string {
	var told []string
	scale := 0.0
	for _, p := range t.Curve {
		if p.Scale == scale {
			continue
		}
		if text := Figures(p.Scale, 1); scale == 0 {
			told = append(told, text)
		} else {
			told = append(told, text+" by step "+Count(p.Step))
		}
		scale = p.Scale
	}
	if n := len(told); n > maxScales {
		told = append(told[:maxScales-1], fmt.Sprintf("%d more changes", n-maxScales), told[n-1])
	}
	if len(told) == 0 {
		return Missing
	}
	return strings.Join(told, "; ")
}

// TrainingSummary tells in a sentence or two how a training went.
func TrainingSummary(t wire.Training) string {
	s := fmt.Sprintf("Trained in %s: %s steps in %s s, %s s of these in matrix products", t.Type, Count(t.Steps), Figures(t.Seconds, 3), Figures(t.Matrix, 3))
	if t.Type == wire.Float16 {
		s += fmt.Sprintf("; %s %s skipped. Loss scale: %s", Count(t.Skipped), plural(t.Skipped, "step was", "steps were"), ScaleHistory(t))
	}
	return s + "."
}

// AMPNotes returns what the reader must know: of single models, and of the whole.
func AMPNotes(a wire.AMP) []string {
	var rows []wire.Row
	for _, r := range a.Rows {
		rows = append(rows, r.Row)
	}
	return append(Notes(rows), a.Notes...)
}

// AMPJSON writes the experiment as an object with the fields version, hardware, settings, options, rows and notes.
func AMPJSON(w io.Writer, a wire.AMP) error {
	if a.Rows == nil {
		a.Rows = []wire.AMPRow{}
	}
	return encode(w, a)
}

// AMPMarkdown writes the experiment as GitHub-flavoured Markdown.
func AMPMarkdown(w io.Writer, a wire.AMP) error {
	var b strings.Builder
	b.WriteString("# Mixed-precision training\n\n" + escape(SettingText(a.Setting)) + "\n\n")
	markdownHardware(&b, a.Hardware)
	for _, t := range AMPTables(a) {
		markdownPlain(&b, t)
	}
	if notes := AMPNotes(a); len(notes) > 0 {
		b.WriteString("## Notes\n\n")
		for _, n := range notes {
			b.WriteString("- " + escape(n) + "\n")
		}
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// TypeName is a type of mixed precision in full: "bfloat16". What is none stays as it is.
func TypeName(id string) string {
	switch id {
	case wire.BFloat16:
		return "bfloat16"
	case wire.Float16:
		return "float16"
	}
	return id
}

// ampHeader names the columns of AMPCSV, but for those of the latencies.
var ampHeader = []string{
	"model", "type", "emulated", "trained", "seed", "seconds", "matrix_seconds", "steps", "skipped", "last_loss", "last_scale", "correct", "total",
	"time_ratio", "time_low", "time_high", "time_verdict", "matrix_ratio", "matrix_low", "matrix_high", "matrix_verdict",
	"size_bytes", "flipped", "gained", "lost", "p", "note", "engine", "threads", "cpu", "version",
}

// AMPCSV writes a line a training, at full precision; what compares mixed precision with float32 stands in the lines of mixed ones,
// and sizes, flips and latencies in those of the first seed. A model that could not be trained has a line with its note.
func AMPCSV(w io.Writer, a wire.AMP) error {
	var rows []wire.Row
	for _, r := range a.Rows {
		rows = append(rows, r.Baseline, r.Row)
	}
	batches := Batches(rows...)
	header := slices.Clone(ampHeader)
	for _, b := range batches {
		header = append(header, "mean_us_"+b, "std_us_"+b)
	}
	lines := [][]string{header}
	for _, r := range a.Rows {
		for _, v := range r.Float32 {
			lines = append(lines, ampLine(a, r, v, r.Baseline, nil, nil, batches))
		}
		for _, v := range r.Mixed {
			lines = append(lines, ampLine(a, r, v, r.Row, r.Time, r.Matrix, batches))
		}
		if len(r.Float32)+len(r.Mixed) == 0 {
			lines = append(lines, ampLine(a, r, wire.Training{Model: r.Model}, wire.Row{}, nil, nil, batches))
		}
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// ampLine is the line of a training; row is what the first one of its kind gave.
func ampLine(a wire.AMP, r wire.AMPRow, t wire.Training, row wire.Row, time, matrix *wire.Verdict, batches []string) []string {
	var last wire.CurvePoint
	if n := len(t.Curve); n > 0 {
		last = t.Curve[n-1]
	}
	line := []string{
		harmless(t.Model), harmless(r.Type), strconv.FormatBool(r.Emulated), harmless(t.Type), strconv.FormatUint(t.Seed, 10),
		number(t.Seconds, t.Steps > 0), number(t.Matrix, t.Steps > 0), positive(int64(t.Steps)), strconv.Itoa(t.Skipped),
		number(last.Loss, t.Steps > 0), number(last.Scale, last.Scale > 0), strconv.Itoa(t.Correct), strconv.Itoa(t.Total),
	}
	line = append(line, verdictFields(time)...)
	line = append(line, verdictFields(matrix)...)
	if t.Seed != a.Settings.Seed {
		row = wire.Row{}
	}
	line = append(line, positive(row.SizeBytes))
	line = append(line, pairedFields(row.Paired)...)
	line = append(line, harmless(r.Note), harmless(r.Engine), strconv.Itoa(r.Threads), harmless(a.Hardware.CPU), harmless(a.Version))
	for _, b := range batches {
		l, ok := row.LatencyUS[b]
		line = append(line, number(l.Mean, ok), number(l.Std, ok && len(l.Samples) > 1))
	}
	return line
}
