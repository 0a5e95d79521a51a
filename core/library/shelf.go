package library

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// A Shelf keeps entries by name, such as "model/my-mlp": a folder on a native host, a database in a browser. It may be used from
// several goroutines at once.
type Shelf interface {
	// Names returns the entries' names, in any order.
	Names(ctx context.Context) ([]string, error)
	// Get returns an entry; an error that wraps fs.ErrNotExist where there is none. Nobody writes to what it returns.
	Get(ctx context.Context, name string) ([]byte, error)
	// Put keeps an entry in place of the one of that name, whole or not at all. The shelf may hold on to data.
	Put(ctx context.Context, name string, data []byte) error
	// Remove forgets an entry; one that is not there is no error.
	Remove(ctx context.Context, name string) error
}

// Memory returns a Shelf that keeps its entries in memory.
func Memory() Shelf { return &memory{entries: map[string][]byte{}} }

type memory struct {
	mu      sync.Mutex
	entries map[string][]byte
}

func (m *memory) Names(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.entries)), nil
}

func (m *memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.entries[name]
	if !ok {
		return nil, fmt.Errorf("nothing is kept as %s: %w", name, fs.ErrNotExist)
	}
	return data, nil
}

func (m *memory) Put(_ context.Context, name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[name] = data
	return nil
}

func (m *memory) Remove(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, name)
	return nil
}
