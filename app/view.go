package app

import goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

// A view is one part of the page with its own address. A new view is one more line in views: its link and its route
// follow from that.
type view struct {
	Path, Title string
	Render      func(*session) goapp.UI
}

func views() []view {
	return []view{
		{Path: "/", Title: "Experiments", Render: renderExperiments},
	}
}

// viewAt returns the view at a path; the first for one that is not known.
func viewAt(path string) view {
	all := views()
	for _, v := range all {
		if v.Path == path {
			return v
		}
	}
	return all[0]
}
