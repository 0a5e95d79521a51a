//go:build !purego

package kernel

func (e *Engine) intsAVX2() {}

func (e *Engine) intsAVX512() {}
