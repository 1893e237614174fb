// Measures commands on our engine and its rivals, interleaved, and prints medians and ratios.
//
// In one V8: our core as dist/ has it, through its door to JavaScript; js-redis-server's core, in process; ioredis-mock. Behind
// a socket: redis-benchmark against evalsha-server and redis-server, and the memory that a million keys take in each.
// ./x bench commands builds what is ours and writes the answer to tests/bench/commands.md.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const ROUNDS = 7;
/** Milliseconds of a round in V8, and commands that are made for it; they come again when they have all been sent. */
const BUDGET = 100;
const COMMANDS = 10_000;
/** Rounds of redis-benchmark, and requests of each. */
const SOCKET_ROUNDS = 3;
const REQUESTS = { 1: 40_000, 16: 200_000 };
const KEYS = 1_000_000;
const here = import.meta.dirname;
const root = join(here, "../..");

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const mean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
const thousands = (number) => `${Math.round(number / 1000)}`;

/** What is measured in V8: a name, and the words of the n-th command. */
const programs = {
  SET: (n) => ["SET", `key:${n}`, `value:${n}`],
  GET: (n) => ["GET", `key:${n}`],
  INCR: () => ["INCR", "counter"],
  "LPUSH, LPOP": (n) => (n % 2 ? ["LPOP", "list"] : ["LPUSH", "list", `value:${n}`]),
  HSET: (n) => ["HSET", "hash", `field:${n % 1000}`, `value:${n}`],
  ZADD: (n) => ["ZADD", "scores", String((n * 7919) % 10007), `member:${n % 1000}`],
  "ZRANGE of 10": (n) => ["ZRANGE", "scores", String(n % 900), String((n % 900) + 9)],
  SADD: (n) => ["SADD", "set", `member:${n % 1000}`],
  XADD: (n) => ["XADD", "stream", "MAXLEN", "1000", "*", "field", `value:${n}`],
  "MSET of 10": (n) => ["MSET", ...Array.from({ length: 10 }, (_, k) => [`key:${n}:${k}`, `value:${k}`]).flat()],
};

/** Our core in wasm, as the page calls it. */
async function evalsha() {
  const folder = join(root, "target/engine");
  const door = await import(pathToFileURL(join(folder, "evalsha.js")));
  door.initSync({ module: readFileSync(join(folder, "evalsha_bg.wasm")) });
  const engine = new door.Engine();
  const session = engine.open();
  return {
    prepare: (argv) => argv,
    run(argv) {
      const output = engine.sendArguments(session, argv);
      if (!output.ok) throw new Error(output.text);
    },
  };
}

/** js-redis-server's core: a session in the process, without sockets and without RESP. */
async function jsRedisServer() {
  const { ClientSession, RedisServerState, createRedisCommandExecutor } = await import("js-redis-server/core");
  const session = new ClientSession({ server: new RedisServerState({}), executor: createRedisCommandExecutor() });
  return {
    prepare: ([name, ...args]) => [name, args.map((arg) => Buffer.from(arg))],
    async run([name, args]) {
      const { value } = await session.execute(name, args);
      if (value?.kind === "error" || value?.type === "error") throw new Error(JSON.stringify(value));
    },
  };
}

/** ioredis-mock: a method for each command. */
async function ioredisMock() {
  const { default: Redis } = await import("ioredis-mock");
  const redis = new Redis();
  return {
    prepare: ([name, ...args]) => [name.toLowerCase(), args],
    run: ([name, args]) => redis[name](...args),
  };
}

async function measureInV8() {
  const engines = { evalsha: await evalsha(), "js-redis-server": await jsRedisServer(), "ioredis-mock": await ioredisMock() };
  const speeds = {};
  const failed = {};
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [program, words] of Object.entries(programs)) {
      for (const [name, { prepare, run }] of Object.entries(engines)) {
        const cell = ((speeds[program] ??= {})[name] ??= []);
        if (failed[`${name} ${program}`]) continue;
        const commands = Array.from({ length: COMMANDS }, (_, n) => prepare(words(n)));
        try {
          const start = performance.now();
          let done = 0;
          let elapsed = 0;
          while (elapsed < BUDGET) {
            for (let turn = 0; turn < 50; turn++, done++) {
              const result = run(commands[done % COMMANDS]);
              if (result) await result;
            }
            elapsed = performance.now() - start;
          }
          // The first round compiles and warms up.
          if (round > 0) cell.push((done / elapsed) * 1000);
        } catch (error) {
          failed[`${name} ${program}`] = true;
          console.error(`${name} cannot run ${program}: ${error.message.trim()}`);
        }
      }
    }
  }
  const names = Object.keys(engines);
  const lines = [
    "## In one V8, thousands of commands per second",
    "",
    `| command | ${names.join(" | ")} | evalsha over the better one |`,
    `|---|${names.map(() => "---:|").join("")}---:|`,
  ];
  const ratios = [];
  for (const [program, cells] of Object.entries(speeds)) {
    const row = names.map((name) => (cells[name].length ? median(cells[name]) : undefined));
    const [ours, ...others] = row;
    const ratio = ours / Math.max(...others.filter(Boolean));
    if (ours) ratios.push(ratio);
    lines.push(`| ${program} | ${row.map((speed) => (speed ? thousands(speed) : "-")).join(" | ")} | ${ours ? ratio.toFixed(1) : "-"} |`);
  }
  lines.push(`| **geometric mean** | ${names.map(() => "").join(" | ")} | **${mean(ratios).toFixed(1)}** |`, "");
  return lines.join("\n");
}

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

async function start(command, args) {
  const port = await freePort();
  const child = spawn(command, [...args, "--port", String(port)], { stdio: "ignore" });
  for (let turn = 0; turn < 100; turn++) {
    const socket = await new Promise((resolve) => {
      const attempt = connect(port, "127.0.0.1", () => resolve(attempt)).on("error", () => setTimeout(resolve, 50));
    });
    if (socket) {
      socket.destroy();
      return { child, port };
    }
  }
  throw new Error(`${command} does not answer`);
}

const cli = (port, ...args) => execFileSync("redis-cli", ["-p", String(port), ...args], { maxBuffer: 1 << 26 }).toString();
const resident = (child) => Number(readFileSync(`/proc/${child.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) * 1024;
const NATIVE = {
  "evalsha-server": [process.env.EVALSHA_SERVER ?? join(root, "target/release/evalsha-server"), []],
  "redis-server": ["redis-server", ["--save", ""]],
};

async function measureSockets() {
  const servers = {};
  for (const [name, [command, args]] of Object.entries(NATIVE)) servers[name] = await start(command, args);
  const ours = servers["evalsha-server"];
  const tests = ["set", "get", "incr", "lpush", "lpop", "sadd", "hset", "zadd", "lrange_100", "mset"].filter(
    (test) => !cli(ours.port, "COMMAND", "INFO", test.split("_")[0]).match(/^\s*$/),
  );
  const speeds = {};
  for (let round = 0; round < SOCKET_ROUNDS; round++) {
    for (const pipeline of [1, 16]) {
      for (const test of tests) {
        for (const [name, { port }] of Object.entries(servers)) {
          cli(port, "FLUSHALL");
          const requests = test === "lrange_100" || test === "mset" ? REQUESTS[pipeline] / 4 : REQUESTS[pipeline];
          const args = ["-p", port, "-c", 50, "-P", pipeline, "-n", requests, "-r", 100000, "-t", test, "--csv"].map(String);
          const said = execFileSync("redis-benchmark", args, { stdio: ["ignore", "pipe", "ignore"] }).toString();
          // LRANGE fills its list first.
          const [, what, speed] = said.trim().split("\n").at(-1).match(/^"([^"(]*)[^"]*","([0-9.]+)"/);
          (((speeds[pipeline] ??= {})[what.trim()] ??= {})[name] ??= []).push(Number(speed));
        }
      }
    }
  }
  for (const { child } of Object.values(servers)) child.kill();
  const parts = [];
  for (const [pipeline, rows] of Object.entries(speeds)) {
    parts.push(
      `## redis-benchmark -c 50 -P ${pipeline}, thousands of commands per second`,
      "",
      "| command | evalsha-server | redis-server | ratio |",
      "|---|---:|---:|---:|",
    );
    const ratios = [];
    for (const [what, cells] of Object.entries(rows)) {
      const [our, their] = [median(cells["evalsha-server"]), median(cells["redis-server"])];
      ratios.push(our / their);
      parts.push(`| ${what} | ${thousands(our)} | ${thousands(their)} | ${(our / their).toFixed(2)} |`);
    }
    parts.push(`| **geometric mean** | | | **${mean(ratios).toFixed(2)}** |`, "");
  }
  return parts.join("\n");
}

async function measureMemory() {
  const rows = [];
  for (const [name, [command, args]] of Object.entries(NATIVE)) {
    const { child, port } = await start(command, args);
    const before = resident(child);
    const number = (n) => String(n).padStart(7, "0");
    for (let first = 0; first < KEYS; first += 100_000) {
      const input = Array.from({ length: 100_000 }, (_, n) => `SET key:${number(first + n)} value:${number(first + n)}\r\n`).join("");
      execFileSync("redis-cli", ["-p", String(port), "--pipe"], { input, stdio: ["pipe", "ignore", "inherit"] });
    }
    rows.push([name, resident(child) - before]);
    child.kill();
  }
  const [ours, theirs] = rows.map(([, bytes]) => bytes);
  const cells = rows.map(([name, bytes]) => `| ${name} | ${(bytes / 1e6).toFixed(0)} | ${(bytes / KEYS).toFixed(0)} |`);
  return [
    "## A million keys of 11 bytes with values of 13",
    "",
    "| server | MB | bytes per key |",
    "|---|---:|---:|",
    ...cells,
    `| **ratio** | **${(ours / theirs).toFixed(2)}** | |`,
    "",
  ].join("\n");
}

const text = [
  `Medians of ${ROUNDS} interleaved rounds in V8 and ${SOCKET_ROUNDS} of redis-benchmark, made by \`./x bench commands\` (Node.js ${process.version}). More is faster.`,
  "",
  await measureInV8(),
  await measureSockets(),
  await measureMemory(),
].join("\n");
console.log(text);
writeFileSync(join(here, "commands.md"), `# Commands\n\n${text}`);
process.exit(0);
