// node-redis's tour, in RESP2 and in RESP3: its own commands, pipelines, scripts, iterators and messages.
import { RESP_TYPES, createClient, createClientPool, defineScript } from "redis";
import { LIBRARY, big, commands, every, seen, sleep, until } from "./sight.mjs";

const scripts = {
  twice: defineScript({
    SCRIPT: "return {KEYS[1], ARGV[1] * 2, redis.call('INCR', KEYS[1])}",
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key, number) {
      parser.pushKey(key);
      parser.push(String(number));
    },
    transformReply: (reply) => reply,
  }),
};

async function open(port, RESP, options = {}) {
  const client = createClient({ socket: { host: "127.0.0.1", port, reconnectStrategy: () => 20 }, RESP, scripts, ...options });
  client.on("error", () => {});
  return client.connect();
}

async function each(steps) {
  const sights = [];
  for (const [what, work] of steps) sights.push([what, await seen(work)]);
  return sights;
}

const collect = async (iterator) => {
  const found = [];
  for await (const items of iterator) found.push(...(Array.isArray(items) ? items : [items]));
  return found.map((item) => JSON.stringify(item)).sort();
};

const bytes = (r) => r.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });

const own = {
  strings: (r) => [
    ["set", () => r.set("k", "v", { expiration: { type: "EX", value: 100 }, condition: "NX" })],
    ["set", () => r.set("k", "w", { GET: true })],
    ["mset", () => r.mSet({ a: "1", b: "2" })],
    ["mget", () => r.mGet(["a", "b", "none"])],
    ["incrbyfloat", () => r.incrByFloat("a", 1.5)],
    ["lcs", () => r.lcsIdx("k", "b")],
    ["bitfield", () => r.bitField("bits", [{ operation: "SET", encoding: "u8", offset: 0, value: 200 }, { operation: "GET", encoding: "i8", offset: 0 }])],
    ["ttl", () => r.ttl("k")],
  ],
  hashes: (r) => [
    ["hset", () => r.hSet("h", { a: "1", b: "two" })],
    ["hgetall", () => r.hGetAll("h")],
    ["hgetall", () => bytes(r).hGetAll("h")],
    ["map", () => r.withTypeMapping({ [RESP_TYPES.MAP]: Map }).hGetAll("h")],
    ["hrandfield", () => r.hRandFieldCountWithValues("h", -5).then((all) => all.length)],
    ["hscan", () => collect(r.hScanIterator("h"))],
  ],
  lists: (r, other) => [
    ["rpush", () => r.rPush("l", ["1", "2", "three"])],
    ["lmove", () => r.lMove("l", "m", "LEFT", "RIGHT")],
    ["lmpop", () => r.lmPop(["none", "l"], "RIGHT", { COUNT: 2 })],
    ["blpop none", () => r.blPop("none", 0.02)],
    ["blpop later", () => Promise.all([r.blPop(["nothing", "later"], 10), sleep(50).then(() => other.rPush("later", ["came", "more"]))])],
    ["blmpop later", () => Promise.all([r.blmPop(10, ["x", "y"], "LEFT"), sleep(50).then(() => other.rPush("y", "z"))])],
  ],
  sets: (r) => [
    ["sadd", () => r.sAdd("s", ["a", "b", "c"])],
    ["sismember", () => r.smIsMember("s", ["a", "z"])],
    ["set", () => r.withTypeMapping({ [RESP_TYPES.SET]: Set }).sMembers("none")],
    ["sscan", () => collect(r.sScanIterator("s"))],
  ],
  "sorted sets": (r, other) => [
    ["zadd", () => r.zAdd("z", [{ score: 1, value: "a" }, { score: 2.5, value: "b" }, { score: Infinity, value: "c" }])],
    ["zincrby", () => r.zIncrBy("z", 1.25, "a")],
    ["zrange", () => r.zRangeWithScores("z", 0, -1)],
    ["zrange", () => r.zRange("z", "-inf", "(3", { BY: "SCORE", LIMIT: { offset: 0, count: 1 } })],
    ["zscore", () => r.zScore("z", "b")],
    ["zmscore", () => r.zmScore("z", ["a", "none"])],
    ["zunion", () => r.zUnionWithScores([{ key: "z", weight: 2 }])],
    ["zpopmin", () => r.zPopMin("z")],
    ["zmpop", () => r.zmPop("z", "MAX")],
    ["zscan", () => collect(r.zScanIterator("z"))],
    ["bzpopmin later", () => Promise.all([r.bzPopMin("later", 10), sleep(50).then(() => other.zAdd("later", { score: 7, value: "m" }))])],
  ],
  streams: (r, other) => [
    ["xadd", () => r.xAdd("s", "1-1", { a: "1", b: "2" })],
    ["xadd", () => r.xAdd("s", "2-1", { c: "3" })],
    ["xrange", () => r.xRange("s", "-", "+")],
    ["xgroup", () => r.xGroupCreate("s", "g", "0")],
    ["xreadgroup", () => r.xReadGroup("g", "c", { key: "s", id: ">" }, { COUNT: 1 })],
    ["xpending", () => r.xPending("s", "g")],
    ["xautoclaim", () => r.xAutoClaim("s", "g", "d", 0, "0")],
    ["xack", () => r.xAck("s", "g", "1-1")],
    ["xinfo", () => r.xInfoStream("s")],
    ["xinfo", () => r.xInfoGroups("s")],
    ["xread later", () => Promise.all([r.xRead({ key: "s", id: "$" }, { BLOCK: 10000 }), sleep(50).then(() => other.xAdd("s", "3-1", { d: "4" }))])],
  ],
  geo: (r) => [
    ["geoadd", () => r.geoAdd("g", [{ longitude: 13.361389, latitude: 38.115556, member: "Palermo" }, { longitude: 15.087269, latitude: 37.502669, member: "Catania" }])],
    ["geopos", () => r.geoPos("g", ["Palermo", "none"])],
    ["geodist", () => r.geoDist("g", "Palermo", "Catania", "km")],
    ["geosearch", () => r.geoSearchWith("g", { longitude: 15, latitude: 37 }, { radius: 200, unit: "km" }, ["WITHDIST", "WITHCOORD"], { SORT: "ASC" })],
  ],
  hyperloglog: (r) => [["pfadd", () => r.pfAdd("h", ["a", "b"])], ["pfcount", () => r.pfCount("h")]],
  transactions: (r, other) => [
    ["pipelined", () => Promise.all([r.set("a", "1"), r.incr("a"), seen(() => r.lPush("a", "x")), r.get("a")])],
    ["long", () => Promise.all(Array.from({ length: 10000 }, (_, n) => r.incrBy("sum", n))).then((all) => all.slice(-3))],
    ["multi", () => r.multi().set("t", "1").incr("t").hSet("h", { a: "1" }).hGetAll("h").exec()],
    ["multi fails", () => r.multi().set("t", "1").lPush("t", "x").incr("t").exec()],
    ["multi aborts", () => r.multi().addCommand(["SET", "only"]).exec()],
    ["as pipeline", () => r.multi().set("t", "1").get("t").execAsPipeline()],
    ["watch", () => r.watch("t").then(() => r.multi().incr("t").exec())],
    ["watch fails", () => r.watch("t").then(() => other.set("t", "9")).then(() => r.multi().incr("t").exec())],
  ],
  messages: (r, other) => [
    ["subscribe", async () => {
      const heard = [];
      const listener = r.duplicate();
      listener.on("error", () => {});
      await listener.connect();
      await listener.subscribe("news", (message, channel) => heard.push([channel, message]));
      await listener.subscribe("ünïcode", (message, channel) => heard.push([channel, message]), true);
      await listener.pSubscribe("n*", (message, channel) => heard.push(["pattern", channel, message]));
      await listener.sSubscribe("shard", (message, channel) => heard.push(["shard", channel, message]));
      const counts = [];
      for (const [channel, message] of [["news", "first"], ["ünïcode", every], ["nobody", "x"]]) counts.push(await other.publish(channel, message));
      counts.push(await other.sPublish("shard", "日本 🎈"));
      await until(() => heard.length >= 5);
      // In RESP3 a client that listens may do all the rest, too.
      counts.push(await seen(() => listener.get("k")));
      await listener.unsubscribe("news");
      counts.push(await other.publish("news", "late"), await other.pubSubNumSub(["news", "ünïcode"]), await listener.ping());
      await until(() => heard.length >= 6);
      listener.destroy();
      return [counts, heard];
    }],
  ],
  scripts: (r, other) => [
    ["defined", () => r.twice("k", 21)],
    ["flush", () => r.scriptFlush()],
    ["after a flush", () => r.twice("k", 21)],
    ["flush", () => r.scriptFlush()],
    ["in a transaction", () => r.multi().set("k", "1").twice("k", 3).exec()],
    ["fails", () => r.twice("k", "x")],
    ["eval", () => r.eval("return {KEYS[1], ARGV[1]}", { keys: ["k"], arguments: ["a"] })],
    ["evalsha", () => r.evalSha("f".repeat(40))],
    ["set", () => r.eval("redis.setresp(3) return {set = {a = true}}")],
    ["double", () => r.eval("redis.setresp(3) return {double = 3.25}")],
    ["big", () => r.eval("redis.setresp(3) return {big_number = '123456789012345678901234567890'}")],
    ["boolean", () => r.eval("redis.setresp(3) return {true, false}")],
    ["verbatim", () => r.eval("redis.setresp(3) return {verbatim_string = {format = 'txt', string = 'word'}}")],
    ["map", () => r.eval("redis.setresp(3) return {map = {a = {map = {b = 1}}}}")],
    ["exists", () => other.scriptExists(["f".repeat(40)])],
  ],
  functions: (r) => [
    ["load", () => r.functionLoad(LIBRARY)],
    ["load again", () => r.functionLoad(LIBRARY)],
    ["fcall", () => r.fCall("sum", { arguments: ["1", "2", "3"] })],
    ["fcall_ro", () => r.fCallRo("sum", { arguments: ["1"] })],
    ["list", () => r.functionListWithCode().then((all) => all.map((library) => [library.library_name, library.library_code, library.functions.length]))],
    ["stats", () => r.functionStats()],
    ["dump", async () => r.functionRestore(await bytes(r).functionDump(), { mode: "REPLACE" })],
    ["delete", () => r.functionDelete("lib")],
  ],
  values: (r) => [
    ["binary", () => r.set(every, every)],
    ["binary", () => bytes(r).get(every)],
    ["unicode", () => r.set("ключ 🔑", "значение 🎈 日本")],
    ["unicode", () => r.get("ключ 🔑")],
    ["big", () => r.set("big", big).then(() => bytes(r).get("big")).then((value) => value.equals(big))],
    ["bigs", () => Promise.all(Array.from({ length: 10 }, () => bytes(r).get("big"))).then((all) => all.every((value) => value.equals(big)))],
    ["many", () => r.mSet(Array.from({ length: 5000 }, (_, n) => [`key:${n}`, String(n)]))],
    ["scan", () => collect(r.scanIterator({ MATCH: "key:*", COUNT: 100 })).then((keys) => new Set(keys).size)],
  ],
  connections: (r, other, port, RESP) => [
    ["pool", async () => {
      const pool = createClientPool({ socket: { host: "127.0.0.1", port }, RESP }, { minimum: 1, maximum: 100 });
      pool.on("error", () => {});
      await pool.connect();
      const all = await Promise.all(Array.from({ length: 2000 }, () => pool.execute((client) => client.incr("n"))));
      pool.destroy();
      return all.sort((a, b) => a - b).every((value, n) => value === n + 1);
    }],
    ["killed and back", async () => {
      await other.clientKill({ filter: "ID", id: await r.clientId() });
      await sleep(50);
      return r.ping();
    }],
    ["options", async () => {
      const mine = await open(port, RESP, { database: 3, name: "tourist" });
      const all = [await mine.clientGetName(), await mine.set("a", "1"), (await mine.clientInfo()).db];
      await mine.close();
      return all;
    }],
    ["config", () => other.configGet("maxmemory")],
    ["tracking", () => other.clientCaching(true)],
  ],
};

/** Everything that node-redis sees at a port, part by part. */
export async function tour(port, parts, RESP) {
  const sights = {};
  for (const [name, lines] of parts) {
    const r = await open(port, RESP);
    const other = await open(port, RESP);
    await other.flushAll();
    sights[name] = await commands(lines, (argv) => r.sendCommand(argv));
    await r.select(0);
    await other.flushAll();
    sights[name].push(...(await each(own[name]?.(r, other, port, RESP) ?? [])));
    r.destroy();
    other.destroy();
  }
  return sights;
}
