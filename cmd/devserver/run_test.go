package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/library"
)

func TestRun(t *testing.T) {
	f := newFixture(t)
	c := f.start(t)
	r := <-f.runs
	if req := r.c.Request; r.c.Op != wire.OpRun || len(req.Models) != 1 || req.Models[0] != "mnist-lab1" || req.Examples != 1000 {
		t.Errorf("the engine got %+v", r.c)
	}
	r.emit(wire.Event{Kind: wire.EventProgress, Step: "half", Fraction: 0.5})
	if e := c.want(wire.EventProgress); e.Step != "half" || e.Fraction != 0.5 {
		t.Errorf("got %+v", e)
	}
	r.emit(wire.Event{Kind: wire.EventDone, Result: &wire.Result{Version: "v"}})
	r.end <- nil
	if e := c.want(wire.EventDone); e.Result == nil || e.Result.Version != "v" {
		t.Errorf("got %+v", e)
	}
	c.wantEnd()
}

// Experiments are carried out like runs, with what they ask for beside the request.
func TestExperiments(t *testing.T) {
	f := newFixture(t)
	req := wire.Quick()
	for _, want := range []wire.Command{
		{Op: wire.OpSensitivity, Request: &req},
		{Op: wire.OpPlans, Request: &req, Plans: &wire.PlansOptions{Schemes: []string{"float16"}}},
		{Op: wire.OpSweep, Request: &req, Sweep: &wire.SweepOptions{Seeds: 3}},
		{Op: wire.OpAMP, Request: &req, AMP: &wire.AMPOptions{Type: wire.Float16, Limit: 1000}},
	} {
		c := f.post(t, spell(want))
		r := <-f.runs
		if !reflect.DeepEqual(r.c, want) {
			t.Errorf("the engine got %+v, want %+v", r.c, want)
		}
		r.emit(wire.Event{Kind: wire.EventDone, Study: &wire.Study{Version: want.Op}})
		r.end <- nil
		if e := c.want(wire.EventDone); e.Study == nil || e.Study.Version != want.Op {
			t.Errorf("got %+v", e)
		}
		c.wantEnd()
	}
}

// What an experiment gives may be large, and its client slow: it takes each piece in time, though not all at once.
func TestALargeStudyReachesASlowClient(t *testing.T) {
	f := newFixture(t)
	f.server.writeTime = 400 * time.Millisecond
	f.http.Client().Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(256 << 10) // lest it takes all at once
		}
		return conn, err
	}
	study := &wire.Study{Sweeps: make([]wire.Sweep, 1)}
	study.Sweeps[0].Points = make([]wire.SweepPoint, 200_000) // 16 MB
	for i := range study.Sweeps[0].Points {
		study.Sweeps[0].Points[i] = wire.SweepPoint{Model: "mnist-lab1", Examples: i}
	}
	res := f.send(t, t.Context(), "POST", "/api/run", quick())
	r := <-f.runs
	sent := make(chan bool)
	go func() {
		r.emit(wire.Event{Kind: wire.EventDone, Study: study})
		r.end <- nil
		close(sent)
	}()
	var got bytes.Buffer
	began := time.Now()
	for {
		n, err := io.CopyN(&got, res.Body, 1<<20)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v after %d bytes", err, got.Len()+int(n))
		}
		time.Sleep(80 * time.Millisecond)
	}
	<-sent
	if time.Since(began) < f.server.writeTime {
		t.Error("the client was not slow")
	}
	_, data, _ := strings.Cut(got.String(), "data: ")
	var e wire.Event
	if err := json.Unmarshal([]byte(data), &e); err != nil || e.Study == nil || len(e.Study.Sweeps[0].Points) != 200_000 {
		t.Errorf("%v in %d bytes", err, got.Len())
	}
}

// A run ends with exactly one closing event, whatever the engine does.
func TestRunAlwaysEnds(t *testing.T) {
	for name, c := range map[string]struct {
		emit *wire.Event
		err  error
		kind string
		text string
	}{
		"error emitted and returned": {&wire.Event{Kind: wire.EventError, Text: "first"}, errors.New("second"), wire.EventError, "first"},
		"error returned only":        {nil, errors.New("it broke"), wire.EventError, "it broke"},
		"nothing said":               {nil, nil, wire.EventError, "without a result"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			client := f.start(t)
			r := <-f.runs
			if c.emit != nil {
				r.emit(*c.emit)
			}
			r.end <- c.err
			if e := client.want(c.kind); !strings.Contains(e.Text, c.text) {
				t.Errorf("text %q, want %q", e.Text, c.text)
			}
			client.wantEnd()
		})
	}
}

func TestPanicEndsTheRunOnly(t *testing.T) {
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	f := newFixture(t)
	f.server.run = func(context.Context, *library.Library, wire.Command, func(wire.Event)) error {
		panic("index out of range")
	}
	for range 2 {
		c := f.start(t)
		if e := c.want(wire.EventError); !strings.Contains(e.Text, "fault of this program") {
			t.Errorf("text %q", e.Text)
		}
		c.wantEnd()
	}
}

func TestQueue(t *testing.T) {
	f := newFixture(t)
	first := f.start(t)
	running := <-f.runs
	second := f.start(t)
	if e := second.want(wire.EventQueued); e.Position != 1 {
		t.Errorf("second is at %d", e.Position)
	}
	third := f.start(t)
	if e := third.want(wire.EventQueued); e.Position != 2 {
		t.Errorf("third is at %d", e.Position)
	}

	// The queue is bounded.
	res := f.send(t, t.Context(), "POST", "/api/run", quick())
	var e wire.Event
	if err := json.NewDecoder(res.Body).Decode(&e); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || !strings.Contains(e.Text, "2 runs are waiting already") {
		t.Errorf("a full queue: status %d, %+v", res.StatusCode, e)
	}

	// Going away while waiting makes room for those behind.
	second.cancel()
	if e := third.want(wire.EventQueued); e.Position != 1 {
		t.Errorf("third moved to %d", e.Position)
	}
	select {
	case <-f.runs:
		t.Fatal("two runs at a time")
	case <-time.After(20 * time.Millisecond):
	}
	running.emit(wire.Event{Kind: wire.EventDone})
	running.end <- nil
	first.want(wire.EventDone)
	r := <-f.runs
	r.emit(wire.Event{Kind: wire.EventDone})
	r.end <- nil
	third.want(wire.EventDone)
	third.wantEnd()
}

func TestDisconnectCancelsTheRun(t *testing.T) {
	f := newFixture(t)
	c := f.start(t)
	r := <-f.runs
	c.cancel()
	select {
	case <-r.ctx.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the run goes on without its client")
	}
	// The next one has the engine to itself, at once or when the first has left the queue.
	next := f.start(t)
	r = <-f.runs
	r.emit(wire.Event{Kind: wire.EventDone})
	r.end <- nil
	e, ok := next.next()
	if ok && e.Kind == wire.EventQueued {
		e, ok = next.next()
	}
	if !ok || e.Kind != wire.EventDone {
		t.Errorf("got %+v (%v)", e, ok)
	}
}

func TestShutdownEndsRuns(t *testing.T) {
	f := newFixture(t)
	running := f.start(t)
	<-f.runs
	waiting := f.start(t)
	waiting.want(wire.EventQueued)
	f.stop()
	for _, c := range []*client{running, waiting} {
		if e := c.want(wire.EventError); e.Text != "the server was stopped" {
			t.Errorf("text %q", e.Text)
		}
		c.wantEnd()
	}
}

func TestHeartbeat(t *testing.T) {
	f := newFixture(t)
	f.server.heartbeat = time.Millisecond
	res := f.send(t, t.Context(), "POST", "/api/run", quick())
	buf := make([]byte, 256)
	var got []byte
	for !bytes.Contains(got, []byte(": alive\n\n")) {
		n, err := res.Body.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, got)
		}
		got = append(got, buf[:n]...)
	}
	(<-f.runs).end <- nil
}

func TestRunWaitsForTheModels(t *testing.T) {
	f := newUnprepared(t)
	f.report("training mnist-lab1", 0.25)
	c := f.start(t)
	if e := c.want(wire.EventProgress); e.Step != "preparing: training mnist-lab1" {
		t.Errorf("step %q", e.Step)
	}
	f.prepared(t, nil)
	r := <-f.runs
	r.emit(wire.Event{Kind: wire.EventDone})
	r.end <- nil
	c.want(wire.EventDone)
}

// A preparation that failed is told, and tried again by the next run.
func TestFailedPreparation(t *testing.T) {
	f := newUnprepared(t)
	f.prepared(t, errors.New("there is no network: connect and try again"))
	c := f.start(t)
	for {
		e, ok := c.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if e.Kind == wire.EventProgress {
			f.ready <- nil // the second try succeeds
			break
		}
	}
	(<-f.runs).end <- nil
}

func TestBadRequests(t *testing.T) {
	f := newFixture(t)
	change := func(key string, value any) string {
		c := map[string]any{}
		if err := json.Unmarshal([]byte(quick()), &c); err != nil {
			t.Fatal(err)
		}
		c["request"].(map[string]any)[key] = value
		data, _ := json.Marshal(c)
		return string(data)
	}
	request := wire.Quick()
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		text    string
	}{
		"no JSON":          {"hello", nil, 400, "can't be understood"},
		"empty object":     {"{}", nil, 400, `unknown command ""`},
		"a request alone":  {`{"models":["mnist-lab1"]}`, nil, 400, `unknown field "models"`},
		"no request":       {`{"op":"run"}`, nil, 400, "the command run needs a request"},
		"empty request":    {`{"op":"amp","request":{}}`, nil, 400, "no model chosen"},
		"a bad sweep":      {spell(wire.Command{Op: wire.OpSweep, Request: &request, Sweep: &wire.SweepOptions{Seeds: -1}}), nil, 400, "seeds -1 is out of range"},
		"bad schemes":      {spell(wire.Command{Op: wire.OpPlans, Request: &request, Plans: &wire.PlansOptions{Schemes: []string{"int3"}}}), nil, 400, "int3"},
		"a bad type":       {spell(wire.Command{Op: wire.OpAMP, Request: &request, AMP: &wire.AMPOptions{Type: "f8"}}), nil, 400, `unknown type "f8"`},
		"a question":       {spell(wire.Command{Op: wire.OpPredict, Request: &request}), nil, 400, `unknown command "predict": the native engine carries out run, sensitivity`},
		"a cancellation":   {`{"op":"cancel","id":1}`, nil, 400, `unknown command "cancel"`},
		"two objects":      {quick() + "{}", nil, 400, "more after the JSON"},
		"cut":              {quick()[:20], nil, 400, "can't be understood"},
		"unknown field":    {change("sudo", true), nil, 400, `unknown field "sudo"`},
		"unknown model":    {change("models", []string{"gpt"}), nil, 400, `unknown model "gpt"`},
		"unknown variant":  {change("variants", []string{"int3"}), nil, 400, `unknown variant "int3"`},
		"batch 0":          {change("batches", []int{0}), nil, 400, "batch 0 is out of range"},
		"batch 10^9":       {change("batches", []int{1_000_000_000}), nil, 400, "out of range"},
		"runs 0":           {change("runs", 0), nil, 400, "runs 0 is out of range"},
		"runs as text":     {change("runs", "5"), nil, 400, "can't be understood"},
		"a number too big": {change("runs", 1e300), nil, 400, "can't be understood"},
		"too long":         {`{"op":"` + strings.Repeat("a", maxBody) + `"}`, nil, 413, "too long"},
		"long tail":        {quick() + strings.Repeat(" ", maxBody), nil, 413, "too long"},
		"a form":           {quick(), []string{"Content-Type", "text/plain"}, 415, "application/json"},
		"no type":          {quick(), []string{"Content-Type", ""}, 415, "application/json"},
		"another site":     {quick(), []string{"Origin", "https://evil.example"}, 403, "own page"},
		"another port":     {quick(), []string{"Origin", "http://127.0.0.1:1"}, 403, "own page"},
		"opaque origin":    {quick(), []string{"Origin", "null"}, 403, "own page"},
		"cross-site":       {quick(), []string{"Sec-Fetch-Site", "cross-site"}, 403, "own page"},
		"same-site":        {quick(), []string{"Sec-Fetch-Site", "same-site"}, 403, "own page"},
		"rebound name":     {quick(), []string{"Host", "evil.example:80", "Origin", "http://evil.example:80"}, 421, "localhost only"},
	} {
		res := f.send(t, t.Context(), "POST", "/api/run", c.body, c.headers...)
		var e wire.Event
		if err := json.NewDecoder(res.Body).Decode(&e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if res.StatusCode != c.status || e.Kind != wire.EventError || !strings.Contains(e.Text, c.text) {
			t.Errorf("%s: status %d, %q; want %d, %q", name, res.StatusCode, e.Text, c.status, c.text)
		}
		if res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", name, res.Header.Get("Cache-Control"))
		}
	}
	if len(f.runs) > 0 {
		t.Error("a bad request reached the engine")
	}
}

// The page's own requests, and those of tools that send no origin, pass.
func TestGoodOrigins(t *testing.T) {
	f := newFixture(t)
	for name, headers := range map[string][]string{
		"own page":  {"Origin", f.http.URL, "Sec-Fetch-Site", "same-origin"},
		"a tool":    nil,
		"localhost": {"Host", "localhost:9999", "Origin", "http://localhost:9999"},
		"charset":   {"Content-Type", "application/json; charset=utf-8"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		res := f.send(t, ctx, "POST", "/api/run", quick(), headers...)
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", name, res.StatusCode)
			cancel()
			continue
		}
		<-f.runs
		cancel()
	}
}

// A server that is meant for others answers to any name.
func TestPublicServerAnswersToAnyName(t *testing.T) {
	f := newFixture(t)
	f.server.loopback = false
	if res := f.send(t, t.Context(), "GET", "/api/hardware", "", "Host", "lab.example"); res.StatusCode != 200 {
		t.Errorf("status %d", res.StatusCode)
	}
}
