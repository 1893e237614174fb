// Edits a line as a shell does: pure functions from a line with a cursor to the next one, and the table of their keys.

// A line is { text, at, cut }: the cursor stands before text[at], and `cut` is what Ctrl-Y puts back.
const move = (line, at) => ({ ...line, at });
const cutOut = (line, from, to) => ({
  text: line.text.slice(0, from) + line.text.slice(to),
  at: from,
  cut: line.text.slice(from, to) || line.cut,
});

// A character may be two code units long (an emoji): the cursor never stands between them.
const before = (line) => line.at - ([...line.text.slice(Math.max(0, line.at - 2), line.at)].at(-1)?.length ?? 0);
const after = (line) => line.at + (line.text.codePointAt(line.at) > 0xffff ? 2 : line.at < line.text.length ? 1 : 0);

const wordAfter = (line) => line.at + /^[^\p{L}\p{N}_]*[\p{L}\p{N}_]*/u.exec(line.text.slice(line.at))[0].length;

// Walks back over what is between words, then over the word. (A regex anchored at the end would be quadratic here.)
function back(line, inWord) {
  const characters = [...line.text.slice(0, line.at)];
  while (characters.length && !inWord.test(characters.at(-1))) characters.pop();
  while (characters.length && inWord.test(characters.at(-1))) characters.pop();
  return characters.join("").length;
}
const wordBefore = (line) => back(line, /[\p{L}\p{N}_]/u);
const blankBefore = (line) => back(line, /\S/);

function swap(line) {
  // At the end the two before the cursor change places, elsewhere the one before and the one after it.
  const middle = line.at === line.text.length ? before(line) : line.at;
  const from = before(move(line, middle));
  const to = after(move(line, middle));
  if (from === middle || to === middle) return line;
  const { text } = line;
  return { ...line, at: to, text: text.slice(0, from) + text.slice(middle, to) + text.slice(from, middle) + text.slice(to) };
}

export const edits = {
  "Ctrl-a": (line) => move(line, 0),
  "Ctrl-e": (line) => move(line, line.text.length),
  "Ctrl-b": (line) => move(line, before(line)),
  "Ctrl-f": (line) => move(line, after(line)),
  "Alt-b": (line) => move(line, wordBefore(line)),
  "Alt-f": (line) => move(line, wordAfter(line)),
  "Ctrl-d": (line) => ({ ...cutOut(line, line.at, after(line)), cut: line.cut }),
  "Ctrl-w": (line) => cutOut(line, blankBefore(line), line.at),
  "Alt-Backspace": (line) => cutOut(line, wordBefore(line), line.at),
  "Alt-d": (line) => cutOut(line, line.at, wordAfter(line)),
  "Ctrl-u": (line) => cutOut(line, 0, line.at),
  "Ctrl-k": (line) => cutOut(line, line.at, line.text.length),
  "Ctrl-y": (line) => ({
    ...line,
    text: line.text.slice(0, line.at) + line.cut + line.text.slice(line.at),
    at: line.at + line.cut.length,
  }),
  "Ctrl-t": swap,
};

/** The name of a key press, such as `Ctrl-a`, `Alt-Backspace`, `Enter`, `Shift-Tab`. */
export function chord(event) {
  // With Alt some systems give another character; the key's place tells the letter or the digit then.
  const place = event.altKey && /^(?:Key|Digit)(\w)$/.exec(event.code);
  const key = place ? place[1].toLowerCase() : event.key;
  const letter = key.length === 1;
  const held = { Ctrl: event.ctrlKey, Alt: event.altKey, Meta: event.metaKey, Shift: event.shiftKey && (!letter || event.ctrlKey) };
  const names = Object.keys(held).filter((name) => held[name]);
  return [...names, letter && event.ctrlKey ? key.toLowerCase() : key].join("-");
}
