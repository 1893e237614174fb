// Remembers the lines that were run: older and newer by step, search backwards, kept across reloads.
import { keep, recall } from "../store.js";

const LINES = 500;
const LINE_CHARACTERS = 20_000;
// As redis-cli does, a password is not written down.
const secret = /^\s*(auth\b|hello\b.*\bauth\b|config\s+set\b.*\b(requirepass|masterauth)\b)/i;

export class History {
  #lines = recall("history", []).filter((line) => typeof line === "string");
  #at = this.#lines.length;
  #draft = "";

  add(line) {
    this.#at = this.#lines.length;
    if (line.trim() === "" || line.length > LINE_CHARACTERS || secret.test(line)) return;
    if (line !== this.#lines.at(-1)) this.#lines = [...this.#lines, line].slice(-LINES);
    this.#at = this.#lines.length;
    keep("history", this.#lines);
  }

  /** The line `by` steps from here (-1 is older), or null at either end; `current` is what is being typed. */
  step(by, current) {
    const to = this.#at + by;
    if (to < 0 || to > this.#lines.length) return null;
    if (this.#at === this.#lines.length) this.#draft = current;
    this.#at = to;
    return this.#lines[to] ?? this.#draft;
  }

  /** The newest line before index `before` that holds `query`: `{ line, index }` or null. */
  search(query, before = this.#lines.length) {
    for (let index = Math.min(before, this.#lines.length) - 1; index >= 0; index--) {
      if (this.#lines[index].toLowerCase().includes(query.toLowerCase())) return { line: this.#lines[index], index };
    }
    return null;
  }
}
