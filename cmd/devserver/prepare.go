package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"quantlab/cmd/internal/precompress"
	"quantlab/cmd/internal/prepare"
)

// shardQuality is brotli's for the shards: they are a hundred megabytes, of which the better half hardly shrinks, and a
// higher quality would take minutes to save a few percent.
const shardQuality = 9

// exportShare is how much of the whole, with training, comes before compressing.
const exportShare = 0.95

// preparing returns what prepares the store's models and shards, and compresses these. It prints what takes long.
func preparing(store *prepare.Store, out io.Writer) prepareFunc {
	return func(ctx context.Context, report func(step string, fraction float64)) (string, error) {
		p := &printer{out: out}
		tell := func(step string, fraction float64) {
			report(step, fraction)
			p.step(step, fraction)
		}
		folder, err := store.Export(ctx, func(e prepare.Progress) {
			if e.Note != "" {
				p.line(e.Note)
				return
			}
			if e.Fraction < 1 {
				tell(e.Step, exportShare*e.Fraction)
			}
		})
		if err != nil {
			if ctx.Err() == nil {
				p.line(err.Error())
			}
			return "", err
		}
		// Now rather than while the first run measures: it keeps every core busy.
		_, err = precompress.Dir(ctx, folder, precompress.Options{Quality: shardQuality, Progress: func(c precompress.Progress) {
			tell("compressing the browser's files", exportShare+(1-exportShare)*float64(c.Done)/float64(max(c.Total, 1)))
		}})
		if err != nil && ctx.Err() == nil {
			p.line(fmt.Sprintf("the browser's files go out uncompressed (%v)", err)) // as on a read-only cache
			err = nil
		}
		if err == nil && p.said() {
			p.line("prepared")
		}
		return folder, errors.Join(err, ctx.Err())
	}
}

// A printer prints progress as plain lines, few enough to read.
type printer struct {
	out io.Writer

	mu    sync.Mutex
	last  string
	when  time.Time
	lines int
}

const (
	newStepEvery  = 500 * time.Millisecond
	sameStepEvery = 5 * time.Second
)

// step prints a line for a new step, and now and then one for the same.
func (p *printer) step(step string, fraction float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	every := sameStepEvery
	if step != p.last {
		every = newStepEvery
	}
	if time.Since(p.when) < every {
		return
	}
	p.last, p.when = step, time.Now()
	p.lines++
	fmt.Fprintf(p.out, "preparing: %s (%.0f%%)\n", step, 100*fraction)
}

func (p *printer) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines++
	fmt.Fprintln(p.out, text)
}

// said reports whether anything was printed.
func (p *printer) said() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lines > 0
}
