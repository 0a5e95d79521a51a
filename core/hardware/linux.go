//go:build !js

package hardware

import (
	"bufio"
	"bytes"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// maxFile bounds what is read of a file of the system.
const maxFile = 1 << 20

// readFile reads the beginning of a small file; a missing one is empty.
func readFile(root fs.FS, name string) []byte {
	f, err := root.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, _ := io.ReadAll(io.LimitReader(f, maxFile))
	return data
}

// distribution returns what os-release(5) calls the system.
func distribution(root fs.FS) string {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		values := map[string]string{}
		for lines := bufio.NewScanner(bytes.NewReader(readFile(root, name))); lines.Scan(); {
			if key, value, ok := strings.Cut(lines.Text(), "="); ok {
				values[strings.TrimSpace(key)] = unquote(strings.TrimSpace(value))
			}
		}
		switch {
		case values["PRETTY_NAME"] != "":
			return oneSpace(values["PRETTY_NAME"])
		case values["NAME"] != "":
			return oneSpace(values["NAME"] + " " + values["VERSION"])
		}
	}
	return ""
}

// unquote removes a shell's quotes and backslashes, as os-release uses them.
func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		s = s[1 : len(s)-1]
	}
	return strings.NewReplacer(`\"`, `"`, `\'`, `'`, `\$`, `$`, "\\`", "`", `\\`, `\`).Replace(s)
}

// memoryLimit returns the least limit that this process's control groups, version 1 or 2, and the groups above them
// set to its memory; 0 if none does.
func memoryLimit(root fs.FS) uint64 {
	least := uint64(0)
	consider := func(mount, group, file string) {
		for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
			text := strings.TrimSpace(string(readFile(root, strings.TrimPrefix(path.Join(mount, dir, file), "/"))))
			// No limit is "max" in version 2 and a number near 2^63 in version 1.
			if n, err := strconv.ParseUint(text, 10, 64); err == nil && n > 0 && n < 1<<60 && (least == 0 || n < least) {
				least = n
			}
			if dir == "/" {
				return
			}
		}
	}
	// Each line is "hierarchy:controllers:path"; version 2 is "0::path".
	for lines := bufio.NewScanner(bytes.NewReader(readFile(root, "proc/self/cgroup"))); lines.Scan(); {
		part := strings.SplitN(lines.Text(), ":", 3)
		if len(part) != 3 {
			continue
		}
		switch {
		case part[1] == "":
			consider("sys/fs/cgroup", part[2], "memory.max")
		case part[1] == "memory":
			consider("sys/fs/cgroup/memory", part[2], "memory.limit_in_bytes")
		}
	}
	return least
}
