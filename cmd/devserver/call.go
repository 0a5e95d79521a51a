package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"sync"
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/library"
)

// Bounds of a request, in bytes.
const (
	maxBody   = 64 << 10          // of its command
	maxUpload = wire.MaxFile      // of it all, with what is the reader's own
	maxHeld   = 2 * wire.MaxFile  // of all requests that run or wait
	maxParts  = 1 + 2*wire.MaxOwn // the command, models and sets of examples
)

// How long a client may take to send its request. What is the reader's own comes from this very machine.
const (
	bodyTime   = 10 * time.Second
	uploadTime = time.Minute
)

// A call is a request to run something, read and checked.
type call struct {
	wire.Command
	own     *library.Library // what there is of the reader's own, for this run
	entries int              // of it that came with the request
	release func()           // gives back the memory that it takes
}

// A refusal is an error with the status that tells of it.
type refusal struct {
	status int
	error
}

func refused(status int, sentence string, args ...any) error {
	return refusal{status, fmt.Errorf(sentence, args...)}
}

// statusOf returns the status that tells of the error.
func statusOf(err error) int {
	if r, ok := errors.AsType[refusal](err); ok {
		return r.status
	}
	return http.StatusBadRequest
}

// readCall reads a request: a command as JSON, or a form of a command and of entries of a library, which the run may then name. On
// success release must be called.
func (s *server) readCall(w http.ResponseWriter, r *http.Request) (*call, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && kind != "multipart/form-data" {
		return nil, refused(http.StatusUnsupportedMediaType, "send the request as application/json, or as multipart/form-data with models of your own")
	}
	control := http.NewResponseController(w) // a test's recorder has no deadlines, and never blocks
	c := &call{own: s.library(), release: func() {}}
	if kind == "application/json" {
		control.SetReadDeadline(time.Now().Add(bodyTime))
		if c.Command, err = decodeCommand(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
			return nil, err
		}
	} else {
		control.SetReadDeadline(time.Now().Add(uploadTime))
		if err := s.readForm(w, r, c); err != nil {
			return nil, err
		}
	}
	if err := s.checkCall(r.Context(), c); err != nil {
		c.release()
		return nil, err
	}
	// A deadline left in place would end the run when it passes. It stays where a request is refused, which may be unread.
	control.SetReadDeadline(time.Time{})
	return c, nil
}

// decodeCommand reads a command, which is all that there is.
func decodeCommand(body io.Reader) (c wire.Command, err error) {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err = d.Decode(&c)
	if err == nil {
		if _, trailing := d.Token(); trailing != io.EOF {
			err = errors.New("there is more after the JSON object")
			if large := (*http.MaxBytesError)(nil); errors.As(trailing, &large) {
				err = large
			}
		}
	}
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return c, refused(http.StatusRequestEntityTooLarge, "the request is too long: at most %d bytes are read", large.Limit)
	}
	if err != nil {
		return c, fmt.Errorf("the request can't be understood: %w", err)
	}
	return c, nil
}

// readForm reads a form into the call. Its memory is claimed before any of it is taken.
func (s *server) readForm(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := s.claim(r); err != nil {
		w.Header().Set("Connection", "close") // or the server would wait for some of what is refused
		return err
	}
	c.release = func() { s.uploads.give(r.ContentLength) }
	form, err := r.MultipartReader()
	if err == nil {
		err = readParts(r.Context(), form, c)
	}
	if err != nil {
		c.release()
	}
	return err
}

// claim takes the memory for a form, or says why it is not read.
func (s *server) claim(r *http.Request) error {
	switch {
	case !s.loopback:
		return errElsewhere
	case r.ContentLength < 0:
		return refused(http.StatusLengthRequired, "say how long the request is: models of your own are read at a known length only")
	case r.ContentLength > maxUpload:
		return refused(http.StatusRequestEntityTooLarge, "the request is too long: at most %d MB are read", maxUpload>>20)
	case !s.uploads.take(r.ContentLength):
		return refused(http.StatusServiceUnavailable, "too many models of your own are waiting already: try again in a few minutes")
	}
	return nil
}

// readParts reads the command and the entries.
func readParts(ctx context.Context, form *multipart.Reader, c *call) error {
	for n := 0; ; n++ {
		part, err := form.NextPart()
		switch {
		case err == io.EOF && n > 0:
			return nil
		case err != nil:
			return fmt.Errorf("the form can't be read: %w", err)
		case n == maxParts:
			return fmt.Errorf("the form has more than %d parts: send what the run names", maxParts)
		case n == 0:
			err = readCommandPart(part, c)
		case part.FormName() != "entry":
			err = fmt.Errorf("the form has a part %.20q: after the command come parts named entry", part.FormName())
		default:
			var data []byte
			if data, err = io.ReadAll(part); err == nil {
				err = c.own.AddEntry(ctx, data)
			}
		}
		if err != nil {
			return err
		}
		c.entries = n
	}
}

func readCommandPart(part *multipart.Part, c *call) (err error) {
	kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
	if part.FormName() != "command" || err != nil || kind != "application/json" {
		return fmt.Errorf("the form begins with %.20q: its first part is the command, as application/json", part.FormName())
	}
	c.Command, err = decodeCommand(http.MaxBytesReader(nil, part, maxBody))
	return err
}

// A budget is memory that requests share.
type budget struct {
	mu   sync.Mutex
	left int64
}

// take claims n bytes, if there are as many.
func (b *budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
}
