package onnxruntime

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"quantlab/cmd/internal/prepare"
)

// ONNX Runtime is Microsoft's (MIT licence). npm fetches its binding for Node.js, with binaries for each system, and what of it this system
// needs is kept beside the data sets; it is no part of what is shipped.
const version = "1.30.0"

// packages are what is fetched, with the SHA-512 that the registry signed. The binding needs no others once its binaries are there; what
// its install script fetches are those for GPUs.
var packages = map[string]string{
	"onnxruntime-node":   "twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==",
	"onnxruntime-common": "7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==",
}

// maxUnpacked bounds what a file of a package may unpack to.
const maxUnpacked = 256 << 20

// install returns a folder with ONNX Runtime's packages in node_modules. Where they can't be had the test is skipped, or with
// QUANTLAB_REQUIRE_NODE set fails.
func install(t *testing.T) string {
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := installed(t.Context(), filepath.Join(store.CacheDir(), "test"))
	if err != nil && os.Getenv("QUANTLAB_REQUIRE_NODE") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("exported files are not run in ONNX Runtime: ", err)
	}
	return dir
}

func installed(ctx context.Context, cache string) (string, error) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("%s is not here: install it", program)
		}
	}
	dir := filepath.Join(cache, "onnxruntime-node-"+version)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(cache, ".tmp-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	whole := filepath.Join(tmp, "whole")
	for name, integrity := range packages {
		if err := fetch(ctx, tmp, name, integrity, filepath.Join(whole, "node_modules", name)); err != nil {
			return "", err
		}
	}
	if _, err := os.Stat(filepath.Join(whole, "node_modules", "onnxruntime-node", filepath.FromSlash(binaries()))); err != nil {
		return "", fmt.Errorf("onnxruntime-node %s has no binaries for %s/%s", version, runtime.GOOS, runtime.GOARCH)
	}
	if err := os.Rename(whole, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return dir, nil
}

// binaries is where onnxruntime-node keeps what this system needs, in Node.js's names.
func binaries() string {
	system, processor := runtime.GOOS, runtime.GOARCH
	if system == "windows" {
		system = "win32"
	}
	if processor == "amd64" {
		processor = "x64"
	}
	return "bin/napi-v6/" + system + "/" + processor + "/"
}

// fetch unpacks a package of npm's to a folder.
func fetch(ctx context.Context, tmp, name, integrity, to string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", tmp, name+"@"+version).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s can't be fetched: npm: %w: %s", name, err, out)
	}
	f, err := os.Open(filepath.Join(tmp, name+"-"+version+".tgz"))
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if base64.StdEncoding.EncodeToString(sum.Sum(nil)) != integrity {
		return fmt.Errorf("what npm gives is not what the registry signed as %s %s", name, version)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return unpack(f, to)
}

// unpack writes the files of an archive that this system needs.
func unpack(archive io.Reader, to string) error {
	z, err := gzip.NewReader(archive)
	if err != nil {
		return err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(h.Name, "package/")
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(name) || strings.HasPrefix(name, "bin/") && !strings.HasPrefix(name, binaries()) {
			continue
		}
		path := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, io.LimitReader(r, maxUnpacked))
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
}
