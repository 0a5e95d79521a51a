package play

import (
	"fmt"
	"slices"
	"time"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/nn"
)

const (
	timingBudget = 8 * time.Millisecond  // for the timed passes of all rows, half of a frame at 60 Hz
	minSample    = 50 * time.Microsecond // a sample of passes lasts at least this long,
	sampleSteps  = 20                    // and so many steps of the clock
	minRounds    = 5                     // of samples, as many as it takes to tell an outlier from the rest;
	fewRounds    = 2                     // where they take several budgets a deviation must do,
	calm         = 1.5                   // unless a row's samples differ by more than this factor
)

// timeRows times this very input: rounds of one sample a row, so that a machine that grows busier slows all rows alike. A
// sample is the mean time of some passes in a row, as many as dwarf the clock's step. When the budget is spent the rounds
// end, before there are as many as asked for; one pass of a large model may take more than all of it.
func timeRows(rows []row, batch nn.Batch, repeats int, p *wire.Prediction) error {
	step := measure.Resolution()
	least := max(minSample, sampleSteps*step)
	if least*time.Duration(len(rows)) > 2*timingBudget {
		p.Notes = append(p.Notes, fmt.Sprintf("a single call can't be timed here: the clock moves in steps of %v", step))
		return nil
	}
	sample := max(least, timingBudget/time.Duration(repeats*len(rows)))
	series := make([]measure.Series, len(rows))
	begin := measure.System.Now()
	for round := range repeats {
		if enough(round, measure.System.Now()-begin, series) {
			break
		}
		for k := range rows {
			i := (k + round) % len(rows)
			if rows[i].model == nil {
				continue
			}
			us, err := rows[i].model.sample(batch, sample)
			if err != nil {
				return fmt.Errorf("%s: %w", rows[i].variant.ID, err)
			}
			series[i].Samples = append(series[i].Samples, us)
			series[i].Calls = rows[i].model.calls
		}
	}
	for i, s := range series {
		if len(s.Samples) > 0 {
			latency := lab.LatencyOf(s)
			p.Answers[i].Call = &latency
		}
	}
	return nil
}

// enough reports whether the rounds, which took so long, may end.
func enough(rounds int, took time.Duration, series []measure.Series) bool {
	switch {
	case took <= timingBudget || rounds < fewRounds:
		return false
	case rounds >= minRounds:
		return true
	}
	return took > 2*timingBudget && !slices.ContainsFunc(series, func(s measure.Series) bool {
		return len(s.Samples) > 0 && slices.Max(s.Samples) > calm*slices.Min(s.Samples)
	})
}

// sample returns the mean time of a pass in µs, over as many passes as take about the wanted time. How many those are is
// remembered for the next sample.
func (m *model) sample(batch nn.Batch, want time.Duration) (us float64, err error) {
	m.calls = max(m.calls, 1)
	// Brings its weights back into the caches, which other rows have used.
	if _, err := m.Forward(batch); err != nil {
		return 0, err
	}
	for {
		start := measure.System.Now()
		for range m.calls {
			if _, err := m.Forward(batch); err != nil {
				return 0, err
			}
		}
		elapsed, calls := measure.System.Now()-start, m.calls
		if elapsed < want/2 {
			m.calls = min(4*calls, int(float64(calls)*float64(want)/float64(max(elapsed, 1)))+1)
			continue
		}
		if elapsed > 2*want {
			m.calls = max(1, int(float64(calls)*float64(want)/float64(elapsed)))
		}
		return float64(elapsed) / float64(time.Microsecond) / float64(calls), nil
	}
}
