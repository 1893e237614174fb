//! Defines SORT.

use super::args::Args;
use super::flag::{DENYOOM, READONLY, WRITE};
use super::sorting::sorted_places;
use super::{Answer, Begin, Command, Find, KeySpec, Room, Run};
use crate::error::Error;
use crate::number;
use crate::resp::Reply;
use crate::server::notify::Event;
use crate::server::{Context, Origin};
use crate::value::hash::Hash;
use crate::value::list::{End, List};
use crate::value::string::StringValue;
use crate::value::{Kind, Value};
use std::cmp::Ordering;

/// SORT and its read-only form.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "sort",
        arity: -2,
        flags: WRITE | DENYOOM,
        categories: "set sortedset list dangerous",
        keys: &[
            KeySpec::at(1, "RO access"),
            KeySpec {
                notes: "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort",
                flags: "RO access",
                begin: Begin::Unknown,
                find: Find::Unknown,
            },
            KeySpec {
                notes: "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array",
                flags: "OW update",
                begin: Begin::Unknown,
                find: Find::Unknown,
            },
        ],
        since: "1.0.0",
        group: "generic",
        summary: "Sort the elements in a list, set or sorted set",
        complexity: "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N).",
        syntax: "key:key#0 BY=pattern:pattern#1? LIMIT=offset_count{offset:integer count:integer}? GET=pattern:pattern#1?*+ order(ASC|DESC)? ALPHA/sorting? STORE=destination:key#2?",
        run: Run::Reply(sort),
        ..Command::EMPTY
    },
    Command {
        name: "sort_ro",
        arity: -2,
        flags: READONLY,
        categories: "set sortedset list dangerous",
        keys: &[
            KeySpec::at(1, "RO access"),
            KeySpec {
                notes: "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort",
                flags: "RO access",
                begin: Begin::Unknown,
                find: Find::Unknown,
            },
        ],
        since: "7.0.0",
        group: "generic",
        summary: "Sort the elements in a list, set or sorted set. Read-only variant of SORT.",
        complexity: "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N).",
        syntax: "key:key#0 BY=pattern:pattern#1? LIMIT=offset_count{offset:integer count:integer}? GET=pattern:pattern#1?*+ order(ASC|DESC)? ALPHA/sorting?",
        run: Run::Reply(sort_ro),
        ..Command::EMPTY
    },
];

/// What is asked for.
struct Options<'a> {
    /// The pattern of the keys that hold the weights.
    by: Option<&'a [u8]>,
    /// The first element, and how many; all if negative.
    limit: (i64, i64),
    /// The patterns of what is returned for each element.
    get: Vec<&'a [u8]>,
    is_descending: bool,
    is_alpha: bool,
    store: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    /// Patterns name keys that no rule can foresee: they are for users who may read every key.
    fn parse(args: &mut Args<'a>, may_store: bool, reads_all: bool) -> Result<Options<'a>, Error> {
        let mut options = Options {
            by: None,
            limit: (0, -1),
            get: Vec::new(),
            is_descending: false,
            is_alpha: false,
            store: None,
        };
        while !args.is_empty() {
            let left = args.remaining() - 1;
            if args.option("ASC") {
                options.is_descending = false;
            } else if args.option("DESC") {
                options.is_descending = true;
            } else if args.option("ALPHA") {
                options.is_alpha = true;
            } else if left >= 2 && args.option("LIMIT") {
                options.limit = (args.integer()?, args.integer()?);
            } else if may_store && left >= 1 && args.option("STORE") {
                options.store = Some(args.bytes()?);
            } else if left >= 1 && args.option("BY") {
                let pattern = args.bytes()?;
                if !reads_all && pattern.contains(&b'*') {
                    return Err(Error::SORT_BY_DENIED);
                }
                options.by = Some(pattern);
            } else if left >= 1 && args.option("GET") {
                if !reads_all {
                    return Err(Error::SORT_GET_DENIED);
                }
                options.get.push(args.bytes()?);
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(options)
    }

    /// What LIMIT leaves of so many elements.
    fn range(&self, length: usize) -> std::ops::Range<usize> {
        let length = length as i64;
        let start = self.limit.0.clamp(0, length);
        let count = self.limit.1.clamp(-1, length);
        let end = if count < 0 { length } else { (start + count).min(length) };
        start as usize..end.max(start) as usize
    }
}

/// SORT, with all of its options
fn sort(context: &mut Context, args: &mut Args) -> Answer {
    run(context, args, true)
}

/// `SORT_RO`: SORT without STORE
fn sort_ro(context: &mut Context, args: &mut Args) -> Answer {
    run(context, args, false)
}

fn run(context: &mut Context, args: &mut Args, may_store: bool) -> Answer {
    let key = args.key()?;
    let reads_all = context.reads_all(args.argv());
    let options = Options::parse(args, may_store, reads_all)?;
    let (mut elements, is_set) = match context.read_entry(key).map(|entry| &mut entry.value) {
        None => (Vec::new(), false),
        Some(Value::List(list)) => (list.iter().map(<[u8]>::to_vec).collect(), false),
        Some(Value::Set(set)) => (set.members(), true),
        Some(Value::SortedSet(set)) => {
            // It is looked at as a skiplist, and stays one.
            set.make_skiplist();
            (set.members().into_iter().map(|(member, _)| member.to_vec()).collect(), false)
        }
        Some(_) => return Err(Error::WRONG_TYPE),
    };
    let from_script = matches!(context.origin, Origin::Script { .. });
    let (mut by, mut is_alpha) = (options.by, options.is_alpha);
    let mut keeps_order = by.is_some_and(|pattern| !pattern.contains(&b'*'));
    // What has no order is given one where it would be kept, or decide what a script does.
    if keeps_order && is_set && (options.store.is_some() || from_script) {
        (by, is_alpha, keeps_order) = (None, true, false);
    }
    if keeps_order && !is_set && options.is_descending {
        elements.reverse();
    }
    if !keeps_order {
        elements = sorted(context, elements, by, is_alpha, &options)?;
    }
    let range = options.range(elements.len());
    let (mut found, mut room) = (Vec::new(), Room::new());
    for element in elements.drain(range) {
        for pattern in &options.get {
            let value = look_up(context, pattern, &element);
            room.take(value.as_ref().map_or(0, Vec::len))?;
            found.push(value);
        }
        if options.get.is_empty() {
            found.push(Some(element));
        }
    }
    let Some(destination) = options.store else {
        let replies = found.into_iter().map(|value| value.map_or(Reply::Null, Reply::Bulk));
        return Ok(Reply::Array(replies.collect()));
    };
    let length = found.len();
    if length == 0 {
        context.delete(destination);
        return Ok(Reply::Integer(0));
    }
    let mut list = List::default();
    for value in found {
        list.push(End::Right, value.unwrap_or_default());
    }
    context.set(destination, list.wrap());
    context.server.changes += length as u64 - 1;
    context.notify(Event::List, "sortstore", destination);
    Ok(Reply::Integer(length as i64))
}

/// What elements are compared by.
enum Weight {
    Number(f64),
    /// None comes before all.
    Text(Option<Vec<u8>>),
}

fn sorted(
    context: &mut Context,
    elements: Vec<Vec<u8>>,
    by: Option<&[u8]>,
    is_alpha: bool,
    options: &Options,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut weighted = Vec::with_capacity(elements.len());
    let mut are_numbers = true;
    for element in elements {
        let mut value = match by {
            Some(pattern) => look_up(context, pattern, &element),
            None => Some(element.clone()),
        };
        let weight = if is_alpha {
            // Where nothing is stored, texts are compared as C compares strings: up to a NUL.
            if options.store.is_none()
                && let Some(text) = &mut value
                && let Some(nul) = text.iter().position(|byte| *byte == 0)
            {
                text.truncate(nul);
            }
            Weight::Text(value)
        } else {
            let number = value.map_or(Some(0.0), |value| number(&value));
            are_numbers &= number.is_some();
            Weight::Number(number.unwrap_or_default())
        };
        weighted.push((weight, element));
    }
    // All are looked up before one is refused.
    if !are_numbers {
        return Err(Error::SORT_SCORE);
    }
    let count = weighted.len();
    let places = sorted_places(count, options.range(count), &|left, right| {
        let (left, right) = (&weighted[left as usize], &weighted[right as usize]);
        let order = match (&left.0, &right.0) {
            (Weight::Number(one), Weight::Number(other)) => {
                one.partial_cmp(other).unwrap_or(Ordering::Equal).then_with(|| left.1.cmp(&right.1))
            }
            (Weight::Text(one), Weight::Text(other)) => one.cmp(other),
            _ => Ordering::Equal,
        };
        if options.is_descending { order.reverse() } else { order }
    });
    Ok(places.into_iter().map(|place| std::mem::take(&mut weighted[place as usize].1)).collect())
}

/// A weight as C's `strtod` reads it, up to a NUL; nothing is 0. What is out of its range is none.
fn number(text: &[u8]) -> Option<f64> {
    number::strtod(text).filter(|number| !number::is_lost(text, *number, f64::MIN_POSITIVE))
}

/// What a pattern names for an element: itself for `#`; else the string of the key in which the element stands for the
/// first `*`, or with `->field` at the end the field of that hash.
fn look_up(context: &mut Context, pattern: &[u8], element: &[u8]) -> Option<Vec<u8>> {
    if pattern == b"#" {
        return Some(element.to_vec());
    }
    let star = pattern.iter().position(|byte| *byte == b'*')?;
    let (before, behind) = (&pattern[..star], &pattern[star + 1..]);
    let arrow = behind.windows(2).position(|pair| pair == b"->");
    let (behind, field) = match arrow {
        Some(at) if at + 2 < behind.len() => (&behind[..at], Some(&behind[at + 2..])),
        _ => (behind, None),
    };
    let key = [before, element, behind].concat();
    let value = &context.read_entry(&key)?.value;
    match field {
        Some(field) => Hash::of(value)?.get(field).map(<[u8]>::to_vec),
        None => StringValue::of(value).map(|value| value.bytes().into_owned()),
    }
}
