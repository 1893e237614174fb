//! Walks the command table against itself, and each of its rows against the real server's COMMAND INFO and DOCS.

mod common;

use common::engine::Engine;
use common::real::{Connection, RealServer};
use common::transcript::{self, Transcript};
use evalsha::command::syntax::{self, Argument};
use evalsha::command::{self, Begin, Command, Find, Run, flag};
use evalsha::resp::{Reply, Resp};
use std::collections::BTreeSet;

/// Every row with its full name, subcommands behind their container.
fn rows() -> Vec<(String, &'static Command)> {
    let mut rows = Vec::new();
    for command in command::all() {
        rows.push((command.name.to_owned(), command));
        for sub in command.subcommands() {
            rows.push((format!("{}|{}", command.name, sub.name), sub));
        }
    }
    rows
}

/// Calls our engine as a client that speaks RESP3.
fn ours(engine: &mut Engine, words: &[&str]) -> Reply {
    let client = engine.server.connect("127.0.0.1:1");
    engine.server.client_mut(client).expect("it has just connected").resp = Resp::V3;
    let argv: Vec<_> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    engine.server.send(client, &argv);
    let reply = engine.server.take_reply(client).expect("the command answers at once");
    engine.server.disconnect(client);
    reply
}

fn theirs() -> Option<(RealServer, Connection)> {
    let server = RealServer::start()?;
    let mut connection = server.connect();
    connection.call(&["HELLO", "3"]);
    Some((server, connection))
}

/// The reply with sets, maps and errors' order made fixed: the real server keeps subcommands in a hash table.
fn sorted(mut reply: Reply) -> Reply {
    match &mut reply {
        Reply::Array(items) => {
            let mut items: Vec<Reply> = items.drain(..).map(sorted).collect();
            let is_subcommand = |item: &Reply| match item {
                Reply::Array(parts) => parts.len() == 10,
                _ => false,
            };
            if items.iter().all(is_subcommand) {
                items.sort_by_key(|item| format!("{item:?}"));
            }
            Reply::Array(items)
        }
        Reply::Set(items) => {
            let mut items: Vec<Reply> = items.drain(..).map(sorted).collect();
            items.sort_by_key(|item| format!("{item:?}"));
            Reply::Set(items)
        }
        Reply::Map(pairs) => {
            let pairs = pairs.drain(..).map(|(key, value)| (key, sorted(value)));
            let mut pairs: Vec<_> = pairs.collect();
            pairs.sort_by_key(|(key, _)| format!("{key:?}"));
            Reply::Map(pairs)
        }
        _ => reply,
    }
}

/// One line for each part of a reply, so that the first that differs can be shown.
fn lines(reply: &Reply, depth: usize, out: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let mut all = |kind: &str, items: &mut dyn Iterator<Item = &Reply>| {
        out.push(format!("{indent}{kind}"));
        items.for_each(|item| lines(item, depth + 1, out));
    };
    match reply {
        Reply::Array(items) => all("array", &mut items.iter()),
        Reply::Set(items) => all("set", &mut items.iter()),
        Reply::Map(pairs) => all("map", &mut pairs.iter().flat_map(|(key, value)| [key, value])),
        Reply::Bulk(text) => out.push(format!("{indent}bulk {}", text.escape_ascii())),
        Reply::Status(text) => out.push(format!("{indent}status {}", text.escape_ascii())),
        Reply::Error(text) => out.push(format!("{indent}error {}", text.escape_ascii())),
        other => out.push(format!("{indent}{other:?}")),
    }
}

/// Both replies are the same; the first line that differs otherwise.
#[track_caller]
fn check(ours: Reply, theirs: Reply, what: &str) {
    let (mut our, mut their) = (Vec::new(), Vec::new());
    lines(&sorted(ours), 0, &mut our);
    lines(&sorted(theirs), 0, &mut their);
    for (our, their) in our.iter().zip(&their) {
        assert_eq!(our.trim(), their.trim(), "{what}: ours on the left");
    }
    assert_eq!(our.len(), their.len(), "{what}: ours {our:#?}");
}

#[test]
fn names_are_unique_and_in_lower_case() {
    let mut seen = BTreeSet::new();
    for (name, row) in rows() {
        assert!(seen.insert(name.clone()), "{name} is there twice");
        assert_eq!(row.name, row.name.to_ascii_lowercase());
        assert!(!row.name.is_empty() && row.name.is_ascii(), "{name}");
        assert!(
            !row.summary.is_empty() && !row.since.is_empty() && !row.group.is_empty(),
            "{name}"
        );
    }
}

#[test]
fn a_command_is_found_by_its_name_in_any_case() {
    for (name, row) in rows() {
        let argv: Vec<Vec<u8>> =
            name.to_uppercase().split('|').map(|word| word.as_bytes().to_vec()).collect();
        let found = command::resolve(&argv).unwrap_or_else(|_| panic!("{name} is not found"));
        assert!(std::ptr::eq(found.command, row), "{name}");
        assert_eq!(found.full_name(), name);
    }
}

/// Fewest and, if there is a limit, most words that an argument takes.
fn words(argument: &Argument) -> (usize, Option<usize>) {
    let inner = argument.arguments.iter().map(words);
    let (least, most) = match argument.kind {
        "oneof" => inner.fold((usize::MAX, Some(0)), |(least, most), (low, high)| {
            (least.min(low), most.zip(high).map(|(most, high)| most.max(high)))
        }),
        "block" => inner.fold((0, Some(0)), |(least, most), (low, high)| {
            (least + low, most.zip(high).map(|(most, high)| most + high))
        }),
        "pure-token" => (0, Some(0)),
        _ => (1, Some(1)),
    };
    let token = usize::from(argument.token.is_some());
    let least = if argument.optional { 0 } else { least + token };
    (least, if argument.multiple { None } else { most.map(|most| most + token) })
}

#[test]
fn the_arity_follows_from_the_syntax() {
    for (name, row) in rows() {
        // Redis documents no arguments of these, though they take some.
        let undocumented = ["command|getkeys", "command|getkeysandflags", "debug"];
        if undocumented.contains(&name.as_str()) || !row.subcommands().is_empty() {
            continue;
        }
        let own = if name.contains('|') { 2 } else { 1 };
        let (mut least, mut most) = (own, Some(own));
        for argument in syntax::parse(row.syntax) {
            let (low, high) = words(&argument);
            least += low;
            most = most.zip(high).map(|(most, high)| most + high);
        }
        if row.arity > 0 {
            assert_eq!((least, most), (row.arity as usize, Some(least)), "{name}");
        } else {
            // Some commands promise less than they demand (HELLO, QUIT), none demands less than its syntax.
            let arity = row.arity.unsigned_abs() as usize;
            let exceptions = ["config|get", "client|kill"];
            assert!(
                arity <= least || exceptions.contains(&name.as_str()),
                "{name}: {arity} {least}"
            );
            assert!(most.is_none_or(|most| most >= arity), "{name}");
        }
    }
}

#[test]
fn keys_lie_within_the_arity_and_the_syntax_names_them() {
    fn key_specs(arguments: &[Argument], found: &mut BTreeSet<i64>) {
        for argument in arguments {
            found.extend(argument.key_spec);
            key_specs(&argument.arguments, found);
        }
    }
    for (name, row) in rows() {
        // The channels of shards are found as keys are, and are none.
        if row.group == "pubsub" {
            continue;
        }
        for spec in row.keys {
            let Begin::Index(index) = spec.begin else { continue };
            let least = i64::from(row.arity.abs());
            // PFMERGE may have no keys but the first.
            let may_be_none = matches!(spec.find, Find::Range { last: -1, .. });
            let end = least + i64::from(may_be_none);
            assert!((1..end).contains(&index), "{name}: key at {index}");
            match spec.find {
                Find::Range { last, step, .. } => assert!(last < least && step > 0, "{name}"),
                Find::Count { at, step, .. } => assert!(index + at < least && step > 0, "{name}"),
                Find::Unknown => {}
            }
        }
        let mut named = BTreeSet::new();
        key_specs(&syntax::parse(row.syntax), &mut named);
        let specs: BTreeSet<i64> = (0..row.keys.len() as i64).collect();
        assert_eq!(named, specs, "{name}: the key specs that its syntax names");
    }
}

#[test]
fn a_command_writes_or_only_reads_or_touches_no_key() {
    for (name, row) in rows() {
        assert!(
            !(row.has(flag::WRITE) && row.has(flag::READONLY)),
            "{name} both writes and only reads"
        );
        // Scripts declare keys and are neither; WATCH and the channels of shards look at no value.
        let values = !matches!(row.group, "transactions" | "pubsub");
        if values && !row.keys.is_empty() && !row.has(flag::NO_MANDATORY_KEYS) {
            assert!(row.has(flag::WRITE | flag::READONLY), "{name} has keys and neither flag");
        }
        if row.has(flag::DENYOOM) {
            assert!(row.has(flag::WRITE), "{name} may need memory and does not write");
        }
    }
}

/// An argument in the notation of the syntax.
fn notation(argument: &Argument) -> String {
    let quoted = |word: &str| {
        let plain = !word.is_empty() && !word.contains(|c: char| " |(){}=/:?*+@#".contains(c));
        if plain { word.to_owned() } else { format!("\"{word}\"") }
    };
    let inner = |separator: &str| {
        argument.arguments.iter().map(notation).collect::<Vec<_>>().join(separator)
    };
    let token = argument.token.map(quoted);
    let mut text = match argument.kind {
        "pure-token" => {
            let token = token.expect("a pure token has one");
            let same = argument.token.is_some_and(|token| token.to_lowercase() == argument.name);
            if same { token } else { format!("{token}/{}", quoted(&argument.name)) }
        }
        kind => {
            let body = match kind {
                "oneof" => format!("({})", inner("|")),
                "block" => format!("{{{}}}", inner(" ")),
                kind => format!(":{kind}"),
            };
            let name = quoted(&argument.name);
            token.map_or(String::new(), |token| token + "=") + &name + &body
        }
    };
    if let Some(spec) = argument.key_spec {
        text += &format!("#{spec}");
    }
    for (yes, mark) in
        [(argument.optional, "?"), (argument.multiple, "*"), (argument.multiple_token, "+")]
    {
        text += if yes { mark } else { "" };
    }
    if let Some(version) = argument.since {
        text += &format!("@{version}");
    }
    if let Some(version) = argument.deprecated {
        text += &format!("@-{version}");
    }
    text
}

#[test]
fn every_syntax_parses_and_prints_back() {
    for (name, row) in rows() {
        let arguments = syntax::parse(row.syntax);
        let printed: Vec<String> = arguments.iter().map(notation).collect();
        // What was printed means the same; a name that the notation reads anyhow may lose its quotes.
        let printed: &'static str = Box::leak(printed.join(" ").into_boxed_str());
        assert_eq!(syntax::parse(printed), arguments, "{name}: {printed}");
        assert_eq!(printed.replace('"', ""), row.syntax.replace('"', ""), "{name}");
    }
}

#[test]
fn command_info_is_the_real_servers() {
    let Some((_server, mut connection)) = theirs() else { return };
    let mut engine = Engine::new();
    for (name, row) in rows() {
        let words = ["COMMAND", "INFO", name.as_str()];
        let real = only_known_subcommands(connection.call(&words), row);
        check(ours(&mut engine, &words), real, &name);
    }
    let words = ["COMMAND", "INFO", "nosuch", "get|get", "config|nosuch", "CONFIG|GET", "a|b|c"];
    assert_eq!(ours(&mut engine, &words), connection.call(&words));
}

#[test]
fn command_docs_are_the_real_servers() {
    let Some((_server, mut connection)) = theirs() else { return };
    let mut engine = Engine::new();
    for (name, row) in rows() {
        let words = ["COMMAND", "DOCS", name.as_str()];
        let real = only_known_subcommands(connection.call(&words), row);
        check(ours(&mut engine, &words), real, &name);
    }
}

/// Without the subcommands that our container does not have.
fn only_known_subcommands(mut reply: Reply, row: &Command) -> Reply {
    let known = |name: &Reply| {
        let Reply::Bulk(name) = name else { return true };
        let name = String::from_utf8_lossy(name);
        let Some((container, sub)) = name.split_once('|') else { return true };
        container != row.name || row.subcommands().iter().any(|known| known.name == sub)
    };
    let again = |reply| only_known_subcommands(reply, row);
    match &mut reply {
        Reply::Array(items) => {
            let first = |item: &Reply| match item {
                Reply::Array(parts) => parts.first().is_none_or(known),
                _ => true,
            };
            Reply::Array(items.drain(..).filter(first).map(again).collect())
        }
        Reply::Map(pairs) => {
            let pairs = pairs.drain(..).filter(|(key, _)| known(key));
            Reply::Map(pairs.map(|(key, value)| (key, again(value))).collect())
        }
        _ => reply,
    }
}

#[test]
fn bare_command_and_list_are_made_of_the_rows() {
    let mut engine = Engine::new();
    let all = ours(&mut engine, &["COMMAND"]);
    let Reply::Array(all) = &all else { panic!("COMMAND is an array") };
    assert_eq!(all.len(), command::all().count());
    let count = ours(&mut engine, &["COMMAND", "COUNT"]);
    assert_eq!(count, Reply::Integer(all.len() as i64));
    let names = ours(&mut engine, &["COMMAND", "LIST"]);
    assert_eq!(names, Reply::bulks(rows().iter().map(|(name, _)| name)));
}

#[test]
fn command_list_filters_as_the_real_server() {
    let Some((_server, mut connection)) = theirs() else { return };
    let mut engine = Engine::new();
    let known: BTreeSet<String> = rows().into_iter().map(|(name, _)| name).collect();
    let names = |reply: Reply| -> BTreeSet<String> {
        let Reply::Array(names) = &reply else { panic!("{reply:?} is no array") };
        let text = |name: &Reply| match name {
            Reply::Bulk(name) => String::from_utf8_lossy(name).into_owned(),
            other => panic!("{other:?} is no name"),
        };
        names.iter().map(text).collect()
    };
    let mut filters: Vec<Vec<&str>> =
        command::key_specs::CATEGORIES.iter().map(|name| vec!["ACLCAT", name]).collect();
    filters.extend([vec!["ACLCAT", "READ"], vec!["ACLCAT", "nosuch"], vec!["MODULE", "x"]]);
    filters.extend(
        ["ex*", "*|help", "C?????|*", "[gs]et", "nosuch"].map(|text| vec!["PATTERN", text]),
    );
    for filter in filters {
        let words = [vec!["COMMAND", "LIST", "FILTERBY"], filter.clone()].concat();
        let real: BTreeSet<String> =
            names(connection.call(&words)).intersection(&known).cloned().collect();
        assert_eq!(names(ours(&mut engine, &words)), real, "{filter:?}");
    }
}

#[test]
fn getkeys_answers_as_the_real_server() {
    let Some((_server, mut connection)) = theirs() else { return };
    let mut engine = Engine::new();
    let lines = "get a|set a b|set a b get|set a get|set a b ex 10 GET|del a b c|copy a b|copy a b replace|rename a b\
        |exists a a|object encoding a|object help|ping x|select 0|wait 0 0|nosuch a|get|get a b|config get x|config\
        |config nosuch x|eval x 0|eval x 1 a|eval x 2 a b c|eval x 5 a|eval x foo a|eval x -1 a|evalsha x 1 a b\
        |eval_ro x 1 a|mset a 1 b 2|mset a 1 b|msetnx a 1|mget a b|hset a b c|hdel a b c|lcs a b|scan 0|touch a\
        |expire a 10 nx|echo a|hello 3|eval x 9223372036854775807 a|eval x 9223372036854775808 a|move a 1";
    for line in lines.split('|') {
        let line: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        // What a later part brings is unknown till then.
        let known = command::find(line[0].as_bytes()).is_some() || line[0] == "nosuch";
        for how in ["GETKEYS", "GETKEYSANDFLAGS"] {
            let words = [vec!["COMMAND", how], line.clone()].concat();
            if known {
                check(ours(&mut engine, &words), connection.call(&words), &words.join(" "));
            }
        }
    }
}

#[test]
fn help_texts_are_the_real_servers() {
    let Some((_server, mut connection)) = theirs() else { return };
    let mut engine = Engine::new();
    for (name, _) in rows().into_iter().filter(|(name, _)| name.ends_with("|help")) {
        let words: Vec<&str> = name.split('|').collect();
        check(ours(&mut engine, &words), connection.call(&words), &name);
    }
}

#[test]
fn parameters_are_the_real_servers() {
    let Some((_server, mut connection)) = theirs() else { return };
    let mut engine = Engine::new();
    let words = ["CONFIG", "GET", "*"];
    let pairs = |mut reply: Reply| {
        let Reply::Map(pairs) = &mut reply else { panic!("CONFIG GET is a map") };
        let mut pairs = std::mem::take(pairs);
        // Where the process runs, and how it was started.
        let own =
            ["bind", "daemonize", "dir", "logfile", "pidfile", "port", "unixsocket", "maxclients"];
        pairs.retain(|(name, _)| !own.iter().any(|own| *name == Reply::bulk(own)));
        pairs.sort_by_key(|(name, _)| format!("{name:?}"));
        pairs
    };
    let (ours, theirs) = (pairs(ours(&mut engine, &words)), pairs(connection.call(&words)));
    for (our, their) in ours.iter().zip(&theirs) {
        assert_eq!(our, their);
    }
    assert_eq!(ours.len(), theirs.len());
}

/// Parameters that act on the real process or that only a real process can refuse: never set by the next test.
const NOT_TRIED: &[&str] = &[
    "appendonly",
    "bind",
    "bind-source-addr",
    "maxclients",
    "oom-score-adj",
    "oom-score-adj-values",
    "port",
    "requirepass",
    "dir",
    "unixsocket",
    "daemonize",
    "logfile",
    "pidfile",
    "crash-memcheck-enabled",
    "replica-announce-ip",
];

#[test]
fn parameters_take_and_refuse_values_as_the_real_server() {
    let Some((_server, mut connection)) = theirs() else { return };
    let mut engine = Engine::new();
    let parameters = ours(&mut engine, &["CONFIG", "GET", "*"]);
    let Reply::Map(parameters) = &parameters else { panic!("a map") };
    let values = [
        "",
        "yes",
        "NO",
        "Yes ",
        "0",
        "1",
        "-1",
        "7",
        "010",
        "0x10",
        " 1",
        "1.5",
        "99",
        "100",
        "101%",
        "100%",
        "0%",
        "-1%",
        "1kb",
        "1KB",
        "1k",
        "2mb",
        "1m",
        "1g",
        "1gb",
        "1tb",
        "b",
        "3b",
        "kb",
        "-1kb",
        "65536",
        "2147483647",
        "2147483648",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999",
        "-2147483649",
        "-9223372036854775808",
        "noeviction",
        "ALLKEYS-LFU",
        "everysec",
        "clients",
        "debug",
        "default",
        "save now",
        "now save",
        "save nosave",
        "save  now",
        "default save",
        "save default",
        "900 1",
        "900 1 300",
        "0 1",
        "1 0",
        "1 -1",
        "900  1",
        "x 1",
        "KEA",
        "AKE",
        "g$",
        "$g",
        "Kx",
        "KEmn",
        "nmEK",
        "AKEn",
        "lshzxetdg$",
        "Q",
        "normal 1 2 3",
        "replica 1mb 2kb 3 pubsub 0 0 0",
        "slave 1 2",
        "foo 1 2 3",
        "normal x 2 3",
        "normal 1 2 -3",
        "NORMAL 1 2 3",
        "50",
        "50 99.5",
        "0 100",
        "100.1",
        "x",
        "50 x",
        "1e1",
        "a.b-c",
        "a_b",
        "{title}",
        "{port} x",
        "{nosuch}",
        "{title",
        "{{x",
        "x {server-mode}",
        "1 2 3",
        "-2000 0 2000",
        "hostname",
        "swapdb",
    ];
    let mut different = Vec::new();
    for (name, _) in parameters {
        let Reply::Bulk(name) = name else { panic!("a name is a bulk") };
        let name = str::from_utf8(name).expect("names are plain");
        if NOT_TRIED.contains(&name) || name.starts_with("tls") || name.contains("announce") {
            continue;
        }
        for value in values {
            for words in [vec!["CONFIG", "SET", &name, value], vec!["CONFIG", "GET", &name]] {
                let (ours, theirs) = (ours(&mut engine, &words), connection.call(&words));
                if ours != theirs {
                    let (mut our, mut their) = (Vec::new(), Vec::new());
                    lines(&ours, 0, &mut our);
                    lines(&theirs, 0, &mut their);
                    different
                        .push(format!("{words:?} with {value:?}: ours {our:?}, theirs {their:?}"));
                }
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn info_has_the_real_servers_fields_in_their_order() {
    let Some((_server, mut connection)) = theirs() else { return };
    let mut engine = Engine::new();
    let requests: &[&[&str]] = &[
        &[],
        &["default"],
        &["all"],
        &["everything"],
        &["server"],
        &["CPU", "clients"],
        &["nosuch"],
        &["keyspace", "modules", "keyspace"],
        &["all", "modules"],
        &["cluster", "nosuch", "memory"],
        &["commandstats"],
        &["errorstats"],
        &["latencystats"],
        &["default", "latencystats"],
    ];
    let setup: &[&[&str]] = &[&["EXPIRE"], &["EXISTS", "a"], &["CONFIG", "SET", "hz", "x"]];
    for words in setup {
        ours(&mut engine, words);
        connection.call(words);
    }
    let fields = |reply: Reply| -> Vec<String> {
        let Reply::Verbatim(_, text) = &reply else { panic!("{reply:?} is no text") };
        let text = str::from_utf8(text).expect("INFO is plain");
        let mut fields: Vec<String> = text
            .split("\r\n")
            .map(|line| line.split_once(':').map_or(line, |(name, _)| name).to_owned())
            .filter(|name| !name.ends_with("_command|list"))
            .filter(|name| !name.ends_with("_hello"))
            .collect();
        // These follow the order of a hash table.
        let is_stat =
            |name: &String| name.starts_with("cmdstat_") || name.starts_with("latency_percent");
        for part in fields.chunk_by_mut(|one, other| is_stat(one) && is_stat(other)) {
            part.sort();
        }
        fields
    };
    for sections in requests {
        let words = [&["INFO"], *sections].concat();
        let (ours, theirs) = (fields(ours(&mut engine, &words)), fields(connection.call(&words)));
        for (our, their) in ours.iter().zip(&theirs) {
            assert_eq!(our, their, "INFO {sections:?}: ours on the left");
        }
        assert_eq!(ours.len(), theirs.len(), "{sections:?}");
    }
}

/// Commands that no transcript can have, and why.
const IN_NO_TRANSCRIPT: &[(&str, &str)] = &[];

/// What is typed in any transcript: names, and those of subcommands behind their container's.
fn typed() -> BTreeSet<String> {
    let mut typed = BTreeSet::new();
    for (_, path) in transcript::all("transcripts") {
        for step in Transcript::read(&path).steps() {
            let line = step.typed.as_deref().unwrap_or_default();
            let words = evalsha::split::split(line).unwrap_or_default().into_iter();
            let mut words = words.map(|word| String::from_utf8_lossy(&word).to_lowercase());
            let Some(name) = words.next() else { continue };
            typed.extend(words.next().map(|word| format!("{name}|{word}")));
            typed.insert(name);
        }
    }
    typed
}

#[test]
fn every_command_is_in_a_transcript() {
    let typed = typed();
    let excused: Vec<&str> = IN_NO_TRANSCRIPT.iter().map(|(name, _)| *name).collect();
    // The texts of HELP are compared above.
    let missing: Vec<String> = rows()
        .into_iter()
        .filter(|(_, row)| row.subcommands().is_empty() || matches!(row.run, Run::Both(..)))
        .map(|(name, _)| name)
        .filter(|name| !typed.contains(name) && !name.ends_with("|help"))
        .filter(|name| !excused.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "in no transcript: {}", missing.join(" "));
    for name in excused {
        assert!(!typed.contains(name), "{name} is in a transcript, though it is excused");
    }
}
