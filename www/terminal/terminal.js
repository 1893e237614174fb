// <evalsha-terminal>: a redis-cli. It sends lines to a session and shows what comes back, and decides nothing about either.
import { calm, copy, make } from "../element.js";
import { texts } from "../texts.js";
import { Completion } from "./complete.js";
import { History } from "./history.js";
import { Line } from "./line.js";
import { splitPaste } from "./paste.js";
import { Screen } from "./screen.js";
import { Search } from "./search.js";

const words = texts.terminal;
// A script that answers sooner needs no Stop button: it would only flicker.
const PATIENCE_MS = 150;
// How long a line takes to be typed for the learner.
const TYPING_MS = 450;
// Pasted lines run for so long before the page has its turn.
const TURN_MS = 10;
// This near to the end is at the end.
const NEAR_PX = 8;

/**
 * Events: `command` (detail: { line, ok }) when the reply to a line is complete; `close` when the user wants no more of
 * this terminal; `shutdown` when the user wants Redis to be shut down.
 */
export class Terminal extends HTMLElement {
  #session = null;
  #state = "starting";
  #queue = [];
  #running = null;
  #pumping = false;
  #patience = 0;
  #slow = false;
  #typing = Promise.resolve();
  #following = true;
  #offer = null;

  #history = new History();
  #screen = new Screen();
  #line = new Line();
  #search = new Search(this.#history);
  #completion = new Completion((text) => this.#session?.complete(text) ?? [], () => this.#toEnd());
  #status = make("span", { className: "status", role: "status" }, words.starting);
  #title = make("h2", {}, words.title);
  #stop = make("button", { type: "button", className: "stop", onclick: () => this.interrupt() }, words.stop);
  #copy = make("button", { type: "button", onclick: () => this.#copyAll() }, words.copy);
  #close = make("button", { type: "button", className: "close", onclick: () => this.dispatchEvent(new Event("close")) });
  #scroll = make("div", { className: "scroll" }, this.#screen.element, this.#line.element, this.#search.element, this.#completion.element);

  /** Holds the buttons of the terminal; what goes with all terminals is appended here (terminals.js). */
  bar = make("div", { className: "more" });

  connectedCallback() {
    if (this.hasChildNodes()) return;
    const clear = make("button", { type: "button", onclick: () => (this.#screen.clear(), this.focus()) }, words.clear);
    this.bar.append(this.#copy, clear);
    this.append(make("div", { className: "bar" }, this.#title, this.#status, this.#stop, this.bar, this.#close), this.#scroll, this.#touchKeys());
    this.#stop.hidden = true;
    const line = this.#line;
    line.hintFor = (text) => this.#session?.hint(text) ?? "";
    line.modes = [
      (chord) => this.#search.key(chord, line),
      (chord) => this.#completion.key(chord, line),
      (chord) => this.#key(chord),
    ];
    line.element.addEventListener("enter", () => this.#enter());
    line.element.addEventListener("edit", () => this.#toEnd());
    line.input.addEventListener("paste", (event) => this.#paste(event));
    // Whoever is at the end stays there when what stands above, or the terminal, gets another height.
    this.#scroll.addEventListener("scroll", () => (this.#following = this.#distance() < NEAR_PX));
    const follow = new ResizeObserver(() => this.#following && this.#toEnd());
    for (const element of [this.#scroll, ...this.#scroll.children]) follow.observe(element);
    this.#scroll.addEventListener("click", () => {
      // A click into the empty part means the input line; a selection made with the mouse must stay.
      if (getSelection().isCollapsed) this.focus();
    });
  }

  /** Buttons for the keys that a phone's keyboard lacks; shown where a finger points (terminal.css). */
  #touchKeys() {
    const button = ([chord, { face, name }]) =>
      make("button", { type: "button", "aria-label": name, onclick: () => (this.#line.press(chord), this.focus()) }, face);
    const row = make("div", { className: "touch", role: "group", "aria-label": words.touch.label }, Object.entries(words.touch.keys).map(button));
    // The line keeps the focus, and with it the phone's keyboard.
    row.addEventListener("pointerdown", (event) => event.preventDefault());
    return row;
  }

  /** Tells it its number, or 0 if it is alone, and whether it is the one in use. */
  place(number, current) {
    const name = number ? words.numbered(number) : words.title;
    if (this.#title.textContent !== name) {
      this.#title.textContent = name;
      this.#close.setAttribute("aria-label", words.close(name));
      this.#close.title = words.closeHint;
      this.#screen.element.setAttribute("aria-label", number ? words.logOf(number) : words.log);
      this.#line.input.setAttribute("aria-label", number ? words.inputOf(number) : words.input);
    }
    this.#close.hidden = number === 0;
    this.classList.toggle("current", number > 0 && current);
  }

  /** Whether a line would run at once. */
  get ready() {
    return this.#state === "ready" && this.#queue.length === 0;
  }

  /** Connects the terminal to a session (engine.js); it has a prompt from now on. */
  connect(session) {
    this.#session = session;
    session.addEventListener("output", ({ detail }) => this.#received(detail));
    this.#ready();
  }

  /** A fresh engine has taken the place of one that trapped. */
  restarted() {
    this.notice(texts.trap.restarted);
    this.#ready();
  }

  /** Redis was shut down, and an empty one has taken its place. */
  shutDown() {
    this.#queue = [];
    this.#offer?.remove();
    this.#offer = null;
    this.notice(make("strong", {}, texts.shutdown.title), make("p", {}, texts.shutdown.body));
    if (this.#state === "ready") this.#set("ready", this.#session.prompt);
  }

  /** The terminal is closed; so is its connection. */
  end() {
    clearTimeout(this.#patience);
    this.#session?.close();
  }

  #ready() {
    this.#set("ready", this.#session.prompt);
    this.#pump();
  }

  /** The engine is gone. What stands here stays; nothing runs until restarted(). */
  broken(...notice) {
    this.#queue = [];
    this.#running = null;
    this.#set("broken", "");
    this.#offer?.remove();
    this.#offer = null;
    if (notice.length > 0) this.notice(...notice.filter(Boolean));
  }

  /** Says something of the page's own in the terminal. */
  notice(...content) {
    const element = this.#screen.notice(...content);
    this.#toEnd();
    return element;
  }

  /** What Redis has for a script that cannot be killed, and what it costs. */
  #offerShutdown() {
    const { title, body, button } = texts.unkillable;
    this.#offer?.remove();
    this.#offer = this.notice(
      make("strong", {}, title),
      make("p", {}, body),
      make("button", { type: "button", className: "command", onclick: () => this.dispatchEvent(new Event("shutdown")) }, button),
    );
  }

  focus() {
    this.#line.focus();
  }

  /** Types a line for the learner, visibly, and runs it; what was being typed is put back. */
  type(line) {
    this.#typing = this.#typing.then(async () => {
      const draft = this.#line.take();
      if (!calm()) await this.#typeOut(line);
      this.#line.text = draft;
      this.submit(line);
    });
    return this.#typing;
  }

  /** Runs a line as if it had been entered; it waits its turn while another one runs. */
  submit(line) {
    this.#queue.push(line);
    this.#pump();
  }

  /** Ctrl-C: ends what runs and forgets what waits; with nothing to end, it clears the line. */
  interrupt() {
    this.#queue = [];
    if (this.#state === "waiting") {
      this.#screen.output("^C\n", true);
      this.#session.interrupt();
    } else if (this.#state === "ready") {
      this.#screen.command(this.#session.prompt, `${this.#line.take()}^C`);
      this.#history.leave();
    }
    this.#toEnd();
  }

  #typeOut(line) {
    return new Promise((done) => {
      const started = performance.now();
      const step = (now) => {
        const share = Math.min(1, (now - started) / TYPING_MS);
        this.#line.text = line.slice(0, Math.ceil(line.length * share));
        if (share < 1) requestAnimationFrame(step);
        else done();
      };
      // A hidden page paints no frames; the line must run all the same.
      if (document.hidden) done();
      else requestAnimationFrame(step);
    });
  }

  #key(chord) {
    switch (chord) {
      case "ArrowUp":
      case "ArrowDown":
        // Within a line of several rows the arrows move the cursor.
        if (this.#line.text.includes("\n") && !(chord === "ArrowUp" ? this.#line.at === 0 : this.#line.atEnd)) return false;
        return this.#recall(chord === "ArrowUp" ? -1 : 1);
      case "Ctrl-p":
        return this.#recall(-1);
      case "Ctrl-n":
        return this.#recall(1);
      case "Ctrl-l":
        this.#screen.clear();
        return true;
      case "Ctrl-c":
        if (this.#line.input.selectionStart !== this.#line.input.selectionEnd || !getSelection().isCollapsed) return false;
        this.interrupt();
        return true;
      case "Ctrl-d":
        if (this.#line.text !== "") return false;
        // In a shell the second one would close the window.
        if (this.#state === "closed") this.dispatchEvent(new Event("close"));
        else this.submit("exit");
        return true;
      case "PageUp":
      case "PageDown":
        this.#scroll.scrollBy({ top: (chord === "PageUp" ? -0.9 : 0.9) * this.#scroll.clientHeight });
        return true;
      default:
        return false;
    }
  }

  #recall(by) {
    const text = this.#history.step(by, this.#line.text);
    if (text !== null) this.#line.text = text;
    return true;
  }

  #enter() {
    this.#completion.close();
    if (this.#state === "closed") {
      this.#session.attach();
      this.#ready();
    }
    this.submit(this.#line.take());
  }

  #paste(event) {
    const pasted = event.clipboardData.getData("text/plain");
    event.preventDefault();
    this.#completion.close();
    if (!/[\r\n]/.test(pasted)) {
      this.#line.insert(pasted);
      return;
    }
    const [before, after] = this.#line.around;
    const { lines, rest } = splitPaste(before + pasted + after);
    this.#line.text = rest;
    for (const line of lines) this.#queue.push(line);
    this.#pump();
  }

  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    let started = performance.now();
    while (this.#queue.length > 0 && this.#state === "ready") {
      if (performance.now() - started > TURN_MS) {
        await new Promise((next) => setTimeout(next));
        started = performance.now();
        continue;
      }
      this.#run(this.#queue.shift());
    }
    this.#pumping = false;
  }

  #run(line) {
    this.#screen.command(this.#session.prompt, line);
    this.#history.add(line);
    this.#running = line;
    this.#set("waiting", "");
    this.#session.send(line);
  }

  #received({ text, prompt, ok, state, clear, unkillable, roles }) {
    if (clear) this.#screen.clear();
    this.#screen.output(text, ok, roles);
    this.#set(state, state === "ready" ? prompt : "");
    if (state === "closed") this.#screen.notice(words.closed);
    if (unkillable) this.#offerShutdown();
    this.#toEnd();
    if (state === "waiting" || this.#running === null) return;
    const line = this.#running;
    this.#running = null;
    this.dispatchEvent(new CustomEvent("command", { detail: { line, ok } }));
    this.#pump();
  }

  #set(state, prompt) {
    if (state !== "waiting" || this.#state !== "waiting") {
      clearTimeout(this.#patience);
      this.#slow = false;
      if (state === "waiting") this.#patience = setTimeout(() => ((this.#slow = true), this.#showState()), PATIENCE_MS);
    }
    this.#state = state;
    this.#line.prompt = prompt;
    this.#showState();
  }

  #showState() {
    const waiting = this.#queue.length > 0 ? ` ${words.queued(this.#queue.length)}` : "";
    const said = this.#slow ? words.running + waiting : this.#state === "starting" ? words.starting : "";
    if (this.#status.textContent !== said) this.#status.textContent = said;
    if (this.#stop.hidden && this.#slow) this.#stop.hidden = false;
    else if (!this.#stop.hidden && !this.#slow) this.#hideStop();
  }

  #hideStop() {
    // Whoever pressed it goes on in the line; the focus must not fall out of the page.
    if (document.activeElement === this.#stop) this.focus();
    this.#stop.hidden = true;
  }

  #toEnd() {
    this.#following = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  /** How far below the view the end is, in pixels. */
  #distance() {
    return this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight;
  }

  async #copyAll() {
    const copied = await copy(this.#screen.text);
    this.#copy.textContent = copied ? words.copied : words.notCopied;
    setTimeout(() => (this.#copy.textContent = words.copy), 1500);
  }
}

customElements.define("evalsha-terminal", Terminal);
