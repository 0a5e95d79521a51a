package play

import (
	"context"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// An ownSource has a model of the reader's own, too, and counts what is read.
type ownSource struct {
	fakeSource
	read map[string]int
}

func (s *ownSource) Own(context.Context) (*wire.Own, error) {
	spec := nn.Specs()[0]
	spec.ID, spec.Own = "mine", true
	return &wire.Own{Models: []wire.OwnModel{{Spec: spec}}}, nil
}

func (s *ownSource) Network(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*nn.Network, modelfile.Meta, error) {
	s.read[spec.ID]++
	return s.fakeSource.Network(ctx, spec, progress)
}

// What is the reader's own is read anew once that may have changed, the lab's models are not.
func TestForget(t *testing.T) {
	src := &ownSource{read: map[string]int{}}
	b := newBench(t, src)
	warm := func() {
		t.Helper()
		for _, id := range []string{"mine", "mnist-lab1"} {
			if err := b.Warm(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
	}
	warm()
	warm()
	if src.read["mine"] != 1 || src.read["mnist-lab1"] != 1 {
		t.Errorf("read %v", src.read)
	}
	b.Forget()
	warm()
	if src.read["mine"] != 2 || src.read["mnist-lab1"] != 1 {
		t.Errorf("after Forget, read %v", src.read)
	}
}
