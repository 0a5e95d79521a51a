// Package hardware finds out what machine this is, as far as the machine tells: the processor and its instruction sets,
// memory, accelerators, the system, the clock. It never fails, never prints, never uses the network, and takes less
// than 300 ms; what it can't find out is Unknown or zero. It knows nothing of kernels: Engine and Engines of a
// wire.Hardware are the caller's to fill.
package hardware

import (
	"runtime"

	"quantlab/core/lab/wire"
	"quantlab/core/measure"
)

// What stands in a text field.
const (
	Unknown = "unknown"
	None    = "none" // there is no accelerator
)

// Detect describes this machine, or, compiled for a browser, what the browser tells of it, in a page and in a worker.
//
// Natively, Threads is how many threads may run at once here, a container's quota included, Cores the processor's
// physical cores, and MemoryBytes what this process may use: the machine's memory, or less if its control group allows less.
// Browsers tell neither the processor nor its physical cores: there Cores and Threads are both the logical ones.
func Detect() wire.Hardware {
	h := detect()
	h.Go = runtime.Version()
	h.Arch = runtime.GOARCH
	h.ClockNS = float64(measure.Resolution())
	return h
}
