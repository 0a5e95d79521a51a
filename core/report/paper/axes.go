package paper

import (
	"cmp"
	"fmt"
	"slices"
)

// The axes along which a table's rows are compared.
const (
	precision = "precision"
	model     = "model"
	task      = "task"
	batchSize = "batch size"
	layer     = "layer"
)

// An effect is one comparison along an axis.
type effect struct {
	axis      string
	ratio     ratio
	supported bool // the interval leaves out "no effect", and the test agrees where there is one
	tell      func() telling
}

// A telling is an effect in words. Of the hundreds of comparisons only a few are ever told.
type telling struct {
	what  string
	why   string // the reason that the roofline gives; "" where it gives none
	more  string // what else belongs to the two rows
	cites []string
}

// strength ranks effects: the least that the interval allows.
func (e effect) strength() float64 {
	if !e.supported {
		return 0
	}
	return e.ratio.least()
}

// An axis is all comparisons along it.
type axis struct {
	name             string
	best             *effect // nil where none is supported
	total, supported int
}

// rank sums the effects up, the axis with the strongest one first. Equals keep the order of the names.
func rank(names []string, effects []effect) []axis {
	axes := make([]axis, len(names))
	for i, n := range names {
		axes[i].name = n
		for j := range effects {
			e := &effects[j]
			if e.axis != n {
				continue
			}
			axes[i].total++
			if e.strength() == 0 {
				continue
			}
			axes[i].supported++
			if best := axes[i].best; best == nil || e.strength() > best.strength() {
				axes[i].best = e
			}
		}
	}
	slices.SortStableFunc(axes, func(a, b axis) int {
		strength := func(a axis) float64 {
			if a.best == nil {
				return 0
			}
			return a.best.strength()
		}
		return cmp.Compare(strength(b), strength(a))
	})
	return axes
}

// A discussion is what the drafts after one table need.
type discussion struct {
	id    string // "dynamic": the drafts are dynamic-1 and dynamic-2
	title string // "dynamic quantization"
	names []string
}

// drafts writes the two axes with the strongest supported effects, and says so where there are fewer.
func (d discussion) drafts(effects []effect) []Draft {
	axes := rank(d.names, effects)
	var out []Draft
	for i, a := range axes[:min(2, len(axes))] {
		if a.best == nil {
			break
		}
		told := a.best.tell()
		out = append(out, Draft{
			ID: fmt.Sprintf("%s-%d", d.id, i+1), Title: upper(a.name) + ", " + d.title,
			Text: paragraphs(told.what, told.why, told.more, a.standing()), Cites: told.cites,
		})
	}
	if len(out) < 2 {
		out = append(out, Draft{ID: fmt.Sprintf("%s-%d", d.id, len(out)+1), Title: upper(d.title) + ", other axes", Text: nothing(axes, len(out))})
	}
	return out
}

// standing says among how many comparisons the effect was found.
func (a axis) standing() string {
	if a.total == 1 {
		return fmt.Sprintf("It is the only comparison of these results along the axis of %s.", a.name)
	}
	return fmt.Sprintf("Of %d comparisons along the axis of %s, the 95%% %s of %d %s out “no effect”; this effect is the strongest.",
		a.total, a.name, plural(a.supported, "interval", "intervals"), a.supported, plural(a.supported, "leaves", "leave"))
}

// nothing says along which axes no effect is supported, and which can't be compared at all.
func nothing(axes []axis, found int) string {
	var compared, absent []string
	total := 0
	for _, a := range axes {
		switch {
		case a.best != nil:
		case a.total == 0:
			absent = append(absent, a.name)
		default:
			compared = append(compared, a.name)
			total += a.total
		}
	}
	var s []string
	if total > 0 {
		along := "Along no other axis"
		if found == 0 {
			along = "Along no axis"
		}
		if total == 1 {
			s = append(s, fmt.Sprintf("%s is an effect supported: the 95%% interval of the one comparison (%s) holds “no effect”. More runs or examples would narrow it.", along, list(compared)))
		} else {
			s = append(s, fmt.Sprintf("%s is an effect supported: the 95%% intervals of all %d comparisons (%s) hold “no effect”. More runs or examples would narrow them.", along, total, list(compared)))
		}
	}
	if len(absent) > 0 {
		s = append(s, fmt.Sprintf("The results hold nothing to compare along the %s of %s.", plural(len(absent), "axis", "axes"), list(absent)))
	}
	return sentences(s...)
}
