package paper

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
)

func (w *writer) hardware() {
	w.section(1, "hardware", "Hardware")
	if len(w.machines.all) == 0 {
		w.text("The results do not say which machine measured them. quantlab hardware describes this one, and every run now does so by itself.")
	}
	for i, h := range w.machines.all {
		if len(w.machines.all) > 1 {
			w.section(2, "hardware-"+strconv.Itoa(i+1), upper(w.machines.name(h)))
		}
		w.add(Block{Facts: report.HardwareRows(h)})
	}
}

func (w *writer) data() {
	w.section(1, "data", "Data and preprocessing")
	w.text("MNIST: 60,000 images of handwritten digits for training, 10,000 for testing, 28 × 28 pixels, each divided by 255. " +
		"mnist-lab1 reads the whole image, mnist-lab2 its 20 × 20 centre.")
	w.text("SST-2, as GLUE publishes it: 67,349 phrases of film reviews for training; the 872 sentences of the development set for testing, because the test set's labels are not public. " +
		"Words are split at white space. A phrase is the bag of its words: a count for each word of the vocabulary, order and unknown words left out. " +
		"The vocabulary of sst2-lab1 is every word of the training set, 14,816; that of sst2-lab2 is the 5,000 most frequent ones, ties broken alphabetically.")
	w.text("Static quantization is calibrated on 1,024 training examples, the same ones everywhere; dynamic quantization needs none.")
}

func (w *writer) networks() {
	w.section(1, "networks", "Networks and hyperparameters")
	t := report.PlainTable{
		Title:   "Networks",
		Caption: "All are fully connected with a bias everywhere and a ReLU between layers, trained with Adam on the cross-entropy of their logits.",
		Columns: []report.Column{
			{Key: "model", Title: "Model"}, {Key: "layers", Title: "Layers"}, {Key: "params", Title: "Parameters", Right: true},
			{Key: "rate", Title: "Learning rate", Right: true}, {Key: "batch", Title: "Batch", Right: true}, {Key: "epochs", Title: "Epochs", Right: true},
		},
	}
	for _, s := range nn.Specs() {
		t.Rows = append(t.Rows, []string{s.ID, s.Shape(), report.Count(s.Params()), strconv.FormatFloat(s.LR, 'f', -1, 64), strconv.Itoa(s.Batch), strconv.Itoa(s.Epochs)})
	}
	w.table(t)
}

func (w *writer) method() {
	w.section(1, "method", "How it was measured")
	for _, r := range w.study.Results {
		if len(r.Settings.Models) > 0 {
			w.text(report.Settings(r))
		}
	}
	w.text("A run is as many forward passes as it takes to dwarf the clock's resolution, and its latency their mean; the tables give mean ± standard deviation over the runs, every sample kept. " +
		"The variants of a model take turns in an order that is shuffled anew each round, after a warm-up, with the garbage collector off and nothing allocated, so that drift hits all alike.")
	w.text("A variant is called faster or slower than float32 where the 95% interval of the ratio, taken run by run, leaves out 1. " +
		"Accuracy has Wilson's 95% interval; against float32, whose answers are to the same examples, McNemar's exact test judges the answers that changed. " +
		"Sizes are those of saved model files, in MB of 10⁶ bytes.")
	w.text("The drafts below were written by rules from these numbers. Along each axis they pick the strongest of many comparisons at 95%, " +
		"without a correction for their number: of comparisons between equals, about one in twenty would look supported. They say among how many each was picked: by the least that its interval allows, " +
		"and still likelier to be overstated than one that was chosen beforehand. What the roofline says, in drafts and tables, is of the fastest of many short bursts, and so differs from the means.")
	notes := w.notes(func(n string) bool { return !wire.Disturbs(n) })
	for i := range notes {
		notes[i] = sentence(notes[i])
	}
	if len(notes) > 0 {
		w.add(Block{List: notes})
	}
}

// shown are rows as tables show them: a machine's name stands for its kind of host where there are several of one.
func (w *writer) shown(keep func(wire.Row) bool) []wire.Row {
	var rows []wire.Row
	for _, r := range w.study.Results {
		for _, row := range r.Rows {
			if keep(row) {
				row.Host = w.machines.name(r.Hardware)
				if r.Hardware.Host == "" {
					row.Host = ""
				}
				rows = append(rows, row)
			}
		}
	}
	report.SortRows(rows, w.models)
	return rows
}

// A tabled is one of the lab's three tables.
type tabled struct {
	id, title, about string
	variants         []string
	axes             []string
}

var labTables = []tabled{
	{"baseline", "Baseline", "The networks as they were trained, in float32.", []string{wire.Baseline}, []string{model, task, batchSize}},
	{"dynamic", "Dynamic quantization", "Weights are stored in fewer bits; in int8 the activations are quantized too, at each call, from the range of that batch.",
		[]string{"dynamic-float16", "dynamic-qint8"}, []string{precision, model, task, batchSize}},
	{"static", "Static quantization", "Weights and activations are int8; the ranges of activations were found beforehand on the calibration examples.",
		[]string{"static-qint8"}, []string{precision, model, task, batchSize}},
}

// tables writes the lab's three tables, each with its discussion.
func (w *writer) tables() {
	for _, t := range labTables {
		w.section(1, t.id, t.title)
		w.text(t.about)
		rows := w.shown(func(r wire.Row) bool { return slices.Contains(t.variants, r.Variant) })
		if len(rows) == 0 {
			q := wire.Lab()
			if t.id != "baseline" {
				q.Variants = append([]string{wire.Baseline}, t.variants...)
			}
			w.missing("no rows of this kind", runCommand(q))
			continue
		}
		w.labTable(t, rows)
		w.discuss(t)
	}
	w.strangers()
}

// labTable writes the table with the lab's columns and, for what is compared, the answers that changed.
func (w *writer) labTable(t tabled, rows []wire.Row) {
	without := []string{"correct", "flips"}
	if t.id == "baseline" {
		without = append(without, "smaller")
		for _, b := range report.Batches(rows...) {
			without = append(without, "verdict-"+b)
		}
	}
	w.table(report.RowsTable(t.title, rows, w.models, without...))
	if t.id != "baseline" {
		without = []string{"size", "torch", "smaller", "params", "accuracy"}
		for _, b := range report.Batches(rows...) {
			without = append(without, "latency-"+b, "verdict-"+b)
		}
		answers := report.RowsTable(t.title+": answers against float32", rows, w.models, without...)
		answers.Caption = "differ: answers that are not float32's, + became right, − became wrong, the rest went from one wrong answer to another; p is McNemar's exact test."
		w.table(answers)
	}
	if notes := report.Notes(rows); len(notes) > 0 {
		w.add(Block{List: sentenceList(notes)})
	}
}

func sentenceList(notes []string) []string {
	var out []string
	for _, n := range notes {
		out = append(out, sentence(n))
	}
	return out
}

func (w *writer) discuss(t tabled) {
	if len(w.benches) == 0 {
		return
	}
	b := w.benches[0]
	w.section(2, t.id+"-discussion", "Discussion")
	if len(w.benches) > 1 {
		w.text(fmt.Sprintf("Compared are the rows measured on one machine in one way: %s, engine %s, %s.", b.name, b.rows[0].Engine, number(b.rows[0].Threads, "thread", "threads")))
	}
	var effects []effect
	if t.id == "baseline" {
		effects = baselineEffects(b)
	} else {
		effects = quantizedEffects(b, t.variants...)
		w.text(changedAnswers(b, t.variants))
	}
	w.drafts(discussion{t.id, lower(t.title), t.axes}.drafts(effects))
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// strangers shows rows of variants that the lab does not have.
func (w *writer) strangers() {
	rows := w.shown(func(r wire.Row) bool { _, err := wire.VariantOf(r.Variant); return err != nil })
	if len(rows) == 0 {
		return
	}
	w.section(1, "others", "Other variants")
	w.table(report.RowsTable("Other variants", rows, w.models, "correct"))
	if notes := report.Notes(rows); len(notes) > 0 {
		w.add(Block{List: sentenceList(notes)})
	}
}

// references lists what the methods rest on.
func (w *writer) references() {
	w.section(1, "references", "References")
	w.add(Block{List: []string{
		"Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only inference, CVPR 2018: scale and zero point.",
		"PyTorch: torch.ao.quantization.quantize_dynamic, and get_default_qconfig_mapping(\"fbgemm\") through prepare_fx and convert_fx: what dynamic and static int8 are here, to the integer.",
		"PyTorch: torch.autocast and torch.amp.GradScaler; Micikevicius et al., Mixed precision training, ICLR 2018: float32 master weights, loss scaling.",
		"Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927): the interval of an accuracy.",
		"McNemar, Note on the sampling error of the difference between correlated proportions or percentages, Psychometrika 12 (1947), exact form: the test of answers that changed.",
		"Student, The probable error of a mean, Biometrika 6 (1908), on the logarithms of paired runs' ratios: the interval of a speed-up.",
		"Zou and Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27 (2008): the interval of a ratio of two estimates that have intervals.",
		"Tukey, Exploratory data analysis (1977): far outliers.",
		"Spearman, The proof and measurement of association between two things, American Journal of Psychology 15 (1904): rank correlation.",
		"Williams, Waterman and Patterson, Roofline: an insightful visual performance model for multicore architectures, CACM 52 (2009).",
		"LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, Proceedings of the IEEE 86 (1998): MNIST.",
		"Socher et al., Recursive deep models for semantic compositionality over a sentiment treebank, EMNLP 2013; Wang et al., GLUE, ICLR 2019: SST-2.",
	}})
}

// reproduce gives every part's command.
func (w *writer) reproduce() {
	w.section(1, "reproduce", "How to reproduce")
	cmds := commands(w.study)
	if len(cmds) == 0 {
		cmds = []string{runCommand(wire.Lab())}
	}
	seeds := map[uint64]bool{}
	for _, r := range w.study.Results {
		seeds[r.Settings.Seed] = true
	}
	for _, p := range settings(w.study) {
		seeds[p.Settings.Seed] = true
	}
	var all []string
	for s := range seeds {
		all = append(all, strconv.FormatUint(s, 10))
	}
	slices.Sort(all)
	var program []string
	if v := w.versions(); len(v) > 0 {
		program = append(program, "The results were measured by quantlab "+list(v)+".")
	}
	if len(all) > 0 {
		program = append(program, fmt.Sprintf("The %s %s.", plural(len(all), "seed is", "seeds are"), list(all)))
	}
	if w.context.Version != "" {
		program = append(program, "This report was made by quantlab "+w.context.Version+".")
	}
	w.text(program...)
	w.text("Prepare data and models once, then measure each part again. What a browser measured, these commands measure natively. --seed 0 is the default and is left out.")
	w.add(Block{Code: strings.Join(append([]string{"quantlab prepare"}, cmds...), "\n")})
	if c := line(w.study.Command); c != "" {
		w.text("The whole report was made by:")
		w.add(Block{Code: c})
	}
}

// discussion writes the most surprising observation, a question and an experiment.
func (w *writer) discussion() {
	w.section(1, "discussion", "A surprise, a question, an experiment")
	if len(w.benches) == 0 {
		w.missing("no run to discuss", runCommand(wire.Lab()))
		return
	}
	w.drafts(wonder(w.benches[0]))
}
