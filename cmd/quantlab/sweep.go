package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/term"
)

const sweepHelp = `Find out how much of a lottery calibration is. A model is converted by one plan over
and over, calibrated with samples of several sizes that several seeds draw from the
training set, and asked for its answers on the same test examples every time.

The spread over the samples stands beside what the choice of the test examples
alone is worth: a spread below that could not be told from it. In the end it says
in plain words from which size on the sample no longer matters.

With the defaults this takes less than a minute.`

const sweepExample = `  quantlab sweep
  quantlab sweep --models mnist-lab1 --sizes 16,64,256 --seeds 30
  quantlab sweep --plan static-w8c-a8r-minmax
  quantlab sweep -o sweep.csv`

func sweepCommand(s *streams) *cobra.Command {
	out := &output{streams: s}
	req, opt := wire.Lab(), wire.SweepOptions{}.WithDefaults()
	req.Models = []string{"mnist-lab2", "sst2-lab2"}
	var data ownData
	cmd := &cobra.Command{
		Use:     "sweep",
		Short:   "Tell how far accuracy depends on the calibration examples",
		Long:    sweepHelp,
		Example: sweepExample,
		Args:    arguments(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opt.Seeds == 0 { // which would mean the default
				return usagef("seeds 0 is out of range: give 1 to %d", wire.MaxSeeds)
			}
			d, err := begin(cmd.Context(), &req)
			if err != nil {
				return err
			}
			if err := out.settle(opt.Validate(req), host().Check(req)); err != nil {
				return err
			}
			if err := d.choose(cmd.Context(), data, &req, out.meter()); err != nil {
				return err
			}
			return runSweep(cmd.Context(), out, d, req, opt)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&req.Models, "models", req.Models, "calibrate these `models`, of the lab or of your own")
	f.StringVar(&opt.Plan, "plan", opt.Plan, "convert by this `plan`: one scheme, or one for each layer, joined by commas, of which one is static")
	f.IntSliceVar(&opt.Sizes, "sizes", opt.Sizes, "examples that calibrate: a `list` of sizes from 1 to "+strconv.Itoa(wire.MaxCalibration))
	f.IntVar(&opt.Seeds, "seeds", opt.Seeds, "samples of each size, at most "+strconv.Itoa(wire.MaxSeeds))
	f.IntVar(&req.Threads, "threads", req.Threads, "threads of a forward pass")
	f.StringVar(&req.Engine, "engine", "", "kernel `engine` (default: "+kernel.Variable+" in the environment, else the fastest; see quantlab hardware)")
	f.IntVar(&req.Examples, "examples", 0, "how many test examples measure accuracy, 0 is all")
	data.addTo(cmd)
	out.addTo(cmd)
	return cmd
}

// runSweep calibrates, its progress shown, and writes what came of it.
func runSweep(ctx context.Context, out *output, d *desk, req wire.Request, opt wire.SweepOptions) error {
	study, err := d.experiment(ctx, out, wire.Command{Op: wire.OpSweep, Request: &req, Sweep: &opt})
	if err != nil {
		return err
	}
	return renderSweep.write(out, study.Sweeps[0])
}

var renderSweep = rendering[wire.Sweep]{report.SweepJSON, report.SweepCSV, report.SweepMarkdown, term.RenderSweep}
