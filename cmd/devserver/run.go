package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"runtime/debug"

	"quantlab/core/lab/wire"
)

// handleRun answers POST /api/run: a wire.Command that measures in, with what it names of the reader's own, and
// server-sent wire.Events out. A run, or an experiment, waits for its turn and for the models; it ends when the connection does.
func (s *server) handleRun(w http.ResponseWriter, r *http.Request) {
	c, err := s.readCall(w, r)
	if err != nil {
		refuse(w, statusOf(err), err.Error())
		return
	}
	defer c.release()
	turn, err := s.queue.join()
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	defer turn.leave()

	// Shutting down ends a run like its client's going away does, but for the words.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.down, cancel)()
	out := newStream(w, s.heartbeat, s.writeTime, cancel)
	defer out.close()

	ended := false
	emit := func(e wire.Event) {
		if e.Kind == wire.EventCancel && s.down.Err() != nil {
			e = wire.Event{Kind: wire.EventError, Text: "the server was stopped"}
		}
		ended = ended || e.Kind == wire.EventDone || e.Kind == wire.EventError || e.Kind == wire.EventCancel
		if out.send(e) != nil {
			cancel()
		}
	}
	err = s.waitForTurn(ctx, turn, emit)
	if err == nil {
		err = s.waitForModels(ctx, emit)
	}
	if err == nil {
		err = s.protected(ctx, c, emit)
	}
	switch {
	case ended:
	case ctx.Err() != nil:
		emit(wire.Event{Kind: wire.EventCancel})
	case err != nil:
		emit(wire.Event{Kind: wire.EventError, Text: err.Error()})
	default:
		emit(wire.Event{Kind: wire.EventError, Text: "the run ended without a result: run it again"})
	}
}

// checkCommand says what of a command this machine can't carry out.
func (s *server) checkCommand(c wire.Command) error {
	if !wire.Measures(c.Op) {
		return fmt.Errorf("unknown command %.20q: the native engine carries out %s, %s, %s, %s and %s",
			c.Op, wire.OpRun, wire.OpSensitivity, wire.OpPlans, wire.OpSweep, wire.OpAMP)
	}
	if c.Request == nil {
		return fmt.Errorf("the command %s needs a request", c.Op)
	}
	if err := s.check(*c.Request); err != nil {
		return err
	}
	switch {
	case c.Op == wire.OpPlans && c.Plans != nil:
		return c.Plans.Validate()
	case c.Op == wire.OpSweep && c.Sweep != nil:
		return c.Sweep.Validate(*c.Request)
	case c.Op == wire.OpAMP && c.AMP != nil:
		return c.AMP.Validate()
	}
	return nil
}

// waitForTurn returns when no run is ahead, and meanwhile tells how many are.
func (s *server) waitForTurn(ctx context.Context, t *turn, emit func(wire.Event)) error {
	for last := 0; ; {
		position := t.position()
		if position == 0 {
			return nil
		}
		if position != last {
			emit(wire.Event{Kind: wire.EventQueued, Position: position})
			last = position
		}
		select {
		case <-t.moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// waitForModels returns when the models are prepared, and meanwhile tells how far that is. A preparation that had
// failed is tried again: the network, or the data, may be there by now.
func (s *server) waitForModels(ctx context.Context, emit func(wire.Event)) error {
	s.models.retry()
	for last := (status{}); ; {
		now, changed := s.models.watch()
		switch {
		case now.Ready:
			return nil
		case now.Failed:
			return errors.New(now.Text)
		case now != last:
			emit(wire.Event{Kind: wire.EventProgress, Step: "preparing: " + now.Step, Fraction: 0})
			last = now
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// protected carries out the command; a panic ends the run, not the server.
func (s *server) protected(ctx context.Context, c *call, emit func(wire.Event)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Printf("run: panic: %v\n%s", p, debug.Stack())
			err = errors.New("the native engine failed, which is a fault of this program: the server's terminal says where")
		}
	}()
	return s.run(ctx, c.own, c.Command, emit)
}

// refuse answers with a sentence, in the form of a wire.Event.
func refuse(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "60")
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(wire.Event{Kind: wire.EventError, Text: sentence})
}
