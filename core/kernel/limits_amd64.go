//go:build !purego

package kernel

func (e *Engine) limitsAVX2() {}

func (e *Engine) limitsAVX512() {}
