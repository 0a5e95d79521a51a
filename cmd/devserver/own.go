package main

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/lab/wire"
	"quantlab/core/library"
	"quantlab/core/nn"
)

// errElsewhere keeps the promise that what readers bring stays on their own machine.
var errElsewhere = refused(http.StatusForbidden, "models and examples of your own stay in your browser, and this server is not only yours: measure them in the browser, or run quantlab's server on your own machine")

// library returns what a run finds of the reader's own: what comes with its request, and on a server that only this machine reaches
// also what quantlab import brought.
func (s *server) library() *library.Library {
	if !s.loopback {
		return library.New(library.Memory())
	}
	return library.New(prepare.Above(s.shelf))
}

// checkCall says what of a call this machine can't carry out. It completes the request by what there is of the reader's own.
func (s *server) checkCall(ctx context.Context, c *call) error {
	if c.Request == nil {
		return s.checkCommand(c.Command)
	}
	if c.Request.Own != nil && !s.loopback {
		return errElsewhere
	}
	own, err := c.own.Own(ctx)
	if err != nil {
		return err
	}
	if err := agree(c.Request.Own.NamedBy(*c.Request), own); err != nil {
		return err
	}
	told := c.Request.Own
	c.Request.Own = own // in full, for what is unknown is told with all that there is to choose from
	if err := s.checkCommand(c.Command); err != nil {
		return err
	}
	c.Request.Own = own.NamedBy(*c.Request)
	if n := count(c.Request.Own); c.entries > n || c.entries > count(told) {
		return fmt.Errorf("the form brings models and examples of your own, %d in all, of which the run names %d: send what it names", c.entries, min(n, count(told)))
	}
	return nil
}

func count(own *wire.Own) int {
	if own == nil {
		return 0
	}
	return len(own.Models) + len(own.Data)
}

// agree compares what a request tells of the reader's own with what there is.
func agree(told, own *wire.Own) error {
	if told == nil {
		return nil
	}
	for _, m := range told.Models {
		spec, err := own.Catalog().Of(m.Spec.ID)
		switch {
		case err != nil:
			return fmt.Errorf("there is no model %.60q of your own here: send it with the request, or bring it with quantlab import", m.Spec.ID)
		case !same(spec, m.Spec):
			return fmt.Errorf("the request tells of the model %s otherwise than its file: send the file that it tells of", m.Spec.ID)
		}
	}
	for _, d := range told.Data {
		there, err := own.DataOf(d.Name)
		switch {
		case err != nil:
			return fmt.Errorf("there are no examples %.60q of your own here: send them with the request, or bring them with quantlab import", d.Name)
		case there.Data != d.Data || there.Examples != d.Examples || !slices.Equal(there.Labels, d.Labels):
			return fmt.Errorf("the request tells of the examples %s otherwise than their file: send the file that it tells of", d.Name)
		}
	}
	return nil
}

// same compares specs. One that came as JSON may have no slice where the other has an empty one.
func same(a, b nn.Spec) bool {
	if !slices.Equal(a.Hidden, b.Hidden) || !slices.Equal(a.Classes, b.Classes) {
		return false
	}
	a.Hidden, a.Classes, b.Hidden, b.Classes = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}
