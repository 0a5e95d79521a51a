package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/play"
	"quantlab/core/report"
)

const exportHelp = `Convert a model and write it as a file that other programs read, with the very
numbers that quantlab measures: the format is told by the file's name.

  .safetensors   any plan; quantlab import reads it again where it is float32
  .pt            a state_dict that torch.load opens, quantized layers as torch.ao
                 keeps them
  .onnx          for ONNX Runtime and others: float16 weights, DynamicQuantizeLinear
                 and MatMulInteger for dynamic layers, QuantizeLinear and
                 DequantizeLinear for static ones

The conversion is one of the variants, or a plan of your own, spelled as for
quantlab inspect; layers may differ.`

const exportExample = `  quantlab export --model mnist-lab2 --variant static-qint8 mnist.onnx
  quantlab export --model my-mlp --variant dynamic-qint8 mlp.pt
  quantlab export --model mnist-lab1 --plan static-w4c-a8r-minmax,float32 --force small.safetensors`

// An exportJob is one call of the command.
type exportJob struct {
	*streams
	req   wire.ExportRequest
	plan  wire.Conversion
	file  string
	force bool
}

func exportCommand(s *streams) *cobra.Command {
	job := exportJob{streams: s}
	cmd := &cobra.Command{
		Use:     "export FILE",
		Short:   "Write a converted model as safetensors, for PyTorch or as ONNX",
		Long:    exportHelp,
		Example: exportExample,
		Args:    arguments(1, "a file to write, such as mlp.onnx"),
		RunE: func(cmd *cobra.Command, args []string) error {
			job.file = args[0]
			d, err := openDesk(cmd.Context())
			if err != nil {
				return err
			}
			if err := job.check(d, cmd.Flags().Changed); err != nil {
				return err
			}
			return job.run(cmd.Context(), d)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&job.req.Model, "model", "", "which model: "+strings.Join(nn.IDs(), ", ")+", or one of your own")
	f.StringVar(&job.req.Variant, "variant", wire.Baseline, "convert to this `variant`: "+strings.Join(wire.VariantIDs(), ", "))
	f.StringVar(&job.plan.Plan, "plan", "", "convert by this `plan` of your own instead")
	addSample(cmd, &job.plan)
	f.StringVar(&job.req.Format, "to", "", "write this `format`: "+strings.Join(wire.ExportFormats(), ", ")+" (default: by the name of FILE)")
	f.BoolVar(&job.force, "force", false, "replace FILE if it is there already")
	return cmd
}

// check finds wrong usage, and a file that could not be written, before any work is done.
func (j *exportJob) check(d *desk, given func(flag string) bool) error {
	if j.req.Model == "" {
		return usagef("export needs a model: give --model, one of %s", strings.Join(d.own.Catalog().IDs(), ", "))
	}
	spec, err := d.own.Catalog().Of(j.req.Model)
	if err != nil {
		return usageError{err}
	}
	if j.req.Format == "" {
		ext := strings.ToLower(strings.TrimPrefix(filepath.Ext(j.file), "."))
		if ext == "pth" {
			ext = wire.PyTorch
		}
		if !slices.Contains(wire.ExportFormats(), ext) {
			return usagef("%s says no format by its name: end it in .%s, or give --to", j.file, strings.Join(wire.ExportFormats(), ", ."))
		}
		j.req.Format = ext
	}
	if given("plan") || given("calibration") || given("calseed") {
		if err := settlePlan(&j.plan, spec, j.req.Variant, given); err != nil {
			return usageError{err}
		}
		if err := lab.CheckSample(j.plan); err != nil {
			return usageError{err}
		}
		j.req.Variant, j.req.Custom = wire.Custom, &j.plan
	}
	if err := j.req.Validate(); err != nil {
		return usageError{err}
	}
	if _, err := os.Lstat(j.file); err == nil && !j.force {
		return fmt.Errorf("%s is there already: choose another name, or replace it with --force", j.file)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unreadable(j.file, err)
	}
	return (&output{file: j.file}).writable()
}

func (j *exportJob) run(ctx context.Context, d *desk) error {
	if err := d.bring(ctx, wire.Request{Models: []string{j.req.Model}}, false, j.meter()); err != nil {
		return err
	}
	meter := j.meter()
	defer meter.close()
	bench := play.NewBench(host(), d)
	defer bench.Close()
	var told *wire.Exported
	err := writeFile(j.file, func(w io.Writer) (err error) {
		told, err = bench.Export(ctx, j.req, w, func(e wire.Event) {
			if e.Kind == wire.EventProgress {
				meter.at(e.Step, e.Fraction)
			}
		})
		return err
	})
	if err != nil {
		return err
	}
	meter.close()
	what := j.req.Variant
	if j.req.Custom != nil {
		what = j.req.Custom.Plan
	}
	p := prose{width: j.width}
	p.say("", fmt.Sprintf("%s: %s, %s, %s MB", j.file, j.req.Model, what, report.MB(told.Bytes)))
	for _, n := range told.Notes {
		p.say("• ", n)
	}
	p.say("", howToOpen(j.req.Format, j.file))
	_, err = fmt.Fprint(j.out, p.b.String())
	return err
}

// howToOpen is a line that opens the file.
func howToOpen(format, file string) string {
	switch format {
	case wire.PyTorch:
		return fmt.Sprintf("Open it with torch.load(%q, weights_only=True)", file)
	case wire.ONNX:
		return fmt.Sprintf("Open it with onnxruntime.InferenceSession(%q)", file)
	}
	return fmt.Sprintf("Open it with safetensors.numpy.load_file(%q)", file)
}
