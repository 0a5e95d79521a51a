package main

// A function is a list of instructions in the making. Its methods append statements; what they are made of are values.
type function struct {
	index, typ uint32
	params     []local
	locals     []kind
	count      uint32
	body       []byte
}

// A value is code that leaves one value on the stack.
type value interface{ code() []byte }

// An expression is such code.
type expression []byte

func (e expression) code() []byte { return e }

// A local is a variable of a function. As a value it is read.
type local uint32

func (l local) code() []byte { return append([]byte{opLocalGet}, unsigned(uint32(l))...) }

// local declares a variable, which is 0 to begin with.
func (f *function) local(k kind) local {
	f.locals = append(f.locals, k)
	f.count++
	return local(f.count - 1)
}

// copyOf declares a variable of kind i32 that starts with a value.
func (f *function) copyOf(v value) local {
	l := f.local(i32)
	f.set(l, v)
	return l
}

// many declares n variables.
func (f *function) many(n int, k kind) []local {
	l := make([]local, n)
	for i := range l {
		l[i] = f.local(k)
	}
	return l
}

// encode returns the function's entry in the code section.
func (f *function) encode() []byte {
	var groups [][]byte
	for i := 0; i < len(f.locals); {
		n := 1
		for i+n < len(f.locals) && f.locals[i+n] == f.locals[i] {
			n++
		}
		groups = append(groups, append(unsigned(uint32(n)), byte(f.locals[i])))
		i += n
	}
	return concat(unsigned(uint32(len(groups))), concat(groups...), f.body, []byte{opEnd})
}

// do appends code as it is.
func (f *function) do(parts ...[]byte) { f.body = append(f.body, concat(parts...)...) }

func (f *function) set(l local, v value) {
	f.do(v.code(), []byte{opLocalSet}, unsigned(uint32(l)))
}

// add adds to a variable of kind i32, as a rule a pointer.
func (f *function) add(l local, v value) { f.set(l, i32Add(l, v)) }

// call calls a function that returns nothing.
func (f *function) call(callee *function, args ...value) {
	for _, a := range args {
		f.do(a.code())
	}
	f.do([]byte{opCall}, unsigned(callee.index))
}

// leave puts a value on the stack: the function's result.
func (f *function) leave(v value) { f.do(v.code()) }

// when runs a block if a condition is not 0.
func (f *function) when(condition value, then func()) {
	f.do(condition.code(), []byte{opIf, blockEmpty})
	then()
	f.do([]byte{opEnd})
}

// while repeats a block as long as n >= step, and takes step off n each time. At its end n is what is left over.
func (f *function) while(n local, step int32, block func()) {
	enough := i32GeS(n, number(step))
	f.when(enough, func() {
		f.do([]byte{opLoop, blockEmpty})
		block()
		f.add(n, number(-step))
		f.do(enough, []byte{opBranchIf}, unsigned(0), []byte{opEnd})
	})
}

// repeat runs a block n times. n is used up.
func (f *function) repeat(n local, block func()) { f.while(n, 1, block) }

// each runs a block for a value of n that is 1 to most, with n as a constant, and none if n is 0.
func (f *function) each(n value, most int, block func(n int)) {
	for i := 1; i <= most; i++ {
		f.when(i32Eq(n, number(int32(i))), func() { block(i) })
	}
}
