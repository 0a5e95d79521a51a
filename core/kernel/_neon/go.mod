module quantlab/core/kernel/_neon

go 1.26.0
