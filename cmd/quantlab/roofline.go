package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"quantlab/cmd/internal/limits"
	"quantlab/core/kernel"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/term"
	"quantlab/core/roofline"
)

const rooflineHelp = `Tell how near every forward pass comes to what this machine can do at the most,
and what holds it up: reading the weights from memory, arithmetic, or the
overhead of calls. That answers why int8 is faster here, or why it is not.

The limits are measured with the kernel engine's own instructions: multiply-adds
a second in each arithmetic, and bytes read a second from working sets of many
sizes. They are measured once, in about a second, and kept in the cache; --fresh
measures them anew. Limits and passes alike are the fastest of many short bursts,
because whatever else happens on a machine only ever slows it down. So these are
not the latencies of quantlab run, which tells how fast the machine usually is.`

const rooflineExample = `  quantlab roofline
  quantlab roofline --models mnist-lab2 --batches 1,8,64
  quantlab roofline --models sst2-lab1 --input sparse --layers=false
  quantlab roofline --engine avx2 --fresh --format json`

func rooflineCommand(s *streams) *cobra.Command {
	out := &output{streams: s}
	job := rooflineJob{req: wire.Lab()}
	var batches string
	cmd := &cobra.Command{
		Use:     "roofline",
		Short:   "Tell how near the machine's limit every pass is, and what the limit is",
		Long:    rooflineHelp,
		Example: rooflineExample,
		Args:    arguments(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if job.req.Batches, err = parseBatches(batches); err != nil {
				return err
			}
			if job.desk, err = begin(cmd.Context(), &job.req); err != nil {
				return err
			}
			if err := out.settle(host().Check(job.req)); err != nil {
				return err
			}
			return job.run(cmd.Context(), out)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addPasses(cmd, &job.req, &batches, "how long each variant is timed at each batch size, in tenths of a second, at most "+strconv.Itoa(wire.MaxRuns))
	f.BoolVar(&job.layers, "layers", true, "also time each dense layer of 256 outputs and more by itself")
	f.BoolVar(&job.fresh, "fresh", false, "measure the machine's limits anew")
	out.addTo(cmd)
	return cmd
}

// A rooflineJob is one call of the command.
type rooflineJob struct {
	desk          *desk
	req           wire.Request
	layers, fresh bool
}

func (j rooflineJob) run(ctx context.Context, out *output) error {
	if !slices.Contains(j.req.Variants, wire.Baseline) {
		j.req.Variants = append([]string{wire.Baseline}, j.req.Variants...)
	}
	if err := j.desk.bring(ctx, j.req, false, out.meter()); err != nil {
		return err
	}
	meter := out.meter()
	defer meter.close()
	h, began := host(), time.Now()
	h.Peaks = limits.Kept(j.desk.store.CacheDir(), limits.Of(h), j.fresh, lab.Limits)
	passes := 1.0 // share of the work
	if j.layers {
		passes = 0.75 // roughly, at the lab's settings
	}
	result, err := lab.Time(ctx, h, j.desk, j.req, func(e wire.Event) {
		if e.Kind == wire.EventProgress {
			meter.at(e.Step, passes*e.Fraction)
		}
	})
	if err != nil {
		return err
	}
	r := roofline.Report{
		Version: result.Version, Hardware: result.Hardware, Settings: result.Settings, Peaks: result.Peaks,
		Cells: roofline.Cells(result.Rows, result.Settings.Catalog(), result.Peaks), Notes: result.Notes,
	}
	if j.layers {
		engine, err := kernel.Lookup(j.req.Engine)
		if err != nil {
			return err
		}
		times, err := lab.LayerTimes(ctx, engine, j.req, func(done, total int) {
			meter.at(fmt.Sprintf("layer %d of %d by itself", done+1, total), passes+(1-passes)*float64(done)/float64(total))
		})
		if err != nil {
			return err
		}
		r.Layers = roofline.Layers(times)
	}
	meter.close()
	r.Notes = append(r.Notes, aboutLimits(r, began)...)
	return renderRoofline.write(out, r)
}

// aboutLimits says where the limits come from, and whether to trust them.
func aboutLimits(r roofline.Report, began time.Time) []string {
	if r.Peaks == nil {
		return nil
	}
	notes := []string{"the limits were measured just now"}
	if age := began.Sub(r.Peaks.Measured); age > time.Second {
		notes = []string{fmt.Sprintf("the limits were measured %s ago; --fresh measures them anew", ago(age))}
	}
	if r.Settings.Threads > 1 {
		notes = append(notes, fmt.Sprintf("limits are those of %d threads together, each with its part of the weights", r.Settings.Threads))
	}
	if slices.ContainsFunc(r.Cells, func(c roofline.Cell) bool { return roofline.Exceeds(c.Share) }) {
		notes = append(notes, "a cell is faster than its bound, so the machine was busy, or ran at a lower clock, when its limits were measured: measure them anew with --fresh when it is quiet")
	}
	return notes
}

// ago words an age in its largest unit.
func ago(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / u.unit); n == 1 {
			return "1 " + u.name
		} else if n > 1 {
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return "less than a minute"
}

var renderRoofline = rendering[roofline.Report]{report.RooflineJSON, report.RooflineCSV, report.RooflineMarkdown, term.RenderRoofline}
