package scheme

import (
	"fmt"
	"strings"
)

// Short names the scheme in a few words: "float16", "static int8", "static int4". Where it differs from the lab's scheme of its
// mode in more than the bits of the weights, its text follows: "dynamic int4 (w4c-a8r)".
func (s Scheme) Short() string {
	if s.Mode != Dynamic && s.Mode != Static {
		return string(s.Mode)
	}
	name := fmt.Sprintf("%s int%d", s.Mode, s.Weight.Bits)
	lab, _ := labs(s.Mode)
	lab.Weight.Bits = s.Weight.Bits
	if s != lab {
		_, rest, _ := strings.Cut(s.String(), "-")
		name += " (" + rest + ")"
	}
	return name
}

// Short names the schemes of the layers: "static int8 · float32 · float32", or "all static int8".
func (p Plan) Short() string {
	var names []string
	uniform := len(p) > 1
	for _, s := range p {
		names = append(names, s.Short())
		uniform = uniform && s == p[0]
	}
	if uniform {
		return "all " + names[0]
	}
	return strings.Join(names, " · ")
}
