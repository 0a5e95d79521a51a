package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// lineEvery keeps the plain lines of a meter few.
const lineEvery = 2 * time.Second

// A meter shows how far the work is.
type meter interface {
	at(step string, fraction float64) // what is being done, and how much of the whole is over
	say(line string)                  // something that stays on screen
	close()                           // the work is over, or was given up; may be called twice
}

// meter returns a bar on a terminal, plain lines elsewhere.
func (s *streams) meter() meter {
	if s.errTerm {
		return &bar{w: s.err}
	}
	return &lines{w: s.err}
}

// meter is silent with JSON.
func (o *output) meter() meter {
	if o.format == formatJSON {
		return quiet{}
	}
	return o.streams.meter()
}

type quiet struct{}

func (quiet) at(string, float64) {}
func (quiet) say(string)         {}
func (quiet) close()             {}

// lines writes a line now and then, for logs.
type lines struct {
	w     io.Writer
	last  time.Time
	shown string
}

func (l *lines) at(step string, fraction float64) {
	if step == l.shown || !l.last.IsZero() && time.Since(l.last) < lineEvery {
		return
	}
	l.last, l.shown = time.Now(), step
	fmt.Fprintf(l.w, "%3.0f%%  %s\n", 100*fraction, step)
}

func (l *lines) say(line string) { fmt.Fprintln(l.w, line) }

func (l *lines) close() {}

// bar is one line on a terminal, from the first step until the work is over.
type bar struct {
	w         io.Writer
	container *mpb.Progress // nil before the first step and after close
	bar       *mpb.Bar
	mu        sync.Mutex // guards step
	step      string
}

const (
	barSteps = 1000
	barWidth = 16
	// A step is cut so that the line ends a little before the terminal does: when the terminal echoes ^C, the next line
	// drawn begins two columns late, and must not run over into a second one, which nobody would wipe off.
	barRest = barWidth + 2 + 3
)

func (b *bar) start() {
	b.container = mpb.New(mpb.WithOutput(b.w), mpb.WithWidth(barWidth), mpb.WithRefreshRate(100*time.Millisecond))
	b.bar = b.container.New(barSteps,
		mpb.BarStyle().Lbound("").Rbound("").Filler("█").Tip("▌").Padding("░"),
		mpb.PrependDecorators(
			decor.NewPercentage("%d", decor.WC{W: 4}),
			decor.Name(" "),
		),
		mpb.AppendDecorators(
			decor.Elapsed(decor.ET_STYLE_MMSS),
			decor.Any(func(s decor.Statistics) string {
				b.mu.Lock()
				defer b.mu.Unlock()
				return ansi.Truncate("  "+b.step, max(s.AvailableWidth-barRest, 0), "…")
			}),
		),
	)
}

func (b *bar) at(step string, fraction float64) {
	if b.container == nil {
		b.start()
	}
	b.mu.Lock()
	b.step = step
	b.mu.Unlock()
	// The last step is kept for close, which takes the bar off the screen.
	b.bar.SetCurrent(min(int64(fraction*barSteps), barSteps-1))
}

func (b *bar) say(line string) {
	if b.container == nil {
		fmt.Fprintln(b.w, line)
		return
	}
	fmt.Fprintln(b.container, line)
}

func (b *bar) close() {
	if b.container != nil {
		b.bar.Abort(true)
		b.container.Wait()
		b.container = nil
	}
}
