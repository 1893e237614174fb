//! Defines ACL: users and what they may do.

use super::args::Args;
use super::flag::{ADMIN, LOADING, NOSCRIPT, STALE};
use super::key_specs::CATEGORIES;
use super::{Answer, Command, Run, connection};
use crate::error::Error;
use crate::number::c_string;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::acl::Denied;
use crate::server::acl::commands::{category, of_category};
use crate::server::acl::log::Entry;
use crate::server::acl::user::{Selector, User};
use crate::server::client::ClientId;

/// ACL with its subcommands.
pub const COMMANDS: &[Command] = &[Command {
    name: "acl",
    arity: -2,
    since: "6.0.0",
    group: "server",
    summary: "A container for Access List Control commands ",
    complexity: "Depends on subcommand.",
    run: Run::Container(&[
        Command {
            name: "cat",
            arity: -2,
            flags: NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "List the ACL categories or the commands inside a category",
            complexity: "O(1) since the categories and commands are a fixed set.",
            syntax: "categoryname:string?",
            run: Run::Reply(acl_cat),
            ..Command::EMPTY
        },
        Command {
            name: "whoami",
            arity: 2,
            flags: NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "Return the name of the user associated to the current connection",
            complexity: "O(1)",
            run: Run::Reply(acl_whoami),
            ..Command::EMPTY
        },
        Command {
            name: "getuser",
            arity: 3,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "Get the rules for a specific ACL user",
            complexity: "O(N). Where N is the number of password, command and pattern rules that the user has.",
            history: &[
                ("6.2.0", "Added Pub/Sub channel patterns."),
                (
                    "7.0.0",
                    "Added selectors and changed the format of key and channel patterns from a list to their rule representation.",
                ),
            ],
            syntax: "username:string",
            run: Run::Reply(acl_getuser),
            ..Command::EMPTY
        },
        Command {
            name: "dryrun",
            arity: -4,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "7.0.0",
            group: "server",
            summary: "Returns whether the user can execute the given command without executing the command.",
            complexity: "O(1).",
            syntax: "username:string command:string arg:string?*",
            run: Run::Reply(acl_dryrun),
            ..Command::EMPTY
        },
        Command {
            name: "users",
            arity: 2,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "List the username of all the configured ACL rules",
            complexity: "O(N). Where N is the number of configured users.",
            run: Run::Reply(acl_users),
            ..Command::EMPTY
        },
        Command {
            name: "load",
            arity: 2,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "Reload the ACLs from the configured ACL file",
            complexity: "O(N). Where N is the number of configured users.",
            run: Run::Reply(acl_load),
            ..Command::EMPTY
        },
        Command {
            name: "setuser",
            arity: -3,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "Modify or create the rules for a specific ACL user",
            complexity: "O(N). Where N is the number of rules provided.",
            history: &[
                ("6.2.0", "Added Pub/Sub channel patterns."),
                ("7.0.0", "Added selectors and key based permissions."),
            ],
            syntax: "username:string rule:string?*",
            run: Run::Reply(acl_setuser),
            ..Command::EMPTY
        },
        Command {
            name: "save",
            arity: 2,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "Save the current ACL rules in the configured ACL file",
            complexity: "O(N). Where N is the number of configured users.",
            run: Run::Reply(acl_save),
            ..Command::EMPTY
        },
        Command {
            name: "genpass",
            arity: -2,
            flags: NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "Generate a pseudorandom secure password to use for ACL users",
            complexity: "O(1)",
            syntax: "bits:integer?",
            run: Run::Reply(acl_genpass),
            ..Command::EMPTY
        },
        Command {
            name: "help",
            arity: 2,
            flags: LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "Show helpful text about the different subcommands",
            complexity: "O(1)",
            run: Run::Reply(acl_help),
            ..Command::EMPTY
        },
        Command {
            name: "deluser",
            arity: -3,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "Remove the specified ACL users and the associated rules",
            complexity: "O(1) amortized time considering the typical user.",
            syntax: "username:string*",
            run: Run::Reply(acl_deluser),
            ..Command::EMPTY
        },
        Command {
            name: "list",
            arity: 2,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "List the current ACL rules in ACL config file format",
            complexity: "O(N). Where N is the number of configured users.",
            run: Run::Reply(acl_list),
            ..Command::EMPTY
        },
        Command {
            name: "log",
            arity: -2,
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            since: "6.0.0",
            group: "server",
            summary: "List latest events denied because of ACLs in place",
            complexity: "O(N) with N being the number of entries shown.",
            syntax: "operation(count:integer|RESET)?",
            run: Run::Reply(acl_log),
            ..Command::EMPTY
        },
    ]),
    ..Command::EMPTY
}];

/// ACL SETUSER username [rule [rule ...]]
fn acl_setuser(context: &mut Context, args: &mut Args) -> Answer {
    context.redact(args, args.remaining());
    let listeners = context.server.set_user(args.bytes()?, args.rest())?;
    kill_all(context, listeners);
    Ok(Reply::OK)
}

/// ACL DELUSER username [username ...]
fn acl_deluser(context: &mut Context, args: &mut Args) -> Answer {
    let names = args.rest();
    if names.iter().any(|name| name == b"default") {
        return Err(Error::DEFAULT_USER);
    }
    let mut count = 0;
    for name in names {
        if let Some(clients) = context.server.delete_user(name) {
            kill_all(context, clients);
            count += 1;
        }
    }
    Ok(Reply::Integer(count))
}

fn kill_all(context: &mut Context, clients: Vec<ClientId>) {
    for client in clients {
        connection::kill(context, client);
    }
}

/// ACL GETUSER username
fn acl_getuser(context: &mut Context, args: &mut Args) -> Answer {
    let acl = &context.server.acl;
    let Some(id) = acl.find(args.bytes()?) else { return Ok(Reply::Null) };
    let user = acl.user(id);
    let selectors = user.selectors.iter().skip(1).map(|selector| fields(selector_fields(selector)));
    let mut pairs = vec![
        ("flags", Reply::Set(user.flags().map(Reply::bulk).collect())),
        ("passwords", Reply::bulks(&user.passwords)),
    ];
    pairs.extend(user.selectors.first().map(selector_fields).into_iter().flatten());
    pairs.push(("selectors", Reply::Array(selectors.collect())));
    Ok(fields(pairs))
}

fn selector_fields(selector: &Selector) -> Vec<(&'static str, Reply)> {
    vec![
        ("commands", Reply::Bulk(selector.command_rules())),
        ("keys", Reply::Bulk(selector.key_rules())),
        ("channels", Reply::Bulk(selector.channel_rules())),
    ]
}

fn fields(pairs: Vec<(&'static str, Reply)>) -> Reply {
    Reply::Map(pairs.into_iter().map(|(name, value)| (Reply::bulk(name), value)).collect())
}

/// ACL LIST
fn acl_list(context: &mut Context, _: &mut Args) -> Answer {
    Ok(Reply::bulks(context.server.acl.users().into_iter().map(User::line)))
}

/// ACL USERS
fn acl_users(context: &mut Context, _: &mut Args) -> Answer {
    Ok(Reply::bulks(context.server.acl.users().into_iter().map(|user| &user.name)))
}

/// ACL WHOAMI
fn acl_whoami(context: &mut Context, _: &mut Args) -> Answer {
    Ok(Reply::bulk(&context.server.user_of(context.client).name))
}

/// The error of a subcommand with more arguments than it can use.
fn at_most_one(args: &Args) -> Result<(), Error> {
    let name = args.argv().get(1).map_or(&[][..], Vec::as_slice);
    if args.remaining() > 1 { Err(Error::wrong_subcommand_arity(name, "ACL")) } else { Ok(()) }
}

/// `ACL CAT [categoryname]`
fn acl_cat(_: &mut Context, args: &mut Args) -> Answer {
    at_most_one(args)?;
    let Some(name) = args.peek() else { return Ok(Reply::bulks(CATEGORIES)) };
    let category = category(name).ok_or_else(|| Error::unknown_category(name))?;
    Ok(Reply::bulks(of_category(category)))
}

/// `ACL GENPASS [bits]`
fn acl_genpass(context: &mut Context, args: &mut Args) -> Answer {
    at_most_one(args)?;
    let bits = if args.is_empty() { 256 } else { args.integer()? };
    if !(1..=4096).contains(&bits) {
        return Err(Error::GENPASS_BITS);
    }
    let digits = (bits as usize).div_ceil(4);
    let mut password = String::new();
    while password.len() < digits {
        password += &context.server.random.hex();
    }
    password.truncate(digits);
    Ok(Reply::bulk(password))
}

/// `ACL LOG [count | RESET]`
fn acl_log(context: &mut Context, args: &mut Args) -> Answer {
    at_most_one(args)?;
    if args.option("reset") {
        context.server.acl.log.clear();
        return Ok(Reply::OK);
    }
    let count = if args.is_empty() { 10 } else { args.integer()? };
    let now = context.now();
    let show = |entry: &Entry| {
        let age = now.saturating_sub(entry.at) as f64 / 1000.0;
        fields(vec![
            ("count", Reply::Integer(entry.count as i64)),
            ("reason", Reply::bulk(entry.reason)),
            ("context", Reply::bulk(entry.context)),
            ("object", Reply::bulk(&entry.object)),
            ("username", Reply::bulk(&entry.user)),
            ("age-seconds", Reply::Double(age)),
            ("client-info", Reply::bulk(&entry.client)),
        ])
    };
    let entries = context.server.acl.log.entries().take(usize::try_from(count).unwrap_or(0));
    Ok(Reply::Array(entries.map(show).collect()))
}

/// ACL DRYRUN username command [arg [arg ...]]
fn acl_dryrun(context: &mut Context, args: &mut Args) -> Answer {
    let name = args.bytes()?;
    let user = context.server.acl.find(name).ok_or_else(|| Error::user_not_found(name))?;
    let line = args.rest();
    let command = line.first().map(Vec::as_slice).unwrap_or_default();
    let found = super::resolve(line).map_err(|_| Error::command_not_found(command))?;
    if !found.command.takes(line.len()) {
        return Err(Error::wrong_arity(&found.full_name()));
    }
    let Err(denied) = context.server.acl.user(user).check(&found, line) else {
        return Ok(Reply::OK);
    };
    let argument = |at: usize| line.get(at).map_or(&[][..], |argument| c_string(argument));
    let full_name = found.full_name();
    let (does, object, what) = match denied {
        Denied::Command => ("run", full_name.as_bytes(), "command"),
        Denied::Key(at) => ("access", argument(at), "key"),
        Denied::Channel(at) => ("access", argument(at), "channel"),
    };
    let parts = [
        b"This user has no permissions to ",
        does.as_bytes(),
        b" the '",
        object,
        b"' ",
        what.as_bytes(),
    ];
    Ok(Reply::Bulk(parts.concat()))
}

/// ACL LOAD: there are no files.
fn acl_load(_: &mut Context, _: &mut Args) -> Answer {
    Err(Error::NO_ACL_FILE)
}

/// ACL SAVE: there are no files.
fn acl_save(_: &mut Context, _: &mut Args) -> Answer {
    Err(Error::NO_ACL_FILE)
}

/// ACL HELP
fn acl_help(_: &mut Context, _: &mut Args) -> Answer {
    Ok(super::help(HELP))
}

/// What ACL HELP prints between its first and its last lines.
const HELP: (&str, &[&str]) = (
    "ACL",
    &[
        "CAT [<category>]",
        "    List all commands that belong to <category>, or all command categories",
        "    when no category is specified.",
        "DELUSER <username> [<username> ...]",
        "    Delete a list of users.",
        "DRYRUN <username> <command> [<arg> ...]",
        "    Returns whether the user can execute the given command without executing the command.",
        "GETUSER <username>",
        "    Get the user's details.",
        "GENPASS [<bits>]",
        "    Generate a secure 256-bit user password. The optional `bits` argument can",
        "    be used to specify a different size.",
        "LIST",
        "    Show users details in config file format.",
        "LOAD",
        "    Reload users from the ACL file.",
        "LOG [<count> | RESET]",
        "    Show the ACL log entries.",
        "SAVE",
        "    Save the current config to the ACL file.",
        "SETUSER <username> <attribute> [<attribute> ...]",
        "    Create or modify a user with the specified attributes.",
        "USERS",
        "    List all the registered usernames.",
        "WHOAMI",
        "    Return the current connection username.",
    ],
);
