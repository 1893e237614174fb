//! Defines the commands that write to files and to other servers, of which there are none.

use super::args::Args;
use super::flag::{ADMIN, NO_ASYNC_LOADING, NO_MULTI, NOSCRIPT, WRITE};
use super::{Answer, Begin, Command, Find, KeySpec, Run};
use crate::error::Error;
use crate::number;
use crate::resp::Reply;
use crate::server::Context;

/// Those commands.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "bgrewriteaof",
        arity: 1,
        flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
        since: "1.0.0",
        group: "server",
        summary: "Asynchronously rewrite the append-only file",
        complexity: "O(1)",
        run: Run::Reply(bgrewriteaof),
        ..Command::EMPTY
    },
    Command {
        name: "bgsave",
        arity: -1,
        flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
        since: "1.0.0",
        group: "server",
        summary: "Asynchronously save the dataset to disk",
        complexity: "O(1)",
        history: &[("3.2.2", "Added the `SCHEDULE` option.")],
        syntax: "SCHEDULE?@3.2.2",
        run: Run::Reply(bgsave),
        ..Command::EMPTY
    },
    Command {
        name: "save",
        arity: 1,
        flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
        since: "1.0.0",
        group: "server",
        summary: "Synchronously save the dataset to disk",
        complexity: "O(N) where N is the total number of keys in all databases",
        run: Run::Reply(save),
        ..Command::EMPTY
    },
    Command {
        name: "migrate",
        arity: -6,
        flags: WRITE,
        categories: "dangerous keyspace",
        keys: &[
            KeySpec::at(3, "RW access delete"),
            KeySpec {
                notes: "",
                flags: "RW access delete incomplete",
                begin: Begin::Keyword("KEYS", -2),
                find: Find::Range { last: -1, step: 1, limit: 0 },
            },
        ],
        since: "2.6.0",
        group: "generic",
        summary: "Atomically transfer a key from a Redis instance to another one.",
        complexity: "This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the target instance. See the pages of these commands for time complexity. Also an O(N) data transfer between the two instances is performed.",
        history: &[
            ("3.0.0", "Added the `COPY` and `REPLACE` options."),
            ("3.0.6", "Added the `KEYS` option."),
            ("4.0.7", "Added the `AUTH` option."),
            ("6.0.0", "Added the `AUTH2` option."),
        ],
        tips: &["nondeterministic_output"],
        syntax: "host:string port:integer key_or_empty_string(key:key#0|\"\"/empty_string) destination-db:integer timeout:integer COPY?@3.0.0 REPLACE?@3.0.0 authentication(AUTH=password:string?@4.0.7|AUTH2=username_password{username:string password:string}?@6.0.0)? KEYS=key:key#1?*@3.0.6",
        run: Run::Reply(migrate),
        ..Command::EMPTY
    },
];

/// `BGREWRITEAOF`
fn bgrewriteaof(_context: &mut Context, _args: &mut Args) -> Answer {
    Err(Error::NO_FILES)
}

/// `BGSAVE [SCHEDULE]`
fn bgsave(_context: &mut Context, args: &mut Args) -> Answer {
    args.option("schedule");
    args.end()?;
    Err(Error::NO_FILES)
}

/// `SAVE`
fn save(_context: &mut Context, _args: &mut Args) -> Answer {
    Err(Error::NO_FILES)
}

/// `MIGRATE host port key|"" destination-db timeout [COPY] [REPLACE] [AUTH password] [AUTH2 username password]
/// [KEYS key [key ...]]`: as on a node that cannot reach the other one.
fn migrate(context: &mut Context, args: &mut Args) -> Answer {
    args.take(2)?;
    let mut keys = args.take(1)?;
    let (database, timeout) = (args.bytes()?, args.bytes()?);
    while !args.is_empty() {
        if args.option("copy") || args.option("replace") {
        } else if args.option("auth") {
            context.redact(args, args.remaining().min(1));
            args.bytes()?;
        } else if args.option("auth2") {
            context.redact(args, if args.remaining() > 1 { 2 } else { 0 });
            args.take(2)?;
        } else if args.option("keys") {
            if keys.iter().any(|key| !key.is_empty()) {
                return Err(Error::MIGRATE_KEYS);
            }
            keys = args.rest();
        } else {
            return Err(Error::SYNTAX);
        }
    }
    for number in [timeout, database] {
        number::parse_integer(number).ok_or(Error::NOT_INTEGER)?;
    }
    let found = keys.iter().filter(|key| context.read_entry(key).is_some()).count();
    if found == 0 { Ok(Reply::status("NOKEY")) } else { Err(Error::MIGRATE_CONNECT) }
}
