package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/term"
)

const ampHelp = `Train the models in float32 and with automatic mixed precision, and tell what that
gained: the time of training and of its matrix products alone, and whether the
trained model is as accurate, as large and as fast. Both kinds start from the same
seeds, and take turns; both are evaluated in float32.

Mixed precision is PyTorch's autocast: matrix products take operands rounded to
bf16 or f16 and add in float32, while weights, Adam and the loss stay float32. With
f16 the loss is scaled, as GradScaler does it, and steps whose gradients overflow
are skipped; the table tells how the scale went.

bf16 products are fast on processors with AVX512_BF16 (see quantlab hardware).
Everywhere else, and for f16, they are emulated with the same results, but then
nothing is said about time. With the lab's models and three seeds this takes about
two minutes.`

const ampExample = `  quantlab amp
  quantlab amp --models mnist-lab2 --seeds 5
  quantlab amp --type f16 --models mnist-lab1,sst2-lab1 --epochs 1
  quantlab amp --models mnist-lab1 --limit 6000 -f json`

func ampCommand(s *streams) *cobra.Command {
	out := &output{streams: s}
	req, opt := wire.Lab(), wire.AMPOptions{}.WithDefaults()
	var batches string
	cmd := &cobra.Command{
		Use:     "amp",
		Short:   "Compare mixed-precision training with float32's",
		Long:    ampHelp,
		Example: ampExample,
		Args:    arguments(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if req.Batches, err = parseBatches(batches); err != nil {
				return err
			}
			if opt.Seeds == 0 { // which would mean the default
				return usagef("seeds 0 is out of range: give 1 to %d", wire.MaxTrainings)
			}
			d, err := begin(cmd.Context(), &req)
			if err != nil {
				return err
			}
			if err := out.settle(opt.Validate(), host().Check(req)); err != nil {
				return err
			}
			return runAMP(cmd.Context(), out, d, req, opt)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&req.Models, "models", req.Models, "train these `models`, of the lab or of your own")
	f.StringVar(&opt.Type, "type", opt.Type, "`type` of the matrix products: bf16 or f16")
	f.IntVar(&opt.Seeds, "seeds", opt.Seeds, "trainings of each kind, at most "+strconv.Itoa(wire.MaxTrainings))
	f.Uint64Var(&req.Seed, "seed", 0, "the first of these seeds, each one more than the one before")
	f.IntVar(&opt.Epochs, "epochs", 0, "passes over the training examples, 0 is the lab's")
	f.IntVar(&opt.Limit, "limit", 0, "train on the first so many examples, 0 is all")
	addTiming(cmd, &req, &batches, "timed runs of the trained models at each batch size, at most "+strconv.Itoa(wire.MaxRuns))
	f.Lookup("threads").Usage = "threads of training, and of a forward pass"
	f.IntVar(&req.Examples, "examples", 0, "how many test examples measure accuracy, 0 is all")
	out.addTo(cmd)
	return cmd
}

// runAMP trains, its progress shown, and writes what came of it.
func runAMP(ctx context.Context, out *output, d *desk, req wire.Request, opt wire.AMPOptions) error {
	study, err := d.experiment(ctx, out, wire.Command{Op: wire.OpAMP, Request: &req, AMP: &opt})
	if err != nil {
		return err
	}
	return renderAMP.write(out, study.AMP[0])
}

var renderAMP = rendering[wire.AMP]{report.AMPJSON, report.AMPCSV, report.AMPMarkdown, term.RenderAMP}
