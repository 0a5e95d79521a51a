package chart

import (
	"slices"
	"strings"
	"testing"
)

// Names under bars never touch: they are cut, or left out, where there are many classes.
func TestNamesOfClasses(t *testing.T) {
	for _, tt := range []struct {
		labels []string
		want   []string
		class  string
	}{
		{[]string{"negative", "positive"}, []string{"negative", "positive"}, "classes few"},
		{[]string{"automobile", "7", "cat", "ship", "e", "f", "g", "h", "i", "j"}, []string{"au…", ">7<", "cat", "sh…"}, "classes"},
		{strings.Split("abcdefghijklmnopqrstuvwxyz", ""), []string{">a<", ">z<"}, "classes many"},
		{append(slices.Repeat([]string{"x"}, 20), "20"), nil, "classes many"},
	} {
		svg := Classes(tt.labels, nil, -1)
		if !strings.Contains(svg, `class="chart `+tt.class+`"`) {
			t.Errorf("%d classes are not drawn as %q: %.80s", len(tt.labels), tt.class, svg)
		}
		for _, name := range tt.want {
			if !strings.Contains(svg, name) {
				t.Errorf("%v: no %q", tt.labels, name)
			}
		}
		if strings.Contains(svg, ">2<") || strings.Contains(svg, ">20<") {
			t.Errorf("%v: a name that does not fit", tt.labels)
		}
	}
}
