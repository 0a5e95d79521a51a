package torch

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// state is the pickle of a state_dict of one tensor, w, of 4 x 4.
func state() string {
	return dictOp(textOp("w"), tensorOp("FloatStorage", 16, 0, tupleOp(4, 4), tupleOp(4, 1)), textOp("b"), tensorOp("FloatStorage", 16, 0, tupleOp(4), tupleOp(1)))
}

// changed returns the file with the first old, which must be there, replaced by bytes of the same length.
func changed(t testing.TB, file []byte, old, new string) []byte {
	t.Helper()
	if len(old) != len(new) || !bytes.Contains(file, []byte(old)) {
		t.Fatalf("%q can't be replaced by %q", old, new)
	}
	return bytes.Replace(file, []byte(old), []byte(new), 1)
}

// at returns the file with bytes after the last occurrence of a signature replaced.
func at(t testing.TB, file []byte, signature string, offset int, b ...byte) []byte {
	t.Helper()
	i := bytes.LastIndex(file, []byte(signature))
	if i < 0 {
		t.Fatalf("no %q", signature)
	}
	file = bytes.Clone(file)
	copy(file[i+offset:], b)
	return file
}

func TestHostileArchives(t *testing.T) {
	numbers := strings.Repeat("\x00\x00\x80\x3f", 16)
	pickled, stored := in{"x/data.pkl", state(), zip.Store}, in{"x/data/0", numbers, zip.Store}
	good := archived(t, pickled, stored)
	const central, local = "PK\x01\x02", "PK\x03\x04"
	zeros := func(mb int) string { return string(make([]byte, mb<<20)) }
	bomb := dictOp(textOp("w"), tensorOp("FloatStorage", 75<<20, 0, tupleOp(4, 4), tupleOp(4, 1)))
	for name, c := range map[string]struct {
		file []byte
		says string // "" for nothing
	}{
		"whole":           {good, ""},
		"deflated":        {archived(t, in{"data.pkl", state(), zip.Deflate}, in{"data/0", numbers, zip.Deflate}), ""},
		"little-endian":   {archived(t, pickled, stored, in{"x/byteorder", "little", zip.Store}), ""},
		"big-endian":      {archived(t, pickled, stored, in{"x/byteorder", "big", zip.Store}), "not little-endian"},
		"other extras":    {archived(t, pickled, stored, in{"x/.format_version", "1", zip.Store}, in{"x/.storage_alignment", "64", zip.Store}), ""},
		"no pickle":       {archived(t, stored), "does not hold one data.pkl"},
		"two pickles":     {archived(t, pickled, stored, in{"y/data.pkl", state(), zip.Store}), "does not hold one data.pkl"},
		"a deep pickle":   {archived(t, in{"x/y/data.pkl", state(), zip.Store}, stored), "does not hold one data.pkl"},
		"no storage":      {archived(t, pickled), `lacks the entry "data/0"`},
		"absolute path":   {archived(t, pickled, stored, in{"/etc/passwd", "x", zip.Store}), "outside of its folder"},
		"parent path":     {archived(t, pickled, stored, in{"x/../../passwd", "x", zip.Store}), "outside of its folder"},
		"parent only":     {archived(t, pickled, stored, in{"../data", "x", zip.Store}), "outside of its folder"},
		"backslashes":     {archived(t, pickled, stored, in{`x\..\data`, "x", zip.Store}), "outside of its folder"},
		"a drive":         {archived(t, pickled, stored, in{"c:/data", "x", zip.Store}), "outside of its folder"},
		"duplicates":      {archived(t, pickled, stored, stored), "two entries named"},
		"an export":       {archived(t, in{"x/archive_format", "pt2", zip.Store}, in{"x/models/model.json", "{}", zip.Store}), "torch.export"},
		"zip bomb":        {archived(t, in{"x/data.pkl", bomb, zip.Store}, in{"x/data/0", zeros(300), zip.Deflate}), "unpacks to more than 256 MB"},
		"bombs together":  {archived(t, in{"x/data.pkl", twoStorages(), zip.Store}, in{"x/data/0", zeros(150), zip.Deflate}, in{"x/data/1", zeros(150), zip.Deflate}), "unpacks to more than 256 MB"},
		"pickle bomb":     {archived(t, in{"x/data.pkl", "\x80\x02" + strings.Repeat("N0", 30<<20), zip.Deflate}, stored), "longer than 16 MB"},
		"too many":        {archived(t, manyEntries()...), "an archive of 20001 entries"},
		"cut":             {good[:len(good)-30], "archive can't be read"},
		"its beginning":   {good[:100], "archive can't be read"},
		"other numbers":   {changed(t, good, numbers[:8], "\x00\x00\x80\x3f\x00\x00\x80\x40"), "fails its checksum"},
		"overlapping":     {at(t, good, central, 42, good[bytes.Index(good, []byte(central))+42:][:4]...), "overlap"},
		"outside":         {at(t, good, central, 20, 0xff, 0xff, 0xff, 0x7f), "lies outside"},
		"10 GB claimed":   {at(t, archived(t, in{"x/data.pkl", state(), zip.Store}, in{"x/data/0", numbers, zip.Deflate}), central, 24, 0xff, 0xff, 0xff, 0x7f), "more than 256 MB"},
		"unpacks to less": {at(t, archived(t, in{"x/data.pkl", state(), zip.Store}, in{"x/data/0", numbers, zip.Deflate}), central, 24, 0xff, 0xff), "can't be unpacked"},
		"unknown method":  {at(t, good, central, 10, 99), "compressed in an unknown way"},
		"a million more":  {at(t, good, "PK\x05\x06", 8, 0xff, 0xfe, 0xff, 0xfe), "archive can't be read"},
		"zip64 lies":      {zip64(t, good), "archive can't be read"},
		"local is none":   {at(t, good, local, 0, 'x'), "lies outside"},
	} {
		t.Run(name, func(t *testing.T) {
			var got *Checkpoint
			var err error
			used := allocated(func() { got, err = Read(c.file) })
			t.Logf("%d bytes, %d allocated: %v", len(c.file), used, err)
			if c.says == "" && err == nil {
				if values := floats(t, got.Tensors[0]).Values; len(values) != 16 || values[0] != 1 {
					t.Errorf("read %v", values)
				}
				return
			}
			if c.says == "" || err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if limit := uint64(1 << 20); len(c.file) < 1000 && used > limit || used > 700<<20 {
				t.Errorf("reading %d bytes allocated %d", len(c.file), used)
			}
		})
	}
}

// twoStorages is a state_dict of two tensors of 150 MB each.
func twoStorages() string {
	second := strings.Replace(tensorOp("FloatStorage", 37<<20, 0, tupleOp(4), tupleOp(1)), textOp("0"), textOp("1"), 1)
	return dictOp(textOp("v"), tensorOp("FloatStorage", 37<<20, 0, tupleOp(4), tupleOp(1)), textOp("w"), second)
}

func manyEntries() []in {
	var all []in
	for i := range maxEntries + 1 {
		all = append(all, in{"x/" + strings.Repeat("y", i%100) + string(rune('一'+i)), "", zip.Store})
	}
	return all
}

// zip64 returns the file with an ending that claims 2^62 entries.
func zip64(t testing.TB, file []byte) []byte {
	t.Helper()
	end := bytes.LastIndex(file, []byte("PK\x05\x06"))
	b := append(bytes.Clone(file[:end]), "PK\x06\x06"...)
	b = binary.LittleEndian.AppendUint64(b, 44)
	b = append(b, make([]byte, 12)...)
	for _, n := range []uint64{1 << 62, 1 << 62, 1 << 62, 0} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	b = append(b, "PK\x06\x07\x00\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint64(b, uint64(end))
	b = append(b, 1, 0, 0, 0)
	b = append(b, file[end:end+8]...)
	return append(b, bytes.Repeat([]byte{0xff}, 12)...)
}

// TestTruncated reads every beginning of files of each format: none may be taken for a whole one, and none panics.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"mlp.pt", "legacy.pt", "dynamic_qint8_legacy.pt", "words4.pkl", "words_index.pt"} {
		data := fixture(t, name)
		for n := range data {
			if _, err := Read(data[:n]); err == nil {
				t.Fatalf("the first %d bytes of %s are read", n, name)
			}
			if _, err := ReadList(data[:n]); err == nil {
				// The storages of a legacy file's words are an empty list, which is all that its end may lack.
				t.Fatalf("the first %d bytes of %s are read as words", n, name)
			}
		}
	}
}

// TestHostileLegacy changes what a file in the legacy format claims.
func TestHostileLegacy(t *testing.T) {
	good := fixture(t, "legacy.pt")
	begin := bytes.Index(good, []byte("little_endian"))
	numbers := bytes.LastIndexByte(good[:len(good)-4*(30+5+15+3)-4*8], '.') + 1
	count := good[numbers : numbers+8]
	if binary.LittleEndian.Uint64(count) > 30 {
		t.Fatalf("the first storage has %d numbers", count)
	}
	claim := func(b ...byte) []byte {
		file := bytes.Clone(good)
		copy(file[numbers:], b)
		return file
	}
	big := bytes.Clone(good)
	flag := begin + bytes.IndexByte(good[begin:], 0x88)
	big[flag] = 0x89
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"big-endian":       {big, "not little-endian"},
		"2^62 numbers":     {claim(0, 0, 0, 0, 0, 0, 0, 0x40), "claims more than there are"},
		"one number more":  {claim(count[0]+1, 0, 0, 0, 0, 0, 0, 0), "claims more than there are"},
		"another magic":    {changed(t, good, "\xf9\x20\x6a\xa8", "\xf9\x20\x6a\xa9"), "not one that PyTorch writes|holds no model"},
		"another protocol": {changed(t, good, "M\xe9\x03.", "M\xea\x03."), "unknown protocol 1002"},
		"a foreign module": {changed(t, good, "collections\nOrderedDict", "commandline\nOrderedDict"), "whole object|single|Python writes"},
		"longer":           {append(bytes.Clone(good), "more"...), ""},
	} {
		_, err := Read(c.file)
		ok := c.says == "" && err == nil
		for _, says := range strings.Split(c.says, "|") {
			ok = ok || err != nil && says != "" && strings.Contains(err.Error(), says)
		}
		if !ok {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
