//! Payloads of DUMP, which go to the real server and come back, whole and damaged.
//!
//! `PAYLOAD_CASES=10000` runs longer, `PAYLOAD_SEED=7` elsewhere.

#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

mod common;

use common::chance::{Argv, line, one_in, pick, setting, words};
use common::engine::Engine;
use common::real::{Connection, RealServer};
use evalsha::rdb::seal;
use evalsha::resp::Reply;
use evalsha::server::client::ClientId;
use evalsha::server::random::Random;

/// Bytes of a payload behind its data.
const FOOTER: usize = 10;

/// Both servers, each of which may run DEBUG.
struct Both {
    server: RealServer,
    real: Connection,
    engine: Engine,
    client: ClientId,
}

impl Both {
    fn start() -> Option<Both> {
        let server = RealServer::start_with(0, &["--enable-debug-command", "yes"])?;
        let real = server.connect();
        let debug = [("enable-debug-command".to_owned(), "yes".to_owned())];
        let mut engine = Engine::with(&debug);
        let client = engine.server.connect("");
        Some(Both { server, real, engine, client })
    }

    fn ours<T: AsRef<[u8]>>(&mut self, argv: &[T]) -> Reply {
        let argv: Vec<_> = argv.iter().map(|word| word.as_ref().to_vec()).collect();
        self.engine.server.send(self.client, &argv);
        self.engine.server.take_reply(self.client).expect("the command answers at once")
    }

    /// The real server's reply; `None` if it has crashed, and another one has taken its place.
    fn theirs<T: AsRef<[u8]>>(&mut self, argv: &[T]) -> Option<Reply> {
        let reply = self.real.try_send(argv).and_then(|()| self.real.try_receive());
        if reply.is_err() {
            self.server = RealServer::start_with(0, &["--enable-debug-command", "yes"])?;
            self.real = self.server.connect();
        }
        reply.ok()
    }

    /// Runs a command on both, whose replies are equal.
    #[track_caller]
    fn call<T: AsRef<[u8]>>(&mut self, argv: &[T], why: &str) -> Reply {
        let (ours, theirs) = (self.ours(argv), self.real.call(argv));
        assert_eq!(ours, theirs, "{why}");
        ours
    }

    fn configure(&mut self, random: &mut Random) {
        let line = format!(
            "CONFIG SET hash-max-listpack-entries {} hash-max-listpack-value {} \
             zset-max-listpack-entries {} zset-max-listpack-value {} set-max-intset-entries {} \
             list-max-listpack-size {} rdbcompression {}",
            pick(random, &[4, 512]),
            pick(random, &[8, 64]),
            pick(random, &[4, 128]),
            pick(random, &[8, 64]),
            pick(random, &[4, 512]),
            pick(random, &[-2, -1, -9, 0, 3, 128]),
            pick(random, &["yes", "yes", "no"]),
        );
        self.call(&words(&line), &line);
    }
}

fn bytes(reply: Reply) -> Vec<u8> {
    match &reply {
        Reply::Bulk(bytes) => bytes.clone(),
        reply => panic!("no string: {reply:?}"),
    }
}

/// Bytes that are easy or hard to compress, or a number.
fn string(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0..3 => (random.below(300) as i64 - 150).to_string().into_bytes(),
        3 => {
            let bits = random.below(64) as u32;
            let number = (random.next() as i64) >> bits;
            (number + random.below(3) as i64 - 1).to_string().into_bytes()
        }
        4 => {
            let edge = [1i64 << 7, 1 << 12, 1 << 15, 1 << 23, 1 << 31, i64::MIN, i64::MAX];
            let number = pick(random, &edge).wrapping_add(random.below(3) as i64 - 1);
            (if one_in(random, 2) { number } else { number.wrapping_neg() })
                .to_string()
                .into_bytes()
        }
        5 => {
            let mut text = Vec::new();
            for _ in 0..random.below(8) {
                let piece = *pick(random, &["abc", "x", "some words ", "\0\0\0\u{7f}", "123"]);
                text.extend(piece.repeat(random.below(60) as usize).bytes());
                text.extend((0..random.below(9)).map(|_| random.below(256) as u8));
            }
            text
        }
        6 if one_in(random, 6) => {
            let alphabet = 1 + random.below(256);
            (0..random.below(20_000)).map(|_| random.below(alphabet) as u8).collect()
        }
        _ => (0..random.below(6)).map(|_| b"abcdef"[random.below(6) as usize]).collect(),
    }
}

fn score(random: &mut Random) -> Vec<u8> {
    match random.below(5) {
        0 => pick(random, &["inf", "-inf", "-0", "1e300", "5e18", "4e18", "-4611686018427387904"])
            .as_bytes()
            .to_vec(),
        1 => format!("{}.{}", random.below(20), random.below(1000)).into_bytes(),
        2 => random.below(1 << 60).to_string().into_bytes(),
        _ => random.below(9).to_string().into_bytes(),
    }
}

/// Commands that make a value of a type.
fn commands(random: &mut Random, kind: &str) -> Vec<Argv> {
    let mut commands = Vec::new();
    let mut ticks = 0;
    let most = if one_in(random, 10) { 800 } else { 20 };
    for _ in 0..=random.below(most) {
        let seldom = one_in(random, 5);
        let template = match kind {
            "string" if seldom => "APPEND key $string",
            "string" => "SET key $string",
            "list" if seldom => {
                pick(random, &["LPOP key", "LSET key 0 $string", "LPUSH key $string"])
            }
            "list" => "RPUSH key $string",
            "set" if seldom => "SREM key $number",
            "set" => pick(random, &["SADD key $number", "SADD key $number", "SADD key $string"]),
            "hash" if seldom => pick(random, &["HDEL key $number", "HINCRBY key $number 7"]),
            "hash" => "HSET key $number $string",
            "stream" if one_in(random, 4) => *pick(random, STREAM),
            "stream" => "XADD key $next field $string",
            _ if seldom => pick(random, &["ZREM key $number", "ZINCRBY key 1.5 $number"]),
            _ => pick(random, &["ZADD key $score $number", "ZADD key $score $string"]),
        };
        let mut fill = |word: &str| match word {
            "$string" => string(random),
            "$number" => (random.below(40) as i64 - 9).to_string().into_bytes(),
            "$score" => score(random),
            "$next" => {
                ticks += 1 + random.below(3);
                format!("{ticks}-{}", random.below(3) * random.below(70_000)).into_bytes()
            }
            "$id" => random.below(ticks + 1).to_string().into_bytes(),
            "$group" => pick(random, &["g", "other group"]).as_bytes().to_vec(),
            "$name" => pick(random, &["alice", "bob", "12"]).as_bytes().to_vec(),
            word => word.as_bytes().to_vec(),
        };
        commands.push(template.split(' ').map(&mut fill).collect());
    }
    commands
}

const KINDS: &[&str] = &["string", "list", "set", "hash", "zset", "stream"];

const STREAM: &[&str] = &[
    "XADD key $next field $string other $number",
    "XADD key $next 12 $string field $string",
    "XADD key $next $string $string",
    "XDEL key $id",
    "XDEL key $id $id $id",
    "XTRIM key MAXLEN $number",
    "XTRIM key MINID ~ $id",
    "XSETID key 5000-1",
    "XSETID key 6000-1 ENTRIESADDED 7000 MAXDELETEDID 5-5",
    "XGROUP CREATE key $group $id",
    "XGROUP CREATE key $group 0 MKSTREAM ENTRIESREAD 1",
    "XGROUP CREATECONSUMER key $group $name",
    "XREADGROUP GROUP $group $name COUNT 3 STREAMS key >",
    "XREADGROUP GROUP $group $name COUNT 1 STREAMS key >",
    "XACK key $group $id",
    "XCLAIM key $group $name 0 $id TIME 1700000000000 RETRYCOUNT 300 FORCE",
    "XGROUP SETID key $group $id",
    "XGROUP DELCONSUMER key $group $name",
];

/// What made a value, for whoever looks at a failure.
fn story(commands: &[Argv]) -> String {
    let lines: Vec<_> = commands.iter().map(|argv| line(argv)).collect();
    String::from_utf8_lossy(&lines.join(&b'\n')).into_owned()
}

/// Whether the same commands make the same bytes: a table has no order, and how a list is divided into nodes tells how it
/// came to be.
fn has_one_form(payload: &[u8], commands: &[Argv]) -> bool {
    match payload[0] {
        2 | 4 => payload[1] == 1,
        // Consumers tell when they were seen.
        19 => {
            let makes_consumer = |argv: &Argv| {
                argv[0] == b"XREADGROUP" || argv[0] == b"XCLAIM" || argv[1] == b"CREATECONSUMER"
            };
            !commands.iter().any(makes_consumer)
        }
        18 => payload[1] == 1 || commands.iter().all(|argv| argv[0] == b"RPUSH"),
        _ => true,
    }
}

#[test]
fn payloads_go_both_ways() {
    let Some(mut both) = Both::start() else { return };
    let mut random = Random::new(setting("PAYLOAD_SEED", 1));
    for case in 0..setting("PAYLOAD_CASES", 100) {
        both.call(&["FLUSHALL"], "");
        both.configure(&mut random);
        let kind = *pick(&mut random, KINDS);
        let commands = commands(&mut random, kind);
        for argv in &commands {
            let (ours, theirs) = (both.ours(argv), both.real.call(argv));
            assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{}", story(&commands));
        }
        let why = format!("case {case}\n{}", story(&commands));
        if both.call(&["EXISTS", "key"], &why) == Reply::Integer(0) {
            continue;
        }
        both.call(&["DEBUG", "DIGEST-VALUE", "key"], &why);
        let ours = bytes(both.ours(&["DUMP", "key"]));
        let theirs = bytes(both.real.call(&["DUMP", "key"]));
        if has_one_form(&theirs, &commands) {
            let (ours, theirs) = (ours.escape_ascii(), theirs.escape_ascii());
            assert_eq!(ours.to_string(), theirs.to_string(), "{why}");
        }
        // Ours to both, and theirs to both.
        for (key, payload) in [("one", &ours), ("other", &theirs)] {
            let restored = both.call(&[b"RESTORE", key.as_bytes(), b"0", payload], &why);
            assert_eq!(restored, Reply::OK, "{why}");
            both.call(&["OBJECT", "ENCODING", key], &why);
            let digests = both.call(&["DEBUG", "DIGEST-VALUE", "key", key], &why);
            let Reply::Array(digests) = &digests else { panic!("no array") };
            assert_eq!(digests[0], digests[1], "{why}");
            if kind == "stream" {
                both.call(&["XINFO", "STREAM", key, "FULL", "COUNT", "0"], &why);
            }
        }
        if has_one_form(&ours, &[]) {
            assert_eq!(bytes(both.ours(&["DUMP", "one"])), ours, "{why}");
        }
        both.call(&["DEBUG", "DIGEST"], &why);
        both.call(&["DEBUG", "RELOAD"], &why);
        both.call(&["OBJECT", "ENCODING", "key"], &why);
        both.call(&["DEBUG", "DIGEST"], &why);
    }
}

/// Payloads of forms that no server writes any more.
fn old_form(random: &mut Random) -> Vec<u8> {
    let strings: Vec<_> = (0..random.below(6)).map(|_| string(random)).collect();
    let strings: Vec<_> = strings.into_iter().filter(|string| string.len() < 250).collect();
    let counted = |count: usize| vec![count as u8];
    let packed = |bytes: Vec<u8>| {
        let length = (bytes.len() as u32).to_be_bytes();
        [&[0x80], &length[..], &bytes].concat()
    };
    let mut zipmap = counted(strings.len() / 2);
    for pair in strings.chunks_exact(2) {
        zipmap.extend([counted(pair[0].len()), pair[0].clone(), counted(pair[1].len())].concat());
        let free = random.below(3) as usize;
        zipmap.extend([counted(free), pair[1].clone(), vec![7; free]].concat());
    }
    zipmap.push(255);
    let (mut ziplist, mut before, mut tail) = (vec![0; 10], 0, 10);
    for string in &strings {
        tail = ziplist.len();
        ziplist.extend(if before < 254 {
            counted(before)
        } else {
            vec![254, before as u8, 0, 0, 0]
        });
        let start = ziplist.len() - if before < 254 { 1 } else { 5 };
        match std::str::from_utf8(string).ok().and_then(|text| text.parse::<i64>().ok()) {
            Some(small @ 0..=12) => ziplist.push(0xf1 + small as u8),
            Some(number) if number as i8 as i64 == number => ziplist.extend([0xfe, number as u8]),
            Some(number) if number as i16 as i64 == number => {
                ziplist.push(0xc0);
                ziplist.extend((number as i16).to_le_bytes());
            }
            Some(number) if number as i32 as i64 == number => {
                ziplist.push(0xd0);
                ziplist.extend((number as i32).to_le_bytes());
            }
            Some(number) => {
                ziplist.push(0xe0);
                ziplist.extend(number.to_le_bytes());
            }
            None => {
                let length = string.len();
                ziplist.extend(if length < 64 {
                    counted(length)
                } else {
                    vec![0x40 | (length >> 8) as u8, length as u8]
                });
                ziplist.extend(string);
            }
        }
        before = ziplist.len() - start;
    }
    ziplist.push(255);
    let size = (ziplist.len() as u32).to_le_bytes();
    ziplist[..4].copy_from_slice(&size);
    ziplist[4..8].copy_from_slice(&(tail as u32).to_le_bytes());
    ziplist[8] = strings.len() as u8;
    let list = |strings: &[Vec<u8>]| strings.iter().flat_map(|s| packed(s.clone())).collect();
    let form = random.below(9);
    match form {
        0 => [vec![1], counted(strings.len()), list(&strings)].concat(),
        1 => [vec![2], counted(strings.len()), list(&strings)].concat(),
        2 => {
            let scored = strings.iter().flat_map(|string| {
                let score = score(random);
                [packed(string.clone()), counted(score.len()), score].concat()
            });
            let scored: Vec<u8> = scored.collect();
            [vec![3], counted(strings.len()), scored].concat()
        }
        3 => [vec![4], counted(strings.len() / 2), list(&strings)].concat(),
        4 => [vec![9], packed(zipmap)].concat(),
        5 => [vec![14, 2], packed(ziplist.clone()), packed(ziplist)].concat(),
        6 => [vec![10], packed(ziplist)].concat(),
        7 => [vec![12], packed(ziplist)].concat(),
        _ => [vec![13], packed(ziplist)].concat(),
    }
}

#[test]
fn old_forms_are_read() {
    let Some(mut both) = Both::start() else { return };
    let mut random = Random::new(setting("PAYLOAD_SEED", 2));
    both.call(&["CONFIG", "SET", "sanitize-dump-payload", "yes"], "");
    for _ in 0..setting("PAYLOAD_CASES", 500) {
        both.call(&["FLUSHALL"], "");
        both.configure(&mut random);
        let payload = seal(old_form(&mut random));
        assert!(agree(&mut both, &payload), "{}", payload.escape_ascii());
    }
}

/// Both give the same verdict, and have the same value then. False if the real server has crashed.
#[track_caller]
fn agree(both: &mut Both, payload: &[u8]) -> bool {
    let why = payload.escape_ascii().to_string();
    let restore: [&[u8]; 5] = [b"RESTORE", b"key", b"0", payload, b"REPLACE"];
    let ours = both.ours(&restore);
    // It has bugs where it does not answer.
    let Some(theirs) = both.theirs(&restore) else { return false };
    // A stream whose IDs are in no order, or whose numbers do not fit it, is kept by the real server as it is.
    if is_stream(payload) && theirs == Reply::OK && ours != theirs {
        return true;
    }
    assert_eq!(ours, theirs, "{why}");
    if ours == Reply::OK {
        both.call(&["OBJECT", "ENCODING", "key"], &why);
        both.call(&["DEBUG", "DIGEST-VALUE", "key"], &why);
    }
    true
}

fn is_stream(payload: &[u8]) -> bool {
    matches!(payload[0], 15 | 19)
}

fn damage(random: &mut Random, data: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let length = data.len() as u64;
        // What is at the beginning tells more.
        let most = if one_in(random, 2) { length.min(24) } else { length };
        let at = random.below(most.max(1)) as usize;
        let byte = *pick(random, &[0, 1, 2, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf1, 0xf4, 0xfe, 0xff]);
        match random.below(6) {
            0 => data.truncate(at),
            1 => data.insert(at, byte),
            2 if at < data.len() => drop(data.remove(at)),
            3 if at < data.len() => data[at] ^= 1 << random.below(8),
            4 if at < data.len() => data[at] = data[at].wrapping_add(1),
            _ if at < data.len() => data[at] = byte,
            _ => data.push(byte),
        }
    }
}

#[test]
fn damaged_payloads_are_judged_alike() {
    let Some(mut both) = Both::start() else { return };
    let mut random = Random::new(setting("PAYLOAD_SEED", 3));
    for case in 0..setting("PAYLOAD_CASES", 100) {
        both.ours(&["FLUSHALL"]);
        both.theirs(&["FLUSHALL"]);
        both.configure(&mut random);
        both.call(&["CONFIG", "SET", "sanitize-dump-payload", "yes"], "");
        let data = if case % 3 == 0 {
            old_form(&mut random)
        } else {
            let kind = *pick(&mut random, KINDS);
            for argv in commands(&mut random, kind) {
                both.ours(&argv);
            }
            let dumped = both.ours(&["DUMP", "key"]);
            let Reply::Bulk(payload) = &dumped else { continue };
            payload[..payload.len() - FOOTER].to_vec()
        };
        for _ in 0..20 {
            let mut damaged = data.clone();
            damage(&mut random, &mut damaged);
            if !agree(&mut both, &seal(damaged)) {
                break;
            }
        }
    }
}
