//! Defines MEMORY: what keys and the server take.
//!
//! The engine does not ask its allocator. What it prints is an estimate, which grows with keys, values and elements: of a
//! key its bytes, its entry and its places in the tables, of a value its bytes, and for each element as much as its
//! kind of table takes. MAXMEMORY goes by the same numbers.

use super::args::Args;
use super::flag::{LOADING, READONLY, STALE};
use super::{Answer, Command, KeySpec, Run};
use crate::error::Error;
use crate::keyspace;
use crate::resp::Reply;
use crate::server::Context;

/// MEMORY.
pub const COMMANDS: &[Command] = &[Command {
    name: "memory",
    arity: -2,
    since: "4.0.0",
    group: "server",
    summary: "A container for memory diagnostics commands",
    complexity: "Depends on subcommand.",
    run: Run::Container(&[
        Command {
            name: "doctor",
            arity: 2,
            since: "4.0.0",
            group: "server",
            summary: "Outputs memory problems report",
            complexity: "O(1)",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_shards",
                "response_policy:special",
            ],
            run: Run::Reply(memory_doctor),
            ..Command::EMPTY
        },
        Command {
            name: "help",
            arity: 2,
            flags: LOADING | STALE,
            since: "4.0.0",
            group: "server",
            summary: "Show helpful text about the different subcommands",
            complexity: "O(1)",
            run: Run::Reply(memory_help),
            ..Command::EMPTY
        },
        Command {
            name: "malloc-stats",
            arity: 2,
            since: "4.0.0",
            group: "server",
            summary: "Show allocator internal stats",
            complexity: "Depends on how much memory is allocated, could be slow",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_shards",
                "response_policy:special",
            ],
            run: Run::Reply(memory_malloc_stats),
            ..Command::EMPTY
        },
        Command {
            name: "purge",
            arity: 2,
            since: "4.0.0",
            group: "server",
            summary: "Ask the allocator to release memory",
            complexity: "Depends on how much memory is allocated, could be slow",
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            run: Run::Reply(memory_purge),
            ..Command::EMPTY
        },
        Command {
            name: "stats",
            arity: 2,
            since: "4.0.0",
            group: "server",
            summary: "Show memory usage details",
            complexity: "O(1)",
            tips: &[
                "nondeterministic_output",
                "request_policy:all_shards",
                "response_policy:special",
            ],
            run: Run::Reply(memory_stats),
            ..Command::EMPTY
        },
        Command {
            name: "usage",
            arity: -3,
            flags: READONLY,
            keys: &[KeySpec::at(2, "RO")],
            since: "4.0.0",
            group: "server",
            summary: "Estimate the memory usage of a key",
            complexity: "O(N) where N is the number of samples.",
            syntax: "key:key#0 SAMPLES=count:integer?",
            run: Run::Reply(memory_usage),
            ..Command::EMPTY
        },
    ]),
    ..Command::EMPTY
}];

/// Elements that MEMORY USAGE looks at if it is not told how many.
const SAMPLES: usize = 5;

/// `MEMORY USAGE key [SAMPLES count]`
fn memory_usage(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let mut samples = SAMPLES;
    while !args.is_empty() {
        if args.remaining() < 2 || !args.option("samples") {
            return Err(Error::SYNTAX);
        }
        let number = args.integer()?;
        samples = usize::try_from(number).map_err(|_| Error::SYNTAX)?;
    }
    let now = context.now();
    let entry = context.db().peek(key, now);
    let memory = entry.map(|entry| keyspace::memory(key, entry, samples));
    Ok(memory.map_or(Reply::Null, |memory| Reply::Integer(memory as i64)))
}

/// `MEMORY STATS`
fn memory_stats(context: &mut Context, _args: &mut Args) -> Answer {
    let server = &mut *context.server;
    let used = server.used_memory();
    let (peak, base) = (server.peak_memory(), server.base_memory() as u64);
    let functions = server.libraries().overhead();
    let number = |number: u64| Reply::Integer(number as i64);
    let mut stats = vec![
        ("peak.allocated".to_owned(), number(peak)),
        ("total.allocated".to_owned(), number(used)),
        ("startup.allocated".to_owned(), number(base)),
        ("replication.backlog".to_owned(), number(0)),
        ("clients.slaves".to_owned(), number(0)),
        ("clients.normal".to_owned(), number(0)),
        ("cluster.links".to_owned(), number(0)),
        ("aof.buffer".to_owned(), number(0)),
        ("lua.caches".to_owned(), number(server.script_overhead() as u64)),
        ("functions.caches".to_owned(), number(functions as u64)),
    ];
    let (mut keys, mut overhead) = (0, base);
    for (index, database) in server.databases.iter().enumerate() {
        if database.is_empty() {
            continue;
        }
        let main = (database.len() * keyspace::PER_KEY) as u64;
        let expires = (database.expiring() * keyspace::PER_DEADLINE) as u64;
        keys += database.len() as u64;
        overhead += main + expires;
        let tables = [
            ("overhead.hashtable.main", main),
            ("overhead.hashtable.expires", expires),
            ("overhead.hashtable.slot-to-keys", 0),
        ];
        let tables = tables.map(|(name, bytes)| (Reply::bulk(name), number(bytes)));
        stats.push((format!("db.{index}"), Reply::Map(tables.into())));
    }
    let net = used.saturating_sub(base);
    let dataset = used.saturating_sub(overhead);
    let percent = |part: u64, whole: u64| Reply::Double(part as f64 * 100.0 / whole.max(1) as f64);
    let rest = [
        ("overhead.total", number(overhead)),
        ("keys.count", number(keys)),
        ("keys.bytes-per-key", number(net.checked_div(keys).unwrap_or(0))),
        ("dataset.bytes", number(dataset)),
        ("dataset.percentage", percent(dataset, net)),
        ("peak.percentage", percent(used, peak)),
        ("allocator.allocated", number(used)),
        ("allocator.active", number(used)),
        ("allocator.resident", number(used)),
        ("allocator-fragmentation.ratio", Reply::Double(1.0)),
        ("allocator-fragmentation.bytes", number(0)),
        ("allocator-rss.ratio", Reply::Double(1.0)),
        ("allocator-rss.bytes", number(0)),
        ("rss-overhead.ratio", Reply::Double(1.0)),
        ("rss-overhead.bytes", number(0)),
        ("fragmentation", Reply::Double(1.0)),
        ("fragmentation.bytes", number(0)),
    ];
    stats.extend(rest.map(|(name, value)| (name.to_owned(), value)));
    Ok(Reply::Map(stats.into_iter().map(|(name, value)| (Reply::bulk(name), value)).collect()))
}

/// What is less than that, Redis does not judge.
const LEAST_MEMORY: u64 = 5 << 20;
/// More cached scripts than that seem too many.
const MOST_SCRIPTS: usize = 1000;

/// `MEMORY DOCTOR`: of what Redis looks for only a peak and many scripts can be here.
fn memory_doctor(context: &mut Context, _args: &mut Args) -> Answer {
    let used = context.server.used_memory();
    let peak = context.server.peak_memory();
    let mut issues = Vec::new();
    if peak as f64 / used.max(1) as f64 > 1.5 {
        issues.push(PEAK);
    }
    if context.server.cached_scripts() > MOST_SCRIPTS {
        issues.push(MANY_SCRIPTS);
    }
    let text = if used < LEAST_MEMORY {
        EMPTY.to_owned()
    } else if issues.is_empty() {
        HEALTHY.to_owned()
    } else {
        [ISSUES, &issues.concat(), END].concat()
    };
    Ok(Reply::Verbatim(*b"txt", text.into_bytes()))
}

const HEALTHY: &str = "Hi Sam, I can't find any memory issue in your instance. I can only account for what occurs on this base.\n";
const ISSUES: &str = "Sam, I detected a few issues in this Redis instance memory implants:\n\n";
const PEAK: &str = " * Peak memory: In the past this instance used more than 150% the memory that is currently using. The allocator is normally not able to release memory after a peak, so you can expect to see a big fragmentation ratio, however this is actually harmless and is only due to the memory peak, and if the Redis instance Resident Set Size (RSS) is currently bigger than expected, the memory will be used as soon as you fill the Redis instance with more data. If the memory peak was only occasional and you want to try to reclaim memory, please try the MEMORY PURGE command, otherwise the only other option is to shutdown and restart the instance.\n\n";
const MANY_SCRIPTS: &str = " * Many scripts: There seem to be many cached scripts in this instance (more than 1000). This may be because scripts are generated and `EVAL`ed, instead of being parameterized (with KEYS and ARGV), `SCRIPT LOAD`ed and `EVALSHA`ed. Unless `SCRIPT FLUSH` is called periodically, the scripts' caches may end up consuming most of your memory.\n\n";
const END: &str = "I'm here to keep you safe, Sam. I want to help you.\n";
const EMPTY: &str = "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be back to our programming as soon as I finished rebooting.\n";

/// `MEMORY MALLOC-STATS`: as Redis answers without jemalloc.
fn memory_malloc_stats(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::bulk("Stats not supported for the current allocator"))
}

/// `MEMORY PURGE`: nothing is kept that could be given back.
fn memory_purge(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::OK)
}

/// `MEMORY HELP`
fn memory_help(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(super::help(HELP))
}

const HELP: (&str, &[&str]) = (
    "MEMORY",
    &[
        "DOCTOR",
        "    Return memory problems reports.",
        "MALLOC-STATS",
        "    Return internal statistics report from the memory allocator.",
        "PURGE",
        "    Attempt to purge dirty pages for reclamation by the allocator.",
        "STATS",
        "    Return information about the memory usage of the server.",
        "USAGE <key> [SAMPLES <count>]",
        "    Return memory in bytes used by <key> and its value. Nested values are",
        "    sampled up to <count> times (default: 5, 0 means sample all).",
    ],
);
