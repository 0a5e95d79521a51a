package dataset

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

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
