// Package torch reads and writes PyTorch's files: the state_dicts that torch.save writes, as zip archives (PyTorch 1.6 and
// newer) or in the legacy format, plain or quantized by torch.ao.
//
// Such a file is a pickle, a program for a machine that builds Python's objects, beside the raw bytes of tensors. Here nothing
// of it is ever executed: a pickle may name only what is on a list, and the rest of what it asks for is remembered by name and
// not made.
//
// Reading is bounded. A pickle is gone through before it is carried out: every length must be of bytes that are there, and all
// that it builds takes less than 400 MB, or it is refused; a real model's takes a few KB. Numbers are read where they lie in the
// file, so that they take memory only where a program other than PyTorch compressed them, up to 256 MB.
//
// Formats: torch/serialization.py and caffe2/serialize/inline_container.cc of PyTorch 2.6; Lib/pickletools.py of Python.
package torch
