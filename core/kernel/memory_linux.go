package kernel

import (
	"syscall"
	"unsafe"
)

const largePage = 2 << 20

// largePages advises the kernel to back the whole large pages in p by such. That is a hint: an error changes nothing.
func largePages(p []byte) {
	from := int(-uintptr(unsafe.Pointer(&p[0])) & (largePage - 1))
	to := from + (len(p)-from)/largePage*largePage
	if from < len(p) && to > from {
		_ = syscall.Madvise(p[from:to], syscall.MADV_HUGEPAGE)
	}
}
