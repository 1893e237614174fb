// The light and the dark theme: the system's, or the one that was chosen and is kept.
import { make } from "./element.js";
import { keep, recall } from "./store.js";
import { texts } from "./texts.js";

const themes = ["auto", "light", "dark"];

/** A select with the three choices; it puts the kept one into force at once. */
export function themeChoice() {
  const choice = make(
    "select",
    { "aria-label": texts.theme.label, onchange: () => choose(choice.value) },
    themes.map((theme) => make("option", { value: theme }, texts.theme[theme])),
  );
  choice.value = themes.includes(recall("theme")) ? recall("theme") : "auto";
  document.documentElement.dataset.theme = choice.value;
  return choice;
}

function choose(theme) {
  document.documentElement.dataset.theme = theme;
  keep("theme", theme);
}
