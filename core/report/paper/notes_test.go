package paper

import (
	"reflect"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

func TestParseNotes(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		want    map[string]string
		notices int
	}{
		"nothing":     {"", map[string]string{}, 0},
		"one":         {"## static-1\n\nMine.\n", map[string]string{"static-1": "Mine."}, 0},
		"capitals":    {"## STATIC-1 ##\nMine,\nof two lines.\n\n\n\nAnd more.", map[string]string{"static-1": "Mine, of two lines.\n\nAnd more."}, 0},
		"ticks":       {"## `static-1`\nMine", map[string]string{"static-1": "Mine"}, 0},
		"before":      {"\ufeffHello\r\n\r\n## static-1\r\nMine\r\n", map[string]string{"author": "Hello", "static-1": "Mine"}, 0},
		"empty":       {"## static-1\n\n## static-2\nMine", map[string]string{"static-2": "Mine"}, 0},
		"twice":       {"## a\nx\n## A\ny", map[string]string{"a": "x\n\ny"}, 1},
		"nameless":    {"## \nx", map[string]string{}, 1},
		"no heading":  {"##static-1\n### deeper\nMine", map[string]string{"author": "##static-1 ### deeper Mine"}, 0},
		"hidden":      {"## a\x00\u202e\nx\u202ey\u200bz\x07", map[string]string{"a": "xyz"}, 0},
		"markup":      {"## a\n<script>alert(1)</script> | **b** [c](d) `e`\n\n## b\n# not one", map[string]string{"a": "<script>alert(1)</script> | **b** [c](d) `e`", "b": "# not one"}, 0},
		"only a name": {"## a", map[string]string{}, 0},
	} {
		got, notices, err := ParseNotes(strings.NewReader(c.text))
		if err != nil || !reflect.DeepEqual(got, c.want) || len(notices) != c.notices {
			t.Errorf("%s: %q, %q, %v", name, got, notices, err)
		}
	}
	for name, text := range map[string]string{
		"large": strings.Repeat("x", maxNotes+1), "bytes": "\xff\xfe", "headings": strings.Repeat("## a\n", maxDrafts+1),
	} {
		if _, _, err := ParseNotes(strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, _, err := ParseNotes(broken{}); err == nil {
		t.Error("a file that can't be read is read")
	}
}

// The template leaves every draft a draft; what is changed in it replaces one.
func TestNotesTemplate(t *testing.T) {
	study := fixture(t)
	p := New(study, Context{})
	template := NotesTemplate(p)
	words, notices, err := ParseNotes(strings.NewReader(template))
	if err != nil || len(notices) > 0 || len(words) != len(p.Drafts()) {
		t.Fatal(len(words), len(p.Drafts()), notices, err)
	}
	study.Words = words
	for _, d := range New(study, Context{}).Drafts() {
		if d.Own != "" {
			t.Errorf("%s is said to be the reader's own", d.ID)
		}
	}
	begin := strings.Index(template, "## static-1\n") + len("## static-1\n")
	end := begin + strings.Index(template[begin:], "\n## ")
	words, _, err = ParseNotes(strings.NewReader("Preface\n" + template[:begin] + "\nI think otherwise.\n" + template[end:]))
	if err != nil {
		t.Fatal(err)
	}
	study.Words = words
	p = New(study, Context{})
	if d := draft(t, p, "static-1"); d.Own != "I think otherwise." || d.Words() != d.Own {
		t.Errorf("%+v", d)
	}
	contains(t, "paper", markdownOf(t, p), "\n\nI think otherwise.\n\n", "## Notes of the author")
}

// Whatever the words hold, they stay text, and words for drafts that are not there are told.
func TestWordsStayText(t *testing.T) {
	study := fixture(t)
	evil := "<script>alert(1)</script>\n\n| a | b |\n|---|---|\n\n# Heading\n\n- list\n\n1. list\n\n```\ncode\n\n[link](javascript:x) ![i](j) \u202eesrever\x00\x1b[31m $x$ ~~a~~ &lt; *b* _c_"
	study.Words = map[string]string{"static-1": evil, "STATIC-2": evil, "author": evil, "nobody-1": evil}
	p := New(study, Context{})
	text := markdownOf(t, p)
	harmlessText(t, text)
	contains(t, "markdown", text, `\<script>alert(1)\</script>`, `\| a \| b \|`, `\# Heading`, `\- list`, `1\. list`, "\\`\\`\\` code", `[link]\(javascript:x)`, `\*b\* \_c\_`)
	contains(t, "warnings", strings.Join(p.Warnings, "\n"), `"nobody-1" are left out: this report has no such draft, only baseline-1, `)
	if d := draft(t, p, "static-2"); d.Own == "" {
		t.Error("an ID in capitals is not known")
	}
	if got := (Paper{}).Unknown(map[string]string{"a": "b"}); len(got) != 1 || !strings.Contains(got[0], "no drafts") {
		t.Error(got)
	}
	if got := New(wire.Study{Words: map[string]string{"x": "y"}}, Context{}).Warnings; !strings.Contains(strings.Join(got, ""), `"x" are left out`) {
		t.Error(got)
	}
}

func FuzzParseNotes(f *testing.F) {
	f.Add("Preface\n\n## static-1\n\nMine **|** <b>\n\n\n## other\n\x00")
	f.Add(templateHelp + "\n## a\n\n```\n## b\n```")
	study := fixture(f)
	study.Sensitivity, study.Plans, study.Sweeps, study.AMP = nil, nil, nil, nil
	study.Results[0].Rows = study.Results[0].Rows[:4]
	f.Fuzz(func(t *testing.T, text string) {
		words, _, err := ParseNotes(strings.NewReader(text))
		if err != nil {
			return
		}
		study.Words = words
		p := New(study, Context{})
		harmlessText(t, markdownOf(t, p))
		again, _, err := ParseNotes(strings.NewReader(NotesTemplate(p)))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range p.Drafts() {
			if d.Own != "" && again[d.ID] != d.Own {
				t.Errorf("%s: %q is read as %q", d.ID, d.Own, again[d.ID])
			}
		}
	})
}
