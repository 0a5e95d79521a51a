// Command webbuild makes the built files of web/: app.wasm and compute.wasm, the toolchain's wasm_exec.js, and brotli and
// gzip siblings of everything that shrinks. What is up to date already stays as it is. It needs nothing but Go:
//
//	go run ./cmd/internal/webbuild [-version V] [-quality 1..11]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"quantlab/cmd/internal/precompress"
	"quantlab/cmd/internal/static"
	"quantlab/web"
)

func main() {
	version := flag.String("version", "devel", "what the browser's results give as the program's `version`")
	quality := flag.Int("quality", 10, "brotli's quality, `1..11`: 11 saves 4% more in twice the time, 5 takes a fiftieth of it")
	flag.Parse()
	if flag.NArg() > 0 || *quality < 1 || *quality > 11 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *version, *quality); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "webbuild:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, version string, quality int) error {
	root, goroot, err := locate(ctx)
	if err != nil {
		return err
	}
	dir := filepath.Join(root, "web")
	start := time.Now()
	built, err := buildAll(ctx, root, version)
	if err != nil {
		return err
	}
	built[filepath.Join(goroot, "lib", "wasm", "wasm_exec.js")] = "wasm_exec.js"
	changed := 0
	for from, name := range built {
		written, err := install(from, filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if written {
			changed++
		}
	}
	if changed > 0 {
		say("%d built files written, %s", changed, since(start))
	}

	start = time.Now()
	compressed := 0
	for _, d := range []string{dir, filepath.Join(dir, web.Kernels)} {
		n, err := compress(ctx, d, quality)
		if err != nil {
			return err
		}
		compressed += n
	}
	if changed+compressed == 0 {
		say("up to date")
	} else if compressed > 0 {
		say("%d files compressed, %s", compressed, since(start))
	}
	return nil
}

// compress writes the siblings of a folder's files, as far as they are not there, and returns of how many.
func compress(ctx context.Context, dir string, quality int) (int, error) {
	var last time.Time
	rep, err := precompress.Dir(ctx, dir, precompress.Options{
		Quality: quality,
		Match: func(name string) bool {
			_, served := static.TypeOf(name)
			return served && filepath.Ext(name) != ".png"
		},
		Progress: func(p precompress.Progress) {
			switch {
			case p.Name != "" && p.Brotli > 0:
				say("%s: %s, %s as brotli", p.Name, size(p.Raw), size(p.Brotli))
			case last.IsZero():
				say("compressing %s", size(p.Total/int64(len(precompress.Encodings))))
				last = time.Now()
			case time.Since(last) >= 4*time.Second:
				say("compressing, %d%%", 100*p.Done/max(p.Total, 1))
				last = time.Now()
			}
		},
	})
	return rep.Compressed, err
}

func say(format string, args ...any) { fmt.Printf("web: "+format+"\n", args...) }

func since(t time.Time) string { return time.Since(t).Round(100 * time.Millisecond).String() }

func size(n int64) string {
	if n < 100_000 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.2f MB", float64(n)/1e6)
}
