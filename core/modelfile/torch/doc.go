// Package torch reads and writes PyTorch's files: the state_dicts that torch.save writes, as zip archives (PyTorch 1.6 and
// newer) or in the legacy format, plain or quantized by torch.ao.
//
// Such a file is a pickle, a program for a machine that builds Python's objects, beside the raw bytes of tensors. Here nothing
// of it is ever executed: a pickle may name only what is on a list, and the rest of what it asks for is remembered by name and
// not made. Every length is checked against what the file holds before memory is taken.
//
// Formats: torch/serialization.py and caffe2/serialize/inline_container.cc of PyTorch 2.6; Lib/pickletools.py of Python.
package torch
