// Package kernel multiplies batches by packed weight matrices: in float32, with half-precision weights, and in int8 with
// the rounding of PyTorch's FBGEMM; dense, or with sparse inputs; on one thread or a Team of them. It also holds the
// products that training needs, in float32 and in mixed precision.
//
// An [Engine] is one way to do all that. Every machine has the engine "portable", which is plain Go; others replace some
// of its functions by faster ones. A layer is packed once, for one engine, into the layout which that engine reads
// fastest, and then run any number of times without allocating:
//
//	layer := kernel.Best().PackF32(weights, bias, out, in, true)
//	layer.Forward(nil, y, x, rows)
//
// Matrices are dense and row-major. Weights are out x in, as PyTorch keeps them; x is rows x in and y is rows x out. Sizes
// are arbitrary, from 1 up. Slices that are too short are a bug in the caller: the call panics before it writes anything.
//
// # What is exact
//
// Integers are the same bits on every engine, for every number of threads and for every batch size: a sum of products is
// computed in int32 modulo 2^32, which for up to 32,768 inputs no sum can leave.
//
// Float32 results are the same bits for every number of threads and for every batch size and position in a batch. On the
// portable engine, and on WebAssembly's simd128, they are also the same for every processor and host: each output is the sum
// of its products in ascending order of the input, every product and every sum rounded to float32, then the bias, then the
// ReLU. The other engines fuse multiplications with additions, and add up layers of few outputs in another order; of those,
// avx2 and avx512 agree with each other. All stay within the bound of Higham, Accuracy and Stability of Numerical Algorithms,
// section 3.1: with u = 2^-24,
//
//	|y - exact| <= (in+1)·u / (1 - (in+1)·u) · (Σ|x·w| + |bias|)
//
// Products of low types, which training in mixed precision is made of, are the same bits on every engine and for every number of
// threads, whether the processor has an instruction for them or not: see GemmNNLow. So are conversions, but for the bits of a NaN.
//
// NaN and infinities travel as IEEE 754 says, except that what a sparse row leaves out adds nothing even where it would meet
// a NaN or an infinity. In the training products a zero of the left matrix that meets one adds nothing or NaN, depending on the
// engine.
//
// # Concurrency
//
// Engines and packed layers are read-only after packing and may be shared. A [Team] and a [Scratch] serve one call at a
// time.
package kernel
