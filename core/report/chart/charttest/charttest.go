// Package charttest checks drawings, for the tests of those that draw.
package charttest

import (
	"encoding/xml"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// percent finds places and sizes across, in percent of the drawing.
var percent = regexp.MustCompile(`\b(x|x1|x2|cx|width)="(-?[0-9.e+]+)%"`)

// Check fails on a drawing that is no XML, that has styles of its own or no description, or whose percentages leave it. It returns the
// description.
func Check(t testing.TB, svg string) string {
	t.Helper()
	var root struct {
		Role  string `xml:"role,attr"`
		Label string `xml:"aria-label,attr"`
	}
	if err := xml.Unmarshal([]byte(svg), &root); err != nil {
		t.Fatalf("%v in %s", err, svg)
	}
	if root.Role != "img" || root.Label == "" {
		t.Fatalf("no description: %s", svg)
	}
	if strings.Contains(svg, "style=") {
		t.Fatal(svg)
	}
	for _, m := range percent.FindAllStringSubmatch(svg, -1) {
		if v, err := strconv.ParseFloat(m[2], 64); err != nil || v < 0 || v > 100 {
			t.Fatalf("%s leaves the drawing: %s", m[0], svg)
		}
	}
	return root.Label
}

// Attributes returns the numbers of an attribute in all elements of a class.
func Attributes(t testing.TB, svg, class, name string) []float64 {
	t.Helper()
	var out []float64
	for _, m := range regexp.MustCompile(`<\w+ class="`+class+`"[^>]*?\b`+name+`="([-0-9.]+)`).FindAllStringSubmatch(svg, -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}
