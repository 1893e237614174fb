//! What redis-cli offers while a line is typed: completions, and the grey hint of the arguments still to come.

use super::help::{entries, groups};
use super::split::split;

/// The lines that Tab offers in turn: names of commands and subcommands that begin with what is typed, and behind
/// `help` the groups as well. Empty if there are none.
pub fn complete(line: &[u8]) -> Vec<Vec<u8>> {
    let typed_help = line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"help "));
    let start = if typed_help {
        line.iter().skip(5).position(|&byte| byte != b' ').map_or(line.len(), |at| at + 5)
    } else {
        0
    };
    let (before, typed) = line.split_at(start.min(line.len()));
    let groups = if typed_help { groups() } else { Vec::new() };
    let groups = groups.into_iter().map(|group| format!("@{group}"));
    let names = groups.chain(entries().into_iter().map(|entry| entry.name));
    names
        .filter(|name| {
            let start = name.as_bytes().get(..typed.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(typed))
        })
        .map(|name| [before, name.as_bytes()].concat())
        .collect()
}

/// The hint behind a line: the arguments of its command that are not typed yet. Empty if it begins with no command, or
/// a quote is open. It starts with a space unless the line ends with one.
///
/// As in redis-cli 7.0, each typed argument takes one word from the front of the syntax, up to the first bracket.
pub fn hint(line: &[u8]) -> String {
    let Some(argv) = split(line).filter(|argv| !argv.is_empty()) else { return String::new() };
    let named = |entry: &super::help::Entry| {
        let mut typed = argv.iter();
        entry.words().all(|word| typed.next().is_some_and(|typed| typed.eq_ignore_ascii_case(word)))
    };
    // The longest name wins: CLIENT LIST before CLIENT.
    let found = entries().into_iter().filter(named).max_by_key(|entry| entry.words().count());
    let Some(entry) = found else { return String::new() };
    let params = entry.params();
    let mut rest = params.as_str();
    let mut typed = argv.len().saturating_sub(entry.words().count());
    while typed > 0 && !rest.starts_with('[') {
        let Some(first) = rest.chars().next() else { break };
        typed -= usize::from(first == ' ');
        rest = rest.strip_prefix(first).unwrap_or_default();
    }
    let ends_with_space = line.last().is_some_and(u8::is_ascii_whitespace);
    let space = if ends_with_space { "" } else { " " };
    format!("{space}{rest}")
}
