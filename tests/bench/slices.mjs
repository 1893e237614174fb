// Measures how long the engine holds the page's thread while scripts run, and what it costs to run them in slices.
//
// The real page in Chromium: each program is typed as EVAL into its terminal. Every slice is timed, with what is taken
// after it, and PerformanceObserver counts the browser's long tasks. Then the same programs run in a single slice, interleaved.
// `./x bench slices` builds the page and writes the answer to tests/bench/slices.md.
import { createServer } from "node:http";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { chromium } from "@playwright/test";

const ROUNDS = 5;
// What the page promises (DESIGN: the page stays alive): milliseconds.
const PROMISED = { p99: 16, most: 50 };
const here = import.meta.dirname;
const dist = join(here, "../../dist");
const only = process.argv[2];

const programs = readdirSync(join(here, "slices"))
  .filter((name) => name.endsWith(".lua") && (!only || name.startsWith(only)))
  .map((name) => ({ name: name.slice(0, -4), source: readFileSync(join(here, "slices", name), "utf8") }));

/** Stands between the page and the core: times its calls, and can stretch a slice. */
function stopwatch() {
  window.calls = [];
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...given) => {
    const instance = await instantiate.apply(WebAssembly, given);
    // What is taken after a slice belongs to it: the page has the thread back only then.
    const timed = (name, begins, change = (values) => values) => (...values) => {
      const started = performance.now();
      const result = instance.exports[name](...change(values));
      const took = performance.now() - started;
      if (begins) window.calls.push(took);
      else window.calls[window.calls.length - 1] += took;
      return result;
    };
    const exports = {
      ...instance.exports,
      engine_run: timed("engine_run", true, ([engine, slice]) => [engine, window.slice ?? slice]),
      engine_send: timed("engine_send", true),
      engine_take: timed("engine_take", false),
    };
    return Object.create(WebAssembly.Instance.prototype, { exports: { value: exports } });
  };
}

/** Runs a program in the page; slices of `slice` milliseconds, or as the page has them. */
async function run(page, source, slice) {
  return page.evaluate(
    async ([line, slice]) => {
      const terminals = document.querySelector("evalsha-terminals");
      const said = (line) =>
        new Promise((resolve) => {
          terminals.addEventListener("command", ({ detail }) => resolve(detail.ok), { once: true });
          document.querySelector("evalsha-terminal").submit(line);
        });
      await said("FLUSHALL");
      // What is measured begins with an idle page.
      await new Promise((resolve) => setTimeout(resolve, 100));
      window.slice = slice;
      window.calls.length = window.longTasks.length = 0;
      const started = performance.now();
      const ok = await said(line);
      const took = performance.now() - started;
      window.slice = undefined;
      // Long tasks are told of a little later.
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { ok, took, calls: [...window.calls], longTasks: [...window.longTasks] };
    },
    [`EVAL "${source.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}" 0`, slice],
  );
}

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm" };
const server = createServer((request, response) => {
  const path = request.url.split("?")[0];
  response.writeHead(200, { "content-type": types[extname(path)] ?? types[".html"] });
  response.end(readFileSync(join(dist, path === "/" ? "index.html" : path)));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage();
await page.addInitScript(stopwatch);
await page.goto(`http://127.0.0.1:${server.address().port}/?embed`);
await page.waitForFunction(() => document.querySelector(".mirror .prompt")?.textContent);

const measured = [];
for (const { name, source } of programs) {
  const calls = [];
  let longTasks = [];
  const times = { sliced: [], whole: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const sliced = await run(page, source, undefined);
    if (!sliced.ok) throw new Error(`${name} answers an error: ${await page.locator(".output").last().innerText()}`);
    calls.push(...sliced.calls);
    longTasks = longTasks.concat(sliced.longTasks);
    times.sliced.push(sliced.took);
    times.whole.push((await run(page, source, 1e9)).took);
  }
  calls.sort((one, other) => one - other);
  const at = (share) => calls[Math.min(calls.length - 1, Math.floor(calls.length * share))];
  const row = { name, slices: calls.length / ROUNDS, median: at(0.5), p99: at(0.99), most: calls.at(-1), longTasks: longTasks.length, calls, ...mapped(times, median) };
  row.over = row.sliced / row.whole;
  measured.push(row);
  console.log(line(row));
}
await browser.close();
server.close();

const all = measured.flatMap(({ calls }) => calls).sort((one, other) => one - other);
const whole = {
  p99: all[Math.floor(all.length * 0.99)],
  most: all.at(-1),
  longTasks: measured.reduce((sum, row) => sum + row.longTasks, 0),
  over: Math.exp(measured.reduce((sum, row) => sum + Math.log(row.over), 0) / measured.length),
};
const broken = measured.filter(({ p99, most }) => p99 > PROMISED.p99 || most > PROMISED.most).map(({ name }) => name);
const text = `# Slices

How long the engine holds the page's thread while a script runs, in Chromium ${browser.version()}, and how much longer a
script takes in slices than in one go. Made by \`./x bench slices\`; ${ROUNDS} rounds; milliseconds. Every slice counts.
Promised: no more than ${PROMISED.p99} ms for 99 of 100 slices, ${PROMISED.most} ms for any, and a tenth more time in all.

| program | slices | median | 99 of 100 | longest | long tasks | in slices | in one go | ratio |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
${measured.map(line).join("\n")}
| **all** | ${all.length} | | **${whole.p99.toFixed(1)}** | **${whole.most.toFixed(1)}** | **${whole.longTasks}** | | | **${whole.over.toFixed(3)}** |

${broken.length > 0 ? `More than promised, each taken alone: ${broken.join(", ")}.` : "All keep what is promised, each taken alone."}
`;
if (!only) writeFileSync(join(here, "slices.md"), text);
console.log(text.slice(text.indexOf("| **all**")));

function line({ name, slices, median, p99, most, longTasks, sliced, whole, over }) {
  return `| ${name} | ${Math.round(slices)} | ${median.toFixed(1)} | ${p99.toFixed(1)} | ${most.toFixed(1)} | ${longTasks} | ${sliced.toFixed(0)} | ${whole.toFixed(0)} | ${over.toFixed(3)} |`;
}

function median(values) {
  return values.toSorted((one, other) => one - other)[values.length >> 1];
}

function mapped(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
