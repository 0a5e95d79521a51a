//go:build purego

package kernel

import "testing"

func TestPurego(t *testing.T) {
	if all := Engines(); len(all) != 1 {
		t.Errorf("with the build tag purego there are %d engines, the last one %s", len(all), Best().Name())
	}
}
