// Turns a lesson's blocks (tools/lessons.mjs) into elements; text stays text.
import { make } from "../element.js";
import { texts } from "../texts.js";

const words = texts.lesson;

/** The elements of blocks; each command becomes a step by `step(command)`. */
export function render(blocks, step) {
  return blocks.map((block) => {
    switch (block.type) {
      case "paragraph":
        return make("p", {}, inline(block.text));
      case "list":
        return make("ul", {}, block.items.map((item) => make("li", {}, inline(item))));
      case "note":
        return make("div", { className: "note", role: "note" }, render(block.blocks, step));
      case "transcript":
        return make("div", { className: "transcript" }, block.commands.map((command) => (command.line === undefined ? later(command) : step(command))));
    }
    throw new Error(`a lesson has no ${block.type}`);
  });
}

/** A command with its Run button, its tick and what it prints. */
export function makeStep({ line, output, terminal }, run) {
  const name = terminal ? words.runLineIn(line, terminal) : words.runLine(line);
  const button = make("button", { type: "button", className: "run", "aria-label": name, onclick: run }, words.run);
  const tick = make("span", { className: "tick", role: "img", "aria-label": words.ticked, hidden: true });
  const element = make(
    "div",
    { className: "step" },
    make("div", { className: "given" }, where(terminal), make("code", {}, line), make("div", { className: "act" }, tick, button)),
    output && prints(output, words.expected),
  );
  return {
    line,
    element,
    set done(done) {
      tick.hidden = !done;
      element.classList.toggle("done", done);
      button.textContent = done ? words.again : words.run;
    },
  };
}

/** What a terminal prints only now, for a command further above. */
function later({ output, terminal }) {
  return make("div", { className: "step later" }, where(terminal), prints(output, words.expectedLater(terminal)));
}

function prints(output, label) {
  return make("pre", { className: "prints", "aria-label": label, role: "group" }, output.replace(/\n$/, ""));
}

/** The number of the terminal that a line is meant for, in lessons that need a second one. */
function where(terminal) {
  return terminal ? make("span", { className: "where", title: words.where(terminal) }, String(terminal)) : null;
}

function inline(parts) {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    if (part.type === "code") return make("code", {}, part.text);
    if (part.type === "link") return make("a", { href: part.href, rel: "noopener", target: "_blank" }, inline(part.text));
    return make(part.type, {}, inline(part.text));
  });
}
