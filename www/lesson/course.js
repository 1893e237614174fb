// <evalsha-course>: the lessons, one at a time, with contents, ticks, and the way to the next one.
import { make } from "../element.js";
import { texts } from "../texts.js";
import { makeStep, render } from "./blocks.js";
import { Progress, sameLine } from "./progress.js";

const words = texts.lesson;

/** Events: `run` (detail: { line, terminal } of the pressed button; `terminal` is undefined where any will do), `move` (detail: the lesson's slug, chosen by the learner). */
export class Course extends HTMLElement {
  #lessons = [];
  #at = 0;
  #steps = [];
  #progress = new Progress();

  #place = make("span", { className: "place" });
  #list = make("ol");
  #reset = make("button", { type: "button", className: "quiet", onclick: () => this.#resetAfterAsking(), onblur: () => this.#ask(false) }, words.reset);
  #contents = make("details", { className: "contents" }, make("summary", {}, this.#place, make("span", { className: "more" }, words.contents)), this.#list, this.#reset);
  #article = make("article", { tabIndex: -1 });
  #pager = make("nav", { className: "pager", "aria-label": words.pager });
  #asked = false;

  connectedCallback() {
    this.append(this.#contents, this.#article, this.#pager);
    // A press beside the contents, or Escape, closes them.
    document.addEventListener("click", ({ target }) => this.#contents.contains(target) || (this.#contents.open = false));
    this.#contents.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape") return;
      this.#contents.open = false;
      this.#contents.firstElementChild.focus();
    });
  }

  /** Gives it the lessons; show() has to follow. */
  set lessons(lessons) {
    this.#lessons = lessons;
  }

  get lesson() {
    return this.#lessons[this.#at];
  }

  /** The slug to begin with when nobody asked for another: where the learner was. */
  get place() {
    const { place } = this.#progress;
    return this.#lessons.some(({ slug }) => slug === place) ? place : this.#lessons[0].slug;
  }

  /** Shows a lesson; an unknown slug shows the first one and says so. */
  show(slug) {
    const index = this.#lessons.findIndex((lesson) => lesson.slug === slug);
    this.#at = Math.max(0, index);
    const { title, goal, blocks } = this.lesson;
    this.#steps = [];
    const step = (command) => {
      const made = makeStep(command, () => this.dispatchEvent(new CustomEvent("run", { detail: command })));
      this.#steps.push(made);
      return made.element;
    };
    this.#article.replaceChildren(
      ...(index < 0 ? [make("p", { className: "note", role: "alert" }, words.unknown(slug))] : []),
      make("h1", {}, title),
      make("p", { className: "goal" }, goal),
      ...render(blocks, step),
    );
    this.#progress.place = this.lesson.slug;
    this.scrollTop = 0;
    this.#update();
  }

  /** Ticks the steps of this lesson that are this line. */
  ran(line) {
    for (const step of this.#steps) {
      if (sameLine(step.line, line)) this.#progress.add(this.lesson.slug, step.line);
    }
    this.#update();
  }

  /** Goes `by` lessons on, as the learner asked for; the reader is taken to its beginning. */
  move(by) {
    const lesson = this.#lessons[this.#at + by];
    if (lesson) this.#choose(lesson.slug);
  }

  /** Scrolls by a page, and goes to the lesson before or after at the end of this one. */
  page(by) {
    const room = by < 0 ? this.scrollTop : this.scrollHeight - this.clientHeight - this.scrollTop;
    if (room < 2) this.move(by);
    else this.scrollBy({ top: by * 0.9 * this.clientHeight });
  }

  #choose(slug) {
    this.#contents.open = false;
    this.show(slug);
    this.#article.focus({ preventScroll: true });
    this.dispatchEvent(new CustomEvent("move", { detail: slug }));
  }

  #update() {
    const finished = this.#lessons.map((lesson) => this.#progress.finished(lesson));
    for (const step of this.#steps) step.done = this.#progress.has(this.lesson.slug, step.line);
    this.#place.textContent = finished.every(Boolean) ? words.allDone(this.#lessons.length) : words.place(this.#at + 1, this.#lessons.length);
    this.#list.replaceChildren(...this.#lessons.map((lesson, index) => make("li", {}, this.#link(lesson, lesson.title, finished[index]))));
    const way = (by, word, className) => {
      const lesson = this.#lessons[this.#at + by];
      return lesson ? this.#link(lesson, make("span", {}, make("small", {}, word), lesson.title), false, className) : make("span");
    };
    this.#pager.replaceChildren(way(-1, words.previous, "previous"), way(1, words.next, "next"));
  }

  #link(lesson, label, finished, className = "") {
    const link = make("a", { href: addressOf(lesson.slug), className }, label);
    if (finished) link.append(make("span", { className: "tick", role: "img", "aria-label": words.finished }));
    if (lesson === this.lesson) link.setAttribute("aria-current", "page");
    link.onclick = (event) => {
      // With a modifier it opens elsewhere, as any link does.
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#choose(lesson.slug);
    };
    return link;
  }

  #resetAfterAsking() {
    if (this.#asked) {
      this.#progress.reset();
      this.#update();
    }
    this.#ask(!this.#asked);
  }

  #ask(asked) {
    this.#asked = asked;
    this.#reset.textContent = asked ? words.sureReset : words.reset;
  }
}

/** The page's address with another lesson in it. */
export function addressOf(slug) {
  const address = new URL(location.href);
  address.searchParams.set("lesson", slug);
  // An empty parameter is written as `?embed`, not as `?embed=`.
  return address.search.replace(/=(?=&|$)/g, "");
}

customElements.define("evalsha-course", Course);
