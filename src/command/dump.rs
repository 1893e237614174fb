//! Defines DUMP and RESTORE: values as payloads.

use super::args::Args;
use super::flag::{ASKING, DENYOOM, READONLY, WRITE};
use super::{Answer, Command, KeySpec, Run};
use crate::error::Error;
use crate::keyspace::frequency::Frequency;
use crate::keyspace::{Entry, Millis};
use crate::rdb;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;

/// The commands that serialize values, and their counterparts.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "dump",
        arity: 2,
        flags: READONLY,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.6.0",
        group: "generic",
        summary: "Return a serialized version of the value stored at the specified key.",
        complexity: "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).",
        tips: &["nondeterministic_output"],
        syntax: "key:key#0",
        run: Run::Reply(dump),
        ..Command::EMPTY
    },
    Command {
        name: "restore",
        arity: -4,
        flags: WRITE | DENYOOM,
        categories: "dangerous keyspace",
        keys: &[KeySpec::at(1, "OW update")],
        since: "2.6.0",
        group: "generic",
        summary: "Create a key using the provided serialized value, previously obtained using DUMP.",
        complexity: "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
        history: &[
            ("3.0.0", "Added the `REPLACE` modifier."),
            ("5.0.0", "Added the `ABSTTL` modifier."),
            ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
        ],
        syntax: "key:key#0 ttl:integer serialized-value:string REPLACE?@3.0.0 ABSTTL?@5.0.0 IDLETIME=seconds:integer?@5.0.0 FREQ=frequency:integer?@5.0.0",
        run: Run::Reply(restore),
        ..Command::EMPTY
    },
    Command {
        name: "restore-asking",
        arity: -4,
        flags: WRITE | DENYOOM | ASKING,
        categories: "dangerous keyspace",
        keys: &[KeySpec::at(1, "OW update")],
        since: "3.0.0",
        group: "server",
        summary: "An internal command for migrating keys in a cluster",
        complexity: "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
        doc_flags: "syscmd",
        history: &[
            ("3.0.0", "Added the `REPLACE` modifier."),
            ("5.0.0", "Added the `ABSTTL` modifier."),
            ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
        ],
        syntax: "key:key#0 ttl:integer serialized-value:string REPLACE?@3.0.0 ABSTTL?@5.0.0 IDLETIME=seconds:integer?@5.0.0 FREQ=frequency:integer?@5.0.0",
        run: Run::Reply(restore),
        ..Command::EMPTY
    },
];

/// DUMP key
fn dump(context: &mut Context, args: &mut Args) -> Answer {
    let form = context.server.payload_form();
    let entry = context.read_entry(args.key()?);
    Ok(entry.map_or(Reply::Null, |entry| Reply::Bulk(rdb::seal(form.data(&entry.value)))))
}

/// What may stand behind the payload.
#[derive(Default)]
struct Options {
    replace: bool,
    /// The time to live is a time.
    absolute: bool,
    idle: Option<i64>,
    frequency: Option<u8>,
}

impl Options {
    fn parse(args: &mut Args) -> Result<Options, Error> {
        let mut options = Options::default();
        while !args.is_empty() {
            if args.option("replace") {
                options.replace = true;
            } else if args.option("absttl") {
                options.absolute = true;
            } else if args.remaining() < 2 {
                return Err(Error::SYNTAX);
            } else if options.frequency.is_none() && args.option("idletime") {
                let idle = args.integer()?;
                options.idle = Some(idle);
                if idle < 0 {
                    return Err(Error::INVALID_IDLETIME);
                }
            } else if options.idle.is_none() && args.option("freq") {
                let frequency = args.integer()?;
                options.frequency = u8::try_from(frequency).ok();
                if options.frequency.is_none() {
                    return Err(Error::INVALID_FREQ);
                }
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(options)
    }
}

/// RESTORE key ttl serialized-value \[REPLACE\] \[ABSTTL\] \[IDLETIME seconds\] \[FREQ frequency\]
fn restore(context: &mut Context, args: &mut Args) -> Answer {
    let (key, mut lifetime) = (args.key()?, args.clone());
    let payload = args.take(2)?.last().ok_or(Error::SYNTAX)?;
    let options = Options::parse(args)?;
    if !options.replace && context.exists(key) {
        return Err(Error::BUSY_KEY);
    }
    let lifetime = lifetime.integer()?;
    if lifetime < 0 {
        return Err(Error::INVALID_TTL);
    }
    if !context.server.accepts_payload(payload) {
        return Err(Error::BAD_PAYLOAD);
    }
    let config = &context.server.config.active;
    let longest = context.server.longest_string();
    let value = rdb::value::read(payload, config, longest).ok_or(Error::BAD_DATA_FORMAT)?;
    let (lfu, now) = (config.lfu, context.now());
    let deadline = match (lifetime, options.absolute) {
        (0, _) => None,
        (time, true) => Some(time),
        (time, false) => Some(time.wrapping_add(now)),
    };
    if deadline.is_some_and(|deadline| deadline <= now) {
        context.delete(key);
        return Ok(Reply::OK);
    }
    let idle = options.idle.filter(|_| !lfu).map_or(0, |idle| idle_time(idle, now));
    let frequency = match options.frequency.filter(|_| lfu) {
        Some(count) => Frequency::counted(count, now),
        None => Frequency::new(now),
    };
    context.db().put(key, Entry { value, deadline, accessed: now - idle, frequency, counted: 0 });
    context.changed(key);
    context.notify(Event::Generic, "restore", key);
    Ok(Reply::OK)
}

/// The milliseconds for which a key seems not to have been used, after so many seconds have been asked for: Redis counts
/// seconds in 24 bits.
fn idle_time(asked: i64, now: Millis) -> Millis {
    const MOST: i64 = (1 << 24) - 1;
    let clock = (now / 1000) & MOST;
    let mut used = clock - asked.wrapping_mul(1000) / 1000;
    if used < 0 {
        used += MOST;
    }
    let used = used & MOST;
    (if clock >= used { clock - used } else { clock + MOST - used }) * 1000
}
