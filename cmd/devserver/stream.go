package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// A stream sends server-sent events. A heartbeat, which is a comment, keeps what lies between from closing a connection
// that is silent, and tells the server of a client that is gone. Its methods may be called by several goroutines.
type stream struct {
	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	err     error // of the first write that failed
	timeout time.Duration
	stop    chan struct{}
	stopped sync.WaitGroup
}

// newStream sends the response's header. gone is called when a write fails: nobody listens any more.
func newStream(w http.ResponseWriter, heartbeat, timeout time.Duration, gone func()) *stream {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // a proxy must not hold events back
	w.WriteHeader(http.StatusOK)
	s := &stream{w: w, control: http.NewResponseController(w), timeout: timeout, stop: make(chan struct{})}
	s.write(": quantlab\n\n")
	s.stopped.Go(func() {
		ticker := time.NewTicker(heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				if s.write(": alive\n\n") != nil {
					gone()
					return
				}
			case <-s.stop:
				return
			}
		}
	})
	return s
}

// send sends v as JSON in one event.
func (s *stream) send(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.write(fmt.Sprintf("data: %s\n\n", data))
}

// write sends text at once. A client that takes nothing for too long counts as gone: a run must not wait for it. What an
// experiment gave may be megabytes, which a slow connection takes bit by bit.
func (s *stream) write(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(text) > 0 && s.err == nil {
		n := min(len(text), maxWrite)
		s.control.SetWriteDeadline(time.Now().Add(s.timeout)) // not supported by a test's recorder, which never blocks
		_, s.err = io.WriteString(s.w, text[:n])
		text = text[n:]
	}
	if s.err == nil {
		s.err = s.control.Flush()
	}
	return s.err
}

// maxWrite is how much a client must take within the timeout, in bytes.
const maxWrite = 64 << 10

// close ends the heartbeat; it must be called before the handler returns.
func (s *stream) close() {
	close(s.stop)
	s.stopped.Wait()
}
