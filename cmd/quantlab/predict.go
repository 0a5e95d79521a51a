package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/play"
)

const predictHelp = `Show one input to every variant of a model: the class that each answers, how
probable it finds each class, and whether it agrees with float32.

Models of digits read a PNG picture of one digit. A picture whose border is light
is inverted. One of 28x28 pixels is then taken as it is; in any other the ink is
cut out, fitted into 20x20 pixels and centred by mass in 28x28, as MNIST did it.

Models of sentences read one as a bag of words: order is ignored and words
that the model never saw are dropped. The words of SST-2 are in lower case, with
punctuation apart; the sentence is brought into that form where that helps.`

const predictExample = `  quantlab predict --model mnist-lab2 --image seven.png
  quantlab predict --model sst2-lab2 --text "It's a gorgeous, witty mess."`

func predictCommand(s *streams) *cobra.Command {
	out := &output{streams: s}
	var model, image, text string
	cmd := &cobra.Command{
		Use:     "predict",
		Short:   "Show one digit or sentence to every variant of a model",
		Long:    predictHelp,
		Example: predictExample,
		Args:    arguments(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if model == "" {
				return usagef("predict needs a model: give --model, one of %s or one of your own", strings.Join(nn.IDs(), ", "))
			}
			d, err := openDesk(cmd.Context())
			if err != nil {
				return err
			}
			spec, err := d.own.Catalog().Of(model)
			if err != nil {
				return usageError{err}
			}
			given := cmd.Flags().Changed
			switch {
			case given("image") && given("text"):
				return usagef("give --image or --text, not both")
			case spec.Data == nn.MNIST && !given("image"):
				return usagef("%s reads digits: give --image FILE.png", model)
			case spec.Data == nn.SST2 && !given("text"):
				return usagef(`%s reads sentences: give --text "…"`, model)
			}
			if err := out.resolve(); err != nil {
				return err
			}
			return runPredict(cmd.Context(), out, d, model, image, text)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&model, "model", "", "which model: "+strings.Join(nn.IDs(), ", ")+", or one of your own")
	f.StringVar(&image, "image", "", "a PNG picture of one digit, for models of digits")
	f.StringVar(&text, "text", "", "a sentence, for models of sentences")
	out.addTo(cmd)
	return cmd
}

func runPredict(ctx context.Context, out *output, d *desk, model, image, text string) error {
	req := wire.PredictRequest{Model: model, Text: text}
	if image != "" {
		digit, err := readDigit(image)
		if err != nil {
			return err
		}
		req.Drawing = digit.Drawing()
	}
	if err := d.bring(ctx, wire.Request{Models: []string{model}}, false, out.meter()); err != nil {
		return err
	}
	bench := play.NewBench(host(), d)
	defer bench.Close()
	p, err := bench.Predict(ctx, req)
	if err != nil {
		return err
	}
	return renderPrediction.write(out, p)
}

var renderPrediction = rendering[*wire.Prediction]{predictionJSON, predictionCSV, predictionMarkdown, drawPrediction}

func predictionJSON(w io.Writer, p *wire.Prediction) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(p)
}

// predictionCSV writes a line a variant: its answer, and the probability of every class at full precision.
func predictionCSV(w io.Writer, p *wire.Prediction) error {
	c := csv.NewWriter(w)
	head := []string{"model", "variant", "q", "dtype", "answer", "agrees"}
	for _, l := range p.Labels {
		head = append(head, "p_"+l)
	}
	lines := [][]string{append(head, "note")}
	for _, a := range p.Answers {
		line := []string{p.Model, a.Variant, a.Q, a.DType, a.Label, ""}
		if a.Label != "" {
			line[5] = strconv.FormatBool(a.Agrees)
		}
		for i := range p.Labels {
			cell := ""
			if i < len(a.Probabilities) {
				cell = strconv.FormatFloat(a.Probabilities[i], 'g', -1, 64)
			}
			line = append(line, cell)
		}
		lines = append(lines, append(line, a.Note))
	}
	return c.WriteAll(lines)
}

// A grid is a small table of text.
type grid struct {
	head []string
	rows [][]string
}

// answers is the prediction as a table: the answer and the probabilities in percent.
func answers(p *wire.Prediction) grid {
	g := grid{head: []string{"Q", "dtype", "Answer", "Against float32"}}
	for _, l := range p.Labels {
		g.head = append(g.head, "P("+l+") %")
	}
	for _, a := range p.Answers {
		row := []string{a.Q, a.DType, a.Label, agreement(a)}
		if a.Label == "" {
			row[2] = "–"
		}
		for i := range p.Labels {
			cell := "–"
			if i < len(a.Probabilities) {
				cell = percent(a.Probabilities[i])
			}
			row = append(row, cell)
		}
		g.rows = append(g.rows, row)
	}
	return g
}

func agreement(a wire.Answer) string {
	switch {
	case a.Label == "":
		return a.Note
	case a.Variant == wire.Baseline:
		return "baseline"
	case a.Agrees:
		return "agrees"
	}
	return "differs"
}

// percent writes a probability with one decimal; what only rounding makes 0 or 100 is said to be near it.
func percent(p float64) string {
	switch {
	case p > 0 && p < 0.0005:
		return "<0.1"
	case p < 1 && p > 0.9995:
		return ">99.9"
	}
	return strconv.FormatFloat(100*p, 'f', 1, 64)
}

func predictionMarkdown(w io.Writer, p *wire.Prediction) error {
	var b strings.Builder
	escape := strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`).Replace
	if len(p.Words) > 0 {
		b.WriteString(escape(sentence(p)) + "\n\n")
	}
	g := answers(p)
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(g.head)
	line(slices.Repeat([]string{"---"}, len(g.head)))
	for _, row := range g.rows {
		for i := range row {
			row[i] = escape(row[i])
		}
		line(row)
	}
	for _, n := range p.Notes {
		b.WriteString("\n" + escape(n) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sentence says which words the model read, and which it dropped.
func sentence(p *wire.Prediction) string {
	var known, unknown []string
	for _, w := range p.Words {
		text := strings.Map(visible, w.Text)
		if w.Known {
			known = append(known, text)
		} else {
			unknown = append(unknown, text)
		}
	}
	s := p.Model + " read these words, in any order: “" + strings.Join(known, " ") + "”."
	if len(known) == 0 {
		s = p.Model + " read none of the words."
	}
	if len(unknown) > 0 {
		s += " Not in its vocabulary, so dropped: “" + strings.Join(unknown, " ") + "”."
	}
	return s
}
