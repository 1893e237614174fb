// The input line: a real textarea over a mirror of itself, which shows the prompt, and the grey hint behind the text.
import { make } from "../element.js";
import { texts } from "../texts.js";
import { chord, edits } from "./editing.js";

const words = texts.terminal;
// A textarea lays out all of its text at each key; what is longer is held beside it and only named in it.
const HELD_CHARACTERS = 50_000;
let count = 0;

/**
 * Events on `element`: `enter`, `edit` (the text has changed). Modes (completion, search) get a key first, and may take it:
 * `modes` are functions from (chord, line) to whether they did.
 */
export class Line {
  #prompt = make("span", { className: "prompt" });
  #echo = make("span", { className: "echo" });
  #hint = make("span", { className: "hint" });
  #cut = "";
  #held = null;
  #newLine = false;
  modes = [];
  hintFor = () => "";

  constructor() {
    const id = `evalsha-line-${++count}`;
    this.input = make("textarea", {
      className: "input",
      rows: 1,
      spellcheck: false,
      autocomplete: "off",
      "autocapitalize": "off",
      "aria-label": words.input,
      "aria-describedby": id,
      "enterkeyhint": "send",
    });
    this.element = make(
      "div",
      { className: "line" },
      make("div", { className: "mirror", "aria-hidden": "true" }, this.#prompt, this.#echo, this.#hint),
      this.input,
      make("p", { className: "unseen", id }, words.inputHelp),
    );
    this.input.addEventListener("input", () => this.#changed());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    // A phone's keyboard may send no key of its own for Enter.
    this.input.addEventListener("beforeinput", (event) => {
      if (event.inputType === "insertLineBreak" && !event.isComposing && !this.#newLine) this.#enter(event);
    });
    document.addEventListener("selectionchange", () => this.#showHint());
  }

  /** The whole text, also when it is too long to be shown. */
  get text() {
    return this.#held ?? this.input.value;
  }

  set text(text) {
    this.place(text, text.length);
  }

  get at() {
    return this.input.selectionEnd;
  }

  get atEnd() {
    return this.input.selectionStart === this.input.value.length;
  }

  /** Puts a text into the line, and the cursor into the text. */
  place(text, at) {
    this.#held = text.length > HELD_CHARACTERS ? text : null;
    this.input.readOnly = this.#held !== null;
    this.input.value = this.#held === null ? text : words.held(text.length);
    this.input.setSelectionRange(at, at);
    this.#changed();
  }

  /** What stands before and after the selection. */
  get around() {
    if (this.#held !== null) return [this.#held, ""];
    const { value, selectionStart, selectionEnd } = this.input;
    return [value.slice(0, selectionStart), value.slice(selectionEnd)];
  }

  insert(text) {
    const [before, after] = this.around;
    this.place(before + text + after, before.length + text.length);
  }

  /** Empties the line and returns what stood in it. */
  take() {
    const { text } = this;
    this.text = "";
    return text;
  }

  set prompt(text) {
    this.#prompt.textContent = text;
    this.element.style.setProperty("--prompt", `${text.length}ch`);
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  #changed() {
    this.#echo.textContent = this.input.value;
    this.#showHint();
    this.element.dispatchEvent(new Event("edit"));
  }

  #showHint() {
    const wanted = document.activeElement === this.input && this.atEnd && this.#held === null && this.input.value !== "";
    const hint = wanted ? this.hintFor(this.input.value) : "";
    if (hint !== this.#hint.textContent) this.#hint.textContent = hint;
  }

  #key(event) {
    if (event.isComposing) return;
    const pressed = chord(event);
    this.#newLine = pressed === "Shift-Enter";
    if (this.press(pressed)) event.preventDefault();
  }

  /** Does what a key does, by its name (editing.js, chord); false if it is left to the browser. */
  press(pressed) {
    if (this.modes.some((mode) => mode(pressed, this))) return true;
    if (pressed === "Enter") {
      this.element.dispatchEvent(new Event("enter"));
      return true;
    }
    if (this.#held !== null) {
      if (["Escape", "Ctrl-u", "Ctrl-w", "Backspace"].includes(pressed)) this.take();
      return false;
    }
    if (!Object.hasOwn(edits, pressed)) return false;
    const next = edits[pressed]({ text: this.input.value, at: this.at, cut: this.#cut });
    this.#cut = next.cut;
    this.place(next.text, next.at);
    return true;
  }

  #enter(event) {
    event.preventDefault();
    this.element.dispatchEvent(new Event("enter"));
  }
}
