package chart

import "fmt"

// shapes are the variants' markers in a box of 12 by 12; shape and colour each tell them apart alone.
var shapes = map[string]string{
	"fp32":            `<rect x="1" y="1" width="10" height="10"></rect>`,
	"dynamic-float16": `<path d="M6 0l6 6-6 6-6-6z"></path>`,
	"dynamic-qint8":   `<path d="M6 .5l6 11H0z"></path>`,
	"static-qint8":    `<circle cx="6" cy="6" r="5.5"></circle>`,
	"amp":             `<path d="M4 0h4v4h4v4H8v4H4V8H0V4h4z"></path>`,
	"custom":          `<path d="M6 0l1.76 4.17 4.51.38-3.42 2.97 1.04 4.4L6 9.6l-3.89 2.32 1.04-4.4L-.27 4.55l4.51-.38z"></path>`,
}

// Shape returns a variant's marker in a box of 12 by 12, filled with the current colour, and the class, without "v-", that
// sets it; an unknown variant is a dot of the class "other".
func Shape(variant string) (shape, class string) {
	if shape, ok := shapes[variant]; ok {
		return shape, variant
	}
	return `<circle cx="6" cy="6" r="4.5"></circle>`, "other"
}

// Marker draws a variant's marker for a line of text; an unknown variant gets a ring.
func Marker(variant string) string {
	shape, class := Shape(variant)
	if class == "other" {
		shape = `<circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-width="2"></circle>`
	}
	return fmt.Sprintf(`<svg class="marker v-%s" viewBox="0 0 12 12" width="12" height="12" fill="currentColor" aria-hidden="true">%s</svg>`, class, shape)
}
