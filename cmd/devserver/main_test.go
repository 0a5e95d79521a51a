package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"--adr", "x"}, {"--addr", "nonsense"}, {"--addr", "a:b:c"}, {"extra"}, {"--log=perhaps"}} {
		var out, errs bytes.Buffer
		if err := run(t.Context(), args, &out, &errs); !errors.Is(err, errUsage) {
			t.Errorf("%v: %v", args, err)
		}
		if out.Len() > 0 || errs.Len() == 0 {
			t.Errorf("%v: printed %q and %q", args, &out, &errs)
		}
	}
}

func TestPagesFilesAreMissing(t *testing.T) {
	err := run(t.Context(), []string{"--web", t.TempDir()}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "run make build") {
		t.Errorf("got %v", err)
	}
}

func TestAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8000": "http://127.0.0.1:8000",
		"0.0.0.0:80":     "http://127.0.0.1:80",
		"[::]:80":        "http://127.0.0.1:80",
		"[::1]:80":       "http://[::1]:80",
	} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := address(a); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

// serve lets a response that is under way end, and then returns.
func TestServeDrains(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	entered, waited := make(chan bool), false
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-ctx.Done()
		time.Sleep(20 * time.Millisecond)
		io.WriteString(w, "whole")
	})
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, slow, func() { waited = true }) }()
	got := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		got <- string(body)
	}()
	<-entered
	stop()
	if body := <-got; body != "whole" {
		t.Errorf("the response was %q", body)
	}
	if err := <-served; err != nil || !waited {
		t.Errorf("serve: %v, waited %v", err, waited)
	}
}
