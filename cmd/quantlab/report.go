package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/cmd/internal/atomicfile"
	"quantlab/cmd/internal/version"
	"quantlab/core/lab/wire"
	"quantlab/core/report/paper"
	"quantlab/core/report/pdf"
)

const reportHelp = `Measure everything that the lab asks for, one experiment after the other, and write
it up: the machine, the data, the tables, which layer can't bear quantization, what
plans are worth having, how much of a lottery calibration is, what mixed-precision
training buys, figures, and a discussion that is drafted from the numbers.

The results are kept beside the report, as report.results.json for report.pdf, after
every experiment: an interruption loses only the one that was under way. --from makes
a report of such files, or of what quantlab run, sensitivity, plans, sweep and amp
wrote as JSON, without measuring; with --missing it measures what they lack.

Every paragraph of the discussion is marked as a draft. --write-notes writes them all
to a file, where your own words can take their place; --notes reads it.

With the lab's settings this takes about five minutes.`

const reportExample = `  quantlab report -o report.pdf
  quantlab report --quick -o try.html                       a minute, to see what it will be like
  quantlab report --from report.results.json -o report.md   without measuring
  quantlab report --from report.partial.json --missing -o report.pdf
  quantlab report --from report.results.json --write-notes notes.md
  quantlab report --from report.results.json --notes notes.md -o report.pdf`

// The formats of a report that a result doesn't have.
const (
	formatPDF  = "pdf"
	formatHTML = "html"
)

var reportFormats = []string{formatPDF, formatMD, formatHTML, formatJSON}

// A reportJob is one call of the command.
type reportJob struct {
	out        *output
	desk       *desk
	req        wire.Request
	quick      bool
	without    []string
	from       []string
	missing    bool
	notes      string
	writeNotes string
	command    string // that makes the report again
	notices    []string
}

func reportCommand(s *streams) *cobra.Command {
	job := &reportJob{out: &output{streams: s}, req: wire.Lab()}
	var batches string
	cmd := &cobra.Command{
		Use:     "report",
		Short:   "Measure everything, and write it up as PDF, Markdown, HTML or JSON",
		Long:    reportHelp,
		Example: reportExample,
		Args:    arguments(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if job.req.Batches, err = parseBatches(batches); err != nil {
				return err
			}
			if job.measures() {
				if job.desk, err = begin(cmd.Context(), &job.req); err != nil {
					return err
				}
			}
			if err := job.check(); err != nil {
				return err
			}
			job.command = job.line(batches)
			return job.run(cmd.Context(), cmd.InOrStdin())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&job.out.file, "output", "o", "", "write to this file instead of standard output")
	f.StringVarP(&job.out.format, "format", "f", "", "pdf, md, html or json (default: by the name of --output, else md)")
	f.StringArrayVar(&job.from, "from", nil, "make the report of the results in this `file`, without measuring; - is standard input; may be given several times")
	f.BoolVar(&job.missing, "missing", false, "also measure what the files of --from lack")
	f.StringVar(&job.notes, "notes", "", "a `file` of your own words, which replace drafts")
	f.StringVar(&job.writeNotes, "write-notes", "", "write all drafts to this `file`, to be replaced by your own words")
	f.BoolVar(&job.quick, "quick", false, "few runs, examples and epochs, to see what a report will be like")
	f.StringSliceVar(&job.without, "without", nil, "leave out these `parts`: "+strings.Join(partNames()[1:], ", "))
	addPasses(cmd, &job.req, &batches, "timed runs of each variant at each batch size, at most "+strconv.Itoa(wire.MaxRuns))
	f.IntVar(&job.req.Examples, "examples", 0, "how many test examples measure accuracy, 0 is all")
	f.Uint64Var(&job.req.Seed, "seed", 0, "orders the turns; of mixed-precision training the first seed")
	return cmd
}

// measures reports whether anything is to be measured.
func (j *reportJob) measures() bool { return len(j.from) == 0 || j.missing }

// check finds wrong usage, and files that could not be written, before any work is done.
func (j *reportJob) check() error {
	if err := host().Check(j.req); err != nil {
		return usageError{err}
	}
	for _, name := range j.without {
		if !slices.Contains(partNames()[1:], name) {
			return usagef("unknown part %q: choose from %s", name, strings.Join(partNames()[1:], ", "))
		}
	}
	switch {
	case j.missing && len(j.from) == 0:
		return usagef("--missing measures what the files of --from lack: give one")
	case j.quick && len(j.from) > 0 && !j.missing:
		return usagef("--quick is about measuring, and --from measures nothing: leave one out, or add --missing")
	case len(slices.DeleteFunc(slices.Clone(j.from), func(name string) bool { return name != "-" })) > 1:
		return usagef("standard input can be read only once: give --from - once")
	}
	if err := j.settleFormat(); err != nil {
		return err
	}
	if j.writeNotes != "" {
		if _, err := os.Lstat(j.writeNotes); err == nil {
			return fmt.Errorf("%s is there already, and may hold your words: choose another name for --write-notes", j.writeNotes)
		}
		if err := (&output{file: j.writeNotes}).writable(); err != nil {
			return err
		}
	}
	return j.out.writable()
}

func (j *reportJob) settleFormat() error {
	o := j.out
	if o.format == "" {
		o.format = formatMD
		if ext := strings.TrimPrefix(filepath.Ext(o.file), "."); slices.Contains(reportFormats, ext) {
			o.format = ext
		} else if o.file != "" {
			return usagef("%s says no format by its name: end it in .%s, or give --format", o.file, strings.Join(reportFormats, ", ."))
		}
	}
	switch {
	case !slices.Contains(reportFormats, o.format):
		return usagef("unknown format %q: choose from %s", o.format, strings.Join(reportFormats, ", "))
	case o.format == formatPDF && o.file == "" && o.outTerm:
		return usagef("a PDF is nothing for a terminal: give --output report.pdf")
	}
	return nil
}

// run gathers the results, measures where that was asked for, and writes the report.
func (j *reportJob) run(ctx context.Context, stdin io.Reader) error {
	words, err := j.ownWords()
	if err != nil {
		return err
	}
	study, err := j.read(stdin)
	if err != nil {
		return err
	}
	keep := &keeper{}
	if j.measures() {
		if study, keep, err = j.measure(ctx, study); err != nil {
			return err
		}
	}
	if study.Words == nil {
		study.Words = map[string]string{}
	}
	for id, text := range words {
		study.Words[id] = text
	}
	if err := j.write(study); err != nil {
		if keep.path != "" {
			return fmt.Errorf("%w; the results are kept in %s: make the report of them with quantlab report --from %s", err, keep.path, shellWord(keep.path))
		}
		return err
	}
	keep.done(j.out.err)
	return nil
}

// ownWords reads the file of --notes.
func (j *reportJob) ownWords() (map[string]string, error) {
	if j.notes == "" {
		return nil, nil
	}
	f, err := os.Open(j.notes)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", j.notes, atomicfile.Cause(err))
	}
	defer f.Close()
	words, notices, err := paper.ParseNotes(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", j.notes, err)
	}
	j.notices = append(j.notices, notices...)
	return words, nil
}

// read reads the files of --from.
func (j *reportJob) read(stdin io.Reader) (wire.Study, error) {
	var studies []wire.Study
	for _, name := range j.from {
		study, notices, err := readStudy(name, stdin)
		if err != nil {
			return wire.Study{}, err
		}
		studies = append(studies, study)
		j.notices = append(j.notices, notices...)
	}
	if len(studies) == 0 {
		return wire.Study{Format: wire.StudyFormat}, nil
	}
	return paper.Merge(studies...), nil
}

func readStudy(name string, stdin io.Reader) (wire.Study, []string, error) {
	r, what := stdin, "standard input"
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return wire.Study{}, nil, fmt.Errorf("reading %s: %w", name, atomicfile.Cause(err))
		}
		defer f.Close()
		r, what = f, name
	}
	study, notices, err := paper.ReadStudy(r)
	if err != nil {
		return wire.Study{}, nil, fmt.Errorf("%s: %w", what, err)
	}
	return study, notices, nil
}

// write writes the report, the drafts, or both.
func (j *reportJob) write(study wire.Study) error {
	machine := host().Describe()
	p := paper.New(study, paper.Context{Machine: &machine, Version: version.String(), Notices: j.notices})
	if j.writeNotes != "" {
		err := writeFile(j.writeNotes, func(w io.Writer) error {
			_, err := io.WriteString(w, paper.NotesTemplate(p))
			return err
		})
		if err != nil || j.out.file == "" {
			return err
		}
	}
	return j.out.write(func(w io.Writer) error {
		switch j.out.format {
		case formatPDF:
			return pdf.Write(w, p)
		case formatHTML:
			return paper.HTML(w, p)
		case formatJSON:
			return paper.JSON(w, study)
		}
		return paper.Markdown(w, p)
	})
}

// line is the command line that measures the same again.
func (j *reportJob) line(batches string) string {
	lab := wire.Lab()
	words := []string{"quantlab report -o " + cmp.Or(shellWord(j.out.file), "report.pdf")}
	add := func(differs bool, name, value string) {
		if differs {
			words = append(words, "--"+name+" "+shellWord(value))
		}
	}
	if j.quick {
		words = append(words, "--quick")
	}
	add(len(j.without) > 0, "without", strings.Join(j.without, ","))
	add(!slices.Equal(j.req.Models, lab.Models), "models", strings.Join(j.req.Models, ","))
	add(!slices.Equal(j.req.Variants, lab.Variants), "variants", strings.Join(j.req.Variants, ","))
	add(!slices.Equal(j.req.Batches, lab.Batches), "batches", batches)
	add(j.req.Runs != lab.Runs, "runs", strconv.Itoa(j.req.Runs))
	add(j.req.Threads != lab.Threads, "threads", strconv.Itoa(j.req.Threads))
	add(j.req.Input != lab.Input, "input", j.req.Input)
	add(j.req.Engine != "", "engine", j.req.Engine)
	add(j.req.Examples != 0, "examples", strconv.Itoa(j.req.Examples))
	return strings.Join(append(words, "--seed "+strconv.FormatUint(j.req.Seed, 10)), " ")
}

// shellWord quotes what a shell would take apart.
func shellWord(word string) string {
	if strings.ContainsAny(word, " \t\n'\"\\$`&|;<>()*?[]#~!{}") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
