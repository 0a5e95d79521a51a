package app

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"quantlab/core/lab/wire"
)

// maxParts bounds the parts of each kind that the page keeps: the newest.
const maxParts = 16

// study is everything that was measured for this page: the experiments' parts, and the rows of the runs.
func (s *State) study() wire.Study {
	whole := s.Study
	whole.Format = wire.StudyFormat
	whole.Results = s.exported()
	for _, host := range inOrderHosts {
		whole.Version = cmp.Or(whole.Version, s.Versions[host])
	}
	return whole
}

// withParts returns a study with newer parts added. What they measured again, with the same settings on the same host, is gone
// from the older ones. The study itself is not changed.
func withParts(old, newer wire.Study) wire.Study {
	for _, p := range newer.Sensitivity {
		old.Sensitivity = without(old.Sensitivity, p, func(o *wire.Sensitivity) *wire.Setting { return &o.Setting }, nil, func(o *wire.Sensitivity, again func(string) bool) {
			o.Rows = others(o.Rows, func(r wire.SensitivityRow) bool { return again(r.Model) })
			o.References = others(o.References, func(r wire.Row) bool { return again(r.Model) })
			o.Correlations = others(o.Correlations, func(c wire.Correlation) bool { return again(c.Model) })
		})
	}
	for _, p := range newer.Plans {
		old.Plans = without(old.Plans, p, func(o *wire.Plans) *wire.Setting { return &o.Setting }, searched, func(o *wire.Plans, again func(string) bool) {
			o.Searches = others(o.Searches, func(r wire.PlanSearch) bool { return again(r.Model) })
		})
	}
	for _, p := range newer.Sweeps {
		old.Sweeps = without(old.Sweeps, p, func(o *wire.Sweep) *wire.Setting { return &o.Setting }, swept, func(o *wire.Sweep, again func(string) bool) {
			o.Points = others(o.Points, func(r wire.SweepPoint) bool { return again(r.Model) })
			o.Spreads = others(o.Spreads, func(r wire.SweepSpread) bool { return again(r.Model) })
		})
	}
	for _, p := range newer.AMP {
		old.AMP = without(old.AMP, p, func(o *wire.AMP) *wire.Setting { return &o.Setting }, func(o wire.AMP) any { return o.Options }, func(o *wire.AMP, again func(string) bool) {
			o.Rows = others(o.Rows, func(r wire.AMPRow) bool { return again(r.Model) })
		})
	}
	old.Version, old.Made = newer.Version, time.Now().Format(time.RFC3339)
	old.Sensitivity, old.Plans = newest(old.Sensitivity, newer.Sensitivity), newest(old.Plans, newer.Plans)
	old.Sweeps, old.AMP = newest(old.Sweeps, newer.Sweeps), newest(old.AMP, newer.AMP)
	return old
}

// without returns parts without what a newer one has measured again. Options says what else than the settings must be the same;
// drop takes the rows of some models away.
func without[P any](parts []P, newer P, setting func(*P) *wire.Setting, options func(P) any, drop func(p *P, again func(model string) bool)) []P {
	now := setting(&newer)
	again := func(model string) bool { return slices.Contains(now.Settings.Models, model) }
	var out []P
	for _, p := range parts {
		was := setting(&p)
		same := was.Hardware.Host == now.Hardware.Host && sameButModels(was.Settings, now.Settings)
		if options != nil {
			same = same && reflect.DeepEqual(options(p), options(newer))
		}
		if same {
			was.Settings.Models = others(was.Settings.Models, again)
			drop(&p, again)
		}
		if len(was.Settings.Models) > 0 {
			out = append(out, p)
		}
	}
	return out
}

func sameButModels(a, b wire.Request) bool {
	a.Models, b.Models = nil, nil
	return reflect.DeepEqual(a, b)
}

// searched is for which schemes a search looked, and swept which plan and sizes a sweep calibrated.
func searched(p wire.Plans) any {
	if len(p.Searches) == 0 {
		return nil
	}
	return p.Searches[0].Schemes
}

func swept(p wire.Sweep) any {
	type calibrated struct {
		plan  string
		sizes []int
	}
	var c calibrated
	for _, point := range p.Points {
		c.plan = point.Plan
		if !slices.Contains(c.sizes, point.Examples) {
			c.sizes = append(c.sizes, point.Examples)
		}
	}
	return c
}

func others[T any](s []T, gone func(T) bool) []T { return slices.DeleteFunc(slices.Clone(s), gone) }

// newest are the last of two lists, the older one first.
func newest[T any](older, newer []T) []T {
	all := slices.Concat(older, newer)
	return all[max(0, len(all)-maxParts):]
}
