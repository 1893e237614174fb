//! Defines the hash commands.

use super::args::Args;
use super::flag::{DENYOOM, FAST, READONLY, WRITE};
use super::scan::{self, Options};
use super::{Answer, Command, KeySpec, MOST_ELEMENTS, Run};
use crate::error::Error;
use crate::long_double::LongDouble;
use crate::number;
use crate::resp::{Reply, Resp};
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::LONGEST_STRING;
use crate::value::hash::{Hash, Limits};

/// The hash commands.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "hdel",
        arity: -3,
        flags: WRITE | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "2.0.0",
        group: "hash",
        summary: "Delete one or more hash fields",
        complexity: "O(N) where N is the number of fields to be removed.",
        history: &[("2.4.0", "Accepts multiple `field` arguments.")],
        syntax: "key:key#0 field:string*",
        run: Run::Reply(hdel),
        ..Command::EMPTY
    },
    Command {
        name: "hexists",
        arity: 3,
        flags: READONLY | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RO")],
        since: "2.0.0",
        group: "hash",
        summary: "Determine if a hash field exists",
        complexity: "O(1)",
        syntax: "key:key#0 field:string",
        run: Run::Reply(hexists),
        ..Command::EMPTY
    },
    Command {
        name: "hget",
        arity: 3,
        flags: READONLY | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.0.0",
        group: "hash",
        summary: "Get the value of a hash field",
        complexity: "O(1)",
        syntax: "key:key#0 field:string",
        run: Run::Reply(hget),
        ..Command::EMPTY
    },
    Command {
        name: "hgetall",
        arity: 2,
        flags: READONLY,
        categories: "hash",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.0.0",
        group: "hash",
        summary: "Get all the fields and values in a hash",
        complexity: "O(N) where N is the size of the hash.",
        tips: &["nondeterministic_output_order"],
        syntax: "key:key#0",
        run: Run::Reply(hgetall),
        ..Command::EMPTY
    },
    Command {
        name: "hincrby",
        arity: 4,
        flags: WRITE | DENYOOM | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RW access update")],
        since: "2.0.0",
        group: "hash",
        summary: "Increment the integer value of a hash field by the given number",
        complexity: "O(1)",
        syntax: "key:key#0 field:string increment:integer",
        run: Run::Reply(hincrby),
        ..Command::EMPTY
    },
    Command {
        name: "hincrbyfloat",
        arity: 4,
        flags: WRITE | DENYOOM | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RW access update")],
        since: "2.6.0",
        group: "hash",
        summary: "Increment the float value of a hash field by the given amount",
        complexity: "O(1)",
        syntax: "key:key#0 field:string increment:double",
        run: Run::Reply(hincrbyfloat),
        ..Command::EMPTY
    },
    Command {
        name: "hkeys",
        arity: 2,
        flags: READONLY,
        categories: "hash",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.0.0",
        group: "hash",
        summary: "Get all the fields in a hash",
        complexity: "O(N) where N is the size of the hash.",
        tips: &["nondeterministic_output_order"],
        syntax: "key:key#0",
        run: Run::Reply(hkeys),
        ..Command::EMPTY
    },
    Command {
        name: "hlen",
        arity: 2,
        flags: READONLY | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RO")],
        since: "2.0.0",
        group: "hash",
        summary: "Get the number of fields in a hash",
        complexity: "O(1)",
        syntax: "key:key#0",
        run: Run::Reply(hlen),
        ..Command::EMPTY
    },
    Command {
        name: "hmget",
        arity: -3,
        flags: READONLY | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.0.0",
        group: "hash",
        summary: "Get the values of all the given hash fields",
        complexity: "O(N) where N is the number of fields being requested.",
        syntax: "key:key#0 field:string*",
        run: Run::Reply(hmget),
        ..Command::EMPTY
    },
    Command {
        name: "hmset",
        arity: -4,
        flags: WRITE | DENYOOM | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RW update")],
        since: "2.0.0",
        group: "hash",
        summary: "Set multiple hash fields to multiple values",
        complexity: "O(N) where N is the number of fields being set.",
        doc_flags: "deprecated",
        deprecated: Some(("4.0.0", "`HSET` with multiple field-value pairs")),
        syntax: "key:key#0 field_value{field:string value:string}*",
        run: Run::Reply(hmset),
        ..Command::EMPTY
    },
    Command {
        name: "hrandfield",
        arity: -2,
        flags: READONLY,
        categories: "hash",
        keys: &[KeySpec::at(1, "RO access")],
        since: "6.2.0",
        group: "hash",
        summary: "Get one or multiple random fields from a hash",
        complexity: "O(N) where N is the number of fields returned",
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 options{count:integer WITHVALUES?}?",
        run: Run::Reply(hrandfield),
        ..Command::EMPTY
    },
    Command {
        name: "hscan",
        arity: -3,
        flags: READONLY,
        categories: "hash",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.8.0",
        group: "hash",
        summary: "Incrementally iterate hash fields and associated values",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection..",
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 cursor:integer MATCH=pattern:pattern? COUNT=count:integer?",
        run: Run::Reply(hscan),
        ..Command::EMPTY
    },
    Command {
        name: "hset",
        arity: -4,
        flags: WRITE | DENYOOM | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RW update")],
        since: "2.0.0",
        group: "hash",
        summary: "Set the string value of a hash field",
        complexity: "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called with multiple field/value pairs.",
        history: &[("4.0.0", "Accepts multiple `field` and `value` arguments.")],
        syntax: "key:key#0 field_value{field:string value:string}*",
        run: Run::Reply(hset),
        ..Command::EMPTY
    },
    Command {
        name: "hsetnx",
        arity: 4,
        flags: WRITE | DENYOOM | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RW insert")],
        since: "2.0.0",
        group: "hash",
        summary: "Set the value of a hash field, only if the field does not exist",
        complexity: "O(1)",
        syntax: "key:key#0 field:string value:string",
        run: Run::Reply(hsetnx),
        ..Command::EMPTY
    },
    Command {
        name: "hstrlen",
        arity: 3,
        flags: READONLY | FAST,
        categories: "hash",
        keys: &[KeySpec::at(1, "RO")],
        since: "3.2.0",
        group: "hash",
        summary: "Get the length of the value of a hash field",
        complexity: "O(1)",
        syntax: "key:key#0 field:string",
        run: Run::Reply(hstrlen),
        ..Command::EMPTY
    },
    Command {
        name: "hvals",
        arity: 2,
        flags: READONLY,
        categories: "hash",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.0.0",
        group: "hash",
        summary: "Get all the values in a hash",
        complexity: "O(N) where N is the size of the hash.",
        tips: &["nondeterministic_output_order"],
        syntax: "key:key#0",
        run: Run::Reply(hvals),
        ..Command::EMPTY
    },
];

/// Up to where a hash stays a listpack.
fn limits(context: &Context) -> Limits {
    let config = &context.server.config.active;
    Limits { entries: config.hash_max_listpack_entries, value: config.hash_max_listpack_value }
}

fn hset(context: &mut Context, args: &mut Args) -> Answer {
    set_all(context, args, "hset").map(Reply::Integer)
}

fn hmset(context: &mut Context, args: &mut Args) -> Answer {
    set_all(context, args, "hmset").map(|_| Reply::OK)
}

/// Sets fields to values, and counts those that are new.
fn set_all(context: &mut Context, args: &mut Args, name: &str) -> Result<i64, Error> {
    let (key, limits) = (args.key()?, limits(context));
    let pairs = args.pairs(name)?;
    let hash = context.create::<Hash>(key)?;
    let new = pairs.iter().filter(|(field, value)| hash.set(field, value.to_vec(), limits));
    let new = new.count();
    context.changed_times(key, pairs.len());
    context.notify(Event::Hash, "hset", key);
    Ok(new as i64)
}

fn hsetnx(context: &mut Context, args: &mut Args) -> Answer {
    let (key, field, value, limits) = (args.key()?, args.bytes()?, args.bytes()?, limits(context));
    let hash = context.create::<Hash>(key)?;
    if hash.contains(field) {
        return Ok(Reply::Integer(0));
    }
    hash.set(field, value.to_vec(), limits);
    context.changed(key);
    context.notify(Event::Hash, "hset", key);
    Ok(Reply::Integer(1))
}

fn hget(context: &mut Context, args: &mut Args) -> Answer {
    let (key, field) = (args.key()?, args.bytes()?);
    Ok(Reply::bulk_or_null(context.read::<Hash>(key)?.and_then(|hash| hash.get(field))))
}

fn hmget(context: &mut Context, args: &mut Args) -> Answer {
    let (key, fields) = (args.key()?, args.rest());
    let hash = context.read::<Hash>(key)?;
    let values = fields.iter().map(|field| hash.and_then(|hash| hash.get(field)));
    Ok(Reply::Array(values.map(Reply::bulk_or_null).collect()))
}

fn hexists(context: &mut Context, args: &mut Args) -> Answer {
    let (key, field) = (args.key()?, args.bytes()?);
    Ok(Reply::flag(context.read::<Hash>(key)?.is_some_and(|hash| hash.contains(field))))
}

fn hstrlen(context: &mut Context, args: &mut Args) -> Answer {
    let (key, field) = (args.key()?, args.bytes()?);
    let value = context.read::<Hash>(key)?.and_then(|hash| hash.get(field));
    Ok(Reply::Integer(value.map_or(0, <[u8]>::len) as i64))
}

fn hlen(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    Ok(Reply::Integer(context.read::<Hash>(key)?.map_or(0, Hash::len) as i64))
}

fn hdel(context: &mut Context, args: &mut Args) -> Answer {
    let (key, fields) = (args.key()?, args.rest());
    let Some(hash) = context.write::<Hash>(key)? else { return Ok(Reply::Integer(0)) };
    let removed = fields.iter().filter(|field| hash.remove(field)).count();
    let empty = hash.is_empty();
    if removed > 0 {
        context.changed_times(key, removed);
        context.notify(Event::Hash, "hdel", key);
    }
    if empty {
        context.delete_emptied(key);
    }
    Ok(Reply::Integer(removed as i64))
}

fn hgetall(context: &mut Context, args: &mut Args) -> Answer {
    let pairs = each(context, args, |field, value| (Reply::bulk(field), Reply::bulk(value)))?;
    Ok(Reply::Map(pairs))
}

fn hkeys(context: &mut Context, args: &mut Args) -> Answer {
    each(context, args, |field, _| Reply::bulk(field)).map(Reply::Array)
}

fn hvals(context: &mut Context, args: &mut Args) -> Answer {
    each(context, args, |_, value| Reply::bulk(value)).map(Reply::Array)
}

/// What `show` makes of each field and value of the hash that the next argument names.
fn each<T>(
    context: &mut Context,
    args: &mut Args,
    show: impl Fn(&[u8], &[u8]) -> T,
) -> Result<Vec<T>, Error> {
    let key = args.key()?;
    let hash = context.read::<Hash>(key)?;
    let fields = hash.into_iter().flat_map(Hash::iter);
    Ok(fields.map(|(field, value)| show(field, value)).collect())
}

fn hincrby(context: &mut Context, args: &mut Args) -> Answer {
    let (key, field, increment) = (args.key()?, args.bytes()?, args.integer()?);
    let old = match context.write::<Hash>(key)?.and_then(|hash| hash.get(field)) {
        Some(value) => number::parse_integer(value).ok_or(Error::HASH_NOT_INTEGER)?,
        None => 0,
    };
    let sum = old.checked_add(increment).ok_or(Error::INCREMENT_OVERFLOW)?;
    set_one(context, key, field, sum.to_string().into_bytes(), "hincrby")?;
    Ok(Reply::Integer(sum))
}

fn hincrbyfloat(context: &mut Context, args: &mut Args) -> Answer {
    let (key, field) = (args.key()?, args.bytes()?);
    let increment = LongDouble::parse(args.bytes()?).ok_or(Error::NOT_FLOAT)?;
    if increment.is_infinite() {
        return Err(Error::NOT_FINITE);
    }
    let old = match context.write::<Hash>(key)?.and_then(|hash| hash.get(field)) {
        Some(value) => LongDouble::parse(value).ok_or(Error::HASH_NOT_FLOAT)?,
        None => LongDouble::from_integer(0),
    };
    let sum = old.plus(increment).filter(|sum| !sum.is_infinite());
    let sum = sum.ok_or(Error::INCREMENT_NOT_FINITE)?.to_text();
    set_one(context, key, field, sum.clone(), "hincrbyfloat")?;
    Ok(Reply::Bulk(sum))
}

fn set_one(
    context: &mut Context,
    key: &[u8],
    field: &[u8],
    value: Vec<u8>,
    event: &str,
) -> Result<(), Error> {
    let limits = limits(context);
    context.create::<Hash>(key)?.set(field, value, limits);
    context.changed(key);
    context.notify(Event::Hash, event, key);
    Ok(())
}

fn hrandfield(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    if args.is_empty() {
        let mut random = context.server.random.clone();
        let found = context.read::<Hash>(key)?.and_then(|hash| hash.random(|| random.next()));
        let reply = Reply::bulk_or_null(found.map(|(field, _)| field));
        context.server.random = random;
        return Ok(reply);
    }
    let count = args.integer()?;
    if count == i64::MIN {
        return Err(Error::not_between(-i64::MAX, i64::MAX));
    }
    let with_values = args.option("WITHVALUES");
    args.end()?;
    if with_values && count.unsigned_abs() > i64::MAX.unsigned_abs() / 2 {
        return Err(Error::OUT_OF_RANGE);
    }
    let nested = context.resp == Resp::V3;
    let mut random = context.server.random.clone();
    let Some(hash) = context.read::<Hash>(key)? else { return Ok(Reply::Array(Vec::new())) };
    if count < 0 && count.unsigned_abs() > MOST_ELEMENTS {
        return Err(Error::OOM);
    }
    let mut reply = Vec::new();
    let mut show = |(field, value): (&[u8], &[u8])| match (with_values, nested) {
        (false, _) => reply.push(Reply::bulk(field)),
        (true, false) => reply.extend([Reply::bulk(field), Reply::bulk(value)]),
        (true, true) => reply.push(Reply::bulks([field, value])),
    };
    if count < 0 {
        // The same field may come again, however long it is.
        let mut bytes = 0;
        for _ in 0..count.unsigned_abs() {
            if let Some(pair) = hash.random(|| random.next()) {
                bytes += pair.0.len() + if with_values { pair.1.len() } else { 0 };
                if bytes > LONGEST_STRING {
                    return Err(Error::OOM);
                }
                show(pair);
            }
        }
    } else {
        // Each field at most once, in the hash's order.
        let mut is_taken = random.sample(count.unsigned_abs(), hash.len() as u64);
        hash.iter().filter(|_| is_taken()).for_each(show);
    }
    context.server.random = random;
    Ok(Reply::Array(reply))
}

fn hscan(context: &mut Context, args: &mut Args) -> Answer {
    let (key, cursor) = (args.key()?, scan::cursor(args.bytes()?)?);
    let Some(hash) = context.read::<Hash>(key)? else { return Ok(scan::reply(0, Vec::new())) };
    // The options of a missing key are not looked at.
    let options = Options::parse(args, false)?;
    let (next, found) = hash.scan(cursor, options.count);
    let found = found.into_iter().filter(|(field, _)| options.accepts(field));
    Ok(scan::reply(
        next,
        found.flat_map(|(field, value)| [Reply::bulk(field), Reply::bulk(value)]).collect(),
    ))
}
