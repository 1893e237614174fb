// Takes pasted text apart into commands; a quote that is open at the end of a line goes on in the next one.

/**
 * `{ lines, rest }`: the commands that were followed by a newline, to be run, and what stays in the input line.
 * A script of many lines in quotes is one command, its newlines kept.
 */
export function splitPaste(text) {
  const lines = [];
  let start = 0;
  let quote = "";
  const clean = text.replace(/\r\n?/g, "\n");
  for (let at = 0; at < clean.length; at++) {
    const character = clean[at];
    if (quote) {
      // Inside "..." a backslash takes the next character along; inside '...' only \' is special.
      if (character === "\\" && (quote === '"' || clean[at + 1] === "'")) at++;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (character === "\n") {
      lines.push(clean.slice(start, at));
      start = at + 1;
    }
  }
  return { lines: lines.filter((line) => line.trim() !== ""), rest: clean.slice(start) };
}
