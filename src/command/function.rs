//! Defines FCALL and its variant, and FUNCTION.

use super::args::Args;
use super::flag::{
    ALLOW_BUSY, DENYOOM, LOADING, NO_MANDATORY_KEYS, NOSCRIPT, READONLY, SKIP_MONITOR, STALE, WRITE,
};
use super::scripting::keys_and_args_or;
use super::{Answer, Begin, Command, Find, KeySpec, Run};
use crate::error::Error;
use crate::glob;
use crate::resp::Reply;
use crate::script::library::{self, Library};
use crate::script::load::{self as loading, Policy};
use crate::script::{self, Called, ldb};
use crate::server::Context;

/// The functions family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "fcall",
        arity: -3,
        flags: NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS,
        categories: "scripting",
        keys: &[KeySpec {
            notes: "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE",
            flags: "RW access update",
            begin: Begin::Index(2),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "7.0.0",
        group: "scripting",
        summary: "Invoke a function",
        complexity: "Depends on the function that is executed.",
        syntax: "function:string numkeys:integer key:key#0?* arg:string?*",
        run: Run::Later(fcall),
        ..Command::EMPTY
    },
    Command {
        name: "fcall_ro",
        arity: -3,
        flags: READONLY | NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS,
        categories: "scripting",
        keys: &[KeySpec {
            notes: "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS",
            flags: "RO access",
            begin: Begin::Index(2),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "7.0.0",
        group: "scripting",
        summary: "Invoke a read-only function",
        complexity: "Depends on the function that is executed.",
        syntax: "function:string numkeys:integer key:key#0?* arg:string?*",
        run: Run::Later(fcall_ro),
        ..Command::EMPTY
    },
    Command {
        name: "function",
        arity: -2,
        categories: "",
        since: "7.0.0",
        group: "scripting",
        summary: "A container for function commands",
        complexity: "Depends on subcommand.",
        run: Run::Container(&[
            Command {
                name: "delete",
                arity: 3,
                flags: WRITE | NOSCRIPT,
                categories: "scripting",
                since: "7.0.0",
                group: "scripting",
                summary: "Delete a function by name",
                complexity: "O(1)",
                tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
                syntax: "library-name:string",
                run: Run::Reply(delete),
                ..Command::EMPTY
            },
            Command {
                name: "dump",
                arity: 2,
                flags: NOSCRIPT,
                categories: "scripting",
                since: "7.0.0",
                group: "scripting",
                summary: "Dump all functions into a serialized binary payload",
                complexity: "O(N) where N is the number of functions",
                run: Run::Reply(dump),
                ..Command::EMPTY
            },
            Command {
                name: "flush",
                arity: -2,
                flags: WRITE | NOSCRIPT,
                categories: "scripting",
                since: "7.0.0",
                group: "scripting",
                summary: "Deleting all functions",
                complexity: "O(N) where N is the number of functions deleted",
                tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
                syntax: "async(ASYNC|SYNC)?",
                run: Run::Reply(flush),
                ..Command::EMPTY
            },
            Command {
                name: "help",
                arity: 2,
                flags: LOADING | STALE,
                categories: "scripting",
                since: "7.0.0",
                group: "scripting",
                summary: "Show helpful text about the different subcommands",
                complexity: "O(1)",
                run: Run::Reply(help),
                ..Command::EMPTY
            },
            Command {
                name: "kill",
                arity: 2,
                flags: NOSCRIPT | ALLOW_BUSY,
                categories: "scripting",
                since: "7.0.0",
                group: "scripting",
                summary: "Kill the function currently in execution.",
                complexity: "O(1)",
                tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
                run: Run::Reply(kill),
                ..Command::EMPTY
            },
            Command {
                name: "list",
                arity: -2,
                flags: NOSCRIPT,
                categories: "scripting",
                since: "7.0.0",
                group: "scripting",
                summary: "List information about all the functions",
                complexity: "O(N) where N is the number of functions",
                tips: &["nondeterministic_output_order"],
                syntax: "LIBRARYNAME=library-name-pattern:string? WITHCODE?",
                run: Run::Reply(list),
                ..Command::EMPTY
            },
            Command {
                name: "load",
                arity: -3,
                flags: WRITE | DENYOOM | NOSCRIPT,
                categories: "scripting",
                since: "7.0.0",
                group: "scripting",
                summary: "Create a function with the given arguments (name, code, description)",
                complexity: "O(1) (considering compilation time is redundant)",
                tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
                syntax: "REPLACE? function-code:string",
                run: Run::Later(load),
                ..Command::EMPTY
            },
            Command {
                name: "restore",
                arity: -3,
                flags: WRITE | DENYOOM | NOSCRIPT,
                categories: "scripting",
                since: "7.0.0",
                group: "scripting",
                summary: "Restore all the functions on the given payload",
                complexity: "O(N) where N is the number of functions on the payload",
                tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
                syntax: "serialized-value:string policy(FLUSH|APPEND|REPLACE)?",
                run: Run::Later(restore),
                ..Command::EMPTY
            },
            Command {
                name: "stats",
                arity: 2,
                flags: NOSCRIPT | ALLOW_BUSY,
                categories: "scripting",
                since: "7.0.0",
                group: "scripting",
                summary: "Return information about the function currently running (name, description, duration)",
                complexity: "O(1)",
                tips: &[
                    "nondeterministic_output",
                    "request_policy:all_shards",
                    "response_policy:special",
                ],
                run: Run::Reply(stats),
                ..Command::EMPTY
            },
        ]),
        ..Command::EMPTY
    },
];

/// FCALL function numkeys [key ...] [arg ...]
fn fcall(context: &mut Context, args: &mut Args) -> Result<Option<Reply>, Error> {
    call(context, args, false)
}

/// `FCALL_RO` function numkeys [key ...] [arg ...]
fn fcall_ro(context: &mut Context, args: &mut Args) -> Result<Option<Reply>, Error> {
    call(context, args, true)
}

fn call(context: &mut Context, args: &mut Args, read_only: bool) -> Result<Option<Reply>, Error> {
    let debugs = context.client().is_some_and(|client| std::mem::take(&mut client.debugs_function));
    let start = if debugs { ldb::start_function } else { start };
    start(context, args, read_only).map(|()| None)
}

/// Starts the function that the arguments begin with.
pub(crate) fn start(context: &mut Context, args: &mut Args, read_only: bool) -> Result<(), Error> {
    let argv = args.argv();
    let name = args.bytes()?;
    if !library::exists(context.server, name) {
        return Err(Error::NO_FUNCTION);
    }
    let (keys, arguments) = keys_and_args_or(args, Error::BAD_KEY_COUNT)?;
    library::call(context, name, argv, keys, arguments, read_only)
}

/// `FUNCTION LOAD [REPLACE] function-code`
fn load(context: &mut Context, args: &mut Args) -> Result<Option<Reply>, Error> {
    let mut replace = false;
    while args.remaining() > 1 {
        if !args.option("REPLACE") {
            return Err(Error::unknown_option(args.bytes()?));
        }
        replace = true;
    }
    loading::load(context, args.bytes()?, replace)
}

/// FUNCTION DELETE library-name
fn delete(context: &mut Context, args: &mut Args) -> Answer {
    library::delete(context.server, args.bytes()?).map(|()| Reply::OK)
}

/// FUNCTION FLUSH [ASYNC | SYNC]; both are the same here, as nothing else runs meanwhile.
fn flush(context: &mut Context, args: &mut Args) -> Answer {
    if args.remaining() > 1 {
        return Err(Error::wrong_subcommand_arity(&args.argv()[1], "FUNCTION"));
    }
    if !(args.is_empty() || args.option("SYNC") || args.option("ASYNC")) {
        return Err(Error::FUNCTION_FLUSH_MODE);
    }
    library::flush(context.server);
    Ok(Reply::OK)
}

/// FUNCTION DUMP
fn dump(context: &mut Context, _: &mut Args) -> Answer {
    Ok(Reply::Bulk(library::dump(context.server)))
}

/// FUNCTION RESTORE serialized-value [FLUSH | APPEND | REPLACE]
fn restore(context: &mut Context, args: &mut Args) -> Result<Option<Reply>, Error> {
    if args.remaining() > 2 {
        return Err(Error::wrong_subcommand_arity(&args.argv()[1], "FUNCTION"));
    }
    let payload = args.bytes()?;
    let policy = if args.is_empty() || args.option("APPEND") {
        Policy::Append
    } else if args.option("FLUSH") {
        Policy::Flush
    } else if args.option("REPLACE") {
        Policy::Replace
    } else {
        return Err(Error::RESTORE_POLICY);
    };
    loading::restore(context, payload, policy)
}

/// `FUNCTION LIST [LIBRARYNAME library-name-pattern] [WITHCODE]`
fn list(context: &mut Context, args: &mut Args) -> Answer {
    let (mut pattern, mut with_code) = (None, false);
    while !args.is_empty() {
        if !with_code && args.option("WITHCODE") {
            with_code = true;
        } else if pattern.is_none() && args.option("LIBRARYNAME") {
            pattern = Some(args.bytes().map_err(|_| Error::NO_LIBRARY_PATTERN)?);
        } else {
            return Err(Error::unknown_argument(args.bytes()?));
        }
    }
    let libraries = context.server.libraries().all().iter();
    let meant = libraries.filter(|library| {
        pattern.is_none_or(|pattern| glob::matches(pattern, &library.name, true))
    });
    Ok(Reply::Array(meant.map(|library| describe(library, with_code)).collect()))
}

/// What FUNCTION LIST shows of a library.
fn describe(library: &Library, with_code: bool) -> Reply {
    let functions = library.functions.iter().map(|function| {
        map(&[
            ("name", Reply::bulk(&function.name)),
            ("description", Reply::bulk_or_null(function.description.as_ref())),
            ("flags", Reply::Set(function.flags().map(Reply::status).collect())),
        ])
    });
    let fields = [
        ("library_name", Reply::bulk(&library.name)),
        ("engine", Reply::bulk("LUA")),
        ("functions", Reply::Array(functions.collect())),
        ("library_code", Reply::bulk(&library.code)),
    ];
    map(if with_code { &fields } else { &fields[..3] })
}

fn map(fields: &[(&str, Reply)]) -> Reply {
    Reply::Map(fields.iter().map(|(name, value)| (Reply::bulk(name), value.clone())).collect())
}

/// FUNCTION STATS
fn stats(context: &mut Context, _: &mut Args) -> Answer {
    let server = &*context.server;
    let running = match server.running_script() {
        None => Reply::Null,
        Some(running) => match &running.called {
            Called::Function { name, argv } => {
                let duration = server.clocked().saturating_sub(running.started) / 1000;
                map(&[
                    ("name", Reply::bulk(name)),
                    ("command", Reply::bulks(argv)),
                    ("duration_ms", Reply::Integer(duration as i64)),
                ])
            }
            _ => return Err(Error::BUSY),
        },
    };
    let libraries = server.libraries();
    let counts = map(&[
        ("libraries_count", Reply::Integer(libraries.all().len() as i64)),
        ("functions_count", Reply::Integer(libraries.functions() as i64)),
    ]);
    Ok(map(&[("running_script", running), ("engines", map(&[("LUA", counts)]))]))
}

/// FUNCTION KILL
fn kill(context: &mut Context, _: &mut Args) -> Answer {
    script::kill(context.server, true).map(|()| Reply::OK)
}

/// FUNCTION HELP
fn help(_: &mut Context, _: &mut Args) -> Answer {
    Ok(super::help(HELP))
}

/// What FUNCTION HELP prints between its first and its last lines.
const HELP: (&str, &[&str]) = (
    "FUNCTION",
    &[
        "LOAD [REPLACE] <FUNCTION CODE>",
        "    Create a new library with the given library name and code.",
        "DELETE <LIBRARY NAME>",
        "    Delete the given library.",
        "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
        "    Return general information on all the libraries:",
        "    * Library name",
        "    * The engine used to run the Library",
        "    * Library description",
        "    * Functions list",
        "    * Library code (if WITHCODE is given)",
        "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
        "STATS",
        "    Return information about the current function running:",
        "    * Function name",
        "    * Command used to run the function",
        "    * Duration in MS that the function is running",
        "    If no function is running, return nil",
        "    In addition, returns a list of available engines.",
        "KILL",
        "    Kill the current running function.",
        "FLUSH [ASYNC|SYNC]",
        "    Delete all the libraries.",
        "    When called without the optional mode argument, the behavior is determined by the",
        "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
        "    * ASYNC: Asynchronously flush the libraries.",
        "    * SYNC: Synchronously flush the libraries.",
        "DUMP",
        "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command",
        "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
        "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
        "    control how to handle existing libraries (default APPEND):",
        "    * FLUSH: delete all existing libraries.",
        "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
        "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
        "      libraries with the new libraries (notice that even on this option there is a chance of failure",
        "      in case of functions name collision with another library).",
    ],
);
