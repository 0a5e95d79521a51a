package torch

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/nlpodyssey/gopickle/types"
)

// Bounds of an archive.
const (
	maxEntries  = 20000
	maxInflated = 256 << 20 // bytes of all its compressed entries that are read together; torch.save compresses none
)

// An archive is a file in torch.save's zip format, whose folder's name may be any.
type archive struct {
	data     []byte
	folder   string // with the slash at its end; "" for none
	entries  map[string]*zip.File
	inflated int
	storages map[string]*storage
}

// openArchive lists the archive's entries. Nothing is read of them yet.
func openArchive(data []byte) (*archive, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, damaged("its archive can't be read (%v)", err)
	}
	if len(r.File) > maxEntries {
		return nil, fmt.Errorf("the file is an archive of %d entries, at most %d are read: save only model.state_dict()", len(r.File), maxEntries)
	}
	a := &archive{data: data, entries: map[string]*zip.File{}, storages: map[string]*storage{}}
	for _, f := range r.File {
		if clean := strings.TrimSuffix(f.Name, "/"); !pathIsLocal(clean) {
			return nil, damaged("its archive has an entry outside of its folder, %.60q", f.Name)
		}
		if a.entries[f.Name] != nil {
			return nil, damaged("its archive has two entries named %.60q", f.Name)
		}
		a.entries[f.Name] = f
	}
	return a, a.apart(r.File)
}

// pathIsLocal reports whether an entry's name stays within the archive. No entry is ever written to a disk, but one that does
// not was made to do harm.
func pathIsLocal(name string) bool {
	return name != "" && name[0] != '/' && !strings.ContainsAny(name, "\\:\x00") && path.Clean(name) == name &&
		name != ".." && !strings.HasPrefix(name, "../")
}

// apart reports entries that share bytes, by which a small file can claim to be a large one.
func (a *archive) apart(files []*zip.File) error {
	type span struct{ from, to int64 }
	var spans []span
	for _, f := range files {
		at, err := f.DataOffset()
		if err != nil || f.CompressedSize64 > uint64(len(a.data)) || at+int64(f.CompressedSize64) > int64(len(a.data)) {
			return damaged("entry %.60q of its archive lies outside of it", f.Name)
		}
		spans = append(spans, span{at, at + int64(f.CompressedSize64)})
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.from - b.from) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return damaged("two entries of its archive overlap")
		}
	}
	return nil
}

// find returns the folder of the entry of that name, if there is exactly one such.
func (a *archive) find(name string) (folder string, ok bool) {
	for entry := range a.entries {
		at, isIt := strings.CutSuffix(entry, name)
		if isIt && (at == "" || strings.Count(at, "/") == 1 && strings.HasSuffix(at, "/")) {
			if ok {
				return "", false
			}
			folder, ok = at, true
		}
	}
	return folder, ok
}

// has reports whether the archive has an entry of that beginning in its folder.
func (a *archive) has(prefix string) bool {
	for entry := range a.entries {
		if strings.HasPrefix(entry, a.folder+prefix) {
			return true
		}
	}
	return false
}

// read returns an entry of the archive's folder, checked. One that is not compressed is part of the file's own bytes.
func (a *archive) read(name string) ([]byte, error) {
	f := a.entries[a.folder+name]
	if f == nil {
		return nil, damaged("its archive lacks the entry %.60q", name)
	}
	var content []byte
	switch at, err := f.DataOffset(); {
	case err != nil:
		return nil, damaged("entry %.60q of its archive can't be found", name)
	case f.Method == zip.Store:
		content = a.data[at : at+int64(f.CompressedSize64)]
	default:
		if f.UncompressedSize64 > uint64(maxInflated-a.inflated) {
			return nil, fmt.Errorf("the file's archive unpacks to more than %d MB: save the model again with torch.save, which does not compress", maxInflated>>20)
		}
		r, err := f.Open()
		if err != nil {
			return nil, damaged("entry %.60q of its archive is compressed in an unknown way", name)
		}
		if content, err = io.ReadAll(r); err != nil {
			return nil, damaged("entry %.60q of its archive can't be unpacked", name)
		}
		a.inflated += len(content)
	}
	if uint64(len(content)) != f.UncompressedSize64 || crc32.ChecksumIEEE(content) != f.CRC32 {
		return nil, damaged("entry %.60q of its archive fails its checksum", name)
	}
	return content, nil
}

// storage answers a persistent id: ("storage", type, key, where it was, count).
func (a *archive) storage(id types.Tuple) (*storage, error) {
	dtype, key, count, err := storageID(id)
	if err != nil {
		return nil, err
	}
	s := a.storages[key]
	switch {
	case s == nil:
		content, err := a.read("data/" + key)
		if err != nil {
			return nil, err
		}
		s = &storage{dtype, count, content}
		a.storages[key] = s
	case s.dtype != dtype || s.count != count:
		s = &storage{dtype, count, s.data}
	}
	return s, s.checked()
}

// storageID takes a persistent id apart.
func storageID(id types.Tuple) (dtype DType, key string, count int, err error) {
	if len(id) >= 5 && id[0] == "storage" {
		t, isType := id[1].(storageType)
		key, isKey := id[2].(string)
		count, isCount := id[4].(int)
		if c, ok := id[1].(*class); ok {
			return "", "", 0, fmt.Errorf("the file holds numbers of type %s, which is not read: save a model of floating-point numbers", c)
		}
		if isType && isKey && isCount && count >= 0 {
			return DType(t), key, count, nil
		}
	}
	return "", "", 0, damaged("its pickle refers to numbers in a way that PyTorch does not")
}

// load carries out the archive's pickle.
func (a *archive) load() (any, error) {
	folder, ok := a.find("data.pkl")
	if a.isProgram() {
		return nil, fmt.Errorf("the file is a program that torch.export wrote: save torch.save(model.state_dict(), \"model.pt\") instead")
	}
	if !ok {
		return nil, damaged("its archive does not hold one data.pkl")
	}
	a.folder = folder
	if a.has("constants.pkl") || a.has("code/") {
		return nil, fmt.Errorf("the file is a TorchScript program that torch.jit.save wrote: save torch.save(model.state_dict(), \"model.pt\") instead")
	}
	if a.has("byteorder") {
		order, err := a.read("byteorder")
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, fmt.Errorf("the file's numbers are not little-endian (it says %.20q): save it again on such a machine", order)
		}
	}
	if a.entries[folder+"data.pkl"].UncompressedSize64 > maxPickle {
		return nil, errLong
	}
	pickled, err := a.read("data.pkl")
	if err != nil {
		return nil, err
	}
	v, _, err := load(pickled, a.storage)
	return v, err
}

// isProgram reports whether torch.export.save wrote the archive.
func (a *archive) isProgram() bool {
	for _, name := range []string{"serialized_exported_program.json", "archive_format", "models/model.json"} {
		if _, ok := a.find(name); ok {
			return true
		}
	}
	return false
}
