//go:build !purego

package kernel

func (e *Engine) floatsAVX2() {}

func (e *Engine) floatsAVX512() {}
