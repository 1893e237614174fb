//! Finds the keys of a whole command line by its key specs.

use super::{Begin, Command, Find, KeySpec, flag};
use crate::number;

/// The place of a key in a command line, and what the command does with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyArgument {
    /// Index among the arguments, the command's name being 0.
    pub at: usize,
    /// Access flags, separated by spaces.
    pub flags: &'static str,
}

impl Command {
    /// The keys of a command line of this command; none if the arguments contradict a key spec.
    pub fn key_arguments(&self, argv: &[Vec<u8>]) -> Option<Vec<KeyArgument>> {
        let mut found = Vec::new();
        for spec in self.keys.iter().filter(|spec| spec.is_of_keys()) {
            spec.find(argv, self.variable_flags(spec, argv), &mut found)?;
        }
        if self.name == "sort" {
            found.extend(sort_destination(argv));
        }
        Some(found)
    }

    /// SET reads its key only with GET, and BITFIELD writes to its key unless there is nothing but GET.
    fn variable_flags(&self, spec: &KeySpec, argv: &[Vec<u8>]) -> &'static str {
        match self.name {
            "set" => {
                let get = argv.iter().skip(3).any(|word| word.eq_ignore_ascii_case(b"get"));
                if get { "RW access update" } else { "OW update" }
            }
            "bitfield" => {
                let reads = only_reads(argv.get(2..).unwrap_or_default());
                if reads { "RO access" } else { "RW access update" }
            }
            _ => spec.flags,
        }
    }

    /// Whether the first, last and step of COMMAND INFO do not tell all of its keys.
    pub fn has_movable_keys(&self) -> bool {
        let regular = |spec: &KeySpec| {
            matches!((spec.begin, spec.find), (Begin::Index(_), Find::Range { .. }))
        };
        !self.keys.iter().all(regular)
    }

    /// First key, last key and step as clients before Redis 7 expect them: of key specs that follow each other.
    pub fn key_range(&self) -> (i64, i64, i64) {
        let mut range: Option<(i64, i64, i64)> = None;
        for spec in self.keys {
            let (Begin::Index(first), Find::Range { last, step, .. }) = (spec.begin, spec.find)
            else {
                continue;
            };
            let last = if last >= 0 { first + last } else { last };
            range = match range {
                None => Some((first, last, step)),
                Some((start, end, 1)) if end == first - 1 && step == 1 => Some((start, last, 1)),
                other => other,
            };
        }
        range.unwrap_or((0, 0, 0))
    }
}

/// Whether what BITFIELD is asked for is only GET, with OVERFLOW perhaps.
fn only_reads(mut options: &[Vec<u8>]) -> bool {
    while let Some((word, rest)) = options.split_first() {
        let count = if word.eq_ignore_ascii_case(b"get") {
            2
        } else if word.eq_ignore_ascii_case(b"overflow") {
            1
        } else {
            return false;
        };
        let Some(rest) = rest.get(count..) else { return false };
        options = rest;
    }
    true
}

impl KeySpec {
    /// Whether it finds keys, and not what is only sent where a key would be.
    pub fn is_of_keys(&self) -> bool {
        self.flags != "not_key"
    }

    fn find(
        &self,
        argv: &[Vec<u8>],
        flags: &'static str,
        found: &mut Vec<KeyArgument>,
    ) -> Option<()> {
        let count = argv.len() as i64;
        let begin = match self.begin {
            Begin::Index(index) => index,
            Begin::Keyword(word, from) => match keyword(argv, word, from) {
                Some(at) => at + 1,
                // A keyword may be left out.
                None => return Some(()),
            },
            // SORT's patterns name keys that only the data knows.
            Begin::Unknown => return Some(()),
        };
        let (first, last, step) = match self.find {
            Find::Range { last, step, limit } => {
                let last = match (last, limit) {
                    (0.., _) => begin + last,
                    (_, 0 | 1) => count + last,
                    _ => begin + (count - begin) / limit + last,
                };
                (begin, last, step)
            }
            Find::Count { at, first, step } => {
                let number = argument(argv, begin + at).and_then(number::parse_integer)?;
                let first = begin + first;
                let length = number.checked_sub(1).and_then(|gaps| gaps.checked_mul(step))?;
                if number < 0 {
                    return None;
                }
                (first, first.checked_add(length)?, step)
            }
            Find::Unknown => return Some(()),
        };
        if last >= count || (last < first && !matches!(self.find, Find::Count { .. })) {
            return None;
        }
        let mut at = first;
        while at <= last {
            found.push(KeyArgument { at: usize::try_from(at).ok()?, flags });
            at += step.max(1);
        }
        Some(())
    }
}

/// The key behind SORT's last STORE, which may stand anywhere among options that take arguments themselves.
fn sort_destination(argv: &[Vec<u8>]) -> Option<KeyArgument> {
    let mut found = None;
    let mut at = 2;
    while let Some(word) = argv.get(at) {
        let is = |option: &str| word.eq_ignore_ascii_case(option.as_bytes());
        if is("store") && at + 1 < argv.len() {
            found = Some(KeyArgument { at: at + 1, flags: "OW update" });
        }
        at += if is("limit") {
            3
        } else if is("get") || is("by") || is("store") {
            2
        } else {
            1
        };
    }
    found
}

fn argument(argv: &[Vec<u8>], at: i64) -> Option<&[u8]> {
    argv.get(usize::try_from(at).ok()?).map(Vec::as_slice)
}

/// Where the word stands, looked for forwards from `from`, or backwards from so far behind the end.
fn keyword(argv: &[Vec<u8>], word: &str, from: i64) -> Option<i64> {
    let count = argv.len() as i64;
    let is_word = |at: &i64| {
        argument(argv, *at).is_some_and(|argument| argument.eq_ignore_ascii_case(word.as_bytes()))
    };
    if from > 0 { (from..count).find(is_word) } else { (1..=count + from).rev().find(is_word) }
}

/// The ACL categories in the order in which COMMAND INFO prints them.
pub const CATEGORIES: &[&str] = &[
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];

impl Command {
    /// The ACL categories of a command: those of its row, and those that follow from its flags.
    pub fn acl_categories(&self) -> impl Iterator<Item = &'static str> {
        let own: Vec<&str> = self.categories.split_ascii_whitespace().collect();
        let scripting = own.contains(&"scripting");
        let flags = self.flags;
        CATEGORIES.iter().copied().filter(move |category| {
            let has = |flag: u32| flags & flag != 0;
            let implied = match *category {
                "read" => has(flag::READONLY) && !scripting,
                "write" => has(flag::WRITE),
                "admin" | "dangerous" => has(flag::ADMIN),
                "pubsub" => has(flag::PUBSUB),
                "fast" => has(flag::FAST),
                "slow" => !has(flag::FAST),
                "blocking" => has(flag::BLOCKING),
                _ => false,
            };
            implied || own.contains(category)
        })
    }
}
