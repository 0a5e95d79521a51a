// The Web Worker that computes: it runs compute.wasm, a Go program that takes commands and posts events, both JSON.
// What it posts is [kind, payload]: "state" with {state, text, fraction}, "message" with whatever Go has to say, or "file"
// with {name, type, parts} for the reader. An import comes as [json, files], every other command as json. It is also the script
// of its helpers: see threads.js.
"use strict";

const post = (kind, payload) => postMessage([kind, payload]);
const state = (state, text, fraction) => post("state", JSON.stringify({ state, text, fraction }));

const helper = name === "quantlab helper"; // so threads.js calls it

// Go prints why it dies. Its first words are kept, so that the page can tell.
let printed = "";
const reason = () => /^(panic|fatal error|runtime): .*/m.exec(printed)?.[0];
const fail = (error) => {
  const why = String(reason() ?? error?.message ?? error).replace(/\.$/, "");
  if (!helper) return state("failed", `The browser’s engine stopped: ${why}.`, 0);
  postMessage({ error: why });
  globalThis.quantlabThreads?.stop();
};

addEventListener("unhandledrejection", (event) => fail(event.reason));
addEventListener("error", (event) => {
  event.preventDefault(); // told to the page here, with the reason
  fail(event.message);
});

// Go calls this once it is up: receive(json, files) takes a command, with files [{name, file}, …] if it is an import.
globalThis.quantlabReady = (receive) => {
  onmessage = ({ data }) => (Array.isArray(data) ? receive(...data) : receive(data));
  state("ready", "", 1);
};

const load = () => importScripts("threads.js", "kernels.js", "own.js", "wasm_exec.js");

// Runs Go until it ends, which it should not. It is told by os.Args[0] what it is.
async function run(role, program, kernels) {
  const write = fs.writeSync, decoder = new TextDecoder();
  fs.writeSync = (fd, bytes) => {
    if (printed.length < 10000) printed += decoder.decode(bytes);
    return write.call(fs, fd, bytes);
  };
  const go = new Go();
  go.argv = [role];
  go.importObject.threads = quantlabThreads.imports(go);
  await quantlabKernels.run(go, program, kernels);
  throw new Error("the program ended");
}

async function main() {
  state("loading", "loading the engine", 0);
  const wasm = fetch("compute.wasm"); // meanwhile, the scripts that it needs
  load();
  const loading = quantlabKernels.load(location.href);
  const response = await wasm;
  if (!response.ok) throw new Error(`compute.wasm could not be loaded (status ${response.status}); reload the page`);
  state("loading", "compiling the engine", 0.5);
  const program = await WebAssembly.compileStreaming(response);
  const kernels = await loading;
  quantlabThreads.supply({ program, kernels });
  state("loading", "starting the engine", 0.9);
  await run("compute", program, kernels);
}

async function assist() {
  const supply = new Promise((resolve) => (onmessage = ({ data }) => resolve(data)));
  load();
  const { program, kernels } = await supply;
  await run("helper", program, kernels);
}

(helper ? assist : main)().catch(fail);
