// ioredis's tour: its own pipelines, scripts, streams of keys and messages.
import { Redis } from "ioredis";
import { LIBRARY, big, commands, every, seen, sleep, until } from "./sight.mjs";

function open(port) {
  const client = new Redis(port, "127.0.0.1", { retryStrategy: () => 20 });
  // One that is killed says so, and comes back.
  return client.on("error", () => {});
}

/** Runs `[what, work]` one after the other. */
async function each(steps) {
  const sights = [];
  for (const [what, work] of steps) sights.push([what, await seen(work)]);
  return sights;
}

const collect = async (stream) => {
  const found = [];
  for await (const keys of stream) found.push(...keys);
  return found.sort();
};

const own = {
  hashes: (r) => [
    ["hset", () => r.hset("h", { a: 1, b: "two" })],
    ["hset", () => r.hset("h", new Map([["c", every]]))],
    ["hgetall", () => r.hgetall("h")],
    ["hgetall", () => r.hgetallBuffer("h")],
    ["hscan", () => collect(r.hscanStream("h"))],
  ],
  lists: (r, other) => [
    ["rpush", () => r.rpush("l", 1, 2, "three", every)],
    ["lrange", () => r.lrangeBuffer("l", 0, -1)],
    ["blpop", () => r.blpop("none", "l", 1)],
    ["blpop none", () => r.blpop("none", 0.02)],
    ["blpop later", () => Promise.all([r.blpop("nothing", "later", 10), sleep(50).then(() => other.rpush("later", "came", "more"))])],
    ["blmove later", () => Promise.all([r.blmove("from", "to", "LEFT", "LEFT", 10), sleep(50).then(() => other.lpush("from", "it"))])],
  ],
  sets: (r) => [
    ["sadd", () => r.sadd("s", "a", "b", every)],
    ["sscan", () => collect(r.sscanStream("s"))],
    ["sismember", () => r.sismember("s", every)],
  ],
  "sorted sets": (r, other) => [
    ["zadd", () => r.zadd("z", 1, "a", 2.5, "b", "inf", "c")],
    ["zrange", () => r.zrange("z", 0, -1, "WITHSCORES")],
    ["zscan", () => collect(r.zscanStream("z"))],
    ["bzpopmin later", () => Promise.all([r.bzpopmin("later", 10), sleep(50).then(() => other.zadd("later", 7, "m"))])],
  ],
  streams: (r, other) => [
    ["xadd", () => r.xadd("s", "1-1", "a", "1", "b", every)],
    ["xrange", () => r.xrangeBuffer("s", "-", "+")],
    ["xread later", () => Promise.all([r.xread("BLOCK", 10000, "STREAMS", "s", "$"), sleep(50).then(() => other.xadd("s", "2-1", "c", "2"))])],
  ],
  geo: (r) => [["geoadd", () => r.geoadd("g", 13.361389, 38.115556, "Palermo")], ["geopos", () => r.geopos("g", "Palermo")]],
  hyperloglog: (r) => [["pfadd", () => r.pfadd("h", ...Array(500).keys())], ["pfcount", () => r.pfcount("h")]],
  transactions: (r, other) => [
    ["pipeline", () => r.pipeline().set("a", 1).incr("a").lpush("a", "x").get("a").exec()],
    ["long pipeline", () => r.pipeline(Array.from({ length: 10000 }, (_, n) => ["incrby", "sum", n])).exec().then((all) => all.slice(-3))],
    ["multi", () => r.multi().set("t", 1).incr("t").get("t").exec()],
    ["multi fails", () => r.multi().set("t", 1).lpush("t", "x").incr("t").exec()],
    ["multi aborts", () => r.multi().set("only").get("t").exec()],
    ["multi unpiped", () => r.multi({ pipeline: false })],
    ["queued", () => r.set("u", 1)],
    ["exec", () => r.exec()],
    ["watch", () => r.watch("t").then(() => r.multi().incr("t").exec())],
    ["watch fails", () => r.watch("t").then(() => other.set("t", 9)).then(() => r.multi().incr("t").exec())],
    ["auto pipelining", async () => {
      const auto = r.duplicate({ enableAutoPipelining: true });
      const all = await Promise.all(Array.from({ length: 500 }, (_, n) => auto.set(`k${n}`, n).then(() => auto.get(`k${n}`))));
      auto.disconnect();
      return all.every((value, n) => value === String(n));
    }],
  ],
  messages: (r, other) => [
    ["subscribe", async () => {
      const heard = [];
      const listener = r.duplicate();
      listener.on("message", (...words) => heard.push(["message", ...words]));
      listener.on("pmessage", (...words) => heard.push(["pmessage", ...words]));
      listener.on("messageBuffer", (channel, message) => heard.push(["buffer", channel, message]));
      const counts = [await listener.subscribe("news", "ünïcode"), await listener.psubscribe("n*")];
      counts.push(await other.publish("news", every), await other.publish("ünïcode", "日本 🎈"), await other.publish("nobody", "x"));
      await until(() => heard.length >= 6);
      counts.push(await seen(() => listener.get("k")), await listener.unsubscribe("news"), await listener.punsubscribe("n*"), await listener.ping());
      await listener.quit();
      return [counts, heard];
    }],
    ["monitor", async () => {
      const base = r.duplicate();
      const monitor = await base.monitor();
      const line = new Promise((resolve) => monitor.on("monitor", (time, args, source, database) => resolve([args, database])));
      await other.set("seen", 'by "monitor"');
      const heard = await line;
      [monitor, base].forEach((client) => client.disconnect());
      return heard;
    }],
  ],
  scripts: (r) => {
    r.defineCommand("twice", { numberOfKeys: 1, lua: "return {KEYS[1], ARGV[1] * 2, redis.call('INCR', KEYS[1])}" });
    r.defineCommand("any", { lua: "return {#KEYS, #ARGV}", readOnly: true });
    return [
      ["defined", () => r.twice("k", 21)],
      ["flush", () => r.script("FLUSH")],
      ["after a flush", () => r.twice("k", 21)],
      ["buffers", () => r.twiceBuffer("k", 21)],
      ["any", () => r.any(2, "a", "b", "c")],
      ["flush", () => r.script("FLUSH")],
      ["in a pipeline", () => r.pipeline().set("k", 1).twice("k", 3).any(0).exec()],
      ["in a transaction", () => r.multi().set("k", 1).twice("k", 3).exec()],
      ["fails", () => r.twice("k", "x")],
      ["evalsha", () => r.evalsha("f".repeat(40), 0)],
    ];
  },
  functions: (r) => [
    ["load", () => r.function("LOAD", LIBRARY)],
    ["load again", () => r.function("LOAD", LIBRARY)],
    ["fcall", () => r.fcall("sum", 0, 1, 2, 3)],
    ["fcall_ro", () => r.fcall_ro("sum", 0, 1)],
    ["stats", () => r.function("STATS")],
    ["delete", () => r.function("DELETE", "lib")],
  ],
  values: (r) => [
    ["binary", () => r.set(every, every)],
    ["binary", () => r.getBuffer(every)],
    ["unicode", () => r.set("ключ 🔑", "значение 🎈 日本")],
    ["unicode", () => r.get("ключ 🔑")],
    ["big", () => r.set("big", big).then(() => r.getBuffer("big")).then((value) => value.equals(big))],
    ["bigs", () => Promise.all(Array.from({ length: 10 }, () => r.getBuffer("big"))).then((all) => all.every((value) => value.equals(big)))],
    ["many", () => r.mset(Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`key:${n}`, n])))],
    ["scan", () => collect(r.scanStream({ match: "key:*", count: 100 })).then((keys) => new Set(keys).size)],
  ],
  connections: (r, other) => [
    ["many", async () => {
      const clients = Array.from({ length: 100 }, () => r.duplicate());
      const all = await Promise.all(clients.flatMap((client) => Array.from({ length: 20 }, () => client.incr("n"))));
      clients.forEach((client) => client.disconnect());
      return all.sort((a, b) => a - b).every((value, n) => value === n + 1);
    }],
    ["killed and back", async () => {
      await other.client("KILL", "ID", await r.client("ID"));
      await sleep(50);
      return r.ping();
    }],
    ["options", async () => {
      const mine = r.duplicate({ db: 3, connectionName: "tourist", keyPrefix: "mine:" });
      const all = [await mine.client("GETNAME"), await mine.set("a", 1), await mine.keys("*")];
      await mine.quit();
      return all;
    }],
    ["password", async () => {
      await other.config("SET", "requirepass", "secret");
      const knows = r.duplicate({ password: "secret" });
      const all = [await knows.ping(), await knows.auth("wrong").catch((error) => error)];
      const stranger = r.duplicate({ enableReadyCheck: false }).on("error", () => {});
      all.push(await stranger.get("k").catch((error) => error));
      await other.config("SET", "requirepass", "");
      [knows, stranger].forEach((client) => client.disconnect());
      return all;
    }],
  ],
};

/** Everything that ioredis sees at a port, part by part. */
export async function tour(port, parts) {
  const sights = {};
  for (const [name, lines] of parts) {
    const r = open(port);
    const other = open(port);
    await r.flushall();
    const send = ([command, ...args]) => (r[command.toLowerCase()] ? r[command.toLowerCase()](...args) : r.call(command, ...args));
    sights[name] = await commands(lines, send);
    await r.select(0);
    await r.flushall();
    sights[name].push(...(await each(own[name]?.(r, other) ?? [])));
    r.disconnect();
    other.disconnect();
  }
  return sights;
}
