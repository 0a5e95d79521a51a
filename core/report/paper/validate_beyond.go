package paper

import (
	"fmt"

	"quantlab/core/lab/wire"
)

// The parts of a study beyond the lab's tables.

func (v *validator) sensitivity(where string, s wire.Sensitivity) error {
	if err := v.setting(where, s.Version, s.Hardware, s.Settings, s.Notes); err != nil {
		return err
	}
	for i, r := range s.Rows {
		where := where + ", " + at("row", i)
		if r.Mode != wire.Only && r.Mode != wire.Except {
			return fmt.Errorf("%s: %.20q is no way to choose layers: %s or %s", where, r.Mode, wire.Only, wire.Except)
		}
		err := first(
			func() error { return v.row(where, r.Row) },
			func() error { return names(where, r.Layer) },
			func() error { return texts(where, r.Plan) },
			func() error {
				return inRange(where, figureOf{"the weights' SQNR", r.Fidelity.Weights, -1000, 1000}, figureOf{"the output's SQNR", r.Fidelity.Output, -1000, 1000},
					figureOf{"the logits' SQNR", r.Fidelity.Logits, -1000, 1000})
			})
		if err != nil {
			return err
		}
	}
	for i, r := range s.References {
		if err := v.row(where+", "+at("reference", i), r); err != nil {
			return err
		}
	}
	if len(s.Correlations) > maxRows {
		return fmt.Errorf("%s: %d correlations are more than any sensitivity has", where, len(s.Correlations))
	}
	for i, c := range s.Correlations {
		where := where + ", " + at("correlation", i)
		err := first(
			func() error { return names(where, c.Model, c.Mode, c.Measure, c.Against) },
			func() error {
				return inRange(where, figureOf{"rho", c.Rho, -1, 1}, figureOf{"p", c.P, 0, 1}, figureOf{"the number of rows", float64(c.N), 0, maxRows})
			})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) plans(where string, p wire.Plans) error {
	if err := v.setting(where, p.Version, p.Hardware, p.Settings, p.Notes); err != nil {
		return err
	}
	for i, s := range p.Searches {
		where := where + ", " + at("model", i)
		err := first(
			func() error { return names(where, s.Model) },
			func() error { return texts(where, s.Schemes...) },
			func() error { return texts(where, s.Greedy...) },
			func() error {
				return inRange(where, figureOf{"the number of plans", float64(s.Plans), 0, 1e15}, figureOf{"the number of schemes", float64(len(s.Schemes)), 0, 100},
					figureOf{"the number of greedy steps", float64(len(s.Greedy)), 0, 1000})
			})
		if err != nil {
			return err
		}
		for j, point := range s.Points {
			if err := v.point(where+", "+at("plan", j), point); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *validator) point(where string, p wire.PlanPoint) error {
	if err := v.count(where); err != nil {
		return err
	}
	if len(p.Predicted) > wire.MaxBatches || len(p.Fronts) > wire.MaxBatches {
		return fmt.Errorf("%s: %d predicted times are more than any plan has", where, len(p.Predicted))
	}
	for b, us := range p.Predicted {
		err := first(
			func() error { return names(where, b) },
			func() error { return inRange(where, figureOf{"a predicted time", us, 0, maxTime}) })
		if err != nil {
			return err
		}
	}
	return first(
		func() error { return names(where, p.Fronts...) },
		func() error { return texts(where, p.Plan) },
		func() error { return v.measured(where, p.Row) })
}

// count counts a point of a search or a sweep.
func (v *validator) count(where string) error {
	if v.points++; v.points > maxPoints {
		return fmt.Errorf("%s: the results have more than %d plans and calibrations, far more than any study: was the file made by quantlab?", where, maxPoints)
	}
	return nil
}

func (v *validator) sweep(where string, s wire.Sweep) error {
	if err := v.setting(where, s.Version, s.Hardware, s.Settings, s.Notes); err != nil {
		return err
	}
	for i, p := range s.Points {
		where := where + ", " + at("calibration", i)
		err := first(
			func() error { return v.count(where) },
			func() error { return names(where, p.Model) },
			func() error { return texts(where, p.Plan) },
			func() error { return counts(where, p.Correct, p.Total) },
			func() error {
				return inRange(where, figureOf{"the number of calibration examples", float64(p.Examples), 0, maxCount},
					figureOf{"the number of answers that differ", float64(p.Differ), 0, float64(p.Total)})
			})
		if err != nil {
			return err
		}
	}
	for i, p := range s.Spreads {
		where := where + ", " + at("size", i)
		err := first(
			func() error { return v.count(where) },
			func() error { return names(where, p.Model) },
			func() error {
				return inRange(where, figureOf{"the number of calibration examples", float64(p.Examples), 0, maxCount}, figureOf{"the number of seeds", float64(p.Seeds), 0, maxCount},
					figureOf{"the mean accuracy", p.Mean, 0, 1}, figureOf{"the accuracy's deviation", p.Std, 0, 1}, figureOf{"the lowest accuracy", p.Lowest, 0, 1},
					figureOf{"the highest accuracy", p.Highest, p.Lowest, 1}, figureOf{"float32's accuracy", p.Baseline, 0, 1}, figureOf{"the sampling's deviation", p.Sampling, 0, 1})
			})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) amp(where string, a wire.AMP) error {
	if err := v.setting(where, a.Version, a.Hardware, a.Settings, a.Notes); err != nil {
		return err
	}
	err := first(
		func() error { return names(where, a.Options.Type) },
		func() error {
			return inRange(where, figureOf{"the number of seeds", float64(a.Options.Seeds), 0, 1000}, figureOf{"the number of epochs", float64(a.Options.Epochs), 0, 1e6},
				figureOf{"the limit", float64(a.Options.Limit), 0, maxCount})
		})
	if err != nil {
		return err
	}
	for i, r := range a.Rows {
		where := where + ", " + at("row", i)
		checks := []func() error{
			func() error { return names(where, r.Type) },
			func() error { return v.row(where, r.Row) },
			func() error { return v.row(where+", float32", r.Baseline) },
			func() error { return verdict(where+", training time", r.Time) },
			func() error { return verdict(where+", matrix products", r.Matrix) },
			func() error {
				return inRange(where, figureOf{"the number of trainings", float64(len(r.Float32) + len(r.Mixed)), 0, 2000})
			},
		}
		for _, t := range r.Float32 {
			checks = append(checks, func() error { return training(where+", float32", t) })
		}
		for _, t := range r.Mixed {
			checks = append(checks, func() error { return training(where+", "+shorten(r.Type), t) })
		}
		if err := first(checks...); err != nil {
			return err
		}
	}
	return nil
}

func training(where string, t wire.Training) error {
	if len(t.Curve) > maxCurve {
		return fmt.Errorf("%s: a curve of %d points is longer than quantlab writes", where, len(t.Curve))
	}
	step := 0
	for _, p := range t.Curve {
		if p.Step <= step {
			return fmt.Errorf("%s: step %d of the curve comes after step %d", where, p.Step, step)
		}
		step = p.Step
		if err := inRange(where, figureOf{"a loss", p.Loss, -1e30, 1e30}, figureOf{"a loss scale", p.Scale, 0, 1e40}, figureOf{"the number of skipped steps", float64(p.Skipped), 0, float64(p.Step)}); err != nil {
			return err
		}
	}
	return first(
		func() error { return names(where, t.Model, t.Type) },
		func() error { return counts(where, t.Correct, t.Total) },
		func() error {
			return inRange(where, figureOf{"the training time", t.Seconds, 0, 1e9}, figureOf{"the time of matrix products", t.Matrix, 0, 1e9},
				figureOf{"the number of steps", float64(t.Steps), 0, maxCount}, figureOf{"the number of skipped steps", float64(t.Skipped), 0, float64(t.Steps)})
		})
}
