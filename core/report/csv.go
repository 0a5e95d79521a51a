package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
)

// csvHeader names the columns of CSV. Times are in µs a forward pass, sizes in bytes, accuracies are shares of 1.
var csvHeader = []string{
	"model", "variant", "q", "dtype", "host", "engine", "threads", "input",
	"size_bytes", "size_torch_bytes", "times_smaller", "params", "accuracy", "correct", "total", "accuracy_low", "accuracy_high", "flipped", "gained", "lost", "p",
	"batch", "runs", "calls_a_run", "mean_us", "std_us", "median_us", "p95_us", "ratio", "ratio_low", "ratio_high", "verdict", "outliers", "samples_us",
	"note", "seed", "cpu", "browser", "version",
}

// CSV writes results as comma-separated values with a header (RFC 4180), full precision, one line for each model,
// variant, host and batch size; a row without latencies has one line with an empty batch. Samples and outliers are lists
// separated by spaces. Text that a spreadsheet would take for a formula gets an apostrophe in front.
func CSV(w io.Writer, results ...wire.Result) error {
	c := csv.NewWriter(w)
	if err := c.Write(csvHeader); err != nil {
		return err
	}
	for _, result := range results {
		for _, row := range sortedRows([]wire.Result{result}, Models(result.Settings)) {
			batches := Batches(row)
			if len(batches) == 0 {
				batches = []string{""}
			}
			for _, b := range batches {
				if err := c.Write(csvLine(result, row, b)); err != nil {
					return err
				}
			}
		}
	}
	c.Flush()
	return c.Error()
}

// HardwareCSV writes the hardware rows as two columns.
func HardwareCSV(w io.Writer, h wire.Hardware) error {
	c := csv.NewWriter(w)
	lines := [][]string{{"property", "value"}}
	for _, row := range HardwareRows(h) {
		lines = append(lines, []string{row[0], harmless(row[1])})
	}
	return c.WriteAll(lines)
}

func csvLine(result wire.Result, r wire.Row, batch string) []string {
	line := []string{
		harmless(r.Model), harmless(r.Variant), harmless(r.Q), harmless(r.DType), harmless(r.Host), harmless(r.Engine),
		strconv.Itoa(r.Threads), harmless(r.Input),
		positive(r.SizeBytes), positive(r.SizeTorch), number(r.Smaller, r.Smaller > 0), positive(int64(r.Params)),
	}
	if r.Accuracy != nil {
		line = append(line, number(*r.Accuracy, true), strconv.Itoa(r.Correct), strconv.Itoa(r.Total))
	} else {
		line = append(line, "", "", "")
	}
	if r.Interval != nil {
		line = append(line, number(r.Interval[0], true), number(r.Interval[1], true))
	} else {
		line = append(line, "", "")
	}
	line = append(line, pairedFields(r.Paired)...)
	line = append(line, harmless(batch))
	if l, ok := r.LatencyUS[batch]; ok {
		line = append(line, strconv.Itoa(len(l.Samples)), strconv.Itoa(l.Calls),
			number(l.Mean, true), number(l.Std, len(l.Samples) > 1), number(l.Median, true), number(l.P95, true))
		line = append(line, verdictFields(l.Verdict)...)
		line = append(line, strings.Trim(fmt.Sprint(l.Outliers), "[]"), samples(l.Samples))
	} else {
		line = append(line, "", "", "", "", "", "", "", "", "", "", "", "")
	}
	return append(line, harmless(r.Note), strconv.FormatUint(result.Settings.Seed, 10),
		harmless(result.Hardware.CPU), harmless(result.Hardware.Browser), harmless(result.Version))
}

// pairedFields are flipped, gained, lost and p.
func pairedFields(p *wire.Paired) []string {
	if p == nil {
		return make([]string, 4)
	}
	return []string{strconv.Itoa(len(p.Flipped)), strconv.Itoa(p.Gained), strconv.Itoa(p.Lost), number(p.P, true)}
}

// verdictFields are ratio, its interval's ends, and the word.
func verdictFields(v *wire.Verdict) []string {
	if v == nil {
		return make([]string, 4)
	}
	return []string{number(v.Ratio, true), number(v.Low, true), number(v.High, true), harmless(v.Word)}
}

// number writes the shortest digits that read back as v.
func number(v float64, known bool) string {
	if !known || !finite(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func positive(n int64) string {
	if n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func samples(v []float64) string {
	s := make([]string, len(v))
	for i, x := range v {
		s[i] = strconv.FormatFloat(x, 'g', -1, 64)
	}
	return strings.Join(s, " ")
}

// harmless returns text that no spreadsheet runs as a formula, as OWASP advises on CSV injection. The lab's "--" is none.
func harmless(text string) string {
	if text == "" || text == "--" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(text)[0]) {
		return text
	}
	return "'" + text
}
