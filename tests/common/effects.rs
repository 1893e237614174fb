//! What commands do besides their replies, on our engine and on the real server: the messages about keys, and what is
//! counted.

use super::chance::{encode, words};
use super::engine::Engine;
use super::real::{Connection, RealServer};
use evalsha::cli::print::print;
use evalsha::resp::Reply;
use evalsha::server::client::ClientId;

/// A client of each that listens to what happens to keys.
pub struct Listeners {
    ours: ClientId,
    theirs: Connection,
}

impl Listeners {
    /// Subscribes to all that `notify-keyspace-events` may choose.
    pub fn open(engine: &mut Engine, real: &RealServer) -> Listeners {
        let subscribe = words("PSUBSCRIBE __key*");
        let ours = engine.server.connect("");
        engine.server.send(ours, &subscribe);
        engine.server.take_reply(ours);
        let mut theirs = real.connect();
        theirs.call(&subscribe);
        Listeners { ours, theirs }
    }

    /// What has been told since the last time, if that differs. A command may look at keys in an order of its own.
    pub fn difference(&mut self, engine: &mut Engine, ordered: bool) -> Option<String> {
        let mut ours = Vec::new();
        while let Some(mut message) = engine.server.take_reply(self.ours) {
            // A push is told from an array in RESP3 only.
            message.downgrade();
            if !is_expiry(&message) {
                ours.push(message);
            }
        }
        let mut theirs = Vec::new();
        self.theirs.send(&["PING"]);
        loop {
            let message = self.theirs.receive();
            if message == Reply::bulks(["pong", ""]) {
                break;
            }
            if !is_expiry(&message) {
                theirs.push(message);
            }
        }
        let all = |messages: &[Reply]| {
            let mut all: Vec<Vec<u8>> = messages.iter().map(encode).collect();
            if !ordered {
                all.sort();
            }
            all
        };
        (all(&ours) != all(&theirs))
            .then(|| format!("(messages)\n{}(and theirs)\n{}", shown(&ours), shown(&theirs)))
    }
}

/// When the real server notices that a deadline has passed is its own affair.
fn is_expiry(message: &Reply) -> bool {
    let Reply::Array(items) = message else { return false };
    let ends = |item: &Reply| matches!(item, Reply::Bulk(text) if text.ends_with(b"expired"));
    items.iter().any(ends)
}

fn shown(messages: &[Reply]) -> String {
    messages
        .iter()
        .map(|message| String::from_utf8_lossy(&print(message.clone())).into_owned())
        .collect()
}

/// Changes, hits and misses, in words, since the server started.
pub fn counts(info: &Reply) -> Vec<(&'static str, i64)> {
    const NAMES: &[&str] = &["rdb_changes_since_last_save", "keyspace_hits", "keyspace_misses"];
    let text = match info {
        Reply::Bulk(text) | Reply::Verbatim(_, text) => String::from_utf8_lossy(text),
        other => panic!("INFO answers {other:?}"),
    };
    let count = |name: &'static str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        (name, line.and_then(|count| count.parse().ok()).expect("INFO has it"))
    };
    NAMES.iter().copied().map(count).collect()
}
