package kernel

// An F32 is a layer with float32 weights: y = x·Wᵀ + bias, then max(0, y) where it has a ReLU.
type F32 struct{ floatLayer }

// An F16 is an F32 whose weights are IEEE half-precision floats. Activations and sums are float32.
type F16 struct{ floatLayer }

// PackF32 packs the weights w, out x in, and the bias, out elements or nil for none.
func (e *Engine) PackF32(w, bias []float32, out, in int, relu bool) *F32 {
	needShape("PackF32", len(w), len(bias), out, in)
	return &F32{floatLayer{e.packF32(w, bias, out, in, relu), out, in}}
}

// PackF16 packs the weights w, out x in, given as the bits of IEEE halves, and the bias, out elements or nil for none.
func (e *Engine) PackF16(w []uint16, bias []float32, out, in int, relu bool) *F16 {
	needShape("PackF16", len(w), len(bias), out, in)
	return &F16{floatLayer{e.packF16(w, bias, out, in, relu), out, in}}
}

// A floatLayer runs a floatProduct on a team.
type floatLayer struct {
	product floatProduct
	out, in int
}

// Forward writes y, rows x out, from x, rows x in. They must not overlap.
func (p *floatLayer) Forward(t *Team, y, x []float32, rows int) {
	if rows < 1 {
		return
	}
	need("Forward", "y", len(y), rows*p.out)
	need("Forward", "x", len(x), rows*p.in)
	job := floatJob{p, y[:rows*p.out], x[:rows*p.in], rows}
	if t.solo(rows * p.out * p.in) {
		job.Run(0, 1)
		return
	}
	t.float = job
	t.Do(&t.float)
	t.float = floatJob{}
}

type floatJob struct {
	p    *floatLayer
	y, x []float32
	rows int
}

func (j *floatJob) Run(part, parts int) {
	p := j.p
	g := split(part, parts, j.rows, p.out, p.product.width())
	if !g.empty() {
		p.product.multiply(j.y[g.r0*p.out:g.r1*p.out], j.x[g.r0*p.in:g.r1*p.in], g.r1-g.r0, g.lo, g.hi)
	}
}
