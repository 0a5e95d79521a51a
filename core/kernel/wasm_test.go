//go:build !wasm

package kernel

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// modules is where the WebAssembly modules are, for the browser too.
const modules = "../../web/kernels"

// TestWasmGenerated regenerates the WebAssembly modules and compares them with those in the tree.
func TestWasmGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the generator")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "run", "-C", "_wasm", ".", "-out", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"link.wasm", "simd128.wasm", "relaxed.wasm"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(modules, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes (%v): run go generate ./core/kernel", name, err)
		}
	}
}

// memoryBridge is a module that exports, as mem, the memory that the module prog calls memory: what WASI calls so, Go's
// programs in browsers export as mem.
//
//	(module (import "prog" "memory" (memory 0)) (export "mem" (memory 0)))
var memoryBridge = []byte("\x00asm\x01\x00\x00\x00" + "\x02\x10\x01\x04prog\x06memory\x02\x00\x00" + "\x07\x07\x01\x03mem\x02\x00")

// TestWasm runs this package's tests on WebAssembly with 128-bit vectors. Relaxed vectors, which wazero doesn't know, are
// tested in a browser.
func TestWasm(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the tests for WebAssembly")
	}
	prog := filepath.Join(t.TempDir(), "kernel.test.wasm")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", prog, ".")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := runWasm(t, prog, "-test.v", "-test.short")
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	_, tested, _ := strings.Cut(out, "kernel engines tested: ")
	tested, _, _ = strings.Cut(tested, "\n")
	t.Log("kernel engines tested on WebAssembly:", tested)
	if !strings.Contains(tested, "simd128") {
		t.Errorf("the tests did not run on the engine simd128:\n%s", out)
	}
}

// runWasm runs a test binary for WASI with the kernels linked, and returns what it prints.
func runWasm(t *testing.T, prog string, args ...string) (string, error) {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	wasi.MustInstantiate(ctx, r)
	var out bytes.Buffer
	instantiate := func(name string, binary []byte, config wazero.ModuleConfig) func() error {
		t.Helper()
		m, err := r.InstantiateWithConfig(ctx, binary, config.WithName(name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return func() error { _, err := m.ExportedFunction("_start").Call(ctx); return err }
	}
	read := func(path string) []byte {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	plain := wazero.NewModuleConfig()
	instantiate("kernels", read(filepath.Join(modules, "link.wasm")), plain)
	start := instantiate("prog", read(prog), plain.WithStartFunctions().WithArgs(append([]string{prog}, args...)...).
		WithStdout(&out).WithStderr(&out).WithRandSource(rand.Reader).WithSysNanotime().WithSysWalltime().
		WithFSConfig(wazero.NewFSConfig().WithDirMount(t.TempDir(), "/")))
	instantiate("go", memoryBridge, plain)
	instantiate("simd128", read(filepath.Join(modules, "simd128.wasm")), plain)
	err := start()
	if exit, ok := err.(*sys.ExitError); ok && exit.ExitCode() == 0 {
		err = nil
	}
	return out.String(), err
}
