package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"

	"quantlab/core/dataset/shard"
)

// maxKept bounds what the page keeps of the site's files for use offline, in bytes.
const maxKept = 160 << 20

// maxManifest bounds the manifest, in bytes.
const maxManifest = 1 << 20

// manifestTime is how long the site may take to answer where a manifest is kept.
const manifestTime = 800 * time.Millisecond

// usedName is where the shelf keeps when each shard was asked for last: a JSON object of Unix times, in milliseconds.
const usedName = ".used"

// A shelf stores files for longer than the page lives.
type shelf interface {
	get(ctx context.Context, name string) (io.ReadCloser, error) // nil where it is not there
	put(ctx context.Context, name string, data []byte) error
	remove(ctx context.Context, name string) error
	names(ctx context.Context) ([]string, error)
}

// kept opens the site's files and keeps what it has opened: the manifest is asked for anew as long as the server answers, shards,
// whose names tell their content, are not. What no manifest lists any more goes first when room is needed, then what was not
// used for the longest. Whatever is wrong with the shelf, files are opened all the same.
type kept struct {
	site  opener
	limit int64

	turn sync.Mutex // of whoever changes what is on the shelf

	mu    sync.Mutex       // of the rest; not held while anything is waited for
	shelf shelf            // nil where there is none, or once it has failed
	sizes map[string]int64 // of the shards that the manifest lists, in bytes; nil before it was read
}

func newKept(site opener, s shelf) *kept { return &kept{site: site, limit: maxKept, shelf: s} }

// notes says what the reader must know of the shelf.
func (k *kept) notes() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.shelf == nil {
		return []string{"this browser stores no files for this page (it can't, may not, or is full): the page does not work offline"}
	}
	return nil
}

// open implements opener.
func (k *kept) open(ctx context.Context, name string, fresh bool) (io.ReadCloser, error) {
	if name == shard.ManifestName {
		return k.manifest(ctx, fresh)
	}
	if !fresh {
		if body := k.stored(ctx, name); body != nil {
			return body, nil
		}
	}
	body, err := k.site.open(ctx, name, fresh)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	size, listed := k.sizes[name]
	if !listed || k.shelf == nil {
		return body, nil
	}
	return &keeping{ReadCloser: body, data: make([]byte, 0, min(size, maxKept)), keep: func(data []byte) {
		if int64(len(data)) == size {
			go k.keep(context.WithoutCancel(ctx), name, data)
		}
	}}, nil
}

// manifest opens the manifest: the site's, or the one kept where the site does not answer.
func (k *kept) manifest(ctx context.Context, fresh bool) (io.ReadCloser, error) {
	old := k.take(ctx, shard.ManifestName)
	if old != nil {
		defer old.Close()
	}
	data, err := k.ask(ctx, fresh, old != nil)
	switch {
	case err == nil:
		go k.keep(context.WithoutCancel(ctx), shard.ManifestName, data)
	case old != nil && ctx.Err() == nil:
		data, err = io.ReadAll(io.LimitReader(old, maxManifest))
	}
	if err != nil {
		return nil, err
	}
	if m, err := shard.ParseManifest(data); err == nil { // who opened it says what is wrong with another
		k.mu.Lock()
		k.sizes = sizes(m)
		k.mu.Unlock()
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// ask reads the site's manifest, in a hurry within manifestTime.
func (k *kept) ask(ctx context.Context, fresh, hurry bool) ([]byte, error) {
	if hurry {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, manifestTime)
		defer cancel()
	}
	body, err := k.site.open(ctx, shard.ManifestName, fresh)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, maxManifest+1))
}

// sizes returns the size of every shard that the manifest lists, in bytes.
func sizes(m *shard.Manifest) map[string]int64 {
	out := map[string]int64{}
	add := func(entries []shard.Entry) {
		for _, e := range entries {
			out[e.Name] = e.Bytes
		}
	}
	for _, s := range m.Sets {
		add(s.Shards)
	}
	for _, f := range m.Models {
		add(f.Shards)
	}
	if m.Vocabulary != nil {
		add(m.Vocabulary.Shards)
	}
	return out
}

// stored opens a shard that is kept, and notes its use; nil where there is none.
func (k *kept) stored(ctx context.Context, name string) io.ReadCloser {
	body := k.take(ctx, name)
	if body != nil {
		go k.touch(context.WithoutCancel(ctx), name)
	}
	return body
}

func (k *kept) take(ctx context.Context, name string) io.ReadCloser {
	k.mu.Lock()
	s := k.shelf
	k.mu.Unlock()
	if s == nil {
		return nil
	}
	body, err := s.get(ctx, name)
	if err != nil {
		return nil
	}
	return body
}

// keep puts a file on the shelf, after making room.
func (k *kept) keep(ctx context.Context, name string, data []byte) {
	k.change(func(s shelf, sizes map[string]int64) error {
		used := usedOn(ctx, s)
		if err := k.room(ctx, s, sizes, used, int64(len(data)), name); err != nil {
			return err
		}
		if err := s.put(ctx, name, data); err != nil || name == shard.ManifestName {
			return err
		}
		return use(ctx, s, used, name)
	})
}

// touch notes that a shard was used.
func (k *kept) touch(ctx context.Context, name string) {
	k.change(func(s shelf, _ map[string]int64) error { return use(ctx, s, usedOn(ctx, s), name) })
}

// change changes what is on the shelf. One that fails is not asked again.
func (k *kept) change(f func(s shelf, sizes map[string]int64) error) {
	k.turn.Lock()
	defer k.turn.Unlock()
	k.mu.Lock()
	s, sizes := k.shelf, k.sizes
	k.mu.Unlock()
	if s != nil && f(s, sizes) != nil {
		k.mu.Lock()
		k.shelf = nil
		k.mu.Unlock()
	}
}

// room removes what must go before need bytes of the file name are put on the shelf, and forgets when that was used.
func (k *kept) room(ctx context.Context, s shelf, sizes, used map[string]int64, need int64, name string) error {
	names, err := s.names(ctx)
	if err != nil {
		return err
	}
	remove := func(n string) error {
		delete(used, n)
		return s.remove(ctx, n)
	}
	var shards []string
	total := need
	for _, n := range names {
		size, listed := sizes[n]
		switch {
		case n == usedName || n == shard.ManifestName || n == name:
		case sizes != nil && !listed:
			if err := remove(n); err != nil {
				return err
			}
		default:
			shards = append(shards, n)
			total += size
		}
	}
	slices.SortFunc(shards, func(a, b string) int { return cmp.Compare(used[a], used[b]) })
	for i := 0; i < len(shards) && total > k.limit; i++ {
		if err := remove(shards[i]); err != nil {
			return err
		}
		total -= sizes[shards[i]]
	}
	return nil
}

// usedOn reads when each shard on the shelf was asked for last. What can't be read counts as long ago.
func usedOn(ctx context.Context, s shelf) map[string]int64 {
	used := map[string]int64{}
	body, err := s.get(ctx, usedName)
	if err != nil || body == nil {
		return used
	}
	defer body.Close()
	if json.NewDecoder(io.LimitReader(body, maxManifest)).Decode(&used) != nil || used == nil {
		return map[string]int64{}
	}
	return used
}

// use notes that a shard was used now.
func use(ctx context.Context, s shelf, used map[string]int64, name string) error {
	used[name] = time.Now().UnixMilli()
	data, err := json.Marshal(used)
	if err != nil {
		return err
	}
	return s.put(ctx, usedName, data)
}

// A keeping hands over what was read from it once that is all.
type keeping struct {
	io.ReadCloser
	data []byte
	keep func([]byte) // nil once called
}

// Read implements io.Reader.
func (b *keeping) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.keep == nil {
		return n, err
	}
	if len(b.data)+n > cap(b.data) {
		b.keep, b.data = nil, nil // longer than listed
		return n, err
	}
	b.data = append(b.data, p[:n]...)
	if err == io.EOF {
		b.keep(b.data)
		b.keep = nil
	}
	return n, err
}
