package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"quantlab/core/report/paper"
)

// Every command that a report tells people to type is one: its flags and their values are taken, up to a format that there is
// not, which keeps it from being carried out.
func TestReportedCommands(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "core", "report", "paper", "testdata", "study.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	study, _, err := paper.ReadStudy(f)
	if err != nil {
		t.Fatal(err)
	}
	engine := regexp.MustCompile(`--engine \S+`) // this machine may have others
	n := 0
	limited := paper.New(study, paper.Context{})
	study.Results[0].Peaks = nil // another experiment follows from what is surprising then
	for _, p := range []paper.Paper{limited, paper.New(study, paper.Context{}), paper.New(paper.Merge(), paper.Context{})} {
		for _, line := range commandsIn(p) {
			args := strings.Fields(engine.ReplaceAllString(line, "--engine portable"))
			if args[1] == "prepare" {
				continue // it has no flag that would keep it from working
			}
			n++
			args = append(args[1:], "--format", "nonsense")
			if status, _, stderr := command(t, args...); status != statusUsage || !strings.Contains(stderr, `format "nonsense"`) {
				t.Errorf("%s: status %d, %s", line, status, stderr)
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d commands", n)
	}
}

// commandsIn returns the lines of a paper's commands.
func commandsIn(p paper.Paper) []string {
	var code []string
	for _, s := range p.Sections {
		for _, b := range s.Blocks {
			code = append(code, b.Code)
			if b.Draft != nil {
				code = append(code, b.Draft.Code)
			}
		}
	}
	return strings.FieldsFunc(strings.Join(code, "\n"), func(r rune) bool { return r == '\n' })
}
