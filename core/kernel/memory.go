package kernel

import "unsafe"

// lineBytes is a cache line, and the widest vector register.
const lineBytes = 64

// aligned returns n zeros that begin on a cache line. What is large is asked of the operating system in large pages, without
// which reading it is slower by half: each page of 4 KB needs a look into the page tables.
func aligned[T int8 | uint8 | uint16 | int32 | float32](n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	raw := make([]byte, n*size+lineBytes)
	from := int(-uintptr(unsafe.Pointer(&raw[0])) & (lineBytes - 1)) // Go's collector moves nothing
	if n == 0 {
		return nil
	}
	raw = raw[from : from+n*size]
	largePages(raw)
	return unsafe.Slice((*T)(unsafe.Pointer(&raw[0])), n)
}
