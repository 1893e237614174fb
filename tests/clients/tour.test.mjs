// Client libraries and redis-cli on a tour of evalsha-server and of redis-server: what they see must be the same.
//
// tour.txt has the commands that all of them send; each library adds what it does in a way of its own. Run by
// ./x test clients, which installs the libraries and builds the server.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as ioredis from "./ioredis.mjs";
import * as nodeRedis from "./node_redis.mjs";
import { sleep } from "./sight.mjs";

const here = import.meta.dirname;
const root = join(here, "../..");
const EVALSHA = process.env.EVALSHA_SERVER ?? join(root, "target/debug/evalsha-server");
const PYTHON = process.env.CLIENTS_PYTHON ?? join(root, "target/clients/bin/python");

/** Parts of tour.txt: `[name, lines]`. */
const parts = readFileSync(join(here, "tour.txt"), "utf8").split(/^## /m).slice(1).map((part) => {
  const [name, ...lines] = part.split("\n");
  return [name, lines.filter((line) => line && !line.startsWith("# "))];
});
const cliOnly = ([name]) => name.endsWith("with redis-cli only");
// Parts that only the libraries have.
const more = ["transactions", "messages", "values", "connections"].map((name) => [name, []]);
const forLibraries = [...parts.filter((part) => !cliOnly(part)), ...more];

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

async function start(command, args, port) {
  const child = spawn(command, args, { stdio: "ignore", cwd: tmpdir() });
  child.on("error", (error) => assert.fail(`${command}: ${error.message}`));
  for (let turn = 0; turn < 200; turn++) {
    const answers = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(socket.end() && true)).on("error", () => resolve(false));
    });
    if (answers) return child;
    await sleep(25);
  }
  child.kill();
  return assert.fail(`${command} does not answer`);
}

const servers = {};
const children = [];
before(async () => {
  for (const [name, command, args] of [
    ["ours", EVALSHA, ["--port"]],
    ["theirs", "redis-server", ["--save", "", "--bind", "127.0.0.1", "--port"]],
  ]) {
    servers[name] = await freePort();
    children.push(await start(command, [...args, String(servers[name])], servers[name]));
  }
});
after(() => {
  children.forEach((child) => child.kill());
  // A client that is just coming back would come back for ever.
  setTimeout(() => process.exit(), 2000).unref();
});

/** Runs a command to its end. */
const run = (command, args, options = {}) => new Promise((resolve, reject) => {
  const child = spawn(command, args, { ...options, stdio: "pipe" });
  const said = { stdout: [], stderr: [] };
  child.stdout.on("data", (data) => said.stdout.push(data));
  child.stderr.on("data", (data) => said.stderr.push(data));
  child.on("error", reject);
  child.stdin.on("error", () => {});
  child.on("close", (code) => resolve({ code, stdout: Buffer.concat(said.stdout), stderr: Buffer.concat(said.stderr).toString() }));
  child.stdin.end(options.input ?? "");
});

async function python(port, protocol) {
  const { stdout, stderr, code } = await run(PYTHON, [join(here, "tour.py"), port, protocol, JSON.stringify(forLibraries)].map(String));
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

const libraries = {
  "redis-py, RESP2": (port) => python(port, 2),
  "redis-py, RESP3": (port) => python(port, 3),
  ioredis: (port) => ioredis.tour(port, forLibraries),
  "node-redis, RESP2": (port) => nodeRedis.tour(port, forLibraries, 2),
  "node-redis, RESP3": (port) => nodeRedis.tour(port, forLibraries, 3),
};

for (const [library, tour] of Object.entries(libraries)) {
  describe(library, () => {
    let ours, theirs;
    before(async () => {
      // Both come to their end, so that none disturbs what follows.
      const both = await Promise.allSettled([tour(servers.ours), tour(servers.theirs)]);
      for (const { reason } of both) assert.ifError(reason);
      [ours, theirs] = both.map(({ value }) => value);
    }, { timeout: 60_000 });
    for (const [name] of forLibraries) {
      test(name, () => {
        assert.ok(theirs[name].length > 0);
        assert.deepEqual(ours[name], theirs[name]);
      });
    }
  });
}

describe("redis-cli", () => {
  const cli = async (args, input) => {
    const [ours, theirs] = await Promise.all([servers.ours, servers.theirs].map((port) => run("redis-cli", ["-p", String(port), ...args], { input })));
    return [ours, theirs].map(({ code, stdout, stderr }) => ({ code, stdout: stdout.toString("latin1"), stderr }));
  };
  const same = async (args, input, prepare = (text) => text) => {
    const [ours, theirs] = await cli(args, input);
    assert.deepEqual({ ...ours, stdout: prepare(ours.stdout) }, { ...theirs, stdout: prepare(theirs.stdout) }, args.join(" "));
    return theirs.stdout;
  };
  const sorted = (text) => text.split("\n").sort().join("\n");
  const lines = parts.map(([, lines]) => ["FLUSHALL", ...lines.filter((line) => !line.startsWith("~ "))].join("\n")).join("\n");

  for (const args of [["-2"], ["-3"], ["-2", "--no-raw"], ["-3", "--no-raw"], ["--csv"], ["-3", "--json"], ["-3", "--quoted-json"], ["--show-pushes", "no", "-3"]]) {
    test(`the tour, ${args.join(" ")}`, async () => {
      await same(["FLUSHALL"]);
      const said = await same(args, `${lines}\n`);
      assert.ok(said.split("\n").length > 150, said);
    });
  }
  test("its other ways", async () => {
    const folder = mkdtempSync(join(tmpdir(), "evalsha-clients-"));
    const script = join(folder, "script.lua");
    writeFileSync(script, "return {KEYS, ARGV, redis.call('PING')}");
    await same(["FLUSHALL"]);
    await same(["-x", "SET", "binary"], Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
    await same(["GET", "binary"]);
    await same(["-X", "tag", "SET", "tagged", "tag"], "value");
    await same(["--no-raw", "GET", "binary"]);
    await same(["--quoted-input", "SET", '"a\\x00b"', '"\\n"']);
    await same(["-n", "5", "SET", "five", "5"]);
    await same(["-r", "3", "-i", "0", "INCR", "n"]);
    await same(["-e", "INCR", "binary"]);
    await same(["--eval", script, "a", "b", ",", "c d"]);
    const mass = Array.from({ length: 20_000 }, (_, n) => `SET key:${n} ${n}\r\n`).join("");
    await same(["--pipe"], mass);
    await same(["--pipe"], "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\nINCR k\r\nGET k\r\n");
    await same(["DBSIZE"]);
    await same(["--scan", "--pattern", "key:1?3*"], "", sorted);
    await same(["--scan", "--count", "1000", "--quoted-pattern", '"b*"'], "", sorted);
    await same(["-u", "redis://127.0.0.1/3", "DBSIZE"].slice(2));
    await same(["-a", "wrong", "PING"]);
    await same(["--user", "nobody", "--pass", "wrong", "--no-auth-warning", "PING"]);
    await same(["HELLO", "9"]);
    await same(["SUBSCRIBE"]);
    rmSync(folder, { recursive: true });
  });
});
