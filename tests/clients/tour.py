"""What redis-py sees on its tour: python tour.py PORT PROTOCOL PARTS prints {"part": [[what, it saw], ..]} as JSON."""

import asyncio
import json
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis
import redis.asyncio

PORT, PROTOCOL = int(sys.argv[1]), int(sys.argv[2])
# node tells which parts of the tour there are: a list of [name, lines].
PARTS = json.loads(sys.argv[3])
OPTIONS = {"host": "127.0.0.1", "port": PORT, "protocol": PROTOCOL, "socket_timeout": 20}


def plain(value):
    """A value as JSON can tell it from others."""
    if isinstance(value, bytes):
        return "b:" + value.decode("latin-1")
    if isinstance(value, str):
        return "s:" + value
    if isinstance(value, dict):
        return {"map": [[plain(key), plain(item)] for key, item in value.items()]}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted(json.dumps(plain(item)) for item in value)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return {"double": repr(value)}
    if isinstance(value, Exception):
        return f"{type(value).__name__}: {value}"
    return value if value is None or isinstance(value, (bool, int)) else repr(value)


def seen(function, *args, **options):
    """What comes of a call: its value or its error."""
    try:
        return plain(function(*args, **options))
    except Exception as error:  # The library's own failures are to be the same, too.
        return plain(error)


def words(line):
    found = re.findall(r'"([^"]*)"|(\S+)', line)
    return [quoted.replace("\\n", "\n") if quoted or not bare else bare for quoted, bare in found]


def commands(r, lines):
    for line in lines:
        is_set = line.startswith("~ ")
        result = seen(r.execute_command, *words(line.removeprefix("~ ")))
        yield line, sorted(result, key=str) if is_set and isinstance(result, list) else result


def later(seconds, work):
    """Does something from another connection after a while."""
    timer = threading.Timer(seconds, lambda: work(redis.Redis(**OPTIONS)))
    timer.start()
    return timer


def strings(r):
    yield "set", seen(r.set, "k", "v", ex=100, nx=True)
    yield "set nx", seen(r.set, "k", "w", nx=True)
    yield "set get", seen(r.set, "k", "w", get=True, keepttl=True)
    yield "ttl", seen(r.ttl, "k")
    yield "mset", seen(r.mset, {"a": 1, "b": 2.5, "c": b"three"})
    yield "mget", seen(r.mget, ["a", "b", "c", "none"])
    yield "incr", seen(r.incr, "a", 41)
    yield "incrbyfloat", seen(r.incrbyfloat, "b", 0.25)
    yield "getex", seen(r.getex, "a", ex=10)
    yield "lcs", seen(r.lcs, "k", "c", idx=True)
    field = r.bitfield("bits").set("u8", 0, 200).overflow("SAT").incrby("u8", 0, 100)
    yield "bitfield", seen(field.execute)
    yield "bitcount", seen(r.bitcount, "bits", 0, -1)


def hashes(r):
    yield "hset", seen(r.hset, "h", mapping={"a": 1, "b": "two", "c": b"\x00\xff"})
    yield "hgetall", seen(r.hgetall, "h")
    yield "hmget", seen(r.hmget, "h", ["a", "none"])
    yield "hincrbyfloat", seen(r.hincrbyfloat, "h", "a", 1.5)
    yield "hexists", seen(r.hexists, "h", "a")
    yield "hrandfield", seen(lambda: len(r.hrandfield("h", -5, withvalues=True)))
    yield "hscan_iter", seen(lambda: sorted(r.hscan_iter("h", count=1)))


def lists(r):
    yield "rpush", seen(r.rpush, "l", *range(10))
    yield "lrange", seen(r.lrange, "l", 2, -2)
    yield "lpos", seen(r.lpos, "l", 3, count=0)
    yield "lmove", seen(r.lmove, "l", "m", "LEFT", "RIGHT")
    yield "lmpop", seen(r.lmpop, 2, "none", "l", direction="RIGHT", count=2)
    yield "blpop", seen(r.blpop, ["none", "l"], timeout=1)
    yield "blmpop", seen(r.blmpop, 1, 1, "l", direction="LEFT", count=3)
    yield "blpop none", seen(r.blpop, "none", timeout=0.02)
    waits = later(0.05, lambda other: other.rpush("later", "came", "second"))
    yield "blpop later", seen(r.blpop, ["nothing", "later"], timeout=10)
    waits.join()
    waits = later(0.05, lambda other: other.rpush("source", "moved"))
    yield "blmove later", seen(r.blmove, "source", "target", 10)
    waits.join()
    yield "sort", seen(r.sort, "l", desc=True, alpha=True)


def sets(r):
    yield "sadd", seen(r.sadd, "s", *"abcde")
    yield "sadd", seen(r.sadd, "t", *"cdefg")
    for name in ("sinter", "sunion", "sdiff"):
        yield name, seen(getattr(r, name), "s", "t")
    yield "smembers", seen(r.smembers, "s")
    yield "smismember", seen(r.smismember, "s", ["a", "z"])
    yield "sintercard", seen(r.sintercard, 2, ["s", "t"], limit=2)
    yield "sscan_iter", seen(lambda: sorted(r.sscan_iter("s", match="[a-c]")))
    yield "spop", seen(lambda: len(r.spop("s", 3)))


def sorted_sets(r):
    yield "zadd", seen(r.zadd, "z", {"a": 1, "b": 2.5, "c": float("inf")})
    yield "zadd incr", seen(r.zadd, "z", {"a": 1.25}, incr=True)
    yield "zrange", seen(r.zrange, "z", 0, -1, withscores=True)
    yield "zrange by score", seen(r.zrange, "z", "-inf", "(3", byscore=True, offset=0, num=1)
    yield "zscore", seen(r.zscore, "z", "b")
    yield "zmscore", seen(r.zmscore, "z", ["a", "none"])
    yield "zunion", seen(r.zunion, {"z": 2, "none": 1}, aggregate="MAX", withscores=True)
    yield "zscan_iter", seen(lambda: sorted(r.zscan_iter("z")))
    yield "zpopmin", seen(r.zpopmin, "z", 2)
    waits = later(0.05, lambda other: other.zadd("later", {"m": 7}))
    yield "bzpopmin", seen(r.bzpopmin, "later", 10)
    waits.join()
    yield "bzmpop", seen(r.bzmpop, 1, 1, ["z"], min=True)


def streams(r):
    yield "xadd", seen(r.xadd, "s", {"a": 1, "b": b"\xff"}, id="1-1")
    yield "xadd", seen(r.xadd, "s", {"c": 2}, id="2-1", maxlen=10, approximate=False)
    yield "xrange", seen(r.xrange, "s")
    yield "xread", seen(r.xread, {"s": "1-1"}, count=5)
    waits = later(0.05, lambda other: other.xadd("s", {"late": "r"}, id="3-1"))
    yield "xread block", seen(r.xread, {"s": "$"}, block=10_000)
    waits.join()
    yield "xgroup_create", seen(r.xgroup_create, "s", "g", id="0")
    yield "xreadgroup", seen(r.xreadgroup, "g", "c", {"s": ">"}, count=2)
    yield "xpending", seen(r.xpending, "s", "g")
    yield "xack", seen(r.xack, "s", "g", "1-1")
    yield "xautoclaim", seen(r.xautoclaim, "s", "g", "d", 0, justid=True)
    yield "xinfo_stream", seen(r.xinfo_stream, "s")
    yield "xinfo_groups", seen(r.xinfo_groups, "s")
    yield "xtrim", seen(r.xtrim, "s", maxlen=1, approximate=False)


def geo(r):
    yield "geoadd", seen(r.geoadd, "g", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"))
    yield "geodist", seen(r.geodist, "g", "Palermo", "Catania", unit="km")
    yield "geopos", seen(r.geopos, "g", "Palermo", "none")
    search = {"longitude": 15, "latitude": 37, "radius": 200, "unit": "km", "sort": "ASC"}
    yield "geosearch", seen(r.geosearch, "g", **search, withdist=True, withcoord=True, withhash=True)


def hyperloglog(r):
    yield "pfadd", seen(r.pfadd, "h", *range(1000))
    yield "pfcount", seen(r.pfcount, "h")
    yield "pfmerge", seen(r.pfmerge, "m", "h", "none")
    yield "get", seen(r.get, "m")


def dump(r):
    r.rpush("l", 1, "two")
    yield "dump", seen(r.dump, "l")
    yield "restore", seen(lambda: r.restore("copy", 0, r.dump("l")))
    yield "restore", seen(r.restore, "copy", 0, b"nonsense")
    yield "copy", seen(r.lrange, "copy", 0, -1)


def pipelines(r):
    with r.pipeline(transaction=False) as pipe:
        pipe.set("a", 1).incr("a").lpush("a", "x").get("a").hset("h", mapping={"f": "v"}).hgetall("h")
        yield "pipeline", seen(pipe.execute, raise_on_error=False)
        pipe.set("a", 1).lpush("a", "x")
        yield "pipeline raises", seen(pipe.execute)
        for number in range(10_000):
            pipe.incrby("sum", number)
        yield "long pipeline", seen(lambda: pipe.execute()[-3:])
    with r.pipeline() as pipe:
        pipe.multi()
        pipe.set("t", 1).incr("t").hgetall("h")
        yield "transaction", seen(pipe.execute)
        pipe.set("t", 1).lpush("t", "x").incr("t")
        yield "transaction fails", seen(pipe.execute, raise_on_error=False)
        pipe.execute_command("SET", "only")
        yield "transaction aborts", seen(pipe.execute)
        pipe.watch("t")
        value = int(pipe.get("t"))
        pipe.multi()
        pipe.set("t", value + 1)
        yield "watch", seen(pipe.execute)
        pipe.watch("t")
        redis.Redis(**OPTIONS).set("t", "other")
        pipe.multi()
        pipe.set("t", "mine")
        yield "watch fails", seen(pipe.execute)
    yield "get", seen(r.get, "t")
    tries = []

    def work(pipe):
        tries.append(pipe.get("n"))
        if len(tries) == 1:
            redis.Redis(**OPTIONS).incr("n")
        pipe.multi()
        pipe.incr("n")

    yield "transaction helper", [seen(r.transaction, work, "n"), plain(tries)]


def messages(r):
    other = redis.Redis(**OPTIONS)
    listener = r.pubsub()
    listener.subscribe("news", "ünïcode")
    listener.psubscribe("n*")
    # Not in an order that is told: the client keeps its channels in a table.
    first = sorted(json.dumps(plain(listener.get_message(timeout=5))) for _ in range(3))
    yield "subscribe", first
    yield "publish", seen(other.publish, "news", b"\x00bytes")
    yield "publish", seen(other.publish, "ünïcode", "text")
    yield "publish", seen(other.publish, "nobody", "text")
    for _ in range(4):
        yield "message", seen(listener.get_message, timeout=5)
    yield "channels", seen(lambda: sorted(other.pubsub_channels()))
    yield "numsub", seen(other.pubsub_numsub, "news", "none")
    yield "numpat", seen(other.pubsub_numpat)
    listener.ping()
    yield "ping", seen(listener.get_message, timeout=5)
    yield "silence", seen(listener.get_message, timeout=0.05)
    listener.unsubscribe("news")
    yield "unsubscribe", seen(listener.get_message, timeout=5)
    listener.close()
    heard = []
    came = threading.Event()
    listener = r.pubsub(ignore_subscribe_messages=True)
    handler = lambda message: (heard.append(message["data"]), came.set())
    r.config_set("notify-keyspace-events", "KEA")
    listener.psubscribe(**{"__keyevent@0__:expired": handler})
    thread = listener.run_in_thread(sleep_time=0.01)
    r.set("gone", 1, px=20)
    came.wait(5)
    thread.stop()
    thread.join()
    yield "expired", plain(heard)
    r.config_set("notify-keyspace-events", "")
    with r.monitor() as monitor:
        other.set("seen", "by \"monitor\"")
        yield "monitor", seen(lambda: monitor.next_command()["command"])


def scripts(r):
    script = r.register_script("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}")
    yield "script", seen(script, keys=["k"], args=["a"])
    r.script_flush()
    yield "script after a flush", seen(script, keys=["k"], args=["a"])
    r.script_flush()
    with r.pipeline() as pipe:
        pipe.set("k", 10)
        script(keys=["k"], args=[b"\xff"], client=pipe)
        yield "script in a pipeline", seen(pipe.execute)
    yield "script exists", seen(r.script_exists, script.sha, "0" * 40)
    yield "evalsha", seen(r.evalsha, "f" * 40, 0)
    yield "eval error", seen(r.eval, "return redis.call('INCR', KEYS[1], 'x')", 1, "k")
    yield "eval error", seen(r.eval, "error({err = 'MY own'})", 0)
    yield "eval_ro", seen(r.eval_ro, "return redis.call('SET', 'k', 1)", 0)
    with r.lock("lock", timeout=10) as lock:
        yield "lock", [lock.owned(), seen(lock.extend, 5), seen(r.lock("lock", blocking=False).acquire)]
    yield "lock released", seen(r.exists, "lock")
    yield "unlock twice", seen(lock.release)


LIBRARY = """#!lua name=lib
redis.register_function('sum', function(keys, args)
  local sum = 0
  for _, arg in ipairs(args) do sum = sum + arg end
  return sum
end)
redis.register_function{function_name = 'ro', callback = function(keys) return redis.call('GET', keys[1]) end,
  flags = {'no-writes'}, description = 'reads'}
"""


def functions(r):
    yield "load", seen(r.function_load, LIBRARY)
    yield "load again", seen(r.function_load, LIBRARY)
    yield "replace", seen(r.function_load, LIBRARY, replace=True)
    yield "fcall", seen(r.fcall, "sum", 0, 1, 2, 3)
    yield "fcall_ro", seen(r.fcall_ro, "ro", 1, "none")
    yield "fcall_ro", seen(r.fcall_ro, "sum", 0, 1)
    yield "list", seen(lambda: len(json.dumps(plain(r.function_list(withcode=True)))))
    yield "stats", seen(r.function_stats)
    dump = r.function_dump()
    yield "flush", seen(r.function_flush)
    yield "fcall", seen(r.fcall, "sum", 0, 1)
    yield "restore", seen(r.function_restore, dump)
    yield "fcall", seen(r.fcall, "sum", 0, 1)
    yield "delete", seen(r.function_delete, "lib")


def values(r):
    every = bytes(range(256))
    yield "binary", seen(r.set, every, every)
    yield "binary", seen(r.get, every)
    yield "unicode", seen(r.set, "ключ 🔑", "значение 🎈 日本")
    yield "unicode", seen(r.get, "ключ 🔑")
    yield "decoded", seen(redis.Redis(**OPTIONS, decode_responses=True).get, "ключ 🔑")
    yield "empty", [seen(r.set, "", ""), seen(r.get, ""), seen(r.exists, "")]
    big = every * 4096 * 5
    r.set("big", big)
    yield "big", seen(lambda: r.get("big") == big)
    yield "big", seen(r.strlen, "big")
    r.rpush("bigs", *[big[:1_000_000]] * 5)
    yield "bigs", seen(lambda: [len(item) for item in r.lrange("bigs", 0, -1)])
    r.hset("wide", mapping={f"field {number}": number for number in range(20_000)})
    yield "wide", seen(lambda: len(r.hgetall("wide")))
    r.mset({f"key:{number}": number for number in range(5000)})
    yield "scan_iter", seen(lambda: len(set(r.scan_iter(match="key:*", count=100))))
    yield "scan_iter", seen(lambda: sorted(r.scan_iter(_type="hash")))


def connections(r):
    def work(number):
        mine = redis.Redis(**OPTIONS)
        for _ in range(20):
            mine.incr("n")
        return mine.echo(f"mine {number}")

    with ThreadPoolExecutor(20) as pool:
        yield "threads", sorted(plain(list(pool.map(work, range(60)))))
    yield "sum", seen(r.get, "n")

    async def many():
        client = redis.asyncio.Redis(**OPTIONS, max_connections=500)
        await asyncio.gather(*[client.blpop(f"nothing {number}", 0.01) for number in range(100)])
        result = await asyncio.gather(*[client.incr("m") for _ in range(300)])
        await client.aclose()
        return sorted(result)[-1]

    yield "asyncio", seen(asyncio.run, many())
    single = redis.Redis(**OPTIONS, single_connection_client=True, client_name="tourist")
    yield "name", seen(single.client_getname)
    yield "kill", seen(r.client_kill_filter, _id=single.client_id())
    yield "comes again", seen(single.ping)
    other = redis.Redis(**OPTIONS, db=3)
    yield "database", [seen(other.set, "here", 1), seen(r.get, "here"), seen(r.move, "here", 3)]
    yield "swapdb", [seen(r.swapdb, 0, 3), seen(r.get, "here")]
    yield "info", seen(lambda: r.info("keyspace")["db0"]["keys"])
    yield "config", [seen(r.config_set, "maxmemory", "100mb"), seen(r.config_get, "maxmemory")]
    yield "config", [seen(r.config_set, "maxmemory", 0), seen(r.config_set, "none", 1)]
    yield "time", seen(lambda: type(r.time()[0]).__name__)
    yield "wait", seen(r.wait, 0, 10)
    yield "auth", seen(redis.Redis(**OPTIONS, password="wrong").ping)


NATIVE = {
    "strings": strings,
    "hashes": hashes,
    "lists": lists,
    "sets": sets,
    "sorted sets": sorted_sets,
    "streams": streams,
    "geo": geo,
    "hyperloglog": hyperloglog,
    "dump": dump,
    "transactions": pipelines,
    "messages": messages,
    "scripts": scripts,
    "functions": functions,
    "values": values,
    "connections": connections,
}


def main():
    tour = {}
    for name, lines in PARTS:
        r = redis.Redis(**OPTIONS)
        r.flushall()
        sights = list(commands(r, lines))
        if name in NATIVE:
            r.flushall()
            sights += NATIVE[name](r)
        r.close()
        tour[name] = sights
    print(json.dumps(tour))


main()
