package main

import (
	"context"
	"sync"
)

// A status tells how far the server is with preparing its models.
type status struct {
	Ready    bool    `json:"ready"`
	Failed   bool    `json:"failed,omitempty"`
	Step     string  `json:"step"`
	Fraction float64 `json:"fraction"`
	Text     string  `json:"text"` // why it failed, or what the reader must know
}

// A prepareFunc brings the models and the browser's shards, and returns the shards' folder.
type prepareFunc func(ctx context.Context, report func(step string, fraction float64)) (shards string, err error)

// models are the server's models and shards, which may have to be made first.
type models struct {
	ctx     context.Context // of the server
	prepare prepareFunc

	mu      sync.Mutex
	now     status
	shards  string
	changed chan struct{} // closed when now changes
	busy    bool
	idle    sync.WaitGroup // done when nothing is being prepared
}

// newModels starts preparing.
func newModels(ctx context.Context, prepare prepareFunc) *models {
	m := &models{ctx: ctx, prepare: prepare, changed: make(chan struct{})}
	m.start()
	return m
}

// retry starts again if preparing has failed.
func (m *models) retry() {
	m.mu.Lock()
	failed := m.now.Failed
	m.mu.Unlock()
	if failed {
		m.start()
	}
}

func (m *models) start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy || m.ctx.Err() != nil {
		return
	}
	m.busy = true
	m.set(status{Step: "looking for the models"})
	m.idle.Go(func() {
		shards, err := m.prepare(m.ctx, func(step string, fraction float64) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.set(status{Step: step, Fraction: fraction})
		})
		m.mu.Lock()
		defer m.mu.Unlock()
		m.busy = false
		if err != nil {
			m.set(status{Failed: true, Text: err.Error()})
			return
		}
		m.shards = shards
		m.set(status{Ready: true, Fraction: 1})
	})
}

// set changes the status, of which it tells everybody who watches; m.mu is held.
func (m *models) set(now status) {
	if now == m.now {
		return
	}
	m.now = now
	close(m.changed)
	m.changed = make(chan struct{})
}

// watch returns the status and a channel that is closed when there is another.
func (m *models) watch() (status, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now, m.changed
}

// folder returns where the shards are, "" before they are there.
func (m *models) folder() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.shards
}

// wait returns when nothing is being prepared any more.
func (m *models) wait() { m.idle.Wait() }
