// Runs before the first paint: sets the appearance that the person chose, then starts the app.
{
  let theme = null;
  try {
    theme = localStorage.getItem("appearance");
  } catch {
    // Storage is blocked: the system's appearance it is.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}
import("{{app.js}}").then((app) => app.default({ module_or_path: "{{app.wasm}}" }));
// The app asks for it once the first view is there; only a conversation needs it at once.
{
  // A browser keeps a script that it could not load; under another address it tries again.
  const load = async (attempt) => {
    const markdown = await import("{{markdown.js}}" + (attempt ? `?${attempt}` : ""));
    await markdown.default({ module_or_path: "{{markdown.wasm}}" });
    return markdown.parse;
  };
  const early = location.pathname === "/" ? null : load(0).catch(() => null);
  globalThis.loadMarkdown = async (attempt) => (attempt === 0 && (await early)) || load(attempt);
}
// When a chunk does not come: the server may have another app by now, and not the files of this one.
globalThis.isReplaced = async () => {
  const page = await fetch("/", { cache: "no-store" });
  return page.ok && !(await page.text()).includes("{{app.js}}");
};
// Without a network the app opens all the same. It comes after the first view, which it is no part of.
if ("serviceWorker" in navigator) {
  addEventListener("load", () => navigator.serviceWorker.register("/worker.js").catch(() => {}));
}
