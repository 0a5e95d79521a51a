// Package onnxtest reads ONNX files, for tests. It understands what package onnx writes, and skips what else there is.
package onnxtest

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Model is a ModelProto.
type Model struct {
	IR, Opset              uint64
	Producer, Version, Doc string
	Metadata               map[string]string
	Name                   string // of the graph
	Nodes                  []Node
	Tensors                map[string]Tensor
	Inputs, Outputs        []Value
}

// A Node is a NodeProto.
type Node struct {
	Op, Name        string
	Inputs, Outputs []string
	Ints            map[string][]int64 // attributes
}

// A Tensor is a TensorProto with raw data.
type Tensor struct {
	Type uint64
	Dims []int
	Data []byte
}

// A Value is a ValueInfoProto of a tensor.
type Value struct {
	Name string
	Type uint64
	Dims []string // a number, or a name
}

// A field is what a message holds: a number or bytes.
type field struct {
	number uint64
	bytes  []byte
}

// fields calls do for every field of a message, in order.
func fields(message []byte, do func(n protowire.Number, f field) error) error {
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return protowire.ParseError(size)
		}
		message = message[size:]
		var f field
		switch kind {
		case protowire.VarintType:
			f.number, size = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			f.bytes, size = protowire.ConsumeBytes(message)
		default:
			size = protowire.ConsumeFieldValue(n, kind, message)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		message = message[size:]
		if err := do(n, f); err != nil {
			return err
		}
	}
	return nil
}

// Read reads a file. Two entries of one name are an error.
func Read(file []byte) (*Model, error) {
	m := &Model{Metadata: map[string]string{}, Tensors: map[string]Tensor{}}
	err := fields(file, func(n protowire.Number, f field) error {
		switch n {
		case 1:
			m.IR = f.number
		case 2:
			m.Producer = string(f.bytes)
		case 3:
			m.Version = string(f.bytes)
		case 6:
			m.Doc = string(f.bytes)
		case 7:
			return fields(f.bytes, m.graph)
		case 8:
			return m.operatorSet(f.bytes)
		case 14:
			return m.property(f.bytes)
		}
		return nil
	})
	return m, err
}

func (m *Model) operatorSet(b []byte) error {
	domain, version := "", uint64(0)
	err := fields(b, func(n protowire.Number, f field) error {
		if n == 1 {
			domain = string(f.bytes)
		} else {
			version = f.number
		}
		return nil
	})
	if domain == "" {
		m.Opset = version
	}
	return err
}

func (m *Model) property(b []byte) error {
	var entry [3]string
	err := fields(b, func(n protowire.Number, f field) error {
		entry[n%3] = string(f.bytes)
		return nil
	})
	if _, ok := m.Metadata[entry[1]]; ok {
		return fmt.Errorf("there are two properties %q", entry[1])
	}
	m.Metadata[entry[1]] = entry[2]
	return err
}

func (m *Model) graph(n protowire.Number, f field) error {
	switch n {
	case 1:
		node := Node{Ints: map[string][]int64{}}
		m.Nodes = append(m.Nodes, node)
		return fields(f.bytes, m.Nodes[len(m.Nodes)-1].field)
	case 2:
		m.Name = string(f.bytes)
	case 5:
		return m.tensor(f.bytes)
	case 11, 12:
		v, err := readValue(f.bytes)
		if n == 11 {
			m.Inputs = append(m.Inputs, v)
		} else {
			m.Outputs = append(m.Outputs, v)
		}
		return err
	}
	return nil
}

func (o *Node) field(n protowire.Number, f field) error {
	switch n {
	case 1:
		o.Inputs = append(o.Inputs, string(f.bytes))
	case 2:
		o.Outputs = append(o.Outputs, string(f.bytes))
	case 3:
		o.Name = string(f.bytes)
	case 4:
		o.Op = string(f.bytes)
	case 5:
		name, ints := "", []int64(nil)
		err := fields(f.bytes, func(n protowire.Number, f field) error {
			switch n {
			case 1:
				name = string(f.bytes)
			case 3, 8:
				ints = append(ints, int64(f.number))
			}
			return nil
		})
		o.Ints[name] = ints
		return err
	}
	return nil
}

func (m *Model) tensor(b []byte) error {
	var t Tensor
	name := ""
	err := fields(b, func(n protowire.Number, f field) error {
		switch n {
		case 1:
			t.Dims = append(t.Dims, int(f.number))
		case 2:
			t.Type = f.number
		case 8:
			name = string(f.bytes)
		case 9:
			t.Data = f.bytes
		}
		return nil
	})
	if _, ok := m.Tensors[name]; ok {
		return fmt.Errorf("there are two tensors %q", name)
	}
	m.Tensors[name] = t
	return err
}

func readValue(b []byte) (v Value, err error) {
	dimension := func(n protowire.Number, f field) error {
		if n == 1 {
			v.Dims = append(v.Dims, fmt.Sprint(f.number))
		} else {
			v.Dims = append(v.Dims, string(f.bytes))
		}
		return nil
	}
	err = fields(b, func(n protowire.Number, f field) error {
		switch n {
		case 1:
			v.Name = string(f.bytes)
		case 2:
			return fields(f.bytes, func(_ protowire.Number, f field) error { // TypeProto.tensor_type
				return fields(f.bytes, func(n protowire.Number, f field) error {
					if n == 1 {
						v.Type = f.number
						return nil
					}
					return fields(f.bytes, func(_ protowire.Number, f field) error { return fields(f.bytes, dimension) })
				})
			})
		}
		return nil
	})
	return v, err
}

// Ops counts the nodes of each operator.
func (m *Model) Ops() map[string]int {
	ops := map[string]int{}
	for _, n := range m.Nodes {
		ops[n.Op]++
	}
	return ops
}
