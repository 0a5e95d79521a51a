package modelfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/nlpodyssey/safetensors"
)

// Bounds of a file's header. The lab's largest one holds SST-2's whole vocabulary, about 160 KB; a model of the reader's own may count
// more words.
const (
	maxHeader  = 8 << 20
	maxTensors = 4096
)

// A tensor is what safetensors writes: numbers of a shape, encoded only when their turn comes.
type tensor struct {
	dtype  safetensors.DType
	shape  []uint64
	values any // []float32, []uint16 (the bits of halves), []int8, []uint8 or nibbles
}

func newTensor(values any, shape ...int) tensor {
	t := tensor{values: values}
	for _, n := range shape {
		t.shape = append(t.shape, uint64(n))
	}
	switch values.(type) {
	case []float32:
		t.dtype = safetensors.F32
	case []uint16:
		t.dtype = safetensors.F16
	case []int8:
		t.dtype = safetensors.I8
	case []uint8, nibbles:
		t.dtype = safetensors.U8
	}
	return t
}

// DType returns the type of the numbers.
func (t tensor) DType() safetensors.DType { return t.dtype }

// Shape returns rows and columns, or the length.
func (t tensor) Shape() []uint64 { return t.shape }

// DataLen returns the length of Data.
func (t tensor) DataLen() uint64 {
	if n, ok := t.values.(nibbles); ok {
		return uint64(n.bytes())
	}
	return uint64(binary.Size(t.values))
}

// Data returns the numbers, little-endian. Slices of fixed-size numbers always encode.
func (t tensor) Data() []byte {
	if n, ok := t.values.(nibbles); ok {
		return n.pack()
	}
	b, _ := binary.Append(make([]byte, 0, t.DataLen()), binary.LittleEndian, t.values)
	return b
}

// save writes a file. The same tensors and metadata give the same bytes.
func save(w io.Writer, tensors map[string]tensor, info map[string]string) error {
	if err := safetensors.SerializeToWriter(tensors, info, w); err != nil {
		return fmt.Errorf("writing the model file: %w", err)
	}
	return nil
}

// An outline is a tensor without its numbers, which takes no time to write.
type outline struct{ tensor }

// Data returns nothing, where a file would have DataLen bytes.
func (outline) Data() []byte { return nil }

// length returns how many bytes save writes.
func length(tensors map[string]tensor, info map[string]string) (int64, error) {
	var n counter
	outlines := map[string]outline{}
	for name, t := range tensors {
		outlines[name] = outline{t}
		n += counter(t.DataLen())
	}
	if err := safetensors.SerializeToWriter(outlines, info, &n); err != nil {
		return 0, fmt.Errorf("measuring the model file: %w", err)
	}
	return int64(n), nil
}

// A counter is a writer that only counts.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// An archive is a file that was read and found whole.
type archive struct {
	info    map[string]string
	tensors map[string]*safetensors.TensorInfo
	data    []byte
}

// open reads a file whose tensors take at most payload bytes.
func open(r io.Reader, payload int64) (*archive, error) {
	limit := 8 + maxHeader + payload
	var buf bytes.Buffer
	if sized, ok := r.(interface{ Len() int }); ok && int64(sized.Len()) <= limit {
		buf.Grow(sized.Len() + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(io.LimitReader(r, limit+1)); err != nil {
		return nil, fmt.Errorf("reading the model file: %w", err)
	}
	if int64(buf.Len()) > limit {
		return nil, fmt.Errorf("the model file is larger than the %d bytes that this model can have: give the file of this model", limit)
	}
	return parse(buf.Bytes())
}

// parse checks a file in memory: that its header is bounded, names no tensor twice, and describes exactly the bytes that follow.
func parse(file []byte) (*archive, error) {
	if len(file) < 8 {
		return nil, damaged("it ends after %d bytes", len(file))
	}
	header := binary.LittleEndian.Uint64(file)
	if header > maxHeader {
		return nil, fmt.Errorf("the file is not a model in safetensors format, or its header is larger than %d bytes: give a .safetensors file", maxHeader)
	}
	if header > uint64(len(file)-8) {
		return nil, damaged("it ends within its header")
	}
	if err := checkNames(file[8 : 8+header]); err != nil {
		return nil, err
	}
	_, meta, err := safetensors.ReadMetadata(file)
	if err != nil {
		return nil, damaged("its header and its %d bytes do not fit together (%v)", len(file), err)
	}
	a := &archive{info: meta.Metadata(), tensors: meta.Tensors(), data: file[8+header:]}
	// The library adds the last offset to the header's length without looking for an overflow.
	for name, t := range a.tensors {
		if t.DataOffsets[1] > uint64(len(a.data)) {
			return nil, damaged("tensor %q ends beyond the file", name)
		}
	}
	return a, nil
}

// checkNames looks for what the library overlooks or would take much memory for: names that come twice, deep nesting, and very many
// tensors.
func checkNames(header []byte) error {
	d := json.NewDecoder(bytes.NewReader(header))
	names := map[string]bool{}
	depth, key := 0, false // key: the next string at depth 1 is a name
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return damaged("its header is no JSON")
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			if depth > 3 {
				return damaged("its header is nested too deeply")
			}
			key = depth == 1
		case string:
			if !key {
				key = depth == 1
				continue
			}
			if names[v] {
				return damaged("it names %.60q twice", v)
			}
			names[v] = true
			if len(names) > maxTensors {
				return damaged("it holds more than %d tensors", maxTensors)
			}
			key = false
		default:
			key = depth == 1
		}
	}
}

// has reports whether the archive holds a tensor of that name and type.
func (a *archive) has(name string, dtype safetensors.DType) bool {
	t, ok := a.tensors[name]
	return ok && t.DType == dtype
}

// take removes a tensor of that name and shape from the archive and decodes it into values, whose type fits.
func (a *archive) take(name string, values any, shape ...int) error {
	t, ok := a.tensors[name]
	if !ok {
		return fmt.Errorf("the file holds no tensor %s: it is not a file of this model", name)
	}
	want := newTensor(values, shape...)
	if t.DType != want.dtype || !slices.Equal(t.Shape, want.shape) {
		return fmt.Errorf("tensor %s is %v %v, expected %v %v: give the file of this model", name, t.DType, t.Shape, want.dtype, want.shape)
	}
	if _, err := binary.Decode(a.data[t.DataOffsets[0]:t.DataOffsets[1]], binary.LittleEndian, values); err != nil {
		return damaged("tensor %s: %v", name, err)
	}
	delete(a.tensors, name)
	return nil
}

// empty reports a tensor that nobody took.
func (a *archive) empty() error {
	for _, name := range slices.Sorted(maps.Keys(a.tensors)) {
		return fmt.Errorf("the file holds a tensor %q, which this model does not have: give the file of this model", name)
	}
	return nil
}
