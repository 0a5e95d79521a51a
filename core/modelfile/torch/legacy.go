package torch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/nlpodyssey/gopickle/types"
)

// legacyMagic is the number that the legacy format begins with, as pickles write it.
var legacyMagic = []byte{0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19}

// legacyProtocol is the only version of the legacy format.
const legacyProtocol = 1001

// isLegacy reports whether data begins as a file in the legacy format: with the pickle of the magic number.
func isLegacy(data []byte) bool { return bytes.Contains(data[:min(len(data), 32)], legacyMagic) }

// loadLegacy reads the legacy format: pickles of the magic number, the protocol's, facts of the machine, what was saved, and
// the storages' keys; then for each storage how many numbers it has, and these.
func loadLegacy(data []byte) (any, error) {
	storages := map[string]*storage{}
	remember := func(id types.Tuple) (*storage, error) {
		dtype, key, count, err := storageID(id)
		if err != nil {
			return nil, err
		}
		if len(id) > 5 && id[5] != nil {
			return nil, fmt.Errorf("the file was saved by a PyTorch older than 0.4, which shared numbers in another way: save it again with a newer one")
		}
		if s := storages[key]; s != nil && (s.dtype != dtype || s.count != count) {
			return nil, damaged("it tells two stories of one storage")
		} else if s != nil {
			return s, nil
		}
		s := &storage{dtype: dtype, count: count}
		storages[key] = s
		return s, nil
	}
	var parts [5]any
	for i := range parts {
		var allowed func(types.Tuple) (*storage, error)
		if i == 3 {
			allowed = remember
		}
		v, n, err := load(data, allowed)
		if err != nil {
			return nil, err
		}
		parts[i], data = v, data[n:]
		if err := legacyPart(i, v); err != nil {
			return nil, err
		}
	}
	keys, ok := parts[4].(*types.List)
	if !ok {
		return nil, damaged("it lacks the list of its storages")
	}
	for _, k := range *keys {
		key, _ := k.(string)
		s := storages[key]
		if s == nil || s.data != nil {
			return nil, damaged("it lists a storage that no tensor has, or one twice")
		}
		var err error
		if s.data, data, err = legacyStorage(s, data); err != nil {
			return nil, err
		}
	}
	for _, s := range storages {
		if err := s.checked(); err != nil {
			return nil, err
		}
	}
	return parts[3], nil
}

// legacyPart checks the pickles that tell of the file itself.
func legacyPart(i int, v any) error {
	switch i {
	case 0:
		if magic, ok := v.(*big.Int); !ok || magic.Text(16) != "1950a86a20f9469cfc6c" {
			return damaged("it does not begin as PyTorch's files do")
		}
	case 1:
		if n, ok := v.(int); !ok || n != legacyProtocol {
			return fmt.Errorf("the file is of the unknown protocol %d: save it again with torch.save", n)
		}
	case 2:
		info, ok := v.(*types.Dict)
		if !ok {
			return damaged("it does not say what machine wrote it")
		}
		for _, e := range *info {
			if e.Key == "little_endian" && e.Value == false {
				return fmt.Errorf("the file's numbers are not little-endian: save it again on such a machine")
			}
		}
	}
	return nil
}

// legacyStorage returns the storage's bytes, and what comes after them.
func legacyStorage(s *storage, data []byte) (own, rest []byte, err error) {
	if len(data) < 8 {
		return nil, nil, damaged("it ends before the numbers of its tensors")
	}
	count, data := binary.LittleEndian.Uint64(data), data[8:]
	size := itemSizes[s.dtype]
	if count != uint64(s.count) || count > uint64(len(data)/size) {
		return nil, nil, damaged("it ends within the numbers of its tensors, or claims more than there are")
	}
	n := s.count * size
	return data[:n:n], data[n:], nil
}

// isTar reports whether data is the archive that PyTorch wrote before 0.1.10.
func isTar(data []byte) bool {
	return len(data) > 512 && string(data[257:262]) == "ustar" && bytes.Contains(data[:min(len(data), 1<<20)], []byte("storages\x00"))
}
