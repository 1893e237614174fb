// Tab completion: each Tab shows the next whole line that the engine proposes, and after the last one what was typed.
import { make } from "../element.js";
import { texts } from "../texts.js";

const SHOWN = 24;

/** A mode of the line (see line.js). It takes Tab only when there is something to complete, so that Tab can also leave. */
export class Completion {
  #lines = [];
  #typed = "";
  #at = -1;
  #leaving = false;
  #list = make("ul", { className: "candidates", "aria-hidden": "true" });
  #said = make("p", { className: "unseen", role: "status" });
  element = make("div", {}, this.#list, this.#said);

  /** `propose` gives whole lines for a line; `changed` is called when the list has another height. */
  constructor(propose, changed) {
    this.propose = propose;
    this.changed = changed;
  }

  key(chord, line) {
    if (chord === "Tab" && !this.#leaving) return this.#next(line);
    if (chord === "Escape") {
      this.#leaving = this.#lines.length === 0;
      if (this.#leaving) return false;
      line.text = this.#typed;
      this.close();
      return true;
    }
    this.close();
    return false;
  }

  close() {
    this.#leaving = false;
    if (this.#lines.length === 0) return;
    this.#lines = [];
    this.#at = -1;
    this.#show();
  }

  #next(line) {
    if (this.#lines.length === 0) {
      if (!line.atEnd || line.text === "") return false;
      this.#typed = line.text;
      this.#lines = this.propose(line.text).filter((candidate) => candidate !== line.text);
      if (this.#lines.length === 0) return false;
    }
    // One step beyond the last candidate stands what was typed.
    this.#at = (this.#at + 1) % (this.#lines.length + 1);
    line.text = this.#lines[this.#at] ?? this.#typed;
    this.#show();
    if (this.#lines.length === 1) this.close();
    return true;
  }

  #show() {
    const several = this.#lines.length > 1;
    const first = Math.max(0, Math.min(this.#at - SHOWN / 2, this.#lines.length - SHOWN));
    const shown = several ? this.#lines.slice(first, first + SHOWN) : [];
    const items = shown.map((text, index) => make("li", { className: first + index === this.#at ? "chosen" : "" }, text));
    if (shown.length < this.#lines.length && several) {
      items.push(make("li", { className: "rest" }, texts.terminal.candidates(shown.length, this.#lines.length)));
    }
    this.#list.replaceChildren(...items);
    const current = this.#lines[this.#at];
    this.#said.textContent = current === undefined ? "" : texts.terminal.candidate(current, this.#at + 1, this.#lines.length);
    this.changed();
  }
}
