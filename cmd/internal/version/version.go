// Package version says which build of quantlab is running.
package version

import (
	"runtime/debug"
	"strings"
)

// stamp is set by the linker: -ldflags "-X quantlab/cmd/internal/version.stamp=v1.2.3".
var stamp string

// String returns what the linker stamped, else the module's version, else the commit that was built, else "devel".
func String() string {
	if stamp != "" {
		return stamp
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	return of(info)
}

func of(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	var revision, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changes"
		}
	}
	return strings.TrimSuffix("devel-"+revision, "-") + dirty
}
