package kernel

// All that is generated, in a file that every target compiles: go generate passes over files of other processors.

//go:generate go run -C _asm . -pkg kernel -out ../floats_amd64.s -stubs ../floats_stub_amd64.go floats
//go:generate go run -C _asm . -pkg kernel -out ../ints_amd64.s -stubs ../ints_stub_amd64.go ints
//go:generate go run -C _asm . -pkg kernel -out ../training_amd64.s -stubs ../training_stub_amd64.go training
//go:generate go run -C _asm . -pkg kernel -out ../low_amd64.s -stubs ../low_stub_amd64.go low
//go:generate go run -C _asm . -pkg kernel -out ../limits_amd64.s -stubs ../limits_stub_amd64.go limits
//go:generate go run -C _neon . -out ../floats_arm64.s floats
//go:generate go run -C _neon . -out ../ints_arm64.s ints
//go:generate go run -C _neon . -out ../sparse_arm64.s sparse
//go:generate go run -C _neon . -out ../rounding_arm64.s rounding
//go:generate go run -C _neon . -out ../training_arm64.s training
//go:generate go run -C _neon . -out ../limits_arm64.s limits
//go:generate go run -C _wasm . -out ../../../web/kernels
