package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	xterm "golang.org/x/term"

	"quantlab/cmd/internal/version"
	"quantlab/core/kernel"
	"quantlab/core/report/term"
)

// Exit statuses.
const (
	statusOK          = 0
	statusFailed      = 1
	statusUsage       = 2
	statusInterrupted = 130 // 128 + SIGINT, as shells have it
)

// A usageError is a command line that can't be carried out as it was typed.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// streams is where a command writes: results to out, everything else to err.
type streams struct {
	out, err io.Writer
	outTerm  bool // out is a terminal
	errTerm  bool // err is a terminal
	color    bool // out is to be coloured
	width    int  // columns for what goes to out
}

// wideEnough holds every table in one piece; it is the width of what no terminal limits.
const wideEnough = 160

func newStreams(out, err io.Writer) *streams {
	s := &streams{out: out, err: err, width: wideEnough}
	// Where only err is a terminal, out most likely goes through a pager to the same one.
	for _, w := range []io.Writer{err, out} {
		if f, ok := w.(*os.File); ok && xterm.IsTerminal(int(f.Fd())) {
			s.width = term.Width(f)
			s.outTerm, s.errTerm = s.outTerm || w == out, s.errTerm || w == err
			s.color = w == out && term.Color(f)
		}
	}
	return s
}

// execute runs one command line and returns its exit status.
func execute(ctx context.Context, args []string, out, err io.Writer) int {
	s := newStreams(out, err)
	root := newRoot(s)
	root.SetArgs(args)
	return s.conclude(ctx, root.ExecuteContext(ctx))
}

// conclude tells of an error, in one line, and picks the exit status.
func (s *streams) conclude(ctx context.Context, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return statusOK
	case ctx.Err() != nil && !errors.As(err, &usage):
		fmt.Fprintln(s.err, "quantlab: interrupted")
		return statusInterrupted
	}
	fmt.Fprintln(s.err, "quantlab:", oneLine(err.Error()))
	if errors.As(err, &usage) {
		return statusUsage
	}
	return statusFailed
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

const longHelp = `Quantlab is a playground for post-training quantization. It trains four small
networks, converts each to smaller numbers in every way below, and tells what
that did to size, accuracy and latency, measured on this machine.

Models (each is ReLU between layers, trained with Adam)
  mnist-lab1   digits, 28x28 pixels           784 - 512 - 10
  mnist-lab2   digits, centre 20x20 pixels    400 - 1024 - 1024 - 10
  sst2-lab1    film reviews, every word       14816 - 512 - 2
  sst2-lab2    film reviews, 5000 words       5000 - 256 - 256 - 256 - 2
and models of your own, which you bring with quantlab import

Variants
  fp32              float32, the baseline that the others are compared with
  dynamic-float16   weights stored as 16-bit floats, computed with in float32
  dynamic-qint8     weights as 8-bit integers; activations quantized at each
                    call, from that batch's own range
  static-qint8      weights and activations as 8-bit integers; the ranges of
                    activations were found beforehand, on training examples`

const exampleHelp = `  quantlab prepare                              fetch the data, train the models (once)
  quantlab run                                  the whole lab: all models, all variants
  quantlab run --models mnist-lab1 --runs 20    one model, more runs
  quantlab run --format json > result.json      for a program to read
  quantlab roofline                             how near the machine's limits that is, and which
  quantlab predict --model mnist-lab2 --image seven.png
  quantlab predict --model sst2-lab2 --text "a gorgeous , witty mess"
  quantlab inspect mnist-lab2                   what static int8 did to each layer
  quantlab amp --models mnist-lab2              what mixed-precision training gains
  quantlab report -o report.pdf                 everything above and more, written up
  quantlab import mlp.pt --as my-mlp            bring a network that you trained in PyTorch
  quantlab run --models my-mlp                  and measure it like the lab's
  quantlab export --model my-mlp --variant static-qint8 mlp.onnx`

func newRoot(s *streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "quantlab",
		Short:         "A playground for post-training quantization",
		Long:          longHelp,
		Example:       exampleHelp,
		Version:       version.String(),
		Args:          cobra.ArbitraryArgs, // an unknown command is reported below, with the status of wrong usage
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		var names []string
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				names = append(names, c.Name())
			}
		}
		return usagef("unknown command %q: choose from %s", args[0], strings.Join(names, ", "))
	}
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if _, err := kernel.Lookup(""); err != nil { // the environment names an engine that isn't there
			return usageError{err}
		}
		return nil
	}
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetVersionTemplate("quantlab {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	// Without a command the program only shows this help, which is no usage to teach.
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if and .Runnable .HasParent}}", 1))
	root.CompletionOptions.HiddenDefaultCmd = true
	cobra.EnableCommandSorting = false
	root.AddCommand(prepareCommand(s), hardwareCommand(s), trainCommand(s), runCommand(s), sensitivityCommand(s), ampCommand(s), rooflineCommand(s), predictCommand(s), inspectCommand(s), plansCommand(s), sweepCommand(s), reportCommand(s), importCommand(s), modelsCommand(s), dataCommand(s), exportCommand(s))
	return root
}

var strconvError = regexp.MustCompile(`: strconv\.[A-Za-z]+: parsing .*$`)

// flagError makes pflag's error a sentence that says what would do.
func flagError(cmd *cobra.Command, err error) error {
	text := strconvError.ReplaceAllString(err.Error(), ": give a whole number in range")
	if strings.HasPrefix(text, "unknown") {
		text += ": see " + cmd.CommandPath() + " --help"
	}
	return usagef("%s", text)
}

// arguments wraps a check of positional arguments so that its failure counts as wrong usage.
func arguments(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return usagef("%s needs %s: see %s --help", cmd.Name(), what, cmd.CommandPath())
		case len(args) > n:
			return usagef("unexpected argument %q: see %s --help", args[n], cmd.CommandPath())
		}
		return nil
	}
}
