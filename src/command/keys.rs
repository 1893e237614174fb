//! Defines the commands that work on keys of any type: existence, names, expiry, iteration, OBJECT.

use super::args::Args;
use super::flag::{DENYOOM, FAST, LOADING, NOSCRIPT, READONLY, STALE, WRITE};
use super::{Answer, Attempt, Command, KeySpec, Run, Wait, scan};
use crate::error::Error;
use crate::glob;
use crate::keyspace::Millis;
use crate::keyspace::frequency::Frequency;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::Value;

/// The generic commands: keys whatever they hold.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "copy",
        arity: -3,
        flags: WRITE | DENYOOM,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RO access"), KeySpec::at(2, "OW update")],
        since: "6.2.0",
        group: "generic",
        summary: "Copy a key",
        complexity: "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
        syntax: "source:key#0 destination:key#1 DB=destination-db:integer? REPLACE?",
        run: Run::Reply(copy),
        ..Command::EMPTY
    },
    Command {
        name: "del",
        arity: -2,
        flags: WRITE,
        categories: "keyspace",
        keys: &[KeySpec::range(1, -1, 1, "RM delete")],
        since: "1.0.0",
        group: "generic",
        summary: "Delete a key",
        complexity: "O(N) where N is the number of keys that will be removed. When a key to remove holds a value other than a string, the individual complexity for this key is O(M) where M is the number of elements in the list, set, sorted set or hash. Removing a single key that holds a string value is O(1).",
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        syntax: "key:key#0*",
        run: Run::Reply(del),
        ..Command::EMPTY
    },
    Command {
        name: "exists",
        arity: -2,
        flags: READONLY | FAST,
        categories: "keyspace",
        keys: &[KeySpec::range(1, -1, 1, "RO")],
        since: "1.0.0",
        group: "generic",
        summary: "Determine if a key exists",
        complexity: "O(N) where N is the number of keys to check.",
        history: &[("3.0.3", "Accepts multiple `key` arguments.")],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        syntax: "key:key#0*",
        run: Run::Reply(exists),
        ..Command::EMPTY
    },
    Command {
        name: "expire",
        arity: -3,
        flags: WRITE | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RW update")],
        since: "1.0.0",
        group: "generic",
        summary: "Set a key's time to live in seconds",
        complexity: "O(1)",
        history: &[("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
        syntax: "key:key#0 seconds:integer condition(NX|XX|GT|LT)?@7.0.0",
        run: Run::Reply(expire),
        ..Command::EMPTY
    },
    Command {
        name: "expireat",
        arity: -3,
        flags: WRITE | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RW update")],
        since: "1.2.0",
        group: "generic",
        summary: "Set the expiration for a key as a UNIX timestamp",
        complexity: "O(1)",
        history: &[("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
        syntax: "key:key#0 unix-time-seconds:unix-time condition(NX|XX|GT|LT)?@7.0.0",
        run: Run::Reply(expireat),
        ..Command::EMPTY
    },
    Command {
        name: "expiretime",
        arity: 2,
        flags: READONLY | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RO access")],
        since: "7.0.0",
        group: "generic",
        summary: "Get the expiration Unix timestamp for a key",
        complexity: "O(1)",
        syntax: "key:key#0",
        run: Run::Reply(expiretime),
        ..Command::EMPTY
    },
    Command {
        name: "keys",
        arity: 2,
        flags: READONLY,
        categories: "keyspace dangerous",
        since: "1.0.0",
        group: "generic",
        summary: "Find all keys matching the given pattern",
        complexity: "O(N) with N being the number of keys in the database, under the assumption that the key names in the database and the given pattern have limited length.",
        tips: &["request_policy:all_shards", "nondeterministic_output_order"],
        syntax: "pattern:pattern",
        run: Run::Reply(keys),
        ..Command::EMPTY
    },
    Command {
        name: "move",
        arity: 3,
        flags: WRITE | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RW access update")],
        since: "1.0.0",
        group: "generic",
        summary: "Move a key to another database",
        complexity: "O(1)",
        syntax: "key:key#0 db:integer",
        run: Run::Reply(r#move),
        ..Command::EMPTY
    },
    Command {
        name: "object",
        arity: -2,
        flags: 0,
        categories: "",
        since: "2.2.3",
        group: "generic",
        summary: "A container for object introspection commands",
        complexity: "Depends on subcommand.",
        run: Run::Container(&[
            Command {
                name: "encoding",
                arity: 3,
                flags: READONLY,
                categories: "keyspace",
                keys: &[KeySpec::at(2, "RO")],
                since: "2.2.3",
                group: "generic",
                summary: "Inspect the internal encoding of a Redis object",
                complexity: "O(1)",
                tips: &["nondeterministic_output"],
                syntax: "key:key#0",
                run: Run::Reply(object_encoding),
                ..Command::EMPTY
            },
            Command {
                name: "freq",
                arity: 3,
                flags: READONLY,
                categories: "keyspace",
                keys: &[KeySpec::at(2, "RO")],
                since: "4.0.0",
                group: "generic",
                summary: "Get the logarithmic access frequency counter of a Redis object",
                complexity: "O(1)",
                tips: &["nondeterministic_output"],
                syntax: "key:key#0",
                run: Run::Reply(object_freq),
                ..Command::EMPTY
            },
            Command {
                name: "help",
                arity: 2,
                flags: LOADING | STALE,
                categories: "keyspace",
                since: "6.2.0",
                group: "generic",
                summary: "Show helpful text about the different subcommands",
                complexity: "O(1)",
                run: Run::Reply(object_help),
                ..Command::EMPTY
            },
            Command {
                name: "idletime",
                arity: 3,
                flags: READONLY,
                categories: "keyspace",
                keys: &[KeySpec::at(2, "RO")],
                since: "2.2.3",
                group: "generic",
                summary: "Get the time since a Redis object was last accessed",
                complexity: "O(1)",
                tips: &["nondeterministic_output"],
                syntax: "key:key#0",
                run: Run::Reply(object_idletime),
                ..Command::EMPTY
            },
            Command {
                name: "refcount",
                arity: 3,
                flags: READONLY,
                categories: "keyspace",
                keys: &[KeySpec::at(2, "RO")],
                since: "2.2.3",
                group: "generic",
                summary: "Get the number of references to the value of the key",
                complexity: "O(1)",
                tips: &["nondeterministic_output"],
                syntax: "key:key#0",
                run: Run::Reply(object_refcount),
                ..Command::EMPTY
            },
        ]),
        ..Command::EMPTY
    },
    Command {
        name: "persist",
        arity: 2,
        flags: WRITE | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RW update")],
        since: "2.2.0",
        group: "generic",
        summary: "Remove the expiration from a key",
        complexity: "O(1)",
        syntax: "key:key#0",
        run: Run::Reply(persist),
        ..Command::EMPTY
    },
    Command {
        name: "pexpire",
        arity: -3,
        flags: WRITE | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RW update")],
        since: "2.6.0",
        group: "generic",
        summary: "Set a key's time to live in milliseconds",
        complexity: "O(1)",
        history: &[("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
        syntax: "key:key#0 milliseconds:integer condition(NX|XX|GT|LT)?@7.0.0",
        run: Run::Reply(pexpire),
        ..Command::EMPTY
    },
    Command {
        name: "pexpireat",
        arity: -3,
        flags: WRITE | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RW update")],
        since: "2.6.0",
        group: "generic",
        summary: "Set the expiration for a key as a UNIX timestamp specified in milliseconds",
        complexity: "O(1)",
        history: &[("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")],
        syntax: "key:key#0 unix-time-milliseconds:unix-time condition(NX|XX|GT|LT)?@7.0.0",
        run: Run::Reply(pexpireat),
        ..Command::EMPTY
    },
    Command {
        name: "pexpiretime",
        arity: 2,
        flags: READONLY | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RO access")],
        since: "7.0.0",
        group: "generic",
        summary: "Get the expiration Unix timestamp for a key in milliseconds",
        complexity: "O(1)",
        syntax: "key:key#0",
        run: Run::Reply(pexpiretime),
        ..Command::EMPTY
    },
    Command {
        name: "pttl",
        arity: 2,
        flags: READONLY | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.6.0",
        group: "generic",
        summary: "Get the time to live for a key in milliseconds",
        complexity: "O(1)",
        history: &[("2.8.0", "Added the -2 reply.")],
        tips: &["nondeterministic_output"],
        syntax: "key:key#0",
        run: Run::Reply(pttl),
        ..Command::EMPTY
    },
    Command {
        name: "randomkey",
        arity: 1,
        flags: READONLY,
        categories: "keyspace",
        since: "1.0.0",
        group: "generic",
        summary: "Return a random key from the keyspace",
        complexity: "O(1)",
        tips: &["request_policy:all_shards", "nondeterministic_output"],
        run: Run::Reply(randomkey),
        ..Command::EMPTY
    },
    Command {
        name: "rename",
        arity: 3,
        flags: WRITE,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RW access delete"), KeySpec::at(2, "OW update")],
        since: "1.0.0",
        group: "generic",
        summary: "Rename a key",
        complexity: "O(1)",
        syntax: "key:key#0 newkey:key#1",
        run: Run::Reply(rename),
        ..Command::EMPTY
    },
    Command {
        name: "renamenx",
        arity: 3,
        flags: WRITE | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RW access delete"), KeySpec::at(2, "OW insert")],
        since: "1.0.0",
        group: "generic",
        summary: "Rename a key, only if the new key does not exist",
        complexity: "O(1)",
        history: &[(
            "3.2.0",
            "The command no longer returns an error when source and destination names are the same.",
        )],
        syntax: "key:key#0 newkey:key#1",
        run: Run::Reply(renamenx),
        ..Command::EMPTY
    },
    Command {
        name: "scan",
        arity: -2,
        flags: READONLY,
        categories: "keyspace",
        since: "2.8.0",
        group: "generic",
        summary: "Incrementally iterate the keys space",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
        history: &[("6.0.0", "Added the `TYPE` subcommand.")],
        tips: &["nondeterministic_output", "request_policy:special"],
        syntax: "cursor:integer MATCH=pattern:pattern? COUNT=count:integer? TYPE=type:string?@6.0.0",
        run: Run::Reply(scan),
        ..Command::EMPTY
    },
    Command {
        name: "touch",
        arity: -2,
        flags: READONLY | FAST,
        categories: "keyspace",
        keys: &[KeySpec::range(1, -1, 1, "RO")],
        since: "3.2.1",
        group: "generic",
        summary: "Alters the last access time of a key(s). Returns the number of existing keys specified.",
        complexity: "O(N) where N is the number of keys that will be touched.",
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        syntax: "key:key#0*",
        run: Run::Reply(touch),
        ..Command::EMPTY
    },
    Command {
        name: "ttl",
        arity: 2,
        flags: READONLY | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RO access")],
        since: "1.0.0",
        group: "generic",
        summary: "Get the time to live for a key in seconds",
        complexity: "O(1)",
        history: &[("2.8.0", "Added the -2 reply.")],
        tips: &["nondeterministic_output"],
        syntax: "key:key#0",
        run: Run::Reply(ttl),
        ..Command::EMPTY
    },
    Command {
        name: "type",
        arity: 2,
        flags: READONLY | FAST,
        categories: "keyspace",
        keys: &[KeySpec::at(1, "RO")],
        since: "1.0.0",
        group: "generic",
        summary: "Determine the type stored at key",
        complexity: "O(1)",
        syntax: "key:key#0",
        run: Run::Reply(r#type),
        ..Command::EMPTY
    },
    Command {
        name: "unlink",
        arity: -2,
        flags: WRITE | FAST,
        categories: "keyspace",
        keys: &[KeySpec::range(1, -1, 1, "RM delete")],
        since: "4.0.0",
        group: "generic",
        summary: "Delete a key asynchronously in another thread. Otherwise it is just as DEL, but non blocking.",
        complexity: "O(1) for each key removed regardless of its size. Then the command does O(N) work in a different thread in order to reclaim memory, where N is the number of allocations the deleted objects where composed of.",
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        syntax: "key:key#0*",
        run: Run::Reply(unlink),
        ..Command::EMPTY
    },
    Command {
        name: "wait",
        arity: 3,
        flags: NOSCRIPT,
        categories: "connection",
        since: "3.0.0",
        group: "generic",
        summary: "Wait for the synchronous replication of all the write commands sent in the context of the current connection",
        complexity: "O(1)",
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        syntax: "numreplicas:integer timeout:integer",
        run: Run::Block(wait),
        ..Command::EMPTY
    },
];

fn del(context: &mut Context, args: &mut Args) -> Answer {
    let mut deleted = 0;
    for key in args.rest() {
        deleted += i64::from(context.delete(key));
    }
    Ok(Reply::Integer(deleted))
}

/// There is no other thread to free memory in: the same as DEL.
fn unlink(context: &mut Context, args: &mut Args) -> Answer {
    del(context, args)
}

fn exists(context: &mut Context, args: &mut Args) -> Answer {
    let mut found = 0;
    for key in args.rest() {
        found += i64::from(context.look(key).is_some());
    }
    Ok(Reply::Integer(found))
}

fn touch(context: &mut Context, args: &mut Args) -> Answer {
    let mut found = 0;
    for key in args.rest() {
        found += i64::from(context.read_entry(key).is_some());
    }
    Ok(Reply::Integer(found))
}

fn r#type(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    Ok(Reply::status(context.look(key).map_or("none", |entry| entry.value.type_name())))
}

fn rename(context: &mut Context, args: &mut Args) -> Answer {
    let (from, to) = (args.key()?, args.key()?);
    if !context.exists(from) {
        return Err(Error::NO_SUCH_KEY);
    }
    if from != to {
        // One that has expired goes by that first.
        context.exists(to);
        move_to(context, from, to);
    }
    Ok(Reply::OK)
}

fn renamenx(context: &mut Context, args: &mut Args) -> Answer {
    let (from, to) = (args.key()?, args.key()?);
    if !context.exists(from) {
        return Err(Error::NO_SUCH_KEY);
    }
    if from == to || context.exists(to) {
        return Ok(Reply::Integer(0));
    }
    move_to(context, from, to);
    Ok(Reply::Integer(1))
}

/// Puts the entry of one key at another in the same database, deadline included.
fn move_to(context: &mut Context, from: &[u8], to: &[u8]) {
    let Some(entry) = context.db().remove(from) else { return };
    context.db().put(to, entry);
    // One change, though both keys are different now.
    context.changed(to);
    context.server.touched(context.database, from);
    context.notify(Event::Generic, "rename_from", from);
    context.notify(Event::Generic, "rename_to", to);
}

fn r#move(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let to = database_index(context, args)?;
    if to == context.database {
        return Err(Error::SAME_OBJECT);
    }
    if !context.exists(key) || exists_in(context, to, key) {
        return Ok(Reply::Integer(0));
    }
    if let Some(entry) = context.db().remove(key) {
        context.server.databases[to].put(key, entry);
    }
    context.changed(key);
    context.server.touched(to, key);
    context.notify(Event::Generic, "move_from", key);
    context.server.notify(Event::Generic, "move_to", to, key);
    Ok(Reply::Integer(1))
}

fn copy(context: &mut Context, args: &mut Args) -> Answer {
    let (from, to) = (args.key()?, args.key()?);
    let (mut database, mut replace) = (context.database, false);
    while !args.is_empty() {
        if args.option("replace") {
            replace = true;
        } else if args.remaining() >= 2 && args.option("db") {
            database = database_index(context, args)?;
        } else {
            return Err(Error::SYNTAX);
        }
    }
    if database == context.database && from == to {
        return Err(Error::SAME_OBJECT);
    }
    let now = context.now();
    let Some(entry) = context.read_entry(from) else { return Ok(Reply::Integer(0)) };
    let mut entry = entry.clone();
    entry.accessed = now;
    entry.frequency = Frequency::new(now);
    if let Value::String(value) = &mut entry.value {
        value.unshare();
    }
    if exists_in(context, database, to) && !replace {
        return Ok(Reply::Integer(0));
    }
    context.server.databases[database].put(to, entry);
    context.server.changes += 1;
    context.server.touched(database, to);
    context.server.notify(Event::Generic, "copy_to", database, to);
    Ok(Reply::Integer(1))
}

fn exists_in(context: &mut Context, database: usize, key: &[u8]) -> bool {
    let now = context.now();
    context.server.databases[database].peek(key, now).is_some()
}

/// A database's number as MOVE and COPY take it.
fn database_index(context: &Context, args: &mut Args) -> Result<usize, Error> {
    usize::try_from(args.int()?)
        .ok()
        .filter(|index| *index < context.server.databases.len())
        .ok_or(Error::DB_OUT_OF_RANGE)
}

fn persist(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let now = context.now();
    let has_deadline = context.db().peek(key, now).is_some_and(|entry| entry.deadline.is_some());
    if has_deadline {
        context.db().set_deadline(key, None);
        context.changed_in_place(key, 1);
        context.notify(Event::Generic, "persist", key);
    }
    Ok(Reply::flag(has_deadline))
}

fn expire(context: &mut Context, args: &mut Args) -> Answer {
    let now = context.now();
    set_deadline(context, args, "expire", 1000, now)
}

fn pexpire(context: &mut Context, args: &mut Args) -> Answer {
    let now = context.now();
    set_deadline(context, args, "pexpire", 1, now)
}

fn expireat(context: &mut Context, args: &mut Args) -> Answer {
    set_deadline(context, args, "expireat", 1000, 0)
}

fn pexpireat(context: &mut Context, args: &mut Args) -> Answer {
    set_deadline(context, args, "pexpireat", 1, 0)
}

/// The four commands that set a deadline: `unit` milliseconds, counted from `base`.
fn set_deadline(
    context: &mut Context,
    args: &mut Args,
    name: &str,
    unit: i64,
    base: Millis,
) -> Answer {
    let (key, time) = (args.key()?, args.bytes()?);
    // The options are looked at before the time.
    let condition = Condition::parse(args)?;
    let deadline = Args::new(&[time.to_vec()], 0)
        .integer()?
        .checked_mul(unit)
        .and_then(|time| time.checked_add(base))
        .ok_or_else(|| Error::invalid_expire(name))?;
    let now = context.now();
    let Some(entry) = context.db().peek(key, now) else { return Ok(Reply::Integer(0)) };
    if !condition.allows(entry.deadline, deadline) {
        return Ok(Reply::Integer(0));
    }
    if deadline <= now {
        context.delete(key);
    } else {
        context.db().set_deadline(key, Some(deadline));
        context.changed_in_place(key, 1);
        context.notify(Event::Generic, "expire", key);
    }
    Ok(Reply::Integer(1))
}

/// NX, XX, GT and LT of the commands that set a deadline.
#[derive(Default)]
struct Condition {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Condition {
    fn parse(args: &mut Args) -> Result<Condition, Error> {
        let mut condition = Condition::default();
        while let Some(word) = args.peek() {
            if args.option("nx") {
                condition.nx = true;
            } else if args.option("xx") {
                condition.xx = true;
            } else if args.option("gt") {
                condition.gt = true;
            } else if args.option("lt") {
                condition.lt = true;
            } else {
                return Err(Error::unsupported_option(word));
            }
        }
        if condition.nx && (condition.xx || condition.gt || condition.lt) {
            return Err(Error::EXPIRE_NX_WITH_OTHERS);
        }
        if condition.gt && condition.lt {
            return Err(Error::EXPIRE_GT_WITH_LT);
        }
        Ok(condition)
    }

    /// Whether the new deadline may replace the old; none counts as infinitely late.
    fn allows(&self, old: Option<Millis>, new: Millis) -> bool {
        match old {
            None => !self.xx && !self.gt,
            Some(old) => !(self.nx || self.gt && new <= old || self.lt && new >= old),
        }
    }
}

fn ttl(context: &mut Context, args: &mut Args) -> Answer {
    let now = context.now();
    deadline(context, args, |deadline| seconds(deadline.saturating_sub(now).max(0)))
}

fn pttl(context: &mut Context, args: &mut Args) -> Answer {
    let now = context.now();
    deadline(context, args, |deadline| deadline.saturating_sub(now).max(0))
}

fn expiretime(context: &mut Context, args: &mut Args) -> Answer {
    deadline(context, args, seconds)
}

fn pexpiretime(context: &mut Context, args: &mut Args) -> Answer {
    deadline(context, args, |deadline| deadline)
}

/// Milliseconds rounded to the nearest second.
fn seconds(milliseconds: Millis) -> i64 {
    milliseconds / 1000 + i64::from(milliseconds % 1000 >= 500)
}

/// -2 without a key, -1 without a deadline, and otherwise what `show` makes of the deadline.
fn deadline(context: &mut Context, args: &mut Args, show: impl Fn(Millis) -> i64) -> Answer {
    let key = args.key()?;
    Ok(Reply::Integer(match context.look(key) {
        None => -2,
        Some(entry) => entry.deadline.map_or(-1, show),
    }))
}

fn keys(context: &mut Context, args: &mut Args) -> Answer {
    let pattern = args.bytes()?;
    let now = context.now();
    let found = context
        .db()
        .entries()
        .iter()
        .filter(|(_, entry)| !entry.has_expired(now))
        // A lone star takes every key, the empty one too.
        .filter(|(key, _)| pattern == b"*" || glob::matches(pattern, key, false))
        .map(|(key, _)| Reply::bulk(key))
        .collect();
    Ok(Reply::Array(found))
}

fn randomkey(context: &mut Context, _args: &mut Args) -> Answer {
    let now = context.now();
    // One that has expired is mostly deleted by this look.
    for _ in 0..100 {
        let server = &mut *context.server;
        let random = &mut server.random;
        let database = &mut server.databases[context.database];
        let Some((key, _)) = database.entries().random(|| random.next()) else {
            return Ok(Reply::Null);
        };
        let key = key.to_vec();
        if database.peek(&key, now).is_some() {
            return Ok(Reply::Bulk(key));
        }
    }
    let alive = context.db().entries().iter().find(|(_, entry)| !entry.has_expired(now));
    Ok(alive.map_or(Reply::Null, |(key, _)| Reply::bulk(key)))
}

fn scan(context: &mut Context, args: &mut Args) -> Answer {
    let cursor = scan::cursor(args.bytes()?)?;
    let options = scan::Options::parse(args, true)?;
    let now = context.now();
    let (next, found) = context.db().entries().scan(cursor, options.count);
    let found = found.into_iter().map(|(key, _)| key).filter(|key| options.accepts(key));
    let mut found: Vec<Vec<u8>> = found.map(<[u8]>::to_vec).collect();
    found.retain(|key| match options.kind {
        // Only who asks for a type looks at keys.
        Some(kind) => context
            .inspect(key)
            .is_some_and(|entry| kind.eq_ignore_ascii_case(entry.value.type_name().as_bytes())),
        None => context.db().peek(key, now).is_some(),
    });
    Ok(scan::reply(next, found.into_iter().map(Reply::Bulk).collect()))
}

/// WAIT numreplicas timeout: a lone server has no replicas, and only the time can end it.
fn wait(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    let replicas = args.integer()?;
    let timeout = args.integer_or(Error::TIMEOUT_NOT_INTEGER)?;
    if timeout < 0 {
        return Err(Error::TIMEOUT_NEGATIVE);
    }
    let timed_out = Reply::Integer(0);
    // What Redis waits for it keeps in 32 bits.
    if replicas <= 0 || replicas as i32 <= 0 {
        return Ok(Attempt::Done(timed_out));
    }
    let deadline = (timeout > 0).then(|| timeout.saturating_add(context.now()));
    Ok(Attempt::Wait(Wait { timed_out, ..Wait::new(&[], "", deadline) }))
}

const OBJECT_HELP: (&str, &[&str]) = (
    "OBJECT",
    &[
        "ENCODING <key>",
        "    Return the kind of internal representation used in order to store the value",
        "    associated with a <key>.",
        "FREQ <key>",
        "    Return the access frequency index of the <key>. The returned integer is",
        "    proportional to the logarithm of the recent access frequency of the key.",
        "IDLETIME <key>",
        "    Return the idle time of the <key>, that is the approximated number of",
        "    seconds elapsed since the last access to the key.",
        "REFCOUNT <key>",
        "    Return the number of references of the value associated with the specified",
        "    <key>.",
    ],
);

fn object_help(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(super::help(OBJECT_HELP))
}

fn object_encoding(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    Ok(Reply::bulk_or_null(context.inspect(key).map(|entry| entry.value.encoding())))
}

fn object_idletime(context: &mut Context, args: &mut Args) -> Answer {
    let (key, now) = (args.key()?, context.now());
    let lfu = context.server.config.active.lfu;
    match context.inspect(key) {
        None => Ok(Reply::Null),
        Some(_) if lfu => Err(Error::LFU_SELECTED),
        Some(entry) => Ok(Reply::Integer((now - entry.accessed).max(0) / 1000)),
    }
}

fn object_freq(context: &mut Context, args: &mut Args) -> Answer {
    let (key, now) = (args.key()?, context.now());
    let lfu = context.server.config.active.lfu;
    let counting = context.db().counting.clone();
    match context.inspect(key) {
        None => Ok(Reply::Null),
        Some(_) if !lfu => Err(Error::LFU_NOT_SELECTED),
        Some(entry) => Ok(Reply::Integer(entry.frequency.count(now, &counting).into())),
    }
}

fn object_refcount(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    Ok(match context.inspect(key) {
        None => Reply::Null,
        Some(entry) => Reply::Integer(entry.value.references()),
    })
}
