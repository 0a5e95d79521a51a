// The service worker: it keeps the page of one build for use offline. go-app registers it, and fills in the build's version
// and resources. The site's data it leaves to the worker that computes, the server's API to the server.
//
// An update never mixes builds. A page names all that it loads by its build's version, and what is kept is complete before it is
// used. A newer service worker waits until no page is open any more before it removes what older ones kept.
"use strict";

const prefix = "quantlab page ";
const name = prefix + "{{.Version}}";
const versioned = "/v/"; // what lies below it never changes
const resources = {{.ResourcesToCache}};

// Resolves when nothing is being measured: loading would cost time on the machine that is measured. Runs say when they start and
// end, on a channel of their own. Pages start one unasked, soon after they are opened.
function quiet() {
  const before = 4000, after = 1000, patience = 120_000; // ms
  return new Promise((resolve) => {
    const channel = new BroadcastChannel("quantlab runs");
    const end = () => {
      channel.close();
      resolve();
    };
    let timer = setTimeout(end, before);
    channel.onmessage = ({ data }) => {
      clearTimeout(timer);
      timer = setTimeout(end, data === "end" ? after : patience);
    };
  });
}

// Fetches one resource; what is versioned comes from the browser's cache, where the page has left it.
async function load(path) {
  const response = await fetch(path, { cache: path.startsWith(versioned) ? "default" : "no-cache", priority: "low" });
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  const html = response.headers.get("Content-Type")?.startsWith("text/html");
  if (html && !(await response.clone().text()).includes(versioned + "{{.Version}}/")) throw new Error(`${path}: of another build`);
  return response;
}

async function keep() {
  await quiet();
  const cache = await caches.open(name);
  try {
    for (const path of resources) await cache.put(path, await load(path));
  } catch (error) {
    await caches.delete(name); // all or nothing
    throw error;
  }
}

// Every open page is made this one's, so that a newer one waits for it.
async function takeOver() {
  for (const key of await caches.keys()) {
    if (key.startsWith(prefix) && key !== name) await caches.delete(key);
  }
  await clients.claim();
}

const stored = (request, options) => caches.match(request, { ignoreVary: true, ...options });

// A versioned file, of this build or of another.
const file = async (request) => (await stored(request)) ?? fetch(request);

// What changes under its name, a view's page above all: the server's where it answers in time, else the kept one.
async function page(request, path) {
  const kept = await stored(path, { cacheName: name });
  if (!kept) return fetch(request);
  const late = new Promise((resolve) => setTimeout(resolve, 3000, kept));
  const answer = fetch(request).then((response) => (response.status < 500 ? response : kept), () => kept);
  return Promise.race([answer, late]);
}

addEventListener("install", (event) => event.waitUntil(keep()));
addEventListener("activate", (event) => event.waitUntil(takeOver()));
addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith(versioned)) event.respondWith(file(request));
  else if (resources.includes(pathname)) event.respondWith(page(request, pathname));
});
