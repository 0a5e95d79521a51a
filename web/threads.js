// Threads of the page's worker. Go's memory can't be shared, so a further thread is a worker of its own, a helper, that runs
// the same program with models of its own. All members of a crew, the page's worker first, share a batch by its rows: these
// and the logits go through one shared buffer. It takes a cross-origin isolated page.
//
//   quantlabThreads.imports(go)        what the program imports from "threads": see wasm/compute/crew_js.go
//   quantlabThreads.supply(parts)      what a helper needs to run, {program, kernels}: it gets it in its first message
//   quantlabThreads.share(job, models, members, size)
//                                      has helpers make these models, and binds them and the caller to a new buffer of so many
//                                      floats; a promise
//   quantlabThreads.dismiss()          ends all helpers
//   quantlabThreads.ready(equip, serve)
//                                      in a helper: called by Go. equip(job, models, member, members) returns "" or an error,
//                                      serve() works until the crew is dissolved
//   quantlabThreads.stop()             in a helper that dies: lets the others know
"use strict";

globalThis.quantlabThreads = (() => {
  // The buffer, in words of 4 bytes.
  const TURN = 0; // counts batches; helpers wait for it to change
  const MODEL = 1; // the batch's model; -1 dissolves the crew
  const ROWS = 2; // of the batch
  const BUSY = 3; // helpers that have not finished it
  const ARRIVED = 4; // members that have come to a meeting
  const ROUND = 5; // counts meetings
  const STOPPED = 6; // a member died
  const RANGES = 16; // lowest and highest of each member, for meetings of even and of odd number
  const DATA = 1024; // the batch; the ranges of as many members as there are threads to ask for end before it

  let words, floats, member, members, turn;

  function bind(buffer, number, of) {
    words = new Int32Array(buffer);
    floats = new Float32Array(buffer);
    [member, members, turn] = [number, of, 0];
  }

  const LOOKS = 1 << 14; // some 100 µs, longer than others take between two batches

  // Waits until a word is no longer what it was.
  function change(place, was) {
    for (let i = 0; i < LOOKS; i++) if (Atomics.load(words, place) !== was) return;
    while (Atomics.load(words, place) === was) {
      if (Atomics.load(words, STOPPED)) throw new Error("another thread stopped");
      Atomics.wait(words, place, was, 500);
    }
  }

  const imports = (go) => {
    let view = new Float32Array();
    const heap = () => (view.buffer === go.mem.buffer ? view : (view = new Float32Array(go.mem.buffer)));
    const at = (p, n) => heap().subarray(p >>> 2, (p >>> 2) + n);
    return {
      put: (to, p, n) => floats.set(at(p, n), DATA + to),
      get: (from, p, n) => at(p, n).set(floats.subarray(DATA + from, DATA + from + n)),
      start(model, rows) {
        Atomics.store(words, MODEL, model);
        Atomics.store(words, ROWS, rows);
        Atomics.store(words, BUSY, members - 1);
        Atomics.add(words, TURN, 1);
        Atomics.notify(words, TURN);
      },
      finish() {
        for (let busy; (busy = Atomics.load(words, BUSY)) > 0; ) change(BUSY, busy);
      },
      next() {
        change(TURN, turn);
        turn = Atomics.load(words, TURN);
        return Atomics.load(words, MODEL);
      },
      rows: () => Atomics.load(words, ROWS),
      done() {
        if (Atomics.sub(words, BUSY, 1) === 1) Atomics.notify(words, BUSY);
      },
      meet(p) {
        const round = Atomics.load(words, ROUND);
        const first = RANGES + (round & 1) * 2 * members;
        floats.set(at(p, 2), first + 2 * member);
        if (Atomics.add(words, ARRIVED, 1) + 1 === members) {
          Atomics.store(words, ARRIVED, 0);
          Atomics.add(words, ROUND, 1);
          Atomics.notify(words, ROUND);
        } else {
          change(ROUND, round);
        }
        let low = Infinity, high = -Infinity; // Math.min and Math.max keep a NaN
        for (let i = first; i < first + 2 * members; i += 2) {
          low = Math.min(low, floats[i]);
          high = Math.max(high, floats[i + 1]);
        }
        at(p, 2).set([low, high]);
      },
    };
  };

  // The page's worker.

  const helpers = [];
  let parts = null;

  // A helper answers every message with one of its own: {} or {error}.
  function hire() {
    const worker = new Worker(location.href, { name: "quantlab helper" });
    let settle = null;
    const answer = (error) => {
      settle?.(error);
      settle = null;
    };
    worker.onmessage = ({ data }) => answer(data.error);
    worker.onerror = (event) => {
      event.preventDefault();
      answer(event.message || "its script could not be loaded");
    };
    const ask = (message) =>
      new Promise((resolve, reject) => {
        settle = (error) => (error ? reject(new Error(error)) : resolve());
        worker.postMessage(message);
      });
    return { ask, up: ask(parts), end: () => worker.terminate() };
  }

  async function share(job, models, wanted, size) {
    while (helpers.length < wanted - 1) helpers.push(hire());
    const crew = helpers.slice(0, wanted - 1);
    await Promise.all(crew.map(({ up }) => up));
    const buffer = new SharedArrayBuffer(4 * (DATA + size));
    bind(buffer, 0, wanted);
    await Promise.all(crew.map(({ ask }, i) => ask({ buffer, member: i + 1, members: wanted, job, models })));
  }

  function dismiss() {
    for (const { end } of helpers.splice(0)) end();
  }

  // A helper.

  const ready = (equip, serve) => {
    onmessage = ({ data }) => {
      bind(data.buffer, data.member, data.members);
      const error = equip(data.job, data.models, data.member, data.members);
      postMessage({ error });
      if (!error) serve();
    };
    postMessage({});
  };

  // Tells the others that this helper died.
  const stop = () => words && Atomics.store(words, STOPPED, 1);

  return { imports, supply: (p) => (parts = p), share, dismiss, ready, stop };
})();
