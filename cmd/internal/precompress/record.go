package precompress

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"quantlab/cmd/internal/atomicfile"
)

// RecordName is the file of a directory that holds its Record.
const RecordName = ".precompressed.json"

const maxRecord = 4 << 20 // bytes; a directory of ten thousand files needs 3 MB

// A Record says for each file of a directory which content its siblings were made from.
type Record map[string]File

// A File is one raw file and its siblings.
type File struct {
	Size    int64            `json:"size"`
	ModTime int64            `json:"mtime"` // Unix, nanoseconds
	SHA256  string           `json:"sha256"`
	Quality int              `json:"quality"`           // brotli's, of the siblings
	Encoded map[string]int64 `json:"encoded,omitempty"` // bytes of the sibling, by the coding's name
}

// Load reads the directory's record. None, or one that can't be understood, is an empty record: its only loss is time.
func Load(dir string) (Record, error) {
	f, err := os.Open(filepath.Join(dir, RecordName))
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRecord))
	if err != nil {
		return nil, err
	}
	r := Record{}
	if json.Unmarshal(data, &r) != nil {
		return Record{}, nil
	}
	return r, nil
}

func (r Record) write(dir string) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, RecordName), func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}

// Stat describes a file of dir. Its hash is the record's where size and modification time are too, otherwise it is computed.
func Stat(dir, name string, r Record) (File, error) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	f := File{Size: info.Size(), ModTime: info.ModTime().UnixNano()}
	if prev, ok := r[name]; ok && prev.Size == f.Size && prev.ModTime == f.ModTime {
		f.SHA256 = prev.SHA256
		return f, nil
	}
	in, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	h := sha256.New()
	n, err := io.Copy(h, in)
	if err != nil {
		return File{}, fmt.Errorf("reading %s: %w", path, err)
	}
	if n != f.Size {
		return File{}, fmt.Errorf("%s changed while it was read: run the build again", path)
	}
	f.SHA256 = hex.EncodeToString(h.Sum(nil))
	return f, nil
}

// Siblings returns the sizes of the siblings that were made from exactly this content and are there in full.
func (f File) Siblings(dir, name string, r Record) map[string]int64 {
	prev, ok := r[name]
	if !ok || prev.SHA256 != f.SHA256 || !f.complete(dir, name, prev) {
		return nil
	}
	return prev.Encoded
}

func (f File) equal(g File) bool {
	return f.Size == g.Size && f.ModTime == g.ModTime && f.SHA256 == g.SHA256 && f.Quality == g.Quality && maps.Equal(f.Encoded, g.Encoded)
}

// complete reports whether every recorded sibling is there with its recorded size.
func (f File) complete(dir, name string, prev File) bool {
	for _, e := range Encodings {
		size, ok := prev.Encoded[e.Name]
		if !ok {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, name+e.Suffix))
		if err != nil || info.Size() != size {
			return false
		}
	}
	return true
}
