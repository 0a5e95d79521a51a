package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"quantlab/core/dataset/shard"
)

// A rack is a shelf in memory.
type rack struct {
	mu    sync.Mutex
	files map[string][]byte
	full  bool // takes nothing any more
}

func (r *rack) get(_ context.Context, name string) (io.ReadCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	data, ok := r.files[name]
	if !ok {
		return nil, nil
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (r *rack) put(_ context.Context, name string, data []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full {
		return errors.New("QuotaExceededError")
	}
	r.files[name] = bytes.Clone(data)
	return nil
}

func (r *rack) remove(_ context.Context, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.files, name)
	return nil
}

func (r *rack) names(context.Context) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.files)), nil
}

// settled waits until nothing is being put on the shelf: what was begun before has its turn first.
func (k *kept) settled(t *testing.T, done func() bool) {
	t.Helper()
	for range 1000 {
		k.turn.Lock()
		ok := done()
		k.turn.Unlock()
		if ok {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the shelf does not come to hold what it should")
}

func read(t *testing.T, o opener, name string, fresh bool) ([]byte, error) {
	t.Helper()
	body, err := o.open(t.Context(), name, fresh)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// down is a site that does not answer.
var down = openerFunc(func(context.Context, string, bool) (io.ReadCloser, error) {
	return nil, errors.New("the server can't be reached")
})

func TestKeptWorksOffline(t *testing.T) {
	m, spec := newMemory(t)
	r := &rack{files: map[string][]byte{}}
	k := newKept(m, r)
	if _, _, err := newSource(k).Network(t.Context(), spec, nil); err != nil {
		t.Fatal(err)
	}
	k.settled(t, func() bool { return len(r.files) == 3 }) // manifest, model, times of use
	clear(m.opened)

	// Online, the next visit asks for the manifest alone.
	if _, _, err := newSource(newKept(m, r)).Network(t.Context(), spec, nil); err != nil {
		t.Fatal(err)
	}
	if len(m.opened) != 1 || m.opened[shard.ManifestName] != 1 {
		t.Errorf("opened %v", m.opened)
	}
	// Offline, for nothing; what was not used before can't be had, and the sentence is the site's.
	off := newSource(newKept(down, r))
	if _, _, err := off.Network(t.Context(), spec, nil); err != nil {
		t.Error(err)
	}
	if _, err := off.Test(t.Context(), spec, 0, nil); err == nil || !strings.Contains(err.Error(), "can't be reached") {
		t.Errorf("got %v", err)
	}
	// A damaged shard is fetched again, and the good one kept.
	for name := range r.files {
		if strings.HasPrefix(name, "mnist-lab1") {
			r.files[name][100] ^= 1
			if _, _, err := newSource(newKept(m, r)).Network(t.Context(), spec, nil); err != nil {
				t.Error(err)
			}
			k.settled(t, func() bool { return bytes.Equal(r.files[name], m.files[name]) })
		}
	}
	if notes := k.notes(); notes != nil {
		t.Errorf("notes %q", notes)
	}
}

// Without a shelf, or with one that is full, all works, and a note says what does not.
func TestKeptWithoutAShelf(t *testing.T) {
	for name, s := range map[string]shelf{"none": nil, "full": &rack{full: true}} {
		m, spec := newMemory(t)
		k := newKept(m, s)
		if _, _, err := newSource(k).Network(t.Context(), spec, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		k.settled(t, func() bool { return len(k.notes()) == 1 })
		if n := k.notes(); !strings.Contains(n[0], "offline") {
			t.Errorf("%s: notes %q", name, n)
		}
	}
}

// What goes is what no manifest lists, then what was not used for the longest.
func TestKeptIsBounded(t *testing.T) {
	r := &rack{files: map[string][]byte{"gone": make([]byte, 1), "a": make([]byte, 40), "b": make([]byte, 40), shard.ManifestName: make([]byte, 1000)}}
	r.files[usedName], _ = json.Marshal(map[string]int64{"gone": 30, "a": 20, "b": 10})
	k := newKept(down, r)
	k.limit, k.sizes = 100, map[string]int64{"a": 40, "b": 40, "c": 50, "d": 100}
	k.keep(t.Context(), "c", make([]byte, 50))
	if got, _ := r.names(t.Context()); !slices.Equal(got, []string{usedName, "a", "c", shard.ManifestName}) {
		t.Errorf("kept %q", got)
	}
	k.touch(t.Context(), "a")
	k.keep(t.Context(), "d", make([]byte, 100))
	if got, _ := r.names(t.Context()); !slices.Equal(got, []string{usedName, "d", shard.ManifestName}) {
		t.Errorf("kept %q", got)
	}
	if used := usedOn(t.Context(), r); len(used) != 1 || used["d"] == 0 {
		t.Errorf("times of use %v", used)
	}
	for _, damaged := range []string{"", "null", "[1]", `{"d":"x"}`} {
		r.files[usedName] = []byte(damaged)
		k.touch(t.Context(), "d")
		if used := usedOn(t.Context(), r); used["d"] == 0 {
			t.Errorf("after %q: %v", damaged, used)
		}
	}
}

// Something of another length than listed is not kept.
func TestKeptRefusesWhatIsNotWhole(t *testing.T) {
	for _, length := range []int{9, 11} {
		r := &rack{files: map[string][]byte{}}
		k := newKept(openerFunc(func(context.Context, string, bool) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(make([]byte, length))), nil
		}), r)
		k.sizes = map[string]int64{"a": 10}
		if data, err := read(t, k, "a", false); err != nil || len(data) != length {
			t.Errorf("%d bytes, %v", len(data), err)
		}
		time.Sleep(5 * time.Millisecond)
		if len(r.files) > 0 {
			t.Errorf("%d bytes of 10 were kept", length)
		}
	}
}

func TestKeptManifestIsTheSitesWhereItAnswers(t *testing.T) {
	m, _ := newMemory(t)
	r := &rack{files: map[string][]byte{shard.ManifestName: []byte("old")}}
	k := newKept(m, r)
	if data, err := read(t, k, shard.ManifestName, false); err != nil || !bytes.Equal(data, m.files[shard.ManifestName]) {
		t.Errorf("%.60q, %v", data, err)
	}
	k.settled(t, func() bool { return bytes.Equal(r.files[shard.ManifestName], m.files[shard.ManifestName]) })
	slow := newKept(openerFunc(func(ctx context.Context, _ string, _ bool) (io.ReadCloser, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}), r)
	if data, err := read(t, slow, shard.ManifestName, false); err != nil || len(data) == 0 {
		t.Errorf("a site that does not answer: %v", err)
	}
	if _, err := read(t, newKept(down, &rack{files: map[string][]byte{}}), shard.ManifestName, false); err == nil {
		t.Error("a manifest from nowhere")
	}
}
