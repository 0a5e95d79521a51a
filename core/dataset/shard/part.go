package shard

import "fmt"

// float is the size of what a shard of floats holds, in bytes.
const float = 4

// EncodePart returns a shard that holds part of a file: of kind Bytes as it is, of kind Floats in planes.
func EncodePart(kind Kind, part []byte) ([]byte, error) {
	if !kind.ofFile() {
		return nil, fmt.Errorf("shards of %v hold no part of a file", kind)
	}
	if len(part) > MaxPayload {
		return nil, fmt.Errorf("%d bytes are too many for a shard of at most %d", len(part), MaxSize)
	}
	if kind == Floats {
		part = split(part)
	}
	return encode(header{kind: kind}, part)
}

// DecodePart appends to dst the part of a file that a shard of that kind holds.
func DecodePart(dst []byte, kind Kind, data []byte) ([]byte, error) {
	if !kind.ofFile() {
		return dst, fmt.Errorf("is no part of a file: it holds %v", kind)
	}
	_, payload, err := decode(data, kind)
	if err != nil {
		return dst, err
	}
	if kind == Floats {
		return join(dst, payload), nil
	}
	return append(dst, payload...), nil
}

// split returns the part in planes.
func split(part []byte) []byte {
	out := make([]byte, 0, len(part))
	whole := len(part) / float * float
	for plane := range float {
		for i := plane; i < whole; i += float {
			out = append(out, part[i])
		}
	}
	return append(out, part[whole:]...)
}

// join appends to dst what split was given.
func join(dst, planes []byte) []byte {
	n := len(planes) / float
	a, b, c, d := planes[:n], planes[n:2*n], planes[2*n:3*n], planes[3*n:4*n]
	for i := range a {
		dst = append(dst, a[i], b[i], c[i], d[i])
	}
	return append(dst, planes[float*n:]...)
}
