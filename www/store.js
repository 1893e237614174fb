// Keeps what outlives a reload in localStorage, and in memory alone where the browser gives none (a strict iframe, a file).

const memory = new Map();
const prefix = "evalsha.";

/** What was kept under a name, or `otherwise`. */
export function recall(name, otherwise) {
  try {
    const text = localStorage.getItem(prefix + name);
    if (text !== null) return JSON.parse(text);
  } catch {
    // No storage, or something in it that is not ours: as if nothing had been kept.
  }
  return memory.has(name) ? memory.get(name) : otherwise;
}

/** Keeps a value (anything that JSON can hold) under a name. */
export function keep(name, value) {
  memory.set(name, value);
  try {
    localStorage.setItem(prefix + name, JSON.stringify(value));
  } catch {
    // Full or forbidden: it lasts until the page is closed.
  }
}
