package nn

// A Batch is a matrix of inputs, one example a row: either dense, or, for bags of words, compressed sparse rows.
// Exactly one of Dense and Start is set.
type Batch struct {
	Rows, Cols int
	Dense      []float32 // Rows x Cols, row-major

	// Row r holds Value[k] in column Index[k] for Start[r] <= k < Start[r+1], columns ascending, none twice.
	Start []int32 // Rows + 1
	Index []int32
	Value []float32
}

// IsSparse reports whether the batch holds compressed sparse rows.
func (b Batch) IsSparse() bool { return b.Start != nil }

// Scatter returns b as a dense batch that uses dst's memory where it is large enough; a dense batch is returned as it is.
func (b Batch) Scatter(dst []float32) Batch {
	if !b.IsSparse() {
		return b
	}
	n := b.Rows * b.Cols
	if cap(dst) < n {
		dst = make([]float32, n)
	}
	dst = dst[:n]
	clear(dst)
	for r := range b.Rows {
		row := dst[r*b.Cols : (r+1)*b.Cols]
		for k := b.Start[r]; k < b.Start[r+1]; k++ {
			row[b.Index[k]] = b.Value[k]
		}
	}
	return Batch{Rows: b.Rows, Cols: b.Cols, Dense: dst}
}
