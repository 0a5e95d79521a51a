package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"quantlab/cmd/internal/atomicfile"
)

// The programs that run in the browser, by their package.
var programs = map[string]string{
	"quantlab/wasm/page":    "app.wasm",
	"quantlab/wasm/compute": "compute.wasm",
}

// compute is the program that is told the version; the page learns it from the results.
const compute = "quantlab/wasm/compute"

// locate returns the module's directory and the toolchain's.
func locate(ctx context.Context) (root, goroot string, err error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD", "GOROOT").Output()
	if err != nil {
		return "", "", fmt.Errorf("asking go env: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 2 || filepath.Base(lines[0]) != "go.mod" {
		return "", "", errors.New("no go.mod here: run make in the project's directory")
	}
	return filepath.Dir(lines[0]), lines[1], nil
}

// buildAll compiles the programs into bin/web and returns their names in web/ by path. The go command leaves alone what is
// up to date.
func buildAll(ctx context.Context, root, version string) (map[string]string, error) {
	dir := filepath.Join(root, "bin", "web")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-o", dir + string(filepath.Separator),
		"-ldflags=-s -w", "-ldflags=" + compute + "=-s -w -X main.version=" + version}
	built := map[string]string{}
	for pkg, name := range programs {
		args = append(args, pkg)
		built[filepath.Join(dir, filepath.Base(pkg))] = name
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = time.Second
	slow := time.AfterFunc(2*time.Second, func() { say("building for the browser; the first time takes a minute") })
	defer slow.Stop()
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("building for the browser: %w", err)
	}
	return built, nil
}

// install copies a file, unless the destination has the same content, through a temporary name: a server that is
// running never sees half of it.
func install(from, to string) (written bool, err error) {
	data, err := os.ReadFile(from)
	if err != nil {
		return false, err
	}
	old, err := os.ReadFile(to)
	if err == nil && bytes.Equal(old, data) {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := atomicfile.WriteBytes(to, data); err != nil {
		return false, err
	}
	return true, nil
}
