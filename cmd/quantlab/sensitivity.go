package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/term"
)

const sensitivityHelp = `Find out which layer can't bear quantization. Every layer of the models is
quantized by itself, and all layers but it, as each of the variants; accuracy,
size and latency of every such plan are measured like a variant of quantlab run,
all plans of a model in turns.

Beside them stands what takes no labels: the signal-to-quantization-noise ratio
of the weights, of the layer's own outputs and of the logits. Rank correlations
tell whether these predict the accuracy. In the end it says in plain words which
layer loses most, whether that is more than chance, and where the time goes.

With the lab's settings this takes about a minute a model.`

const sensitivityExample = `  quantlab sensitivity
  quantlab sensitivity --models mnist-lab1 --variants static-qint8
  quantlab sensitivity --models mnist-lab2 --batches 1 --runs 10 --format csv
  quantlab sensitivity -o sensitivity.json`

func sensitivityCommand(s *streams) *cobra.Command {
	out := &output{streams: s}
	req := wire.Lab()
	req.Models, req.Variants = []string{"mnist-lab2", "sst2-lab2"}, req.Variants[1:]
	var batches string
	var data ownData
	cmd := &cobra.Command{
		Use:     "sensitivity",
		Short:   "Tell which layer of a model can't bear quantization",
		Long:    sensitivityHelp,
		Example: sensitivityExample,
		Args:    arguments(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if req.Batches, err = parseBatches(batches); err != nil {
				return err
			}
			d, err := begin(cmd.Context(), &req)
			if err != nil {
				return err
			}
			if err := out.settle(host().Check(req), lab.CheckSensitivity(req)); err != nil {
				return err
			}
			if err := d.choose(cmd.Context(), data, &req, out.meter()); err != nil {
				return err
			}
			return runSensitivity(cmd.Context(), out, d, req)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addPasses(cmd, &req, &batches, "timed runs of each plan at each batch size, at most "+strconv.Itoa(wire.MaxRuns))
	f.IntVar(&req.Examples, "examples", 0, "how many test examples measure accuracy, 0 is all")
	f.Uint64Var(&req.Seed, "seed", 0, "orders the turns of the plans")
	data.addTo(cmd)
	out.addTo(cmd)
	return cmd
}

func runSensitivity(ctx context.Context, out *output, d *desk, req wire.Request) error {
	study, err := d.experiment(ctx, out, wire.Command{Op: wire.OpSensitivity, Request: &req})
	if err != nil {
		return err
	}
	return renderSensitivity.write(out, study.Sensitivity[0])
}

var renderSensitivity = rendering[wire.Sensitivity]{report.SensitivityJSON, report.SensitivityCSV, report.SensitivityMarkdown, term.RenderSensitivity}
