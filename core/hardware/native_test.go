//go:build !js

package hardware

import (
	"context"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/klauspost/cpuid/v2"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

func files(content map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range content {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestDistribution(t *testing.T) {
	tests := []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"etc/os-release": "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"}, "Debian GNU/Linux 12 (bookworm)"},
		{map[string]string{"usr/lib/os-release": "PRETTY_NAME='Alpine Linux v3.22'\n"}, "Alpine Linux v3.22"},
		{map[string]string{"etc/os-release": "NAME=Fedora\nVERSION=\"42 (Server)\"\n"}, "Fedora 42 (Server)"},
		{map[string]string{"etc/os-release": "PRETTY_NAME=\"a \\\"quoted\\\" \\$name\"\n"}, `a "quoted" $name`},
		{map[string]string{"etc/os-release": "# nothing\n\x00\xff=\n"}, ""},
		{nil, ""},
	}
	for _, tt := range tests {
		if got := distribution(files(tt.files)); got != tt.want {
			t.Errorf("%v is %q, want %q", tt.files, got, tt.want)
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  uint64
	}{
		{"no control groups", nil, 0},
		{"version 2, in a container", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20},
		{"version 2, no limit", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 0},
		{"version 2, the parent's is less", map[string]string{
			"proc/self/cgroup": "0::/a.slice/b.scope\n", "sys/fs/cgroup/a.slice/b.scope/memory.max": "900\n", "sys/fs/cgroup/a.slice/memory.max": "800\n",
		}, 800},
		{"version 1", map[string]string{
			"proc/self/cgroup": "12:cpu,cpuacct:/docker/x\n9:memory:/docker/x\n", "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "1073741824\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 1 << 30},
		{"climbing out", map[string]string{"proc/self/cgroup": "0::/../../../etc\n", "etc/memory.max": "1\n"}, 0},
		{"nonsense", map[string]string{"proc/self/cgroup": "0\n::\n0::\n\x00", "sys/fs/cgroup/memory.max": "-5"}, 0},
	}
	for _, tt := range tests {
		if got := memoryLimit(files(tt.files)); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestAcceleratorsOnLinux(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Linux tells by files")
	}
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no bus", nil, None},
		{"nothing on the bus", map[string]string{"sys/bus/pci/devices/0000:00:01.0/class": "0x060400\n"}, None},
		{"NVIDIA's driver", map[string]string{
			"proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA L4\nIRQ:   \t\t 97\n",
			"proc/driver/nvidia/gpus/0000:02:00.0/information": "Model: \t\t NVIDIA L4\n",
			"proc/driver/nvidia/gpus/0000:03:00.0/information": "Model: \t\t NVIDIA A10\n",
		}, "NVIDIA A10, 2 × NVIDIA L4"},
		{"an empty description", map[string]string{"proc/driver/nvidia/gpus/0000:01:00.0/information": ""}, None},
	}
	for _, tt := range tests {
		if got := accelerators(t.Context(), files(tt.files)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	for class, want := range map[string]bool{"0x030000": true, "0x030200": true, "0x120000": true, "0x020000": false, "": false} {
		if got := hasAccelerator(files(map[string]string{"sys/bus/pci/devices/0000:00:02.0/class": class + "\n"})); got != want {
			t.Errorf("class %q accelerates: %v", class, got)
		}
	}
}

func TestDeviceName(t *testing.T) {
	tests := [][5]string{
		{"10de", "NVIDIA Corporation", "27b8", "AD104GL [L4]", "NVIDIA L4"},
		{"1002", "Advanced Micro Devices, Inc. [AMD/ATI]", "744c", "Navi 31 [Radeon RX 7900 XT/7900 XTX]", "AMD Radeon RX 7900 XT/7900 XTX"},
		{"8086", "Intel Corporation", "46a6", "Alder Lake-P GT2 [Iris Xe Graphics]", "Intel Iris Xe Graphics"},
		{"10de", "unknown", "27b8", "unknown", "NVIDIA device 27b8"},
		{"abcd", "UNKNOWN", "1234", "", "vendor abcd device 1234"},
		{"abcd", "Acme", "1234", "Thing ][", "Acme Thing ]["},
	}
	for _, tt := range tests {
		if got := deviceName(tt[0], tt[1], tt[2], tt[3]); got != tt[4] {
			t.Errorf("deviceName(%q) = %q", tt, got)
		}
	}
}

// The libraries would print warnings, and one would fetch a list of devices, if they were let.
func TestQuietAndOffline(t *testing.T) {
	t.Setenv("PCIDB_ENABLE_NETWORK_FETCH", "1")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1") // whoever tries fails
	for _, setting := range []string{"0", "perhaps"} {
		t.Setenv("PCIDB_CACHE_ONLY", setting)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		out, errs := os.Stdout, os.Stderr
		os.Stdout, os.Stderr = w, w
		Detect()
		pciAccelerators(false) // also where the bus shows no reason to ask
		os.Stdout, os.Stderr = out, errs
		w.Close()
		if said, _ := io.ReadAll(r); len(said) > 0 {
			t.Errorf("detecting printed %q", said)
		}
	}
	if left, _ := os.ReadDir(os.Getenv("HOME")); len(left) > 0 {
		t.Errorf("detecting left %v behind", left)
	}
}

func TestProbes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	never := make(chan int)
	defer close(never)
	slow := probe(func() int { return <-never })
	broken := probe(func() string { panic("an unexpected file") })
	fine := probe(func() string { return "x" })
	if got := wait(ctx, fine); got != "x" {
		t.Errorf("a fine probe says %q", got)
	}
	if got := wait(ctx, broken); got != "" {
		t.Errorf("a broken probe says %q", got)
	}
	if got := wait(ctx, slow); got != 0 {
		t.Errorf("a slow probe says %v", got)
	}
}

func TestInstructions(t *testing.T) {
	c := cpuid.CPU
	for _, id := range []cpuid.FeatureID{cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL, cpuid.AVX2} {
		c.Enable(id)
	}
	if names := instructions(c); !slices.Contains(names, "AVX-512") || !slices.Contains(names, "AVX2") {
		t.Errorf("instructions %q", names)
	}
	c.Disable(cpuid.AVX512VL)
	if names := instructions(c); slices.Contains(names, "AVX-512") {
		t.Errorf("AVX-512 needs all its parts: %q", names)
	}
}

// wazero knows SIMD and no relaxed SIMD, so it must accept one module and refuse the other.
func TestModules(t *testing.T) {
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer r.Close(t.Context())
	level := simdLevel(func(module []byte) bool {
		_, err := r.CompileModule(t.Context(), module)
		return err == nil
	})
	if level != "simd128" {
		t.Errorf("wazero's level is %s", level)
	}
	_, err := r.CompileModule(t.Context(), relaxedModule)
	if err == nil || strings.Contains(err.Error(), "malformed") || strings.Contains(err.Error(), "length") {
		t.Errorf("the module for relaxed SIMD is not well formed: %v", err)
	}
	without := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV1))
	defer without.Close(t.Context())
	if _, err := without.CompileModule(t.Context(), simd128Module); err == nil {
		t.Error("an engine without SIMD accepts the module")
	}
}

func FuzzFiles(f *testing.F) {
	f.Add("PRETTY_NAME=\"Debian\"", "0::/a/b\n5:memory:/x")
	f.Add("NAME='", "::\n0::/../..")
	f.Fuzz(func(t *testing.T, release, groups string) {
		fsys := files(map[string]string{"etc/os-release": release, "proc/self/cgroup": groups, "sys/fs/cgroup/memory.max": "4096"})
		if name := distribution(fsys); name != strings.TrimSpace(name) || strings.Contains(name, "\n") || !utf8.ValidString(name) {
			t.Errorf("%q is called %q", release, name)
		}
		if n := memoryLimit(fsys); n != 0 && n != 4096 {
			t.Errorf("%q limits memory to %d", groups, n)
		}
	})
}
