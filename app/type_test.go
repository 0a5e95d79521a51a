package app

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"quantlab/core/nn"
)

func TestTypeQuery(t *testing.T) {
	for name, tt := range map[string]struct {
		query   string
		want    TypeState // of what parseType reads
		again   string    // as it is spelled again
		notices int
	}{
		"at first":          {"", TypeState{Sentences: sentenceLab2, Without: "fp32", Text: firstSentence}, "", 0},
		"the other net":     {"sentences=sst2-lab1", TypeState{Sentences: sentenceLab1, Without: "fp32", Text: firstSentence}, "sentences=sst2-lab1", 0},
		"all chosen":        {"text=a+film&sentences=both&order=sentence&without=custom", TypeState{Sentences: Both, Without: "custom", InOrder: true, Text: "a film"}, "sentences=both&without=custom&order=sentence&text=a+film", 0},
		"empty":             {"text=", TypeState{Sentences: sentenceLab2, Without: "fp32"}, "text=", 0},
		"emoji":             {"text=%F0%9F%91%A9%E2%80%8D%F0%9F%94%AC+%F0%9F%87%A9%F0%9F%87%AA", TypeState{Sentences: sentenceLab2, Without: "fp32", Text: "👩‍🔬 🇩🇪"}, "text=%F0%9F%91%A9%E2%80%8D%F0%9F%94%AC+%F0%9F%87%A9%F0%9F%87%AA", 0},
		"right to left":     {"text=" + url.QueryEscape("סרט נהדר"), TypeState{Sentences: sentenceLab2, Without: "fp32", Text: "סרט נהדר"}, "text=" + url.QueryEscape("סרט נהדר"), 0},
		"control, quotes":   {"text=%00%22%3C%26%3D%2B%25%0A", TypeState{Sentences: sentenceLab2, Without: "fp32", Text: "\x00\"<&=+%\n"}, "text=%00%22%3C%26%3D%2B%25%0A", 0},
		"lines":             {"text=a%0D%0Ab%0Dc", TypeState{Sentences: sentenceLab2, Without: "fp32", Text: "a\nb\nc"}, "text=a%0Ab%0Ac", 0},
		"garbage":           {"sentences=mnist-lab1&order=backwards&without=amp", TypeState{Sentences: sentenceLab2, Without: "fp32", Text: firstSentence}, "", 3},
		"damaged":           {"text=%ff%fe", TypeState{Sentences: sentenceLab2, Without: "fp32", Text: firstSentence}, "", 1},
		"too long":          {"text=" + strings.Repeat("x", maxLinkText+1), TypeState{Sentences: sentenceLab2, Without: "fp32", Text: firstSentence}, "", 1},
		"as long as it may": {"text=" + strings.Repeat("x", maxLinkText), TypeState{Sentences: sentenceLab2, Without: "fp32", Text: strings.Repeat("x", maxLinkText)}, "text=" + strings.Repeat("x", maxLinkText), 0},
	} {
		query, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(name, err)
		}
		got, notices := parseType(query, nn.CatalogOf(nil))
		if got.Sentences != tt.want.Sentences || got.Without != tt.want.Without || got.InOrder != tt.want.InOrder || got.Text != tt.want.Text {
			t.Errorf("%s: %.200q is read as %+v", name, tt.query, got)
		}
		if len(notices) != tt.notices {
			t.Errorf("%s: notices %q", name, notices)
		}
		if again := got.query(); again != tt.again {
			t.Errorf("%s: spelled %.200q, want %.200q", name, again, tt.again)
		}
	}
}

// Whatever an address says is taken or refused, and what is taken comes back from its own spelling.
func FuzzTypeQuery(f *testing.F) {
	f.Add("text=a+film&sentences=both&order=sentence&without=custom")
	f.Add("text=%F0%9F%91%A9%E2%80%8D%F0%9F%94%AC%0D%0A&sentences=")
	f.Add("text=%ff&without=%00")
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		one, _ := parseType(query, nn.CatalogOf(nil))
		if len(one.Text) > maxLinkText || !utf8.ValidString(one.Text) {
			t.Fatalf("%q gives a text of %d bytes, %.80q", raw, len(one.Text), one.Text)
		}
		query, err = url.ParseQuery(one.query())
		if err != nil {
			t.Fatalf("%q is spelled as what can't be read: %v", raw, err)
		}
		two, notices := parseType(query, nn.CatalogOf(nil))
		if len(notices) > 0 || one.Sentences != two.Sentences || one.Without != two.Without || one.InOrder != two.InOrder || one.Text != two.Text {
			t.Fatalf("%q: %+v becomes %+v, %q", raw, one, two, notices)
		}
	})
}

func TestTheBoxTakesWhatTheNetsRead(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int // bytes
	}{
		{"", 0},
		{strings.Repeat("x", mostSentence), mostSentence},
		{strings.Repeat("x", mostSentence+1), mostSentence},
		{strings.Repeat("€", mostSentence), mostSentence - 2}, // 3 bytes each
	} {
		var s TypeState
		s.change(tt.text)
		if len(s.Text) != tt.want || !utf8.ValidString(s.Text) {
			t.Errorf("%.10q × %d: %d bytes", tt.text, len(tt.text), len(s.Text))
		}
		if s.Cut != (len(tt.text) > mostSentence) {
			t.Errorf("%.10q × %d: cut %v", tt.text, len(tt.text), s.Cut)
		}
	}
}

func TestShuffled(t *testing.T) {
	for _, text := range []string{"", "one", "same same  same", "\n one \t"} {
		if got := shuffled(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	for range 50 {
		got := strings.Fields(shuffled("a\nb   a c"))
		if strings.Join(got, " ") == "a b a c" || len(got) != 4 || strings.Count(strings.Join(got, ""), "a") != 2 {
			t.Fatalf("%q", got)
		}
	}
}
