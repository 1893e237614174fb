// What the terminal has printed: each command with its output, shown in parts when it is long, and dropped when it is old.
import { copy, make } from "../element.js";
import { texts } from "../texts.js";

const words = texts.terminal;
// One output shows so much at once; the rest waits behind a button.
const PART_LINES = 1_000;
const PART_CHARACTERS = 60_000;
// All outputs together: shown in the page, and kept for copying.
const SHOWN_CHARACTERS = 1_000_000;
const SHOWN_ENTRIES = 1_000;
const KEPT_CHARACTERS = 64_000_000;

/** A log of entries; each entry keeps its whole text for copying. */
export class Screen {
  element = make("div", { className: "screen", role: "log", "aria-label": words.log });
  #entries = [];

  /** A line that was entered. Its output is added to the same entry. */
  command(prompt, line) {
    this.#add("command");
    this.#part(make("span", { className: "prompt" }, prompt), prompt);
    this.#text(`${line}\n`, "typed");
  }

  /** Adds what Redis printed; `ok` is false for an error. The debugger says of its lines what they are about. */
  output(text, ok, roles = []) {
    if (this.#entries.length === 0) this.#add("late");
    if (roles.length === 0) {
      this.#text(text, ok ? "output" : "output wrong");
      return;
    }
    const lines = text.split(/(?<=\n)/);
    // One block for each run of lines with the same role.
    for (let from = 0; from < lines.length; ) {
      let to = from + 1;
      while (to < lines.length && (roles[to] ?? "plain") === (roles[from] ?? "plain")) to++;
      this.#text(lines.slice(from, to).join(""), `output ${roles[from] ?? "plain"}`);
      from = to;
    }
  }

  /** Says something of the page's own. */
  notice(...content) {
    return this.#add("notice", ...content).element;
  }

  clear() {
    this.#entries = [];
    this.element.replaceChildren();
  }

  /** All that was printed, whole. */
  get text() {
    return this.#entries.map((entry) => entry.texts.join("")).join("");
  }

  #add(kind, ...content) {
    const entry = { element: make("div", { className: `entry ${kind}` }, ...content), texts: [], shown: 0, kept: 0 };
    this.#entries.push(entry);
    this.element.append(entry.element);
    this.#drop();
    return entry;
  }

  #part(element, text) {
    const entry = this.#entries.at(-1);
    entry.element.append(element);
    entry.texts.push(text);
    entry.kept += text.length;
  }

  #text(text, className) {
    if (text === "") return;
    const entry = this.#entries.at(-1);
    const holder = make(className === "typed" ? "span" : "div", { className });
    this.#part(holder, text);
    this.#show(entry, holder, text, 0);
    this.#drop();
  }

  /** Shows a part of the text from `from`, and a row that tells what is not shown. */
  #show(entry, holder, text, from) {
    const to = partEnd(text, from);
    // The last newline is the block's own end; a second one would stand in what is copied with the mouse.
    holder.append(visible(to === text.length ? text.slice(from).replace(/\n$/, "") : text.slice(from, to)));
    entry.shown += to - from;
    if (to === text.length) return;
    const rest = make(
      "p",
      { className: "rest" },
      words.more(newlines(text, to), text.length - to),
      make("button", { type: "button", onclick: () => (rest.remove(), this.#show(entry, holder, text, to)) }, words.showMore),
      make("button", { type: "button", onclick: (event) => copied(event.target, text) }, words.copyAll),
    );
    holder.append(rest);
  }

  #drop() {
    const total = (of) => this.#entries.reduce((sum, entry) => sum + entry[of], 0);
    let dropped = false;
    while (
      this.#entries.length > 1 &&
      (this.#entries.length > SHOWN_ENTRIES || total("shown") > SHOWN_CHARACTERS || total("kept") > KEPT_CHARACTERS)
    ) {
      this.#entries.shift().element.remove();
      dropped = true;
    }
    if (dropped && !this.element.previousElementSibling) this.element.before(make("p", { className: "dropped" }, words.dropped));
  }
}

async function copied(button, text) {
  button.textContent = (await copy(text)) ? words.copied : words.notCopied;
}

function partEnd(text, from) {
  let end = from;
  for (let lines = 0; lines < PART_LINES && end - from < PART_CHARACTERS; lines++) {
    const newline = text.indexOf("\n", end);
    if (newline < 0) {
      end = text.length;
      break;
    }
    end = newline + 1;
  }
  end = Math.min(end, from + PART_CHARACTERS);
  // Never between the halves of a character.
  return end < text.length && /[\ud800-\udbff]/.test(text[end - 1]) ? end - 1 : end;
}

function newlines(text, from) {
  let lines = 0;
  for (let at = text.indexOf("\n", from); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

// Control characters have no picture of their own, and a terminal would obey some of them: show Unicode's pictures of them.
function visible(text) {
  return text.replace(/[\0-\x08\x0b-\x1f\x7f]/g, (character) => {
    const code = character.charCodeAt(0);
    return String.fromCharCode(code === 0x7f ? 0x2421 : 0x2400 + code);
  });
}
