// Ctrl-R: searches the history backwards while one types, as a shell does.
import { make } from "../element.js";
import { texts } from "../texts.js";

/** A mode of the line (see line.js). What is found stands in the line; what is searched for stands below it. */
export class Search {
  #query = null;
  #index;
  #draft = "";
  element = make("p", { className: "search", role: "status", hidden: true });

  constructor(history) {
    this.history = history;
  }

  get active() {
    return this.#query !== null;
  }

  key(chord, line) {
    if (chord === "Ctrl-r") {
      if (this.active) this.#find(line, this.#index);
      else this.#begin(line);
      return true;
    }
    if (!this.active) return false;
    if ([...chord].length === 1) {
      this.#query += chord;
      this.#find(line);
    } else if (chord === "Backspace") {
      this.#query = this.#query.slice(0, -1);
      this.#find(line);
    } else if (["Escape", "Ctrl-g", "Ctrl-c"].includes(chord)) {
      line.text = this.#draft;
      this.#end();
    } else if (/(Shift|Control|Alt|Meta)$/.test(chord)) {
      return false;
    } else {
      // Any other key takes what was found, and then does what it always does.
      this.#end();
      return false;
    }
    return true;
  }

  #begin(line) {
    this.#query = "";
    this.#draft = line.text;
    this.#index = undefined;
    this.#show(true);
  }

  #end() {
    this.#query = null;
    this.element.hidden = true;
    this.element.textContent = "";
  }

  #find(line, before) {
    const found = this.#query === "" ? null : this.history.search(this.#query, before);
    if (found) {
      this.#index = found.index;
      line.text = found.line;
    }
    this.#show(found !== null || this.#query === "");
  }

  #show(found) {
    this.element.hidden = false;
    this.element.textContent = (found ? texts.terminal.search : texts.terminal.searchFailed)(this.#query);
  }
}
