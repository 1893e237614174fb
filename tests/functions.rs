//! Libraries of functions: payloads that go to the real server and come back, what a library's body may take; and that
//! libraries and scripts are loaded in slices.

#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

mod common;

use common::chance::{one_in, pick};
use common::engine::Engine;
use common::real::RealServer;
use evalsha::resp::Reply;
use evalsha::server::random::Random;

fn bytes(reply: &Reply) -> Vec<u8> {
    match reply {
        Reply::Bulk(bytes) => bytes.clone(),
        reply => panic!("no string: {reply:?}"),
    }
}

fn words<'a>(line: &'a str, last: &'a [u8]) -> Vec<&'a [u8]> {
    line.split(' ').map(str::as_bytes).chain([last]).collect()
}

/// The libraries, each by itself: their order is not the same.
fn libraries(reply: &Reply) -> Vec<String> {
    let Reply::Array(libraries) = reply else { panic!("no array: {reply:?}") };
    let mut all: Vec<_> = libraries.iter().map(|library| format!("{library:?}")).collect();
    all.sort();
    all
}

/// A library of one function behind a long comment, which is easy or hard to compress.
fn library(random: &mut Random, number: u64) -> Vec<u8> {
    let mut comment = Vec::new();
    for _ in 0..random.below(60) {
        if one_in(random, 2) {
            let text = *pick(random, &["abc", "x", "-- a comment", "\t\t\t\t", "\0\u{7f}"]);
            comment.extend(text.repeat(random.below(300) as usize).bytes());
        } else {
            comment.extend((0..random.below(70)).map(|_| random.below(256) as u8));
        }
    }
    comment.retain(|byte| !b"\n\r".contains(byte));
    let function = format!("redis.register_function('f{number}', function() return {number} end)");
    [format!("#!lua name=lib{number}\n-- ").as_bytes(), &comment, b"\n", function.as_bytes()]
        .concat()
}

#[test]
fn payloads_go_both_ways() {
    let Some(real) = RealServer::start() else { return };
    let mut real = real.connect();
    let mut random = Random::new(7);
    for round in 0..20 {
        let mut engine = Engine::new();
        real.call(&["FUNCTION", "FLUSH"]);
        let compression = if round % 2 == 0 { "yes" } else { "no" };
        real.call(&["CONFIG", "SET", "rdbcompression", compression]);
        for number in 0..=random.below(6) {
            let code = library(&mut random, number);
            let name = format!("lib{number}").into_bytes();
            assert_eq!(real.call(&words("FUNCTION LOAD", &code)), Reply::Bulk(name));
        }
        let listed = ["FUNCTION", "LIST", "WITHCODE"];
        let there = libraries(&real.call(&listed));

        let dumped = bytes(&real.call(&["FUNCTION", "DUMP"]));
        assert_eq!(engine.ask(&words("FUNCTION RESTORE", &dumped)), Reply::OK);
        assert_eq!(libraries(&engine.ask(&listed)), there);
        assert_eq!(engine.ask(&["FCALL", "f0", "0"]), Reply::Integer(0));

        if round % 2 == 1 {
            engine.ask(&["CONFIG", "SET", "rdbcompression", compression]);
        }
        let theirs = dumped;
        let dumped = bytes(&engine.ask(&["FUNCTION", "DUMP"]));
        // The order of several is another one.
        assert_eq!(dumped.len(), theirs.len());
        assert!(there.len() > 1 || dumped == theirs);
        real.call(&["FUNCTION", "FLUSH"]);
        assert_eq!(real.call(&words("FUNCTION RESTORE", &dumped)), Reply::OK);
        assert_eq!(libraries(&real.call(&listed)), there);
        assert_eq!(real.call(&["FCALL", "f0", "0"]), Reply::Integer(0));

        // What is broken is refused, wherever that is.
        for _ in 0..20 {
            let mut broken = dumped.clone();
            let at = random.below(broken.len() as u64) as usize;
            broken[at] ^= 1 << random.below(8);
            let refused = engine.ask(&words("FUNCTION RESTORE", &broken));
            assert_eq!(real.call(&words("FUNCTION RESTORE", &broken)), refused);
            assert!(matches!(refused, Reply::Error(_)));
        }
    }
}

/// The checksum holds and the data is false: nothing is read beyond its end, and no memory is taken on its word.
#[test]
fn false_payloads_are_refused() {
    let mut engine = Engine::new();
    let mut random = Random::new(3);
    let good = {
        let code = b"#!lua name=a\nredis.register_function('f', function() end)";
        assert_eq!(engine.ask(&words("FUNCTION LOAD", code)), Reply::bulk("a"));
        bytes(&engine.ask(&["FUNCTION", "DUMP"]))
    };
    for _ in 0..2000 {
        let mut data = good[..good.len() - 10].to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(data.len().min(12) as u64) as usize;
            data[at] = *pick(&mut random, &[0xc0, 0xc3, 0x80, 0x81, 0xf5, 0xf6, 0xff, 0, 1, 0x7f]);
        }
        data.truncate(1 + random.below(data.len() as u64) as usize);
        let payload = evalsha::rdb::seal(data);
        let mut words = words("FUNCTION RESTORE", &payload);
        words.push(b"FLUSH");
        match engine.ask(&words) {
            Reply::Error(_) => {}
            reply => assert_eq!(reply, Reply::OK, "{payload:?}"),
        }
    }
}

#[test]
fn a_body_may_take_some_time_but_not_for_ever() {
    #[track_caller]
    fn check(body: &str, expected: Result<&str, &str>) {
        let mut engine = Engine::new();
        let kept = "#!lua name=l\nredis.register_function('f', function() return 'kept' end)";
        engine.ask(&["FUNCTION", "LOAD", kept]);
        let code = format!(
            "#!lua name=l\nredis.register_function('f', function() return 'new' end);\n{body}"
        );
        let reply = engine.ask(&["FUNCTION", "LOAD", "REPLACE", &code]);
        let now = engine.ask(&["FCALL", "f", "0"]);
        match expected {
            Ok(found) => {
                assert_eq!((reply, now), (Reply::bulk("l"), Reply::bulk(found)), "{body}");
            }
            Err(error) => {
                let error = format!("ERR Error registering functions: ERR {error}");
                assert_eq!(reply, Reply::Error(error.into_bytes().into()), "{body}");
                assert_eq!(now, Reply::bulk("kept"), "{body}");
            }
        }
    }
    check("for i = 1, 500000 do end", Ok("new"));
    check("local t = {} for i = 1, 100000 do t[i] = i end", Ok("new"));
    let timeout = Err("FUNCTION LOAD timeout");
    check("while true do end", timeout);
    check("local function f() return f() end f()", timeout);
    check("for i = 1, 1e9 do local s = ('x'):rep(100) end", timeout);
    check("local t = {} for i = 1, 1e9 do t[1] = {} end", timeout);
    check("('x'):rep(1e5):gsub('', function() for i = 1, 1e9 do end end)", timeout);
    check("while true do ('x'):rep(1e6):find(('a*'):rep(9) .. 'b') end", timeout);
    check("local s = ('x'):rep(1e9)", Err("not enough memory"));
    check("local t, i = {}, 0 while true do i = i + 1 t[i] = ('x'):rep(1e6) end", {
        Err("not enough memory")
    });
}

/// Nobody waits for a long text in one piece, nobody is told that the server is busy, and Ctrl-C ends it.
#[test]
fn loading_pauses() {
    let text = "x = nil ".repeat(50_000);
    let library = format!("#!lua name=l\nredis.register_function('f', function() {text} end)");
    let busy_library =
        "#!lua name=l\nfor i = 1, 3000000 do end redis.register_function('f', print)";
    for words in [
        &["EVAL", &text, "0"][..],
        &["SCRIPT", "LOAD", &text],
        &["FUNCTION", "LOAD", &library],
        &["FUNCTION", "LOAD", busy_library],
    ] {
        let mut engine = Engine::new();
        let (client, other) = (engine.server.connect("a:1"), engine.server.connect("a:2"));
        let argv: Vec<_> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        engine.server.send(client, &argv);
        engine.server.send(other, &[b"PING".to_vec()]);
        let mut slices = 0;
        while engine.server.run(20_000) {
            assert_eq!(engine.server.take_reply(other), None);
            engine.clock.advance(std::time::Duration::from_secs(10));
            slices += 1;
        }
        assert!(slices > 10, "{}: {slices} slices", words[0]);
        assert_eq!(engine.server.take_reply(other), Some(Reply::status("PONG")));
        assert!(engine.server.take_reply(client).is_some());

        engine.server.send(client, &[b"SCRIPT".to_vec(), b"FLUSH".to_vec()]);
        engine.server.send(client, &[b"FUNCTION".to_vec(), b"FLUSH".to_vec()]);
        engine.server.send(client, &argv);
        while engine.server.take_reply(client).is_some() {}
        assert_eq!(engine.server.kill_script(client), Ok(()));
        while engine.server.run(20_000) {}
        let Some(Reply::Error(ref error)) = engine.server.take_reply(client) else {
            panic!("it goes on")
        };
        assert!(
            error.ends_with(b"Script killed by user with SCRIPT KILL..."),
            "{}",
            error.escape_ascii()
        );
    }
}
