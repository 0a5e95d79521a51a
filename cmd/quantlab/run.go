package main

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/core/kernel"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/term"
)

const runHelp = `Convert the models in every way asked for, and measure each on this machine:
the size of its file, its accuracy on the test set, and how long one forward
pass takes, per batch, mean and standard deviation over the runs.

All variants of a model take turns in shuffled order, so that a machine that
grows busy slows all of them alike. A variant is called faster or slower than
float32 only where a 95% interval on the ratio of paired runs allows it.

With the lab's own settings, which are the defaults, this takes about a minute.`

const runExample = `  quantlab run
  quantlab run --models mnist-lab1,mnist-lab2 --batches 1,16,64 --runs 20
  quantlab run --models sst2-lab1 --input sparse
  quantlab run -o results.md`

func runCommand(s *streams) *cobra.Command {
	out := &output{streams: s}
	req := wire.Lab()
	var batches string
	var data ownData
	cmd := &cobra.Command{
		Use:     "run",
		Short:   "Measure size, accuracy and latency of every variant",
		Long:    runHelp,
		Example: runExample,
		Args:    arguments(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if req.Batches, err = parseBatches(batches); err != nil {
				return err
			}
			d, err := begin(cmd.Context(), &req)
			if err != nil {
				return err
			}
			if err := out.settle(host().Check(req)); err != nil {
				return err
			}
			if err := d.choose(cmd.Context(), data, &req, out.meter()); err != nil {
				return err
			}
			return runLab(cmd.Context(), out, d, req)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addPasses(cmd, &req, &batches, "timed runs of each variant at each batch size, at most "+strconv.Itoa(wire.MaxRuns))
	f.StringVar(&req.Weights, "weights", req.Weights, "shipped: trained once and cached; fresh: trained now, from --seed")
	f.IntVar(&req.Examples, "examples", 0, "how many test examples measure accuracy, 0 is all")
	f.Uint64Var(&req.Seed, "seed", 0, "orders the turns of the variants; with --weights fresh also draws the weights")
	data.addTo(cmd)
	out.addTo(cmd)
	return cmd
}

// addPasses adds the flags that say which forward passes are timed.
func addPasses(cmd *cobra.Command, req *wire.Request, batches *string, runs string) {
	f := cmd.Flags()
	f.StringSliceVar(&req.Models, "models", req.Models, "measure these `models`, of the lab or of your own")
	f.StringSliceVar(&req.Variants, "variants", req.Variants, "measure these `variants`, and float32 to compare them with")
	addTiming(cmd, req, batches, runs)
}

// addTiming adds the flags that say how forward passes are timed.
func addTiming(cmd *cobra.Command, req *wire.Request, batches *string, runs string) {
	f := cmd.Flags()
	f.StringVar(batches, "batches", "1,64", "examples a forward pass: a `list` of sizes from 1 to "+strconv.Itoa(wire.MaxBatch))
	f.IntVar(&req.Runs, "runs", req.Runs, runs)
	f.IntVar(&req.Threads, "threads", req.Threads, "threads of a forward pass")
	f.StringVar(&req.Input, "input", req.Input, "how the first layer reads a bag of words: dense, as the lab times it, or sparse")
	f.StringVar(&req.Engine, "engine", "", "kernel `engine` (default: "+kernel.Variable+" in the environment, else the fastest; see quantlab hardware)")
}

// parseBatches reads "1,64". Numbers that no int holds are out of range like any other.
func parseBatches(list string) ([]int, error) {
	var batches []int
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		b, err := strconv.Atoi(part)
		switch {
		case err == nil:
			batches = append(batches, b)
		case isNumber(part):
			return nil, usagef("batch %s is out of range: give 1 to %d", part, wire.MaxBatch)
		default:
			return nil, usagef("batch %q is no number: give sizes such as 1,64", part)
		}
	}
	return batches, nil
}

func isNumber(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// runLab carries out the request, its progress shown, and writes the result.
func runLab(ctx context.Context, out *output, d *desk, req wire.Request) error {
	if err := d.bring(ctx, req, req.Weights == wire.Fresh, out.meter()); err != nil {
		return err
	}
	meter := out.meter()
	defer meter.close()
	result, err := lab.Run(ctx, host(), d, req, func(e wire.Event) {
		if e.Kind == wire.EventProgress {
			meter.at(e.Step, e.Fraction)
		}
	})
	if err != nil {
		return err
	}
	meter.close()
	return renderResult.write(out, *result)
}

var renderResult = rendering[wire.Result]{one(report.JSON), one(report.CSV), one(report.Markdown), term.Render}

// one is a writer of any number of results for a single one.
func one(write func(io.Writer, ...wire.Result) error) func(io.Writer, wire.Result) error {
	return func(w io.Writer, r wire.Result) error { return write(w, r) }
}
