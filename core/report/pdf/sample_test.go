package pdf

import (
	"fmt"
	"math"

	"quantlab/core/report"
	"quantlab/core/report/figure"
	"quantlab/core/report/paper"
)

// sample is a paper with everything that a paper can hold, long enough for breaks of all kinds.
func sample() paper.Paper {
	lorem := "Static int8 takes 48 µs for a batch of one, 2.10 times less than float32 (95% interval 2.04–2.16), because reading " +
		"the weights from memory is what bounds both: 1.6 MB against 0.4 MB at 14 GB/s. The bound predicts 3.9×; what is left is the " +
		"overhead of calls, which quantization does not make smaller. See https://arxiv.org/abs/1712.05877 for the arithmetic."
	return paper.Paper{
		Title: "Post-training quantization of four small networks, measured", Version: "v1.2.3", Made: "2026-11-23T12:00:00Z",
		Facts:    [][2]string{{"Made", "2026-11-23 12:00 UTC, by quantlab v1.2.3"}, {"Machine", "Some CPU @ 2.50 GHz, 2 cores, 4 threads, 16 GiB"}, {"Command", "quantlab report -o report.pdf"}},
		Warnings: []string{"The results were measured on another machine: “Some CPU”, 8 threads, and this report was made on a “Different CPU”.", "sst2-lab1 is missing: SST-2 was not there."},
		Sections: []paper.Section{
			{ID: "setup", Title: "What was measured, and on what", Level: 1, Blocks: []paper.Block{{Text: lorem + "\n\n" + lorem}}},
			{ID: "hardware", Title: "Hardware", Level: 2, Blocks: []paper.Block{
				{Facts: [][2]string{{"CPU", "Some CPU"}, {"Instruction sets", "sse4.1, avx, avx2, fma, f16c, avx512f, avx512bw, avx512vl, avx512_vnni, avx512_bf16, and a few more that make this line long"}}},
				{List: []string{"short", lorem}}}},
			{ID: "baseline", Title: "The baseline", Level: 1, Blocks: []paper.Block{
				{Text: lorem}, {Table: labTable("float32", 4)}, {Figure: latencies()},
				{Draft: &paper.Draft{ID: "baseline-1", Title: "Batch size", Text: lorem + "\n\n" + lorem, Cites: []string{"mnist-lab2, float32, batch 1", "mnist-lab2, float32, batch 64"}}},
				{Draft: &paper.Draft{ID: "baseline-2", Title: "Model", Text: lorem, Own: "These are my <b>own</b> words.\n\nIn two paragraphs: 数字 and 😀."}}}},
			{ID: "static", Title: "Static quantization", Level: 1, Blocks: []paper.Block{
				{Table: labTable("qint8", 12)}, {Figure: front()}, {Figure: curves()}, {Figure: sweep()}, {Table: longTable(70)}, {Table: wideTable(30)}, {Table: wideTable(3)}}},
			{ID: "next", Title: "What to do next", Level: 1, Blocks: []paper.Block{
				{Draft: &paper.Draft{ID: "surprise", Title: "The most surprising observation", Text: lorem, Cites: []string{"a"}, Code: "quantlab run --models mnist-lab2 --batches 1,2,4,8,16,32,64,128,256 --runs 20 --engine avx2 --format json > one.json\nquantlab roofline --models mnist-lab2"}},
				{Code: "quantlab report -o report.pdf --seed 0"}}},
		},
	}
}

func labTable(dtype string, rows int) *report.PlainTable {
	t := &report.PlainTable{Title: "MNIST, " + dtype, Caption: "Latency of one forward pass in µs: mean ± standard deviation, n = 5 runs. Accuracy on 10,000 test images."}
	for _, c := range []string{"Model", "Q", "dtype", "Size (MB)", "Smaller", "Params", "Accuracy [95% interval]", "Correct", "Answers against float32", "Latency, batch 1 (µs)", "Batch 1 against float32", "Latency, batch 64 (µs)", "Batch 64 against float32"} {
		t.Columns = append(t.Columns, report.Column{Key: c, Title: c, Right: c == "Size (MB)" || c == "Smaller" || c == "Params" || len(c) > 20 && c[:7] == "Latency"})
	}
	for i := range rows {
		t.Rows = append(t.Rows, []string{fmt.Sprintf("mnist-lab%d", i+1), "D", dtype, "1.628", "3.99×", "407,050", "97.06% [96.71, 97.37]", "9,706 of 10,000",
			"13 differ (+1 −12), p = 0.003", "142.3 ± 1.8", "1.71× faster (1.68–1.74×)", "3,142 ± 18", "no difference detected"})
	}
	return t
}

func longTable(n int) *report.PlainTable {
	t := &report.PlainTable{Title: "Every layer", Caption: "One at a time.", Columns: []report.Column{{Title: "Layer"}, {Title: "Accuracy", Right: true}, {Title: "A note"}}}
	for i := range n {
		t.Rows = append(t.Rows, []string{fmt.Sprintf("layers.%d", i), fmt.Sprintf("%.2f%%", 97-float64(i)/100), "nothing lost"})
	}
	return t
}

func wideTable(n int) *report.PlainTable {
	t := &report.PlainTable{Title: fmt.Sprintf("Plans, %d of them", n), Caption: "With more columns than a page is wide."}
	for i := range 19 {
		t.Columns = append(t.Columns, report.Column{Title: fmt.Sprintf("Column%d", i), Right: i > 1})
	}
	for r := range n {
		row := make([]string, 19)
		for i := range row {
			row[i] = fmt.Sprintf("cell%d.%d", r, i)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func latencies() *figure.Figure {
	f := &figure.Figure{ID: "latency", Title: "Latency, batch 1", Caption: "Bars are means, whiskers standard deviations, dots single runs.",
		X: figure.Axis{Label: "Latency (µs)", Zero: true}, Y: figure.Axis{Categories: []string{"mnist-lab1", "mnist-lab2", "sst2-lab1", "sst2-lab2"}}}
	for i, v := range []string{"fp32", "dynamic-float16", "dynamic-qint8", "static-qint8"} {
		s := figure.Series{Name: report.VariantTitle(v), Variant: v, Kind: figure.Bars}
		for m := range 4 {
			x := 400 * float64(m+1) / float64(i+1)
			s.Points = append(s.Points, figure.Point{X: x, Y: float64(m), Span: &figure.Span{Low: x * .95, High: x * 1.05}, Samples: []float64{.94 * x, x, 1.01 * x, 1.02 * x, 1.06 * x}})
		}
		f.Series = append(f.Series, s)
	}
	return f
}

func front() *figure.Figure {
	f := &figure.Figure{ID: "front", Title: "Size against accuracy", Caption: "Each point is a plan; labelled ones are worth having.",
		X: figure.Axis{Label: "Size (MB)", Log: true}, Y: figure.Axis{Label: "Accuracy", Percent: true}}
	custom := figure.Series{Name: "plans", Variant: "custom", Kind: figure.Points}
	for i := range 40 {
		p := figure.Point{X: .2 * math.Pow(1.07, float64(i)), Y: .97 - .02/float64(1+i%7)}
		if i%7 == 6 {
			p.Label = fmt.Sprintf("int8 int4 f16 %d", i)
		}
		custom.Points = append(custom.Points, p)
	}
	f.Series = append(f.Series, custom)
	for i, v := range []string{"fp32", "dynamic-float16", "dynamic-qint8", "static-qint8", "amp"} {
		y := .965 + .001*float64(i)
		f.Series = append(f.Series, figure.Series{Name: v, Variant: v, Kind: figure.Points, Points: []figure.Point{{X: 3 / float64(i+1), Y: y, Span: &figure.Span{Low: y - .003, High: y + .003}, Label: v}}})
	}
	return f
}

func curves() *figure.Figure {
	f := &figure.Figure{ID: "curves", Title: "Training loss", Caption: "Mean of the steps since the point before.",
		X: figure.Axis{Label: "Step"}, Y: figure.Axis{Label: "Loss", Log: true}}
	for k, v := range []string{"fp32", "amp", "amp"} {
		s := figure.Series{Name: fmt.Sprint(v, k), Variant: v, Kind: figure.Line}
		if k == 2 {
			s.Kind = figure.Steps
		}
		for i := range 120 {
			s.Points = append(s.Points, figure.Point{X: float64(10 * i), Y: 2.3*math.Exp(-float64(i)/30)*(1+.1*math.Sin(float64(i*(k+1)))) + .05*float64(k+1)})
		}
		f.Series = append(f.Series, s)
	}
	return f
}

func sweep() *figure.Figure {
	f := &figure.Figure{ID: "sweep", Title: "How much of a lottery calibration is", Caption: "Ten samples of each size.",
		X: figure.Axis{Label: "Calibration examples", Log: true}, Y: figure.Axis{Label: "Accuracy", Percent: true}}
	s := figure.Series{Name: "mnist-lab2", Variant: "static-qint8", Kind: figure.Points}
	mean := figure.Series{Name: "mean", Variant: "static-qint8", Kind: figure.Line}
	for i, n := range []float64{1, 2, 5, 10, 20, 50, 100, 500, 1000, 2000} {
		y := .9745 - .01/n
		p := figure.Point{X: n, Y: y}
		for k := range 10 {
			p.Samples = append(p.Samples, y+.004*math.Sin(float64(7*i+3*k))/math.Sqrt(n))
		}
		s.Points, mean.Points = append(s.Points, p), append(mean.Points, figure.Point{X: n, Y: y})
	}
	base := figure.Series{Name: "float32", Variant: "fp32", Kind: figure.Line, Points: []figure.Point{{X: 1, Y: .9748}, {X: 2000, Y: .9748}}}
	f.Series = []figure.Series{base, mean, s}
	return f
}
