package app

import goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

// asTable puts a chart's numbers, a table in HTML, behind a disclosure under the chart. It stays open while the numbers change.
func asTable(table string) goapp.UI {
	return goapp.Details().Class("as-table").Body(goapp.Summary().Text("As a table"), goapp.Raw(table))
}
