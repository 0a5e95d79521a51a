//go:build linux || darwin

package kernel

import "syscall"

// guardedPages returns at least n bytes in whole pages, between two pages that nobody may touch.
func guardedPages(n int) []byte {
	page := pageBytes
	n = (n + page - 1) / page * page
	all, err := syscall.Mmap(-1, 0, n+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	for _, guard := range [][]byte{all[:page], all[page+n:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			panic(err)
		}
	}
	return all[page : page+n : page+n]
}
