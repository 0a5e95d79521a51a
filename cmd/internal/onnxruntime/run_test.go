package onnxruntime

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"quantlab/core/modelfile/onnx"
	"quantlab/core/modelfile/onnx/onnxtest"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// batch is how many examples are run at a time, here as there: it matters to dynamic layers.
const batch = 64

// A job is what run.cjs is told.
type job struct {
	Model     string          `json:"model"`
	Input     string          `json:"input"`
	Columns   int             `json:"columns"`
	Batch     int             `json:"batch"`
	Precise   bool            `json:"precise"` // for activations of all 8 bits
	Output    string          `json:"output"`
	Optimized string          `json:"optimized"`
	Times     map[int]float64 `json:"times"` // µs of a call, by batch
}

// A bench runs models in ONNX Runtime.
type bench struct {
	t        *testing.T
	dir      string // of the files
	packages string // has node_modules
	jobs     []job
}

func newBench(t *testing.T) *bench {
	return &bench{t: t, dir: t.TempDir(), packages: install(t)}
}

func (b *bench) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// floats keeps the batches in a file, and returns its path.
func (b *bench) floats(batches []nn.Batch) string {
	f, err := os.Create(filepath.Join(b.dir, "input.f32"))
	b.check(err)
	for _, x := range batches {
		b.check(binary.Write(f, binary.LittleEndian, x.Scatter(nil).Dense))
	}
	b.check(f.Close())
	return f.Name()
}

// add writes a model that is to run on the input, and returns the number of its job.
func (b *bench) add(name, input string, layers []quant.QuantizedLayer, d onnx.Description, times ...int) int {
	var file bytes.Buffer
	b.check(onnx.Write(&file, layers, d))
	base := filepath.Join(b.dir, name)
	j := job{
		Model: base + ".onnx", Input: input, Columns: layers[0].In, Batch: batch,
		Output: base + ".f32", Optimized: base + ".optimized.onnx", Times: map[int]float64{},
	}
	for _, l := range layers {
		j.Precise = j.Precise || l.I8 != nil && quant.Top(l.Scheme.Activation) > math.MaxInt8
	}
	for _, n := range times {
		j.Times[n] = 0
	}
	b.check(os.WriteFile(j.Model, file.Bytes(), 0o644))
	b.jobs = append(b.jobs, j)
	return len(b.jobs) - 1
}

// run runs all jobs.
func (b *bench) run() {
	jobs, err := json.Marshal(b.jobs)
	b.check(err)
	cmd := exec.CommandContext(b.t.Context(), "node", filepath.Join("testdata", "run.cjs"))
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(b.packages, "node_modules"))
	cmd.Stdin = bytes.NewReader(jobs)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		b.t.Fatalf("node: %v: %s", err, exit.Stderr)
	}
	b.check(err)
	b.check(json.Unmarshal(out, &b.jobs))
}

// logits returns what a job gave.
func (b *bench) logits(job int) []float32 {
	raw, err := os.ReadFile(b.jobs[job].Output)
	b.check(err)
	out := make([]float32, len(raw)/4)
	_, err = binary.Decode(raw, binary.LittleEndian, out)
	b.check(err)
	return out
}

// ops counts the operators that ONNX Runtime made of a job's model.
func (b *bench) ops(job int) map[string]int {
	file, err := os.ReadFile(b.jobs[job].Optimized)
	b.check(err)
	m, err := onnxtest.Read(file)
	b.check(err)
	return m.Ops()
}
