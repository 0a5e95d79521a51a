package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// What to do about a file that isn't the published one, or isn't there.
const (
	redo   = "delete it and run quantlab prepare"
	supply = "run quantlab prepare"
)

// Read returns f's bytes after verifying their number and checksum. At most one byte more than f.Size is read, however
// large the file is. An absent file is a *MissingError, a different one an *IntegrityError.
func (f File) Read(fsys fs.FS) ([]byte, error) {
	file, err := fsys.Open(f.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &MissingError{What: f.What, Path: f.Name, Hint: supply}
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", f.What, err)
	}
	defer file.Close()
	data := make([]byte, f.Size+1)
	n, err := io.ReadFull(file, data)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, fmt.Errorf("reading %s: %w", f.What, err)
	}
	if err := f.Verify(data[:n]); err != nil {
		return nil, err
	}
	return data[:n], nil
}

// Verify reports as an *IntegrityError whether data isn't f's published content.
func (f File) Verify(data []byte) error {
	problem := ""
	switch n := int64(len(data)); {
	case n < f.Size:
		problem = fmt.Sprintf("is truncated: %d bytes, not %d", n, f.Size)
	case n > f.Size:
		problem = fmt.Sprintf("is larger than the %d bytes it should be", f.Size)
	default:
		sum := sha256.Sum256(data)
		if got := hex.EncodeToString(sum[:]); got != f.SHA256 {
			problem = fmt.Sprintf("is not the published file: SHA-256 %.12s…, not %.12s…", got, f.SHA256)
		}
	}
	if problem == "" {
		return nil
	}
	return &IntegrityError{Path: f.Name, Problem: problem, Hint: redo}
}
