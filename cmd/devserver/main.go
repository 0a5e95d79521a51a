// Command devserver serves the page, its shards and the native engine:
//
//	devserver [--addr 127.0.0.1:8000] [--web web] [--log]
//	devserver --version
//
// It prints one line with its address when it is ready to serve the page. Models that are missing are prepared in the
// background; the terminal and the page show how far that is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"quantlab/app"
	"quantlab/cmd/internal/limits"
	"quantlab/cmd/internal/prepare"
	"quantlab/cmd/internal/site"
	"quantlab/cmd/internal/version"
	"quantlab/core/hardware"
	"quantlab/core/kernel"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/library"
)

const (
	maxWaiting   = 16               // runs in the queue
	heartbeat    = 15 * time.Second // on a stream
	writeTime    = 10 * time.Second // for one event
	sendTime     = 5 * time.Minute  // for one file
	headerTime   = 10 * time.Second // for a request's header
	idleTime     = 2 * time.Minute  // of a connection
	shutdownTime = 5 * time.Second
)

// errUsage is a wrong command line; what is wrong was printed.
var errUsage = errors.New("wrong usage")

func main() {
	log.SetFlags(0)
	log.SetPrefix("devserver: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		log.Print(err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("devserver", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8000", "`host:port` to listen on; another host than this machine lets others in")
	dir := flags.String("web", "web", "`folder` with the page's files, as make build leaves them")
	logging := flags.Bool("log", false, "print a line for each request")
	tell := flags.Bool("version", false, "print the version and end")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return errUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "devserver takes no arguments, only flags: %q is one too many\n", flags.Arg(0))
		return errUsage
	}
	if *tell {
		fmt.Fprintln(stdout, "devserver", version.String())
		return nil
	}
	if _, _, err := net.SplitHostPort(*addr); err != nil {
		fmt.Fprintf(stderr, "--addr %q is not an address: give host:port, such as 127.0.0.1:8000\n", *addr)
		return errUsage
	}

	if _, err := kernel.Lookup(""); err != nil { // the environment names an engine that isn't there
		fmt.Fprintln(stderr, err)
		return errUsage
	}

	pages, err := site.Open(*dir, app.Handler)
	if err != nil {
		return err
	}
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%s is in use: stop what listens there, or choose another address with --addr", *addr)
		}
		return fmt.Errorf("can't listen on %s (%w): choose another address with --addr", *addr, err)
	}
	fmt.Fprintf(stdout, "quantlab is at %s\n", address(listener.Addr()))

	host := lab.Host{Name: wire.Native, Version: version.String(), Hardware: hardware.Detect}
	// Anew, once: a file may hold limits of a time when the machine was busy.
	host.Peaks = lab.Remembering(limits.Kept(store.CacheDir(), limits.Of(host), true, lab.Limits))
	s := &server{
		site:   pages,
		models: newModels(ctx, preparing(store, stderr)),
		queue:  &queue{limit: maxWaiting},
		run: func(ctx context.Context, own *library.Library, c wire.Command, emit func(wire.Event)) error {
			_, err := lab.Do(ctx, host, &library.Source{Source: store, Library: own}, c, emit)
			return err
		},
		check:     host.Check,
		hardware:  host.Describe,
		down:      ctx,
		loopback:  isLoopback(listener.Addr().String()),
		shelf:     store.Shelf(),
		uploads:   budget{left: maxHeld},
		heartbeat: heartbeat,
		writeTime: writeTime,
	}
	handler := s.handler()
	if *logging {
		handler = logged(handler)
	}
	return serve(ctx, listener, handler, s.models.wait)
}

// serve answers requests until ctx ends; then it lets what is under way end, and wait return, but not for long.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, wait func()) error {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTime,
		WriteTimeout:      sendTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    32 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if srv.Shutdown(limit) != nil {
		srv.Close()
	}
	idle := make(chan struct{})
	go func() {
		wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-limit.Done():
	}
	return nil
}

// address spells the URL to open: of a server that listens everywhere, this machine's own.
func address(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return "http://" + a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// logged prints every request as it comes.
func logged(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log.Printf("%s %s", r.Method, r.URL)
		h.ServeHTTP(w, r)
	})
}
