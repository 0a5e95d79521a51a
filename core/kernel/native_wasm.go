//go:build !purego

package kernel

// native returns the engines that this host of WebAssembly can run.
func native() []*Engine { return nil }
