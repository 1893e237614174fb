// Makes an element from a tag, its properties and its children; strings become text, never HTML.

/** `make("button", { type: "button", onclick }, "Run")`; names with a hyphen and `role` are attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child != null && child !== ""));
  return element;
}

/** Whether the user asked for less movement. */
export function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Copies a text; resolves to whether it worked. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // An iframe without the permission, or an old browser: the older way still works there after a click.
    const carrier = make("textarea", { value: text, className: "unseen" });
    const focused = document.activeElement;
    document.body.append(carrier);
    carrier.select();
    const copied = document.execCommand("copy");
    carrier.remove();
    focused?.focus();
    return copied;
  }
}
