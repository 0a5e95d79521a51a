package app

import "quantlab/core/lab/wire"

// searchOptions are the models' variants in which a search can look for answers that differ: all but float32, and the reader's own
// plan. A value is "mnist-lab1/static-qint8".
func (s *session) searchOptions(models []string) []option {
	var out []option
	for _, model := range models {
		ids := wire.VariantIDs()[1:]
		if s.customFor(model) != nil {
			ids = append(ids, wire.Custom)
		}
		for _, id := range ids {
			o := option{Value: model + "/" + id, Label: answerName(id)}
			if len(models) > 1 {
				o.Group, o.Label = model, model+", "+o.Label // the closed box shows no group
			}
			out = append(out, o)
		}
	}
	return out
}
