// Draws diagrams in a worker, which comes with the first one: what hangs or breaks there is ended, and
// the page goes on. This file is the page's side, and in the worker the worker's.

/** For the module to come, and for one diagram, in milliseconds. */
const LOADING = 15_000;
const DRAWING = 5_000;
const MOST_KEPT = 32;

if (!globalThis.document) {
  const loaded = import("{{diagrams.js}}").then(async (module) => {
    await module.default({ module_or_path: "{{diagrams.wasm}}" });
    return module;
  });
  onmessage = async ({ data }) => {
    try {
      const module = await loaded;
      postMessage("begun");
      postMessage(module.draw(data));
    } catch {
      // The module is broken, or has not come.
      postMessage(null);
    }
  };
}

let worker = null;
let last = Promise.resolve();
const kept = new Map();

/**
 * The pictures of a diagram, light and dark, as addresses; none when it cannot be drawn, and `null`
 * when that took too long.
 */
export function draw(source) {
  // One after the other: the worker answers with nothing but the pictures.
  last = last.catch(() => {}).then(() => (kept.has(source) ? kept.get(source) : ask(source)));
  return last;
}

function keep(source, pictures) {
  kept.set(source, pictures);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  return pictures;
}

function ask(source) {
  return new Promise((done) => {
    worker ??= new Worker(import.meta.url, { type: "module" });
    const give = (pictures) => {
      clearTimeout(late);
      done(pictures);
    };
    // The next diagram has a worker of its own.
    const end = (pictures) => {
      worker.terminate();
      worker = null;
      give(pictures);
    };
    const fail = () => end([]);
    let late = setTimeout(fail, LOADING);
    worker.onerror = fail;
    worker.onmessage = ({ data }) => {
      if (!data) return fail();
      if (data === "begun") {
        clearTimeout(late);
        late = setTimeout(() => end(keep(source, null)), DRAWING);
        return;
      }
      give(keep(source, data.map((svg) => `data:image/svg+xml,${encodeURIComponent(svg)}`)));
    };
    worker.postMessage(source);
  });
}
