package main

// training writes what training needs beyond the tiles of floats.go.
func training() {
	transposeStrip()
	for _, a := range adamWriters {
		a.dense()
		a.idle()
		a.gate()
	}
}
