package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/core/exchange"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
)

const importHelp = `Bring a model or examples of your own. From then on they are known by their name,
and every other command works on them as on the lab's.

A model is a state_dict that PyTorch saved (.pt, .pth) or safetensors, of linear
layers with ReLU between them. Layers are found by their shapes, whatever their
names are. A model with as many inputs as a square of pixels, at most 28x28, reads
digits; one that reads sentences counts words, and needs its --vocabulary: JSON,
text with a word a line, or a pickled list, in the order of the inputs.

Examples are a folder or zip of PNG pictures of digits in folders named by their
class, a pair of IDX files, or a CSV or TSV of sentences and labels. They measure
accuracy (--test-data of the other commands) or calibrate (--calibrate-with).

What a file leaves open is asked, on a terminal; elsewhere --answer gives the
answers. What is imported is kept in $QUANTLAB_CACHE, or in quantlab in your cache
directory, until you remove it: see quantlab models and quantlab data. No code in a
file is ever run, and nothing leaves this machine.`

const importExample = `  quantlab import mlp.pt
  quantlab import mlp.pt --as my-mlp --replace
  quantlab import reviews.safetensors --vocabulary words.json
  quantlab import my-digits.zip
  quantlab import t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz --as digits
  quantlab run --models my-mlp --test-data my-digits`

// An importJob is one call of the command.
type importJob struct {
	*streams
	asker      asker
	files      []exchange.File
	title      string // the files in words, for sentences
	req        wire.ImportRequest
	vocabulary string
}

func importCommand(s *streams) *cobra.Command {
	job := importJob{streams: s}
	var answers []string
	cmd := &cobra.Command{
		Use:     "import FILE...",
		Short:   "Bring a model or examples of your own",
		Long:    importHelp,
		Example: importExample,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) == 0 {
				return usagef("import needs a file or folder: see quantlab import --help")
			}
			if job.req.Name != "" {
				if err := nn.CheckName(job.req.Name); err != nil {
					return usageError{err}
				}
			}
			if job.req.Answers, err = parseAnswers(answers); err != nil {
				return err
			}
			job.asker = newAsker(cmd.InOrStdin(), s)
			return job.run(cmd.Context(), args)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&job.req.Name, "as", "", "give it this `name` (default: one made of the file's)")
	f.StringVar(&job.vocabulary, "vocabulary", "", "the `file` with the words that a model of sentences counts")
	f.StringArrayVar(&answers, "answer", nil, "answer a question that the file leaves open, as `key=value`; may be given several times")
	f.BoolVar(&job.req.Replace, "replace", false, "replace what has that name already")
	return cmd
}

// parseAnswers reads the values of --answer.
func parseAnswers(list []string) (map[string]string, error) {
	answers := map[string]string{}
	for _, a := range list {
		key, value, ok := strings.Cut(a, "=")
		if !ok || key == "" {
			return nil, usagef("--answer %q is no answer: give key=value, as the question says", a)
		}
		if _, twice := answers[key]; twice {
			return nil, usagef("--answer %s is given twice: give it once", key)
		}
		answers[key] = value
	}
	return answers, nil
}

func (j *importJob) run(ctx context.Context, paths []string) error {
	var err error
	if j.files, err = readFiles(ctx, paths...); err != nil {
		return err
	}
	j.title = filepath.Base(paths[0])
	if len(paths) > 1 {
		j.title = fmt.Sprintf("%s and %d more", j.title, len(paths)-1)
	}
	if j.vocabulary != "" {
		if err := j.addVocabulary(ctx, j.vocabulary); err != nil {
			return err
		}
	}
	d, err := openDesk(ctx)
	if err != nil {
		return err
	}
	im, err := j.imported(ctx, d)
	if err != nil {
		return err
	}
	if err := d.Library.Add(ctx, im, j.req.Replace); err != nil {
		return err
	}
	_, err = fmt.Fprint(j.out, j.told(im))
	return err
}

// addVocabulary adds the file with the words to what is imported.
func (j *importJob) addVocabulary(ctx context.Context, name string) error {
	more, err := readFiles(ctx, name)
	if err != nil {
		return err
	}
	if len(more) > 1 {
		return usagef("%s is a folder: give the file with the vocabulary", name)
	}
	j.files = append(j.files, more...)
	return nil
}

// imported imports, and asks until no question is left.
func (j *importJob) imported(ctx context.Context, d *desk) (*exchange.Imported, error) {
	for {
		meter := j.meter()
		im, err := exchange.Import(ctx, j.files, j.req, d.Source, meter.at)
		meter.close()
		if err != nil {
			return nil, err
		}
		questions := im.Questions
		if len(questions) == 0 {
			if questions = j.nameTaken(d.own, im); len(questions) == 0 {
				return im, nil
			}
		}
		if err := j.settle(ctx, questions); err != nil {
			return nil, err
		}
	}
}

// nameTaken is the question that arises where there is something of that name.
func (j *importJob) nameTaken(own *wire.Own, im *exchange.Imported) []wire.Question {
	taken := im.Model != nil && slices.ContainsFunc(own.Specs(), func(s nn.Spec) bool { return s.ID == im.Name() })
	if im.Data != nil {
		_, err := own.DataOf(im.Name())
		taken = err == nil
	}
	if !taken || j.req.Replace {
		return nil
	}
	return []wire.Question{{Key: "name", Exists: true, Text: "There is something named " + im.Name() + " already."}}
}

// settle gets every question answered.
func (j *importJob) settle(ctx context.Context, questions []wire.Question) error {
	if !j.asker.able {
		return usagef("%s leaves a choice open: %s", j.title, howToAnswer(questions))
	}
	for _, q := range questions {
		answer, err := j.asker.ask(ctx, q)
		if err != nil {
			return err
		}
		switch {
		case q.Exists && answer == replace:
			j.req.Replace = true
		case q.Exists:
			j.req.Name = answer
		case q.File:
			if err := j.addVocabulary(ctx, answer); err != nil {
				return err
			}
		default:
			j.req.Answers = maps.Clone(j.req.Answers)
			j.req.Answers[q.Key] = answer
		}
	}
	return nil
}

// howToAnswer says which flags answer the questions.
func howToAnswer(questions []wire.Question) string {
	var ways []string
	for _, q := range questions {
		text := strings.TrimSuffix(q.Text, ".")
		switch {
		case q.Exists:
			ways = append(ways, text+": give another name with --as, or --replace")
		case q.File:
			ways = append(ways, text+": give --vocabulary FILE")
		default:
			var choices []string
			for _, c := range q.Choices {
				choices = append(choices, fmt.Sprintf("--answer %s (%s)", shellWord(q.Key+"="+c.Value), c.Label))
			}
			ways = append(ways, text+": give "+strings.Join(choices, " or "))
		}
	}
	return strings.Join(ways, "; ")
}

// told says what was imported, how it was read and what to do with it.
func (j *importJob) told(im *exchange.Imported) string {
	p := prose{width: j.width}
	var notes []string
	if m := im.Model; m != nil {
		p.say("", fmt.Sprintf("%s: %s, %s MB", m.File, m.Format, report.MB(m.Bytes)))
		p.say("", fmt.Sprintf("Kept as %s: %s, %s parameters, reads %s", m.Spec.ID, m.Spec.Shape(), report.Count(m.Spec.Params()), reads(m.Spec)))
		if im.Meta.Total > 0 {
			p.say("", score(m.Spec, im.Meta.Correct, im.Meta.Total))
		}
		notes = m.Notes
	}
	if d := im.Data; d != nil {
		p.say("", fmt.Sprintf("%s: %s, %s MB", d.File, d.Format, report.MB(d.Bytes)))
		p.say("", fmt.Sprintf("Kept as %s: %s %s of %d classes (%s)", d.Name, report.Count(d.Examples), kindOfExamples(d.Data), len(d.Labels), few(d.Labels)))
		notes = d.Notes
	}
	if len(notes) > 0 {
		p.gap()
	}
	for _, n := range notes {
		p.say("• ", n)
	}
	p.gap()
	if im.Model != nil {
		p.say("", "Next: quantlab run --models "+im.Name())
	} else {
		p.say("", "Next: quantlab run --test-data "+im.Name()+" --models "+modelOf(im.Data.Data))
	}
	return p.b.String()
}

// modelOf names a model that reads such data.
func modelOf(data string) string {
	for _, spec := range nn.Specs() {
		if spec.Data == data {
			return spec.ID
		}
	}
	return ""
}

// reads says what a model reads.
func reads(spec nn.Spec) string {
	if spec.Data == nn.SST2 {
		return fmt.Sprintf("sentences, as bags of %s words", report.Count(spec.In))
	}
	if spec.Crop == 28 {
		return "digits, 28x28 pixels"
	}
	return fmt.Sprintf("digits, centre %dx%d pixels", spec.Crop, spec.Crop)
}

// few lists names, the first ones of many.
func few(names []string) string {
	const most = 10
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
