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
