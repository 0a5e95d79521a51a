//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// native returns the engines in assembly that this processor can run. NEON is part of ARMv8; its dot product came with
// ARMv8.2 and is in Apple's M1, ARM's Cortex-A55 and A76, Neoverse N1 and all later ones.
func native() []*Engine {
	engines := []*Engine{newNEON("neon", false)}
	if cpu.ARM64.HasASIMDDP {
		engines = append(engines, newNEON("neon-dotprod", true))
	}
	return engines
}

func newNEON(name string, dot bool) *Engine {
	e := newPortable()
	e.name = name
	e.floatsNEON()
	e.intsNEON(dot)
	e.sparseNEON()
	e.roundingNEON()
	e.trainingNEON()
	e.limitsNEON(dot)
	return e
}

// What calls of tiles ask for, in a sum of flags: see _neon/tile.go.
const (
	tileContinues = 1 << iota // go on from what y holds
	tileEnds                  // these are the last inputs: add the bias
	tileRectifies             // then apply the ReLU
)

const (
	tileRows   = 6  // rows that a tile has at most
	tilePanels = 4  // panels, likewise, if it has one row
	panelWidth = 16 // outputs
)

// panelsAtOnce returns how many of n panels a tile of one row should take: no tile of one alone but where there is no other,
// since a tile's sums have to hide the latency of its multiply-adds.
func panelsAtOnce(n int) int {
	if n == tilePanels+1 {
		return tilePanels - 1
	}
	return min(n, tilePanels)
}
