// The page's bridge to its two engines: a Web Worker in this browser, and the server's native one. Everything that
// crosses it is JSON text. It starts the worker as soon as it is parsed, so that both downloads run side by side.
//
//   quantlab.browser.subscribe(cb)   cb(kind, payload): "state" {state: loading|ready|failed, text, fraction}, "message".
//                                    It begins with what the worker has said unasked, and the state
//   quantlab.browser.send(json)      a command; it waits until the worker is ready
//   quantlab.browser.import(json, numbers)
//                                    a command with the files that quantlab.files keeps under these numbers
//   quantlab.browser.restart()       ends the worker and starts another; commands under way are forgotten
//   quantlab.native.run(json, cb, names)
//                                    a command that measures; cb(json) for each event; returns {cancel()}. With it go the
//                                    entries of quantlabOwn of these names, if any
//   quantlab.native.hardware(cb)     cb(json, "") or cb("", why there is none)
//   quantlab.native.status(cb)       cb(json) while the server prepares its models; returns {close()}
//   quantlab.results.keep(json)      keeps results for later visits, as far as the browser lets it; "" forgets them
//   quantlab.results.kept(cb)        cb(json), "" where there are none
//   quantlab.save(name, type, parts) gives the reader a file of these parts, as a Blob takes them
//   quantlab.forgetful               whether the browser denies the page all storage
"use strict";

(() => {
  // Where storage is denied it throws when it is only looked at, and that would end go-app. What go-app keeps then lasts as long
  // as the page.
  let forgetful = false;
  for (const name of ["localStorage", "sessionStorage"]) {
    try {
      void globalThis[name];
    } catch {
      forgetful = true;
      const kept = new Map();
      const storage = {
        getItem: (key) => kept.get(key) ?? null,
        setItem: (key, value) => void kept.set(key, String(value)),
        removeItem: (key) => void kept.delete(key),
        clear: () => kept.clear(),
        key: (i) => [...kept.keys()][i] ?? null,
        get length() { return kept.size; },
      };
      Object.defineProperty(globalThis, name, { value: storage });
    }
  }

  const script = new URL("worker.js", document.currentScript.src);
  const subscribers = [];
  let worker = null, ready = false, waiting = [], lastState = "";
  const unasked = new Map(); // what the worker has said of itself and of what it keeps: the latest of each kind

  function tell(kind, payload) {
    if (kind === "state") lastState = payload;
    for (const cb of subscribers) cb(kind, payload);
  }

  const state = (state, text) => tell("state", JSON.stringify({ state, text, fraction: 0 }));

  function stop() {
    worker?.terminate();
    worker = null;
    ready = false;
    waiting = [];
    unasked.clear();
  }

  function fail(text) {
    stop();
    state("failed", text);
  }

  function start() {
    stop();
    state("loading", "starting the engine");
    let w;
    try {
      w = worker = new Worker(script, { name: "quantlab" });
    } catch (error) {
      return fail(`This browser can't start a Web Worker: ${error.message}.`);
    }
    w.onerror = (event) => {
      event.preventDefault();
      if (w !== worker) return;
      const why = event.message || "its script could not be loaded; reload the page";
      fail(`The browser’s engine stopped: ${why}.`);
    };
    w.onmessage = ({ data: [kind, payload] }) => {
      if (w !== worker) return; // a late word of a worker that was replaced
      if (kind === "state") {
        const { state, text } = JSON.parse(payload);
        if (state === "failed") return fail(text);
        if (state === "ready") {
          ready = true;
          for (const command of waiting.splice(0)) w.postMessage(command);
        }
      }
      if (kind === "file") return save(payload.name, payload.type, payload.parts);
      const about = kind === "message" && /^{"id":0,"event":{"kind":"(\w+)"/.exec(payload)?.[1];
      if (about) unasked.set(about, payload); // a later subscriber needs it too
      tell(kind, payload);
    };
  }

  function send(command) {
    if (ready) worker.postMessage(command);
    else waiting.push(command);
  }

  function save(name, type, parts) {
    const href = URL.createObjectURL(new Blob(parts, { type }));
    const link = Object.assign(document.createElement("a"), { href, download: name });
    link.target = "_blank"; // or the page would take it for a link within itself
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  }

  const browser = {
    subscribe(cb) {
      subscribers.push(cb);
      for (const payload of unasked.values()) cb("message", payload);
      cb("state", lastState);
    },
    send,
    import(json, numbers) {
      send([json, globalThis.quantlab.files.of(numbers)]); // a File is posted without its bytes
      navigator.storage?.persist?.().catch(() => {}); // or a browser that is short of room clears what was brought
    },
    restart: start,
  };

  // What an answer that is not a stream of events says.
  async function refusal(response) {
    if (response.headers.get("Content-Type")?.startsWith("application/json")) {
      return (await response.json()).text;
    }
    return `No native engine serves this page (status ${response.status}).`;
  }

  const unreachable = "The server can't be reached. Is it still running?";
  const error = (text) => JSON.stringify({ kind: "error", text });

  class Problem extends Error {}

  // The request of a run: as JSON, or as a form with what it needs of the reader's own beside it.
  async function order(json, names) {
    if (!names?.length) return { headers: { "Content-Type": "application/json" }, body: json };
    const body = new FormData();
    body.append("command", new Blob([json], { type: "application/json" }));
    for (const name of names) {
      const entry = await globalThis.quantlabOwn.get(name).catch(() => undefined);
      if (!entry) throw new Problem(`This browser does not store ${name}, so the server can’t be given it: run it in the browser.`);
      body.append("entry", entry, name);
    }
    return { body };
  }

  async function stream(json, names, signal, cb) {
    const response = await fetch("/api/run", { method: "POST", ...(await order(json, names)), signal });
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return cb(error(await refusal(response)));
    let text = "", last = "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += value;
      if (!value.includes("\n")) continue; // in the midst of an event, which may be megabytes
      const events = text.split("\n\n");
      text = events.pop();
      for (const event of events) {
        if (!event.startsWith("data: ")) continue; // a comment that keeps the connection open
        last = event.slice(6);
        cb(last);
      }
    }
    if (!/^{"kind":"(done|error|canceled)"/.test(last)) throw new Error("ended early");
  }

  const native = {
    run(json, cb, names) {
      const abort = new AbortController();
      stream(json, names, abort.signal, cb).catch((e) => {
        cb(abort.signal.aborted ? '{"kind":"canceled"}' : error(e instanceof Problem ? e.message : unreachable));
      });
      return { cancel: () => abort.abort() };
    },
    async hardware(cb) {
      let json = "", problem = "";
      try {
        const response = await fetch("/api/hardware");
        if (response.ok && response.headers.get("Content-Type")?.startsWith("application/json")) json = await response.text();
        else problem = await refusal(response);
      } catch {
        problem = unreachable;
      }
      cb(json, problem);
    },
    status(cb) {
      const source = new EventSource("/api/status"); // it reconnects by itself
      source.onmessage = (event) => {
        if (JSON.parse(event.data).ready) source.close();
        cb(event.data);
      };
      return { close: () => source.close() };
    },
  };

  // In the browser's cache, which holds more than localStorage does, and does not hold up the page.
  const shelf = "quantlab results", place = "/results.json";
  const results = {
    async keep(json) {
      try {
        if (json) await (await caches.open(shelf)).put(place, new Response(json));
        else await caches.delete(shelf);
      } catch {} // storage is denied or full: they last as long as the page
    },
    async kept(cb) {
      let json = "";
      try {
        json = (await (await caches.match(place, { cacheName: shelf }))?.text()) ?? "";
      } catch {} // storage is denied
      cb(json);
    },
  };

  globalThis.quantlab = { browser, native, results, save, forgetful };
  start();

  // What the view at this address will ask about first is loaded and converted while the page itself still loads. Nobody hears
  // the answer: the page's own commands have other numbers.
  const warm = { draw: "mnist-lab1", type: "sst2-lab2", inspect: "mnist-lab1" }[location.pathname.split("/").pop()];
  if (warm) browser.send(JSON.stringify({ id: -(2 ** 31), op: "warm", warm }));
})();
