package dataset

import "strings"

// A MissingError says that data isn't here. What it lacks may still be had: Hint says how.
type MissingError struct {
	What string // "SST-2 training phrases"
	Path string // the file, and where it was looked for
	Hint string // what to do: "run quantlab prepare"
	Err  error  // why, where something more than absence is known
}

func (e *MissingError) Error() string {
	var b strings.Builder
	b.WriteString(e.What + " missing")
	if e.Path != "" {
		b.WriteString(": no " + e.Path)
	}
	if e.Err != nil {
		b.WriteString(" (" + e.Err.Error() + ")")
	}
	if e.Hint != "" {
		b.WriteString(": " + e.Hint)
	}
	return b.String()
}

func (e *MissingError) Unwrap() error { return e.Err }

// An IntegrityError says that a file is there but isn't what it should be: truncated, oversized, damaged or foreign.
type IntegrityError struct {
	Path    string // the file
	Problem string // "is 12 bytes, not 1648877"
	Hint    string // what to do: "delete it and run quantlab prepare"
	Err     error  // the cause, where there is one
}

func (e *IntegrityError) Error() string {
	s := e.Path + " " + e.Problem
	if e.Err != nil {
		s += " (" + e.Err.Error() + ")"
	}
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

func (e *IntegrityError) Unwrap() error { return e.Err }
