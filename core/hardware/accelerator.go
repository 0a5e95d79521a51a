//go:build !js

package hardware

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/jaypipes/ghw"
	"github.com/jaypipes/pcidb"
	"github.com/klauspost/cpuid/v2"
)

// accelerators names the machine's graphics processors and other accelerators, None if it has none, or "" if that
// can't be told.
func accelerators(ctx context.Context, root fs.FS) string {
	var names []string
	switch runtime.GOOS {
	case "linux":
		names = nvidia(root)
		if hasAccelerator(root) {
			names = append(names, pciAccelerators(len(names) > 0)...)
		}
	case "windows":
		names = pciAccelerators(false)
	case "darwin":
		// Every Apple processor has one; a virtual machine on it may not.
		if name := oneSpace(cpuid.CPU.BrandName); strings.HasPrefix(name, "Apple") && !strings.Contains(name, "Virtual") {
			names = []string{"integrated GPU of the " + name}
		} else {
			return ""
		}
	default:
		return ""
	}
	if len(names) == 0 {
		return None
	}
	return strings.Join(counted(names), ", ")
}

// counted merges equal names: "2 × NVIDIA L4".
func counted(names []string) []string {
	var out []string
	slices.Sort(names)
	for i := 0; i < len(names); {
		n := 1
		for i+n < len(names) && names[i+n] == names[i] {
			n++
		}
		name := names[i]
		if n > 1 {
			name = strconv.Itoa(n) + " × " + name
		}
		out, i = append(out, name), i+n
	}
	return out
}

// nvidia returns the models of the graphics processors that NVIDIA's driver runs, which a container sees even where
// the rest of the bus is hidden from it.
func nvidia(root fs.FS) []string {
	var names []string
	files, _ := fs.Glob(root, "proc/driver/nvidia/gpus/*/information")
	for _, file := range files {
		for lines := bufio.NewScanner(bytes.NewReader(readFile(root, file))); lines.Scan(); {
			if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "Model" {
				names = append(names, oneSpace(value))
			}
		}
	}
	return names
}

// hasAccelerator reports whether anything on the PCI bus is a display controller (class 03) or a processing
// accelerator (class 12). Asking first spares most servers the reading of the list of all PCI devices' names.
func hasAccelerator(root fs.FS) bool {
	classes, _ := fs.Glob(root, "sys/bus/pci/devices/*/class")
	return slices.ContainsFunc(classes, func(file string) bool {
		class := strings.TrimSpace(string(readFile(root, file)))
		return strings.HasPrefix(class, "0x03") || strings.HasPrefix(class, "0x12")
	})
}

// Vendors by their PCI identifiers.
const vendorNVIDIA = "10de"

var (
	vendors = map[string]string{
		vendorNVIDIA: "NVIDIA", "1002": "AMD", "1022": "AMD", "8086": "Intel", "1ae0": "Google", "1d0f": "Amazon", "106b": "Apple", "10b5": "Habana",
	}
	// What these vendors put on a bus only shows a picture: graphics of virtual machines and of servers' consoles.
	displays = []string{"1234", "1af4", "1b36", "1013", "15ad", "80ee", "1414", "1a03", "102b", "5853", "1ab8"}
)

// pciAccelerators returns the names of what ghw finds, those of NVIDIA only on demand.
func pciAccelerators(withoutNVIDIA bool) []string {
	quiet := []any{
		ghw.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))), ghw.WithDisableWarnings(), ghw.WithDisableTools(),
		ghw.WithDisableTopology(), ghw.WithPCIDB(pciNames()),
	}
	devices := map[string]*ghw.PCIDevice{} // by address: a card may be found both ways
	if gpus, err := ghw.GPU(quiet...); err == nil {
		for _, card := range gpus.GraphicsCards {
			devices[card.Address] = card.DeviceInfo
		}
	}
	if others, err := ghw.Accelerator(quiet...); err == nil {
		for _, d := range others.Devices {
			devices[d.Address] = d.PCIDevice
		}
	}
	var names []string
	for _, d := range devices {
		if d == nil || d.Vendor == nil || d.Product == nil {
			continue
		}
		if id := strings.ToLower(d.Vendor.ID); !slices.Contains(displays, id) && !(withoutNVIDIA && id == vendorNVIDIA) {
			names = append(names, deviceName(id, d.Vendor.Name, d.Product.ID, d.Product.Name))
		}
	}
	return names
}

// pciNames is the system's own list of PCI devices, or an empty one: it never comes from the network. The library
// complains on stderr of settings that it can't read, so then it is not asked.
func pciNames() *pcidb.PCIDB {
	for _, key := range []string{"PCIDB_CACHE_ONLY", "PCIDB_ENABLE_NETWORK_FETCH"} {
		if value, ok := os.LookupEnv(key); ok {
			if _, err := strconv.ParseBool(value); err != nil {
				return &pcidb.PCIDB{}
			}
		}
	}
	no := false
	db, err := pcidb.New(&pcidb.WithOption{EnableNetworkFetch: &no})
	if err != nil {
		return &pcidb.PCIDB{}
	}
	return db
}

// deviceName makes "NVIDIA L4" of "NVIDIA Corporation" and "AD104GL [L4]", and something honest of what has no name.
func deviceName(vendorID, vendor, productID, product string) string {
	if name, ok := vendors[vendorID]; ok {
		vendor = name
	}
	if open, end := strings.LastIndexByte(product, '['), strings.LastIndexByte(product, ']'); open >= 0 && end > open+1 {
		product = product[open+1 : end]
	}
	if product == "" || strings.EqualFold(product, "unknown") {
		product = "device " + productID
	}
	if vendor == "" || strings.EqualFold(vendor, "unknown") {
		vendor = "vendor " + vendorID
	}
	return oneSpace(vendor + " " + product)
}
