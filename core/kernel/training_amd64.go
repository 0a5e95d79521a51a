//go:build !purego

package kernel

func (e *Engine) trainingAVX2() {}

func (e *Engine) trainingAVX512() {}
