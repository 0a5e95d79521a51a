package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quantlab/cmd/internal/atomicfile"
	"quantlab/cmd/internal/limits"
	"quantlab/cmd/internal/prepare"
	"quantlab/cmd/internal/version"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/report/paper"
)

// A part is one of a report's experiments.
type part struct {
	name    string // as --without knows it
	title   string // as the progress shows it
	share   float64
	has     func(wire.Study) bool
	command func(req wire.Request, quick bool) wire.Command
}

// parts are the experiments in their order; share is roughly how much of the time each takes.
var parts = []part{
	{"run", "the lab's tables", .2, func(s wire.Study) bool { return len(s.Results) > 0 },
		func(req wire.Request, _ bool) wire.Command { return wire.Command{Op: wire.OpRun, Request: &req} }},
	{"sensitivity", "sensitivity", .25, func(s wire.Study) bool { return len(s.Sensitivity) > 0 },
		func(req wire.Request, _ bool) wire.Command {
			req = forLayers(req)
			req.Variants = slices.DeleteFunc(slices.Clone(req.Variants), func(id string) bool { return id == wire.Baseline })
			return wire.Command{Op: wire.OpSensitivity, Request: &req}
		}},
	{"plans", "plans", .15, func(s wire.Study) bool { return len(s.Plans) > 0 },
		func(req wire.Request, quick bool) wire.Command {
			req = forLayers(req)
			c := wire.Command{Op: wire.OpPlans, Request: &req}
			if quick {
				c.Plans = &wire.PlansOptions{Schemes: []string{"float32", "static-w8c-a8r-histogram"}}
			}
			return c
		}},
	{"sweep", "calibration sweep", .1, func(s wire.Study) bool { return len(s.Sweeps) > 0 },
		func(req wire.Request, quick bool) wire.Command {
			req = forLayers(req)
			c := wire.Command{Op: wire.OpSweep, Request: &req}
			if quick {
				c.Sweep = &wire.SweepOptions{Sizes: []int{1, 10, 100}, Seeds: 3}
			}
			return c
		}},
	{"amp", "mixed-precision training", .3, func(s wire.Study) bool { return len(s.AMP) > 0 },
		func(req wire.Request, quick bool) wire.Command {
			o := wire.AMPOptions{Type: wire.BFloat16}
			if quick {
				o.Seeds, o.Epochs, o.Limit = 2, 1, 5000
			}
			return wire.Command{Op: wire.OpAMP, Request: &req, AMP: &o}
		}},
}

func partNames() []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// forLayers narrows the request to its models of several layers; where none of them was asked for, it stays.
func forLayers(req wire.Request) wire.Request {
	deep := slices.DeleteFunc(slices.Clone(req.Models), func(id string) bool {
		spec, err := req.Catalog().Of(id)
		return err != nil || len(spec.Hidden) < 2
	})
	if len(deep) > 0 {
		req.Models = deep
	}
	return req
}

// Settings of --quick, where the command line doesn't say otherwise.
const (
	quickRuns     = 2
	quickExamples = 500
)

const quickNotice = "This report was made with --quick: its few runs, examples and epochs show what a report is like, and are no measurement to rely on"

// measure carries out the parts that the study lacks, one after the other, and keeps what there is after each. It returns
// the whole and who keeps it.
func (j *reportJob) measure(ctx context.Context, study wire.Study) (wire.Study, *keeper, error) {
	if j.quick {
		if j.req.Runs == wire.Lab().Runs {
			j.req.Runs = quickRuns
		}
		if j.req.Examples == 0 {
			j.req.Examples = quickExamples
		}
		j.notices = append(j.notices, quickNotice)
	}
	todo := slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return slices.Contains(j.without, p.name) || p.has(study) })
	if err := j.desk.bring(ctx, j.req, false, j.out.streams.meter()); err != nil {
		return study, nil, err
	}
	h := host()
	h.Peaks = limits.Kept(j.desk.store.CacheDir(), limits.Of(h), false, lab.Limits)
	keep := j.keeper(j.desk.store)
	study.Version, study.Command = version.String(), j.command
	meter := j.out.streams.meter()
	defer meter.close()
	whole, done, began := 0.0, 0.0, time.Now()
	for _, p := range todo {
		whole += p.share
	}
	for i, p := range todo {
		one, err := lab.Do(ctx, h, j.desk, p.command(j.req, j.quick), func(e wire.Event) {
			if e.Kind == wire.EventProgress {
				fraction := (done + p.share*e.Fraction) / whole
				meter.at(fmt.Sprintf("%s, part %d of %d%s: %s", p.title, i+1, len(todo), rest(began, fraction), e.Step), fraction)
			}
		})
		if err != nil {
			meter.close()
			keep.tell(j.out.err)
			if ctx.Err() != nil {
				return study, nil, err
			}
			return study, nil, fmt.Errorf("%s: %w", p.title, err)
		}
		done += p.share
		study = paper.Merge(study, *one)
		study.Version, study.Command, study.Made = version.String(), j.command, time.Now().UTC().Format(time.RFC3339)
		suffix := partialSuffix
		if i+1 == len(todo) && !keep.study {
			suffix = finalSuffix
		}
		if err := keep.save(study, suffix); err != nil {
			meter.say(err.Error()) // the report may still find room
		}
	}
	return study, keep, nil
}

// enough is how much of the work must be over before what is left can be told.
const enough = .05

// rest says how long the work will still take, if it goes on as it went.
func rest(began time.Time, fraction float64) string {
	if fraction < enough {
		return ""
	}
	left := time.Duration(float64(time.Since(began)) * (1 - fraction) / fraction)
	if left < time.Minute {
		return fmt.Sprintf(", %d s left", int(left.Seconds()))
	}
	return fmt.Sprintf(", %d min left", int(left.Minutes()+.5))
}

// What follows the name of a report in those of its results.
const (
	partialSuffix = ".partial.json" // while measuring goes on
	finalSuffix   = ".results.json"
)

// A keeper keeps results while measuring goes on: beside the report, or where that fails, in the cache.
type keeper struct {
	beside string // without suffix; "" keeps nothing beside
	cache  string // without suffix
	path   string // of what is kept now; "" nothing
	study  bool   // the report is a file of results itself
}

func (j *reportJob) keeper(src *prepare.Store) *keeper {
	k := &keeper{
		cache: filepath.Join(src.CacheDir(), "reports", "results-"+time.Now().UTC().Format("20060102-150405")),
		study: j.out.format == formatJSON && j.out.file != "",
	}
	if j.out.file != "" {
		k.beside = strings.TrimSuffix(j.out.file, filepath.Ext(j.out.file))
	}
	return k
}

// save keeps the study, in place of what was kept before.
func (k *keeper) save(study wire.Study, suffix string) error {
	write := func(path string) error {
		return atomicfile.Write(path, func(w io.Writer) error { return paper.JSON(w, study) })
	}
	kept := func(path string) error {
		if k.path != "" && k.path != path {
			os.Remove(k.path)
		}
		k.path = path
		return nil
	}
	var first error
	if k.beside != "" {
		if first = write(k.beside + suffix); first == nil {
			return kept(k.beside + suffix)
		}
	}
	path := k.cache + suffix
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = write(path)
	}
	if err == nil {
		return kept(path)
	}
	return fmt.Errorf("the results can be kept neither beside the report nor in %s (%w): free some space", filepath.Dir(path), atomicfile.Cause(errors.Join(first, err)))
}

// tell says where the results of an interrupted measurement are.
func (k *keeper) tell(w io.Writer) {
	if k.path != "" {
		fmt.Fprintf(w, "What was measured is kept in %s; go on with: quantlab report --from %s --missing\n", k.path, shellWord(k.path))
	}
}

// done says where the results are once the report is written; a report that is a file of results needs no other.
func (k *keeper) done(w io.Writer) {
	switch {
	case k.path == "":
	case k.study:
		os.Remove(k.path)
	default:
		fmt.Fprintln(w, "The results are kept in", k.path)
	}
}
