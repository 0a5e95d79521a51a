package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The page links neither a server nor what encrypts its connections.
func TestWithoutServer(t *testing.T) {
	root, _, err := locate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	flags, err := withoutServer(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	linked := func(flags ...string) []string {
		t.Helper()
		out, err := forBrowser(t.Context(), root, append(append([]string{"list", "-deps"}, flags...), "./wasm/page")...).Output()
		if err != nil {
			if exit, ok := err.(*exec.ExitError); ok {
				t.Logf("%s", exit.Stderr)
			}
			t.Fatal(err)
		}
		return strings.Fields(string(out))
	}
	page := linked(flags...)
	for _, pkg := range []string{"net/http", "crypto/tls", "text/template"} {
		if slices.Contains(page, pkg) {
			t.Errorf("the page links %s", pkg)
		}
	}
	// Whatever else it links it links without the flags, too.
	if all := linked(); !slices.Contains(all, "net/http") {
		t.Error("go-app does without net/http: its copy is no longer needed")
	} else if extra := slices.DeleteFunc(page, func(p string) bool { return slices.Contains(all, p) }); len(extra) > 0 {
		t.Errorf("only the page's copy links %v", extra)
	}
}
