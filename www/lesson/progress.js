// Remembers which commands of which lesson were run, and where the learner was.
import { keep, recall } from "../store.js";

/** Lines are compared as a teacher would: `get  Key` is `GET Key`. */
export function sameLine(one, other) {
  return plain(one) === plain(other);
}

const plain = (line) => line.trim().replace(/\s+/g, " ").toLowerCase();

export class Progress {
  // { slug: [line, ...] }
  #done = recall("progress", {});

  has(slug, line) {
    return (this.#done[slug] ?? []).some((done) => sameLine(done, line));
  }

  add(slug, line) {
    if (this.has(slug, line)) return;
    this.#done = { ...this.#done, [slug]: [...(this.#done[slug] ?? []), line] };
    keep("progress", this.#done);
  }

  /** Whether every command of the lesson was run. */
  finished(lesson) {
    return lines(lesson).every((line) => this.has(lesson.slug, line));
  }

  reset() {
    this.#done = {};
    keep("progress", this.#done);
  }

  get place() {
    return recall("place", null);
  }

  set place(slug) {
    keep("place", slug);
  }
}

/** All command lines of a lesson. */
export function lines(lesson) {
  const of = (block) => block.commands?.flatMap(({ line }) => line ?? []) ?? block.blocks?.flatMap(of) ?? [];
  return lesson.blocks.flatMap(of);
}
