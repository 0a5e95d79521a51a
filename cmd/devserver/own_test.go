package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"quantlab/core/exchange"
	"quantlab/core/lab/wire"
	"quantlab/core/library"
	"quantlab/core/nn"
)

// mine is a model of the reader's own.
func mine(name string) wire.OwnModel {
	return wire.OwnModel{File: "mlp.pt", Format: "PyTorch state_dict", Bytes: 7, Spec: nn.Spec{
		ID: name, Title: name, Own: true, Data: nn.MNIST, Crop: 2, In: 4, Hidden: []int{3}, Out: 10, LR: 0.001, Batch: 64, Epochs: 2,
	}}
}

// keep puts a model onto the shelf.
func keep(t *testing.T, shelf library.Shelf, m wire.OwnModel) *library.Library {
	t.Helper()
	l := library.New(shelf)
	if err := l.Add(t.Context(), &exchange.Imported{Net: nn.New(m.Spec), Model: &m}, true); err != nil {
		t.Fatal(err)
	}
	return l
}

// entry is the model as a page sends it.
func entry(t *testing.T, m wire.OwnModel) []byte {
	t.Helper()
	data, err := keep(t, library.Memory(), m).Entry(t.Context(), wire.KindModel, m.Spec.ID)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// runOf is a command that measures models, some of which it tells of.
func runOf(own *wire.Own, models ...string) string {
	req := wire.Quick()
	req.Models, req.Own = models, own
	return spell(wire.Command{Op: wire.OpRun, Request: &req})
}

func own(models ...wire.OwnModel) *wire.Own { return &wire.Own{Models: models} }

// A piece is one part of a form.
type piece struct {
	name, kind string
	data       []byte
}

func commandPiece(text string) piece { return piece{"command", "application/json", []byte(text)} }
func entryPiece(data []byte) piece   { return piece{"entry", "application/octet-stream", data} }

// form spells a form and its Content-Type.
func form(pieces ...piece) (body, kind string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range pieces {
		part, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename="blob"`, p.name)}, "Content-Type": {p.kind},
		})
		if err == nil {
			_, err = part.Write(p.data)
		}
		if err != nil {
			panic(err)
		}
	}
	w.Close()
	return b.String(), w.FormDataContentType()
}

func (f *fixture) sendForm(t *testing.T, ctx context.Context, pieces ...piece) *http.Response {
	t.Helper()
	body, kind := form(pieces...)
	return f.send(t, ctx, "POST", "/api/run", body, "Content-Type", kind)
}

// free waits until no request holds memory any more.
func (f *fixture) free(t *testing.T) {
	t.Helper()
	for range 500 {
		f.uploads.mu.Lock()
		left := f.uploads.left
		f.uploads.mu.Unlock()
		if left == maxHeld {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("a request that is over still holds memory")
}

// What comes with a request is there for its run, over what this machine keeps, and only for it.
func TestOwnModels(t *testing.T) {
	f := newFixture(t)
	keep(t, f.shelf, mine("kept"))
	other := mine("sent")
	other.Spec.Hidden = []int{9}
	keep(t, f.shelf, other)
	sent := mine("sent")

	res := f.sendForm(t, t.Context(), commandPiece(runOf(own(sent), "sent", "kept", "mnist-lab1")), entryPiece(entry(t, sent)))
	if res.StatusCode != 200 {
		t.Fatalf("status %d", res.StatusCode)
	}
	r := <-f.runs
	there, err := r.own.Own(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, hidden := range map[string]int{"sent": 3, "kept": 3} {
		if spec, err := there.Catalog().Of(name); err != nil || spec.Hidden[0] != hidden {
			t.Errorf("%s: %+v, error %v", name, spec, err)
		}
	}
	if got := r.c.Request.Own; len(got.Models) != 2 {
		t.Errorf("the request tells of %+v", got)
	}
	r.end <- nil
	res.Body.Close()
	f.free(t)

	// The next run sees the machine's own again.
	c := f.post(t, runOf(nil, "sent"))
	r = <-f.runs
	if there, _ = r.own.Own(t.Context()); there.Models[1].Spec.Hidden[0] != 9 {
		t.Errorf("there is %+v", there)
	}
	r.end <- nil
	c.next()
}

// A request that goes away while it waits gives its memory back.
func TestCancelFreesMemory(t *testing.T) {
	f := newFixture(t)
	running := f.start(t)
	r := <-f.runs
	ctx, cancel := context.WithCancel(t.Context())
	m := mine("mlp")
	if res := f.sendForm(t, ctx, commandPiece(runOf(own(m), "mlp")), entryPiece(entry(t, m))); res.StatusCode != 200 {
		t.Fatalf("status %d", res.StatusCode)
	}
	cancel()
	f.free(t)
	r.end <- nil
	running.next()
}

func TestBadForms(t *testing.T) {
	f := newFixture(t)
	m, changed := mine("mlp"), mine("mlp")
	changed.Spec.Scaling = nn.Scaling{Mean: 0.5, Std: 0.5}
	good := entry(t, m)
	run := commandPiece(runOf(own(m), "mlp"))
	damaged := bytes.Clone(good)
	damaged[len(damaged)-1], damaged[len(damaged)-2] = 0xff, 0xff // the last bias is no number
	for name, c := range map[string]struct {
		pieces []piece
		status int
		text   string
	}{
		"no parts":            {nil, 400, "form"},
		"no command":          {[]piece{entryPiece(good)}, 400, "first part is the command"},
		"command twice":       {[]piece{run, run}, 400, `a part "command"`},
		"command as text":     {[]piece{{"command", "text/plain", run.data}, entryPiece(good)}, 400, "application/json"},
		"command too long":    {[]piece{commandPiece(`{"op":"` + strings.Repeat("a", maxBody) + `"}`)}, 413, "too long"},
		"no JSON":             {[]piece{commandPiece("hello"), entryPiece(good)}, 400, "can't be understood"},
		"no request":          {[]piece{commandPiece(`{"op":"run"}`), entryPiece(good)}, 400, "needs a request"},
		"another part":        {[]piece{run, {"extra", "application/octet-stream", good}}, 400, `a part "extra"`},
		"no entry":            {[]piece{run}, 400, `no model "mlp" of your own here`},
		"empty entry":         {[]piece{run, entryPiece(nil)}, 400, ""},
		"noise":               {[]piece{run, entryPiece([]byte("noise"))}, 400, ""},
		"cut entry":           {[]piece{run, entryPiece(good[:len(good)-4])}, 400, "damaged"},
		"no number":           {[]piece{run, entryPiece(damaged)}, 400, "damaged"},
		"10 GB claimed":       {[]piece{run, entryPiece([]byte("\x00\x00\x00\x00\x03\x00\x00\x00{}"))}, 400, ""},
		"told otherwise":      {[]piece{commandPiece(runOf(own(changed), "mlp")), entryPiece(good)}, 400, "otherwise than its file"},
		"not told of":         {[]piece{commandPiece(runOf(nil, "mlp")), entryPiece(good)}, 400, "send what it names"},
		"not named":           {[]piece{commandPiece(runOf(own(m), "mnist-lab1")), entryPiece(good)}, 400, "send what it names"},
		"twice":               {[]piece{run, entryPiece(good), entryPiece(good)}, 400, "send what it names"},
		"too many":            {append([]piece{run}, bytesOf(good, maxParts)...), 400, "more than"},
		"a bad spec told":     {[]piece{commandPiece(runOf(own(wire.OwnModel{Spec: nn.Spec{ID: "../../etc"}}), "../../etc")), entryPiece(good)}, 400, ""},
		"an unknown lab name": {[]piece{commandPiece(runOf(own(m), "mlp", "gpt")), entryPiece(good)}, 400, `unknown model "gpt"`},
	} {
		res := f.sendForm(t, t.Context(), c.pieces...)
		var e wire.Event
		if err := json.NewDecoder(res.Body).Decode(&e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if res.StatusCode != c.status || e.Kind != wire.EventError || !strings.Contains(e.Text, c.text) || strings.Contains(e.Text, "\n") {
			t.Errorf("%s: status %d, %q; want %d, %q", name, res.StatusCode, e.Text, c.status, c.text)
		}
		t.Logf("%s: %s", name, e.Text)
	}
	if len(f.runs) > 0 {
		t.Error("a bad form reached the engine")
	}
	f.free(t)
}

func bytesOf(data []byte, n int) (pieces []piece) {
	for range n {
		pieces = append(pieces, entryPiece(data))
	}
	return pieces
}

// Lengths are refused before anything is read; the sum over all requests is bounded.
func TestFormLengths(t *testing.T) {
	f := newFixture(t)
	_, kind := form()
	for name, c := range map[string]struct {
		length string
		status int
	}{
		"too long": {fmt.Sprintf("Content-Length: %d", maxUpload+1), 413},
		"unknown":  {"Transfer-Encoding: chunked", 411},
		"too much": {fmt.Sprintf("Content-Length: %d", maxUpload), 503},
	} {
		if name == "too much" {
			if !f.uploads.take(maxHeld - 1000) {
				t.Fatal("memory is held already")
			}
			defer f.uploads.give(maxHeld - 1000)
		}
		conn, err := net.Dial("tcp", f.http.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /api/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n%s\r\n\r\n", kind, c.length)
		answer := make([]byte, 64)
		if _, err := conn.Read(answer); err != nil || !strings.Contains(string(answer), fmt.Sprint(" ", c.status, " ")) {
			t.Errorf("%s: %q, error %v", name, answer, err)
		}
	}
}

// Other sites' pages can't send a form either.
func TestFormOrigins(t *testing.T) {
	f := newFixture(t)
	m := mine("mlp")
	body, kind := form(commandPiece(runOf(own(m), "mlp")), entryPiece(entry(t, m)))
	if res := f.send(t, t.Context(), "POST", "/api/run", body, "Content-Type", kind, "Origin", "https://evil.example"); res.StatusCode != 403 {
		t.Errorf("status %d", res.StatusCode)
	}
}

// A server that others reach takes no models of its readers' own, and does not show its owner's.
func TestPublicServerRefusesOwnModels(t *testing.T) {
	f := newFixture(t)
	f.server.loopback = false
	m := mine("mlp")
	keep(t, f.shelf, m)
	body, kind := form(commandPiece(runOf(own(m), "mlp")), entryPiece(entry(t, m)))
	for name, c := range map[string]struct {
		body, kind string
		status     int
		text       string
	}{
		"form":   {body, kind, 403, "stay in your browser"},
		"told":   {runOf(own(m), "mlp"), "application/json", 403, "stay in your browser"},
		"hidden": {runOf(nil, "mlp"), "application/json", 400, `unknown model "mlp": choose from mnist-lab1, mnist-lab2, sst2-lab1, sst2-lab2`},
	} {
		res := f.send(t, t.Context(), "POST", "/api/run", c.body, "Content-Type", c.kind)
		var e wire.Event
		if err := json.NewDecoder(res.Body).Decode(&e); err != nil || res.StatusCode != c.status || !strings.Contains(e.Text, c.text) {
			t.Errorf("%s: status %d, %q, error %v", name, res.StatusCode, e.Text, err)
		}
	}
}
