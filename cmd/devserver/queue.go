package main

import (
	"fmt"
	"slices"
	"sync"
)

// A queue lets one run go on at a time, in the order of arrival.
type queue struct {
	limit int // runs that may wait

	mu    sync.Mutex
	turns []*turn // the first one runs
}

// A turn is one run's place in the queue.
type turn struct {
	q     *queue
	moved chan struct{} // holds a token when the position has changed
}

// join takes the last place, or refuses where too many wait already.
func (q *queue) join() (*turn, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.turns) > q.limit {
		return nil, fmt.Errorf("%d runs are waiting already: try again in a few minutes", q.limit)
	}
	t := &turn{q: q, moved: make(chan struct{}, 1)}
	q.turns = append(q.turns, t)
	return t, nil
}

// position returns how many runs are ahead; 0 is this run's turn.
func (t *turn) position() int {
	t.q.mu.Lock()
	defer t.q.mu.Unlock()
	return slices.Index(t.q.turns, t)
}

// leave gives the place up, whether the run took place or not.
func (t *turn) leave() {
	t.q.mu.Lock()
	defer t.q.mu.Unlock()
	i := slices.Index(t.q.turns, t)
	if i < 0 {
		return
	}
	t.q.turns = slices.Delete(t.q.turns, i, i+1)
	for _, behind := range t.q.turns[i:] {
		select {
		case behind.moved <- struct{}{}:
		default: // it has not looked since the last move
		}
	}
}
