package app

import (
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
)

// rowState is what there is to show of a row.
type rowState int

const (
	rowPending  rowState = iota // will come
	rowMeasured                 // is here
	rowAbsent                   // will not come: its run was cancelled or failed
)

// A cardView is everything that one model's card shows, as plain text and geometry. It is compared with the last one
// to decide whether the card is drawn again.
type cardView struct {
	Model, Shape, Facts string
	Batches             []int
	Groups              []groupView
}

// A groupView is one variant, with a row for each host.
type groupView struct {
	Variant, Name, Kind string
	Rows                []rowView
}

type rowView struct {
	State        rowState
	Host, Engine string
	Text         string // of a row that is not here
	Size         string // "0.409"
	Smaller      string // "3.98× smaller"
	Torch        string // "0.412": the size of PyTorch's file
	Accuracy     string // "97.06%"
	Interval     string // "[96.71, 97.37]"
	Paired       string // "9 answers differ: …"
	Certain      bool   // the paired test found a difference
	Note         string
	Same         bool       // accuracy and size are those of the row above, measured by another host
	Cells        []cellView // one a batch
}

type cellView struct {
	Mean, Std, N string
	Plot         string // SVG
	Verdict      verdictView
	Baseline     bool
	Missing      bool
}

// labName is the row's name in the lab's own table: "D qint8".
func labName(v wire.Variant) string {
	if v.ID == wire.Baseline {
		return "baseline"
	}
	return v.Q + " " + v.DType
}

// cards lays out the results, a card a model.
func (s *State) cards() []cardView {
	var out []cardView
	for _, id := range s.Results.Request.Models {
		spec, err := s.Results.Request.Catalog().Of(id)
		if err != nil {
			continue
		}
		if c, ok := s.card(spec); ok {
			out = append(out, c)
		}
	}
	return out
}

func (s *State) card(spec nn.Spec) (cardView, bool) {
	req := s.Results.Request
	c := cardView{Model: spec.ID, Shape: spec.Shape(), Batches: req.Batches}
	scales := s.scales(spec.ID)
	total, engines := 0, []string{}
	for _, id := range req.Variants {
		v, err := wire.VariantOf(id)
		if err != nil {
			continue
		}
		g := groupView{Variant: id, Name: variantName(id), Kind: labName(v)}
		for _, host := range inOrderHosts {
			row, ok := s.row(spec.ID, id, host)
			if ok {
				g.Rows = append(g.Rows, measuredRow(row, req.Batches, scales).after(g.Rows))
				total = max(total, row.Total)
				if e := engineFact(row); !slices.Contains(engines, e) {
					engines = append(engines, e)
				}
				continue
			}
			if r, ok := s.planned(spec.ID, id, host); ok {
				g.Rows = append(g.Rows, r)
			}
		}
		if len(g.Rows) > 0 {
			c.Groups = append(c.Groups, g)
		}
	}
	c.Facts = strings.Join(append([]string{
		report.Count(spec.Params()) + " parameters", testedOn(spec, req, total), plural(req.Runs, "run") + ", interleaved",
	}, engines...), " · ")
	return c, len(c.Groups) > 0
}

// engineFact says what computed a row: "browser: relaxed SIMD", "native: AVX2, 2 threads".
func engineFact(r wire.Row) string {
	fact := hostName(r.Host) + ": " + engineName(r.Engine)
	if r.Threads > 1 {
		fact += ", " + plural(r.Threads, "thread")
	}
	return fact
}

// testedOn says on what accuracy is measured; how many there are is known once a row is here.
func testedOn(spec nn.Spec, req wire.Request, total int) string {
	test := testSetOf(spec, req.Own, req.Test)
	switch {
	case total > 0 && req.Examples > 0:
		return "first " + test.count(total)
	case total > 0:
		return test.count(total)
	case req.Examples > 0:
		return "first " + test.count(req.Examples)
	}
	return "all " + test.Noun + "s" + test.whose()
}

func (s *State) row(model, variant, host string) (wire.Row, bool) {
	if i := slices.IndexFunc(s.Results.Rows, is(model, variant, host)); i >= 0 {
		return s.Results.Rows[i], true
	}
	return wire.Row{}, false
}

// planned is the place of a row that is not here, or not with its latencies.
func (s *State) planned(model, variant, host string) (rowView, bool) {
	for _, run := range s.Runs {
		if !run.covers(model, variant, host) {
			continue
		}
		r := rowView{Host: host}
		if i := slices.IndexFunc(s.Partial, is(model, variant, host)); i >= 0 {
			r = measuredRow(s.Partial[i], nil, nil)
		}
		r.State, r.Text = rowPending, "waiting"
		switch run.Phase {
		case RunActive:
			r.Text = "measuring"
			if !strings.HasPrefix(run.Step, model+",") {
				r.Text = "waiting"
			}
		case RunDone:
			r.State, r.Text = rowAbsent, "no row came"
		case RunCanceled, RunCanceling:
			r.State, r.Text = rowAbsent, "cancelled"
		case RunFailed:
			r.State, r.Text = rowAbsent, "failed"
		}
		for range run.Request.Batches {
			r.Cells = append(r.Cells, cellView{Missing: true})
		}
		return r, true
	}
	return rowView{}, false
}

// scales gives each batch size of a model the scale that its bars share.
func (s *State) scales(model string) map[string]float64 {
	byBatch := map[string][]wire.Latency{}
	for _, r := range s.Results.Rows {
		if r.Model != model {
			continue
		}
		for batch, l := range r.LatencyUS {
			byBatch[batch] = append(byBatch[batch], l)
		}
	}
	scales := map[string]float64{}
	for batch, ls := range byBatch {
		scales[batch] = plotScale(ls)
	}
	return scales
}

func measuredRow(r wire.Row, batches []int, scales map[string]float64) rowView {
	v := rowView{State: rowMeasured, Host: r.Host, Engine: r.Engine, Note: sentence(r.Note)}
	if r.SizeBytes > 0 {
		v.Size = report.MB(r.SizeBytes)
		if r.Variant != wire.Baseline && r.Smaller > 0 && finite(r.Smaller) {
			v.Smaller = report.Times(r.Smaller, 0) + " smaller"
		}
	}
	if r.SizeTorch > 0 {
		v.Torch = report.MB(r.SizeTorch)
	}
	if r.Accuracy != nil && finite(*r.Accuracy) {
		v.Accuracy = report.Percent(*r.Accuracy, r.Total)
		if i := r.Interval; i != nil {
			v.Interval = report.Interval(*i, r.Total)
		}
		v.Paired, v.Certain = paired(r.Paired)
	}
	for _, b := range batches {
		key := strconv.Itoa(b)
		l, ok := r.LatencyUS[key]
		if !ok {
			v.Cells = append(v.Cells, cellView{Missing: true})
			continue
		}
		c := cellView{N: strconv.Itoa(len(l.Samples)), Plot: plotSVG(l, scales[key], r.Host)}
		c.Mean, c.Std = report.Trim(l.Mean, l.Std)
		c.Verdict, c.Baseline = verdict(l.Verdict), r.Variant == wire.Baseline
		v.Cells = append(v.Cells, c)
	}
	return v
}

// after marks a row that repeats what the one above says of size and accuracy, as it should: hosts differ in speed only.
func (v rowView) after(rows []rowView) rowView {
	if n := len(rows); n > 0 {
		o := rows[n-1]
		v.Same = v.Accuracy+v.Note != "" && v.Accuracy == o.Accuracy && v.Interval == o.Interval && v.Paired == o.Paired &&
			v.Note == o.Note && v.Size == o.Size
	}
	return v
}

// paired says how a variant's answers differ from the baseline's, and whether the test finds that more than chance.
func paired(p *wire.Paired) (string, bool) {
	if p == nil {
		return "", false
	}
	// Where it must break, before the p.
	return strings.ReplaceAll(report.Flips(p), " = ", "\u00a0=\u00a0"), p.P < 0.05
}
