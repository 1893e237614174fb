//! Defines MODULE: there are no modules, and none can be loaded.

use super::args::Args;
use super::flag::{ADMIN, LOADING, NO_ASYNC_LOADING, NOSCRIPT, STALE};
use super::{Answer, Command, Run};
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Context;

/// MODULE.
pub const COMMANDS: &[Command] = &[Command {
    name: "module",
    arity: -2,
    since: "4.0.0",
    group: "server",
    summary: "A container for module commands",
    complexity: "Depends on subcommand.",
    run: Run::Container(&[
        Command {
            name: "help",
            arity: 2,
            flags: LOADING | STALE,
            since: "5.0.0",
            group: "server",
            summary: "Show helpful text about the different subcommands",
            complexity: "O(1)",
            run: Run::Reply(module_help),
            ..Command::EMPTY
        },
        Command {
            name: "list",
            arity: 2,
            flags: ADMIN | NOSCRIPT,
            since: "4.0.0",
            group: "server",
            summary: "List all modules loaded by the server",
            complexity: "O(N) where N is the number of loaded modules.",
            tips: &["nondeterministic_output_order"],
            run: Run::Reply(module_list),
            ..Command::EMPTY
        },
        Command {
            name: "load",
            arity: -3,
            flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
            since: "4.0.0",
            group: "server",
            summary: "Load a module",
            complexity: "O(1)",
            syntax: "path:string arg:string?*",
            run: Run::Reply(refused),
            ..Command::EMPTY
        },
        Command {
            name: "loadex",
            arity: -3,
            flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
            since: "7.0.0",
            group: "server",
            summary: "Load a module with extended parameters",
            complexity: "O(1)",
            syntax: "path:string CONFIG=configs{name:string value:string}?*+ ARGS=args{arg:string}?*",
            run: Run::Reply(refused),
            ..Command::EMPTY
        },
        Command {
            name: "unload",
            arity: 3,
            flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
            since: "4.0.0",
            group: "server",
            summary: "Unload a module",
            complexity: "O(1)",
            syntax: "name:string",
            run: Run::Reply(refused),
            ..Command::EMPTY
        },
    ]),
    ..Command::EMPTY
}];

/// `MODULE LOAD path [arg ...]`, `MODULE LOADEX path ...`, `MODULE UNLOAD name`: `enable-module-command` is `no`.
fn refused(_context: &mut Context, _args: &mut Args) -> Answer {
    Err(Error::MODULE_COMMAND)
}

/// `MODULE LIST`
fn module_list(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::Array(Vec::new()))
}

/// `MODULE HELP`
fn module_help(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(super::help(HELP))
}

const HELP: (&str, &[&str]) = (
    "MODULE",
    &[
        "LIST",
        "    Return a list of loaded modules.",
        "LOAD <path> [<arg> ...]",
        "    Load a module library from <path>, passing to it any optional arguments.",
        "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
        "    Load a module library from <path>, while passing it module configurations and optional arguments.",
        "UNLOAD <name>",
        "    Unload a module.",
    ],
);
