package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/play"
	"quantlab/core/report"
	"quantlab/core/report/term"
	"quantlab/core/scheme"
)

const inspectHelp = `Tell what a conversion did to each layer of a model: the grids of its weights and
activations, how much was lost on them, what is clipped, which units are dead,
and in plain words what matters most.

The conversion is one of the lab's variants, or a plan of your own: one scheme for
all layers, or one for each, joined by commas.
  float32   float16   dynamic-w8-a8r   static-w8c-a8r-histogram
After w and a come the bits of weights and activations, 2 to 8; then c is a scale
per channel, a affine weights, r a reduced range, s symmetric activations and p a
grid for each example. Static layers name an observer: minmax, movingaverage,
histogram, percentile99.9 or entropy.`

const inspectExample = `  quantlab inspect mnist-lab2
  quantlab inspect sst2-lab2 --variant dynamic-qint8
  quantlab inspect mnist-lab1 --plan static-w4c-a6-percentile99.9,float32
  quantlab inspect mnist-lab1 --calibration 256 --calseed 7 --format csv`

func inspectCommand(s *streams) *cobra.Command {
	out := &output{streams: s}
	var req wire.InspectRequest
	var variant string
	cmd := &cobra.Command{
		Use:     "inspect MODEL",
		Short:   "Tell what a conversion did to each layer of a model",
		Long:    inspectHelp,
		Example: inspectExample,
		Args:    arguments(1, "a model, one of "+strings.Join(nn.IDs(), ", ")+" or one of your own"),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Model = args[0]
			d, err := openDesk(cmd.Context())
			if err != nil {
				return err
			}
			spec, err := d.own.Catalog().Of(req.Model)
			if err != nil {
				return usageError{err}
			}
			if err := settlePlan(&req.Conversion, spec, variant, cmd.Flags().Changed); err != nil {
				return usageError{err}
			}
			if err := out.settle(lab.CheckSample(req.Conversion)); err != nil {
				return err
			}
			return runInspect(cmd.Context(), out, d, req)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&variant, "variant", "static-qint8", "inspect this `variant`: "+strings.Join(wire.VariantIDs(), ", "))
	f.StringVar(&req.Plan, "plan", "", "inspect this `plan` of your own instead")
	addSample(cmd, &req.Conversion)
	out.addTo(cmd)
	return cmd
}

// addSample adds the flags that say which examples calibrate.
func addSample(cmd *cobra.Command, c *wire.Conversion) {
	f := cmd.Flags()
	f.IntVar(&c.Examples, "calibration", 0, "how many training `examples` calibrate, 0 is the lab's 1024")
	f.Uint64Var(&c.Seed, "calseed", 0, "draws these examples; 0 takes the lab's sample")
}

// settlePlan checks the plan, and spells the plan of a variant.
func settlePlan(c *wire.Conversion, spec nn.Spec, variant string, given func(flag string) bool) error {
	layers := len(spec.Dims()) - 1
	if given("plan") {
		if given("variant") {
			return usagef("give --variant or --plan, not both")
		}
		_, err := scheme.ParsePlan(c.Plan, layers)
		return err
	}
	plan, err := scheme.Preset(variant, layers)
	c.Plan = plan.String()
	return err
}

func runInspect(ctx context.Context, out *output, d *desk, req wire.InspectRequest) error {
	if err := d.bring(ctx, wire.Request{Models: []string{req.Model}}, false, out.meter()); err != nil {
		return err
	}
	meter := out.meter()
	defer meter.close()
	bench := play.NewBench(host(), d)
	defer bench.Close()
	var told *wire.Inspection
	err := bench.Inspect(ctx, req, func(e wire.Event) {
		if e.Kind == wire.EventProgress {
			meter.at(e.Step, e.Fraction)
		}
		if e.Inspection != nil {
			told = e.Inspection
		}
	})
	if err != nil {
		return err
	}
	meter.close()
	return renderInspection.write(out, *told)
}

var renderInspection = rendering[wire.Inspection]{report.InspectionJSON, report.InspectionCSV, report.InspectionMarkdown, term.RenderInspection}
