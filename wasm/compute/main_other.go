//go:build !js || !wasm

package main

import (
	"fmt"
	"os"
)

// main is here so that the rest can be tested natively.
func main() {
	fmt.Fprintln(os.Stderr, "compute runs in a browser's worker: build it with GOOS=js GOARCH=wasm, as make build does")
	os.Exit(2)
}
