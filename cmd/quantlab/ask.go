package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	xterm "golang.org/x/term"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// An asker puts questions to whoever sits at the terminal.
type asker struct {
	able  bool // there is a terminal to ask at
	in    *bufio.Reader
	out   io.Writer
	width int
}

// newAsker returns one that asks where the input and the messages go to a terminal.
func newAsker(in io.Reader, s *streams) asker {
	f, ok := in.(*os.File)
	return asker{able: ok && s.errTerm && xterm.IsTerminal(int(f.Fd())), in: bufio.NewReader(in), out: s.err, width: min(s.width, textWidth)}
}

// replace is the answer to a question about a name that is taken which isn't a name.
const replace = "replace!"

// ask returns the answer to a question: the value of a choice, a file's name, a name, or replace.
func (a asker) ask(ctx context.Context, q wire.Question) (string, error) {
	if q.Exists {
		q.Choices = []wire.Choice{{Value: replace, Label: "replace it"}, {Label: "keep both, and give this one another name"}}
	}
	p := prose{width: a.width}
	p.say("", q.Text)
	fmt.Fprint(a.out, p.b.String())
	if len(q.Choices) == 0 {
		return a.line(ctx, "File with it: ", func(text string) error { return nil })
	}
	for i, c := range q.Choices {
		fmt.Fprintf(a.out, "  %d  %s\n", i+1, printable(c.Label))
	}
	number, err := a.line(ctx, fmt.Sprintf("Number, 1 to %d: ", len(q.Choices)), func(text string) error {
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > len(q.Choices) {
			return fmt.Errorf("%q is none of them", text)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	n, _ := strconv.Atoi(number)
	if value := q.Choices[n-1].Value; !q.Exists || value == replace {
		return value, nil
	}
	return a.line(ctx, "Name: ", nn.CheckName)
}

// line asks until a line passes the check.
func (a asker) line(ctx context.Context, prompt string, check func(string) error) (string, error) {
	for {
		fmt.Fprint(a.out, prompt)
		text, err := a.read(ctx)
		if err != nil {
			fmt.Fprintln(a.out)
			return "", err
		}
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if err := check(text); err != nil {
			fmt.Fprintln(a.out, err)
			continue
		}
		return text, nil
	}
}

// read reads a line, unless ctx ends first.
func (a asker) read(ctx context.Context) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := a.in.ReadString('\n')
		got <- answer{text, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return "", fmt.Errorf("the question was not answered: nothing was imported")
		}
		return r.text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
