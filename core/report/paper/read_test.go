package paper

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"go/build"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"quantlab/core/lab/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fixture is a study of real measurements; testdata/README.md tells how they were made.
func fixture(t testing.TB) wire.Study {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "study.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	study, notices, err := ReadStudy(f)
	if err != nil || len(notices) > 0 {
		t.Fatal(err, notices)
	}
	return study
}

func encode(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A study survives being written and read.
func TestStudyReadsBack(t *testing.T) {
	study := fixture(t)
	var b bytes.Buffer
	if err := JSON(&b, study); err != nil {
		t.Fatal(err)
	}
	again, notices, err := ReadStudy(&b)
	if err != nil || len(notices) > 0 || !reflect.DeepEqual(study, again) {
		t.Errorf("it does not read back: %v %v", err, notices)
	}
}

// Every part is recognized by itself, and in a list.
func TestPartsAreRecognized(t *testing.T) {
	s := fixture(t)
	run, sens, plans, sweep, amp := wire.Result{Version: "v"}, wire.Sensitivity{}, wire.Plans{}, wire.Sweep{}, wire.AMP{}
	run.Rows = s.Results[0].Rows
	list := "[" + strings.Join([]string{encode(t, run), encode(t, sens), encode(t, plans), encode(t, sweep), encode(t, amp), encode(t, run)}, ",") + "]"
	for name, c := range map[string]struct {
		text string
		want []int // results, sensitivity, plans, sweeps, amp
	}{
		"run": {encode(t, run), []int{1, 0, 0, 0, 0}}, "sensitivity": {encode(t, sens), []int{0, 1, 0, 0, 0}}, "plans": {encode(t, plans), []int{0, 0, 1, 0, 0}},
		"sweep": {encode(t, sweep), []int{0, 0, 0, 1, 0}}, "amp": {encode(t, amp), []int{0, 0, 0, 0, 1}}, "list": {list, []int{2, 1, 1, 1, 1}}, "empty list": {"[]", []int{0, 0, 0, 0, 0}},
	} {
		got, notices, err := ReadStudy(strings.NewReader(c.text))
		if n := []int{len(got.Results), len(got.Sensitivity), len(got.Plans), len(got.Sweeps), len(got.AMP)}; err != nil || !reflect.DeepEqual(n, c.want) {
			t.Errorf("%s: %v, %v", name, n, err)
		}
		if name != "empty list" && len(notices) != 1 || !strings.Contains(strings.Join(notices, ""), "settings") && name != "empty list" {
			t.Errorf("%s: notices %q", name, notices)
		}
	}
}

func TestOlderFormat(t *testing.T) {
	_, notices, err := ReadStudy(strings.NewReader(`{"results":[]}`))
	if err != nil || len(notices) != 1 || !strings.Contains(notices[0], "older quantlab") {
		t.Error(notices, err)
	}
}

// rows is a run with one row of these fields.
func row(fields string) string {
	return `{"rows":[{"model":"mnist-lab1","variant":"fp32",` + fields + `}]}`
}

func TestBadStudies(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":           {"", "no whole JSON"},
		"half":              {`{"rows":[{"model":"mnist`, "ends at byte 24"},
		"not JSON":          {"Model,Accuracy\nmnist,1", "no JSON"},
		"a word":            {`"hello"`, "no results"},
		"null":              {`null`, "no results"},
		"nobody's":          {`{"a":1}`, "neither rows nor any part"},
		"roofline":          {`{"peaks":null,"cells":[]}`, "a roofline"},
		"newer":             {`{"format":2,"version":"v9","results":{"new":1}}`, "format 2, of a newer quantlab (v9)"},
		"negative format":   {`{"format":-1}`, "format -1"},
		"part of a list":    {`[{"rows":[]},{"a":1}]`, "part 2 of 2"},
		"list in a list":    {`[[]]`, "part 1 of 1"},
		"text for a number": {row(`"correct":"many"`), "rows.correct holds a string"},
		"accuracy":          {row(`"accuracy":7,"correct":7,"total":10`), "run 1, row 1 (mnist-lab1, fp32): accuracy 7 can't be true"},
		"another accuracy":  {row(`"accuracy":0.5,"correct":7,"total":10`), "not that of 7 of 10"},
		"more than all":     {row(`"correct":11,"total":10`), "right answers 11"},
		"negative latency":  {row(`"latency_us":{"1":{"mean":-3}}`), "batch 1: the mean latency -3"},
		"negative sample":   {row(`"latency_us":{"1":{"mean":3,"samples":[1,-1]}}`), "a run's latency -1"},
		"no batch":          {row(`"latency_us":{"one":{"mean":3}}`), `"one" is no batch size`},
		"no number":         {row(`"latency_us":{"1":{"mean":1e999}}`), "can't be read"},
		"outlier":           {row(`"latency_us":{"1":{"mean":1,"samples":[1],"outliers":[1]}}`), "outlier is run 2 of 1"},
		"verdict":           {row(`"latency_us":{"1":{"mean":1,"verdict":{"word":"better"}}}`), `"better" is no verdict`},
		"upside down":       {row(`"latency_us":{"1":{"mean":1,"verdict":{"word":"faster","ratio":2,"low":3,"high":4}}}`), "lower end 3"},
		"p":                 {row(`"paired":{"p":2}`), "p 2 can't be true"},
		"lost":              {row(`"correct":9,"total":10,"paired":{"p":1,"lost":3}`), "became wrong 3"},
		"interval":          {row(`"interval":[0.9,0.8]`), "interval 0.8"},
		"size":              {row(`"size_bytes":-1`), "the size -1"},
		"PyTorch's size":    {row(`"size_torch_bytes":-1`), "the size of PyTorch's file -1"},
		"own model":         {`{"settings":{"own":{"models":[{"spec":{"id":"x","own":true,"data":"mnist"}}]}},"rows":[]}`, "a model that can't be"},
		"own data":          {`{"settings":{"own":{"data":[{"name":"` + strings.Repeat("x", 300) + `"}]}},"rows":[]}`, "a name of 300 bytes"},
		"long name":         {`{"rows":[{"model":"` + strings.Repeat("x", 300) + `"}]}`, "a name of 300 bytes"},
		"long note":         {row(`"note":"` + strings.Repeat("x", 20000) + `"`), "a text of 20000 bytes"},
		"rows":              {`{"rows":[` + strings.Repeat("{},", 3000) + `{}]}`, "more than 1000 rows"},
		"objects":           {`{"rows":[` + strings.Repeat("{},", 100_001) + `{}]}`, "more than 100000 objects"},
		"lists":             {`{"a":[` + strings.Repeat("[],", 100_001) + `[]]}`, "more than 100000 lists"},
		"deep":              {strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20), "deeper than 16"},
		"numbers for rows":  {`{"rows":[1,1]}`, `list "rows" holds a number`},
		"nulls for rows":    {`{"rows":[null]}`, "something empty"},
		"large":             {`{"rows":[],"notes":["` + strings.Repeat("x", 64<<20) + `"]}`, "larger than 64 MB"},
		"mode":              {`{"references":[],"rows":[{"mode":"some"}]}`, `"some" is no way`},
		"rho":               {`{"references":[],"correlations":[{"rho":2}]}`, "rho 2"},
		"curve":             {`{"options":{},"rows":[{"mixed":[{"steps":2,"curve":[{"step":2},{"step":1}]}]}]}`, "step 1 of the curve comes after step 2"},
		"skipped":           {`{"options":{},"rows":[{"float32":[{"steps":2,"skipped":3}]}]}`, "skipped steps 3"},
		"sweep":             {`{"points":[{"total":1,"differ":2}]}`, "answers that differ 2"},
		"spread":            {`{"spreads":[{"lowest":0.9,"highest":0.8}]}`, "highest accuracy 0.8"},
		"predicted":         {`{"searches":[{"points":[{"predicted_us":{"1":-1}}]}]}`, "predicted time -1"},
		"peaks":             {`{"rows":[],"peaks":{"read":[{"bytes":2,"gbs":1},{"bytes":1,"gbs":1}]}}`, "do not ascend"},
		"settings":          {`{"rows":[],"settings":{"batches":[0]}}`, "batch 0 in the settings"},
	} {
		_, _, err := ReadStudy(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, _, err := ReadStudy(broken{}); err == nil {
		t.Error("a file that can't be read is read")
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken") }

// Two machines' runs stand side by side.
func TestMerge(t *testing.T) {
	one := plain()
	one.models = []string{"mnist-lab1"}
	a, b := wire.Study{Results: []wire.Result{one.result()}, Words: map[string]string{"static-1": "mine"}}, wire.Study{Results: []wire.Result{one.result()}, Version: "v2"}
	b.Results[0].Hardware.CPU = "Other"
	whole := Merge(a, b)
	if len(whole.Results) != 2 || whole.Version != "v2" || whole.Words["static-1"] != "mine" || whole.Format != wire.StudyFormat {
		t.Errorf("%+v", whole)
	}
	here := wire.Hardware{Host: wire.Native, CPU: "Plant", Cores: 2, Accelerator: "none"}
	p := New(whole, Context{Version: "v2", Machine: &here})
	text := markdownOf(t, p)
	contains(t, "paper", text, "native A: Plant; native B: Other", "### Native B", "| mnist-lab1 | native B | S |", "another machine than this one (Plant): Other (native B)",
		"not by this program, which is v2", "mnist-lab2, sst2-lab1 and sst2-lab2 are missing", "Compared are the rows measured on one machine in one way: native A", "mine")
}

func TestWarnings(t *testing.T) {
	p := plain()
	p.models = []string{"mnist-lab1", "sst2-lab1", "sst2-lab2"}
	r := p.result()
	r.Rows = r.Rows[:len(r.Rows)-1] // without static int8 of sst2-lab2
	r.Settings.Runs, r.Settings.Batches, r.Settings.Examples = 3, []int{1}, 100
	r.Notes = []string{"the tab was hidden: " + wire.NoteHigh, "the tab was hidden: " + wire.NoteHigh, "accuracy came in batches"}
	stranger := r.Rows[0]
	stranger.Model = "mine"
	r.Rows = append(r.Rows, stranger)
	study, notices, err := ReadStudy(strings.NewReader(encode(t, wire.Study{Results: []wire.Result{r}})))
	if err != nil {
		t.Fatal(err)
	}
	paper := New(study, Context{Notices: notices})
	text := strings.Join(paper.Warnings, "\n")
	contains(t, "warnings", text, "without a format", "of mine this program knows nothing"[3:], "mnist-lab2 is missing", "Of sst2-lab2 static int8 is missing.",
		"The run was not made with the lab's settings: 3 runs, not 5; batch 1, not 1 and 64; accuracy on the first 100 test examples only.", "The tab was hidden: latencies may be too high.")
	if strings.Count(text, "tab was hidden") != 1 || strings.Contains(text, "batches") {
		t.Error("a note is told twice, or none that a reader must know first")
	}
	contains(t, "paper", markdownOf(t, paper), "| mine |", "Accuracy came in batches.")
	contains(t, "no run", strings.Join(New(wire.Study{}, Context{}).Warnings, ""), "There is no run in these results")
}

func markdownOf(t testing.TB, p Paper) string {
	t.Helper()
	var b strings.Builder
	if err := Markdown(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	study := fixture(t)
	p := New(study, Context{Version: study.Version, Machine: &study.Results[0].Hardware})
	got := markdownOf(t, p)
	if again := markdownOf(t, New(fixture(t), Context{Version: study.Version, Machine: &study.Results[0].Hardware})); again != got {
		t.Error("the same study gives two papers")
	}
	name := filepath.Join("testdata", "study.md")
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test -update rewrites it; look at the difference", name)
	}
}

// A paper of nothing says of each section what is missing, and which command brings it.
func TestEmptyPaper(t *testing.T) {
	text := markdownOf(t, New(wire.Study{}, Context{}))
	for _, command := range []string{"quantlab run", "quantlab sensitivity", "quantlab plans", "quantlab sweep", "quantlab amp", "quantlab report"} {
		contains(t, "paper", text, "\n"+command)
	}
}

func TestWritersReportErrors(t *testing.T) {
	if Markdown(broken{}, Paper{}) == nil || JSON(broken{}, wire.Study{}) == nil {
		t.Error("a failed write is not reported")
	}
}

func TestStudent(t *testing.T) {
	for nu := 1.0; nu < 200; nu++ {
		want := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: nu}.Quantile(0.975)
		tolerance := 0.001
		if nu == 3 {
			tolerance = 0.01
		}
		if got := student(nu); math.Abs(got-want) > tolerance {
			t.Errorf("%v degrees of freedom: %v, want %v", nu, got, want)
		}
	}
}

func TestRatios(t *testing.T) {
	same := ratio{0.5, 0.4, 0.7}
	if d := same.over(same); d.mid != 0 || math.Abs(d.low+math.Hypot(0.1, 0.2)) > 1e-12 || math.Abs(d.high-math.Hypot(0.1, 0.2)) > 1e-12 || d.least() != 0 {
		t.Errorf("%+v", d)
	}
	if r := (ratio{-0.5, -0.7, -0.4}); r.least() != 0.4 || r.up() != same {
		t.Errorf("%+v", r.up())
	}
	if _, ok := ofSamples([]float64{1, 0, 2}); ok {
		t.Error("a time of 0 has a logarithm")
	}
	if r, ok := ofSamples([]float64{5, 5, 5}); !ok || math.Abs(r.high-r.mid-leastHalf) > 1e-9 {
		t.Errorf("times that are all alike are exact: %+v", r)
	}
}

// The page links this package: it must stay as light as its imports.
func TestImportsStayLight(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	light := []string{"core/nn", "core/lab/wire", "core/roofline", "core/scheme", "core/report", "core/report/figure", "core/report/chart"}
	for _, path := range p.Imports {
		short, ours := strings.CutPrefix(path, "quantlab/")
		ok := !ours && !strings.Contains(path, ".")
		for _, l := range light {
			ok = ok || short == l
		}
		if !ok {
			t.Errorf("package paper imports %s", path)
		}
	}
}

func FuzzReadStudy(f *testing.F) {
	data, err := os.ReadFile(filepath.Join("testdata", "study.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`[{"rows":[{"model":"a|b","variant":"<script>","latency_us":{"1":{"mean":3,"samples":[1,2],"verdict":{"word":"faster","ratio":2,"low":1,"high":4}}}}]}]`))
	f.Add([]byte(`{"references":[],"rows":[{"model":"mnist-lab2","mode":"only","layer":"layers.0"}]}`))
	f.Add([]byte(`{"options":{"type":"f16"},"rows":[{"model":"mnist-lab2","mixed":[{"steps":3,"curve":[{"step":1,"loss":2,"scale":4}]}]}]}`))
	f.Add([]byte(`{"format":1,"results":[{"hardware":{"host":"native"},"peaks":{"engine":"e","float32_gmacs":1,"float16_gmacs":1,"int8_gmacs":1,"read":[{"bytes":1,"gbs":1}]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		study, notices, err := ReadStudy(bytes.NewReader(data))
		if err != nil {
			return
		}
		text := markdownOf(t, New(study, Context{Notices: notices}))
		harmlessText(t, text)
	})
}

// harmlessText fails for text that could do more than show.
func harmlessText(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && hidden(r) {
			t.Fatalf("a hidden character %U in the output", r)
		}
	}
	for l := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(l, "<") {
			t.Fatalf("a line of HTML: %.80q", l)
		}
	}
}
