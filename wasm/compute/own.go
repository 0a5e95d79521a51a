package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"quantlab/core/dataset"
	"quantlab/core/exchange"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/library"
	"quantlab/core/nn"
)

// An upload is a file that came beside a command. It is read only when its command's turn has come.
type upload struct {
	name string
	size int64
	read func(ctx context.Context) ([]byte, error)
}

// A download is a file for the reader, on its way.
type download interface {
	io.Writer
	offer(name string) // gives the reader what was written
}

// A collection carries out the commands that bring, change and take away what is the reader's own.
type collection struct {
	*library.Library
	trial   exchange.Trial
	notes   func() []string // what the reader must know of how long it is kept
	changed func()          // tells those who remember something of it, here and in other tabs
	yield   func()
}

// A trial has the lab's examples to try a network on. What the site can't give, whatever the reason, is missing: an import does
// without.
type trial struct{ lab.Source }

// Test implements exchange.Trial.
func (t trial) Test(ctx context.Context, spec nn.Spec, n int, progress func(done, total int64)) (*dataset.Examples, error) {
	e, err := t.Source.Test(ctx, spec, n, progress)
	return e, missing(ctx, err)
}

// Sentences implements exchange.Trial.
func (t trial) Sentences(ctx context.Context, spec nn.Spec, split string, n int, progress func(done, total int64)) (*dataset.Sentences, error) {
	s, err := t.Source.Sentences(ctx, spec, split, n, progress)
	return s, missing(ctx, err)
}

func missing(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || errors.As(err, new(*dataset.MissingError)) {
		return err
	}
	return &dataset.MissingError{What: "the lab's examples", Err: err, Hint: "reload the page when the server answers"}
}

// Do is the work of the lane that changes what is the reader's own.
func (o *collection) Do(ctx context.Context, c command, emit func(wire.Event)) {
	lab.Conclude(ctx, o.do(ctx, c, emit), wire.Event{}, emit)
}

func (o *collection) do(ctx context.Context, c command, emit func(wire.Event)) error {
	switch {
	case c.Op == wire.OpOwn:
		return o.tell(ctx, emit)
	case c.Op == wire.OpImport && c.Import != nil:
		return o.bring(ctx, *c.Import, c.files, emit)
	case c.Op == wire.OpRename && c.Rename != nil:
		return o.change(ctx, emit, o.Rename(ctx, *c.Rename))
	case c.Op == wire.OpRemove && c.Remove != nil:
		return o.change(ctx, emit, o.Remove(ctx, *c.Remove))
	}
	return fmt.Errorf("the command %.20q lacks what it is about", c.Op)
}

// tell tells of everything that there is, and what must be known of it.
func (o *collection) tell(ctx context.Context, emit func(wire.Event)) error {
	damaged, err := o.Damaged(ctx)
	if err != nil {
		return err
	}
	for _, n := range append(o.notes(), damaged...) {
		emit(wire.Event{Kind: wire.EventNote, Text: n})
	}
	return o.list(ctx, emit)
}

func (o *collection) list(ctx context.Context, emit func(wire.Event)) error {
	own, err := o.Own(ctx)
	if err != nil {
		return err
	}
	if own == nil {
		own = &wire.Own{}
	}
	emit(wire.Event{Kind: wire.EventOwn, Own: own})
	return nil
}

// change ends a command that has changed something, or failed to. Those who remember are told either way: some of it may be done.
func (o *collection) change(ctx context.Context, emit func(wire.Event), err error) error {
	o.changed()
	if err != nil {
		return err
	}
	return o.list(ctx, emit)
}

// reading is the share of an import that its files' reading takes, of the progress that is shown.
const reading = .2

// bring imports what the files hold and keeps it, unless that leaves questions.
func (o *collection) bring(ctx context.Context, req wire.ImportRequest, uploads []upload, emit func(wire.Event)) error {
	progress := func(step string, fraction float64) {
		emit(wire.Event{Kind: wire.EventProgress, Step: step, Fraction: fraction})
		if o.yield != nil {
			o.yield()
		}
	}
	files, err := readAll(ctx, uploads, func(step string, fraction float64) { progress(step, reading*fraction) })
	if err != nil {
		return err
	}
	im, err := exchange.Import(ctx, files, req, o.trial, func(step string, fraction float64) { progress(step, reading+(1-reading)*fraction) })
	if err != nil {
		return err
	}
	if im.Questions == nil && !req.Replace {
		if im.Questions, err = o.taken(ctx, im); err != nil {
			return err
		}
	}
	if result := im.Result(); len(im.Questions) > 0 {
		result.Model, result.Data = nil, nil
		emit(wire.Event{Kind: wire.EventImport, Import: &result})
		return nil
	}
	progress("keeping "+im.Name(), 1)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := o.Add(ctx, im, req.Replace); err != nil {
		return err
	}
	for _, n := range o.notes() {
		emit(wire.Event{Kind: wire.EventNote, Text: n})
	}
	result := im.Result()
	emit(wire.Event{Kind: wire.EventImport, Import: &result})
	return o.change(ctx, emit, nil)
}

// taken asks what to do where the name is another's.
func (o *collection) taken(ctx context.Context, im *exchange.Imported) ([]wire.Question, error) {
	own, err := o.Own(ctx)
	if own == nil || err != nil {
		return nil, err
	}
	name, what := im.Name(), "a model"
	there := slices.Contains(own.Catalog().IDs(), name)
	if im.Data != nil {
		_, err := own.DataOf(name)
		what, there = "a set of examples", err == nil
	}
	if !there {
		return nil, nil
	}
	text := fmt.Sprintf("There is %s named %s already: give another name, or replace it.", what, name)
	return []wire.Question{{Key: "name", Text: text, Exists: true}}, nil
}

// readAll reads the files, whose sizes it checks first.
func readAll(ctx context.Context, uploads []upload, progress func(step string, fraction float64)) ([]exchange.File, error) {
	total, done := int64(0), int64(0)
	for _, u := range uploads {
		total += u.size
	}
	switch {
	case len(uploads) == 0:
		return nil, errors.New("no file came with the import: choose one again")
	case len(uploads) > wire.MaxFiles:
		return nil, fmt.Errorf("%d files are too many: choose at most %d", len(uploads), wire.MaxFiles)
	case total > wire.MaxFile:
		return nil, fmt.Errorf("the files have %d MB: at most %d MB can be taken at once", total>>20, wire.MaxFile>>20)
	}
	var files []exchange.File
	for _, u := range uploads {
		progress("reading "+u.name, float64(done)/float64(max(total, 1)))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := u.read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("%.100s can't be read, it may have been changed, moved or removed: choose it again", u.name)
		}
		files = append(files, exchange.File{Name: u.name, Data: data})
		done += u.size
	}
	return files, nil
}

// An exporter writes converted models, as play.Bench does.
type exporter interface {
	Export(ctx context.Context, req wire.ExportRequest, w io.Writer, emit func(wire.Event)) (*wire.Exported, error)
}

// export gives the reader a converted model as a file.
func export(ctx context.Context, e exporter, req wire.ExportRequest, file download, emit func(wire.Event)) error {
	w := bufio.NewWriterSize(file, 1<<20) // each piece that goes out is a part of the file
	out, err := e.Export(ctx, req, w, emit)
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	file.offer(out.Name)
	emit(wire.Event{Kind: wire.EventFile, File: out})
	return nil
}
