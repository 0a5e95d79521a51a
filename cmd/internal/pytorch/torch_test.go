// Package pytorch holds the test in which PyTorch itself quantizes our networks and answers the same inputs.
package pytorch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/dataset"
	"quantlab/core/exchange"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// pythonEnv names a Python that has torch, of a release that still has torch.ao.quantization, and numpy.
const pythonEnv = "QUANTLAB_TORCH_PYTHON"

// torchRuns is how often each latency is measured, ours and PyTorch's in turns.
const torchRuns = 5

// Our networks, handed over as state_dicts and converted by torch.ao there, answer the whole test sets as ours do. Latencies of
// both, from the same run and on one thread, are logged.
func TestTorchAO(t *testing.T) {
	python := os.Getenv(pythonEnv)
	if python == "" {
		t.Skip(pythonEnv + " names no Python with torch")
	}
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	peer := startTorch(t, python)
	for _, spec := range nn.Specs() {
		t.Run(spec.ID, func(t *testing.T) { compareTorch(t, store, peer, spec) })
	}
}

func compareTorch(t *testing.T, store *prepare.Store, peer *torch, spec nn.Spec) {
	net, meta, err := store.Network(t.Context(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	test, err := store.Test(t.Context(), spec, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	sample, err := store.Calibration(t.Context(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	models := map[string]*quant.Model{}
	for _, v := range wire.VariantIDs() {
		plan, err := quant.Preset(v, len(net.Layers))
		if err != nil {
			t.Fatal(err)
		}
		if models[v], err = quant.Convert(net, plan, meta.Calibration, quant.Options{}); err != nil {
			t.Fatal(err)
		}
		defer models[v].Close()
	}
	state := filepath.Join(dir, "state.pt")
	var file bytes.Buffer
	if _, err := exchange.Export(&file, models[wire.Baseline], exchange.Card{Spec: spec}, wire.PyTorch); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(state, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var loaded struct{ Version string }
	peer.ask(t, map[string]any{
		"op": "load", "state": state, "test": written(t, filepath.Join(dir, "test"), test), "sample": written(t, filepath.Join(dir, "sample"), sample),
	}, &loaded)

	for _, v := range wire.VariantIDs() {
		var theirs struct{ Classes []int }
		peer.ask(t, map[string]any{"op": "answer", "variant": v}, &theirs)
		ours := answers(t, models[v], test)
		differ := 0
		for i, a := range ours {
			if a != theirs.Classes[i] {
				differ++
			}
		}
		t.Logf("%s, %s: %d of %d predictions differ from PyTorch %s", spec.ID, v, differ, len(ours), loaded.Version)
		if differ*1000 > len(ours) {
			t.Errorf("%s: %d of %d predictions differ", v, differ, len(ours))
		}
		for _, batch := range []int{1, 64} {
			t.Log(timeBoth(t, peer, models[v], test, v, batch))
		}
	}
}

// written writes the examples as torch_ao.py reads them, a byte a feature, and describes the file.
func written(t *testing.T, name string, e *dataset.Examples) map[string]any {
	t.Helper()
	data, scale := e.Pixels, 255
	if e.Sparse() {
		data, scale = make([]byte, e.Len()*e.Dim), 1
		for i := range e.Len() {
			for k := e.Start[i]; k < e.Start[i+1]; k++ {
				data[i*e.Dim+int(e.Index[k])] = byte(e.Count[k])
			}
		}
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"file": name, "rows": e.Len(), "cols": e.Dim, "scale": scale}
}

// answers returns the model's class of every example, in the batches that accuracy is measured in.
func answers(t *testing.T, m *quant.Model, e *dataset.Examples) []int {
	t.Helper()
	var classes []int
	var batch nn.Batch
	for lo := 0; lo < e.Len(); lo += lab.EvalBatch {
		e.Slice(&batch, lo, min(lo+lab.EvalBatch, e.Len()))
		logits, err := m.Forward(batch)
		if err != nil {
			t.Fatal(err)
		}
		for ; len(logits) > 0; logits = logits[m.Spec.Out:] {
			classes = append(classes, quant.Class(logits[:m.Spec.Out]))
		}
	}
	return classes
}

// timeBoth measures ours and theirs in turns, and says how they compare.
func timeBoth(t *testing.T, peer *torch, m *quant.Model, e *dataset.Examples, variant string, size int) string {
	t.Helper()
	var batch nn.Batch
	e.Slice(&batch, 0, size)
	batch = batch.Scatter(nil)
	call := measure.Candidate{Name: variant, Call: func() error { _, err := m.Forward(batch); return err }}
	var ours, theirs []float64
	for range torchRuns {
		s, err := measure.Interleave(t.Context(), []measure.Candidate{call}, measure.Options{Runs: 1})
		if err != nil {
			t.Fatal(err)
		}
		var timed struct{ US float64 }
		peer.ask(t, map[string]any{"op": "time", "variant": variant, "batch": size}, &timed)
		ours, theirs = append(ours, s[0].Samples[0]), append(theirs, timed.US)
	}
	ratio, low, high, _ := measure.CompareRatio(theirs, ours)
	a, b := measure.Summarize(ours), measure.Summarize(theirs)
	return fmt.Sprintf("%s, %s, batch %d: ours %.1f ± %.1f µs, PyTorch's %.1f ± %.1f µs, ratio %.2f (%.2f to %.2f)",
		m.Spec.ID, variant, size, a.Mean, a.Std, b.Mean, b.Std, ratio, low, high)
}

// A torch is a running torch_ao.py.
type torch struct {
	in  io.Writer
	out *bufio.Scanner
	log strings.Builder
}

func startTorch(t *testing.T, python string) *torch {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "torch_ao.py"))
	peer := &torch{}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = &peer.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	peer.in, peer.out = in, bufio.NewScanner(out)
	peer.out.Buffer(nil, 1<<20)
	return peer
}

// ask sends a request and decodes its answer.
func (p *torch) ask(t *testing.T, request, answer any) {
	t.Helper()
	if err := json.NewEncoder(p.in).Encode(request); err != nil {
		t.Fatal(err)
	}
	if !p.out.Scan() {
		t.Fatalf("PyTorch ended: %v\n%s", p.out.Err(), p.log.String())
	}
	if err := json.Unmarshal(p.out.Bytes(), answer); err != nil {
		t.Fatal(err)
	}
}
