// Remembers the lines that were run in all terminals: older and newer by step, search backwards, kept across reloads.
import { keep, recall } from "../store.js";

const LINES = 500;
const LINE_CHARACTERS = 20_000;
// As redis-cli does, a password is not written down.
const secret = /^\s*(auth\b|hello\b.*\bauth\b|config\s+set\b.*\b(requirepass|masterauth)\b)/i;

let all = recall("history", []).filter((line) => typeof line === "string");

/** One terminal's place in the history. While it steps through the lines, those that others add do not move it. */
export class History {
  #lines = all;
  #at = all.length;
  #draft = "";

  add(line) {
    if (line.trim() !== "" && line.length <= LINE_CHARACTERS && !secret.test(line)) {
      if (line !== all.at(-1)) all = [...all, line].slice(-LINES);
      keep("history", all);
    }
    this.leave();
  }

  /** Goes back behind the newest line. */
  leave() {
    this.#lines = all;
    this.#at = all.length;
  }

  /** The line `by` steps from here (-1 is older), or null at either end; `current` is what is being typed. */
  step(by, current) {
    if (this.#at === this.#lines.length) this.leave();
    const to = this.#at + by;
    if (to < 0 || to > this.#lines.length) return null;
    if (this.#at === this.#lines.length) this.#draft = current;
    this.#at = to;
    return this.#lines[to] ?? this.#draft;
  }

  /** The newest line before index `before` that holds `query`: `{ line, index }` or null. */
  search(query, before) {
    if (before === undefined) this.leave();
    before ??= this.#lines.length;
    for (let index = Math.min(before, this.#lines.length) - 1; index >= 0; index--) {
      if (this.#lines[index].toLowerCase().includes(query.toLowerCase())) return { line: this.#lines[index], index };
    }
    return null;
  }
}
