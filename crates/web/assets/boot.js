// Runs before the first paint: sets the appearance and the language that the person chose, then
// starts the app.
{
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      // Storage is blocked: the system's appearance it is, and the browser's language.
    }
  };
  const root = document.documentElement;
  const theme = kept("appearance");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  // English is in the app. The texts of another language come before the first view, or not at all.
  const tables = { de: "{{texts-de.txt}}", es: "{{texts-es.txt}}", hi: "{{texts-hi.txt}}" };
  const texts = async (language) => {
    const answer = await fetch(tables[language]);
    return answer.ok ? answer.text() : null;
  };
  // A network that brought the app can bring them, too.
  const late = async () => {
    await import("{{app.js}}");
    await new Promise((done) => setTimeout(done, 2000));
    return null;
  };
  const speak = async () => {
    const wanted = [kept("language"), ...navigator.languages].map((tag) => tag?.split("-")[0]);
    const known = wanted.find((tag) => tag === "en" || Object.hasOwn(tables, tag)) ?? "en";
    const table = known === "en" ? null : await Promise.race([texts(known), late()]).catch(() => null);
    const language = table ? known : "en";
    root.lang = language;
    root.dir = ["ar", "fa", "he", "ur"].includes(language) ? "rtl" : "ltr";
    // As it is written where the person lives.
    const locale = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
    globalThis.spoken = {
      table,
      plural: (count) => new Intl.PluralRules(locale).select(count),
      number: (number, digits) =>
        number.toLocaleString(locale, {
          minimumFractionDigits: digits,
          maximumFractionDigits: digits,
        }),
      month: (year, month) =>
        new Date(year, month - 1).toLocaleDateString(locale, { month: "long", year: "numeric" }),
      when: (millis) => {
        const date = new Date(millis);
        const isToday = date.toDateString() === new Date().toDateString();
        return isToday
          ? date.toLocaleTimeString(locale, { timeStyle: "short" })
          : date.toLocaleDateString(locale, { dateStyle: "medium" });
      },
    };
    return table;
  };
  globalThis.speaking = speak();
}
Promise.all([import("{{app.js}}"), speaking]).then(([app]) =>
  app.default({ module_or_path: "{{app.wasm}}" }),
);
// The app asks for it once the first view is there; only a conversation needs it at once.
{
  // A browser keeps a script that it could not load; under another address it tries again.
  const load = async (attempt) => {
    const markdown = await import("{{markdown.js}}" + (attempt ? `?${attempt}` : ""));
    await markdown.default({ module_or_path: "{{markdown.wasm}}" });
    const table = await speaking;
    if (table) markdown.speak(table);
    return markdown.parse;
  };
  const early = location.pathname === "/" ? null : load(0).catch(() => null);
  globalThis.loadMarkdown = async (attempt) => (attempt === 0 && (await early)) || load(attempt);
}
// Diagrams come with the first answer that has one.
globalThis.drawDiagram = async (source) => (await import("{{drawing.js}}")).draw(source);
// How what comes after the first view looks; no part of it is shown before.
{
  let looks = null;
  globalThis.laterLooks = () => (looks ??= load());
  const load = () =>
    new Promise((done, failed) => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = "{{later.css}}";
      link.onload = done;
      link.onerror = () => {
        link.remove();
        looks = null;
        failed();
      };
      document.head.append(link);
    });
  if (location.pathname !== "/") laterLooks().catch(() => {});
}
// When a chunk does not come: the server may have another app by now, and not the files of this one.
globalThis.isReplaced = async () => {
  const page = await fetch("/", { cache: "no-store" });
  return page.ok && !(await page.text()).includes("{{app.js}}");
};
// Without a network the app opens all the same. It comes after the first view, which it is no part of.
if ("serviceWorker" in navigator) {
  // A notification was clicked.
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    history.pushState(null, "", data.open);
    dispatchEvent(new PopStateEvent("popstate"));
  });
  addEventListener("load", () => navigator.serviceWorker.register("/worker.js").catch(() => {}));
}
