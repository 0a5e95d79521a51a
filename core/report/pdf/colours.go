package pdf

// An rgb is a colour.
type rgb struct{ r, g, b int }

// The page's colours on a light ground: the tokens of web/quantlab.css, which a test compares.
var (
	ink   = rgb{0x1d, 0x1c, 0x1a}
	muted = rgb{0x62, 0x5f, 0x59}
	line  = rgb{0xe4, 0xe0, 0xd8}
	edge  = rgb{0x8d, 0x89, 0x81}
	wash  = rgb{0xf3, 0xf0, 0xe9}
	warn  = rgb{0xfd, 0xf3, 0xdc}
	white = rgb{0xff, 0xff, 0xff}
)

// variantColours are the variants', by the name that chart.Shape gives their class.
var variantColours = map[string]rgb{
	"fp32":            {0x55, 0x53, 0x4e},
	"dynamic-float16": {0x00, 0x72, 0xb2},
	"dynamic-qint8":   {0xb8, 0x6e, 0x00},
	"static-qint8":    {0x00, 0x80, 0x5c},
	"amp":             {0xa8, 0x48, 0x7b},
	"custom":          {0x4a, 0x1d, 0x96},
}

func variantColour(variant string) rgb {
	if c, ok := variantColours[variant]; ok {
		return c
	}
	return muted
}

// RGBA makes it a color.Color.
func (c rgb) RGBA() (r, g, b, a uint32) {
	return uint32(c.r) * 0x101, uint32(c.g) * 0x101, uint32(c.b) * 0x101, 0xffff
}

// on is the colour at that opacity on white; paper needs no transparency.
func (c rgb) on(opacity float64) rgb {
	mix := func(v int) int { return int(255 - opacity*float64(255-v) + .5) }
	return rgb{mix(c.r), mix(c.g), mix(c.b)}
}
