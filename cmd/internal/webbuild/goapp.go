package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"quantlab/cmd/internal/atomicfile"
)

// go-app is one package for the browser and the server, so that a page links net/http, and with it the whole of crypto/tls: an
// eighth of the program, which nothing calls but which the initializations of package variables keep. The page is therefore
// built with a copy of go-app that lacks the server's files, which goAppRest stands in for.
const goApp = "github.com/maxence-charriere/go-app/v9"

// serverFiles are those files of go-app's package app that are the server's.
var serverFiles = []string{"http.go", "resource.go"}

// goAppRest is what the page needs of serverFiles.
//
//go:embed goapp_rest.go.txt
var goAppRest []byte

// A goPackage is what go list says of a package.
type goPackage struct {
	Dir, ImportPath string
	GoFiles         []string
	Module          struct{ Dir, GoMod, Version string }
}

// withoutServer writes the copy and a go.mod that refers to it, below bin/, and returns the flags that build with them.
func withoutServer(ctx context.Context, root string) (flags []string, err error) {
	cmd := forBrowser(ctx, root, "list", "-json=Dir,ImportPath,GoFiles,Module", goApp+"/pkg/app", goApp+"/pkg/errors")
	cmd.Stderr = os.Stderr
	list, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	folder := ""
	for packages := json.NewDecoder(list); ; {
		var p goPackage
		if err = packages.Decode(&p); err != nil {
			break
		}
		folder = "bin/go-app-" + p.Module.Version
		if err = p.copyTo(filepath.Join(root, folder)); err != nil {
			break
		}
	}
	if werr := cmd.Wait(); err == io.EOF {
		err = werr
	}
	if err != nil {
		return nil, err
	}
	rest := filepath.Join(root, folder, "pkg", "app", serverFiles[0])
	if err := write(rest, goAppRest); err != nil {
		return nil, err
	}
	mod := filepath.Join(root, "bin", "page.mod")
	if err := modfile(root, mod, folder); err != nil {
		return nil, err
	}
	return []string{"-modfile=" + mod, "-tags=pageonly"}, nil
}

// copyTo copies the package's files, but the server's, and its module's go.mod to a folder for the module.
func (p *goPackage) copyTo(dir string) error {
	below, err := filepath.Rel(p.Module.Dir, p.Dir)
	if err != nil {
		return err
	}
	files := map[string]string{p.Module.GoMod: filepath.Join(dir, "go.mod")}
	for _, name := range p.GoFiles {
		if p.ImportPath != goApp+"/pkg/app" || !slices.Contains(serverFiles, name) {
			files[filepath.Join(p.Dir, name)] = filepath.Join(dir, below, name)
		}
	}
	for from, to := range files {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := write(to, data); err != nil {
			return err
		}
	}
	return nil
}

// modfile writes the project's go.mod with go-app replaced by the folder, and its go.sum beside it.
func modfile(root, mod, folder string) error {
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	data = fmt.Appendf(data, "\nreplace %s => ./%s\n", goApp, folder)
	if err := write(mod, data); err != nil {
		return err
	}
	return write(mod[:len(mod)-len(".mod")]+".sum", sums)
}

// write writes a file and the folders above it.
func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, data)
}
