//! Prints redis-cli's help, from the command table.

use crate::command::syntax::{self, Argument};
use crate::command::{self, Command};
use crate::ordered::{self, Ordered};
use crate::server::REDIS_VERSION;

/// A command or subcommand that help knows.
pub(super) struct Entry {
    /// Its full name in capitals, `CLIENT LIST`.
    pub name: String,
    pub command: &'static Command,
}

impl Entry {
    /// Its words.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.name.split(' ').map(str::as_bytes)
    }

    /// Its arguments as people write them.
    pub fn params(&self) -> String {
        params(&syntax::parse(self.command.syntax))
    }
}

/// Every command and subcommand, in the order of the alphabet.
pub(super) fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    for command in command::all() {
        let name = command.name.to_ascii_uppercase();
        for subcommand in command.subcommands() {
            let name = format!("{name} {}", subcommand.name.to_ascii_uppercase());
            entries.push(Entry { name, command: subcommand });
        }
        entries.push(Entry { name, command });
    }
    ordered::sort(&mut entries, |left, right| left.name.cmp(&right.name));
    entries
}

/// The groups that some command belongs to, in the order of the alphabet.
pub(super) fn groups() -> Vec<&'static str> {
    let mut groups: Ordered<&str, ()> = Ordered::default();
    command::all().for_each(|command| groups.insert(command.group, ()));
    groups.iter().map(|(group, ())| *group).collect()
}

/// What `help` prints with these words behind it: nothing, a command, or `@` and a group. Without
/// its colours and the carriage returns before its newlines, which a terminal needs and a text does not.
pub fn help(topic: &[Vec<u8>]) -> Vec<u8> {
    let Some(first) = topic.first() else { return general().into_bytes() };
    let mut text = String::new();
    for entry in entries() {
        let (found, with_group) = match first.strip_prefix(b"@") {
            Some(group) => (group.eq_ignore_ascii_case(entry.command.group.as_bytes()), false),
            None => (starts_with(&entry, topic), true),
        };
        if found {
            text.push_str(&one(&entry, with_group));
        }
    }
    text.push('\n');
    text.into_bytes()
}

/// Whether the words are the command's first.
fn starts_with(entry: &Entry, words: &[Vec<u8>]) -> bool {
    let mut own = entry.words();
    words.iter().all(|word| own.next().is_some_and(|own| own.eq_ignore_ascii_case(word)))
}

fn one(entry: &Entry, with_group: bool) -> String {
    let Entry { name, command } = entry;
    let group = if with_group { format!("  group: {}\n", command.group) } else { String::new() };
    let (params, summary, since) = (entry.params(), command.summary, command.since);
    format!("\n  {name} {params}\n  summary: {summary}\n  since: {since}\n{group}")
}

fn general() -> String {
    format!(
        "redis-cli {REDIS_VERSION}\n\
         To get help about Redis commands type:\n      \
         \"help @<group>\" to get a list of commands in <group>\n      \
         \"help <command>\" for help on <command>\n      \
         \"help <tab>\" to get a list of possible help topics\n      \
         \"quit\" to exit\n\
         \n\
         To set redis-cli preferences:\n      \
         \":set hints\" enable online hints\n      \
         \":set nohints\" disable online hints\n\
         Set your preferences in ~/.redisclirc\n"
    )
}

/// A command's arguments as help and hints show them: `key value [EX seconds|PX milliseconds]`.
pub fn params(arguments: &[Argument]) -> String {
    join(arguments, " ")
}

// Recursion: the depth is that of the rows in our own tables.
fn join(arguments: &[Argument], separator: &str) -> String {
    let texts: Vec<String> = arguments.iter().map(param).collect();
    texts.join(separator)
}

fn param(argument: &Argument) -> String {
    let bare = match argument.kind {
        "oneof" => join(&argument.arguments, "|"),
        "block" => join(&argument.arguments, " "),
        "pure-token" => token(argument),
        _ => argument.name.to_string(),
    };
    let mut text = match argument.token {
        Some(_) if argument.kind != "pure-token" => format!("{} {bare}", token(argument)),
        _ => bare.clone(),
    };
    if argument.multiple {
        let again = if argument.multiple_token { text.clone() } else { bare };
        text = format!("{text} [{again} ...]");
    }
    if argument.optional { format!("[{text}]") } else { text }
}

/// The word itself; the empty word is shown by its quotes.
fn token(argument: &Argument) -> String {
    match argument.token {
        None | Some("") => "\"\"".to_owned(),
        Some(word) => word.to_owned(),
    }
}
