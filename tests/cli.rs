//! Proves that our terminal's manners are those of the real redis-cli.

mod common;

use common::engine::Engine;
use common::real::RealServer;
use common::redis_cli::{self, Terminal};
use common::socket::RealPlayer;
use common::transcript::{Compare, Player, Step, Transcript, all};
use evalsha::cli::help::{help, params};
use evalsha::cli::hint::{complete, hint};
use evalsha::cli::session::{Session, State};
use evalsha::command::syntax::Argument;
use evalsha::resp::Reply;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// A transcript that one redis-cli can replay, and the lines typed in it.
fn replayable(path: &Path) -> Option<(Transcript, Vec<u8>)> {
    let transcript = Transcript::read(path);
    let simple = |step: &Step| {
        step.terminal == 1
            && step.compare == Compare::Exact
            && step.shows_all()
            && step.wait.is_none()
            && !step.blocks
            && step.typed.is_some()
    };
    // The others need a server that is started otherwise.
    if !transcript.config.is_empty() || !transcript.steps().all(simple) {
        return None;
    }
    let mut lines = Vec::new();
    for step in transcript.steps() {
        lines.extend_from_slice(step.typed.as_deref()?);
        lines.push(b'\n');
    }
    Some((transcript, lines))
}

#[test]
fn redis_cli_prints_the_transcripts() {
    let mut compared = 0;
    for (name, path) in all("transcripts") {
        let Some((transcript, lines)) = replayable(&path) else { continue };
        let expected = transcript.steps().map(|step| step.expected.as_slice()).collect::<Vec<_>>();
        let expected = expected.concat();
        // What redis-cli says about its connection goes to another stream.
        if contains(&expected, b"Error: ") || contains(&lines, b"connect ") {
            continue;
        }
        // The redis-cli of 7.0 ends at a big number; ours goes on.
        if contains(&lines, b"big_number") {
            continue;
        }
        // There it becomes a replica, which ours does not.
        if contains(&lines, b"\nSYNC") || contains(&lines, b"\nPSYNC") {
            continue;
        }
        // It ends there, and our player starts another one.
        if contains(&lines, b"\nQUIT") {
            continue;
        }
        let Some(server) = RealServer::start() else { return };
        let printed = without_delays(&redis_cli::through_pipe(&server, &lines));
        assert_text(&name, &without_colours(&printed), &without_colours(&expected));
        compared += 1;
    }
    assert!(compared > 3, "only {compared} transcripts could be compared");
}

#[test]
fn prompts_are_those_of_redis_cli() {
    let mut compared = 0;
    for (name, path) in all("transcripts/cli").into_iter().chain(all("transcripts/tutorial")) {
        let Some((transcript, lines)) = replayable(&path) else { continue };
        // A terminal's line holds 4096 bytes, and its whole buffer not many more.
        if lines.len() > 3500 || contains(&lines, b"connect ") {
            continue;
        }
        let Some(server) = RealServer::start_on_tcp() else { return };
        let Some(mut player) = RealPlayer::start() else { return };
        let mut expected = Vec::new();
        for step in transcript.steps() {
            let line = step.typed.as_deref().unwrap_or_default();
            expected.extend_from_slice(&player.prompt(1).unwrap_or_default());
            expected.push(b' ');
            expected.extend_from_slice(&player.type_line(1, line, false));
        }
        if !lines.ends_with(b"\nexit\n") {
            expected.extend_from_slice(&player.prompt(1).unwrap_or_default());
            expected.push(b' ');
        }
        let printed = redis_cli::on_a_simple_terminal(&server, &lines);
        assert_text(&name, &without_colours(&printed), &without_colours(&expected));
        compared += 1;
    }
    assert!(compared > 3, "only {compared} transcripts could be compared");
}

/// Every name that our table has: `GET`, `CLIENT LIST`.
fn names() -> BTreeSet<Vec<u8>> {
    complete(b"").into_iter().collect()
}

#[test]
fn help_is_that_of_redis_cli() {
    let Some(server) = RealServer::start() else { return };
    let ask = |topic: &str| {
        let line = format!("help {topic}\n");
        without_colours(&redis_cli::through_pipe(&server, line.as_bytes()))
    };
    let ours = |topic: &str| {
        let words: Vec<Vec<u8>> = topic.split_ascii_whitespace().map(Vec::from).collect();
        help(&words)
    };
    for topic in ["", "nothing", "get set x", "@", "@nothing", "gE", "cLIENT lIST", "client list x"]
    {
        assert_text(topic, &ours(topic), &ask(topic));
    }
    // All names in one session: an answer begins where the one before has ended.
    let lines: Vec<Vec<u8>> =
        names().into_iter().map(|name| [b"HELP ", &name[..], b"\n"].concat()).collect();
    let all = without_colours(&redis_cli::through_pipe(&server, &lines.concat()));
    let names = names();
    let of_ours: Vec<Vec<u8>> =
        names.iter().map(|name| ours(&String::from_utf8_lossy(name))).collect();
    let every_name: BTreeSet<Vec<u8>> =
        documents(&server).into_iter().map(|(name, _)| name.into_bytes()).collect();
    let blocks = |text: &[u8]| -> Vec<Vec<u8>> {
        let parts = redis_cli::split(text, b"\n\n").into_iter().map(<[u8]>::trim_ascii);
        let known = |part: &&[u8]| names.contains(&block_name(part, &every_name));
        parts.filter(known).map(<[u8]>::to_vec).collect()
    };
    assert_eq_texts("help of each command", &blocks(&of_ours.concat()), &blocks(&all));
    for group in complete(b"help @") {
        let topic = String::from_utf8_lossy(&group[5..]).into_owned();
        assert_eq_texts(&topic, &blocks(&ours(&topic)), &blocks(&ask(&topic)));
        let ours = ours(&topic);
        assert!(ours.starts_with(b"\n  ") && ours.ends_with(b"\n\n"), "{}", ours.escape_ascii());
    }
}

/// The name in the first line of a command's help: the most of its words that are a name.
fn block_name(block: &[u8], names: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let line = block.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let ends = line.iter().enumerate().filter(|(_, byte)| **byte == b' ').map(|(at, _)| at);
    let found: Vec<Vec<u8>> = ends.chain([line.len()]).map(|end| line[..end].to_vec()).collect();
    found.into_iter().rfind(|name| names.contains(name)).unwrap_or_default()
}

/// Every command and subcommand of the real server, `CLIENT LIST`, with its COMMAND DOCS.
fn documents(server: &RealServer) -> Vec<(String, Reply)> {
    let mut found = Vec::new();
    let mut left = vec![server.connect().call(&["COMMAND", "DOCS"])];
    while let Some(reply) = left.pop() {
        let Reply::Array(documents) = &reply else { panic!("a list of documents") };
        for pair in documents.chunks_exact(2) {
            let [Reply::Bulk(name), document] = pair else { panic!("a name and its document") };
            let name = String::from_utf8_lossy(name).to_uppercase().replace('|', " ");
            left.extend(field(document, "subcommands").cloned());
            found.push((name, document.clone()));
        }
    }
    found
}

/// The notation of arguments, for each command that the real server has.
#[test]
fn arguments_are_written_as_redis_cli_does() {
    let Some(server) = RealServer::start() else { return };
    let mut lines = Vec::new();
    let mut expected = Vec::new();
    for (name, document) in documents(&server) {
        lines.extend_from_slice(format!("help {name}\n").as_bytes());
        let arguments = field(&document, "arguments").map(arguments_of).unwrap_or_default();
        expected.push(format!("  {name} {}", params(&arguments)));
    }
    let printed = without_colours(&redis_cli::through_pipe(&server, &lines));
    let printed: BTreeSet<&[u8]> = printed.split(|&byte| byte == b'\n').collect();
    let missing: Vec<&String> =
        expected.iter().filter(|line| !printed.contains(line.as_bytes())).collect();
    assert!(missing.is_empty(), "redis-cli does not print {missing:#?}");
    assert!(expected.len() > 300);
}

fn field<'a>(doc: &'a Reply, name: &str) -> Option<&'a Reply> {
    let Reply::Array(fields) = doc else { return None };
    let mut pairs = fields.chunks_exact(2);
    pairs.find(|pair| pair[0] == Reply::bulk(name)).map(|pair| &pair[1])
}

fn arguments_of(reply: &Reply) -> Vec<Argument> {
    let Reply::Array(arguments) = reply else { return Vec::new() };
    let text = |argument, name| match field(argument, name) {
        Some(Reply::Bulk(text)) => {
            Some(&*Box::leak(String::from_utf8_lossy(text).into_owned().into_boxed_str()))
        }
        _ => None,
    };
    arguments
        .iter()
        .map(|argument| {
            let flags = match field(argument, "flags") {
                Some(Reply::Array(flags)) => flags.clone(),
                _ => Vec::new(),
            };
            let has = |flag: &str| flags.contains(&Reply::status(Box::leak(flag.into())));
            Argument {
                name: text(argument, "name").unwrap_or_default().into(),
                kind: text(argument, "type").unwrap_or_default(),
                token: text(argument, "token"),
                optional: has("optional"),
                multiple: has("multiple"),
                multiple_token: has("multiple_token"),
                arguments: field(argument, "arguments").map(arguments_of).unwrap_or_default(),
                ..Argument::default()
            }
        })
        .collect()
}

/// Typed key by key, so that each beginning of a line is compared as well.
const HINTED: &[&str] = &[
    "get a b",
    "SET a b nx ex 10 ",
    "mset a b c d ",
    "client list type normal ",
    "client kill x y ",
    "client \"list\" ",
    "client  'no-evict'  on ",
    "config get a b ",
    "config set a b c ",
    "eval \"return 1\" 1 k v ",
    "eval 'return",
    "script load x y ",
    "expire k 1 nx ",
    "copy a b db ",
    "ping a b ",
    "hello 3 auth a b ",
    " get  a ",
    "g\"et\" a ",
    "command docs get set ",
    "flushall async ",
    "hset k f v f v ",
    "hrandfield k 1 ",
    "2 get a",
    "help get ",
    "nothing at all ",
];

#[test]
fn hints_are_those_of_redis_cli() {
    let Some(server) = RealServer::start_on_tcp() else { return };
    let mut terminal = Terminal::open(&server, "xterm");
    let mut compared = 0;
    for line in HINTED {
        // A command that our table does not have has no hint there.
        let first = line.split_ascii_whitespace().next().unwrap_or_default().to_uppercase();
        if server.connect().call(&["COMMAND", "INFO", &first])
            != Reply::Array(vec![Reply::NullArray])
            && !names().contains(first.as_bytes())
        {
            continue;
        }
        for (drawn, real) in terminal.draw(line.as_bytes()) {
            assert_text(&format!("hint of {line:?}"), hint(&drawn).as_bytes(), &real);
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared} hints could be compared");
}

const COMPLETED: &[&str] = &[
    "p",
    "PI",
    "ping ",
    "client",
    "client ",
    "client l",
    "client list ",
    "CONFIG G",
    "s",
    "scr",
    "help g",
    "HELP c",
    "help @",
    "help @s",
    "help  cl",
    "help client ",
    "help client l",
    "help",
    "xx",
    "\"pi",
    "2 p",
    " p",
    "e",
    "fl",
    "h",
    "ob",
];

#[test]
fn completions_are_those_of_redis_cli() {
    let Some(server) = RealServer::start_on_tcp() else { return };
    let mut terminal = Terminal::open(&server, "xterm");
    let names = names();
    let groups = complete(b"help @");
    let mut compared = 0;
    for line in COMPLETED {
        let drawn = terminal.draw(&[line.as_bytes(), &[b'\t'; 300]].concat());
        // First each key that was typed, then the offers in turn, and then the line again.
        let offers = drawn.into_iter().map(|(drawn, _)| drawn).skip(line.len());
        let offers = offers.take_while(|drawn| drawn != line.as_bytes());
        let known = |offer: &Vec<u8>| {
            let behind = offer.trim_ascii_start();
            let topic = match behind.get(..5) {
                Some(start) if start.eq_ignore_ascii_case(b"help ") => {
                    behind[5..].trim_ascii_start()
                }
                _ => behind,
            };
            names.contains(topic) || groups.contains(&[b"help ", topic].concat())
        };
        let offers: Vec<Vec<u8>> = offers.filter(known).collect();
        assert_eq_texts(line, &complete(line.as_bytes()), &offers);
        compared += offers.len();
    }
    assert!(compared > 30, "only {compared} completions could be compared");
}

/// Lines that nobody types, each with an answer that is short or as long as itself.
fn bad_lines() -> Vec<(&'static str, Vec<u8>)> {
    let long = |start: &[u8], byte: u8, length: usize, end: &[u8]| {
        let mut line = start.to_vec();
        line.resize(line.len() + length, byte);
        line.extend_from_slice(end);
        line
    };
    let comment = b"EVAL 'return 1 --".as_slice();
    let mut tables = b"EVAL 'return ".to_vec();
    tables.extend([b'{'; 150]);
    tables.extend([b'}'; 150]);
    tables.extend(b"' 0");
    vec![
        ("10 MB in quotes", long(b"ECHO \"", b'a', 10 << 20, b"\"")),
        ("10 MB without quotes", long(b"ECHO ", b'\\', 10 << 20, b"")),
        ("10 MB in an open quote", long(b"ECHO \"", b' ', 10 << 20, b"")),
        ("10 MB of spaces", long(b"PING", b' ', 10 << 20, b"x")),
        ("an unknown command of 10 MB", long(b"", b'x', 10 << 20, b"")),
        ("a million arguments", b"a ".repeat(1_000_000)),
        ("a number of 1 MB", long(b"", b'9', 1 << 20, b" PING")),
        ("a script of 1 MB", long(comment, b'x', 1 << 20, b"' 0")),
        ("a script of 1 MB that is wrong", long(b"EVAL 'return ", b'(', 1 << 20, b"' 0")),
        ("nested tables", tables),
        ("bytes that are no UTF-8", b"ECHO \xff\xfe\xc3\x28\x80".to_vec()),
        ("bytes that are no UTF-8 in a name", b"NO\xff \xfe".to_vec()),
        ("control characters", b"ECHO \x01\x02\x1b[2J\x7f\x0b\x0c".to_vec()),
        ("a NUL byte", b"ECHO a\0b".to_vec()),
        ("a NUL byte in quotes", b"ECHO \"a\0b\"".to_vec()),
        ("only a NUL byte", b"\0".to_vec()),
    ]
}

#[test]
fn bad_input_is_answered_as_by_redis_cli() {
    let mut engine = Engine::new();
    let mut failures = String::new();
    for (name, line) in bad_lines() {
        let Some(server) = RealServer::start() else { return };
        let printed = redis_cli::through_pipe(&server, &[&line[..], b"\nPING\n"].concat());
        let printed = without_time(&printed);
        let mut ours = engine.type_line(1, &line, false);
        ours.extend_from_slice(&engine.type_line(1, b"PING", false));
        if ours != printed {
            failures += &[name, ": ", &start(&ours, &printed), "\n"].concat();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// A text without the lines like `(1.23s)` that redis-cli prints behind slow replies, and ours does not.
fn without_time(text: &[u8]) -> Vec<u8> {
    let is_time = |line: &&[u8]| {
        let number = line.strip_prefix(b"(").and_then(|line| line.strip_suffix(b"s)\n"));
        number
            .is_some_and(|number| number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'))
    };
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    lines.filter(|line| !is_time(line)).collect::<Vec<_>>().concat()
}

/// The beginnings and ends of two long texts.
fn start(left: &[u8], right: &[u8]) -> String {
    let cut = |text: &[u8]| {
        let head = text[..text.len().min(200)].escape_ascii();
        let tail = text[text.len().saturating_sub(100)..].escape_ascii();
        format!("{} bytes {head} ... {tail}", text.len())
    };
    format!("{}\nand redis-cli: {}", cut(left), cut(right))
}

/// What a page relies on while a script runs: lines wait their turn, and Ctrl-C ends it.
#[test]
fn a_session_waits_and_can_be_interrupted() {
    let mut engine = Engine::new();
    let server = &mut engine.server;
    let mut session = Session::open(server);
    let output = session.send(server, b"EVAL 'while true do end' 0");
    assert_eq!((output.text.as_slice(), output.state), (&b""[..], State::Waiting));
    let output = session.send(server, b"PING");
    assert_eq!((output.text.as_slice(), output.state), (&b""[..], State::Waiting));
    server.run(1000);
    assert_eq!(session.take(server), None);
    // The line that was typed ahead is dropped.
    let mut output = session.interrupt(server);
    while output.state == State::Waiting {
        server.run(1000);
        output = session.take(server).unwrap_or(output);
    }
    let text = String::from_utf8_lossy(&output.text).into_owned();
    assert!(text.starts_with("(error) ERR ") && text.lines().count() == 1, "{text}");
    assert!(!output.ok && session.take(server).is_none());
    // Typed ahead of a script that ends, a line is served after it.
    session.send(server, b"EVAL 'for i = 1, 1e7 do end return 1' 0");
    let mut text = session.send(server, b"PING").text;
    while session.state() == State::Waiting {
        server.run(100_000);
        text.extend(session.take(server).map(|output| output.text).unwrap_or_default());
    }
    assert_eq!(String::from_utf8_lossy(&text), "(integer) 1\nPONG\n");
    // A slow command is followed by the time it took, however often it is repeated.
    for (line, replies) in [
        (&b"EVAL 'for i = 1, 1e7 do end return 1' 0"[..], 1),
        (b"2 EVAL 'for i = 1, 1e7 do end return 1' 0", 2),
    ] {
        let mut text = session.send(server, line).text;
        engine.clock.advance(Duration::from_millis(1234));
        while session.state() == State::Waiting {
            server.run(1_000);
            text.extend(session.take(server).map(|output| output.text).unwrap_or_default());
        }
        let expected = "(integer) 1\n".repeat(replies) + "(1.23s)\n";
        assert_eq!(String::from_utf8_lossy(&text), expected);
    }
    // So many repetitions come in pieces, and can be interrupted too.
    let output = session.send(server, b"1000000000 PING");
    assert!(output.text.starts_with(b"PONG\n") && output.state == State::Waiting);
    let output = session.interrupt(server);
    assert_eq!(output.state, State::Ready);
    assert_eq!(session.send(server, b"exit").state, State::Closed);
}

/// Ctrl-C ends the reading of messages, and so does an error. What is left of the repetitions is done like any other
/// command, but MONITOR has none.
#[test]
fn reading_ends_as_in_redis_cli() {
    for (line, seen) in [
        ("SUBSCRIBE c", "3) (integer) 1"),
        ("2 SUBSCRIBE c", "3) (integer) 1"),
        ("3 PSUBSCRIBE c", "3) (integer) 1"),
        ("2 MONITOR", "OK"),
    ] {
        let Some(real) = RealServer::start_on_tcp() else { return };
        let printed = redis_cli::interrupted(&real, line.as_bytes(), seen.as_bytes());
        let mut engine = Engine::new();
        let mut session = Session::open(&mut engine.server);
        let mut text = session.send(&mut engine.server, line.as_bytes()).text;
        text.extend(session.interrupt(&mut engine.server).text);
        assert_eq!(session.state(), State::Ready, "{line}");
        assert_text(line, &text, &without_delays(&printed));
    }
    let Some(real) = RealServer::start() else { return };
    for line in ["2 SUBSCRIBE", "2 MONITOR x"] {
        let printed = redis_cli::through_pipe(&real, &[line.as_bytes(), b"\n"].concat());
        assert_text(line, &Engine::new().type_line(1, line.as_bytes(), false), &printed);
    }
}

/// A long reply leaves the page's thread free while it is made and printed, and is shown as a whole.
#[test]
fn a_long_reply_comes_in_pieces() {
    let mut engine = Engine::new();
    let server = &mut engine.server;
    let mut session = Session::open(server);
    let line = b"EVAL \"local t = {} for i = 1, 50000 do t[i] = 'element' end return t\" 0";
    let mut output = session.send(server, line);
    while server.run(1_000_000) {}
    let mut takes = 1;
    while output.state == State::Waiting {
        assert!(output.text.is_empty() && session.is_pending(server));
        output = session.take(server).unwrap_or(output);
        takes += 1;
    }
    assert!(takes > 3, "{takes} portions");
    let lines = (1..=50_000).map(|number| format!("{number:>5}) \"element\"\n"));
    assert_eq!(output.text, lines.collect::<String>().as_bytes());
}

/// A command's long reply becomes a script's table in slices, the same table as in one go.
#[test]
fn a_long_reply_is_converted_in_slices() {
    for (script, expected) in [
        (
            "local list = redis.call('HGETALL', 'h') return #list - list[39999] - list[40000]",
            40_000,
        ),
        (
            "redis.setresp(3) local map, sum = redis.call('HGETALL', 'h').map, 0 \
          for key, value in pairs(map) do sum = sum + key - 2 * value end return sum",
            600_030_000,
        ),
        (
            "redis.setresp(3) local set, sum = redis.pcall('SMEMBERS', 's').set, 0 \
          for key in pairs(set) do sum = sum + key end return sum",
            200_010_000,
        ),
    ] {
        for slice in [1_000, 1 << 40] {
            let mut engine = Engine::new();
            let client = engine.server.connect("");
            let mut eval = |script: &str| {
                let argv = [b"EVAL".to_vec(), script.as_bytes().to_vec(), b"0".to_vec()];
                engine.server.send(client, &argv);
                let slices = std::iter::from_fn(|| engine.server.run(slice).then_some(())).count();
                (engine.server.take_reply(client), slices)
            };
            eval(
                "for i = 1, 20000 do redis.call('HSET', 'h', i, -i) redis.call('SADD', 's', i) end",
            );
            let (reply, slices) = eval(script);
            assert_eq!(reply, Some(Reply::Integer(expected)), "{script}");
            assert_eq!(slices > 20, slice == 1_000, "{script}: {slices} slices");
        }
    }
}

/// A script's long result becomes a reply in slices, the same reply as in one go. Other clients wait that long.
#[test]
fn a_long_result_is_converted_in_slices() {
    let script = "local t, map, set = {}, {}, {} \
        for i = 1, 20000 do t[i] = {i, {ok = 'fine'}} map['k' .. i] = {map = {[{i}] = 'v'}} set[i] = true end \
        redis.setresp(3) return {t, {map = map}, {set = set}, {err = 'E last'}}";
    let mut replies = [1_000, 1 << 40].map(|slice| {
        let mut engine = Engine::new();
        let [client, other] = [(); 2].map(|()| engine.server.connect(""));
        let argv = |words: &[&str]| -> Vec<_> {
            words.iter().map(|word| word.as_bytes().to_vec()).collect()
        };
        engine.server.send(client, &argv(&["HELLO", "3"]));
        engine.server.send(client, &argv(&["EVAL", script, "0"]));
        engine.server.send(other, &argv(&["PING"]));
        let slices = std::iter::from_fn(|| engine.server.run(slice).then_some(())).count();
        engine.server.take_reply(client);
        let last = engine.server.take_reply(client);
        assert_eq!(engine.server.take_reply(other), Some(Reply::Status(b"PONG".into())));
        (slices, last)
    });
    assert!(replies[0].0 > replies[1].0 + 100, "{} and {}", replies[0].0, replies[1].0);
    assert_eq!(replies[0].1, replies[1].1);
    let Some(Reply::Array(items)) = &mut replies[0].1 else { panic!("it is an array") };
    let [Reply::Array(list), Reply::Map(map), Reply::Set(set), Reply::Error(_)] = &items[..] else {
        panic!("its items are what they say")
    };
    assert_eq!([list.len(), map.len(), set.len()], [20_000; 3]);
}

/// A harness that finds nothing wrong would prove nothing.
#[test]
fn transcripts_can_fail() {
    let replay = |text: &str| {
        Transcript::parse(Path::new("t"), text.as_bytes()).replay(&mut Engine::new(), true)
    };
    let passes = |text: &str| assert_eq!(replay(text), Ok(()));
    let fails = |text: &str, why: &str| {
        let complaint = replay(text).expect_err(text);
        assert!(complaint.contains(why), "{complaint}");
    };
    passes("# Comment.\n> PING\nPONG\n\n>\n> PING hi\n\"hi\"\n");
    fails("> PING\nPING\n", "~~~ expected\nPING\n~~~ printed\nPONG\n");
    fails("> PING\n", "printed\nPONG\n");
    fails("> PING\nPONG\n\\ no newline\n", "printed\nPONG\n");
    passes("> PING\n|PONG\n");
    passes("127.0.0.1:6379> SELECT 3\nOK\n127.0.0.1:6379[3]> PING\nPONG\n");
    fails(
        "127.0.0.1:6379> SELECT 3\nOK\n127.0.0.1:6379> PING\nPONG\n",
        "the prompt is 127.0.0.1:6379[3]>",
    );
    passes("#: known-failure why\n> PING\nPING\n> PING\nPONG\n");
    fails("#: known-failure why\n> PING\nPONG\n", "passes, though it is a known failure: why");
    passes("#: known-failure why\n\n> PING\nPING\n> PING\nPONG\n");
    fails("#: known-failure why\n\n> PING\nPONG\n", "passes, though it is a known failure: why");
    passes("#: any\n> PING\nPING\n");
    passes("#: about 3\n> ECHO 17.5a\n\"16a\"\n");
    fails("#: about 3\n> ECHO 17.5a\n\"14a\"\n", "expected");
    fails("#: about 3\n> ECHO 17.5a\n\"16b\"\n", "expected");
    passes(
        ">>> name\nreturn 1\nor 2\n<<<\n> ECHO $name\n\"return 1\\nor 2\"\n> ECHO $names\n\"$names\"\n",
    );
    passes(
        "2> CLIENT GETNAME\n(nil)\n> CLIENT SETNAME a\nOK\n2> CLIENT GETNAME\n(nil)\n> CLIENT GETNAME\n\"a\"\n",
    );
    let unordered =
        |text: &str| passes(&format!("#: unordered\n> COMMAND INFO ping nothing\n{text}"));
    assert!(std::panic::catch_unwind(|| unordered("1) (nil)\n")).is_err());
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// A text without the escape sequences that colour it, and the carriage returns that come with them.
/// Without the lines that say how long a slow command took: a machine may be busy.
fn without_delays(text: &[u8]) -> Vec<u8> {
    let is_delay = |line: &&[u8]| {
        let inner = line.strip_prefix(b"(").and_then(|line| line.strip_suffix(b"s)\n"));
        inner.is_some_and(|inner| inner.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'))
    };
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !is_delay(line)).collect::<Vec<_>>().concat()
}

fn without_colours(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut parts = redis_cli::split(text, b"\x1b[").into_iter();
    plain.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.iter().position(|&byte| byte == b'm').map_or(0, |at| at + 1);
        plain.extend_from_slice(&part[end..]);
    }
    plain.retain(|&byte| byte != b'\r');
    plain
}

#[track_caller]
fn assert_text(name: &str, left: &[u8], right: &[u8]) {
    let lines = |text: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(text).lines().map(str::to_owned).collect()
    };
    let (left_lines, right_lines) = (lines(left), lines(right));
    let same = left_lines.iter().zip(&right_lines).take_while(|(left, right)| left == right);
    let same = same.count();
    let from = |lines: &[String]| lines[same..lines.len().min(same + 4)].join("\n");
    assert!(
        left == right,
        "{name}: after {same} equal lines\n~~~ one\n{}\n~~~ the other\n{}\n~~~",
        from(&left_lines),
        from(&right_lines)
    );
}

#[track_caller]
fn assert_eq_texts(name: &str, left: &[Vec<u8>], right: &[Vec<u8>]) {
    for (left, right) in left.iter().zip(right) {
        assert_text(name, left, right);
    }
    let shown = |texts: &[Vec<u8>]| texts.join(&b'\n');
    assert_text(name, &shown(left), &shown(right));
}
