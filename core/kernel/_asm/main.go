// Command asm writes the amd64 assembly of core/kernel, one file a call:
//
//	go run . -pkg kernel -out ../floats_amd64.s -stubs ../floats_stub_amd64.go floats
//
// `go generate ./core/kernel` makes all of them; what is committed must equal what it writes.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/mmcloughlin/avo/build"
)

var files = map[string]func(){
	"floats":   floats,
	"ints":     ints,
	"training": training,
	"low":      low,
	"limits":   limits,
}

func main() {
	flag.Parse()
	file, ok := files[flag.Arg(0)]
	if !ok || flag.NArg() != 1 {
		fmt.Fprintf(os.Stderr, "asm: name one of the files to write: floats, ints, training, low or limits\n")
		os.Exit(2)
	}
	build.ConstraintExpr("!purego")
	file()
	build.Generate()
}
