package main

import (
	"context"
	"slices"
	"sync"

	"quantlab/core/lab/wire"
)

// A lane carries out commands one after the other, in the order they came. Lanes go on side by side, as far as a browser's one
// thread allows: whenever the work of one lets messages in, the others have their turn.
type lane struct {
	do    work
	send  func(id int, e wire.Event)
	tells bool // those who wait learn how many are ahead

	mu   sync.Mutex
	jobs []*job // the first one is under way
}

// A command is what the page sent, with the files that came beside it.
type command struct {
	wire.Command
	files []upload
}

// work carries out a command. It emits exactly one event that ends it.
type work func(ctx context.Context, c command, emit func(wire.Event))

// A job is one command, under way or waiting.
type job struct {
	command command
	ctx     context.Context
	cancel  context.CancelFunc
}

// add appends a command, and starts it if none is under way.
func (l *lane) add(c command) {
	ctx, cancel := context.WithCancel(context.Background())
	l.mu.Lock()
	l.jobs = append(l.jobs, &job{command: c, ctx: ctx, cancel: cancel})
	ahead := len(l.jobs) - 1
	l.mu.Unlock()
	if ahead > 0 {
		l.queued(c.ID, ahead)
		return
	}
	go l.work()
}

// cancel ends the command of that ID: one that waits at once, the one under way when it notices.
func (l *lane) cancel(id int) {
	l.mu.Lock()
	i := slices.IndexFunc(l.jobs, func(j *job) bool { return j.command.ID == id })
	if i >= 0 {
		l.jobs[i].cancel()
	}
	waiting := i > 0
	if waiting {
		l.jobs = slices.Delete(l.jobs, i, i+1)
	}
	l.mu.Unlock()
	if waiting {
		l.send(id, wire.Event{Kind: wire.EventCancel})
		l.advance()
	}
}

// work carries out the commands until none is left.
func (l *lane) work() {
	for {
		l.mu.Lock()
		if len(l.jobs) == 0 {
			l.mu.Unlock()
			return
		}
		j := l.jobs[0]
		l.mu.Unlock()

		l.do(j.ctx, j.command, func(e wire.Event) { l.send(j.command.ID, e) })
		j.cancel()

		l.mu.Lock()
		l.jobs = slices.Delete(l.jobs, 0, 1)
		l.mu.Unlock()
		l.advance()
	}
}

// advance tells everybody who waits how many are ahead now.
func (l *lane) advance() {
	l.mu.Lock()
	jobs := slices.Clone(l.jobs)
	l.mu.Unlock()
	for ahead, j := range jobs {
		if ahead > 0 {
			l.queued(j.command.ID, ahead)
		}
	}
}

func (l *lane) queued(id, ahead int) {
	if l.tells {
		l.send(id, wire.Event{Kind: wire.EventQueued, Position: ahead})
	}
}
