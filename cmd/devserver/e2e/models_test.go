package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"quantlab/core/lab/wire"
)

// fixture is a file that PyTorch itself saved.
func fixture(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../../core/modelfile/torch/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// choose gives a file input files, as its dialog does.
func (tb *tab) choose(selector string, files ...string) {
	tb.Helper()
	tb.until(selector+" takes files", `(e => e && !e.disabled)(document.querySelector('`+selector+`'))`)
	tb.do(chromedp.SetUploadFiles(selector, files))
}

// isHere waits until what the reader brought is among what is kept.
func (tb *tab) isHere(name string) {
	tb.Helper()
	tb.until(name+" is kept", `document.querySelector('[data-own="`+name+`"]')`)
}

// A model goes out of the page as a file of PyTorch's and comes back in: it answers the same on either host, survives a reload, and can
// be renamed and deleted.
func TestOwnModel(t *testing.T) {
	dir := t.TempDir()
	tb := openAt(t, newGate(t, shared.base).URL, "/models?export=mnist-lab1&as=fp32&format=pt", 3*time.Minute)
	if err := downloadInto(tb.tab, dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "mnist-lab1-fp32.pt")
	if data := tb.downloaded("#models-download", file); !strings.HasPrefix(data, "PK\x03\x04") {
		t.Fatalf("%d bytes that are no zip", len(data))
	}
	tb.choose("#models-choose", file)
	tb.isHere("mnist-lab1-fp32")
	picture(tb, "models")

	tb.press("#rename-model-mnist-lab1-fp32")
	tb.until("the name can be typed", `document.querySelector('#models-name')`)
	js[any](tb, `(e => (e.value = 'mine', e.dispatchEvent(new Event('input', {bubbles: true}))))(document.querySelector('#models-name'))`)
	tb.press("#models-rename")
	tb.isHere("mine")
	tb.do(chromedp.Reload())
	tb.isHere("mine")

	tb.measuresAlike()
	tb.everywhere()

	tb.goTo("/models")
	tb.press("#remove-model-mine")
	tb.press("#models-remove")
	tb.until("it is gone", `!document.querySelector('[data-own="mine"]')`)
	tb.do(chromedp.Reload())
	tb.until("it stays gone", `document.querySelector('.own .empty') && !document.querySelector('[data-own]')`)
}

// measuresAlike runs the experiments on mine, which is mnist-lab1 once more, on both hosts.
func (tb *tab) measuresAlike() {
	tb.Helper()
	tb.do(chromedp.Navigate(js[string](tb, `location.origin`) + "/?models=mnist-lab1,mine&batches=64&runs=2&where=both"))
	tb.click("#run")
	for _, host := range []string{wire.Browser, wire.Native} {
		tb.rowsDone(host, "mnist-lab1", "mine")
	}
	tb.finished()
	right := map[string]int{}
	rows := tb.results()
	for _, r := range rows {
		if r.Model == "mnist-lab1" {
			right[r.Host+r.Variant] = r.Correct
		}
	}
	mine := 0
	for _, r := range rows {
		if r.Model != "mine" {
			continue
		}
		mine++
		if r.Correct != right[r.Host+r.Variant] || r.Total != 10000 {
			tb.Errorf("%s %s: %d of %d right, want %d", r.Host, r.Variant, r.Correct, r.Total, right[r.Host+r.Variant])
		}
		if r.SizeTorch <= 0 {
			tb.Errorf("%s %s: no size of PyTorch's file", r.Host, r.Variant)
		}
	}
	if want := 2 * len(wire.VariantIDs()); mine != want {
		tb.Errorf("%d rows of it, want %d", mine, want)
	}
	picture(tb, "own-model-measured")
}

// everywhere looks at mine in the other views.
func (tb *tab) everywhere() {
	tb.Helper()
	origin := js[string](tb, `location.origin`)
	tb.do(chromedp.Navigate(origin + "/draw?digits=mine&example=3"))
	tb.until("all variants of it answer", `[...document.querySelectorAll('tr[data-model="mine"] td[data-col="answer"]')].filter(e => /^\d/.test(e.innerText)).length === 4`)
	tb.do(chromedp.Navigate(origin + "/inspect?net=mine"))
	tb.measured()
	if a := tb.accuracy(); a < 90 {
		tb.Errorf("Inspect finds an accuracy of %v%%", a)
	}
	tb.do(chromedp.Navigate(origin + "/sensitivity?" + strings.Replace(asked, "sens=mnist-lab1", "sens=mine", 1)))
	tb.press("#sens-measure")
	tb.over(wire.OpSensitivity)
	tb.until("its layers are told", `document.querySelectorAll('tr[data-model="mine"][data-mode="only"]').length === 6`)
	tb.do(chromedp.Navigate(origin + "/report"))
	tb.until("the report tells of it", `[...document.querySelectorAll('.paper td')].some(e => e.innerText.trim() === 'layers.1') && document.querySelector('.paper').innerText.includes('mine')`)
}

// Files come by dropping and by pasting, too: a zip of digits as pictures in folders, and cells of a spreadsheet.
func TestDropAndPaste(t *testing.T) {
	tb := elsewhere(t, "/models", time.Minute)
	tb.until("files can be chosen", `document.querySelector('#models-choose')?.disabled === false`)
	drop := func(name string, data []byte) {
		js[bool](tb, fmt.Sprintf(`(() => {
			const t = new DataTransfer()
			t.items.add(new File([Uint8Array.from(atob('%s'), c => c.charCodeAt(0))], '%s'))
			for (const kind of ['dragenter', 'dragover', 'drop']) document.querySelector('#models-drop').dispatchEvent(new DragEvent(kind, {dataTransfer: t, bubbles: true, cancelable: true}))
			return true
		})()`, base64.StdEncoding.EncodeToString(data), name))
	}
	drop("digits.zip", digits(t))
	tb.isHere("digits")
	if text := tb.text(`[data-own="digits"]`); !strings.Contains(text, "20 ") {
		t.Errorf("20 digits are %q", text)
	}
	js[bool](tb, `(() => {
		const t = new DataTransfer()
		t.setData('text/plain', 'sentence\tlabel\na fine film\tgood\na dull film\tbad\na fine mess\tgood\nno fun\tbad\n')
		document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: t, bubbles: true, cancelable: true}))
		return true
	})()`)
	tb.isHere("pasted")
	drop("broken.zip", digits(t)[:500])
	tb.until("a broken archive is refused in words", `document.querySelector('#models-problem')?.innerText.includes('broken.zip')`)
	if n := js[int](tb, `document.querySelectorAll('[data-own]').length`); n != 2 {
		t.Errorf("%d things are kept, want 2", n)
	}
}

// digits is a zip of two pictures of each digit, in folders.
func digits(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range 20 {
		picture := image.NewGray(image.Rect(0, 0, 28, 28))
		for y := 4; y < 24; y++ {
			picture.SetGray(8+i%10, y, color.Gray{255})
		}
		w, err := z.Create(fmt.Sprintf("%d/%d.png", i%10, i))
		if err == nil {
			err = png.Encode(w, picture)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A file that leaves a choice is asked about, and one that can't be taken is refused in words; either keeps nothing until it is whole.
func TestImportAsks(t *testing.T) {
	words := counting(t)
	tb := elsewhere(t, "/models", time.Minute)
	tb.choose("#models-choose", fixture(t, "whole.pt"))
	tb.until("a whole module is refused", `document.querySelector('#models-problem')?.innerText.includes('state_dict')`)
	tb.choose("#models-choose", words)
	tb.until("there is a question", `document.querySelector('#models-questions, [data-own]')`)
	if kept := js[int](tb, `document.querySelectorAll('[data-own]').length`); kept != 0 {
		t.Fatalf("%d things are kept before the question is answered", kept)
	}
	picture(tb, "models-question")
	tb.choose("#models-question-0-file", writeFile(t, "words.txt", []byte("bad\nfilm\ngood\n")))
	tb.press("#models-go-on")
	tb.isHere("counting")
}

// writeFile makes a file of the test's.
func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// counting is a model of three words, as a safetensors file that does not say which they are.
func counting(t *testing.T) string {
	t.Helper()
	const header = `{"fc.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}`
	data := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	for _, w := range []float32{1, 0, -1, -1, 0, 1} {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(w))
	}
	return writeFile(t, "counting.safetensors", data)
}

// Sentences of the reader's own measure a model, and calibrate it.
func TestOwnSentences(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("sentence\tlabel\n")
	for i := range 30 {
		fmt.Fprintf(&b, "a gorgeous and witty film , number %d\t1\na dull and lifeless mess , number %[1]d\t0\n", i)
	}
	file := writeFile(t, "mine.tsv", b.Bytes())
	tb := elsewhere(t, "/models", 3*time.Minute)
	tb.choose("#models-choose", file)
	tb.isHere("mine")
	tb.do(chromedp.Navigate(js[string](tb, `location.origin`) + "/?models=sst2-lab2&variants=fp32,static-qint8&batches=1&runs=2&where=browser&test=mine&calibrate=mine"))
	tb.click("#run")
	tb.until("the rows are there", `document.querySelector('`+row("sst2-lab2", "static-qint8", wire.Browser)+`')`)
	tb.finished()
	for _, r := range tb.results() {
		if r.Total != 60 || r.Correct < 40 {
			t.Errorf("%s: %d of %d right", r.Variant, r.Correct, r.Total)
		}
	}
	if text := js[string](tb, `document.body.innerText`); !strings.Contains(text, "mine") {
		t.Error("the page does not say on what it measured")
	}
}
