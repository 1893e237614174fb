// Puts the page together: the course on one side, the terminals on the other, one Redis behind all.
//
// Address: ?lesson=SLUG opens that lesson; ?embed makes the compact form for an iframe, which without a lesson is the
// terminal alone; ?theme=light or dark has that theme.
import lessons from "evalsha:lessons";
import { make } from "./element.js";
import { Playground } from "./engine.js";
import { keysDialog } from "./keys.js";
import { addressOf } from "./lesson/course.js";
import "./terminal/terminals.js";
import { texts } from "./texts.js";
import { themeChoice } from "./theme.js";

const wanted = new URLSearchParams(location.search);
const embedded = wanted.has("embed");
const withCourse = lessons.length > 0 && !(embedded && !wanted.has("lesson"));

const playground = new Playground();
const ui = {
  theme: themeChoice(wanted.get("theme")),
  keys: keysDialog(),
  course: withCourse ? make("evalsha-course", { tabIndex: -1 }) : null,
  terminals: make("evalsha-terminals", { remembering: !embedded }),
};

const actions = {
  /** Runs a lesson's line where the learner sees it. */
  run: ({ line, terminal }) => ui.terminals.type(line, terminal),
  ran: (line) => ui.course?.ran(line),
  showKeys: () => ui.keys.showModal(),
  moved(slug) {
    title();
    try {
      history.pushState(null, "", addressOf(slug));
    } catch {
      // A page from a file, in some browsers: the lesson changes, the address cannot.
    }
  },
  async start() {
    try {
      await playground.start();
    } catch (error) {
      ui.terminals.broken(offer(texts.failure, texts.failure.retry, String(error)));
      console.error(error);
    }
  },
};

// Keys that mean the same everywhere but in a field or a dialog.
const shortcuts = {
  PageUp: () => ui.course?.page(-1),
  PageDown: () => ui.course?.page(1),
};

function layOut() {
  document.documentElement.classList.toggle("embedded", embedded);
  const brand = make("a", { className: "brand", href: "?" }, texts.brand);
  const full = make("a", { className: "full", href: fullAddress(), target: "_blank", rel: "noopener" }, texts.lesson.full);
  const header = make("header", {}, brand, make("span", { className: "tagline" }, texts.tagline), embedded ? full : ui.theme);
  const panes = [
    ui.course && make("section", { className: "pane", "aria-label": texts.lesson.region }, ui.course),
    make("section", { className: "pane", "aria-label": texts.terminal.region }, ui.terminals),
  ];
  if (!ui.course) panes.unshift(make("h1", { className: "unseen" }, texts.brand));
  const skip = make("a", { className: "skip", href: "#", onclick: (event) => (event.preventDefault(), ui.terminals.focus()) }, texts.skip);
  header.prepend(skip);
  document.body.append(header, make("main", { className: ui.course ? "both" : "alone" }, panes), ui.keys);
}

function connect() {
  const { course, terminals } = ui;
  terminals.addEventListener("keys", actions.showKeys);
  terminals.addEventListener("command", ({ detail }) => actions.ran(detail.line));
  if (course) {
    course.lessons = lessons;
    course.show(wanted.get("lesson") ?? course.place);
    course.addEventListener("run", ({ detail }) => actions.run(detail));
    course.addEventListener("move", ({ detail }) => actions.moved(detail));
    addEventListener("popstate", () => {
      course.show(new URLSearchParams(location.search).get("lesson") ?? course.place);
      title();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (!event.defaultPrevented && !event.target.closest("dialog") && terminals.key(event)) event.preventDefault();
    const modified = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
    if (modified || event.defaultPrevented || event.target.closest("textarea, select, dialog") || !shortcuts[event.key]) return;
    event.preventDefault();
    shortcuts[event.key]();
  });

  terminals.connect(playground);
  playground.addEventListener("ready", () => (document.documentElement.dataset.version = playground.version));
  playground.addEventListener("broken", ({ detail }) => {
    console.warn(detail);
    terminals.broken(offer(texts.trap, texts.trap.restart));
  });
}

/** What a notice of a failure holds, with the button that starts the engine again. */
function offer({ title, body }, label, detail) {
  const button = make("button", { type: "button", onclick: () => ((button.disabled = true), actions.start()) }, label);
  return [make("strong", {}, title), make("p", {}, body), detail && make("pre", {}, detail), button];
}

function fullAddress() {
  const slug = wanted.get("lesson");
  return slug ? `?lesson=${encodeURIComponent(slug)}` : "?";
}

function title() {
  if (ui.course) document.title = `${ui.course.lesson.title} · ${texts.brand}`;
}

layOut();
connect();
title();
actions.start();
