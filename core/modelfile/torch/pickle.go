package torch

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// load carries out the pickle that data begins with and returns what it builds, and its length. storage answers the tuples that
// stand for storages; nil allows none.
func load(data []byte, storage func(id types.Tuple) (*storage, error)) (value any, length int, err error) {
	length, err = scan(data)
	if err != nil {
		return nil, 0, err
	}
	m := machine{storage: storage}
	u := pickle.NewUnpickler(bytes.NewReader(data[:length]))
	u.FindClass = m.findClass
	u.PersistentLoad = m.persistentLoad
	defer func() {
		// The library indexes and hashes what a pickle made for that purpose lets it.
		if recover() != nil {
			value, err = nil, damaged("its pickle is not one that Python writes")
		}
	}()
	value, err = u.Load()
	if err != nil && m.err != nil {
		err = m.err
	} else if err != nil {
		err = damaged("its pickle is not one that Python writes")
	}
	return value, length, err
}

// A machine answers what a pickle asks of its surroundings.
type machine struct {
	storage func(types.Tuple) (*storage, error)
	err     error // the first that it answered with
}

func (m *machine) fail(err error) error {
	if m.err == nil {
		m.err = err
	}
	return err
}

func (m *machine) persistentLoad(id any) (any, error) {
	tuple, ok := id.(*types.Tuple)
	if !ok || m.storage == nil || tuple.Len() == 0 {
		return nil, m.fail(damaged("its pickle refers to something outside that is not a storage"))
	}
	if tuple.Get(0) == "module" && tuple.Len() > 1 { // the legacy format's: a class with its source
		return tuple.Get(1), nil
	}
	s, err := m.storage(*tuple)
	if err != nil {
		return nil, m.fail(err)
	}
	return s, nil
}

// findClass returns what a name in a pickle stands for: something of this package, or a foreign class that is only remembered.
func (m *machine) findClass(moduleName, name string) (any, error) {
	if hostile(moduleName, name) {
		return nil, m.fail(fmt.Errorf("the file asks Python to call %.60s.%.60s, as no model needs: nothing was run; don't open it in Python either", moduleName, name))
	}
	switch moduleName {
	case "torch", "torch.storage":
		if s, ok := storageTypes[name]; ok {
			return s, nil
		}
		if _, ok := itemSizes[DType(name)]; ok {
			return DType(name), nil
		}
		switch name {
		case "per_tensor_affine", "per_channel_affine", "per_channel_affine_float_qparams":
			return qscheme(name), nil
		case "Size":
			return function(size), nil
		}
	case "torch._utils":
		if f, ok := rebuilders[name]; ok {
			return function(func(args []any) (any, error) {
				v, err := f(args)
				if err != nil {
					return nil, m.fail(err)
				}
				return v, nil
			}), nil
		}
	case "torch._tensor":
		if name == "_rebuild_from_type_v2" {
			return function(m.rebuildFromType), nil
		}
	}
	return &class{moduleName, name}, nil
}

// rebuildFromType makes a tensor of a derived class, or with attributes: arguments are what makes it, its class, what that is
// called with, and the attributes, of which nothing is needed.
func (m *machine) rebuildFromType(args []any) (any, error) {
	if len(args) >= 3 {
		f, isFunction := args[0].(function)
		with, isTuple := args[2].(*types.Tuple)
		if isFunction && isTuple {
			return f(*with)
		}
	}
	return nil, m.fail(damaged("a tensor of its pickle is not made as PyTorch does"))
}

// hostileModules are those whose functions reach beyond Python's own objects, or run code.
var hostileModules = strings.Fields(`os posix nt ntpath posixpath subprocess _posixsubprocess pty sys shutil socket runpy importlib
	ctypes _ctypes codeop webbrowser pickle _pickle cPickle marshal dill cloudpickle pip pydoc timeit cProfile pdb bdb threading
	_thread multiprocessing asyncio urllib http ftplib smtplib telnetlib requests tempfile fileinput linecache zipimport pkgutil
	io _io`)

// harmless are builtins that whole objects are pickled with.
var harmless = strings.Fields(`set frozenset list dict tuple int float complex bool str unicode bytes bytearray object slice range
	xrange getattr type NoneType Ellipsis`)

// hostile reports whether a pickle that names this means harm. What it does not know is not run either.
func hostile(moduleName, name string) bool {
	root, _, _ := strings.Cut(moduleName, ".")
	if root == "torch" {
		return name == "load" || name == "hub" || strings.HasPrefix(moduleName, "torch.hub") || strings.HasPrefix(name, "os.")
	}
	if moduleName == "builtins" || moduleName == "__builtin__" {
		return !slices.Contains(harmless, name)
	}
	return slices.Contains(hostileModules, root)
}

// A function is called with the arguments of a pickle's REDUCE.
type function func(args []any) (any, error)

// Call calls the function.
func (f function) Call(args ...any) (any, error) { return f(args) }

// A qscheme is how a tensor is quantized.
type qscheme string

// size is torch.Size: a tuple.
func size(args []any) (any, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	return types.NewTupleFromSlice(nil), nil
}

// A class is one that this package does not know, or need.
type class struct{ module, name string }

func (c *class) String() string { return fmt.Sprintf("%.60s.%.60s", c.module, c.name) }

// Call makes an object that only knows its class.
func (c *class) Call(args ...any) (any, error) { return &object{class: c, args: args}, nil }

// PyNew does the same.
func (c *class) PyNew(args ...any) (any, error) { return c.Call(args...) }

// An object is of a foreign class. It takes whatever a pickle gives it, and does nothing.
type object struct {
	class *class
	args  []any
	state any
}

// PySetState keeps the object's attributes.
func (o *object) PySetState(state any) error { o.state = state; return nil }

// Append drops an element.
func (o *object) Append(any) {}

// Add drops an element.
func (o *object) Add(any) {}

// Set drops a key and its value.
func (o *object) Set(_, _ any) {}

// damaged says what is wrong with a file and what helps.
func damaged(problem string, args ...any) error {
	return fmt.Errorf("the PyTorch file is damaged: "+problem+": save it again", args...)
}
