// The light and the dark theme: the system's, or the one that was chosen and is kept.
import { make } from "./element.js";
import { keep, recall } from "./store.js";
import { texts } from "./texts.js";

const themes = ["auto", "light", "dark"];

/**
 * A select with the three choices; it puts the kept one into force at once. `wanted`, if it is a theme, goes before the
 * kept one and is not kept: a page that embeds this one knows what goes with it.
 */
export function themeChoice(wanted) {
  const choice = make(
    "select",
    { "aria-label": texts.theme.label, onchange: () => choose(choice.value) },
    themes.map((theme) => make("option", { value: theme }, texts.theme[theme])),
  );
  choice.value = [wanted, recall("theme"), "auto"].find((theme) => themes.includes(theme));
  document.documentElement.dataset.theme = choice.value;
  return choice;
}

function choose(theme) {
  document.documentElement.dataset.theme = theme;
  keep("theme", theme);
}
