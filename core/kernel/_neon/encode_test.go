package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestWords compares the words of all files with what the binutils' disassembler takes them for.
func TestWords(t *testing.T) {
	objdump, err := exec.LookPath("aarch64-linux-gnu-objdump")
	if err != nil {
		if os.Getenv("QUANTLAB_REQUIRE_QEMU") != "" {
			t.Fatal(err)
		}
		t.Skip("no aarch64-linux-gnu-objdump: the package binutils-aarch64-linux-gnu has it")
	}
	a := &asm{}
	for _, file := range files {
		file(a)
	}
	text := a.text.String()
	matches := regexp.MustCompile(`WORD \$0x([0-9A-F]{8}) // (.*)\n`).FindAllStringSubmatch(text, -1)
	if len(matches) < 1000 || len(matches) != strings.Count(text, "WORD") {
		t.Fatalf("read only %d of %d words", len(matches), strings.Count(text, "WORD"))
	}
	names := map[uint32]string{}
	for _, m := range matches {
		bits, err := strconv.ParseUint(m[1], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := names[uint32(bits)]; ok && other != m[2] {
			t.Errorf("%#08x is both %s and %s", bits, other, m[2])
		}
		names[uint32(bits)] = m[2]
	}

	var words []uint32
	var code bytes.Buffer
	for bits := range names {
		words = append(words, bits)
		_ = binary.Write(&code, binary.LittleEndian, bits)
	}
	path := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(path, code.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "aarch64", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := regexp.MustCompile(`(?m)^ *[0-9a-f]+:\t([0-9a-f]{8}) \t(.*)$`).FindAllStringSubmatch(string(out), -1)
	if len(lines) != len(words) {
		t.Fatalf("%d lines for %d words:\n%s", len(lines), len(words), out)
	}
	for i, line := range lines {
		if got := strings.ReplaceAll(line[2], "\t", " "); got != names[words[i]] {
			t.Errorf("%08X is %s, not %s", words[i], got, names[words[i]])
		}
	}
	t.Logf("%d words are what they are said to be", len(words))
}
