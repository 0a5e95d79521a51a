// What the reader brought, as this browser keeps it: models and data, each a Blob under a name such as "model/my-mlp". The worker
// writes it (see wasm/compute/own_js.go), the page only reads. Every function gives a promise; one that is kept says that the
// database has it for good.
//
//   quantlabOwn.names()           all names
//   quantlabOwn.get(name)         a Blob, undefined where there is none
//   quantlabOwn.put(name, blob)   in place of the one of that name
//   quantlabOwn.remove(name)
"use strict";

globalThis.quantlabOwn = (() => {
  const store = "own";

  // A connection serves one request only, so that it is never in the way of another tab, or of a reader who clears the storage.
  const open = () => new Promise((resolve, reject) => {
    const request = indexedDB.open("quantlab", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new DOMException("another tab holds the database", "AbortError"));
  });

  async function use(mode, ask) {
    const db = await open();
    try {
      return await new Promise((resolve, reject) => {
        const transaction = db.transaction(store, mode), request = ask(transaction.objectStore(store));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = () => reject(transaction.error ?? request.error); // where there is no more room, too
      });
    } finally {
      db.close();
    }
  }

  return {
    names: () => use("readonly", (s) => s.getAllKeys()),
    get: (name) => use("readonly", (s) => s.get(name)),
    put: (name, blob) => use("readwrite", (s) => s.put(blob, name)),
    remove: (name) => use("readwrite", (s) => s.delete(name)),
  };
})();
