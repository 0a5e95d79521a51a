// Command wasm writes the WebAssembly modules of core/kernel: link.wasm, simd128.wasm and relaxed.wasm.
//
//	go run . -out ../../../web/kernels
//
// `go generate ./core/kernel` does that; what is committed must equal what it writes.
//
// Go's compiler has no vector instructions for WebAssembly, so the kernels are modules of their own, which import Go's
// memory and work on it in place. Go imports their functions from link.wasm, which exists before Go's program does and
// passes every call on through a table. The other modules, instantiated afterwards with the program's memory, put their
// functions into the table and say so in a global, which the program asks for: link.wasm's level.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", ".", "the `folder` to write the modules to")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	for name, m := range map[string]*module{
		"link.wasm":    link(),
		"simd128.wasm": engine(levelSIMD128),
		"relaxed.wasm": engine(levelRelaxed),
	} {
		if err := os.WriteFile(filepath.Join(*out, name), m.encode(), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "wasm:", err)
			os.Exit(1)
		}
	}
}
