package precompress

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
)

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func decode(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = brotli.NewReader(f)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	text := bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog\n"), 5000)
	write(t, dir, "a.wasm", text)
	write(t, dir, "small.js", []byte("1"))
	write(t, dir, "weights.bin", noise(100_000))
	write(t, dir, "skipped.png", text)
	write(t, dir, "gone.css.br", []byte("stale"))

	opt := Options{Quality: 5, Match: func(n string) bool { return !strings.HasSuffix(n, ".png") }}
	rep, err := Dir(t.Context(), dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	if rep != (Report{Compressed: 3, Removed: 1}) {
		t.Errorf("first: %+v", rep)
	}
	for _, s := range []string{"a.wasm.br", "a.wasm.gz"} {
		if !bytes.Equal(decode(t, filepath.Join(dir, s)), text) {
			t.Errorf("%s does not decompress to a.wasm", s)
		}
	}
	for _, s := range []string{"small.js.br", "weights.bin.br", "weights.bin.gz", "skipped.png.br", "gone.css.br"} {
		if exists(dir, s) {
			t.Errorf("%s should not be there", s)
		}
	}

	if rep, err = Dir(t.Context(), dir, opt); err != nil || rep != (Report{Kept: 3}) {
		t.Errorf("nothing changed: %+v, %v", rep, err)
	}

	// The same content with another time is not compressed again.
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "a.wasm"), later, later); err != nil {
		t.Fatal(err)
	}
	if rep, err = Dir(t.Context(), dir, opt); err != nil || rep != (Report{Kept: 3}) {
		t.Errorf("touched: %+v, %v", rep, err)
	}

	// A new content is; siblings of the old one are not used meanwhile.
	write(t, dir, "a.wasm", text[:len(text)/2])
	record, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Stat(dir, "a.wasm", record)
	if err != nil {
		t.Fatal(err)
	}
	if s := f.Siblings(dir, "a.wasm", record); s != nil {
		t.Errorf("siblings of another content: %v", s)
	}
	if rep, err = Dir(t.Context(), dir, opt); err != nil || rep != (Report{Compressed: 1, Kept: 2}) {
		t.Errorf("changed: %+v, %v", rep, err)
	}
	if !bytes.Equal(decode(t, filepath.Join(dir, "a.wasm.br")), text[:len(text)/2]) {
		t.Error("a.wasm.br is of the old content")
	}

	// A sibling that is missing or cut is made again, and so is everything at a higher quality.
	write(t, dir, "a.wasm.gz", []byte("cut"))
	if rep, err = Dir(t.Context(), dir, opt); err != nil || rep.Compressed != 1 {
		t.Errorf("damaged sibling: %+v, %v", rep, err)
	}
	opt.Quality = 6
	if rep, err = Dir(t.Context(), dir, opt); err != nil || rep.Compressed != 3 {
		t.Errorf("higher quality: %+v, %v", rep, err)
	}
	opt.Quality = 5
	if rep, err = Dir(t.Context(), dir, opt); err != nil || rep != (Report{Kept: 3}) {
		t.Errorf("lower quality: %+v, %v", rep, err)
	}

	// A file that is gone takes its siblings with it.
	if err := os.Remove(filepath.Join(dir, "a.wasm")); err != nil {
		t.Fatal(err)
	}
	if rep, err = Dir(t.Context(), dir, opt); err != nil || rep != (Report{Kept: 2, Removed: 2}) {
		t.Errorf("removed: %+v, %v", rep, err)
	}
}

func TestProgressReachesItsTotal(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", bytes.Repeat([]byte("abc "), 100_000))
	write(t, dir, "b", noise(50_000))
	var last Progress
	finished := 0
	_, err := Dir(t.Context(), dir, Options{Quality: 1, Progress: func(p Progress) {
		if p.Done < last.Done {
			t.Errorf("progress went back from %d to %d", last.Done, p.Done)
		}
		if p.Name != "" {
			finished++
		}
		last = p
	}})
	if err != nil {
		t.Fatal(err)
	}
	if last.Done != last.Total || finished != 2 {
		t.Errorf("ended at %d of %d with %d files finished", last.Done, last.Total, finished)
	}
}

func TestCanceledLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", bytes.Repeat([]byte("abc "), 1_000_000))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Dir(ctx, dir, Options{Progress: func(Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancellation", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestDamagedRecordIsIgnored(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", bytes.Repeat([]byte("abc "), 1000))
	write(t, dir, RecordName, []byte("{not json"))
	if rep, err := Dir(t.Context(), dir, Options{}); err != nil || rep.Compressed != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestBytes(t *testing.T) {
	text := bytes.Repeat([]byte("abc "), 1000)
	if b := Bytes("br", text); len(b) == 0 || len(b) > 100 {
		t.Errorf("brotli made %d bytes of %d", len(b), len(text))
	}
	if Bytes("gzip", noise(5000)) != nil {
		t.Error("noise was compressed")
	}
	if Bytes("gzip", []byte("short")) != nil {
		t.Error("a few bytes were compressed")
	}
}

// A file is judged by all of it: this one begins with what no compression shrinks.
func TestSample(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "late.bin", append(noise(700_000), make([]byte, 300_000)...))
	if _, err := Dir(t.Context(), dir, Options{Quality: 5}); err != nil {
		t.Fatal(err)
	}
	if !exists(dir, "late.bin.br") {
		t.Error("late.bin is not compressed")
	}
}
