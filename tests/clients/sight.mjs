// What a client sees, in a form that JSON can hold and that tells types apart.

export function plain(value) {
  if (Buffer.isBuffer(value)) return `b:${value.toString("latin1")}`;
  if (value instanceof Error) return `${value.name}: ${value.message}${value.errors ? ` ${JSON.stringify(plain(value.errors))}` : ""}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return { map: [...value].map(([key, item]) => [plain(key), plain(item)]) };
  if (value instanceof Set) return { set: [...value].map(plain) };
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number" && !Number.isInteger(value)) return { double: String(value) };
  if (value === undefined) return "undefined";
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value;
}

/** What comes of a call: its value or its error. */
export async function seen(work) {
  try {
    return plain(await work());
  } catch (error) {
    return plain(error);
  }
}

/** The words of a line of tour.txt. */
export const words = (line) =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => (quoted === undefined ? bare : quoted.replaceAll("\\n", "\n")));

/** Sends the lines of a part one by one; a reply in no particular order is sorted. */
export async function commands(lines, send) {
  const sights = [];
  for (const line of lines) {
    const result = await seen(() => send(words(line.replace(/^~ /, ""))));
    sights.push([line, line.startsWith("~ ") && Array.isArray(result) ? result.sort() : result]);
  }
  return sights;
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until something is true, but not for ever. */
export async function until(isTrue) {
  for (let turn = 0; turn < 1000 && !isTrue(); turn++) await sleep(5);
}

/** Every byte, and some MB of them. */
export const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
export const big = Buffer.alloc(5 * 1024 * 1024, every);

export const LIBRARY = `#!lua name=lib
redis.register_function('sum', function(keys, args)
  local sum = 0
  for _, arg in ipairs(args) do sum = sum + arg end
  return sum
end)
redis.register_function{function_name = 'ro', callback = function(keys) return redis.call('GET', keys[1]) end,
  flags = {'no-writes'}, description = 'reads'}
`;
