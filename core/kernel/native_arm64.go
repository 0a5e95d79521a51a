//go:build !purego

package kernel

// native returns the engines in assembly that this processor can run.
func native() []*Engine { return nil }
