//! Answers COMMAND and its subcommands from the tables of commands.

use super::args::Args;
use super::syntax::{self, Argument};
use super::{Begin, Command, Find, KeySpec, flag};
use crate::error::Error;
use crate::glob;
use crate::resp::Reply;
use crate::server::Context;

type Answer = Result<Reply, Error>;

/// A command with the container that it may belong to.
type Row = (Option<&'static Command>, &'static Command);

/// COMMAND by itself.
pub(super) fn all(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::Array(super::all().map(|command| info_of((None, command))).collect()))
}

pub(super) fn count(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(Reply::Integer(super::all().count() as i64))
}

pub(super) fn info(context: &mut Context, args: &mut Args) -> Answer {
    if args.is_empty() {
        return all(context, args);
    }
    let names = args.rest().iter();
    Ok(Reply::Array(names.map(|name| by_full_name(name).map_or(Reply::Null, info_of)).collect()))
}

pub(super) fn docs(_context: &mut Context, args: &mut Args) -> Answer {
    let rows: Vec<Row> = if args.is_empty() {
        super::all().map(|command| (None, command)).collect()
    } else {
        args.rest().iter().filter_map(|name| by_full_name(name)).collect()
    };
    Ok(Reply::Map(
        rows.into_iter().map(|row| (Reply::bulk(full_name(row)), docs_of(row))).collect(),
    ))
}

pub(super) fn list(_context: &mut Context, args: &mut Args) -> Answer {
    let filter: Box<dyn Fn(&Row) -> bool> = if args.is_empty() {
        Box::new(|_| true)
    } else {
        if args.remaining() != 3 || !args.option("filterby") {
            return Err(Error::SYNTAX);
        }
        if args.option("module") {
            args.bytes()?;
            Box::new(|_| false)
        } else if args.option("aclcat") {
            let category = args.bytes()?;
            let category = String::from_utf8_lossy(category).to_ascii_lowercase();
            Box::new(move |row| row.1.acl_categories().any(|name| name == category))
        } else if args.option("pattern") {
            let pattern = args.bytes()?.to_vec();
            Box::new(move |row| glob::matches(&pattern, full_name(*row).as_bytes(), true))
        } else {
            return Err(Error::SYNTAX);
        }
    };
    let with_subcommands = |command: &'static Command| {
        let subcommands = command.subcommands().iter().map(move |sub| (Some(command), sub));
        [(None, command)].into_iter().chain(subcommands)
    };
    let rows = super::all().flat_map(with_subcommands).filter(|row| filter(row));
    Ok(Reply::Array(rows.map(|row| Reply::bulk(full_name(row))).collect()))
}

pub(super) fn getkeys(_context: &mut Context, args: &mut Args) -> Answer {
    let (line, keys) = keys_of(args)?;
    let keys = keys.iter().filter_map(|key| line.get(key.at));
    Ok(Reply::bulks(keys))
}

pub(super) fn getkeysandflags(_context: &mut Context, args: &mut Args) -> Answer {
    let (line, keys) = keys_of(args)?;
    let show = |key: &super::key_specs::KeyArgument| {
        let name = line.get(key.at)?;
        Some(Reply::Array(vec![Reply::bulk(name), statuses(key.flags.split(' '))]))
    };
    Ok(Reply::Array(keys.iter().filter_map(show).collect()))
}

/// The command line behind GETKEYS, and its keys.
fn keys_of<'a>(
    args: &mut Args<'a>,
) -> Result<(&'a [Vec<u8>], Vec<super::key_specs::KeyArgument>), Error> {
    let line = args.rest();
    let command = super::resolve(line).map_err(|_| Error::INVALID_COMMAND)?.command;
    if !command.keys.iter().any(KeySpec::is_of_keys) {
        return Err(Error::NO_KEY_ARGUMENTS);
    }
    if !command.takes(line.len()) {
        return Err(Error::INVALID_ARGUMENT_COUNT);
    }
    let keys = command.key_arguments(line).unwrap_or_default();
    if keys.is_empty() && !command.has(flag::NO_MANDATORY_KEYS) {
        return Err(Error::INVALID_ARGUMENTS);
    }
    Ok((line, keys))
}

pub(super) fn help(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(super::help(HELP))
}

const HELP: (&str, &[&str]) = (
    "COMMAND",
    &[
        "(no subcommand)",
        "    Return details about all Redis commands.",
        "COUNT",
        "    Return the total number of commands in this Redis server.",
        "LIST",
        "    Return a list of all commands in this Redis server.",
        "INFO [<command-name> ...]",
        "    Return details about multiple Redis commands.",
        "    If no command names are given, documentation details for all",
        "    commands are returned.",
        "DOCS [<command-name> ...]",
        "    Return documentation details about multiple Redis commands.",
        "    If no command names are given, documentation details for all",
        "    commands are returned.",
        "GETKEYS <full-command>",
        "    Return the keys from a full Redis command.",
        "GETKEYSANDFLAGS <full-command>",
        "    Return the keys and the access flags from a full Redis command.",
    ],
);

/// `get`, or `config|get`.
fn full_name((container, command): Row) -> String {
    match container {
        Some(container) => format!("{}|{}", container.name, command.name),
        None => command.name.to_owned(),
    }
}

/// The row that `get` or `config|get` names, in any case.
fn by_full_name(name: &[u8]) -> Option<Row> {
    super::named(name).map(|found| (found.container, found.command))
}

fn statuses<'a>(words: impl Iterator<Item = &'a str>) -> Reply {
    Reply::Set(words.map(|word| Reply::Status(word.as_bytes().to_vec().into())).collect())
}

fn map(pairs: Vec<(&'static str, Reply)>) -> Reply {
    Reply::Map(pairs.into_iter().map(|(name, value)| (Reply::bulk(name), value)).collect())
}

/// What COMMAND INFO answers for one command.
fn info_of(row: Row) -> Reply {
    let command = row.1;
    let flags = flag::NAMES.iter().filter(|(bit, _)| command.has(*bit)).map(|(_, name)| *name);
    let movable = command.has_movable_keys().then_some("movablekeys");
    let (first, last, step) = command.key_range();
    let categories: Vec<String> = command.acl_categories().map(|name| format!("@{name}")).collect();
    let subcommands = match command.subcommands() {
        [] => Reply::Set(Vec::new()),
        subs => Reply::Array(subs.iter().map(|sub| info_of((Some(command), sub))).collect()),
    };
    Reply::Array(vec![
        Reply::bulk(full_name(row)),
        Reply::Integer(i64::from(command.arity)),
        statuses(flags.chain(movable)),
        Reply::Integer(first),
        Reply::Integer(last),
        Reply::Integer(step),
        statuses(categories.iter().map(String::as_str)),
        Reply::Set(command.tips.iter().map(Reply::bulk).collect()),
        Reply::Set(command.keys.iter().map(key_spec).collect()),
        subcommands,
    ])
}

fn key_spec(spec: &KeySpec) -> Reply {
    let number = Reply::Integer;
    let (begin, begin_spec) = match spec.begin {
        Begin::Index(index) => ("index", vec![("index", number(index))]),
        Begin::Keyword(word, from) => {
            ("keyword", vec![("keyword", Reply::bulk(word)), ("startfrom", number(from))])
        }
        Begin::Unknown => ("unknown", Vec::new()),
    };
    let (find, find_spec) = match spec.find {
        Find::Range { last, step, limit } => (
            "range",
            vec![("lastkey", number(last)), ("keystep", number(step)), ("limit", number(limit))],
        ),
        Find::Count { at, first, step } => (
            "keynum",
            vec![("keynumidx", number(at)), ("firstkey", number(first)), ("keystep", number(step))],
        ),
        Find::Unknown => ("unknown", Vec::new()),
    };
    let part = |name, spec| map(vec![("type", Reply::bulk(name)), ("spec", map(spec))]);
    let mut pairs = Vec::new();
    if !spec.notes.is_empty() {
        pairs.push(("notes", Reply::bulk(spec.notes)));
    }
    pairs.push(("flags", statuses(spec.flags.split_ascii_whitespace())));
    pairs.push(("begin_search", part(begin, begin_spec)));
    pairs.push(("find_keys", part(find, find_spec)));
    map(pairs)
}

/// What COMMAND DOCS answers for one command.
fn docs_of((_, command): Row) -> Reply {
    let mut pairs = vec![
        ("summary", Reply::bulk(command.summary)),
        ("since", Reply::bulk(command.since)),
        ("group", Reply::bulk(command.group)),
    ];
    if !command.complexity.is_empty() {
        pairs.push(("complexity", Reply::bulk(command.complexity)));
    }
    if !command.doc_flags.is_empty() {
        pairs.push(("doc_flags", statuses(command.doc_flags.split(' '))));
    }
    if let Some((since, replacement)) = command.deprecated {
        pairs.push(("deprecated_since", Reply::bulk(since)));
        pairs.push(("replaced_by", Reply::bulk(replacement)));
    }
    if !command.history.is_empty() {
        let change = |(version, change): &(&str, &str)| Reply::bulks([*version, *change]);
        pairs.push(("history", Reply::Set(command.history.iter().map(change).collect())));
    }
    if !command.syntax.is_empty() {
        let arguments = syntax::parse(command.syntax);
        pairs.push(("arguments", Reply::Array(arguments.iter().map(argument).collect())));
    }
    if !command.subcommands().is_empty() {
        let subcommands = command.subcommands().iter().map(|sub| (Some(command), sub));
        let docs = subcommands.map(|row| (Reply::bulk(full_name(row)), docs_of(row)));
        pairs.push(("subcommands", Reply::Map(docs.collect())));
    }
    map(pairs)
}

fn argument(argument: &Argument) -> Reply {
    let mut pairs =
        vec![("name", Reply::bulk(argument.name.as_bytes())), ("type", Reply::bulk(argument.kind))];
    if let Some(index) = argument.key_spec {
        pairs.push(("key_spec_index", Reply::Integer(index)));
    }
    let texts = [
        ("token", argument.token),
        ("since", argument.since),
        ("deprecated_since", argument.deprecated),
    ];
    for (name, text) in texts {
        pairs.extend(text.map(|text| (name, Reply::bulk(text))));
    }
    let flags: Vec<&str> = [
        (argument.optional, "optional"),
        (argument.multiple, "multiple"),
        (argument.multiple_token, "multiple_token"),
    ]
    .into_iter()
    .filter_map(|(yes, name)| yes.then_some(name))
    .collect();
    if !flags.is_empty() {
        pairs.push(("flags", statuses(flags.into_iter())));
    }
    if !argument.arguments.is_empty() {
        let inner = argument.arguments.iter().map(self::argument);
        pairs.push(("arguments", Reply::Array(inner.collect())));
    }
    map(pairs)
}
