//! Defines SLOWLOG: the commands that took long.

use super::args::Args;
use super::flag::{ADMIN, LOADING, STALE};
use super::{Answer, Command, Run};
use crate::error::Error;
use crate::number;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::slowlog::Slow;

/// SLOWLOG.
pub const COMMANDS: &[Command] = &[Command {
    name: "slowlog",
    arity: -2,
    since: "2.2.12",
    group: "server",
    summary: "A container for slow log commands",
    complexity: "Depends on subcommand.",
    run: Run::Container(&[
        Command {
            name: "get",
            arity: -2,
            flags: ADMIN | LOADING | STALE,
            since: "2.2.12",
            group: "server",
            summary: "Get the slow log's entries",
            complexity: "O(N) where N is the number of entries returned",
            history: &[("4.0.0", "Added client IP address, port and name to the reply.")],
            tips: &["request_policy:all_nodes", "nondeterministic_output"],
            syntax: "count:integer?",
            run: Run::Reply(slowlog_get),
            ..Command::EMPTY
        },
        Command {
            name: "help",
            arity: 2,
            flags: LOADING | STALE,
            since: "6.2.0",
            group: "server",
            summary: "Show helpful text about the different subcommands",
            complexity: "O(1)",
            run: Run::Reply(slowlog_help),
            ..Command::EMPTY
        },
        Command {
            name: "len",
            arity: 2,
            flags: ADMIN | LOADING | STALE,
            since: "2.2.12",
            group: "server",
            summary: "Get the slow log's length",
            complexity: "O(1)",
            tips: &[
                "request_policy:all_nodes",
                "response_policy:agg_sum",
                "nondeterministic_output",
            ],
            run: Run::Reply(slowlog_len),
            ..Command::EMPTY
        },
        Command {
            name: "reset",
            arity: 2,
            flags: ADMIN | LOADING | STALE,
            since: "2.2.12",
            group: "server",
            summary: "Clear all entries from the slow log",
            complexity: "O(N) where N is the number of entries in the slowlog",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            run: Run::Reply(slowlog_reset),
            ..Command::EMPTY
        },
    ]),
    ..Command::EMPTY
}];

/// Entries that SLOWLOG GET prints if it is not told how many.
const ENTRIES: usize = 10;

/// `SLOWLOG GET [count]`
fn slowlog_get(context: &mut Context, args: &mut Args) -> Answer {
    if args.remaining() > 1 {
        let name = args.argv().get(1).map_or(&[][..], Vec::as_slice);
        return Err(Error::wrong_subcommand_arity(name, "SLOWLOG"));
    }
    let count = match args.peek() {
        None => ENTRIES,
        Some(text) => match number::parse_integer(text) {
            Some(-1) => usize::MAX,
            number => number
                .and_then(|number| usize::try_from(number).ok())
                .ok_or(Error::SLOWLOG_COUNT)?,
        },
    };
    Ok(Reply::Array(context.server.slowlog.entries.iter().take(count).map(show).collect()))
}

fn show(slow: &Slow) -> Reply {
    Reply::Array(vec![
        Reply::Integer(slow.id),
        Reply::Integer(slow.time as i64),
        Reply::Integer(slow.microseconds as i64),
        Reply::bulks(&slow.arguments),
        Reply::bulk(&slow.address),
        Reply::bulk(&slow.name),
    ])
}

/// `SLOWLOG LEN`
fn slowlog_len(context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::Integer(context.server.slowlog.entries.len() as i64))
}

/// `SLOWLOG RESET`
fn slowlog_reset(context: &mut Context, _args: &mut Args) -> Answer {
    context.server.slowlog.entries.clear();
    Ok(Reply::OK)
}

/// `SLOWLOG HELP`
fn slowlog_help(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(super::help(HELP))
}

const HELP: (&str, &[&str]) = (
    "SLOWLOG",
    &[
        "GET [<count>]",
        "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
        "    Entries are made of:",
        "    id, timestamp, time in microseconds, arguments array, client IP and port,",
        "    client name",
        "LEN",
        "    Return the length of the slowlog.",
        "RESET",
        "    Reset the slowlog.",
    ],
);
