package report

import (
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
)

// Unknown stands in a wire.Hardware for what could not be found out.
const Unknown = "unknown"

// HardwareRows describes a machine in pairs of a name and a value, for a hardware section. What is not known is left out,
// but CPU, memory and accelerator always have a row, because the lab asks for them.
func HardwareRows(h wire.Hardware) [][2]string {
	var rows [][2]string
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	if h.Host == wire.Browser {
		add("Browser", orUnknown(h.Browser))
		add("CPU", browserCPU(h))
		add("Memory", browserMemory(h))
		add("Accelerator", notTold(h.Accelerator))
		add("SIMD", simd(h.SIMD))
	} else {
		add("CPU", nativeCPU(h))
		add("Memory", nativeMemory(h))
		add("Accelerator", accelerator(h.Accelerator))
		add("Instruction sets", strings.Join(h.Instructions, ", "))
	}
	add("Kernel engine", engine(h))
	add("System", system(h))
	add("Go", strings.TrimPrefix(h.Go, "go"))
	add("Clock", clock(h))
	return rows
}

func orUnknown(s string) string {
	if s == "" {
		return Unknown
	}
	return s
}

func nativeCPU(h wire.Hardware) string {
	s := orUnknown(h.CPU)
	var counts []string
	if h.Cores > 0 {
		counts = append(counts, strconv.Itoa(h.Cores)+plural(h.Cores, " core", " cores"))
	}
	if h.Threads > 0 {
		counts = append(counts, strconv.Itoa(h.Threads)+plural(h.Threads, " hardware thread", " hardware threads")+" usable")
	}
	if len(counts) > 0 {
		s += " (" + strings.Join(counts, ", ") + ")"
	}
	return s
}

func nativeMemory(h wire.Hardware) string {
	if h.MemoryBytes == 0 {
		return Unknown
	}
	return Memory(h.MemoryBytes)
}

func accelerator(name string) string {
	switch name {
	case "", Unknown:
		return Unknown
	case "none":
		return name
	}
	return name + " (not used: everything runs on the CPU)"
}

func browserCPU(h wire.Hardware) string {
	s := notTold(h.CPU)
	if h.Threads > 0 {
		s = strconv.Itoa(h.Threads) + plural(h.Threads, " logical core", " logical cores") + ", model " + s
	}
	return s
}

func browserMemory(h wire.Hardware) string {
	if h.MemoryBytes == 0 {
		return notTold("")
	}
	return "about " + Memory(h.MemoryBytes) + " (browsers round it and cap it)"
}

func notTold(s string) string {
	if s == "" || s == Unknown {
		return "not told by browsers"
	}
	return s
}

func simd(level string) string {
	switch level {
	case "relaxed":
		return "128 bit, relaxed"
	case "simd128":
		return "128 bit"
	}
	return level
}

func engine(h wire.Hardware) string {
	others := slices.DeleteFunc(slices.Clone(h.Engines), func(e string) bool { return e == h.Engine })
	switch {
	case h.Engine == "":
		return strings.Join(others, ", ")
	case len(others) == 0:
		return h.Engine
	}
	return h.Engine + " (also here: " + strings.Join(others, ", ") + ")"
}

func system(h wire.Hardware) string {
	switch {
	case h.OS == "":
		return h.Arch
	case h.Arch == "":
		return h.OS
	}
	return h.OS + ", " + h.Arch
}

func clock(h wire.Hardware) string {
	if h.ClockNS <= 0 {
		return ""
	}
	s := "steps of " + Nanoseconds(h.ClockNS)
	if h.Isolated != nil {
		if *h.Isolated {
			s += ", page is cross-origin isolated"
		} else {
			s += ", page is not cross-origin isolated: coarser than need be"
		}
	}
	return s
}

// HardwareTitle names the section of one host's hardware.
func HardwareTitle(h wire.Hardware) string {
	switch h.Host {
	case wire.Browser:
		return "Hardware, in the browser"
	case wire.Native:
		return "Hardware, native"
	}
	return "Hardware"
}
