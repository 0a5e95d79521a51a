// Quantlab trains four small networks, quantizes them and tells what that did to size, accuracy and latency.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks everything to stop; from then on the default holds, and a second one kills.
	context.AfterFunc(ctx, stop)
	status := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}
