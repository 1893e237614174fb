// Measures Lua programs (tests/bench/lua/*.lua) on our engine and its rivals, interleaved, and prints medians and ratios.
//
// In one V8: our core as dist/ has it, lua-redis-wasm (Redis's C Lua in wasm), wasmoon (Lua 5.4 in wasm), fengari (Lua 5.3 in
// JavaScript: what ioredis-mock runs). Natively, if they are there: evalsha-server and redis-server by EVAL, and lua5.1.
// ./x bench lua builds what is ours and writes the answer to tests/bench/lua.md.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const ROUNDS = 11;
const here = import.meta.dirname;
const root = join(here, "../..");
const programs = readdirSync(join(here, "lua"))
  .filter((name) => name.endsWith(".lua"))
  .map((name) => ({ name: name.slice(0, -4), source: readFileSync(join(here, "lua", name), "utf8") }));

const missing = (error) => console.error(`not measured: ${error.message}`);

/** Our core in wasm: its send and run, as the page calls them. */
async function evalsha() {
  const folder = join(root, "target/engine");
  const door = await import(pathToFileURL(join(folder, "evalsha.js")));
  door.initSync({ module: readFileSync(join(folder, "evalsha_bg.wasm")) });
  const engine = new door.Engine();
  const session = engine.open();
  const ask = (...words) => {
    let output = engine.sendArguments(session, words);
    while (output?.state !== "ready") {
      engine.run(50);
      output = engine.take(session) ?? output;
    }
    if (!output.ok) throw new Error(output.text);
    return output.text;
  };
  const run = (source, ...rest) => ask("EVAL", source, ...(rest.length ? rest : ["0"]));
  // The script is sent once, and then called by its SHA1.
  run.loaded = (source) => {
    const sha = ask("SCRIPT", "LOAD", source).match(/[0-9a-f]{40}/)[0];
    return () => ask("EVALSHA", sha, "0");
  };
  return run;
}

/** Redis's own C Lua, compiled to wasm; its limits raised. Its host is a plain Map. */
async function luaRedisWasm() {
  const { LuaWasmEngine } = await import("lua-redis-wasm");
  const store = new Map();
  const redisCall = ([command, key, value]) => {
    switch (command.toString().toUpperCase()) {
      case "INCR": {
        const next = (store.get(key.toString()) ?? 0) + 1;
        store.set(key.toString(), next);
        return next;
      }
      case "SET":
        store.set(key.toString(), value);
        return { ok: Buffer.from("OK") };
      case "GET":
        return store.get(key.toString()) ?? null;
      default:
        return { err: Buffer.from("ERR unknown command") };
    }
  };
  const engine = await LuaWasmEngine.create({
    host: { redisCall, redisPcall: redisCall, log() {} },
    limits: { maxFuel: 2 ** 31 - 1, maxMemoryBytes: 1 << 30 },
  });
  return (source, count, ...keys) => {
    const result = count ? engine.evalWithArgs(source, keys.map((key) => Buffer.from(key)), []) : engine.eval(source);
    if (result?.err) throw new Error(result.err.toString());
    return result;
  };
}

/** Lua 5.4 in wasm: another language, for comparison only. */
async function wasmoon() {
  const { LuaFactory } = await import("wasmoon");
  const lua = await new LuaFactory().createEngine();
  return (source) => lua.doStringSync(source);
}

/** Lua 5.3 in JavaScript. */
async function fengari() {
  const { lua, lauxlib, lualib, to_luastring } = (await import("fengari")).default;
  const state = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(state);
  return (source) => {
    lua.lua_settop(state, 0);
    if (lauxlib.luaL_dostring(state, to_luastring(source))) throw new Error(lua.lua_tojsstring(state, -1));
    return lua.lua_tonumber(state, -1);
  };
}

/** A server behind a socket, asked by EVAL. */
async function server(command, args, port) {
  const child = spawn(command, args, { stdio: "ignore" });
  const failed = new Promise((_, reject) => child.on("error", reject));
  let socket;
  for (let turn = 0; turn < 100 && !socket; turn++) {
    socket = await Promise.race([failed, new Promise((resolve) => {
      const attempt = connect(port, "127.0.0.1", () => resolve(attempt));
      attempt.on("error", () => setTimeout(resolve, 50));
    })]);
  }
  if (!socket) throw new Error(`${command} does not answer`);
  const ask = (...words) => new Promise((resolve, reject) => {
    const text = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("");
    socket.once("data", (data) => (data[0] === 45 ? reject(new Error(data.toString())) : resolve(data.toString())));
    socket.write(`*${words.length}\r\n${text}`);
  });
  const run = (source, ...rest) => ask("EVAL", source, ...(rest.length ? rest : ["0"]));
  run.close = () => child.kill();
  return run;
}

/** lua5.1 itself; the time is that of the program without the start of the process. */
async function lua51() {
  const folder = mkdtempSync(join(tmpdir(), "evalsha-bench-"));
  const file = join(folder, "program.lua");
  execFileSync("lua5.1", ["-v"]);
  const run = (source) => {
    writeFileSync(file, `local f = function() ${source}\nend local t = os.clock() f() io.write(os.clock() - t)`);
    return { milliseconds: execFileSync("lua5.1", [file]).toString() * 1000 };
  };
  run.close = () => rmSync(folder, { recursive: true });
  return run;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Runs every program on every engine in turn, and gives the median milliseconds by engine and program. */
async function measure(engines, programs) {
  const times = {};
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { name, source, args = [] } of programs) {
      for (const [engine, run] of Object.entries(engines)) {
        const cell = ((times[engine] ??= {})[name] ??= []);
        if (cell.error) continue;
        try {
          const start = performance.now();
          const answer = await run(source, ...args);
          // The first round compiles and warms up.
          if (round > 0) cell.push(answer?.milliseconds ?? performance.now() - start);
        } catch (error) {
          cell.error = error.message;
          console.error(`${engine} cannot run ${name}: ${error.message.split("\n")[0]}`);
        }
      }
    }
  }
  const result = {};
  for (const [engine, cells] of Object.entries(times)) {
    result[engine] = Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, cell.error ? undefined : median(cell)]));
  }
  return result;
}

/** A table of our time over each other's, the geometric mean last. */
function table(title, medians, ours) {
  const others = Object.keys(medians).filter((engine) => engine !== ours);
  const lines = [`## ${title}`, "", `| program | ${ours}, ms | ${others.map((other) => `over ${other}`).join(" | ")} |`];
  lines.push(`|---|---:|${others.map(() => "---:|").join("")}`);
  const logs = others.map(() => []);
  for (const [name, time] of Object.entries(medians[ours])) {
    const ratios = others.map((other, place) => {
      if (!time || !medians[other][name]) return "-";
      const ratio = time / medians[other][name];
      logs[place].push(Math.log(ratio));
      return ratio.toFixed(2);
    });
    lines.push(`| ${name} | ${time?.toFixed(1) ?? "-"} | ${ratios.join(" | ")} |`);
  }
  const means = logs.map((values) => (values.length ? Math.exp(values.reduce((a, b) => a + b) / values.length).toFixed(2) : "-"));
  lines.push(`| **geometric mean** | | ${means.map((mean) => `**${mean}**`).join(" | ")} |`, "");
  return lines.join("\n");
}

async function open(makers) {
  const engines = {};
  for (const [name, make] of Object.entries(makers)) {
    try {
      engines[name] = await make();
    } catch (error) {
      missing(error);
    }
  }
  return engines;
}

const incr = { name: "1,000,000 redis.call('INCR')", source: "for i = 1, 1000000 do redis.call('INCR', KEYS[1]) end", args: ["1", "k"] };
const many = (run) => () => {
  for (let turn = 0; turn < 5000; turn++) run();
};
const wasm = await open({ evalsha, "lua-redis-wasm": luaRedisWasm, wasmoon, fengari });
const parts = [`Medians of ${ROUNDS} interleaved rounds, made by \`./x bench lua\` (Node.js ${process.version}). Less is faster.`, ""];
parts.push(table("In one V8", await measure(wasm, programs), "evalsha"));
const both = { evalsha: wasm.evalsha, "lua-redis-wasm": wasm["lua-redis-wasm"] };
const short = 'local t = {}\nfor i = 1, 3 do\n  t[i] = i\nend\nreturn t[1] + #KEYS';
const calls = { ...(await measure(both, [incr])) };
const sent = (run) => () => run("return 1");
// lua-redis-wasm has no scripts by SHA1: it is given the text.
const loaded = (run) => run.loaded?.(short) ?? (() => run(short));
for (const [name, script] of [['5,000 EVAL "return 1"', sent], ["5,000 EVALSHA of five lines", loaded]]) {
  const repeated = Object.fromEntries(Object.entries(both).map(([engine, run]) => [engine, many(script(run))]));
  for (const [engine, cells] of Object.entries(await measure(repeated, [{ name }]))) Object.assign(calls[engine], cells);
}
parts.push(table("Scripts and commands in one V8 (lua-redis-wasm's commands are a JavaScript Map)", calls, "evalsha"));
const native = await open({
  "evalsha-server": () => server(join(root, "target/release/evalsha-server"), ["--port", "16390"], 16390),
  "lua5.1": lua51,
  "redis-server": () => server("redis-server", ["--port", "16391", "--save", "", "--lua-time-limit", "0"], 16391),
});
parts.push(table("Native", await measure(native, [...programs, incr]), "evalsha-server"));
Object.values(native).forEach((run) => run.close());
const text = parts.join("\n");
console.log(text);
writeFileSync(join(here, "lua.md"), `# Lua programs\n\n${text}`);
process.exit(0);
