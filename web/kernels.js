// Links a Go program with the kernels in WebAssembly SIMD. Go's compiler emits no vector instructions, so these come in
// modules of their own, which work on Go's memory: kernels/link.wasm has every kernel as a function that Go imports and
// that calls through a table; simd128.wasm and relaxed.wasm fill that table. What the browser does not accept stays out, and
// Go computes without it.
//
//   quantlabKernels.load(base)            fetches and compiles the files below the address base. It resolves, always, to
//     {link, vectors, problem}            modules, which may be posted to another worker, and why some are missing, or ""
//   quantlabKernels.run(go, program, k)   instantiates the compiled program with k, and runs it by wasm_exec.js's Go until it
//                                         ends; its argument, os.Args[1], is the problem that was met
"use strict";

globalThis.quantlabKernels = (() => {
  async function compile(base, name) {
    const path = `kernels/${name}.wasm`;
    try {
      const response = await fetch(new URL(path, base));
      if (!response.ok) throw new Error(`status ${response.status}`);
      const bytes = await response.arrayBuffer();
      if (!WebAssembly.validate(bytes)) throw new Error("this browser does not accept it");
      return { module: await WebAssembly.compile(bytes) };
    } catch (error) {
      return { problem: `${path}: ${error.message}` };
    }
  }

  async function load(base) {
    const [link, ...vectors] = await Promise.all(["link", "simd128", "relaxed"].map((name) => compile(base, name)));
    const missing = [link, ...vectors].find(({ problem }) => problem);
    return {
      link: link.module,
      vectors: vectors[0].module ? vectors.flatMap(({ module }) => module ?? []) : [], // relaxed builds on simd128
      problem: missing?.problem ?? "",
    };
  }

  async function run(go, program, { link, vectors, problem }) {
    let kernels = null;
    try {
      if (link) kernels = (await WebAssembly.instantiate(link)).exports;
    } catch (error) {
      problem ||= error.message;
    }
    // Without them every import needs a function all the same. None is called but the one that tells Go the level, which is 0.
    const names = WebAssembly.Module.imports(program).filter(({ module }) => module === "kernels");
    go.importObject.kernels = kernels ?? Object.fromEntries(names.map(({ name }) => [name, () => 0]));
    const instance = await WebAssembly.instantiate(program, go.importObject);
    try {
      for (const module of kernels ? vectors : []) await WebAssembly.instantiate(module, { go: { mem: instance.exports.mem }, kernels });
    } catch (error) {
      problem ||= error.message;
    }
    go.argv.push(problem);
    await go.run(instance);
  }

  return { load, run };
})();
