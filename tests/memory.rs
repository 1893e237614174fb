//! Proves that no input takes more memory than there is: it is refused, and everything goes on.

mod common;

use common::engine::Engine;
use evalsha::resp::Reply;
use evalsha::server::memory::MemoryLimit;
use std::cell::Cell;

#[track_caller]
fn check_refused(reply: &Reply, expected: &str) {
    let Reply::Error(error) = reply else { panic!("it is not refused") };
    assert!(error.starts_with(expected.as_bytes()), "{}", error.escape_ascii());
}

/// Functions may keep as much as scripts leave, and no more.
#[test]
fn memory_is_for_both() {
    let mut engine = Engine::new();
    engine.server.limit_scripts(8 << 20);
    let code = "#!lua name=l\nlocal kept = {} redis.register_function('keep', function(keys, args) \
        for i = 1, args[1] do kept[#kept + 1] = ('x'):rep(1e6) .. i end return #kept end) \
        redis.register_function('drop', function() kept = {} return collectgarbage() end)";
    assert_eq!(engine.ask(&["FUNCTION", "LOAD", code]), Reply::bulk("l"));
    assert_eq!(engine.ask(&["FCALL", "keep", "0", "4"]), Reply::Integer(4));
    let big = "local t = {} for i = 1, 6 do t[i] = ('x'):rep(1e6) .. i end return #t";
    let refused = engine.ask(&["EVAL", big, "0"]);
    let Reply::Error(error) = &refused else { panic!("functions have left too little") };
    assert!(error.starts_with(b"ERR not enough memory"), "{}", error.escape_ascii());
    assert_eq!(engine.ask(&["FCALL", "drop", "0"]), Reply::Integer(0));
    assert_eq!(engine.ask(&["EVAL", big, "0"]), Reply::Integer(6));
}

thread_local! {
    /// Bytes that are in use, as the engine is told.
    static USED: Cell<usize> = const { Cell::new(0) };
    /// What comes to it with each look.
    static GROWTH: Cell<usize> = const { Cell::new(0) };
}

fn used() -> usize {
    USED.replace(USED.get() + GROWTH.get())
}

const FULL: &str = "OOM command not allowed when used memory > 'maxmemory'.";

/// What takes memory is refused where there is none left, whatever maxmemory says and whatever a script declares; what
/// takes none is not, and what gives some back.
#[test]
fn a_full_server_goes_on() {
    let mut engine = Engine::new();
    engine.server.limit_memory(MemoryLimit { bytes: 1000, used });
    let client = engine.server.connect("");
    let mut send = |line: &str| {
        let argv: Vec<_> =
            line.split(' ').map(|word| word.replace('_', " ").into_bytes()).collect();
        engine.server.send(client, &argv);
        while engine.server.run(100_000) {}
        engine.server.take_reply(client).expect("there is a reply")
    };
    for line in ["SET k v", "MULTI", "SET a 1"] {
        send(line);
    }
    USED.set(1001);
    check_refused(&send("PING queued"), FULL);
    check_refused(&send("EXEC"), "EXECABORT ");
    check_refused(&send("SET k w"), FULL);
    check_refused(&send("EVAL return_redis.call('SET','k','w') 0"), FULL);
    let brave = "EVAL #!lua_flags=allow-oom\nreturn_redis.call('SET','k','w') 0";
    check_refused(&send(brave), FULL);
    assert_eq!(send("EVAL return_redis.call('GET','k') 0"), Reply::bulk("v"));
    // A transaction that begins in time may fill the rest.
    USED.set(0);
    for line in ["MULTI", "APPEND k w", "APPEND k x", "GET k"] {
        send(line);
    }
    USED.set(900);
    GROWTH.set(60);
    let Reply::Array(replies) = &send("EXEC") else { panic!("it is refused") };
    assert_eq!(replies[0], Reply::Integer(2));
    check_refused(&replies[1], FULL);
    check_refused(&replies[2], FULL);
    assert_eq!(send("GET k"), Reply::bulk("vw"));
    // A restart changes nothing about it.
    engine.server.restart(Box::new(engine.clock.clone()));
    check_refused(&engine.ask(&["SET", "k", "v"]), FULL);
    USED.set(0);
    assert_eq!(engine.ask(&["SET", "k", "v"]), Reply::OK);
}

/// Where the memory is known a string ends at an eighth of it, by whatever command it grows, and nothing is left of what was
/// refused; elsewhere it ends where Redis's do.
#[test]
fn a_string_ends_where_the_memory_says() {
    let mut engine = Engine::with(&[("enable-debug-command".to_owned(), "yes".to_owned())]);
    engine.server.limit_memory(MemoryLimit { bytes: 8000, used });
    USED.set(0);
    GROWTH.set(0);
    assert_eq!(engine.ask(&["SETRANGE", "k", "999", "x"]), Reply::Integer(1000));
    assert_eq!(engine.ask(&["SETBIT", "bits", "7999", "1"]), Reply::Integer(0));
    let integer = Reply::Array(vec![Reply::Integer(0)]);
    assert_eq!(engine.ask(&["BITFIELD", "bits", "SET", "u8", "7991", "0"]), integer);
    for refused in [
        ["APPEND", "k", "x"].as_slice(),
        &["SETRANGE", "k", "1000", "x"],
        &["SETRANGE", "new", "1000", "x"],
        &["SETRANGE", "new", "536870911", "x"],
        &["SETBIT", "new", "8000", "1"],
        &["SETBIT", "new", "4294967295", "1"],
        &["BITFIELD", "bits", "SET", "u8", "7993", "1"],
        &["BITFIELD", "new", "INCRBY", "u8", "4294967290", "1"],
        &["DEBUG", "POPULATE", "1", "new", "1001"],
        &["EVAL", "return redis.call('APPEND', 'k', 'x')", "0"],
    ] {
        check_refused(&engine.ask(refused), FULL);
    }
    let error = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    check_refused(&engine.ask(&["SETRANGE", "k", "536870912", "x"]), error);
    check_refused(&engine.ask(&["SETBIT", "k", "4294967296", "1"]), "ERR bit offset");
    // A short payload may stand for a longer one.
    let mut other = Engine::new();
    for (last, is_taken) in [("999", true), ("1000", false)] {
        other.ask(&["SETRANGE", "k", last, "x"]);
        let Reply::Bulk(ref payload) = other.ask(&["DUMP", "k"]) else { panic!("there is none") };
        assert!(payload.len() < 100);
        let argv = [b"RESTORE".as_slice(), b"restored", b"0", payload, b"REPLACE"];
        let client = engine.server.connect("");
        engine.server.send(client, &argv.map(<[u8]>::to_vec));
        let reply = engine.server.take_reply(client).expect("there is a reply");
        if is_taken {
            assert_eq!(reply, Reply::OK);
        } else {
            check_refused(&reply, "ERR Bad data format");
        }
    }
    assert_eq!(engine.ask(&["DEL", "restored"]), Reply::Integer(1));
    assert_eq!(engine.ask(&["STRLEN", "k"]), Reply::Integer(1000));
    assert_eq!(engine.ask(&["DBSIZE"]), Reply::Integer(2));

    let mut engine = Engine::new();
    check_refused(&engine.ask(&["SETRANGE", "k", "536870912", "x"]), error);
    assert_eq!(engine.ask(&["SETBIT", "k", "4294967295", "1"]), Reply::Integer(0));
    assert_eq!(engine.ask(&["STRLEN", "k"]), Reply::Integer(512 << 20));
    engine.ask(&["CONFIG", "SET", "proto-max-bulk-len", "9223372036854775807"]);
    // More than any system has.
    check_refused(&engine.ask(&["SETRANGE", "new", "9223372036854775806", "x"]), FULL);
    check_refused(&engine.ask(&["SETBIT", "new", "9223372036854775807", "x"]), "ERR bit is not");
    check_refused(&engine.ask(&["SETBIT", "new", "9223372036854775807", "1"]), FULL);
    assert_eq!(engine.ask(&["DBSIZE"]), Reply::Integer(1));
}

/// A table that holds a long string many times is no more than that string; copies of it would be.
#[test]
fn one_string_is_not_copied_without_end() {
    let mut engine = Engine::new();
    let script = "local s, t = ('x'):rep(1e7), {} for i = 1, 1000 do t[i] = s end ";
    let reply = engine.ask(&["EVAL", &format!("{script} return t"), "0"]);
    check_refused(&reply, "ERR the script's reply is too large");
    let call = format!("{script} return redis.call('RPUSH', 'l', unpack(t))");
    check_refused(&engine.ask(&["EVAL", &call, "0"]), FULL);
    assert_eq!(engine.ask(&["EXISTS", "l"]), Reply::Integer(0));
}

/// Nobody reads so much, and JavaScript's strings end somewhere.
#[test]
fn a_reply_without_end_is_not_printed_to_the_end() {
    let long = || Reply::Bulk(vec![b'x'; 65 << 20]);
    let text = evalsha::cli::print::print(Reply::Array(vec![Reply::Integer(1), long(), long()]));
    assert!(text.len() < 66 << 20);
    assert!(text.ends_with(b"x\"...\n(the rest of this reply is too long to be printed)\n"));
}

/// A command that names the same value many times, or asks for many values, is refused where its reply would not fit.
#[test]
fn one_value_is_not_answered_without_end() {
    let mut engine = Engine::new();
    let fill = "local s = ('x'):rep(3e7) redis.call('SET', 'big', s) redis.call('HSET', 'h', 'f', s) \
        redis.call('SADD', 's', s) redis.call('ZADD', 'z', 1, s) redis.call('RPUSH', 'l', 'g', 'g', 'g', 'g', 'g')";
    assert_eq!(engine.ask(&["EVAL", fill, "0"]), Reply::Null);
    let refused = [
        [&["MGET"][..], &["big"; 20]].concat(),
        [&["HMGET", "h"][..], &["f"; 20]].concat(),
        vec!["HRANDFIELD", "h", "-20", "WITHVALUES"],
        vec!["SRANDMEMBER", "s", "-20"],
        vec!["ZRANDMEMBER", "z", "-20"],
        [&["SORT", "l", "ALPHA"][..], &["GET", "bi*"].repeat(4)].concat(),
        [&["SORT", "l", "ALPHA", "STORE", "to"][..], &["GET", "bi*"].repeat(4)].concat(),
    ];
    for words in refused {
        let reply = engine.ask(&words);
        assert!(matches!(reply, Reply::Error(_)), "{words:?}");
        check_refused(&reply, FULL);
    }
    assert_eq!(engine.ask(&["EXISTS", "to"]), Reply::Integer(0));
}

/// Whoever does not read what others publish is let go before there is no memory.
#[test]
fn an_unread_subscriber_is_let_go() {
    let mut engine = Engine::new();
    engine.server.limit_memory(MemoryLimit { bytes: 1000, used });
    let subscriber = engine.server.connect("");
    engine.server.send(subscriber, &[b"SUBSCRIBE".to_vec(), b"c".to_vec()]);
    USED.set(1001);
    let few = "for i = 1, 10 do redis.call('PUBLISH', 'c', i) end";
    engine.ask(&["EVAL", few, "0"]);
    assert!(engine.server.client(subscriber).is_some());
    assert_eq!(std::iter::from_fn(|| engine.server.take_reply(subscriber)).count(), 11);
    let many = "local n for i = 1, 100 do n = redis.call('PUBLISH', 'c', i) end return n";
    assert_eq!(engine.ask(&["EVAL", many, "0"]), Reply::Integer(0));
    assert!(engine.server.client(subscriber).is_none());
}
