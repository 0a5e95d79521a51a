package main

// training writes what training needs beyond the tiles of floats.go.
func training() {
	transposeStrip()
	for _, a := range rowWriters {
		a.dense()
		a.idle()
		a.gate()
	}
}
