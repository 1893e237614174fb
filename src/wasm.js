// What src/wasm.rs has JavaScript do in one step, as each step between the two takes longer than most commands.

const encoder = new TextEncoder();
const states = ["ready", "waiting", "closed"];
// In the order of `Role` in src/cli/debugger.rs.
const roleNames = ["plain", "debug", "command", "reply", "error", "hint", "value", "current", "breakpoint"];

/** An output, as src/wasm.rs describes it. */
export function output(text, prompt, ok, state, flags) {
  return { text, prompt, ok, state: states[state], clear: (flags & 1) !== 0, unkillable: (flags & 2) !== 0 };
}

/** Says what each line of an output is about. */
export function withRoles(output, roles) {
  output.roles = Array.from(roles, (role) => roleNames[role]);
}

/**
 * Writes strings (as UTF-8) and Uint8Arrays to `room`, each with its length before it, four bytes with the lowest first.
 * Returns the bytes written, or, where `room` may be too small, how many are enough.
 */
export function pack(values, room) {
  let enough = 0;
  for (const value of values) enough += 4 + value.length * (typeof value === "string" ? 3 : 1);
  if (enough > room.length) return enough;
  let end = 0;
  for (const value of values) {
    const start = end + 4;
    const length = write(value, room, start);
    for (let byte = 0; byte < 4; byte++) room[end + byte] = length >>> (8 * byte);
    end = start + length;
  }
  return end;
}

function write(value, room, start) {
  if (typeof value !== "string") {
    room.set(value, start);
    return value.length;
  }
  // For a short text that call takes longer than the bytes do.
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code > 127 || at > 200) return at + encoder.encodeInto(value.slice(at), room.subarray(start + at)).written;
    room[start + at] = code;
  }
  return value.length;
}
