package chart

import (
	"fmt"
	"strconv"
	"strings"
)

// outlines are the corners of the variants' markers in a box of 12 by 12; shape and colour each tell them apart alone.
var outlines = map[string][][2]float64{
	"fp32":            {{1, 1}, {11, 1}, {11, 11}, {1, 11}},
	"dynamic-float16": {{6, 0}, {12, 6}, {6, 12}, {0, 6}},
	"dynamic-qint8":   {{6, .5}, {12, 11.5}, {0, 11.5}},
	"static-qint8":    nil, // a circle
	"amp":             {{4, 0}, {8, 0}, {8, 4}, {12, 4}, {12, 8}, {8, 8}, {8, 12}, {4, 12}, {4, 8}, {0, 8}, {0, 4}, {4, 4}},
	"custom": {{6, 0}, {7.76, 4.17}, {12.27, 4.55}, {8.85, 7.52}, {9.89, 11.92}, {6, 9.6}, {2.11, 11.92}, {3.15, 7.52},
		{-.27, 4.55}, {4.24, 4.17}},
}

// Outline returns the corners of a variant's marker in a box of 12 by 12, y downward; without corners it is a circle of that
// radius around the box's middle.
func Outline(variant string) (corners [][2]float64, radius float64) {
	corners, ok := outlines[variant]
	if !ok {
		return nil, 4.5
	}
	return corners, 5.5
}

// shapes are the outlines as SVG.
var shapes = func() map[string]string {
	out := map[string]string{}
	for variant := range outlines {
		out[variant] = shape(Outline(variant))
	}
	return out
}()

func shape(corners [][2]float64, radius float64) string {
	if corners == nil {
		return `<circle cx="6" cy="6" r="` + number(radius, 1) + `"></circle>`
	}
	var b strings.Builder
	for i, c := range corners {
		command := "L"
		if i == 0 {
			command = "M"
		}
		b.WriteString(command + strconv.FormatFloat(c[0], 'f', -1, 64) + " " + strconv.FormatFloat(c[1], 'f', -1, 64))
	}
	return `<path d="` + b.String() + `z"></path>`
}

// Shape returns a variant's marker in a box of 12 by 12, filled with the current colour, and the class, without "v-", that
// sets it; an unknown variant is a dot of the class "other".
func Shape(variant string) (svg, class string) {
	if s, ok := shapes[variant]; ok {
		return s, variant
	}
	return shape(Outline(variant)), "other"
}

// Marker draws a variant's marker for a line of text; an unknown variant gets a ring.
func Marker(variant string) string {
	shape, class := Shape(variant)
	if class == "other" {
		shape = `<circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-width="2"></circle>`
	}
	return fmt.Sprintf(`<svg class="marker v-%s" viewBox="0 0 12 12" width="12" height="12" fill="currentColor" aria-hidden="true">%s</svg>`, class, shape)
}
