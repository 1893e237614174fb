// <evalsha-terminals>: one redis-cli beside the other, all clients of the same Redis, and one of them the current one.
import { make } from "../element.js";
import { keep, recall } from "../store.js";
import { texts } from "../texts.js";
import { chord } from "./editing.js";
import "./terminal.js";

const words = texts.terminal;
// More would leave none of them room for a reply.
const MOST = 4;

/** Event `command` (detail: { line, ok }) when the reply to a line is complete; `keys` when somebody asks for the keys. */
export class Terminals extends HTMLElement {
  #playground = null;
  #terminals = [];
  #current = null;
  #connected = false;
  // What goes with all of them stands in the bar of the first.
  #open = make(
    "button",
    { type: "button", className: "open", title: words.openHint, onclick: () => this.open() },
    make("span", { className: "plus", "aria-hidden": "true" }),
    make("span", { className: "word" }, words.open),
  );
  #keys = make("button", { type: "button", onclick: () => this.dispatchEvent(new Event("keys")) }, words.keys);
  #said = make("p", { className: "unseen", role: "status" });

  /** Whether the number of terminals is kept for the next time. */
  remembering = true;

  connectedCallback() {
    if (this.hasChildNodes()) return;
    this.append(this.#said);
    const { count = 1, current = 0 } = (this.remembering && recall("terminals", {})) || {};
    for (let made = 0; made < Math.min(Math.max(1, count), MOST); made++) this.#add();
    this.#choose(this.#terminals[current] ?? this.#terminals[0]);
    this.addEventListener("focusin", ({ target }) => {
      const terminal = target.closest("evalsha-terminal");
      if (terminal) this.#choose(terminal);
    });
  }

  /** Connects each terminal to a session of its own, as soon as there is a Redis. */
  connect(playground) {
    this.#playground = playground;
    playground.addEventListener("ready", () => {
      const restarted = this.#connected;
      this.#connected = true;
      for (const terminal of this.#terminals) {
        if (restarted) terminal.restarted();
        else terminal.connect(playground.open());
      }
      if (restarted) this.focus();
    });
    playground.addEventListener("shutdown", () => {
      for (const terminal of this.#terminals) terminal.shutDown();
    });
  }

  /** Opens another terminal, and takes the user there. */
  open() {
    if (this.#terminals.length === MOST) return;
    const terminal = this.#add();
    this.#choose(terminal);
    terminal.focus();
    this.#said.textContent = words.opened(this.#terminals.length);
  }

  /** Closes a terminal, unless it is the only one; its redis-cli ends. */
  close(terminal = this.#current) {
    if (this.#terminals.length === 1) return;
    const at = this.#terminals.indexOf(terminal);
    const focused = terminal.contains(document.activeElement);
    this.#terminals.splice(at, 1);
    terminal.end();
    terminal.remove();
    if (terminal === this.#current) this.#choose(this.#terminals[Math.max(0, at - 1)]);
    else this.#arrange();
    if (focused) this.focus();
    this.#said.textContent = words.closedOne(at + 1, this.#terminals.length);
  }

  /** The engine is gone: the current terminal says so, the others are as they were. `notice` is made anew for each. */
  broken(notice) {
    for (const terminal of this.#terminals) terminal.broken(...(terminal === this.#current ? notice : []));
  }

  focus() {
    this.#current.focus();
  }

  /** Types a line where the learner sees it: in the current terminal, or in the one with this number, from 1. */
  type(line, number) {
    while (number > this.#terminals.length) this.#add();
    const terminal = this.#terminals[number - 1] ?? this.#current;
    this.#choose(terminal);
    return terminal.type(line);
  }

  /** Does what a key means for the terminals as a whole; whether it means anything. */
  key(event) {
    const pressed = chord(event);
    const at = this.#terminals.indexOf(this.#current);
    const number = /^Alt-([1-9])$/.exec(pressed)?.[1];
    if (pressed === "Alt-n") this.open();
    else if (pressed === "Alt-w") this.close();
    else if (pressed === "Alt-o") this.#terminals[(at + 1) % this.#terminals.length].focus();
    else if (this.#terminals[number - 1]) this.#terminals[number - 1].focus();
    else return false;
    return true;
  }

  #add() {
    const terminal = make("evalsha-terminal");
    this.#terminals.push(terminal);
    this.append(terminal);
    terminal.addEventListener("command", ({ detail }) => this.dispatchEvent(new CustomEvent("command", { detail })));
    terminal.addEventListener("close", () => this.close(terminal));
    terminal.addEventListener("shutdown", () => this.#shutDown(terminal));
    this.#current ??= terminal;
    this.#arrange();
    if (this.#connected) terminal.connect(this.#playground.open());
    return terminal;
  }

  #choose(terminal) {
    if (terminal === this.#current) return;
    this.#current = terminal;
    this.#arrange();
  }

  #arrange() {
    const count = this.#terminals.length;
    this.dataset.count = count;
    this.#terminals.forEach((terminal, index) => terminal.place(count > 1 ? index + 1 : 0, terminal === this.#current));
    // Moved only when they must be: a button that moves loses the focus and the click.
    if (this.#open.parentNode !== this.#terminals[0].bar) this.#terminals[0].bar.append(this.#keys, this.#open);
    this.#open.disabled = count === MOST;
    if (this.remembering) keep("terminals", { count, current: this.#terminals.indexOf(this.#current) });
  }

  /** Types SHUTDOWN NOSAVE in this terminal, or, while it waits, in another one. */
  #shutDown(terminal) {
    const free = [terminal, ...this.#terminals].find((candidate) => candidate.ready);
    if (!free && this.#terminals.length === MOST) return;
    const there = free ?? this.#add();
    this.#choose(there);
    there.focus();
    there.type("SHUTDOWN NOSAVE");
  }
}

customElements.define("evalsha-terminals", Terminals);
