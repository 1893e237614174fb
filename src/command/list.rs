//! Defines the list commands.

use super::args::Args;
use super::flag::{BLOCKING, DENYOOM, FAST, NOSCRIPT, READONLY, WRITE};
use super::{Answer, Attempt, Begin, Command, Find, KeySpec, Run, Wait};
use crate::error::Error;
use crate::keyspace::Millis;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::list::{End, List};

/// The list family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "blmove",
        arity: 6,
        flags: WRITE | DENYOOM | NOSCRIPT | BLOCKING,
        categories: "list",
        keys: &[KeySpec::at(1, "RW access delete"), KeySpec::at(2, "RW insert")],
        since: "6.2.0",
        group: "list",
        summary: "Pop an element from a list, push it to another list and return it; or block until one is available",
        complexity: "O(1)",
        syntax: "source:key#0 destination:key#1 wherefrom(LEFT|RIGHT) whereto(LEFT|RIGHT) timeout:double",
        run: Run::Block(blmove),
        ..Command::EMPTY
    },
    Command {
        name: "blmpop",
        arity: -5,
        flags: WRITE | BLOCKING,
        categories: "list",
        keys: &[KeySpec {
            notes: "",
            flags: "RW access delete",
            begin: Begin::Index(2),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "7.0.0",
        group: "list",
        summary: "Pop elements from a list, or block until one is available",
        complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
        syntax: "timeout:double numkeys:integer key:key#0* where(LEFT|RIGHT) COUNT=count:integer?",
        run: Run::Block(blmpop),
        ..Command::EMPTY
    },
    Command {
        name: "blpop",
        arity: -3,
        flags: WRITE | NOSCRIPT | BLOCKING,
        categories: "list",
        keys: &[KeySpec::range(1, -2, 1, "RW access delete")],
        since: "2.0.0",
        group: "list",
        summary: "Remove and get the first element in a list, or block until one is available",
        complexity: "O(N) where N is the number of provided keys.",
        history: &[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
        syntax: "key:key#0* timeout:double",
        run: Run::Block(blpop),
        ..Command::EMPTY
    },
    Command {
        name: "brpop",
        arity: -3,
        flags: WRITE | NOSCRIPT | BLOCKING,
        categories: "list",
        keys: &[KeySpec::range(1, -2, 1, "RW access delete")],
        since: "2.0.0",
        group: "list",
        summary: "Remove and get the last element in a list, or block until one is available",
        complexity: "O(N) where N is the number of provided keys.",
        history: &[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
        syntax: "key:key#0* timeout:double",
        run: Run::Block(brpop),
        ..Command::EMPTY
    },
    Command {
        name: "brpoplpush",
        arity: 4,
        flags: WRITE | DENYOOM | NOSCRIPT | BLOCKING,
        categories: "list",
        keys: &[KeySpec::at(1, "RW access delete"), KeySpec::at(2, "RW insert")],
        since: "2.2.0",
        group: "list",
        summary: "Pop an element from a list, push it to another list and return it; or block until one is available",
        complexity: "O(1)",
        doc_flags: "deprecated",
        deprecated: Some(("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")),
        history: &[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
        syntax: "source:key#0 destination:key#1 timeout:double",
        run: Run::Block(brpoplpush),
        ..Command::EMPTY
    },
    Command {
        name: "lindex",
        arity: 3,
        flags: READONLY,
        categories: "list",
        keys: &[KeySpec::at(1, "RO access")],
        since: "1.0.0",
        group: "list",
        summary: "Get an element from a list by its index",
        complexity: "O(N) where N is the number of elements to traverse to get to the element at index. This makes asking for the first or the last element of the list O(1).",
        syntax: "key:key#0 index:integer",
        run: Run::Reply(lindex),
        ..Command::EMPTY
    },
    Command {
        name: "linsert",
        arity: 5,
        flags: WRITE | DENYOOM,
        categories: "list",
        keys: &[KeySpec::at(1, "RW insert")],
        since: "2.2.0",
        group: "list",
        summary: "Insert an element before or after another element in a list",
        complexity: "O(N) where N is the number of elements to traverse before seeing the value pivot. This means that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting somewhere on the right end (tail) is O(N).",
        syntax: "key:key#0 where(BEFORE|AFTER) pivot:string element:string",
        run: Run::Reply(linsert),
        ..Command::EMPTY
    },
    Command {
        name: "llen",
        arity: 2,
        flags: READONLY | FAST,
        categories: "list",
        keys: &[KeySpec::at(1, "RO")],
        since: "1.0.0",
        group: "list",
        summary: "Get the length of a list",
        complexity: "O(1)",
        syntax: "key:key#0",
        run: Run::Reply(llen),
        ..Command::EMPTY
    },
    Command {
        name: "lmove",
        arity: 5,
        flags: WRITE | DENYOOM,
        categories: "list",
        keys: &[KeySpec::at(1, "RW access delete"), KeySpec::at(2, "RW insert")],
        since: "6.2.0",
        group: "list",
        summary: "Pop an element from a list, push it to another list and return it",
        complexity: "O(1)",
        syntax: "source:key#0 destination:key#1 wherefrom(LEFT|RIGHT) whereto(LEFT|RIGHT)",
        run: Run::Reply(lmove),
        ..Command::EMPTY
    },
    Command {
        name: "lmpop",
        arity: -4,
        flags: WRITE,
        categories: "list",
        keys: &[KeySpec {
            notes: "",
            flags: "RW access delete",
            begin: Begin::Index(1),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "7.0.0",
        group: "list",
        summary: "Pop elements from a list",
        complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
        syntax: "numkeys:integer key:key#0* where(LEFT|RIGHT) COUNT=count:integer?",
        run: Run::Reply(lmpop),
        ..Command::EMPTY
    },
    Command {
        name: "lpop",
        arity: -2,
        flags: WRITE | FAST,
        categories: "list",
        keys: &[KeySpec::at(1, "RW access delete")],
        since: "1.0.0",
        group: "list",
        summary: "Remove and get the first elements in a list",
        complexity: "O(N) where N is the number of elements returned",
        history: &[("6.2.0", "Added the `count` argument.")],
        syntax: "key:key#0 count:integer?@6.2.0",
        run: Run::Reply(lpop),
        ..Command::EMPTY
    },
    Command {
        name: "lpos",
        arity: -3,
        flags: READONLY,
        categories: "list",
        keys: &[KeySpec::at(1, "RO access")],
        since: "6.0.6",
        group: "list",
        summary: "Return the index of matching elements on a list",
        complexity: "O(N) where N is the number of elements in the list, for the average case. When searching for elements near the head or the tail of the list, or when the MAXLEN option is provided, the command may run in constant time.",
        syntax: "key:key#0 element:string RANK=rank:integer? COUNT=num-matches:integer? MAXLEN=len:integer?",
        run: Run::Reply(lpos),
        ..Command::EMPTY
    },
    Command {
        name: "lpush",
        arity: -3,
        flags: WRITE | DENYOOM | FAST,
        categories: "list",
        keys: &[KeySpec::at(1, "RW insert")],
        since: "1.0.0",
        group: "list",
        summary: "Prepend one or multiple elements to a list",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        history: &[("2.4.0", "Accepts multiple `element` arguments.")],
        syntax: "key:key#0 element:string*",
        run: Run::Reply(lpush),
        ..Command::EMPTY
    },
    Command {
        name: "lpushx",
        arity: -3,
        flags: WRITE | DENYOOM | FAST,
        categories: "list",
        keys: &[KeySpec::at(1, "RW insert")],
        since: "2.2.0",
        group: "list",
        summary: "Prepend an element to a list, only if the list exists",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        history: &[("4.0.0", "Accepts multiple `element` arguments.")],
        syntax: "key:key#0 element:string*",
        run: Run::Reply(lpushx),
        ..Command::EMPTY
    },
    Command {
        name: "lrange",
        arity: 4,
        flags: READONLY,
        categories: "list",
        keys: &[KeySpec::at(1, "RO access")],
        since: "1.0.0",
        group: "list",
        summary: "Get a range of elements from a list",
        complexity: "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the specified range.",
        syntax: "key:key#0 start:integer stop:integer",
        run: Run::Reply(lrange),
        ..Command::EMPTY
    },
    Command {
        name: "lrem",
        arity: 4,
        flags: WRITE,
        categories: "list",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "1.0.0",
        group: "list",
        summary: "Remove elements from a list",
        complexity: "O(N+M) where N is the length of the list and M is the number of elements removed.",
        syntax: "key:key#0 count:integer element:string",
        run: Run::Reply(lrem),
        ..Command::EMPTY
    },
    Command {
        name: "lset",
        arity: 4,
        flags: WRITE | DENYOOM,
        categories: "list",
        keys: &[KeySpec::at(1, "RW update")],
        since: "1.0.0",
        group: "list",
        summary: "Set the value of an element in a list by its index",
        complexity: "O(N) where N is the length of the list. Setting either the first or the last element of the list is O(1).",
        syntax: "key:key#0 index:integer element:string",
        run: Run::Reply(lset),
        ..Command::EMPTY
    },
    Command {
        name: "ltrim",
        arity: 4,
        flags: WRITE,
        categories: "list",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "1.0.0",
        group: "list",
        summary: "Trim a list to the specified range",
        complexity: "O(N) where N is the number of elements to be removed by the operation.",
        syntax: "key:key#0 start:integer stop:integer",
        run: Run::Reply(ltrim),
        ..Command::EMPTY
    },
    Command {
        name: "rpop",
        arity: -2,
        flags: WRITE | FAST,
        categories: "list",
        keys: &[KeySpec::at(1, "RW access delete")],
        since: "1.0.0",
        group: "list",
        summary: "Remove and get the last elements in a list",
        complexity: "O(N) where N is the number of elements returned",
        history: &[("6.2.0", "Added the `count` argument.")],
        syntax: "key:key#0 count:integer?@6.2.0",
        run: Run::Reply(rpop),
        ..Command::EMPTY
    },
    Command {
        name: "rpoplpush",
        arity: 3,
        flags: WRITE | DENYOOM,
        categories: "list",
        keys: &[KeySpec::at(1, "RW access delete"), KeySpec::at(2, "RW insert")],
        since: "1.2.0",
        group: "list",
        summary: "Remove the last element in a list, prepend it to another list and return it",
        complexity: "O(1)",
        doc_flags: "deprecated",
        deprecated: Some(("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")),
        syntax: "source:key#0 destination:key#1",
        run: Run::Reply(rpoplpush),
        ..Command::EMPTY
    },
    Command {
        name: "rpush",
        arity: -3,
        flags: WRITE | DENYOOM | FAST,
        categories: "list",
        keys: &[KeySpec::at(1, "RW insert")],
        since: "1.0.0",
        group: "list",
        summary: "Append one or multiple elements to a list",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        history: &[("2.4.0", "Accepts multiple `element` arguments.")],
        syntax: "key:key#0 element:string*",
        run: Run::Reply(rpush),
        ..Command::EMPTY
    },
    Command {
        name: "rpushx",
        arity: -3,
        flags: WRITE | DENYOOM | FAST,
        categories: "list",
        keys: &[KeySpec::at(1, "RW insert")],
        since: "2.2.0",
        group: "list",
        summary: "Append an element to a list, only if the list exists",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        history: &[("4.0.0", "Accepts multiple `element` arguments.")],
        syntax: "key:key#0 element:string*",
        run: Run::Reply(rpushx),
        ..Command::EMPTY
    },
];

/// LPUSH key element [element ...]
fn lpush(context: &mut Context, args: &mut Args) -> Answer {
    push(context, args, End::Left, true)
}

/// RPUSH key element [element ...]
fn rpush(context: &mut Context, args: &mut Args) -> Answer {
    push(context, args, End::Right, true)
}

/// LPUSHX key element [element ...]
fn lpushx(context: &mut Context, args: &mut Args) -> Answer {
    push(context, args, End::Left, false)
}

/// RPUSHX key element [element ...]
fn rpushx(context: &mut Context, args: &mut Args) -> Answer {
    push(context, args, End::Right, false)
}

fn push(context: &mut Context, args: &mut Args, end: End, create: bool) -> Answer {
    let (key, elements) = (args.key()?, args.rest());
    if !create && context.write::<List>(key)?.is_none() {
        return Ok(Reply::Integer(0));
    }
    let list = context.create::<List>(key)?;
    for element in elements {
        list.push(end, element.clone());
    }
    let length = list.len();
    changed(context, key, elements.len(), pushed(end));
    Ok(Reply::Integer(length as i64))
}

/// `LPOP key [count]`
fn lpop(context: &mut Context, args: &mut Args) -> Answer {
    pop(context, args, End::Left, "lpop")
}

/// `RPOP key [count]`
fn rpop(context: &mut Context, args: &mut Args) -> Answer {
    pop(context, args, End::Right, "rpop")
}

fn pop(context: &mut Context, args: &mut Args, end: End, name: &str) -> Answer {
    let key = args.key()?;
    if args.remaining() > 1 {
        return Err(Error::wrong_arity(name));
    }
    if args.is_empty() {
        return Ok(take(context, key, end, 1)?.pop().map_or(Reply::Null, Reply::Bulk));
    }
    let count = args.count_or(Error::NOT_POSITIVE)?;
    if context.write::<List>(key)?.is_none() {
        return Ok(Reply::NullArray);
    }
    Ok(bulks(take(context, key, end, count)?))
}

/// Takes up to so many elements from an end of a list; none if there is no list.
fn take(context: &mut Context, key: &[u8], end: End, count: usize) -> Result<Vec<Vec<u8>>, Error> {
    let Some(list) = context.write::<List>(key)? else { return Ok(Vec::new()) };
    let taken: Vec<Vec<u8>> = (0..count.min(list.len())).filter_map(|_| list.pop(end)).collect();
    changed(context, key, taken.len(), popped(end));
    Ok(taken)
}

/// Notes so many changes of a list, and removes it if it is empty now.
fn changed(context: &mut Context, key: &[u8], changes: usize, event: &str) {
    if changes == 0 {
        return;
    }
    context.changed_times(key, changes);
    context.notify(Event::List, event, key);
    if matches!(context.write::<List>(key), Ok(Some(list)) if list.is_empty()) {
        context.delete_emptied(key);
    }
}

/// The event of putting an element at an end.
fn pushed(end: End) -> &'static str {
    match end {
        End::Left => "lpush",
        End::Right => "rpush",
    }
}

/// The event of taking one from it.
fn popped(end: End) -> &'static str {
    match end {
        End::Left => "lpop",
        End::Right => "rpop",
    }
}

fn bulks(elements: Vec<Vec<u8>>) -> Reply {
    Reply::Array(elements.into_iter().map(Reply::Bulk).collect())
}

/// LLEN key
fn llen(context: &mut Context, args: &mut Args) -> Answer {
    let list = context.read::<List>(args.key()?)?;
    Ok(Reply::Integer(list.map_or(0, List::len) as i64))
}

/// LINDEX key index
fn lindex(context: &mut Context, args: &mut Args) -> Answer {
    let Some(list) = context.read::<List>(args.key()?)? else { return Ok(Reply::Null) };
    let element = place(args.integer()?, list.len()).and_then(|place| list.get(place));
    Ok(Reply::bulk_or_null(element))
}

/// The place that an index means, which counts from the end if it is negative.
fn place(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(length as i64)? } else { index };
    usize::try_from(index).ok().filter(|place| *place < length)
}

/// LSET key index element
fn lset(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let Some(list) = context.write::<List>(key)? else { return Err(Error::NO_SUCH_KEY) };
    let place = place(args.integer()?, list.len()).ok_or(Error::INDEX_OUT_OF_RANGE)?;
    list.set(place, args.bytes()?.to_vec());
    changed(context, key, 1, "lset");
    Ok(Reply::OK)
}

/// The part of a list that two indexes mean: its first place, and the one behind its last.
fn part(start: i64, stop: i64, length: usize) -> (usize, usize) {
    let length = length as i64;
    let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    let first = from_end(start).clamp(0, length);
    let end = from_end(stop).saturating_add(1).clamp(first, length);
    (first as usize, end as usize)
}

/// LRANGE key start stop
fn lrange(context: &mut Context, args: &mut Args) -> Answer {
    let (key, start, stop) = (args.key()?, args.integer()?, args.integer()?);
    let Some(list) = context.read::<List>(key)? else { return Ok(Reply::Array(Vec::new())) };
    let (first, end) = part(start, stop, list.len());
    Ok(Reply::bulks(list.iter().take(end).skip(first)))
}

/// LTRIM key start stop
fn ltrim(context: &mut Context, args: &mut Args) -> Answer {
    let (key, start, stop) = (args.key()?, args.integer()?, args.integer()?);
    let Some(list) = context.write::<List>(key)? else { return Ok(Reply::OK) };
    let before = list.len();
    let (first, end) = part(start, stop, before);
    list.trim(first, end);
    let removed = before - list.len();
    // A list that stays as it was has been written to all the same.
    changed(context, key, removed.max(1), "ltrim");
    context.server.changes -= u64::from(removed == 0);
    Ok(Reply::OK)
}

/// LREM key count element
fn lrem(context: &mut Context, args: &mut Args) -> Answer {
    let (key, count, element) = (args.key()?, args.integer()?, args.bytes()?);
    let Some(list) = context.write::<List>(key)? else { return Ok(Reply::Integer(0)) };
    let from = if count < 0 { End::Right } else { End::Left };
    let most = match count.unsigned_abs() {
        0 => usize::MAX,
        count => usize::try_from(count).unwrap_or(usize::MAX),
    };
    let removed = list.remove(from, most, element);
    changed(context, key, removed, "lrem");
    Ok(Reply::Integer(removed as i64))
}

/// LINSERT key BEFORE | AFTER pivot element
fn linsert(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let after = if args.option("after") {
        1
    } else if args.option("before") {
        0
    } else {
        return Err(Error::SYNTAX);
    };
    let (pivot, element) = (args.bytes()?, args.bytes()?);
    let Some(list) = context.write::<List>(key)? else { return Ok(Reply::Integer(0)) };
    let Some(place) = list.iter().position(|other| other == pivot) else {
        return Ok(Reply::Integer(-1));
    };
    list.insert(place + after, element.to_vec());
    let length = list.len();
    changed(context, key, 1, "linsert");
    Ok(Reply::Integer(length as i64))
}

/// LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]
fn lpos(context: &mut Context, args: &mut Args) -> Answer {
    let (key, element) = (args.key()?, args.bytes()?);
    let (mut rank, mut count, mut most) = (1, None, 0);
    while !args.is_empty() {
        if args.remaining() < 2 {
            return Err(Error::SYNTAX);
        }
        if args.option("rank") {
            rank = args.integer()?;
            if rank == 0 {
                return Err(Error::RANK_ZERO);
            }
        } else if args.option("count") {
            count = Some(args.count_or(Error::COUNT_NEGATIVE)?);
        } else if args.option("maxlen") {
            most = args.count_or(Error::MAXLEN_NEGATIVE)?;
        } else {
            return Err(Error::SYNTAX);
        }
    }
    let Some(list) = context.read::<List>(key)? else {
        return Ok(if count.is_some() { Reply::Array(Vec::new()) } else { Reply::Null });
    };
    let length = list.len();
    let looked_at = if most == 0 { length } else { most };
    let wanted = match count {
        None => 1,
        Some(count) if count == 0 || rank == i64::MIN => usize::MAX,
        Some(count) => count,
    };
    // The lowest rank has no opposite: it skips nothing, and no COUNT ends what it finds.
    let skipped = usize::try_from(rank.saturating_abs() - 1).unwrap_or(usize::MAX);
    let skipped = if rank == i64::MIN { 0 } else { skipped };
    let places = (0..looked_at.min(length))
        .map(|step| if rank < 0 { length - 1 - step } else { step })
        .filter(|place| list.get(*place) == Some(element))
        .skip(skipped)
        .take(wanted);
    let mut replies = places.map(|place| Reply::Integer(place as i64));
    Ok(match count {
        None => replies.next().unwrap_or(Reply::Null),
        Some(_) => Reply::Array(replies.collect()),
    })
}

/// LEFT or RIGHT.
fn end(args: &mut Args) -> Result<End, Error> {
    if args.option("left") {
        Ok(End::Left)
    } else if args.option("right") {
        Ok(End::Right)
    } else {
        Err(Error::SYNTAX)
    }
}

/// LMOVE source destination LEFT | RIGHT LEFT | RIGHT
fn lmove(context: &mut Context, args: &mut Args) -> Answer {
    let keys = (args.key()?, args.key()?);
    let ends = (end(args)?, end(args)?);
    Ok(r#move(context, keys, ends)?.unwrap_or(Reply::Null))
}

/// RPOPLPUSH source destination
fn rpoplpush(context: &mut Context, args: &mut Args) -> Answer {
    let keys = (args.key()?, args.key()?);
    Ok(r#move(context, keys, (End::Right, End::Left))?.unwrap_or(Reply::Null))
}

/// Moves an element from an end of one list to an end of another; none if there is nothing to move.
fn r#move(
    context: &mut Context,
    (source, destination): (&[u8], &[u8]),
    (from, to): (End, End),
) -> Result<Option<Reply>, Error> {
    if context.write::<List>(source)?.is_none() {
        return Ok(None);
    }
    context.write::<List>(destination)?;
    let Some(element) = context.write::<List>(source)?.and_then(|list| list.pop(from)) else {
        return Ok(None);
    };
    context.create::<List>(destination)?.push(to, element.clone());
    // One change, though both lists are different now.
    changed(context, destination, 1, pushed(to));
    context.server.changes -= 1;
    changed(context, source, 1, popped(from));
    Ok(Some(Reply::Bulk(element)))
}

/// LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]
fn lmpop(context: &mut Context, args: &mut Args) -> Answer {
    Ok(pop_several(context, args)?.1.unwrap_or(Reply::NullArray))
}

/// BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]
fn blmpop(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    // What is wrong with the timeout is said last.
    let mut timeout = args.clone();
    args.bytes()?;
    args.clone().keys_and_end(ENDS)?;
    let deadline = timeout.timeout(context.now())?;
    let (keys, reply) = pop_several(context, args)?;
    let wait = || Attempt::Wait(Wait::new(keys, "list", deadline));
    Ok(reply.map_or_else(wait, Attempt::Done))
}

const ENDS: [&str; 2] = ["left", "right"];

/// The keys, and what is taken from the first list among them that is there, with its key.
fn pop_several<'a>(
    context: &mut Context,
    args: &mut Args<'a>,
) -> Result<(&'a [Vec<u8>], Option<Reply>), Error> {
    let (keys, is_right, count) = args.keys_and_end(ENDS)?;
    let end = if is_right { End::Right } else { End::Left };
    for key in keys {
        if context.looks_at(key) && context.write::<List>(key)?.is_some() {
            let taken = take(context, key, end, count)?;
            return Ok((keys, Some(Reply::Array(vec![Reply::bulk(key), bulks(taken)]))));
        }
    }
    Ok((keys, None))
}

/// What the commands that take one element take when they have waited, Redis does not count.
fn wait(keys: &[Vec<u8>], deadline: Option<Millis>) -> Attempt {
    Attempt::Wait(Wait { uncounted: true, ..Wait::new(keys, "list", deadline) })
}

/// BLPOP key [key ...] timeout
fn blpop(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    pop_or_wait(context, args, End::Left)
}

/// BRPOP key [key ...] timeout
fn brpop(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    pop_or_wait(context, args, End::Right)
}

fn pop_or_wait(context: &mut Context, args: &mut Args, end: End) -> Result<Attempt, Error> {
    let keys = args.take(args.remaining().saturating_sub(1))?;
    let deadline = args.timeout(context.now())?;
    for key in keys {
        if context.looks_at(key)
            && let Some(element) = take(context, key, end, 1)?.pop()
        {
            return Ok(Attempt::Done(Reply::Array(vec![Reply::bulk(key), Reply::Bulk(element)])));
        }
    }
    Ok(wait(keys, deadline))
}

/// BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout
fn blmove(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    let keys = args.take(2)?;
    let ends = (end(args)?, end(args)?);
    move_or_wait(context, args, keys, ends)
}

/// BRPOPLPUSH source destination timeout
fn brpoplpush(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    let keys = args.take(2)?;
    move_or_wait(context, args, keys, (End::Right, End::Left))
}

fn move_or_wait(
    context: &mut Context,
    args: &mut Args,
    keys: &[Vec<u8>],
    ends: (End, End),
) -> Result<Attempt, Error> {
    let deadline = args.timeout(context.now())?;
    let [source, destination] = keys else { return Err(Error::SYNTAX) };
    Ok(match r#move(context, (source, destination), ends)? {
        Some(reply) => Attempt::Done(reply),
        // Where it may not wait, the null is not the array that comes when the time has passed.
        None if !context.may_wait() => Attempt::Done(Reply::Null),
        None => wait(&keys[..1], deadline),
    })
}
