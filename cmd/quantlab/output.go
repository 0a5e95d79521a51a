package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/cmd/internal/atomicfile"
)

// The formats of --format.
const (
	formatTable = "table"
	formatMD    = "md"
	formatCSV   = "csv"
	formatJSON  = "json"
)

var formats = []string{formatTable, formatMD, formatCSV, formatJSON}

// An output is where a command's result goes, and how it is written.
type output struct {
	*streams
	format string
	file   string
}

// addTo gives the command the flags of an output.
func (o *output) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.format, "format", "f", "", "table, md, csv or json (default: by the name of --output, else table on a\nterminal and md elsewhere)")
	cmd.Flags().StringVarP(&o.file, "output", "o", "", "write to this file instead of standard output")
}

// settle checks what a command was asked for, and its output, before any work is done. What the checks found is wrong usage.
func (o *output) settle(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return usageError{err}
		}
	}
	return o.resolve()
}

// resolve settles the format and checks the file, before any work is done.
func (o *output) resolve() error {
	switch ext := strings.TrimPrefix(filepath.Ext(o.file), "."); {
	case o.format != "":
		if !slices.Contains(formats, o.format) {
			return usagef("unknown format %q: choose from %s", o.format, strings.Join(formats, ", "))
		}
	case o.file != "" && slices.Contains(formats, ext):
		o.format = ext
	case o.file == "" && o.outTerm:
		o.format = formatTable
	default:
		o.format = formatMD
	}
	return o.writable()
}

// writable checks, as far as that is possible, that the file can be written later.
func (o *output) writable() error {
	if o.file == "" {
		return nil
	}
	if info, err := os.Stat(o.file); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file: choose another --output", o.file)
	}
	if info, err := os.Stat(filepath.Dir(o.file)); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s to write %s to: make it first", filepath.Dir(o.file), filepath.Base(o.file))
	}
	// Whether a file can be made there is best found out by making one: the result would come too late for that.
	f, err := os.CreateTemp(filepath.Dir(o.file), "."+filepath.Base(o.file)+".*")
	if err != nil {
		return fmt.Errorf("%s can't be written (%w): choose another --output", o.file, atomicfile.Cause(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// look returns how many columns there are for a table, and whether it is coloured.
func (o *output) look() (width int, color bool) {
	if o.file != "" {
		return wideEnough, false
	}
	return o.width, o.color
}

// A rendering writes one kind of result in every format.
type rendering[T any] struct {
	json, csv, md func(w io.Writer, v T) error
	table         func(w io.Writer, v T, width int, color bool) error
}

// write writes v to where the output goes, in its format.
func (r rendering[T]) write(o *output, v T) error {
	return o.write(func(w io.Writer) error {
		switch o.format {
		case formatJSON:
			return r.json(w, v)
		case formatCSV:
			return r.csv(w, v)
		case formatMD:
			return r.md(w, v)
		}
		width, color := o.look()
		return r.table(w, v, width, color)
	})
}

// write lets the function write the result. A file gets its name only when it is whole.
func (o *output) write(result func(io.Writer) error) error {
	if o.file != "" {
		return writeFile(o.file, result)
	}
	b := bufio.NewWriter(o.out)
	err := result(b)
	if err == nil {
		err = b.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the result: %w", atomicfile.Cause(err))
	}
	return nil
}

// writeFile writes a file, whole or not at all.
func writeFile(path string, content func(io.Writer) error) error {
	if err := atomicfile.Write(path, content); err != nil {
		return fmt.Errorf("writing %s: %w", path, atomicfile.Cause(err))
	}
	return nil
}
