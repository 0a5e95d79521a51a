package torch

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// maxBatch is how many items of a mapping Python writes at once.
const maxBatch = 1000

// A pickler writes the pickle of a state_dict as Python's does, of protocol 2: what was written before is referred to.
type pickler struct {
	out      []byte
	memo     map[string]int // of globals and shared texts
	count    int            // of everything in Python's memo
	storages []content
}

// A content is the numbers of one storage.
type content struct {
	size int64
	// write writes them, little-endian. It is not called for measuring.
	write func(io.Writer) error
}

// pickle returns the state_dict's pickle, and the storages that it refers to by their numbers.
func (s *StateDict) pickle() ([]byte, []content, error) {
	if err := s.check(); err != nil {
		return nil, nil, err
	}
	p := &pickler{memo: map[string]int{}}
	p.op(0x80, 2)
	p.orderedDict()
	var err error
	p.items(len(s.entries), func(i int) {
		e := s.entries[i]
		p.text(e.name, false)
		if err == nil {
			if err = e.value.pickle(p); err != nil {
				err = fmt.Errorf("%s: %w", e.name, err)
			}
		}
	})
	if err != nil {
		return nil, nil, err
	}
	p.metadata(s.modules)
	p.op('.')
	return p.out, p.storages, nil
}

// metadata gives the mapping its attribute _metadata, a mapping of modules to the versions of their layouts.
func (p *pickler) metadata(modules []module) {
	if len(modules) == 0 {
		return
	}
	p.op('}')
	p.put()
	p.text("_metadata", false)
	p.orderedDict()
	p.items(len(modules), func(i int) {
		p.text(modules[i].name, false)
		p.op('}')
		p.put()
		p.text("version", true)
		p.int(modules[i].version)
		p.op('s')
	})
	p.op('s', 'b')
}

// items sets n items of the mapping on the stack, each of which item writes.
func (p *pickler) items(n int, item func(i int)) {
	for from := 0; from < n; from += maxBatch {
		to := min(n, from+maxBatch)
		if to-from == 1 {
			item(from)
			p.op('s')
			continue
		}
		p.op('(')
		for i := from; i < to; i++ {
			item(i)
		}
		p.op('u')
	}
}

func (p *pickler) op(b ...byte) { p.out = append(p.out, b...) }

// put notes what is on the stack, as Python does of everything that could be met again.
func (p *pickler) put() {
	if p.count < 256 {
		p.op('q', byte(p.count))
	} else {
		p.op('r')
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(p.count))
	}
	p.count++
}

// known refers to what was noted under a key, or notes that it comes now.
func (p *pickler) known(key string) bool {
	n, ok := p.memo[key]
	switch {
	case !ok:
		p.memo[key] = p.count
	case n < 256:
		p.op('h', byte(n))
	default:
		p.op('j')
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(n))
	}
	return ok
}

// text writes a text. A shared one, and those of one character, are single objects of Python's.
func (p *pickler) text(s string, shared bool) {
	if (shared || len(s) == 1) && p.known("text "+s) {
		return
	}
	p.op('X')
	p.out = binary.LittleEndian.AppendUint32(p.out, uint32(len(s)))
	p.out = append(p.out, s...)
	p.put()
}

func (p *pickler) global(moduleName, name string) {
	if !p.known(moduleName + " " + name) {
		p.out = append(p.out, "c"+moduleName+"\n"+name+"\n"...)
		p.put()
	}
}

func (p *pickler) int(n int) {
	switch {
	case n >= 0 && n < 1<<8:
		p.op('K', byte(n))
	case n >= 0 && n < 1<<16:
		p.op('M', byte(n), byte(n>>8))
	default:
		p.op('J')
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(int32(n)))
	}
}

func (p *pickler) float(v float64) {
	p.op('G')
	p.out = binary.BigEndian.AppendUint64(p.out, math.Float64bits(v))
}

// tuple makes a tuple of the n values on the stack; of more than three a mark goes before them.
func (p *pickler) tuple(n int) {
	switch {
	case n == 0:
		p.op(')')
		return
	case n <= 3:
		p.op(0x84 + byte(n))
	default:
		p.op('t')
	}
	p.put()
}

func (p *pickler) ints(values []int) {
	if len(values) > 3 {
		p.op('(')
	}
	for _, v := range values {
		p.int(v)
	}
	p.tuple(len(values))
}

// call calls the function below the tuple on the stack.
func (p *pickler) call() {
	p.op('R')
	p.put()
}

func (p *pickler) orderedDict() {
	p.global("collections", "OrderedDict")
	p.tuple(0)
	p.call()
}

// storage refers to a new storage of n numbers.
func (p *pickler) storage(class string, n int, c content) {
	p.op('(')
	p.text("storage", true)
	p.global("torch", class)
	p.text(fmt.Sprint(len(p.storages)), false)
	p.text("cpu", true)
	p.int(n)
	p.tuple(5)
	p.op('Q')
	p.storages = append(p.storages, c)
}

// view writes what a tensor's rebuilding begins with: a storage of its own, offset 0, shape and strides.
func (p *pickler) view(class string, shape []int, itemSize int, write func(io.Writer) error) {
	n := product(shape)
	p.op('(')
	p.storage(class, n, content{int64(n) * int64(itemSize), write})
	p.int(0)
	p.ints(shape)
	stride := make([]int, len(shape))
	for d, s := len(shape)-1, 1; d >= 0; d-- {
		stride[d] = s
		s *= shape[d]
	}
	p.ints(stride)
}

// rebuilt ends what view began.
func (p *pickler) rebuilt(values int) {
	p.op(0x89) // not to be trained
	p.orderedDict()
	p.tuple(values)
	p.call()
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
