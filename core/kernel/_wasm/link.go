package main

// What the global says.
const (
	levelSIMD128 = 1
	levelRelaxed = 2
)

// A kernel is a function that Go calls.
type kernel struct {
	name   string
	params string // a letter each: i for i32, which pointers are too, and f for f32
	result bool   // whether it returns an i32
	level  int32  // the module that holds it
	build  func(m *module, f *function)
}

func (k kernel) signature() signature {
	var s signature
	for _, letter := range k.params {
		s.params = append(s.params, map[rune]kind{'i': i32, 'f': f32}[letter])
	}
	if k.result {
		s.results = []kind{i32}
	}
	return s
}

// link returns the module that Go imports. It exports
//
//	level  a function: the highest level that was set
//	state  the global behind it
//	table  the functions, by their places in kernels
//
// and for each kernel a function of its name, which calls what is in its place.
func link() *module {
	m := &module{table: uint32(len(kernels)), state: true}
	m.export("table", externTable, 0)
	m.export("state", externGlobal, 0)
	level := m.function(signature{results: []kind{i32}})
	level.do([]byte{opGlobalGet}, unsigned(0))
	m.export("level", externFunction, level.index)
	for slot, k := range kernels {
		f := m.function(k.signature())
		for _, p := range f.params {
			f.leave(p)
		}
		f.leave(number(int32(slot)))
		f.do([]byte{opCallIndirect}, unsigned(f.typ), unsigned(0))
		m.export(k.name, externFunction, f.index)
	}
	return m
}

// engine returns the module of the kernels of one level.
func engine(level int32) *module {
	m := &module{}
	m.importFrom("go", "mem", externMemory, 0, 0)
	m.importFrom("kernels", "table", append([]byte{externTable, funcref, 0}, unsigned(uint32(len(kernels)))...)...)
	m.importFrom("kernels", "state", externGlobal, byte(i32), 1)
	for slot, k := range kernels {
		if k.level == level {
			f := m.function(k.signature())
			k.build(m, f)
			m.place(uint32(slot), f)
		}
	}
	m.start = m.function(signature{})
	announce := func() { m.start.do(constant(level), []byte{opGlobalSet}, unsigned(0)) }
	if level == levelRelaxed {
		m.start.when(dotWorks(), announce)
	} else {
		announce()
	}
	return m
}

// dotWorks is 1 if the host's relaxed dot product of bytes is the exact one for second factors of 0 to 127, as the
// specification has it. There have been browsers whose wasn't.
func dotWorks() value {
	sum := i32x4RelaxedDotI8x16I7x16AddS(words(0x80FF7F80), words(0x7F7F037F), words(5))
	want := int32(5 + -128*127 + 127*3 + -1*127 + -128*127)
	return i32Eqz(v128AnyTrue(v128Xor(sum, words(uint32(want)))))
}
