// Files on their way to the worker: chosen in a file input, pasted, or dropped on the page, with all that is in their folders. They
// stay here under a number, and none is read; the page hears their names and sizes. The worker gets them beside the command
// that imports them.
//
//   quantlab.files.listen(root, cb)   hears of files chosen in an input within root, and pasted or dropped anywhere. cb(kind, payload):
//                                     "over" "true" or "false" while files are held over the page, "reading" when some have come,
//                                     then "files" with {number, names, count, bytes}, names being the first few, or "problem"
//                                     with a sentence; returns {stop()}
//   quantlab.files.arrive(root, signal, hear)
//                                     until the signal, hear.chosen(files) in an input within root, hear.pasted(data) and
//                                     hear.dropped(data), DataTransfers of anywhere on the page, and hear.over(n): in how many
//                                     elements files are held
//   quantlab.files.of(numbers)        [{name, file}, …], all files of these numbers
//   quantlab.files.forget(numbers)
"use strict";

(() => {
  const mostFiles = 20000, mostBytes = 256 << 20, shown = 20; // as in core/lab/wire/own.go

  class Problem extends Error {}

  const kept = new Map();
  let last = 0;

  const tooMany = () => new Problem(`These are more than ${mostFiles.toLocaleString("en")} files: choose a smaller folder, or a part of it.`);

  const promised = (call) => new Promise((resolve, reject) => call(resolve, reject));

  // Adds what an entry of a file system stands for, a file or a folder with all that is in it. Folders count as files do, so
  // that one without end has one.
  async function walk(entry, found, seen) {
    if (++seen.count > mostFiles) throw tooMany();
    if (entry.isFile) {
      found.push({ name: entry.fullPath.replace(/^\//, ""), file: await promised((yes, no) => entry.file(yes, no)) });
      return;
    }
    const reader = entry.createReader();
    for (;;) { // it hands over some hundred entries at a time
      const some = await promised((yes, no) => reader.readEntries(yes, no));
      if (some.length === 0) return;
      for (const e of some) await walk(e, found, seen);
    }
  }

  async function walkAll(entries) {
    const found = [], seen = { count: 0 };
    for (const e of entries) await walk(e, found, seen);
    return found;
  }

  const named = (files) => [...files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));

  // What was dropped. Its entries must be asked for at once: the list is empty as soon as the event is over.
  function dropped({ items, files }) {
    const entries = [...items].filter((i) => i.kind === "file").map((i) => i.webkitGetAsEntry?.());
    if (entries.some((e) => e?.isDirectory)) return walkAll(entries.filter(Boolean));
    return named(files);
  }

  // Cells that were copied from a spreadsheet come with tabs between them.
  function pasted(data) {
    if (data.files.length) return named(data.files);
    const text = data.getData("text/plain");
    if (!text.trim()) return [];
    const name = text.split("\n", 1)[0].includes("\t") ? "pasted.tsv" : "pasted.csv";
    return [{ name, file: new File([text], name, { type: "text/plain" }) }];
  }

  function keep(found) {
    const bytes = found.reduce((sum, { file }) => sum + file.size, 0);
    if (found.length === 0) throw new Problem("There is no file in it: choose a file, or a folder that holds some.");
    if (found.length > mostFiles) throw tooMany();
    if (bytes > mostBytes) throw new Problem(`These are ${Math.ceil(bytes / 2 ** 20)} MB: at most ${mostBytes >> 20} MB can be taken at once.`);
    kept.set(++last, found);
    return JSON.stringify({ number: last, names: found.slice(0, shown).map(({ name }) => name), count: found.length, bytes });
  }

  const isField = (element) => element?.matches?.("textarea, select, input:not([type=file]), [contenteditable]");

  function arrive(root, signal, hear) {
    const on = (target, event, heard) => target.addEventListener(event, heard, { signal });
    on(root, "change", ({ target }) => {
      if (target.type !== "file") return;
      hear.chosen([...target.files]);
      target.value = ""; // so that the same file can be chosen again
    });
    on(document, "paste", (event) => {
      if (isField(event.target)) return;
      event.preventDefault();
      hear.pasted(event.clipboardData);
    });
    // The whole page takes a drop: beside its place the browser would open the file instead of the page.
    let inside = 0; // dragenter and dragleave come for every element that is passed
    const over = (n) => hear.over(inside = Math.max(0, n));
    const onFiles = (event, heard) => on(document, event, (e) => {
      if (e.dataTransfer?.types.includes("Files")) heard(e);
    });
    onFiles("dragenter", () => over(inside + 1));
    onFiles("dragleave", () => over(inside - 1));
    onFiles("dragover", (event) => event.preventDefault());
    onFiles("drop", (event) => {
      event.preventDefault();
      over(0);
      hear.dropped(event.dataTransfer);
    });
  }

  function listen(root, cb) {
    const stopped = new AbortController();
    let latest = 0;

    async function take(coming) {
      const turn = ++latest;
      cb("reading", "");
      let kind = "files", payload;
      try {
        const found = await coming;
        if (turn !== latest || stopped.signal.aborted) return;
        payload = keep(found);
      } catch (error) {
        if (turn !== latest || stopped.signal.aborted) return;
        [kind, payload] = ["problem", error instanceof Problem ? error.message : "This can't be read: it may have been moved or removed. Choose it again."];
      }
      cb(kind, payload);
    }

    let held = false;
    arrive(root, stopped.signal, {
      chosen: (files) => files.length && take(named(files)),
      pasted: (data) => take(pasted(data)),
      dropped: (data) => take(dropped(data)),
      over: (n) => {
        if (held !== n > 0) cb("over", String(held = n > 0));
      },
    });
    return { stop: () => stopped.abort() };
  }

  (globalThis.quantlab ??= {}).files = {
    listen,
    arrive,
    of: (numbers) => numbers.flatMap((n) => kept.get(n) ?? []),
    forget: (numbers) => numbers.forEach((n) => kept.delete(n)),
  };
})();
