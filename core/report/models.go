package report

import (
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// Models returns the models that these settings may name, the lab's first: each as the first settings that name it have measured it,
// its Test the reader's own examples that gave its accuracy.
func Models(settings ...wire.Request) nn.Catalog {
	models := nn.CatalogOf(nil)
	at := map[string]int{}
	for i, s := range models {
		at[s.ID] = i
	}
	measured := map[string]bool{}
	for _, q := range settings {
		for _, s := range q.Own.Specs() {
			if _, ok := at[s.ID]; !ok {
				at[s.ID], models = len(models), append(models, s)
			}
		}
		for _, id := range q.Models {
			if spec, err := q.SpecOf(id); err == nil && !measured[id] {
				measured[id], models[at[id]] = true, spec
			}
		}
	}
	return models
}

// ModelsOf are the Models of results.
func ModelsOf(results ...wire.Result) nn.Catalog {
	var settings []wire.Request
	for _, r := range results {
		settings = append(settings, r.Settings)
	}
	return Models(settings...)
}

// DataOf returns the data that a model reads; "" of a stranger.
func DataOf(models nn.Catalog, model string) string {
	spec, _ := models.Of(model)
	return spec.Data
}
