package app

import (
	"fmt"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
)

// about explains the table to somebody who sees it for the first time. Nothing in it changes but what the reader brought.
type about struct {
	goapp.Compo
	Own *wire.Own
}

// explanations say what each variant is, in a sentence or two.
var explanations = map[string]string{
	"fp32": "Every weight takes four bytes, as training left it. All others are compared with this one.",
	"dynamic-float16": "Every weight is rounded to a two-byte float. The arithmetic stays float32, so answers hardly ever " +
		"change; what is saved is memory and its bandwidth. In a browser a small network gains nothing but the smaller file: WebAssembly " +
		"has no instruction that widens such a float, so layers of up to two million weights are kept as float32 in memory.",
	"dynamic-qint8": "Every weight becomes one of 255 whole numbers times a scale: one byte. Inputs of each layer are rounded " +
		"to whole numbers too, with the range of the batch at hand, and the products are summed in integers.",
	"static-qint8": "As before, but the ranges are found once, beforehand, on a sample of the training data, and results go " +
		"from layer to layer as integers. Less work for each call; more depends on the sample.",
}

// reading is how to read the table, a term and its meaning at a time.
var reading = [][2]string{
	{"Size", "Bytes of the saved model file, in millions. Below it, those of the file that PyTorch saves of the same conversion (torch.save of its " +
		"state_dict). Float16 weights save nothing there: PyTorch unpacks them to float32 when it saves."},
	{"Accuracy", "How many of the test examples are answered rightly. The 95% interval is what that many examples can tell; " +
		"two accuracies within each other’s interval need a closer look, which the next figure takes."},
	{"9 differ (+4 −5), p", "On how many examples a variant answers otherwise than float32; how many of them became right, and how " +
		"many wrong (the rest are wrong both times, with another answer); and how often chance alone would tip them so unevenly (McNemar’s exact test). A p above 0.05 shows no real loss."},
	{"Latency", "Microseconds for one batch, mean ± standard deviation over the runs. The bar is the mean, the whisker one " +
		"standard deviation to each side, every dot one run. Browser bars are pale, native ones full; all bars of one model " +
		"and batch size share one scale."},
	{"Browser and native", "The same program twice: compiled to WebAssembly in this tab, and to machine code in the server that sent " +
		"the page. Both quantize to the same integers, so size and accuracy agree; speed is what differs."},
	{"Engine", "Which of quantlab’s kernels compute. Plain Go runs anywhere, one number at a time. SIMD128 computes with four float32 " +
		"or sixteen bytes at once, as every current browser can; relaxed SIMD with instructions besides that sum products of bytes, which int8 is made " +
		"for, where the browser has them. AVX2 and AVX-512 are a processor’s own, natively. The fastest runs unless you choose another."},
	{"Threads", "How many threads share one pass. In a browser they share a batch by its rows, each with the model in a memory of its own, " +
		"so a batch of 1 is computed by one."},
	{"Roofline", "How near a pass comes to what the machine can do. The machine reads so many bytes of weights a second and makes so many " +
		"multiply-adds a second; a pass that needs both cannot be faster than the slower of the two. At batch 1 each weight is read for one " +
		"multiply-add, so memory is the limit and fewer bytes are faster; at batch 64 each weight serves 64 rows, so arithmetic is. Overhead is " +
		"what a small net spends besides."},
	{"Clock, isolated", "Of a machine: the shortest time that can be told, and whether the browser keeps this page apart from others, " +
		"which makes its clock finer."},
	{"Faster, slower", "The ratio to float32, run by run, with its 95% interval. If the interval holds 1, the runs show no " +
		"difference, however the means look."},
	{"Quick run", "The first 1,000 test images and 3 runs, to have something at once. It is approximate: a thousand images fix " +
		"the accuracy to about one point, and three runs tell little of the spread."},
}

// modelText says what a model reads and answers.
func modelText(s nn.Spec) string {
	layers := "One hidden layer: "
	if n := len(s.Hidden); n > 1 {
		layers = fmt.Sprintf("%d hidden layers: ", n)
	}
	layers += s.Shape() + "."
	if s.Data == nn.MNIST {
		return fmt.Sprintf("Reads a handwritten digit (MNIST) of %d by %d pixels and says which of the ten it is. %s", s.Crop, s.Crop, layers)
	}
	words := fmt.Sprintf("the %s most frequent words", report.Count(s.Vocab))
	if s.Vocab == 0 {
		words = fmt.Sprintf("all %s words of the training set", report.Count(s.In))
	}
	return fmt.Sprintf("Reads a phrase of a film review (SST-2) as counts of %s, in no order, and says whether it praises or pans. %s", words, layers)
}

// ownText says the same of a model of the reader's own.
func ownText(m wire.OwnModel) string {
	s := m.Spec
	reads := fmt.Sprintf("an image of %d by %d pixels", s.Crop, s.Crop)
	if s.Data == nn.SST2 {
		reads = fmt.Sprintf("a sentence as a bag of %s words", report.Count(s.Vocab))
	}
	const most = 12
	labels, more := s.Labels(), ""
	if n := len(labels) - most; n > 0 {
		labels, more = labels[:most], ", …"
	}
	return fmt.Sprintf("Your own, from %s (%s). Reads %s and tells %d classes apart: %s%s. %s.", m.File, m.Format, reads,
		len(s.Labels()), strings.Join(labels, ", "), more, s.Shape())
}

func (a *about) Render() goapp.UI {
	variants := []goapp.UI{}
	for _, v := range wire.Variants() {
		variants = append(variants,
			goapp.Dt().Body(goapp.Span().Class("variant").Body(goapp.Raw(markerSVG(v.ID)), goapp.Span().Text(variantName(v.ID)))),
			goapp.Dd().Text(explanations[v.ID]),
		)
	}
	models := []goapp.UI{}
	for _, s := range nn.Specs() {
		models = append(models, goapp.Dt().Text(s.ID), goapp.Dd().Text(modelText(s)))
	}
	if a.Own != nil {
		for _, m := range a.Own.Models {
			models = append(models, goapp.Dt().Text(m.Spec.ID), goapp.Dd().Text(ownText(m)))
		}
	}
	terms := []goapp.UI{}
	for _, r := range reading {
		terms = append(terms, goapp.Dt().Text(r[0]), goapp.Dd().Text(r[1]))
	}
	return goapp.Div().Class("about").Body(
		goapp.Details().ID("what").Body(goapp.Summary().Text("What are these variants?"), goapp.Dl().Body(variants...)),
		goapp.Details().ID("models").Body(goapp.Summary().Text("What are these models?"), goapp.Dl().Body(models...)),
		goapp.Details().ID("how").Body(goapp.Summary().Text("How do I read the table?"), goapp.Dl().Body(terms...)),
	)
}
