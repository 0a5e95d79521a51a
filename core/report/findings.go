package report

import (
	"fmt"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
)

// The measures of a wire.Fidelity, the dearest first.
var measures = []struct{ key, plural, whose, needs string }{
	{"logits", "logits", "The logits' SQNR", "no labels"},
	{"output", "layers' outputs", "The SQNR of the layers' own outputs", "no labels"},
	{"weights", "weights", "The weights' SQNR", "no data at all"},
}

// Significant is the p-value below which a difference is told as one.
const Significant = 0.05

// CorrelationSentences says in plain words, one sentence a measure, whether the measures that take no labels rank a model's plans
// as accuracy does and as the answers that differ do.
func CorrelationSentences(s wire.Sensitivity, model string) []string {
	var out []string
	for _, m := range measures {
		accuracy, hasAccuracy := correlationOf(s, model, "", m.key, "accuracy")
		flips, hasFlips := correlationOf(s, model, "", m.key, "flips")
		var parts []string
		if hasAccuracy {
			parts = append(parts, foretells(accuracy, 1, "ranks the plans as accuracy does", "ranks the plans in the reverse order of their accuracy",
				"does not detectably rank the plans as accuracy does"))
		}
		if hasFlips {
			parts = append(parts, foretells(flips, -1, "tells which plans answer like float32", "ranks first the plans that answer least like float32",
				"does not detectably tell which plans answer like float32"))
		}
		if len(parts) == 0 {
			continue
		}
		n := max(accuracy.N, flips.N)
		join := "; it "
		if len(parts) == 2 && (accuracy.P < Significant) != (flips.P < Significant) {
			join = ", but it "
		}
		out = append(out, fmt.Sprintf("%s, which needs %s, %s, over %d plans.", m.whose, m.needs, strings.Join(parts, join), n))
	}
	return out
}

// foretells picks the words for a correlation that is of use where it has that sign.
func foretells(c wire.Correlation, sign float64, yes, reversed, no string) string {
	words := no
	if c.P < Significant {
		words = yes
		if c.Rho*sign < 0 {
			words = reversed
		}
	}
	return words + ": " + rho(c)
}

// SensitivityFindings says in plain words, one paragraph a variant, which of a model's layers can't bear to be quantized, whether
// that is more than chance, and where the time goes. As several layers are compared with float32, a layer's p-value counts as
// many times as there are layers (Bonferroni).
func SensitivityFindings(s wire.Sensitivity, model string) []string {
	references, rows := sensitivityOf(s, model)
	var out []string
	for _, v := range wire.Variants() {
		var only, except []wire.SensitivityRow
		for _, r := range rows {
			switch {
			case r.Variant != v.ID:
			case r.Mode == wire.Only:
				only = append(only, r)
			default:
				except = append(except, r)
			}
		}
		if len(only) == 0 {
			continue
		}
		sentences := []string{accuracyFinding(only)}
		if r := rescue(references, v.ID, except); r != "" {
			sentences = append(sentences, r)
		}
		sentences = append(sentences, timeFindings(only)...)
		sentences = slices.DeleteFunc(sentences, func(s string) bool { return s == "" })
		if len(sentences) > 0 {
			out = append(out, upperFirst(VariantTitle(v.ID))+": "+strings.Join(sentences, " "))
		}
	}
	return out
}

// net is how many right answers a row loses on balance.
func net(r wire.Row) int { return r.Paired.Lost - r.Paired.Gained }

// accuracyFinding tells which layer, quantized by itself, loses most.
func accuracyFinding(only []wire.SensitivityRow) string {
	tested := slices.DeleteFunc(slices.Clone(only), func(r wire.SensitivityRow) bool { return r.Paired == nil })
	if len(tested) == 0 {
		if reason, _, _ := strings.Cut(only[0].Note, ";"); reason != "" {
			return "accuracy was " + reason + "."
		}
		return ""
	}
	var bad, good []string
	worst, flips := tested[0], 0
	for _, r := range tested {
		if net(r.Row) > net(worst.Row) || net(r.Row) == net(worst.Row) && len(r.Paired.Flipped) > len(worst.Paired.Flipped) {
			worst = r
		}
		told := r.Layer + " " + lossOf(r.Row)
		flips += len(r.Paired.Flipped)
		switch detected := r.Paired.P*float64(len(tested)) < Significant; {
		case detected && net(r.Row) > 0:
			bad = append(bad, told)
		case detected:
			good = append(good, told)
		}
	}
	among := ""
	if len(tested) > 1 {
		among = fmt.Sprintf(", even as the worst of %d layers", len(tested))
	}
	switch {
	case len(bad) == 1:
		return "quantized alone, " + bad[0] + "; that is more than chance" + among + "."
	case len(bad) > 1:
		return "several layers lose more than chance when they alone are quantized: " + strings.Join(bad, "; ") + "."
	case len(good) > 0:
		return "no layer loses detectably when it alone is quantized; " + strings.Join(good, "; ") + "."
	case flips == 0:
		return "no layer's quantization changes a single answer."
	case net(worst.Row) <= 0:
		return "no layer's quantization changes the accuracy detectably; none loses right answers on balance."
	}
	return fmt.Sprintf("no layer's quantization changes the accuracy detectably; the worst, %s, %s when it alone is quantized, which chance can explain.", worst.Layer, lossOf(worst.Row))
}

// lossOf says what a row's answers lost: "loses 31 right answers of 10,000 on balance (45 differ (+7 −38), p < 0.001)".
func lossOf(r wire.Row) string {
	n, verb := net(r), "loses"
	if n < 0 {
		n, verb = -n, "gains"
	}
	return fmt.Sprintf("%s %s right %s of %s on balance (%s)", verb, Count(n), plural(n, "answer", "answers"), Count(r.Total), Flips(r.Paired))
}

// rescue tells, where quantizing all layers loses detectably, which layer is best kept.
func rescue(references []wire.Row, variant string, except []wire.SensitivityRow) string {
	for _, all := range references {
		if all.Variant != variant || all.Paired == nil || net(all) <= 0 || all.Paired.P >= Significant {
			continue
		}
		best, back := "", 0
		for _, r := range except {
			if r.Paired != nil && net(all)-net(r.Row) > back {
				best, back = r.Layer, net(all)-net(r.Row)
			}
		}
		if best != "" && len(except) > 1 {
			return fmt.Sprintf("All layers together %s; keeping %s in float32 wins %s of them back.", strings.Replace(lossOf(all), "loses", "lose", 1), best, Count(back))
		}
	}
	return ""
}

// timeFindings tells for each batch size which layer, quantized by itself, wins most time, and which costs most.
func timeFindings(only []wire.SensitivityRow) []string {
	var rows []wire.Row
	for _, r := range only {
		rows = append(rows, r.Row)
	}
	var out []string
	for _, batch := range Batches(rows...) {
		var fast, slow *wire.Verdict
		var fastest, slowest string
		judged := false
		for _, r := range only {
			v := r.LatencyUS[batch].Verdict
			if v == nil {
				continue
			}
			judged = true
			if v.Word == wire.Faster && (fast == nil || v.Ratio > fast.Ratio) {
				fast, fastest = v, r.Layer
			}
			if v.Word == wire.Slower && (slow == nil || v.Ratio < slow.Ratio) {
				slow, slowest = v, r.Layer
			}
		}
		if !judged {
			continue
		}
		said := "no single layer makes it detectably faster"
		if fast != nil {
			said = fmt.Sprintf("%s alone wins most (%s)", fastest, Verdict(fast))
		}
		if slow != nil {
			said += fmt.Sprintf(", %s alone costs most (%s)", slowest, Verdict(slow))
		}
		out = append(out, fmt.Sprintf("At batch %s %s.", batch, said))
	}
	return out
}
