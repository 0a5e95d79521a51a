package scheme

import (
	"fmt"
	"strconv"
	"strings"
)

// The text of a scheme is what addresses and flags carry. It is the mode alone for the float modes; for the others the
// mode, the weights and the activations, and for static layers the observer, joined by dashes:
//
//	float32   float16   dynamic-w8-a8r   static-w8c-a8r-histogram   static-w4ca-a6-percentile99.9
//
// After the bits of the weights come the letters c (per channel) and a (affine), after those of the activations
// r (reduced range), s (symmetric) and p (per row), in this order. A plan is its layers' schemes joined by commas; one scheme alone
// stands for all layers.

// String spells the scheme; ParseScheme reads it.
func (s Scheme) String() string {
	if s.Mode != Dynamic && s.Mode != Static {
		return string(s.Mode)
	}
	w, a := s.Weight, s.Activation
	text := fmt.Sprintf("%s-w%d%s-a%d%s", s.Mode, w.Bits, letters("ca", w.PerChannel, !w.Symmetric), a.Bits, letters("rsp", a.ReduceRange, a.Symmetric, a.PerRow))
	if s.Mode == Static {
		text += "-" + observerText(a)
	}
	return text
}

func observerText(a ActivationQuantizer) string {
	if a.Observer == Percentile {
		return a.Observer + strconv.FormatFloat(a.Percentile, 'f', -1, 64)
	}
	return strings.ReplaceAll(a.Observer, "-", "") // moving-average: the dash is taken
}

// letters returns those of names whose flags are set.
func letters(names string, flags ...bool) string {
	var b strings.Builder
	for i, on := range flags {
		if on {
			b.WriteByte(names[i])
		}
	}
	return b.String()
}

// String spells the plan; ParsePlan reads it.
func (p Plan) String() string {
	uniform := len(p) > 0
	texts := make([]string, len(p))
	for i, s := range p {
		texts[i] = s.String()
		uniform = uniform && s == p[0]
	}
	if uniform {
		return texts[0]
	}
	return strings.Join(texts, ",")
}

// maxText bounds the text of a plan, in bytes.
const maxText = 4096

// ParsePlan reads the text of a plan for a network of that many layers.
func ParsePlan(text string, layers int) (Plan, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("a plan of %d bytes is too long: give at most %d", len(text), maxText)
	}
	parts := strings.Split(text, ",")
	p := make(Plan, layers)
	if len(parts) != 1 && len(parts) != layers {
		return nil, fmt.Errorf("the plan has schemes for %d layers, the network has %d: give one scheme for each layer, or one for all", len(parts), layers)
	}
	for i := range p {
		s, err := ParseScheme(strings.TrimSpace(parts[min(i, len(parts)-1)]))
		if err != nil {
			return nil, err
		}
		p[i] = s
	}
	return p, nil
}

// ParseScheme reads the text of a scheme.
func ParseScheme(text string) (Scheme, error) {
	parts := strings.Split(text, "-")
	s := Scheme{Mode: Mode(parts[0])}
	want := map[Mode]int{Float32: 1, Float16: 1, Dynamic: 3, Static: 4}[s.Mode]
	malformed := fmt.Errorf("scheme %.60q can't be read: write it as float32, float16, dynamic-w8-a8r or static-w8c-a8r-histogram", text)
	if want == 0 || len(parts) != want {
		return Scheme{}, malformed
	}
	if want > 1 {
		w, a := &s.Weight, &s.Activation
		affine := false
		if !readGrid(parts[1], 'w', &w.Bits, "ca", &w.PerChannel, &affine) || !readGrid(parts[2], 'a', &a.Bits, "rsp", &a.ReduceRange, &a.Symmetric, &a.PerRow) {
			return Scheme{}, malformed
		}
		w.Symmetric = !affine
	}
	if want > 3 && !readObserver(parts[3], &s.Activation) {
		return Scheme{}, malformed
	}
	return s, s.Validate()
}

// readGrid reads a letter, the bits, and a letter for each flag that is set, in their order.
func readGrid(text string, letter byte, bits *int, names string, flags ...*bool) bool {
	if len(text) < 2 || text[0] != letter || text[1] < '0' || text[1] > '9' {
		return false
	}
	*bits = int(text[1] - '0')
	text = text[2:]
	for i, flag := range flags {
		if len(text) > 0 && text[0] == names[i] {
			*flag, text = true, text[1:]
		}
	}
	return text == ""
}

func readObserver(text string, a *ActivationQuantizer) bool {
	if share, ok := strings.CutPrefix(text, Percentile); ok {
		v, err := strconv.ParseFloat(share, 64)
		a.Observer, a.Percentile = Percentile, v
		return err == nil
	}
	for _, o := range Observers() {
		if text == observerText(ActivationQuantizer{Observer: o}) {
			a.Observer = o
			return true
		}
	}
	return false
}
