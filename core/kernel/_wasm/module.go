package main

import (
	"bytes"
	"encoding/binary"
)

// A kind is a type of WebAssembly values.
type kind byte

const (
	i32  kind = 0x7F
	i64  kind = 0x7E
	f32  kind = 0x7D
	v128 kind = 0x7B

	funcref = 0x70
)

// A signature lists the kinds of a function's parameters and its results.
type signature struct {
	params, results []kind
}

// A module is a WebAssembly module in the making: the few sections that the kernels need. See WebAssembly Core
// Specification 2.0, chapter 5.
type module struct {
	types     []signature
	imports   [][]byte
	functions []*function
	table     uint32 // its size, where the module owns it
	state     bool   // the module owns the global
	exports   [][]byte
	start     *function
	elements  [][]byte
}

const (
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionTable    = 4
	sectionGlobal   = 6
	sectionExport   = 7
	sectionStart    = 8
	sectionElement  = 9
	sectionCode     = 10

	externFunction = 0
	externTable    = 1
	externMemory   = 2
	externGlobal   = 3
)

// typeOf returns the index of a signature in the type section.
func (m *module) typeOf(s signature) uint32 {
	for i, t := range m.types {
		if bytes.Equal(kindBytes(t.params), kindBytes(s.params)) && bytes.Equal(kindBytes(t.results), kindBytes(s.results)) {
			return uint32(i)
		}
	}
	m.types = append(m.types, s)
	return uint32(len(m.types) - 1)
}

func kindBytes(kinds []kind) []byte {
	b := make([]byte, len(kinds))
	for i, k := range kinds {
		b[i] = byte(k)
	}
	return b
}

// function adds a function. Functions are numbered from 0 in the order in which they are added: none is imported.
func (m *module) function(s signature) *function {
	f := &function{index: uint32(len(m.functions)), typ: m.typeOf(s)}
	for _, k := range s.params {
		f.params = append(f.params, f.local(k))
	}
	f.locals = nil // parameters are declared by the type
	m.functions = append(m.functions, f)
	return f
}

// importFrom declares what the module needs from another: a description is as in the binary format.
func (m *module) importFrom(from, name string, description ...byte) {
	m.imports = append(m.imports, concat(text(from), text(name), description))
}

func (m *module) export(name string, what byte, index uint32) {
	m.exports = append(m.exports, concat(text(name), []byte{what}, unsigned(index)))
}

// place puts a function into a slot of the table.
func (m *module) place(slot uint32, f *function) {
	m.elements = append(m.elements, concat([]byte{0}, constant(int32(slot)), []byte{opEnd, 1}, unsigned(f.index)))
}

// encode returns the module's binary form.
func (m *module) encode() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, items [][]byte) {
		if len(items) > 0 {
			b := concat(append([][]byte{unsigned(uint32(len(items)))}, items...)...)
			out = append(out, concat([]byte{id}, unsigned(uint32(len(b))), b)...)
		}
	}
	var types, functions, code [][]byte
	for _, t := range m.types {
		types = append(types, concat([]byte{0x60}, vector(kindBytes(t.params)), vector(kindBytes(t.results))))
	}
	for _, f := range m.functions {
		functions = append(functions, unsigned(f.typ))
		code = append(code, vector(f.encode()))
	}
	section(sectionType, types)
	section(sectionImport, m.imports)
	section(sectionFunction, functions)
	if m.table > 0 {
		section(sectionTable, [][]byte{concat([]byte{funcref, 1}, unsigned(m.table), unsigned(m.table))})
	}
	if m.state {
		section(sectionGlobal, [][]byte{concat([]byte{byte(i32), 1}, constant(0), []byte{opEnd})})
	}
	section(sectionExport, m.exports)
	if m.start != nil {
		b := unsigned(m.start.index)
		out = append(out, concat([]byte{sectionStart}, vector(b))...)
	}
	section(sectionElement, m.elements)
	section(sectionCode, code)
	return out
}

// vector returns b behind its length.
func vector(b []byte) []byte { return append(unsigned(uint32(len(b))), b...) }

func text(s string) []byte { return vector([]byte(s)) }

func concat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// unsigned is LEB128.
func unsigned(v uint32) []byte { return binary.AppendUvarint(nil, uint64(v)) }

// signed is LEB128 of a signed integer.
func signed(v int32) []byte {
	var b []byte
	for {
		low := byte(v & 0x7F)
		v >>= 7
		if (v == 0 && low&0x40 == 0) || (v == -1 && low&0x40 != 0) {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
