package dataset

// The examples that calibrate static quantization: the same ones on every machine, so that a browser, which fetches only
// them, and a native host find the same grids.
const (
	CalibrationSize = 1024
	CalibrationSeed = 0
)

// CalibrationRows returns which of n training examples calibrate, in the order that observers see them.
func CalibrationRows(n int) []int { return Draw(n, CalibrationSize, CalibrationSeed) }
