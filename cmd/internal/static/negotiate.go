package static

import (
	"strconv"
	"strings"
)

// choose picks the stored form that the client prefers; among equals the first, which is the smallest. Uncompressed is
// the answer where nothing else is acceptable, even to a client that refuses it: there is no better one.
func (f *File) choose(accept string) form {
	best, weight := f.forms[len(f.forms)-1], 0.0
	for _, form := range f.forms {
		if form.encoding == "" {
			continue
		}
		if q := quality(accept, form.encoding); q > weight {
			best, weight = form, q
		}
	}
	return best
}

// quality returns the weight, 0 to 1, that an Accept-Encoding header (RFC 9110, section 12.5.3) gives to a coding.
func quality(accept, coding string) float64 {
	any := 0.0
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != coding && name != "*" && !(coding == "gzip" && name == "x-gzip") {
			continue
		}
		q := 1.0
		if key, value, ok := strings.Cut(params, "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !(v >= 0 && v <= 1) {
				v = 0
			}
			q = v
		}
		if name != "*" {
			return q
		}
		any = q
	}
	return any
}
