package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"quantlab/core/kernel"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// A crew is what its members have in common: floats that all of them read and write, and the order in which they do. The
// first member is the page's worker, the others are its helpers. web/threads.js has it in a browser.
type crew interface {
	put(to int, p []float32)   // writes floats, from place to on
	get(from int, p []float32) // reads floats
	start(model, rows int)     // the first member's: lets the others begin a batch; model -1 dissolves the crew
	finish()                   // the first member's: waits until the others have finished
	next() (model, rows int)   // a helper's: waits for a batch, or for model -1
	done()                     // a helper's: it has finished
	meet(lo, hi float32) (float32, float32)
}

// An outfit is what a helper must know to make the models of a run.
type outfit struct {
	Spec     nn.Spec `json:"spec"`
	Engine   string  `json:"engine"`
	MaxBatch int     `json:"max_batch"`
}

// A member is one of a crew with models of its own, which are the same in all members. The crew's floats hold a batch's rows
// and, after the place for the largest batch, its logits.
type member struct {
	crew
	number, of int
	spec       nn.Spec
	max        int // rows
	models     []*quant.Model
	x, y       []float32
}

func newMember(c crew, number, of int, models []*quant.Model) *member {
	spec, most := models[0].Spec, models[0].MaxBatch()
	return &member{crew: c, number: number, of: of, spec: spec, max: most, models: models}
}

// size is how many floats the crew must have in common.
func (m *member) size() int { return m.max * (m.spec.In + m.spec.Out) }

// logits is where those of a row are.
func (m *member) logits(row int) int { return m.max*m.spec.In + row*m.spec.Out }

// part returns the rows from lo to hi-1 that are a member's.
func (m *member) part(number, rows int) (lo, hi int) {
	return rows * number / m.of, rows * (number + 1) / m.of
}

// Shares reports whether batches of that many rows are shared.
func (m *member) Shares(rows int, sparse bool) bool { return !sparse && rows >= m.of }

// Forward is the first member's: it has the others compute their rows of the batch, and computes its own.
func (m *member) Forward(model int, x nn.Batch) ([]float32, error) {
	if x.IsSparse() || !m.Shares(x.Rows, false) {
		return m.models[model].Forward(x)
	}
	if x.Rows > m.max || x.Cols != m.spec.In {
		return nil, fmt.Errorf("a batch of %d rows of %d features does not fit the models", x.Rows, x.Cols)
	}
	_, own := m.part(0, x.Rows)
	m.put(own*x.Cols, x.Dense[own*x.Cols:x.Rows*x.Cols])
	m.start(model, x.Rows)
	y, err := m.models[model].ForwardPart(nn.Batch{Rows: own, Cols: x.Cols, Dense: x.Dense[:own*x.Cols]}, m.meet)
	m.y = grow(m.y, m.max*m.spec.Out)
	copy(m.y, y)
	m.finish()
	m.get(m.logits(own), m.y[own*m.spec.Out:x.Rows*m.spec.Out])
	return m.y[:x.Rows*m.spec.Out], err
}

// Close lets the helpers go; they stay for the next crew.
func (m *member) Close() { m.start(-1, 0) }

// serve is a helper's: it computes its rows of every batch until the crew is dissolved.
func (m *member) serve() {
	m.x = grow(m.x, m.max*m.spec.In)
	for model, rows := m.next(); model >= 0; model, rows = m.next() {
		lo, hi := m.part(m.number, rows)
		x := m.x[:(hi-lo)*m.spec.In]
		m.get(lo*m.spec.In, x)
		y, err := m.models[model].ForwardPart(nn.Batch{Rows: hi - lo, Cols: m.spec.In, Dense: x}, m.meet)
		if err == nil { // what fails here, for a NaN somewhere in the batch, fails for the first member, which says so
			m.put(m.logits(lo), y)
		}
		m.done()
	}
}

func grow(s []float32, n int) []float32 {
	if len(s) < n {
		return make([]float32, n)
	}
	return s
}

// pack writes the models as a helper reads them.
func pack(models []*quant.Model) (text string, files [][]byte, err error) {
	first := models[0]
	for _, m := range models {
		var file bytes.Buffer
		if err := modelfile.Write(&file, m, modelfile.Meta{Model: m.Spec.ID}); err != nil {
			return "", nil, err
		}
		files = append(files, file.Bytes())
	}
	data, err := json.Marshal(outfit{Spec: first.Spec, Engine: first.Engine().Name(), MaxBatch: first.MaxBatch()})
	return string(data), files, err
}

// unpack makes the models that pack has written.
func unpack(text string, files [][]byte) ([]*quant.Model, error) {
	var o outfit
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return nil, err
	}
	engine, err := kernel.Lookup(o.Engine)
	if err != nil {
		return nil, err
	}
	var models []*quant.Model
	for _, file := range files {
		m, _, err := modelfile.Read(bytes.NewReader(file), o.Spec, quant.Options{Engine: engine, MaxBatch: o.MaxBatch})
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	return models, nil
}
