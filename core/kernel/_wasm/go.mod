module quantlab/core/kernel/_wasm

go 1.26.0
