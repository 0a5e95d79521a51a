package kernel

// Activate adds the bias, y.Cols elements, to every row of y and applies the ReLU, which keeps a NaN.
func (e *Engine) Activate(y Matrix, bias []float32, relu bool) {
	needMatrix("Activate", y)
	need("Activate", "bias", len(bias), y.Cols)
	for r := range y.Rows {
		e.finish(y.Row(r), bias[:y.Cols], relu)
	}
}

// Gate undoes a ReLU that gave y: no gradient flows back to where that isn't above 0, so there dy becomes 0. sum, dy.Cols
// elements, becomes the sum of dy's rows, in ascending order. All engines give the same bits.
func (e *Engine) Gate(sum []float32, dy, y Matrix) {
	if y.Rows != dy.Rows || y.Cols != dy.Cols {
		panic("kernel: Gate: the matrices differ in shape")
	}
	needMatrix("Gate", dy)
	needMatrix("Gate", y)
	need("Gate", "sum", len(sum), dy.Cols)
	sum = sum[:dy.Cols]
	clear(sum)
	for r := range dy.Rows {
		e.gate(sum, dy.Row(r), y.Row(r))
	}
}

// gate is the portable Engine.gate.
func gate(sum, dy, y []float32) {
	sum, y = sum[:len(dy)], y[:len(dy)]
	for j, v := range y {
		if !(v > 0) {
			dy[j] = 0
		}
		sum[j] += dy[j]
	}
}
