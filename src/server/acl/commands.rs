//! Defines which commands a selector allows, and the rules in which that is told.

use crate::command::key_specs::CATEGORIES;
use crate::command::{self, CommandId, Found};
use crate::error::reason;
use crate::number::c_string;
use std::sync::OnceLock;

/// A command or a subcommand.
struct Row {
    found: Found,
    /// A bit for each of its [`CATEGORIES`].
    categories: u32,
}

/// Every command, each with its subcommands behind it, in the order of their [`CommandId`]s.
fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let row = |found: Found| {
            let names = found.command.acl_categories();
            let bits = names.filter_map(category).map(|at| 1 << at);
            Row { found, categories: bits.sum() }
        };
        command::every().map(row).collect()
    })
}

fn row_of(id: CommandId) -> Option<usize> {
    rows().binary_search_by_key(&id, |row| row.found.id).ok()
}

/// The row of `get` or `config|get`.
fn named(name: &[u8]) -> Option<usize> {
    command::named(name).and_then(|found| row_of(found.id))
}

/// The place among [`CATEGORIES`] of the category of this name, in any case.
pub fn category(name: impl AsRef<[u8]>) -> Option<usize> {
    let name = c_string(name.as_ref());
    CATEGORIES.iter().position(|category| category.as_bytes().eq_ignore_ascii_case(name))
}

/// The names of the commands and subcommands of a category.
pub fn of_category(category: usize) -> impl Iterator<Item = String> {
    let rows = rows().iter().filter(move |row| row.categories & (1 << category) != 0);
    rows.map(|row| row.found.full_name())
}

/// The commands that a selector allows.
#[derive(Clone)]
pub struct Commands {
    /// By row.
    allowed: Vec<bool>,
    /// It was last made from all commands, or from none: the rules that tell of it begin so.
    from_all: bool,
    /// Nothing was taken away since.
    all: bool,
    /// Commands that are allowed if this is their first argument.
    first_arguments: Vec<(usize, Vec<u8>)>,
}

impl Commands {
    /// All of them, or none.
    pub fn new(all: bool) -> Commands {
        Commands {
            allowed: vec![all; rows().len()],
            from_all: all,
            all,
            first_arguments: Vec::new(),
        }
    }

    /// Whether a command may run with these arguments, as far as it depends on the command.
    pub fn allow(&self, found: &Found, argv: &[Vec<u8>]) -> bool {
        if self.all {
            return true;
        }
        let Some(at) = row_of(found.id) else { return false };
        let argument = argv.get(found.arguments_at());
        let is_first = |(row, first): &(usize, Vec<u8>)| {
            *row == at && argument.is_some_and(|word| c_string(word).eq_ignore_ascii_case(first))
        };
        self.allowed.get(at) == Some(&true) || self.first_arguments.iter().any(is_first)
    }

    /// Follows a rule that begins with `+` or `-`; `name` is what stands behind that. What is wrong with it otherwise.
    pub fn apply(&mut self, allow: bool, name: &[u8]) -> Result<(), &'static str> {
        if let Some(name) = name.strip_prefix(b"@") {
            if name.eq_ignore_ascii_case(b"all") {
                *self = Commands::new(allow);
            } else {
                self.set_category(category(name).ok_or(reason::UNKNOWN_COMMAND)?, allow);
            }
        } else if let Some(at) = named(name) {
            self.set(at, allow);
        } else {
            let bar = name.iter().rposition(|byte| *byte == b'|').filter(|_| allow);
            let bar = bar.ok_or(reason::UNKNOWN_COMMAND)?;
            self.allow_first(&name[..bar], &name[bar + 1..])?;
        }
        Ok(())
    }

    /// Allows a command for one first argument.
    fn allow_first(&mut self, name: &[u8], argument: &[u8]) -> Result<(), &'static str> {
        let at = named(name).ok_or(reason::UNKNOWN_COMMAND)?;
        let found = &rows()[at].found;
        if found.container.is_some() {
            return Err(reason::FIRST_OF_SUBCOMMAND);
        }
        if argument.is_empty() {
            return Err(reason::RULE_SYNTAX);
        }
        if !found.command.subcommands().is_empty() {
            return Err(reason::UNKNOWN_COMMAND);
        }
        let is_there =
            |(row, first): &(usize, Vec<u8>)| *row == at && first.eq_ignore_ascii_case(argument);
        if !self.first_arguments.iter().any(is_there) {
            self.first_arguments.push((at, argument.to_vec()));
        }
        Ok(())
    }

    /// Allows or forbids a command with its subcommands, or a subcommand.
    fn set(&mut self, at: usize, allow: bool) {
        let row = &rows()[at];
        let subcommands =
            if row.found.container.is_none() { row.found.command.subcommands() } else { &[] };
        if let Some(allowed) = self.allowed.get_mut(at..=at + subcommands.len()) {
            allowed.fill(allow);
        }
        self.all &= allow;
        self.first_arguments.retain(|(row, _)| *row != at);
    }

    fn set_category(&mut self, category: usize, allow: bool) {
        for (at, row) in rows().iter().enumerate() {
            if row.categories & (1 << category) != 0 {
                self.set(at, allow);
            }
        }
    }

    /// How many commands of a category are allowed, and how many are not.
    fn count(&self, category: usize) -> (usize, usize) {
        let pairs = rows().iter().zip(&self.allowed);
        let mut counts = (0, 0);
        for (_, allowed) in pairs.filter(|(row, _)| row.categories & (1 << category) != 0) {
            *if *allowed { &mut counts.0 } else { &mut counts.1 } += 1;
        }
        counts
    }

    /// The rules that give these commands, separated by spaces. How they were given is not remembered: categories are
    /// taken as long as one fits more of what is left than it spoils, the most exact one first, and commands mend the rest.
    pub fn rules(&self) -> Vec<u8> {
        let mut rules = if self.from_all { b"+@all".to_vec() } else { b"-@all".to_vec() };
        if self.all {
            return rules;
        }
        let allow = !self.from_all;
        let mut told = Commands::new(self.from_all);
        // What has been told looks as if nobody had asked for it.
        let mut left = self.clone();
        let mut taken = 0u32;
        loop {
            // How many commands would be told wrongly, and then how many rightly.
            let mut best: Option<(usize, usize, usize)> = None;
            for category in (0..CATEGORIES.len()).filter(|category| taken & (1 << category) == 0) {
                let (allowed, forbidden) = left.count(category);
                let (right, wrong) =
                    if allow { (allowed, forbidden) } else { (forbidden, allowed) };
                let is_better = best.is_none_or(|(most_wrong, least_right, _)| {
                    wrong < most_wrong || wrong == most_wrong && right > least_right
                });
                if right > wrong && is_better {
                    best = Some((wrong, right, category));
                }
            }
            let Some((_, _, category)) = best else { break };
            told.set_category(category, allow);
            left.set_category(category, !allow);
            taken |= 1 << category;
            push_rule(&mut rules, allow, &["@", CATEGORIES[category]]);
        }
        for (at, row) in rows().iter().enumerate() {
            let allowed = self.allowed.get(at) == Some(&true);
            if told.allowed.get(at) != Some(&allowed) {
                told.set(at, allowed);
                push_rule(&mut rules, allowed, &[&row.found.full_name()]);
            }
            for (_, first) in self.first_arguments.iter().filter(|(row, _)| *row == at && !allowed)
            {
                push_rule(&mut rules, true, &[row.found.command.name, "|"]);
                rules.extend_from_slice(first);
            }
        }
        rules
    }
}

fn push_rule(rules: &mut Vec<u8>, allow: bool, parts: &[&str]) {
    rules.extend_from_slice(if allow { b" +" } else { b" -" });
    for part in parts {
        rules.extend_from_slice(part.as_bytes());
    }
}
