//! Defines the commands about the server: COMMAND, CONFIG, INFO, the databases as a whole, SHUTDOWN, TIME.

use super::args::Args;
use super::flag::{ADMIN, ALLOW_BUSY, FAST, LOADING, NO_MULTI, NOSCRIPT, READONLY, STALE, WRITE};
use super::{Command, Run, introspection, lolwut};
use crate::error::Error;
use crate::resp::Reply;
use crate::server::client::Muted;
use crate::server::{Context, Stats};

/// The server commands.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "command",
        arity: -1,
        flags: LOADING | STALE,
        categories: "connection",
        since: "2.8.13",
        group: "server",
        summary: "Get array of Redis command details",
        complexity: "O(N) where N is the total number of Redis commands",
        tips: &["nondeterministic_output_order"],
        run: Run::Both(
            introspection::all,
            &[
                Command {
                    name: "count",
                    arity: 2,
                    flags: LOADING | STALE,
                    categories: "connection",
                    since: "2.8.13",
                    group: "server",
                    summary: "Get total number of Redis commands",
                    complexity: "O(1)",
                    run: Run::Reply(introspection::count),
                    ..Command::EMPTY
                },
                Command {
                    name: "docs",
                    arity: -2,
                    flags: LOADING | STALE,
                    categories: "connection",
                    since: "7.0.0",
                    group: "server",
                    summary: "Get array of specific Redis command documentation",
                    complexity: "O(N) where N is the number of commands to look up",
                    tips: &["nondeterministic_output_order"],
                    syntax: "command-name:string?*",
                    run: Run::Reply(introspection::docs),
                    ..Command::EMPTY
                },
                Command {
                    name: "getkeys",
                    arity: -4,
                    flags: LOADING | STALE,
                    categories: "connection",
                    since: "2.8.13",
                    group: "server",
                    summary: "Extract keys given a full Redis command",
                    complexity: "O(N) where N is the number of arguments to the command",
                    run: Run::Reply(introspection::getkeys),
                    ..Command::EMPTY
                },
                Command {
                    name: "getkeysandflags",
                    arity: -4,
                    flags: LOADING | STALE,
                    categories: "connection",
                    since: "7.0.0",
                    group: "server",
                    summary: "Extract keys and access flags given a full Redis command",
                    complexity: "O(N) where N is the number of arguments to the command",
                    run: Run::Reply(introspection::getkeysandflags),
                    ..Command::EMPTY
                },
                Command {
                    name: "help",
                    arity: 2,
                    flags: LOADING | STALE,
                    categories: "connection",
                    since: "5.0.0",
                    group: "server",
                    summary: "Show helpful text about the different subcommands",
                    complexity: "O(1)",
                    run: Run::Reply(introspection::help),
                    ..Command::EMPTY
                },
                Command {
                    name: "info",
                    arity: -2,
                    flags: LOADING | STALE,
                    categories: "connection",
                    since: "2.8.13",
                    group: "server",
                    summary: "Get array of specific Redis command details, or all when no argument is given.",
                    complexity: "O(N) where N is the number of commands to look up",
                    history: &[(
                        "7.0.0",
                        "Allowed to be called with no argument to get info on all commands.",
                    )],
                    tips: &["nondeterministic_output_order"],
                    syntax: "command-name:string?*",
                    run: Run::Reply(introspection::info),
                    ..Command::EMPTY
                },
                Command {
                    name: "list",
                    arity: -2,
                    flags: LOADING | STALE,
                    categories: "connection",
                    since: "7.0.0",
                    group: "server",
                    summary: "Get an array of Redis command names",
                    complexity: "O(N) where N is the total number of Redis commands",
                    tips: &["nondeterministic_output_order"],
                    syntax: "FILTERBY=filterby(MODULE=module-name:string|ACLCAT=category:string|PATTERN=pattern:pattern)?",
                    run: Run::Reply(introspection::list),
                    ..Command::EMPTY
                },
            ],
        ),
        ..Command::EMPTY
    },
    Command {
        name: "config",
        arity: -2,
        flags: 0,
        categories: "",
        since: "2.0.0",
        group: "server",
        summary: "A container for server configuration commands",
        complexity: "Depends on subcommand.",
        run: Run::Container(&[
            Command {
                name: "get",
                arity: -3,
                flags: ADMIN | NOSCRIPT | LOADING | STALE,
                categories: "",
                since: "2.0.0",
                group: "server",
                summary: "Get the values of configuration parameters",
                complexity: "O(N) when N is the number of configuration parameters provided",
                history: &[(
                    "7.0.0",
                    "Added the ability to pass multiple pattern parameters in one call",
                )],
                syntax: "parameter{parameter:string}*",
                run: Run::Reply(config_get),
                ..Command::EMPTY
            },
            Command {
                name: "help",
                arity: 2,
                flags: LOADING | STALE,
                categories: "",
                since: "5.0.0",
                group: "server",
                summary: "Show helpful text about the different subcommands",
                complexity: "O(1)",
                run: Run::Reply(config_help),
                ..Command::EMPTY
            },
            Command {
                name: "resetstat",
                arity: 2,
                flags: ADMIN | NOSCRIPT | LOADING | STALE,
                categories: "",
                since: "2.0.0",
                group: "server",
                summary: "Reset the stats returned by INFO",
                complexity: "O(1)",
                run: Run::Reply(config_resetstat),
                ..Command::EMPTY
            },
            Command {
                name: "rewrite",
                arity: 2,
                flags: ADMIN | NOSCRIPT | LOADING | STALE,
                categories: "",
                since: "2.8.0",
                group: "server",
                summary: "Rewrite the configuration file with the in memory configuration",
                complexity: "O(1)",
                run: Run::Reply(config_rewrite),
                ..Command::EMPTY
            },
            Command {
                name: "set",
                arity: -4,
                flags: ADMIN | NOSCRIPT | LOADING | STALE,
                categories: "",
                since: "2.0.0",
                group: "server",
                summary: "Set configuration parameters to the given values",
                complexity: "O(N) when N is the number of configuration parameters provided",
                history: &[("7.0.0", "Added the ability to set multiple parameters in one call.")],
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                syntax: "parameter_value{parameter:string value:string}*",
                run: Run::Reply(config_set),
                ..Command::EMPTY
            },
        ]),
        ..Command::EMPTY
    },
    Command {
        name: "dbsize",
        arity: 1,
        flags: READONLY | FAST,
        categories: "keyspace",
        since: "1.0.0",
        group: "server",
        summary: "Return the number of keys in the selected database",
        complexity: "O(1)",
        tips: &["request_policy:all_shards", "response_policy:agg_sum"],
        run: Run::Reply(dbsize),
        ..Command::EMPTY
    },
    Command {
        name: "flushall",
        arity: -1,
        flags: WRITE,
        categories: "keyspace dangerous",
        since: "1.0.0",
        group: "server",
        summary: "Remove all keys from all databases",
        complexity: "O(N) where N is the total number of keys in all databases",
        history: &[
            ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
            ("6.2.0", "Added the `SYNC` flushing mode modifier."),
        ],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        syntax: "async(ASYNC@4.0.0|SYNC@6.2.0)?",
        run: Run::Reply(flushall),
        ..Command::EMPTY
    },
    Command {
        name: "flushdb",
        arity: -1,
        flags: WRITE,
        categories: "keyspace dangerous",
        since: "1.0.0",
        group: "server",
        summary: "Remove all keys from the current database",
        complexity: "O(N) where N is the number of keys in the selected database",
        history: &[
            ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
            ("6.2.0", "Added the `SYNC` flushing mode modifier."),
        ],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        syntax: "async(ASYNC@4.0.0|SYNC@6.2.0)?",
        run: Run::Reply(flushdb),
        ..Command::EMPTY
    },
    Command {
        name: "info",
        arity: -1,
        flags: LOADING | STALE,
        categories: "dangerous",
        since: "1.0.0",
        group: "server",
        summary: "Get information and statistics about the server",
        complexity: "O(1)",
        history: &[("7.0.0", "Added support for taking multiple section arguments.")],
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        syntax: "section:string?*",
        run: Run::Reply(info),
        ..Command::EMPTY
    },
    Command {
        name: "lastsave",
        arity: 1,
        flags: LOADING | STALE | FAST,
        categories: "admin dangerous",
        since: "1.0.0",
        group: "server",
        summary: "Get the UNIX time stamp of the last successful save to disk",
        complexity: "O(1)",
        tips: &["nondeterministic_output"],
        run: Run::Reply(lastsave),
        ..Command::EMPTY
    },
    Command {
        name: "lolwut",
        arity: -1,
        flags: READONLY | FAST,
        categories: "",
        since: "5.0.0",
        group: "server",
        summary: "Display some computer art and the Redis version",
        syntax: "VERSION=version:integer?",
        run: Run::Reply(lolwut::lolwut),
        ..Command::EMPTY
    },
    Command {
        name: "monitor",
        arity: 1,
        flags: ADMIN | NOSCRIPT | LOADING | STALE,
        categories: "",
        since: "1.0.0",
        group: "server",
        summary: "Listen for all requests received by the server in real time",
        run: Run::Reply(monitor),
        ..Command::EMPTY
    },
    Command {
        name: "shutdown",
        arity: -1,
        flags: ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY,
        categories: "",
        since: "1.0.0",
        group: "server",
        summary: "Synchronously save the dataset to disk and then shut down the server",
        complexity: "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
        history: &[("7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers.")],
        syntax: "nosave_save(NOSAVE|SAVE)? NOW?@7.0.0 FORCE?@7.0.0 ABORT?@7.0.0",
        run: Run::Reply(shutdown),
        ..Command::EMPTY
    },
    Command {
        name: "swapdb",
        arity: 3,
        flags: WRITE | FAST,
        categories: "keyspace dangerous",
        since: "4.0.0",
        group: "server",
        summary: "Swaps two Redis databases",
        complexity: "O(N) where N is the count of clients watching or blocking on keys from both databases.",
        syntax: "index1:integer index2:integer",
        run: Run::Reply(swapdb),
        ..Command::EMPTY
    },
    Command {
        name: "time",
        arity: 1,
        flags: LOADING | STALE | FAST,
        categories: "",
        since: "2.6.0",
        group: "server",
        summary: "Return the current server time",
        complexity: "O(1)",
        tips: &["nondeterministic_output"],
        run: Run::Reply(time),
        ..Command::EMPTY
    },
];

type Answer = Result<Reply, Error>;

fn config_get(context: &mut Context, args: &mut Args) -> Answer {
    let found = context.server.config.get(args.rest());
    let pairs = found.into_iter().map(|(name, value)| (Reply::Bulk(name), Reply::Bulk(value)));
    Ok(Reply::Map(pairs.collect()))
}

/// Parameters whose values the log of slow commands does not show.
const SECRETS: [&str; 3] = ["masterauth", "masteruser", "requirepass"];

fn config_set(context: &mut Context, args: &mut Args) -> Answer {
    if !args.remaining().is_multiple_of(2) {
        return Err(Error::SYNTAX);
    }
    let mut names = args.clone();
    while let Some(name) = names.peek() {
        names.bytes()?;
        if SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes())) {
            context.redact(&names, 1);
        }
        names.bytes()?;
    }
    let password = context.server.config.text("requirepass").to_vec();
    context.server.config.set(args.rest())?;
    let new_password = context.server.config.text("requirepass");
    if new_password != password {
        let new_password = new_password.to_vec();
        context.server.set_default_password(&new_password);
    }
    if context.server.config.active.maxmemory == 0 {
        for database in &mut context.server.databases {
            database.count_memory(false);
        }
    }
    let number = |name| context.server.config.integer(name).unsigned_abs();
    let (log_factor, decay_minutes) = (number("lfu-log-factor"), number("lfu-decay-time"));
    for database in &mut context.server.databases {
        database.counting.log_factor = log_factor;
        database.counting.decay_minutes = decay_minutes;
    }
    context.server.note_new_keys();
    Ok(Reply::OK)
}

fn config_resetstat(context: &mut Context, _args: &mut Args) -> Answer {
    context.server.stats = Stats::default();
    Ok(Reply::OK)
}

fn config_rewrite(_context: &mut Context, _args: &mut Args) -> Answer {
    Err(Error::NO_CONFIG_FILE)
}

const CONFIG_HELP: (&str, &[&str]) = (
    "CONFIG",
    &[
        "GET <pattern>",
        "    Return parameters matching the glob-like <pattern> and their values.",
        "SET <directive> <value>",
        "    Set the configuration <directive> to <value>.",
        "RESETSTAT",
        "    Reset statistics reported by the INFO command.",
        "REWRITE",
        "    Rewrite the configuration file.",
    ],
);

fn config_help(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(super::help(CONFIG_HELP))
}

fn info(context: &mut Context, args: &mut Args) -> Answer {
    Ok(Reply::Verbatim(*b"txt", context.server.info(args.rest())))
}

fn dbsize(context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::Integer(context.db().len() as i64))
}

fn flushdb(context: &mut Context, args: &mut Args) -> Answer {
    flush_mode(args)?;
    let database = context.database;
    flush(context, database);
    Ok(Reply::OK)
}

fn flushall(context: &mut Context, args: &mut Args) -> Answer {
    flush_mode(args)?;
    for database in 0..context.server.databases.len() {
        flush(context, database);
    }
    // Redis counts the command itself as a change, so that an empty flush is one as well.
    context.server.changes += 1;
    Ok(Reply::OK)
}

/// ASYNC and SYNC mean the same here: there is no other thread to free memory in.
fn flush_mode(args: &mut Args) -> Result<(), Error> {
    if args.remaining() == 1 && (args.option("async") || args.option("sync")) {
        return Ok(());
    }
    args.end()
}

fn flush(context: &mut Context, index: usize) {
    let server = &mut *context.server;
    server.touched_all(&[index]);
    let Some(database) = server.databases.get_mut(index) else { return };
    server.changes += database.len() as u64;
    database.clear();
    // Some wait for a key only while it is there.
    server.came(index);
}

fn swapdb(context: &mut Context, args: &mut Args) -> Answer {
    let int = |error: Error, args: &mut Args| {
        let number = args.integer_or(error.clone())?;
        i32::try_from(number).map_err(|_| error)
    };
    let first = int(Error::INVALID_FIRST_DB, args)?;
    let second = int(Error::INVALID_SECOND_DB, args)?;
    let count = context.server.databases.len();
    let index = |number| usize::try_from(number).ok().filter(|index| *index < count);
    let (Some(first), Some(second)) = (index(first), index(second)) else {
        return Err(Error::DB_OUT_OF_RANGE);
    };
    context.server.touched_all(&[first, second]);
    context.server.databases.swap(first, second);
    context.server.came(first);
    context.server.came(second);
    context.server.changes += 1;
    Ok(Reply::OK)
}

fn time(context: &mut Context, _args: &mut Args) -> Answer {
    // Time goes on within a script and within a transaction; only keys and deadlines do not notice.
    let now = context.server.clocked();
    Ok(Reply::bulks([(now / 1_000_000).to_string(), (now % 1_000_000).to_string()]))
}

/// Nothing is ever saved: as on a server without save points, this is the time of its start.
fn lastsave(context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::Integer((context.server.started / 1_000_000) as i64))
}

fn monitor(context: &mut Context, _args: &mut Args) -> Answer {
    let id = context.client;
    if context.server.is_in_transaction(id) {
        return Err(Error::MONITOR_IN_MULTI);
    }
    if let Some(client) = context.client() {
        if client.monitors && client.muted == Muted::No {
            // Who monitors already is not answered at all.
            client.muted = Muted::Replies(1);
        }
        client.monitors = true;
    }
    if !context.server.monitors.contains(&id) {
        context.server.monitors.push(id);
    }
    Ok(Reply::OK)
}

fn shutdown(context: &mut Context, args: &mut Args) -> Answer {
    let (mut save, mut nosave, mut abort, mut others) = (false, false, false, false);
    while !args.is_empty() {
        if args.option("nosave") {
            nosave = true;
        } else if args.option("save") {
            save = true;
        } else if args.option("now") || args.option("force") {
            others = true;
        } else if args.option("abort") {
            abort = true;
        } else {
            return Err(Error::SYNTAX);
        }
    }
    if (abort && (save || nosave || others)) || (save && nosave) {
        return Err(Error::SYNTAX);
    }
    if abort {
        return Err(Error::NO_SHUTDOWN);
    }
    if !nosave && context.server.is_busy() {
        return Err(context.server.busy_error());
    }
    if save {
        // There is no file to save to, and with SAVE a server that cannot save does not go.
        return Err(Error::SHUTDOWN_FAILED);
    }
    context.server.shutdown = true;
    // The connection just ends.
    if let Some(client) = context.client() {
        client.closing = true;
        client.muted = Muted::Always;
    }
    Ok(Reply::OK)
}
