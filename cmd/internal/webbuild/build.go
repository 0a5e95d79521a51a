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

// A program runs in the browser.
type program struct {
	pkg, name string
	flags     []string
}

// once names packages of the program that computes whose functions run once a file or once an event: nothing there is worth code
// that is inlined many times over, and without that the program is 8% smaller.
var once = []string{
	"encoding/json", "fmt", "reflect", "strconv", "archive/zip", "image/png", "math/big", "github.com/nlpodyssey/...",
	"quantlab/core/dataset/custom", "quantlab/core/exchange", "quantlab/core/library", "quantlab/core/modelfile/...",
}

// programs returns what to build: the page, whose code counts more by its size than by its speed, and the program that computes,
// which is told the version; the page learns it from the results.
func programs(goAppFlags []string, version string) []program {
	computeFlags := []string{"-ldflags=-s -w -X main.version=" + version}
	for _, pkg := range once {
		computeFlags = append(computeFlags, "-gcflags="+pkg+"=-l")
	}
	return []program{
		{pkg: "./wasm/page", name: "app.wasm", flags: append(goAppFlags, "-ldflags=-s -w",
			// Functions that are inlined are there many times over. Only the garbage collector needs the time.
			"-gcflags=all=-l", "-gcflags=runtime/...=", "-gcflags=internal/runtime/...=", "-gcflags=internal/abi=")},
		{pkg: "./wasm/compute", name: "compute.wasm", flags: computeFlags},
	}
}

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
	goAppFlags, err := withoutServer(ctx, root)
	if err != nil {
		return nil, fmt.Errorf("preparing go-app: %w", err)
	}
	slow := time.AfterFunc(2*time.Second, func() { say("building for the browser; the first time takes a minute") })
	defer slow.Stop()
	built := map[string]string{}
	for _, p := range programs(goAppFlags, version) {
		out := filepath.Join(dir, filepath.Base(p.pkg))
		args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", out}, p.flags...)
		cmd := forBrowser(ctx, root, append(args, p.pkg)...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("building %s: %w", p.name, err)
		}
		built[out] = p.name
	}
	return built, nil
}

// forBrowser is a go command that works for the browser's architecture.
func forBrowser(ctx context.Context, root string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	cmd.WaitDelay = time.Second
	return cmd
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
