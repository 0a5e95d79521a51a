// The Web Worker that computes: it runs compute.wasm, a Go program that takes commands and posts events, both JSON.
// What it posts is [kind, payload]: "state" with {state, text, fraction}, or "message" with whatever Go has to say.
"use strict";

const post = (kind, payload) => postMessage([kind, payload]);
const state = (state, text, fraction) => post("state", JSON.stringify({ state, text, fraction }));

// Go prints why it dies. Its first words are kept, so that the page can tell.
let printed = "";
const reason = () => /^(panic|fatal error|runtime): .*/m.exec(printed)?.[0];
const fail = (error) => {
  const why = String(reason() ?? error?.message ?? error).replace(/\.$/, "");
  state("failed", `The browser's engine stopped: ${why}.`, 0);
};

addEventListener("unhandledrejection", (event) => fail(event.reason));
addEventListener("error", (event) => {
  event.preventDefault(); // told to the page here, with the reason
  fail(event.message);
});

// Go calls this once it is up: receive(json) takes a command.
globalThis.quantlabReady = (receive) => {
  onmessage = (event) => receive(event.data);
  state("ready", "", 1);
};

async function run() {
  state("loading", "loading the engine", 0);
  const wasm = fetch("compute.wasm"); // meanwhile, the script that it needs
  importScripts("wasm_exec.js");

  const write = fs.writeSync, decoder = new TextDecoder();
  fs.writeSync = (fd, bytes) => {
    if (printed.length < 10000) printed += decoder.decode(bytes);
    return write.call(fs, fd, bytes);
  };

  const response = await wasm;
  if (!response.ok) throw new Error(`compute.wasm could not be loaded (status ${response.status}); reload the page`);
  state("loading", "compiling the engine", 0.5);
  const go = new Go();
  const { instance } = await WebAssembly.instantiateStreaming(response, go.importObject);
  state("loading", "starting the engine", 0.9);
  await go.run(instance);
  throw new Error("the program ended");
}

run().catch(fail);
