//! Defines the HyperLogLog commands.

use super::args::Args;
use super::flag::{ADMIN, DENYOOM, FAST, READONLY, WRITE};
use super::{Answer, Begin, Command, Find, KeySpec, Run};
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::Kind;
use crate::value::hyperloglog;
use crate::value::string::StringValue;

/// The HyperLogLog commands.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "pfadd",
        arity: -2,
        flags: WRITE | DENYOOM | FAST,
        categories: "hyperloglog",
        keys: &[KeySpec::at(1, "RW insert")],
        since: "2.8.9",
        group: "hyperloglog",
        summary: "Adds the specified elements to the specified HyperLogLog.",
        complexity: "O(1) to add every element.",
        syntax: "key:key#0 element:string?*",
        run: Run::Reply(pfadd),
        ..Command::EMPTY
    },
    Command {
        name: "pfcount",
        arity: -2,
        flags: READONLY,
        categories: "hyperloglog",
        keys: &[KeySpec {
            notes: "RW because it may change the internal representation of the key, and propagate to replicas",
            flags: "RW access",
            begin: Begin::Index(1),
            find: Find::Range { last: -1, step: 1, limit: 0 },
        }],
        since: "2.8.9",
        group: "hyperloglog",
        summary: "Return the approximated cardinality of the set(s) observed by the HyperLogLog at key(s).",
        complexity: "O(1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, and much bigger constant times, when called with multiple keys.",
        syntax: "key:key#0*",
        run: Run::Reply(pfcount),
        ..Command::EMPTY
    },
    Command {
        name: "pfdebug",
        arity: 3,
        flags: WRITE | DENYOOM | ADMIN,
        categories: "hyperloglog",
        keys: &[KeySpec::at(2, "RW access")],
        since: "2.8.9",
        group: "hyperloglog",
        summary: "Internal commands for debugging HyperLogLog values",
        complexity: "N/A",
        doc_flags: "syscmd",
        syntax: "subcommand:string key:key#0",
        run: Run::Reply(pfdebug),
        ..Command::EMPTY
    },
    Command {
        name: "pfmerge",
        arity: -2,
        flags: WRITE | DENYOOM,
        categories: "hyperloglog",
        keys: &[KeySpec::at(1, "RW access insert"), KeySpec::range(2, -1, 1, "RO access")],
        since: "2.8.9",
        group: "hyperloglog",
        summary: "Merge N different HyperLogLogs into a single one.",
        complexity: "O(N) to merge N HyperLogLogs, but with high constant times.",
        syntax: "destkey:key#0 sourcekey:key#1*",
        run: Run::Reply(pfmerge),
        ..Command::EMPTY
    },
    Command {
        name: "pfselftest",
        arity: 1,
        flags: ADMIN,
        categories: "hyperloglog",
        since: "2.8.9",
        group: "hyperloglog",
        summary: "An internal command for testing HyperLogLog values",
        complexity: "N/A",
        doc_flags: "syscmd",
        run: Run::Reply(pfselftest),
        ..Command::EMPTY
    },
];

/// The bytes of a string that is a HyperLogLog, to change.
fn bytes(value: &mut StringValue) -> Result<&mut Vec<u8>, Error> {
    if !hyperloglog::is_valid(&value.bytes()) {
        return Err(Error::NOT_HYPERLOGLOG);
    }
    Ok(value.make_raw())
}

/// The HyperLogLog of a key, made if it is not there, and whether it was not.
fn create<'a>(context: &'a mut Context, key: &[u8]) -> Result<(&'a mut Vec<u8>, bool), Error> {
    let is_new = context.write::<StringValue>(key)?.is_none();
    let value = context.create::<StringValue>(key)?;
    if is_new {
        *value = StringValue::raw(hyperloglog::new());
    }
    Ok((bytes(value)?, is_new))
}

/// The greatest value that each register has at any of these keys, and whether one of them is dense.
fn merged(context: &mut Context, keys: &[Vec<u8>]) -> Result<(Vec<u8>, bool), Error> {
    let (mut merged, mut is_dense) = (vec![0; hyperloglog::REGISTERS], false);
    for key in keys {
        let Some(value) = context.read::<StringValue>(key)? else { continue };
        let hll = value.bytes();
        if !hyperloglog::is_valid(&hll) {
            return Err(Error::NOT_HYPERLOGLOG);
        }
        is_dense |= hyperloglog::is_dense(&hll);
        let registers = hyperloglog::registers(&hll).ok_or(Error::CORRUPT_HYPERLOGLOG)?;
        for (most, register) in merged.iter_mut().zip(registers) {
            *most = register.max(*most);
        }
    }
    Ok((merged, is_dense))
}

/// `PFADD key [element [element ...]]`
fn pfadd(context: &mut Context, args: &mut Args) -> Answer {
    let (key, elements) = (args.key()?, args.rest());
    let most_bytes = context.server.config.active.hll_sparse_max_bytes;
    let (hll, is_new) = create(context, key)?;
    let mut changes = usize::from(is_new);
    for element in elements {
        let changed = hyperloglog::add(hll, element, most_bytes);
        changes += usize::from(changed.ok_or(Error::CORRUPT_HYPERLOGLOG)?);
    }
    if changes > 0 {
        context.changed_times(key, changes);
        context.notify(Event::String, "pfadd", key);
    }
    Ok(Reply::flag(changes > 0))
}

/// `PFCOUNT key [key ...]`
fn pfcount(context: &mut Context, args: &mut Args) -> Answer {
    let keys = args.rest();
    let [key] = keys else {
        let (registers, _) = merged(context, keys)?;
        return Ok(Reply::Integer(hyperloglog::estimate(&registers) as i64));
    };
    let Some(entry) = context.read_entry(key) else { return Ok(Reply::Integer(0)) };
    let value = StringValue::of_mut(&mut entry.value).ok_or(Error::WRONG_TYPE)?;
    let hll = bytes(value)?;
    if let Some(estimate) = hyperloglog::cached(hll) {
        return Ok(Reply::Integer(estimate as i64));
    }
    let registers = hyperloglog::registers(hll).ok_or(Error::CORRUPT_HYPERLOGLOG)?;
    let estimate = hyperloglog::estimate(&registers);
    // The string has changed, and so the key.
    hyperloglog::cache(hll, estimate);
    context.changed(key);
    Ok(Reply::Integer(estimate as i64))
}

/// `PFMERGE destkey [sourcekey [sourcekey ...]]`
fn pfmerge(context: &mut Context, args: &mut Args) -> Answer {
    let keys = args.rest();
    let (registers, is_dense) = merged(context, keys)?;
    let most_bytes = context.server.config.active.hll_sparse_max_bytes;
    let destination = keys.first().ok_or(Error::SYNTAX)?;
    let (hll, _) = create(context, destination)?;
    if is_dense {
        hyperloglog::make_dense(hll).ok_or(Error::CORRUPT_HYPERLOGLOG)?;
    }
    for (index, register) in registers.into_iter().enumerate().filter(|(_, value)| *value > 0) {
        hyperloglog::raise(hll, index, register, most_bytes).ok_or(Error::CORRUPT_HYPERLOGLOG)?;
    }
    hyperloglog::invalidate(hll);
    context.changed(destination);
    context.notify(Event::String, "pfadd", destination);
    Ok(Reply::OK)
}

/// `PFDEBUG GETREG | DECODE | ENCODING | TODENSE key`
fn pfdebug(context: &mut Context, args: &mut Args) -> Answer {
    let (word, key) = (args.bytes()?, args.key()?);
    let longest = context.server.longest_string();
    let value = context.write::<StringValue>(key)?.ok_or(Error::PFDEBUG_NO_KEY)?;
    let hll = bytes(value)?;
    let is_dense = hyperloglog::is_dense(hll);
    match &word.to_ascii_lowercase()[..] {
        b"getreg" | b"todense" => {
            hyperloglog::make_dense(hll).ok_or(Error::CORRUPT_HYPERLOGLOG)?;
            let reply = if word.eq_ignore_ascii_case(b"todense") {
                Reply::flag(!is_dense)
            } else {
                let registers = hyperloglog::registers(hll).unwrap_or_default();
                Reply::Array(
                    registers.into_iter().map(|value| Reply::Integer(value.into())).collect(),
                )
            };
            // A transaction that watches the key does not hear of it.
            context.server.changes += u64::from(!is_dense);
            Ok(reply)
        }
        b"decode" if is_dense => Err(Error::HYPERLOGLOG_NOT_SPARSE),
        b"decode" => {
            let mut text = String::new();
            for run in hyperloglog::runs(hll) {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push(char::from(run.letter));
                text.push(':');
                if run.value > 0 {
                    text.push_str(&run.value.to_string());
                    text.push(',');
                }
                text.push_str(&run.length.to_string());
                if text.len() > longest {
                    return Err(Error::OOM);
                }
            }
            Ok(Reply::bulk(text))
        }
        b"encoding" => Ok(Reply::status(if is_dense { "dense" } else { "sparse" })),
        _ => Err(Error::unknown_pfdebug(word)),
    }
}

/// `PFSELFTEST`
fn pfselftest(_context: &mut Context, _args: &mut Args) -> Answer {
    /// Redis tries ten million, for half a second.
    const MOST: u64 = 10_000;
    const SPARSE: usize = 3000;
    let (mut sparse, mut dense) = (hyperloglog::new(), hyperloglog::new());
    hyperloglog::make_dense(&mut dense);
    let mut checkpoint = 1;
    for number in 1..=MOST {
        let element = number.to_le_bytes();
        hyperloglog::add(&mut sparse, &element, SPARSE);
        hyperloglog::add(&mut dense, &element, SPARSE);
        if number == checkpoint {
            let registers = hyperloglog::registers(&dense);
            if registers.is_none() || registers != hyperloglog::registers(&sparse) {
                return Err(Error::SELF_TEST_DISAGREES);
            }
            // The standard error is 1.04 over the root of the number of registers, below 1 in 100.
            let estimate = hyperloglog::estimate(&registers.unwrap_or_default());
            if estimate.abs_diff(number) > 1 + number * 6 / 100 {
                return Err(Error::SELF_TEST_ERROR);
            }
            checkpoint *= 10;
        }
    }
    Ok(Reply::OK)
}
