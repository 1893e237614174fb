//! Several clients send random commands to our engine and to the real server, and each gets the same replies from both.
//!
//! `DIFFERENTIAL_CASES=10000` runs longer, `DIFFERENTIAL_SEED=7` elsewhere. A difference is made as short as it will
//! go and printed as a transcript, ready to be saved.

#![allow(clippy::print_stderr, reason = "what could not be proved is said loudly")]

mod common;

use common::chance::{Argv, encode, line, one_in, pick, setting, words};
use common::door::settle;
use common::engine::Engine;
use common::real::{Connection, RealServer};
use evalsha::cli::print::print;
use evalsha::resp::Reply;
use evalsha::server::client::ClientId;
use evalsha::server::random::Random;
use evalsha::split::split;

/// How many clients there are.
const CLIENTS: usize = 4;

/// What one client does.
#[derive(Clone)]
enum Step {
    /// It sends a command. An argument `@2` is the number that the server has given to client 2.
    Send(usize, Argv),
    /// The same, even while it waits for a reply.
    SendAhead(usize, Argv),
    /// It hangs up; with its next command it is a new client.
    Close(usize),
}

/// What a client gets.
enum Got {
    Reply(Reply),
    /// The server has hung up.
    Closed,
}

/// What each client has got in a step.
type Gains = [Vec<Got>; CLIENTS];

/// Command lines; `$key` and the like stand for random arguments: see [`fill`].
const COMMON: &[&str] = &[
    "GET $key",
    "SET $key $value",
    "INCR $key",
    "APPEND $key $value",
    "DEL $key",
    "EXISTS $key $key",
    "TYPE $key",
    "LPUSH $list $value",
    "RPUSH $list $value $value",
    "RPUSH $list $value $value $value",
    "LPOP $list",
    "RPOP $list 2",
    "LLEN $list",
    "LRANGE $list 0 -1",
    "LMOVE $list $list LEFT RIGHT",
    "LTRIM $list 1 1",
    "LREM $list 0 $value",
    "DEL $list",
    "RENAME $list $list",
    "COPY $list $list REPLACE",
    "HSET $key f $value",
    "EXPIRE $list 1000",
    "SELECT $database",
    "MOVE $list $database",
    "DBSIZE",
    "NOSUCH $key",
    "GET",
    "HELLO 3",
    "HELLO 2",
    "PING",
];

const TRANSACTION: &[&str] = &[
    "MULTI",
    "MULTI",
    "MULTI",
    "EXEC",
    "EXEC",
    "EXEC",
    "DISCARD",
    "WATCH $key",
    "WATCH $list $key",
    "UNWATCH",
    "RESET",
];

const BLOCKING: &[&str] = &[
    "BLPOP $list 0",
    "BLPOP $list $list 0",
    "BRPOP $list $list $list 0",
    "BLMOVE $list $list LEFT RIGHT 0",
    "BLMOVE $list $list RIGHT RIGHT 0",
    "BRPOPLPUSH $list $list 0",
    "BLMPOP 0 2 $list $list LEFT COUNT 2",
    "BLMPOP 0 1 $list RIGHT",
];

const STREAMS: &[&str] = &[
    "XADD $list 1-* f $value",
    "XADD $list 1-* f $value",
    "XADD $list 2-* f $value",
    "XADD $list MAXLEN 1 1-* f $value",
    "XDEL $list 1-0 1-1 1-2",
    "XTRIM $list MAXLEN 0",
    "XSETID $list 1-9",
    "XREAD BLOCK 0 STREAMS $list $",
    "XREAD BLOCK 0 STREAMS $list 1-3",
    "XREAD COUNT 1 BLOCK 0 STREAMS $list $list $ 0",
    "XGROUP CREATE $list g 0 MKSTREAM",
    "XGROUP CREATE $list g $ MKSTREAM",
    "XGROUP SETID $list g 0",
    "XGROUP DESTROY $list g",
    "XGROUP DELCONSUMER $list g $value",
    "XREADGROUP GROUP g $value BLOCK 0 STREAMS $list >",
    "XREADGROUP GROUP g $value BLOCK 0 NOACK STREAMS $list >",
    "XREADGROUP GROUP g $value COUNT 1 BLOCK 0 STREAMS $list $list > >",
    "XREADGROUP GROUP g $value STREAMS $list 0",
    "XACK $list g 1-0 1-1 1-2",
    "XPENDING $list g",
    "XINFO GROUPS $list",
    "$add 2 $list $list $value",
    "$new 2 $list $list $value",
    "DEL $list",
];

const SCRIPTS: &[&str] = &[
    "$push 2 $list $list $value",
    "$pop 2 $list $list",
    "$count 1 $key",
    "$fails 2 $list $key $value",
    "$blocks 1 $list",
    "$long 1 $key",
];

const PUBSUB: &[&str] = &[
    "SUBSCRIBE $key",
    "SUBSCRIBE $key $key",
    "PSUBSCRIBE *",
    "UNSUBSCRIBE $key",
    "PUNSUBSCRIBE *",
    "PUBLISH $key $value",
    "PUBLISH $key $value",
    "PUBSUB NUMSUB $key",
    "PUBSUB NUMPAT",
    "EVAL return(redis.call('PUBLISH',KEYS[1],'x')) 1 $key",
];

/// Of whole databases, and what clients do to each other. The real server does not survive that a client who waits for
/// the end of a pause is unblocked, so that no case has both.
const WIDE: &[&str] = &["FLUSHALL", "FLUSHDB", "SWAPDB 0 1"];
const UNBLOCK: &[&str] = &["CLIENT UNBLOCK $client", "CLIENT UNBLOCK $client ERROR"];
const KILL: &[&str] = &["CLIENT KILL ID $client"];
const PAUSE: &[&str] = &["CLIENT PAUSE 100000 WRITE", "CLIENT UNPAUSE", "CLIENT UNPAUSE"];

const KEYS: &[&str] = &["a", "b", "c", "s"];

#[test]
fn clients_get_the_same_replies() {
    let Some(real) = RealServer::start() else { return };
    let (cases, seed) = (setting("DIFFERENTIAL_CASES", 60), setting("DIFFERENTIAL_SEED", 1));
    for case in 0..cases {
        let mut random = Random::new(seed.wrapping_mul(1_000_003) + case);
        let steps = generate(&mut random);
        if let Some(first) = difference(&real, &steps) {
            let steps = shrink(&real, steps);
            let found = difference(&real, &steps)
                .unwrap_or_else(|| format!("(now the same; at first it was)\n{first}"));
            let transcript = transcript(&real, &steps);
            panic!("case {case} of seed {seed}: {found}\n{transcript}");
        }
    }
}

/// Where messages and lines of MONITOR come among replies, and who gets none; a line begins with its client.
const PLACES: &[&[&str]] = &[
    // In a transaction: the array counts commands, and messages take their places.
    &[
        "0 MULTI",
        "0 SUBSCRIBE a b",
        "0 PUBLISH a 1",
        "0 PING",
        "0 UNSUBSCRIBE a",
        "0 SSUBSCRIBE s",
        "0 UNSUBSCRIBE b x",
        "0 GET x",
        "0 EXEC",
        "1 PUBLISH b 1",
        "1 SPUBLISH s 1",
        "0 GET x",
    ],
    &[
        "1 CONFIG SET notify-keyspace-events KEA",
        "0 MULTI",
        "0 PSUBSCRIBE *",
        "0 SET k 1",
        "0 EVAL \"redis.call('INCR', KEYS[1]) return redis.call('PUBLISH', 'x', 'y')\" 1 k",
        "0 PUNSUBSCRIBE *",
        "0 GET k",
        "0 EXEC",
        "1 CONFIG SET notify-keyspace-events \"\"",
    ],
    // CLIENT REPLY withholds no messages.
    &[
        "0 CLIENT REPLY SKIP",
        "0 SUBSCRIBE a b",
        "0 SUBSCRIBE c",
        "0 CLIENT REPLY OFF",
        "0 SSUBSCRIBE s",
        "0 ECHO x",
        "1 PUBLISH a 1",
        "0 UNSUBSCRIBE a",
        "0 UNSUBSCRIBE b",
        "0 UNSUBSCRIBE c",
        "0 UNSUBSCRIBE",
        "0 MULTI",
        "0 SUBSCRIBE a",
        "0 ECHO x",
        "0 EXEC",
        "1 PUBLISH a 2",
    ],
    // MONITOR: its own commands come behind their replies.
    &[
        "0 MONITOR",
        "0 MONITOR",
        "0 PING",
        "0 MULTI",
        "0 ECHO x",
        "0 PING",
        "0 EXEC",
        "0 EXEC",
        "0 SUBSCRIBE a b",
        "1 PUBLISH a x",
        "0 UNSUBSCRIBE a",
        "0 UNSUBSCRIBE b",
        "0 GET x",
        "0 PUBLISH a x",
        "0 SPUBLISH a x",
        "0 EVAL return(1) 0",
        "0 EVAL_RO return(1) 0",
        "0 EVALSHA x 0",
        "0 FCALL x 0",
        "0 CLIENT REPLY SKIP",
        "1 PING",
        "0 PING",
        "0 PING",
        "0 CLIENT REPLY OFF",
        "1 PING",
        "0 CLIENT REPLY ON",
        "0 RESET",
        "1 PING",
    ],
    // What it hides, and what it shows of what is refused.
    &[
        "0 MONITOR",
        "1 AUTH a",
        "1 AUTH a b",
        "1 AUTH a b c",
        "1 HELLO x AUTH a b",
        "1 HELLO 4 AUTH a b",
        "1 HELLO 3 AUTH a",
        "1 HELLO 3 SETNAME auth x y",
        "1 HELLO 3 FOO AUTH a b",
        "1 HELLO 3 AUTH default b AUTH default c AUTH d e AUTH f g",
        "1 HELLO 3 SETNAME AUTH AUTH AUTH AUTH",
        "1 MULTI",
        "1 EXEC a",
        "1 EXEC",
        "1 MULTI",
        "1 AUTH default x",
        "1 EXEC",
    ],
];

#[test]
fn messages_have_their_places_among_replies() {
    let Some(real) = RealServer::start() else { return };
    for protocol in ["2", "3"] {
        for lines in PLACES {
            // Both are there before the first line: to find out its number a client of the real server sends a command.
            let hello = words(&format!("HELLO {protocol}"));
            let mut steps = vec![Step::Send(0, hello), Step::Send(1, words("PING"))];
            for line in *lines {
                let argv = split(&line.as_bytes()[2..]).unwrap();
                steps.push(Step::Send(usize::from(line.as_bytes()[0] - b'0'), argv));
            }
            if let Some(found) = difference(&real, &steps) {
                panic!("RESP{protocol}: {found}\n{}", transcript(&real, &steps));
            }
        }
    }
}

/// The steps of one case.
fn generate(random: &mut Random) -> Vec<Step> {
    let mut families = vec![COMMON, COMMON];
    for family in [TRANSACTION, BLOCKING, BLOCKING, SCRIPTS] {
        if !one_in(random, 3) {
            families.push(family);
        }
    }
    if one_in(random, 2) {
        families.extend([STREAMS, STREAMS, STREAMS]);
    }
    for family in [WIDE, KILL, PUBSUB, *pick(random, &[UNBLOCK, PAUSE])] {
        if one_in(random, 3) {
            families.push(family);
        }
    }
    // A pause that was typed ahead of a pause's end puts off again those who came later: Redis then has another order.
    let pipelines = one_in(random, 3) && !families.contains(&PAUSE);
    let mut steps = Vec::new();
    for _ in 0..60 {
        let client = random.below(CLIENTS as u64) as usize;
        if one_in(random, 40) {
            steps.push(Step::Close(client));
            continue;
        }
        let family = *pick(random, &families);
        let template = *pick(random, family);
        let mut argv = Vec::new();
        for word in template.split(' ') {
            fill(random, word, &mut argv);
        }
        let ahead = pipelines && one_in(random, 3);
        steps.push(if ahead { Step::SendAhead(client, argv) } else { Step::Send(client, argv) });
    }
    // Whoever waits for the end of a pause gets it, and somebody new looks at what is there.
    steps.push(Step::Close(0));
    steps.push(Step::Send(0, words("CLIENT UNPAUSE")));
    for database in ["0", "1"] {
        steps.push(Step::Send(0, vec![b"SELECT".to_vec(), database.into()]));
        for key in KEYS {
            for question in ["TYPE", "GET", "TTL", "LRANGE", "XRANGE", "XPENDING"] {
                let mut argv = vec![question.into(), key.as_bytes().to_vec()];
                argv.extend(match question {
                    "LRANGE" => words("0 -1"),
                    "XRANGE" => words("- +"),
                    "XPENDING" => words("g"),
                    _ => Vec::new(),
                });
                steps.push(Step::Send(0, argv));
            }
        }
    }
    steps
}

/// Adds what a word of a template stands for.
fn fill(random: &mut Random, word: &str, argv: &mut Argv) {
    let mut choose = |choices: &[&str]| pick(random, choices).as_bytes().to_vec();
    let argument = match word {
        "$key" => choose(&["a", "b", "s", "s"]),
        "$list" => choose(&["a", "b", "c", "a", "b", "c", "s"]),
        "$value" => choose(&["1", "2", "x", "yy"]),
        "$database" => choose(&["0", "0", "1"]),
        "$client" => choose(&["@0", "@1", "@2", "@3"]),
        "$add" | "$new" | "$push" | "$pop" | "$count" | "$fails" | "$blocks" | "$long" => {
            argv.push(b"EVAL".to_vec());
            script(word).as_bytes().to_vec()
        }
        word => word.as_bytes().to_vec(),
    };
    argv.push(argument);
}

fn script(name: &str) -> &'static str {
    match name {
        "$push" => {
            "redis.call('RPUSH', KEYS[1], ARGV[1]) redis.call('LPUSH', KEYS[2], ARGV[1]) return redis.call('LLEN', KEYS[1])"
        }
        "$pop" => {
            "return {redis.call('LPOP', KEYS[1]), redis.call('LMOVE', KEYS[2], KEYS[1], 'LEFT', 'LEFT')}"
        }
        "$count" => "return redis.call('INCR', KEYS[1])",
        "$add" => {
            "redis.call('XADD', KEYS[1], '1-*', 'f', ARGV[1]) redis.call('XADD', KEYS[2], '1-*', 'f', ARGV[1]) return redis.call('XTRIM', KEYS[1], 'MAXLEN', 1)"
        }
        "$new" => {
            "redis.call('DEL', KEYS[1]) redis.call('XGROUP', 'CREATE', KEYS[1], 'g', 0, 'MKSTREAM') redis.call('DEL', KEYS[2]) return redis.call('XADD', KEYS[1], '1-*', 'f', ARGV[1])"
        }
        "$fails" => "redis.call('RPUSH', KEYS[1], ARGV[1]) return redis.call('INCR', KEYS[2])",
        "$blocks" => "return redis.call('BLMPOP', 0, 1, KEYS[1], 'LEFT')",
        _ => "for i = 1, 20000 do end return redis.call('EXISTS', KEYS[1])",
    }
}

/// A server with its clients.
trait Side {
    /// A client sends a command, and is connected first if need be.
    fn send(&mut self, client: usize, argv: &Argv);
    /// A client hangs up.
    fn close(&mut self, client: usize);
    /// What the clients have got since.
    fn gains(&mut self) -> Gains;
}

/// A script that has not ended after so many slices of so much fuel hangs.
const MAX_SLICES: usize = 10_000;
const SLICE: i64 = 10_000;

struct Ours {
    engine: Engine,
    clients: [Option<ClientId>; CLIENTS],
}

impl Ours {
    fn new() -> Ours {
        Ours { engine: Engine::new(), clients: [None; CLIENTS] }
    }

    fn is_waiting(&self, client: usize) -> bool {
        self.clients[client].is_some_and(|id| self.engine.server.is_waiting(id))
    }
}

impl Side for Ours {
    fn send(&mut self, client: usize, argv: &Argv) {
        let server = &mut self.engine.server;
        let id = *self.clients[client].get_or_insert_with(|| server.connect(""));
        let ids = self.clients.map(|id| id.map(|id| id as i64));
        self.engine.server.send(id, &with_ids(argv, &ids));
        for _ in 0..MAX_SLICES {
            if !self.engine.server.run(SLICE) {
                break;
            }
        }
    }

    fn close(&mut self, client: usize) {
        if let Some(id) = self.clients[client].take() {
            self.engine.server.disconnect(id);
        }
    }

    fn gains(&mut self) -> Gains {
        let server = &mut self.engine.server;
        let mut gains = Gains::default();
        for (client, gains) in self.clients.iter_mut().zip(&mut gains) {
            let Some(id) = *client else { continue };
            while let Some(reply) = server.take_reply(id) {
                gains.push(Got::Reply(reply));
            }
            if server.client(id).is_none_or(|client| client.closing) {
                server.disconnect(id);
                *client = None;
                gains.push(Got::Closed);
            }
        }
        gains
    }
}

struct Theirs<'a> {
    real: &'a RealServer,
    clients: [Option<(i64, Connection)>; CLIENTS],
}

impl Theirs<'_> {
    /// All of its clients are new, and it is empty.
    fn new(real: &RealServer) -> Theirs<'_> {
        let mut connection = real.connect();
        for line in ["CLIENT UNPAUSE", "FLUSHALL", "SCRIPT FLUSH"] {
            connection.call(&words(line));
        }
        Theirs { real, clients: Default::default() }
    }
}

impl Side for Theirs<'_> {
    fn send(&mut self, client: usize, argv: &Argv) {
        if self.clients[client].is_none() {
            let mut connection = self.real.connect();
            let Reply::Integer(id) = connection.call(&words("CLIENT ID")) else {
                panic!("a client has no number")
            };
            self.clients[client] = Some((id, connection));
        }
        let ids = self.clients.each_ref().map(|client| client.as_ref().map(|(id, _)| *id));
        if let Some((_, connection)) = &mut self.clients[client] {
            connection.send(&with_ids(argv, &ids));
        }
        settle(self.real.id());
    }

    fn close(&mut self, client: usize) {
        self.clients[client] = None;
        settle(self.real.id());
    }

    fn gains(&mut self) -> Gains {
        let mut gains = Gains::default();
        for (client, gains) in self.clients.iter_mut().zip(&mut gains) {
            while let Some((_, connection)) = client {
                match connection.receive_now() {
                    Ok(Some(reply)) => gains.push(Got::Reply(reply)),
                    Ok(None) => break,
                    Err(_) => {
                        gains.push(Got::Closed);
                        *client = None;
                    }
                }
            }
        }
        gains
    }
}

impl Drop for Theirs<'_> {
    fn drop(&mut self) {
        // The next case shall not meet clients of this one.
        self.clients = Default::default();
        settle(self.real.id());
    }
}

/// Puts the numbers of clients in the place of their names; who is not there has one that nobody has.
fn with_ids(argv: &Argv, ids: &[Option<i64>; CLIENTS]) -> Argv {
    let number = |argument: &Vec<u8>| match argument.as_slice() {
        [b'@', digit @ b'0'..=b'9'] => {
            ids[usize::from(digit - b'0')].unwrap_or(999_999_999).to_string().into_bytes()
        }
        _ => argument.clone(),
    };
    argv.iter().map(number).collect()
}

/// Runs a case on both; says where the first difference is.
fn difference(real: &RealServer, steps: &[Step]) -> Option<String> {
    let (mut ours, mut theirs) = (Ours::new(), Theirs::new(real));
    for (number, step) in steps.iter().enumerate() {
        if !may_take(step, &ours) {
            continue;
        }
        play(step, &mut ours);
        play(step, &mut theirs);
        let (ours, theirs) = (ours.gains(), theirs.gains());
        for (client, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            if !same(step, ours, theirs) {
                return Some(format!(
                    "at step {number} client {} gets from us\n{}and from the real server\n{}",
                    client + 1,
                    shown(ours),
                    shown(theirs)
                ));
            }
        }
    }
    None
}

/// Whether a step can be taken: a client that waits for a reply mostly does nothing but hang up.
fn may_take(step: &Step, ours: &Ours) -> bool {
    match step {
        Step::Send(client, _) => !ours.is_waiting(*client),
        Step::SendAhead(..) | Step::Close(_) => true,
    }
}

fn play(step: &Step, side: &mut dyn Side) {
    match step {
        Step::Send(client, argv) | Step::SendAhead(client, argv) => side.send(*client, argv),
        Step::Close(client) => side.close(*client),
    }
}

fn same(step: &Step, ours: &[Got], theirs: &[Got]) -> bool {
    let is = |name: &str| matches!(step, Step::Send(_, argv) if argv[0].eq_ignore_ascii_case(name.as_bytes()));
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|pair| match pair {
            (Got::Closed, Got::Closed) => true,
            (Got::Reply(ours), Got::Reply(theirs)) => {
                // What is left of a deadline grows less.
                let about = matches!((ours, theirs), (Reply::Integer(a), Reply::Integer(b))
                    if is("TTL") && *a > 900 && *b > 900);
                about || encode(&without_id(ours)) == encode(&without_id(theirs))
            }
            _ => false,
        })
}

/// HELLO's reply has the number of the client, and a line of MONITOR has a time and an address.
fn without_id(reply: &Reply) -> Reply {
    let id = Reply::bulk("id");
    match reply {
        Reply::Status(text) if text.first().is_some_and(u8::is_ascii_digit) => {
            let text = String::from_utf8_lossy(text).into_owned();
            let (head, command) = text.split_once("] ").unwrap_or(("", &text));
            let database = head.split(['[', ' ']).nth(2).unwrap_or("");
            let sender = if head.ends_with(" lua") { "lua" } else { "client" };
            Reply::Status(format!("[{database} {sender}] {command}").into_bytes().into())
        }
        Reply::Array(items) => {
            let mut items: Vec<Reply> = items.iter().map(without_id).collect();
            if let Some(at) = items.iter().position(|item| *item == id) {
                items.truncate(at);
            }
            Reply::Array(items)
        }
        Reply::Map(pairs) => {
            Reply::Map(pairs.iter().filter(|(name, _)| *name != id).cloned().collect())
        }
        other => other.clone(),
    }
}

fn shown(gains: &[Got]) -> String {
    let print = |got: &Got| match got {
        Got::Reply(reply) => String::from_utf8_lossy(&print(reply.clone())).into_owned(),
        Got::Closed => "(closed)\n".to_owned(),
    };
    if gains.is_empty() { "(nothing)\n".to_owned() } else { gains.iter().map(print).collect() }
}

/// Leaves out one step after the other, as long as there is still a difference.
fn shrink(real: &RealServer, mut steps: Vec<Step>) -> Vec<Step> {
    while steps.len() > 1 && difference(real, &steps[..steps.len() - 1]).is_some() {
        steps.pop();
    }
    for at in (0..steps.len()).rev() {
        let removed = steps.remove(at);
        if difference(real, &steps).is_none() {
            steps.insert(at, removed);
        }
    }
    steps
}

/// The case with the real server's replies.
fn transcript(real: &RealServer, steps: &[Step]) -> String {
    let (mut ours, mut theirs) = (Ours::new(), Theirs::new(real));
    let mut text = String::new();
    for step in steps {
        if !may_take(step, &ours) {
            continue;
        }
        play(step, &mut ours);
        play(step, &mut theirs);
        ours.gains();
        let gains = theirs.gains();
        match step {
            Step::Close(client) => text += &format!("{}^C\n", client + 1),
            Step::Send(client, argv) | Step::SendAhead(client, argv) => {
                if gains[*client].is_empty() {
                    text += "#: blocks\n";
                }
                let line = line(argv);
                text += &format!("{}> {}\n", client + 1, String::from_utf8_lossy(&line));
                if !gains[*client].is_empty() {
                    text += &shown(&gains[*client]);
                }
            }
        }
        let sender = match step {
            Step::Send(client, _) | Step::SendAhead(client, _) => Some(*client),
            Step::Close(_) => None,
        };
        for (client, gains) in gains.iter().enumerate() {
            if !gains.is_empty() && sender != Some(client) {
                text += &format!("{}<\n{}", client + 1, shown(gains));
            }
        }
    }
    text
}
