package play
import ("testing";"quantlab/core/lab/wire")
func BenchmarkZI(t *testing.B) {
	src := trained(t, "sst2-lab1")
	b := newBench(t, src)
	i := 0
	for t.Loop() {
		p := []string{"static-w8c-a8r-minmax","dynamic-w8-a8r","float16"}[i%3]
		i++
		if err := b.Inspect(t.Context(), wire.InspectRequest{Model: "sst2-lab1", Conversion: wire.Conversion{Plan: p}}, func(e wire.Event) {}); err != nil { t.Fatal(err) }
	}
}
func BenchmarkZE(t *testing.B) {
	src := trained(t, "sst2-lab1")
	b := newBench(t, src)
	i := 0
	for t.Loop() {
		p := []string{"static-w8c-a8r-minmax","dynamic-w8-a8r","float16"}[i%3]
		i++
		if err := b.Evaluate(t.Context(), wire.EvaluateRequest{Model: "sst2-lab1", Conversion: wire.Conversion{Plan: p}}, func(e wire.Event) {}); err != nil { t.Fatal(err) }
	}
}
