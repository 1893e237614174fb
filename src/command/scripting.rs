//! Defines EVAL and its variants, and SCRIPT.

use super::args::Args;
use super::flag::{
    ALLOW_BUSY, LOADING, NO_MANDATORY_KEYS, NOSCRIPT, READONLY, SKIP_MONITOR, STALE,
};
use super::{Begin, Command, Find, KeySpec, Run};
use crate::error::Error;
use crate::resp::Reply;
use crate::script::ldb::{self, Mode};
use crate::script::{self, Sha, text};
use crate::server::Context;

/// The scripting family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "eval",
        arity: -3,
        flags: NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS,
        categories: "scripting",
        keys: &[KeySpec {
            notes: "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE",
            flags: "RW access update",
            begin: Begin::Index(2),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "2.6.0",
        group: "scripting",
        summary: "Execute a Lua script server side",
        complexity: "Depends on the script that is executed.",
        syntax: "script:string numkeys:integer key:key#0?* arg:string?*",
        run: Run::Later(eval),
        ..Command::EMPTY
    },
    Command {
        name: "eval_ro",
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
        summary: "Execute a read-only Lua script server side",
        complexity: "Depends on the script that is executed.",
        syntax: "script:string numkeys:integer key:key#0?* arg:string?*",
        run: Run::Later(eval_ro),
        ..Command::EMPTY
    },
    Command {
        name: "evalsha",
        arity: -3,
        flags: NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS,
        categories: "scripting",
        keys: &[KeySpec {
            notes: "",
            flags: "RW access update",
            begin: Begin::Index(2),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "2.6.0",
        group: "scripting",
        summary: "Execute a Lua script server side",
        complexity: "Depends on the script that is executed.",
        syntax: "sha1:string numkeys:integer key:key#0?* arg:string?*",
        run: Run::Later(evalsha),
        ..Command::EMPTY
    },
    Command {
        name: "evalsha_ro",
        arity: -3,
        flags: READONLY | NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS,
        categories: "scripting",
        keys: &[KeySpec {
            notes: "",
            flags: "RO access",
            begin: Begin::Index(2),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "7.0.0",
        group: "scripting",
        summary: "Execute a read-only Lua script server side",
        complexity: "Depends on the script that is executed.",
        syntax: "sha1:string numkeys:integer key:key#0?* arg:string?*",
        run: Run::Later(evalsha_ro),
        ..Command::EMPTY
    },
    Command {
        name: "script",
        arity: -2,
        categories: "",
        since: "2.6.0",
        group: "scripting",
        summary: "A container for Lua scripts management commands",
        complexity: "Depends on subcommand.",
        run: Run::Container(&[
            Command {
                name: "debug",
                arity: 3,
                flags: NOSCRIPT,
                categories: "scripting",
                since: "3.2.0",
                group: "scripting",
                summary: "Set the debug mode for executed scripts.",
                complexity: "O(1)",
                syntax: "mode(YES|SYNC|NO)",
                run: Run::Reply(script_debug),
                ..Command::EMPTY
            },
            Command {
                name: "exists",
                arity: -3,
                flags: NOSCRIPT,
                categories: "scripting",
                since: "2.6.0",
                group: "scripting",
                summary: "Check existence of scripts in the script cache.",
                complexity: "O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).",
                tips: &["request_policy:all_shards", "response_policy:agg_logical_and"],
                syntax: "sha1:string*",
                run: Run::Reply(script_exists),
                ..Command::EMPTY
            },
            Command {
                name: "flush",
                arity: -2,
                flags: NOSCRIPT,
                categories: "scripting",
                since: "2.6.0",
                group: "scripting",
                summary: "Remove all the scripts from the script cache.",
                complexity: "O(N) with N being the number of scripts in cache",
                history: &[("6.2.0", "Added the `ASYNC` and `SYNC` flushing mode modifiers.")],
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                syntax: "async(ASYNC|SYNC)?@6.2.0",
                run: Run::Reply(script_flush),
                ..Command::EMPTY
            },
            Command {
                name: "help",
                arity: 2,
                flags: LOADING | STALE,
                categories: "scripting",
                since: "5.0.0",
                group: "scripting",
                summary: "Show helpful text about the different subcommands",
                complexity: "O(1)",
                run: Run::Reply(script_help),
                ..Command::EMPTY
            },
            Command {
                name: "kill",
                arity: 2,
                flags: NOSCRIPT | ALLOW_BUSY,
                categories: "scripting",
                since: "2.6.0",
                group: "scripting",
                summary: "Kill the script currently in execution.",
                complexity: "O(1)",
                tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
                run: Run::Reply(script_kill),
                ..Command::EMPTY
            },
            Command {
                name: "load",
                arity: 3,
                flags: NOSCRIPT | STALE,
                categories: "scripting",
                since: "2.6.0",
                group: "scripting",
                summary: "Load the specified Lua script into the script cache.",
                complexity: "O(N) with N being the length in bytes of the script body.",
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                syntax: "script:string",
                run: Run::Later(script_load),
                ..Command::EMPTY
            },
        ]),
        ..Command::EMPTY
    },
];

/// EVAL script numkeys [key ...] [arg ...]
fn eval(context: &mut Context, args: &mut Args) -> Result<Option<Reply>, Error> {
    run_text(context, args, false)
}

fn run_text(
    context: &mut Context,
    args: &mut Args,
    read_only: bool,
) -> Result<Option<Reply>, Error> {
    if context.client().is_some_and(|client| client.debug != Mode::No) {
        return ldb::start(context, args, read_only).map(|()| None);
    }
    start_text(context, args, read_only).map(|()| None)
}

/// Compiles and starts the script that the arguments begin with.
pub(crate) fn start_text(
    context: &mut Context,
    args: &mut Args,
    read_only: bool,
) -> Result<(), Error> {
    let body = args.bytes()?;
    let (keys, argv) = keys_and_args(args)?;
    text::eval(context, body, keys, argv, read_only)
}

/// `EVAL_RO` script numkeys [key ...] [arg ...]
fn eval_ro(context: &mut Context, args: &mut Args) -> Result<Option<Reply>, Error> {
    run_text(context, args, true)
}

/// EVALSHA sha1 numkeys [key ...] [arg ...]
fn evalsha(context: &mut Context, args: &mut Args) -> Result<Option<Reply>, Error> {
    run_cached(context, args, false)
}

/// `EVALSHA_RO` sha1 numkeys [key ...] [arg ...]
fn evalsha_ro(context: &mut Context, args: &mut Args) -> Result<Option<Reply>, Error> {
    run_cached(context, args, true)
}

fn run_cached(
    context: &mut Context,
    args: &mut Args,
    read_only: bool,
) -> Result<Option<Reply>, Error> {
    if context.client().is_some_and(|client| client.debug != Mode::No) {
        return Err(Error::DEBUG_EVALSHA);
    }
    let name = args.bytes()?;
    // A name of the wrong length is refused before the number of keys is looked at.
    if name.len() != Sha::DIGITS {
        return Err(Error::NO_SCRIPT);
    }
    let (keys, argv) = keys_and_args(args)?;
    let sha = Sha::named(name).ok_or(Error::NO_SCRIPT)?;
    script::start_script(context, sha, keys, argv, read_only).map(|()| None)
}

/// The number of keys, the keys and what is behind them.
fn keys_and_args<'a>(args: &mut Args<'a>) -> Result<(&'a [Vec<u8>], &'a [Vec<u8>]), Error> {
    keys_and_args_or(args, Error::NOT_INTEGER)
}

/// The same, with the error of a number that is none.
pub(super) fn keys_and_args_or<'a>(
    args: &mut Args<'a>,
    error: Error,
) -> Result<(&'a [Vec<u8>], &'a [Vec<u8>]), Error> {
    let count = args.integer_or(error)?;
    let rest = args.rest();
    if count > rest.len() as i64 {
        return Err(Error::TOO_MANY_KEYS);
    }
    let count = usize::try_from(count).map_err(|_| Error::NEGATIVE_KEYS)?;
    Ok(rest.split_at(count))
}

/// SCRIPT LOAD script
fn script_load(context: &mut Context, args: &mut Args) -> Result<Option<Reply>, Error> {
    text::load(context, args.bytes()?)
}

/// SCRIPT EXISTS sha1 [sha1 ...]
fn script_exists(context: &mut Context, args: &mut Args) -> Result<Reply, Error> {
    let shas = args.rest().iter();
    Ok(Reply::Array(shas.map(|sha| Reply::flag(script::exists(context.server, sha))).collect()))
}

/// SCRIPT FLUSH [ASYNC | SYNC]; both are the same here, as nothing else runs meanwhile.
fn script_flush(context: &mut Context, args: &mut Args) -> Result<Reply, Error> {
    let mode = args.is_empty() || args.option("SYNC") || args.option("ASYNC");
    if !mode || !args.is_empty() {
        return Err(Error::SCRIPT_FLUSH_MODE);
    }
    script::flush(context.server);
    Ok(Reply::OK)
}

/// SCRIPT KILL
fn script_kill(context: &mut Context, _: &mut Args) -> Result<Reply, Error> {
    script::kill(context.server, false).map(|()| Reply::OK)
}

/// SCRIPT DEBUG YES | SYNC | NO
fn script_debug(context: &mut Context, args: &mut Args) -> Result<Reply, Error> {
    let mode = if args.option("NO") {
        Mode::No
    } else if args.option("YES") {
        Mode::Forked
    } else if args.option("SYNC") {
        Mode::Sync
    } else {
        return Err(Error::SCRIPT_DEBUG_MODE);
    };
    if let Some(client) = context.client() {
        client.debug = mode;
    }
    Ok(Reply::OK)
}

/// SCRIPT HELP
fn script_help(_: &mut Context, _: &mut Args) -> Result<Reply, Error> {
    Ok(super::help(SCRIPT_HELP))
}

/// What SCRIPT HELP prints between its first and its last lines.
const SCRIPT_HELP: (&str, &[&str]) = (
    "SCRIPT",
    &[
        "DEBUG (YES|SYNC|NO)",
        "    Set the debug mode for subsequent scripts executed.",
        "EXISTS <sha1> [<sha1> ...]",
        "    Return information about the existence of the scripts in the script cache.",
        "FLUSH [ASYNC|SYNC]",
        "    Flush the Lua scripts cache. Very dangerous on replicas.",
        "    When called without the optional mode argument, the behavior is determined by the",
        "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
        "    * ASYNC: Asynchronously flush the scripts cache.",
        "    * SYNC: Synchronously flush the scripts cache.",
        "KILL",
        "    Kill the currently executing Lua script.",
        "LOAD <script>",
        "    Load a script into the scripts cache without executing it.",
    ],
);
