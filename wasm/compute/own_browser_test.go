//go:build !js

package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"quantlab/core/lab/wire"
)

// hearing has the page note what the bridge tells it, and what its files' listener does.
const hearing = `window.said = [], quantlab.browser.subscribe((kind, text) => said.push({kind, ...JSON.parse(text)})),
	window.files = [], quantlab.files.listen(document.body, (kind, payload) => files.push([kind, payload])),
	window.saved = [], quantlab.given = URL.createObjectURL, URL.createObjectURL = (blob) => (saved.push(blob), quantlab.given.call(URL, blob))`

// choose puts a file into a file input, as a reader does, and returns what the page hears of it.
func (p *tab) choose(name, data string) (number int) {
	p.t.Helper()
	p.eval(`(() => {
		const input = Object.assign(document.createElement("input"), {type: "file"}), choice = new DataTransfer();
		choice.items.add(new File([Uint8Array.from(atob("` + base64.StdEncoding.EncodeToString([]byte(data)) + `"), (c) => c.charCodeAt(0))], "` + name + `"));
		document.body.append(input);
		input.files = choice.files;
		input.dispatchEvent(new Event("change", {bubbles: true}));
	})()`)
	heard, err := chromedp.Run(p.ctx, chromedp.Evaluate[[][]string](`(async () => {
		while (files.length < 2) await new Promise((r) => setTimeout(r, 5));
		return files.splice(0);
	})()`, chromedp.EvalAwaitPromise))
	if err != nil || len(heard) != 2 || heard[0][0] != "reading" || heard[1][0] != "files" {
		p.t.Fatalf("heard %q, %v", heard, err)
	}
	var choice struct {
		Number, Count int
		Names         []string
		Bytes         int
	}
	if err := json.Unmarshal([]byte(heard[1][1]), &choice); err != nil || choice.Count != 1 || choice.Bytes != len(data) || choice.Names[0] != name {
		p.t.Fatalf("heard %q, %v", heard, err)
	}
	return choice.Number
}

// bring sends an import with the files of that number.
func (p *tab) bring(id int, req wire.ImportRequest, number int) {
	p.t.Helper()
	text, err := json.Marshal(spelled(p.t, wire.Command{ID: id, Op: wire.OpImport, Import: &req}))
	if err != nil {
		p.t.Fatal(err)
	}
	list, err := json.Marshal([]int{number})
	if err != nil {
		p.t.Fatal(err)
	}
	p.eval("quantlab.browser.import(" + string(text) + ", " + string(list) + ")")
}

// What the reader brings goes from a file input into the database, survives a reload, runs, leaves as a file, and is known in
// another tab.
func TestBrowserKeepsWhatWasBrought(t *testing.T) {
	t.Parallel()
	p := newTab(t)
	p.eval(hearing)
	p.awaitState("ready")
	if own := p.awaitEvent(0, wire.EventOwn).Own; own == nil || len(own.Models) > 0 {
		t.Fatalf("at first there is %+v", own)
	}
	model := mlp(t, 4)
	data, err := model.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.bring(-1, wire.ImportRequest{}, p.choose(model.name, string(data)))
	if im := p.awaitEvent(-1, wire.EventImport).Import; im == nil || len(im.Questions) != 0 || im.Model == nil {
		t.Fatalf("the import gave %+v", im)
	}
	p.awaitEvent(-1, wire.EventDone)

	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[any](`location.reload()`)); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(p.ctx, chromedp.WaitReady("script")); err != nil {
		t.Fatal(err)
	}
	p.eval(hearing)
	own := p.awaitEvent(0, wire.EventOwn).Own
	if own == nil || len(own.Models) != 1 || own.Models[0].Spec.ID != "mlp" || own.Models[0].File != model.name {
		t.Fatalf("after a reload there is %+v", own)
	}

	p.send(wire.Command{ID: 2, Op: wire.OpRun, Request: request(func(r *wire.Request) { r.Models, r.Own = []string{"mlp"}, own })})
	done := p.awaitEvent(2, wire.EventDone)
	if done.Result == nil || len(done.Result.Rows) != 4 || done.Result.Rows[0].Model != "mlp" || done.Result.Rows[0].Total != 200 {
		t.Errorf("the run gave %+v", done.Result)
	}

	p.send(wire.Command{ID: -3, Op: wire.OpExport, Export: &wire.ExportRequest{Model: "mlp", Variant: "static-qint8", Format: wire.Safetensors}})
	file := p.awaitEvent(-3, wire.EventFile).File
	p.awaitEvent(-3, wire.EventDone)
	size, err := chromedp.Run(p.ctx, chromedp.Evaluate[int64](`saved[0].size`))
	if err != nil || size != file.Bytes || size == 0 || file.Name != "mlp-static-qint8.safetensors" {
		t.Errorf("a file of %d bytes was saved, %v; told of %+v", size, err, file)
	}

	// A native run takes it along, and what is not there can't be.
	p.eval(`globalThis.fetch = async (url, {body}) => (window.form = [...body.entries()], new Response('data: {"kind":"done"}\n\n', {headers: {"Content-Type": "text/event-stream"}}))`)
	native := func(name string) string {
		t.Helper()
		answer, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`new Promise((answer) => quantlab.native.run('{"op":"run"}', answer, ["`+name+`"]))`, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if got := native("model/other"); !strings.Contains(got, "does not store model/other") {
		t.Errorf("a run with what is not stored gave %s", got)
	}
	if got := native("model/mlp"); got != `{"kind":"done"}` {
		t.Errorf("a native run gave %s", got)
	}
	form, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`Promise.all(form.map(async ([name, part]) =>
		name + " " + (part.size > 12000 ? part.name : part.type + await part.text()))).then((all) => all.join())`, chromedp.EvalAwaitPromise))
	if err != nil || form != `command application/json{"op":"run"},entry model/mlp` {
		t.Errorf("the server was sent %s, %v", form, err)
	}

	// Another tab of the site takes it away.
	ctx, cancel := chromedp.NewContext(p.ctx)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(p.server.URL+"/")); err != nil {
		t.Fatal(err)
	}
	other := &tab{t: t, ctx: ctx, server: p.server}
	other.eval(hearing)
	if own := other.awaitEvent(0, wire.EventOwn).Own; len(own.Models) != 1 {
		t.Errorf("another tab has %+v", own)
	}
	other.send(wire.Command{ID: -1, Op: wire.OpRemove, Remove: &wire.RemoveRequest{Kind: wire.KindModel, Name: "mlp"}})
	other.awaitEvent(-1, wire.EventDone)
	if own := p.awaitEvent(0, wire.EventOwn).Own; own == nil || len(own.Models) != 0 {
		t.Errorf("the first tab still has %+v", own)
	}
	if c := p.console(); len(c) > 0 {
		t.Errorf("console: %q", c)
	}
}
