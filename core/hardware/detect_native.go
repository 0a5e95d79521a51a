//go:build !js

package hardware

import (
	"context"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"
	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"quantlab/core/lab/wire"
)

// patience is how long the probes may take together. Those that read files take a few ms; those that ask a service of
// the system (Windows' management interface) may take long.
const patience = 250 * time.Millisecond

func detect() wire.Hardware {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	root := os.DirFS("/")
	name := probe(func() string { return cpuName(ctx) })
	cores := probe(func() int { n, _ := cpu.CountsWithContext(ctx, false); return n })
	memory := probe(func() uint64 { return memoryBytes(ctx, root) })
	accelerator := probe(func() string { return accelerators(ctx, root) })
	system := probe(func() string { return systemName(ctx, root) })

	h := wire.Hardware{
		Host:         wire.Native,
		CPU:          orUnknown(wait(ctx, name)),
		Cores:        wait(ctx, cores),
		Threads:      runtime.GOMAXPROCS(0),
		MemoryBytes:  wait(ctx, memory),
		Accelerator:  orUnknown(wait(ctx, accelerator)),
		Instructions: instructions(cpuid.CPU),
		OS:           wait(ctx, system),
	}
	if h.OS == "" {
		h.OS = runtime.GOOS
	}
	return h
}

// probe asks in a goroutine of its own. A probe that panics, on files that it did not expect, has no answer.
func probe[T any](ask func() T) <-chan T {
	answer := make(chan T, 1)
	go func() {
		defer func() {
			recover()
			close(answer)
		}()
		answer <- ask()
	}()
	return answer
}

// wait returns the probe's answer, or zero if it does not come in time.
func wait[T any](ctx context.Context, answer <-chan T) T {
	select {
	case v := <-answer:
		return v
	case <-ctx.Done():
		var none T
		return none
	}
}

func orUnknown(s string) string {
	if s == "" {
		return Unknown
	}
	return s
}

// cpuName is the processor's own name for itself where it has one, else the system's for it.
func cpuName(ctx context.Context) string {
	if name := oneSpace(cpuid.CPU.BrandName); name != "" {
		return name
	}
	infos, _ := cpu.InfoWithContext(ctx)
	for _, info := range infos {
		if name := oneSpace(info.ModelName); name != "" && name != "Undefined" {
			return oneSpace(info.VendorID + " " + strings.TrimPrefix(name, info.VendorID))
		}
	}
	return ""
}

// oneSpace removes the blanks that fill a processor's name.
func oneSpace(s string) string { return strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ") }

func memoryBytes(ctx context.Context, root fs.FS) uint64 {
	var total uint64
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		total = m.Total
	}
	if limit := memoryLimit(root); limit > 0 && (total == 0 || limit < total) {
		return limit
	}
	return total
}

// systemName names the system and its kernel: "Debian GNU/Linux 12 (bookworm), Linux 6.1.0".
func systemName(ctx context.Context, root fs.FS) string {
	kernel, _ := host.KernelVersionWithContext(ctx)
	if runtime.GOOS == "linux" {
		return strings.TrimPrefix(distribution(root)+", Linux "+kernel, ", ")
	}
	platform, _, version, err := host.PlatformInformationWithContext(ctx)
	if err != nil || platform == "" {
		return ""
	}
	if runtime.GOOS == "darwin" {
		platform = "macOS"
	}
	return oneSpace(platform + " " + version)
}
