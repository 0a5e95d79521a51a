package e2e

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"quantlab/core/lab/wire"
)

// emptyPad is the query of a pad that answers with both models and shows no sample.
const emptyPad = "?digits=both&strokes="

// drawing opens the Draw view, and waits until its pad can be used and whatever it shows is answered.
func drawing(t *testing.T, query string, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	tb := open(t, "/draw"+query, 2*time.Minute, before...)
	tb.padWorks()
	return tb
}

// padWorks waits until the pad follows a pen.
func (tb *tab) padWorks() {
	tb.Helper()
	tb.until("the pad can be used", `document.querySelector('#pad')?.getAttribute('role') === 'application'`)
}

// A canvas is where the pad is in the window, in CSS pixels.
type canvas struct{ X, Y, Width, Height float64 }

// pad brings the pad into sight.
func (tb *tab) pad() canvas {
	tb.Helper()
	return js[canvas](tb, `(e => { e.scrollIntoView({block: 'center', behavior: 'instant'}); return e.getBoundingClientRect().toJSON() })(document.querySelector('#pad'))`)
}

// at is a point of the drawing's grid in the window.
func (c canvas) at(x, y float64) (float64, float64) {
	return c.X + x/wire.DrawingGrid*c.Width, c.Y + y/wire.DrawingGrid*c.Height
}

// seven is a seven in one stroke, as a hand draws it: points at even distances, x, y, x, y, … on the drawing's grid.
func seven(points int) []int {
	corners := [][2]float64{{290, 290}, {720, 270}, {440, 800}}
	ends := []float64{0} // how long the stroke is up to each corner
	for i := 1; i < len(corners); i++ {
		ends = append(ends, ends[i-1]+math.Hypot(corners[i][0]-corners[i-1][0], corners[i][1]-corners[i-1][1]))
	}
	var s []int
	k := 1
	for i := range points {
		at := float64(i) / float64(points-1) * ends[len(ends)-1]
		for k < len(ends)-1 && at > ends[k] {
			k++
		}
		f, a, b := (at-ends[k-1])/(ends[k]-ends[k-1]), corners[k-1], corners[k]
		s = append(s, int(a[0]+f*(b[0]-a[0])), int(a[1]+f*(b[1]-a[1])))
	}
	return s
}

// mouse sends events of the mouse at points of the drawing's grid, which arrive in this order, but without waiting for the page to
// have taken one before the next: so the browser puts several into one frame, as it does for a fast hand.
func (tb *tab) mouse(c canvas, typ input.DispatchMouseEventType, points []int) {
	tb.Helper()
	var wg sync.WaitGroup
	for i := 0; i+1 < len(points); i += 2 {
		x, y := c.at(float64(points[i])+.5, float64(points[i+1])+.5)
		wg.Go(func() {
			if err := chromedp.Do(tb.ctx, chromedp.MouseEvent(typ, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1))); err != nil {
				tb.Error(err)
			}
		})
		time.Sleep(2 * time.Millisecond)
	}
	wg.Wait()
}

// mouseStroke draws a stroke with the mouse.
func (tb *tab) mouseStroke(c canvas, s []int) {
	tb.Helper()
	tb.mouse(c, input.DispatchMouseEventTypeMousePressed, s[:2])
	tb.mouse(c, input.DispatchMouseEventTypeMouseMoved, s[2:])
	tb.mouse(c, input.DispatchMouseEventTypeMouseReleased, s[len(s)-2:])
}

// touch sends an event of a finger at a point of the window.
func touch(typ input.DispatchTouchEventType, points ...*input.TouchPoint) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: typ, TouchPoints: append([]*input.TouchPoint{}, points...)})
		return err
	})
}

// touchStroke draws a stroke with a finger.
func (tb *tab) touchStroke(c canvas, s []int) {
	tb.Helper()
	for i := 0; i+1 < len(s); i += 2 {
		typ := input.DispatchTouchEventTypeTouchMove
		if i == 0 {
			typ = input.DispatchTouchEventTypeTouchStart
		}
		x, y := c.at(float64(s[i])+.5, float64(s[i+1])+.5)
		tb.do(touch(typ, &input.TouchPoint{X: x, Y: y}))
	}
	tb.do(touch(input.DispatchTouchEventTypeTouchEnd))
}

// allSay is JavaScript that holds when every variant of the models has answered the drawing that is on the pad, and with this.
func allSay(label string, models ...string) string {
	cond := "true"
	for _, m := range models {
		cond += fmt.Sprintf(` && %s === '%[2]s %[2]s %[2]s %[2]s' && document.querySelector('.answer-card[data-model="%[3]s"]').dataset.state === 'fresh'`, says(m), label, m)
	}
	return cond
}

// strokes reads the strokes that the address carries. It knows the format by itself: links live longer than the page's program.
func (tb *tab) strokes() [][]int {
	tb.Helper()
	text := js[string](tb, `new URLSearchParams(location.search).get('strokes') ?? ''`)
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		tb.Fatalf("the address has strokes=%s: %v", text, err)
	}
	next := func(v int64, n int) int64 {
		if n <= 0 {
			tb.Fatalf("the address has strokes=%s", text)
		}
		b = b[n:]
		return v
	}
	var strokes [][]int
	var at [2]int64
	for len(b) > 0 {
		count, n := binary.Uvarint(b)
		var s []int
		for range next(int64(count), n) {
			for i := range at {
				at[i] += next(binary.Varint(b))
				s = append(s, int(at[i]))
			}
		}
		strokes = append(strokes, s)
	}
	return strokes
}
