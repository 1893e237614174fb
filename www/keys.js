// The dialog that lists the keys.
import { make } from "./element.js";
import { texts } from "./texts.js";

const words = texts.keys;

/** Made once; showModal() opens it. */
export function keysDialog() {
  const dialog = make("dialog", { className: "keys", "aria-labelledby": "keys-title" });
  const row = ([keys, does]) => [make("dt", {}, keys), make("dd", {}, does)];
  dialog.append(
    make("h2", { id: "keys-title" }, words.title),
    make("div", { className: "groups" }, words.groups.map(({ title, keys }) => make("section", {}, make("h3", {}, title), make("dl", {}, keys.flatMap(row))))),
    make("p", { className: "soft" }, words.note),
    make("button", { type: "button", onclick: () => dialog.close() }, words.close),
  );
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  return dialog;
}
