package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/term"
)

const plansHelp = `Search for the plans that are worth having: which numbers to store and compute each
layer of a model in. Every plan of the schemes is tried where there are at most
1000, which gives its exact size and accuracy, all in one pass over the data; a
network with more of them is searched greedily, from float32 on one layer at a
time, by what is saved for each answer lost.

Latency is predicted, as the sum of the layers' own times, which are measured once
each. On the front of a batch size is a plan if no other one is as small, as
accurate and as fast there, and better in one. These plans are then measured, in
turns, and it is told how well the predictions held.

Plans are spelled out with --format csv or json, and can be looked into: quantlab
inspect MODEL --plan PLAN. With the lab's settings this takes half a minute a model.`

const plansExample = `  quantlab plans
  quantlab plans --models mnist-lab1 --batches 1
  quantlab plans --schemes float16,static-w8c-a8r-histogram,static-w2c-a8r-histogram
  quantlab plans -o plans.json`

func plansCommand(s *streams) *cobra.Command {
	out := &output{streams: s}
	req, opt := wire.Lab(), wire.PlansOptions{}.WithDefaults()
	req.Models = []string{"mnist-lab2", "sst2-lab2"}
	var batches string
	var data ownData
	cmd := &cobra.Command{
		Use:     "plans",
		Short:   "Search for the best numbers for each layer: size, accuracy, latency",
		Long:    plansHelp,
		Example: plansExample,
		Args:    arguments(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if req.Batches, err = parseBatches(batches); err != nil {
				return err
			}
			for i, scheme := range opt.Schemes {
				opt.Schemes[i] = strings.TrimSpace(scheme)
			}
			opt = opt.WithDefaults()
			d, err := begin(cmd.Context(), &req)
			if err != nil {
				return err
			}
			if err := out.settle(opt.Validate(), host().Check(req)); err != nil {
				return err
			}
			if err := d.choose(cmd.Context(), data, &req, out.meter()); err != nil {
				return err
			}
			return runPlans(cmd.Context(), out, d, req, opt)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&req.Models, "models", req.Models, "search plans of these `models`, of the lab or of your own")
	f.StringSliceVar(&opt.Schemes, "schemes", opt.Schemes, "try these `schemes` for each layer, and float32; spelled as for quantlab inspect")
	addTiming(cmd, &req, &batches, "timed runs of each layer and of each plan on a front, at most "+strconv.Itoa(wire.MaxRuns))
	f.IntVar(&req.Examples, "examples", 0, "how many test examples measure accuracy, 0 is all")
	f.Uint64Var(&req.Seed, "seed", 0, "orders the turns of the plans")
	data.addTo(cmd)
	out.addTo(cmd)
	return cmd
}

// runPlans searches, its progress shown, and writes what was found.
func runPlans(ctx context.Context, out *output, d *desk, req wire.Request, opt wire.PlansOptions) error {
	study, err := d.experiment(ctx, out, wire.Command{Op: wire.OpPlans, Request: &req, Plans: &opt})
	if err != nil {
		return err
	}
	return renderPlans.write(out, study.Plans[0])
}

var renderPlans = rendering[wire.Plans]{report.PlansJSON, report.PlansCSV, report.PlansMarkdown, term.RenderPlans}
