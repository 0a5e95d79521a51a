package chart

import (
	"fmt"
	"strings"

	"quantlab/core/report"
)

// A DivergingView is numbers to both sides of zero: two measures for each row.
type DivergingView struct {
	Rows   []DivergingRow
	Of     string // for the text alternative: "contributions of the words"
	Bar    string // what the bar is, for the key
	Dot    string // what the dot is; empty draws none
	Title  string // of the axis, with its unit
	Before string // what lies to the left of zero: "negative"
	After  string // and to the right
}

// A DivergingRow is one row of it.
type DivergingRow struct {
	Label    string
	Bar, Dot float64
}

// Heights of a diverging chart's parts in pixels, and where its plot begins and ends, in percent of the width.
const (
	divergingRow   = 22
	divergingLeft  = 30
	divergingRight = 100
	labelRunes     = 14
)

// Diverging draws for each row a bar from zero to its first number and a dot at its second; all share one scale, and the bar's number
// stands at the right.
func Diverging(v DivergingView) string {
	x, top := divergingAxis(v), divergingTop(v)
	decimals := divergingDecimals(v)
	foot := top + divergingRow*float64(len(v.Rows))
	var b strings.Builder
	begin(&b, "diverging", foot+AxisHeight, divergingWords(v))
	divergingKey(&b, v)
	Beside(&b, "side", "end", x.At(0), -8, top-6, "← "+v.Before)
	Beside(&b, "side", "start", x.At(0), 8, top-6, v.After+" →")
	x.Horizontal(&b, top, foot)
	for i, r := range v.Rows {
		mid := top + divergingRow*(float64(i)+.5)
		Text(&b, "name", "end", Percent((divergingLeft-3)/100.), Place(mid+4), Shorten(r.Label, labelRunes))
		divergingMarks(&b, v, r, x, mid)
		Beside(&b, "number", "start", "100%", 8, mid+4, signed(r.Bar, decimals))
	}
	Line(&b, "base", x.At(0), Place(top), x.At(0), Place(foot))
	b.WriteString(`</svg>`)
	return b.String()
}

// divergingTop is where the rows begin: below the key and the names of the sides.
func divergingTop(v DivergingView) float64 {
	top := 42.0
	if v.Dot != "" {
		top += 18
	}
	return top
}

// divergingAxis holds zero and all numbers.
func divergingAxis(v DivergingView) Axis {
	lo, hi := 0.0, 0.0
	grow := func(x float64) {
		if Finite(x) {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	for _, r := range v.Rows {
		grow(r.Bar)
		if v.Dot != "" {
			grow(r.Dot)
		}
	}
	// A side without numbers keeps room for its name.
	least := max(hi-lo, 1e-9) * .3
	lo, hi = min(lo, -least), max(hi, least)
	a := Axis{Scale: widened(lo, hi), Span: Span{divergingLeft, divergingRight, true}, Title: v.Title}
	a.Ticks = a.Scale.Ticks(4)
	for i, t := range a.Ticks {
		if t.Value > 0 {
			a.Ticks[i].Label = "+" + t.Label
		}
	}
	return a
}

func divergingKey(b *strings.Builder, v DivergingView) {
	b.WriteString(`<g class="key" aria-hidden="true">`)
	Rect(b, "bar plain", "0", "4", "18", "10")
	Text(b, "tick", "start", "26", "13", v.Bar)
	if v.Dot != "" {
		b.WriteString(`<circle class="dot plain" cx="9" cy="27" r="4"></circle>`)
		Text(b, "tick", "start", "26", "31", v.Dot)
	}
	b.WriteString(`</g>`)
}

func divergingMarks(b *strings.Builder, v DivergingView, r DivergingRow, x Axis, mid float64) {
	if Finite(r.Bar) {
		zero, end := x.Scale.At(0), x.Scale.At(r.Bar)
		wide := (x.Span.To - x.Span.From) / 100 * (max(zero, end) - min(zero, end))
		Rect(b, "bar "+side(r.Bar), x.Span.At(min(zero, end)), Place(mid-5), Percent(wide), "10")
	}
	if v.Dot != "" && Finite(r.Dot) {
		fmt.Fprintf(b, `<circle class="dot %s" cx="%s" cy="%s" r="4"></circle>`, side(r.Dot), x.At(r.Dot), Place(mid))
	}
}

// side is the class of a number's sign.
func side(v float64) string {
	if v < 0 {
		return "below"
	}
	return "above"
}

// Shorten cuts text to n runes.
func Shorten(s string, n int) string {
	runes := []rune(strings.ToValidUTF8(s, "\ufffd"))
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n-1]) + "…"
}

// divergingDecimals is how many decimals of the rows' numbers tell a hundredth of their range.
func divergingDecimals(v DivergingView) int {
	s := divergingAxis(v).Scale.(Linear)
	_, decimals := niceStep((s.Hi - s.Lo) / 100)
	return decimals
}

// signed writes a number with its sign.
func signed(v float64, decimals int) string {
	s := minus(report.Fixed(v, decimals))
	if v > 0 {
		return "+" + s
	}
	return s
}

func divergingWords(v DivergingView) string {
	if len(v.Rows) == 0 {
		return upperFirst(v.Of) + ": none"
	}
	least, most := v.Rows[0], v.Rows[0]
	for _, r := range v.Rows {
		if r.Bar < least.Bar {
			least = r
		}
		if r.Bar > most.Bar {
			most = r
		}
	}
	decimals := divergingDecimals(v)
	s := fmt.Sprintf("%s, %d rows", upperFirst(v.Of), len(v.Rows))
	if most.Bar > 0 {
		s += fmt.Sprintf("; most towards %s: %s %s", v.After, most.Label, signed(most.Bar, decimals))
	}
	if least.Bar < 0 {
		s += fmt.Sprintf("; most towards %s: %s %s", v.Before, least.Label, signed(least.Bar, decimals))
	}
	return s
}

func upperFirst(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
