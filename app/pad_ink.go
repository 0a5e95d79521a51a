package app

import (
	"math"
	"strconv"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// An ink draws on the pad's canvas. Its units are those of the drawing's grid; the canvas has as many pixels as the screen. Lines are
// smoothed for the eye, by quadratic curves from middle to middle of a stroke's segments; the nets get its points.
type ink struct {
	canvas, context goapp.Value
	color           string
	small           goapp.Value // a canvas of 28 by 28
}

func newInk(canvas goapp.Value) *ink {
	small := goapp.Window().Get("document").Call("createElement", "canvas")
	small.Set("width", wire.DigitSide)
	small.Set("height", wire.DigitSide)
	return &ink{canvas: canvas, context: canvas.Call("getContext", "2d"), small: small}
}

// fit gives the canvas the pixels and the colour that it has on the screen now.
func (k *ink) fit() {
	ratio := goapp.Window().Get("devicePixelRatio").Float()
	side := int(math.Round(k.canvas.Get("clientWidth").Float() * min(max(ratio, 1), 4)))
	if side > 0 && k.canvas.Get("width").Int() != side {
		k.canvas.Set("width", side)
		k.canvas.Set("height", side)
	}
	k.color = goapp.Window().Call("getComputedStyle", k.canvas).Get("color").String()
	scale := k.canvas.Get("width").Float() / wire.DrawingGrid
	c := k.context
	c.Call("setTransform", scale, 0, 0, scale, 0, 0)
	for _, name := range []string{"strokeStyle", "fillStyle"} {
		c.Set(name, k.color)
	}
	c.Set("lineWidth", brush)
	c.Set("lineCap", "round")
	c.Set("lineJoin", "round")
}

func (k *ink) clear() { k.context.Call("clearRect", 0, 0, wire.DrawingGrid, wire.DrawingGrid) }

// polyline draws a whole stroke.
func (k *ink) polyline(s []int) {
	if len(s) < 2 {
		return
	}
	k.context.Call("stroke", goapp.Window().Get("Path2D").New(smooth(s)))
}

// smooth is the path of a stroke, as SVG spells paths.
func smooth(s []int) string {
	b := make([]byte, 0, 8*len(s))
	number := func(v float64) { b = append(strconv.AppendFloat(b, v, 'f', -1, 64), ' ') }
	point := func(letter byte, x, y float64) {
		b = append(b, letter)
		number(x)
		number(y)
	}
	n := len(s)
	point('M', float64(s[0]), float64(s[1]))
	for i := 2; i+3 < n; i += 2 {
		point('Q', float64(s[i]), float64(s[i+1]))
		number(float64(s[i]+s[i+2]) / 2)
		number(float64(s[i+1]+s[i+3]) / 2)
	}
	point('L', float64(s[n-2]), float64(s[n-1])) // to itself for a dot, which the round cap shows
	return string(b)
}

// advance draws what the last point adds to a stroke: the curve that now ends in the middle of the last segment, and the rest of that
// as a line, so that the ink is under the pen.
func (k *ink) advance(s []int) {
	n := len(s)
	if n < 6 {
		k.polyline(s)
		return
	}
	x, y := s[n-6:], s[n-5:]
	k.polyline([]int{(x[0] + x[2]) / 2, (y[0] + y[2]) / 2, x[2], y[2], x[4], y[4]})
}

// picture draws 28 by 28 pixels of ink over the whole field.
func (k *ink) picture(digit []byte) {
	const side = wire.DigitSide
	c := k.small.Call("getContext", "2d")
	c.Call("clearRect", 0, 0, side, side)
	c.Set("fillStyle", k.color)
	for i, v := range digit {
		if v > 0 {
			c.Set("globalAlpha", float64(v)/255)
			c.Call("fillRect", i%side, i/side, 1, 1)
		}
	}
	k.context.Set("imageSmoothingEnabled", false)
	k.context.Call("drawImage", k.small, 0, 0, wire.DrawingGrid, wire.DrawingGrid)
}

// ring shows the keyboard's pen: a closed ring while it is down. Its colour is the canvas's caret's.
func (k *ink) ring(x, y int, down bool) {
	c := k.context
	c.Call("save")
	c.Set("lineWidth", 6)
	c.Call("beginPath")
	c.Call("arc", x, y, brush/2+14, 0, 2*math.Pi)
	c.Set("strokeStyle", goapp.Window().Call("getComputedStyle", k.canvas).Get("caretColor").String())
	if !down {
		c.Call("setLineDash", []any{22, 14})
	}
	c.Call("stroke")
	c.Call("restore")
}
