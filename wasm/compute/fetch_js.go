//go:build js && wasm

package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall/js"
	"time"
)

// A site opens files below a path of the page's own server by fetch. It is not net/http, which would double the program.
type site struct{ path string }

const (
	retries    = 3           // of a request that got no answer
	retryPause = time.Second // before each
	preparing  = 503         // the status of a file that the server is still making; it is asked for again
	maxRefusal = 512         // bytes of an error's text that are shown
)

// open fetches one file. While the server says that it is still preparing, it waits.
func (s site) open(ctx context.Context, name string, fresh bool) (io.ReadCloser, error) {
	for attempt := 1; ; {
		response, abort, err := s.fetch(ctx, name, fresh)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			if attempt++; attempt > retries {
				return nil, errors.New("the server can't be reached; is it still running?")
			}
		case response.Get("status").Int() == preparing:
		case !response.Get("ok").Bool():
			defer abort()
			text, _ := await(ctx, response.Call("text"))
			return nil, statusError(name, response.Get("status").Int(), refusal(text))
		default:
			return newBody(ctx, response, abort), nil
		}
		abort()
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// fetch sends one request. abort ends it, and frees what watches the context.
func (s site) fetch(ctx context.Context, name string, fresh bool) (response js.Value, abort func(), err error) {
	controller := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { controller.Call("abort") })
	abort = func() {
		stop()
		controller.Call("abort")
	}
	options := map[string]any{"signal": controller.Get("signal")}
	if fresh {
		options["cache"] = "reload"
	}
	response, err = await(ctx, js.Global().Call("fetch", s.path+name, options))
	return response, abort, err
}

// refusal returns the sentence of a server's refusal, if it is one.
func refusal(text js.Value) string {
	if text.Type() != js.TypeString {
		return ""
	}
	s := strings.TrimSpace(text.String())
	if len(s) > maxRefusal || strings.HasPrefix(s, "<") {
		return ""
	}
	return s
}

// A body reads a response as it arrives.
type body struct {
	ctx    context.Context
	reader js.Value // ReadableStreamDefaultReader
	abort  func()
	chunk  js.Value // Uint8Array, of which the bytes from next on are unread
	next   int
	length int
}

func newBody(ctx context.Context, response js.Value, abort func()) *body {
	return &body{ctx: ctx, reader: response.Get("body").Call("getReader"), abort: abort}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	for b.next == b.length {
		result, err := await(b.ctx, b.reader.Call("read"))
		if err != nil {
			return 0, err
		}
		if result.Get("done").Bool() {
			return 0, io.EOF
		}
		b.chunk, b.next = result.Get("value"), 0
		b.length = b.chunk.Length()
	}
	n := js.CopyBytesToGo(p, b.chunk.Call("subarray", b.next))
	b.next += n
	return n, nil
}

// Close ends the transfer, if it isn't over.
func (b *body) Close() error {
	b.abort()
	return nil
}

// await waits for a promise or for the end of the context, whichever comes first.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type settled struct {
		value js.Value
		err   error
	}
	done := make(chan settled, 1)
	var yes, no js.Func
	release := func() {
		yes.Release()
		no.Release()
	}
	yes = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		done <- settled{value: args[0]}
		return nil
	})
	no = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		done <- settled{err: js.Error{Value: args[0]}}
		return nil
	})
	promise.Call("then", yes, no)
	select {
	case s := <-done:
		return s.value, s.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}
