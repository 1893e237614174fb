// Turns a lesson's blocks (tools/lessons.mjs) into elements; text stays text.
import { make } from "../element.js";
import { texts } from "../texts.js";

const words = texts.lesson;

/** The elements of blocks; each command becomes a step by `step(line, output)`. */
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
        return make("div", { className: "transcript" }, block.commands.map(({ line, output }) => step(line, output)));
    }
    throw new Error(`a lesson has no ${block.type}`);
  });
}

/** A command with its Run button, its tick and what it prints. */
export function makeStep(line, output, run) {
  const button = make("button", { type: "button", className: "run", "aria-label": words.runLine(line), onclick: () => run(line) }, words.run);
  const tick = make("span", { className: "tick", role: "img", "aria-label": words.ticked, hidden: true });
  const element = make(
    "div",
    { className: "step" },
    make("div", { className: "given" }, make("code", {}, line), make("div", { className: "act" }, tick, button)),
    make("pre", { className: "prints", "aria-label": words.expected, role: "group" }, output.replace(/\n$/, "")),
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

function inline(parts) {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    if (part.type === "code") return make("code", {}, part.text);
    if (part.type === "link") return make("a", { href: part.href, rel: "noopener", target: "_blank" }, inline(part.text));
    return make(part.type, {}, inline(part.text));
  });
}
