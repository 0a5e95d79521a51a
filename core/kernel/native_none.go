//go:build purego || !(amd64 || arm64 || wasm)

package kernel

// native returns no engine: on this processor, or with the build tag purego, there is plain Go only.
func native() []*Engine { return nil }
