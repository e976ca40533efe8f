// Draws diagrams in a worker, which comes with the first one: what hangs or breaks there is ended, and
// the page goes on. This file is the page's side, and in the worker the worker's.

/** For one diagram, in milliseconds; the first one waits for the module, too. */
const PATIENCE = 15_000;
const MOST_KEPT = 32;

if (!globalThis.document) {
  const loaded = import("{{diagrams.js}}").then(async (module) => {
    await module.default({ module_or_path: "{{diagrams.wasm}}" });
    return module;
  });
  onmessage = async ({ data }) => {
    try {
      postMessage((await loaded).draw(data));
    } catch {
      // The module is broken, or has not come.
      postMessage(null);
    }
  };
}

let worker = null;
let last = Promise.resolve();
const kept = new Map();

/** The pictures of a diagram, light and dark, as addresses; none when it cannot be drawn. */
export function draw(source) {
  // One after the other: the worker answers with nothing but the pictures.
  last = last.catch(() => {}).then(() => kept.get(source) ?? ask(source));
  return last;
}

function ask(source) {
  return new Promise((done) => {
    worker ??= new Worker(import.meta.url, { type: "module" });
    const give = (pictures) => {
      clearTimeout(late);
      done(pictures);
    };
    const fail = () => {
      worker.terminate();
      worker = null;
      give([]);
    };
    const late = setTimeout(fail, PATIENCE);
    worker.onerror = fail;
    worker.onmessage = ({ data }) => {
      if (!data) return fail();
      const pictures = data.map((svg) => `data:image/svg+xml,${encodeURIComponent(svg)}`);
      kept.set(source, pictures);
      if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
      give(pictures);
    };
    worker.postMessage(source);
  });
}
