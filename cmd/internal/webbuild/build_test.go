package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestInstall(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(from, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put("one")
	if written, err := install(from, to); err != nil || !written {
		t.Fatalf("new: %v, %v", written, err)
	}
	// The same content is left alone: another time would make the server look at it again.
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(to, past, past); err != nil {
		t.Fatal(err)
	}
	put("one")
	if written, err := install(from, to); err != nil || written {
		t.Errorf("same: %v, %v", written, err)
	}
	if info, err := os.Stat(to); err != nil || !info.ModTime().Equal(past) || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
	put("two")
	if written, err := install(from, to); err != nil || !written {
		t.Errorf("changed: %v, %v", written, err)
	}
	if data, err := os.ReadFile(to); err != nil || string(data) != "two" {
		t.Errorf("%q, %v", data, err)
	}
	// A failure leaves no temporary file.
	if _, err := install(from, filepath.Join(dir, "none", "to")); err == nil {
		t.Error("a missing folder went unnoticed")
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := install(from, filepath.Join(dir, "folder")); err == nil {
		t.Error("a folder was replaced")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestLocate(t *testing.T) {
	root, goroot, err := locate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(root, "go.mod"), filepath.Join(goroot, "lib", "wasm", "wasm_exec.js")} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	t.Chdir(t.TempDir())
	if _, _, err := locate(t.Context()); err == nil {
		t.Error("a folder outside every module passed for the project")
	}
}
