//! Defines the set commands.

use super::args::Args;
use super::flag::{DENYOOM, FAST, READONLY, WRITE};
use super::scan::{self, Options};
use super::{Answer, Begin, Command, Find, KeySpec, MOST_ELEMENTS, Run};
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::set::Set;
use crate::value::{Kind, LONGEST_STRING};

/// The set commands.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "sadd",
        arity: -3,
        flags: WRITE | DENYOOM | FAST,
        categories: "set",
        keys: &[KeySpec::at(1, "RW insert")],
        since: "1.0.0",
        group: "set",
        summary: "Add one or more members to a set",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        history: &[("2.4.0", "Accepts multiple `member` arguments.")],
        syntax: "key:key#0 member:string*",
        run: Run::Reply(sadd),
        ..Command::EMPTY
    },
    Command {
        name: "scard",
        arity: 2,
        flags: READONLY | FAST,
        categories: "set",
        keys: &[KeySpec::at(1, "RO")],
        since: "1.0.0",
        group: "set",
        summary: "Get the number of members in a set",
        complexity: "O(1)",
        syntax: "key:key#0",
        run: Run::Reply(scard),
        ..Command::EMPTY
    },
    Command {
        name: "sdiff",
        arity: -2,
        flags: READONLY,
        categories: "set",
        keys: &[KeySpec::range(1, -1, 1, "RO access")],
        since: "1.0.0",
        group: "set",
        summary: "Subtract multiple sets",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        tips: &["nondeterministic_output_order"],
        syntax: "key:key#0*",
        run: Run::Reply(sdiff),
        ..Command::EMPTY
    },
    Command {
        name: "sdiffstore",
        arity: -3,
        flags: WRITE | DENYOOM,
        categories: "set",
        keys: &[KeySpec::at(1, "OW update"), KeySpec::range(2, -1, 1, "RO access")],
        since: "1.0.0",
        group: "set",
        summary: "Subtract multiple sets and store the resulting set in a key",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        syntax: "destination:key#0 key:key#1*",
        run: Run::Reply(sdiffstore),
        ..Command::EMPTY
    },
    Command {
        name: "sinter",
        arity: -2,
        flags: READONLY,
        categories: "set",
        keys: &[KeySpec::range(1, -1, 1, "RO access")],
        since: "1.0.0",
        group: "set",
        summary: "Intersect multiple sets",
        complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
        tips: &["nondeterministic_output_order"],
        syntax: "key:key#0*",
        run: Run::Reply(sinter),
        ..Command::EMPTY
    },
    Command {
        name: "sintercard",
        arity: -3,
        flags: READONLY,
        categories: "set",
        keys: &[KeySpec {
            notes: "",
            flags: "RO access",
            begin: Begin::Index(1),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "7.0.0",
        group: "set",
        summary: "Intersect multiple sets and return the cardinality of the result",
        complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
        syntax: "numkeys:integer key:key#0* LIMIT=limit:integer?",
        run: Run::Reply(sintercard),
        ..Command::EMPTY
    },
    Command {
        name: "sinterstore",
        arity: -3,
        flags: WRITE | DENYOOM,
        categories: "set",
        keys: &[KeySpec::at(1, "RW update"), KeySpec::range(2, -1, 1, "RO access")],
        since: "1.0.0",
        group: "set",
        summary: "Intersect multiple sets and store the resulting set in a key",
        complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
        syntax: "destination:key#0 key:key#1*",
        run: Run::Reply(sinterstore),
        ..Command::EMPTY
    },
    Command {
        name: "sismember",
        arity: 3,
        flags: READONLY | FAST,
        categories: "set",
        keys: &[KeySpec::at(1, "RO")],
        since: "1.0.0",
        group: "set",
        summary: "Determine if a given value is a member of a set",
        complexity: "O(1)",
        syntax: "key:key#0 member:string",
        run: Run::Reply(sismember),
        ..Command::EMPTY
    },
    Command {
        name: "smembers",
        arity: 2,
        flags: READONLY,
        categories: "set",
        keys: &[KeySpec::at(1, "RO access")],
        since: "1.0.0",
        group: "set",
        summary: "Get all the members in a set",
        complexity: "O(N) where N is the set cardinality.",
        tips: &["nondeterministic_output_order"],
        syntax: "key:key#0",
        run: Run::Reply(smembers),
        ..Command::EMPTY
    },
    Command {
        name: "smismember",
        arity: -3,
        flags: READONLY | FAST,
        categories: "set",
        keys: &[KeySpec::at(1, "RO access")],
        since: "6.2.0",
        group: "set",
        summary: "Returns the membership associated with the given elements for a set",
        complexity: "O(N) where N is the number of elements being checked for membership",
        syntax: "key:key#0 member:string*",
        run: Run::Reply(smismember),
        ..Command::EMPTY
    },
    Command {
        name: "smove",
        arity: 4,
        flags: WRITE | FAST,
        categories: "set",
        keys: &[KeySpec::at(1, "RW access delete"), KeySpec::at(2, "RW insert")],
        since: "1.0.0",
        group: "set",
        summary: "Move a member from one set to another",
        complexity: "O(1)",
        syntax: "source:key#0 destination:key#1 member:string",
        run: Run::Reply(smove),
        ..Command::EMPTY
    },
    Command {
        name: "spop",
        arity: -2,
        flags: WRITE | FAST,
        categories: "set",
        keys: &[KeySpec::at(1, "RW access delete")],
        since: "1.0.0",
        group: "set",
        summary: "Remove and return one or multiple random members from a set",
        complexity: "Without the count argument O(1), otherwise O(N) where N is the value of the passed count.",
        history: &[("3.2.0", "Added the `count` argument.")],
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 count:integer?@3.2.0",
        run: Run::Reply(spop),
        ..Command::EMPTY
    },
    Command {
        name: "srandmember",
        arity: -2,
        flags: READONLY,
        categories: "set",
        keys: &[KeySpec::at(1, "RO access")],
        since: "1.0.0",
        group: "set",
        summary: "Get one or multiple random members from a set",
        complexity: "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.",
        history: &[("2.6.0", "Added the optional `count` argument.")],
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 count:integer?@2.6.0",
        run: Run::Reply(srandmember),
        ..Command::EMPTY
    },
    Command {
        name: "srem",
        arity: -3,
        flags: WRITE | FAST,
        categories: "set",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "1.0.0",
        group: "set",
        summary: "Remove one or more members from a set",
        complexity: "O(N) where N is the number of members to be removed.",
        history: &[("2.4.0", "Accepts multiple `member` arguments.")],
        syntax: "key:key#0 member:string*",
        run: Run::Reply(srem),
        ..Command::EMPTY
    },
    Command {
        name: "sscan",
        arity: -3,
        flags: READONLY,
        categories: "set",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.8.0",
        group: "set",
        summary: "Incrementally iterate Set elements",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection..",
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 cursor:integer MATCH=pattern:pattern? COUNT=count:integer?",
        run: Run::Reply(sscan),
        ..Command::EMPTY
    },
    Command {
        name: "sunion",
        arity: -2,
        flags: READONLY,
        categories: "set",
        keys: &[KeySpec::range(1, -1, 1, "RO access")],
        since: "1.0.0",
        group: "set",
        summary: "Add multiple sets",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        tips: &["nondeterministic_output_order"],
        syntax: "key:key#0*",
        run: Run::Reply(sunion),
        ..Command::EMPTY
    },
    Command {
        name: "sunionstore",
        arity: -3,
        flags: WRITE | DENYOOM,
        categories: "set",
        keys: &[KeySpec::at(1, "OW update"), KeySpec::range(2, -1, 1, "RO access")],
        since: "1.0.0",
        group: "set",
        summary: "Add multiple sets and store the resulting set in a key",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        syntax: "destination:key#0 key:key#1*",
        run: Run::Reply(sunionstore),
        ..Command::EMPTY
    },
];

/// Up to where a set of integers stays an intset.
fn limit(context: &Context) -> usize {
    context.server.config.active.set_max_intset_entries
}

fn set_of(members: impl IntoIterator<Item = Vec<u8>>) -> Reply {
    Reply::Set(members.into_iter().map(Reply::Bulk).collect())
}

/// `SADD key member [member ...]`
fn sadd(context: &mut Context, args: &mut Args) -> Answer {
    let (key, members, limit) = (args.key()?, args.rest(), limit(context));
    let set = context.create::<Set>(key)?;
    let added = members.iter().filter(|member| set.add(member, limit)).count();
    if added > 0 {
        context.changed_times(key, added);
        context.notify(Event::Set, "sadd", key);
    }
    Ok(Reply::Integer(added as i64))
}

/// `SREM key member [member ...]`
fn srem(context: &mut Context, args: &mut Args) -> Answer {
    let (key, members) = (args.key()?, args.rest());
    let Some(set) = context.write::<Set>(key)? else { return Ok(Reply::Integer(0)) };
    let removed = members.iter().filter(|member| set.remove(member)).count();
    if removed > 0 {
        context.changed_times(key, removed);
        context.notify(Event::Set, "srem", key);
        delete_if_empty(context, key)?;
    }
    Ok(Reply::Integer(removed as i64))
}

/// A set that has lost its last member is no key any more.
fn delete_if_empty(context: &mut Context, key: &[u8]) -> Result<(), Error> {
    if context.write::<Set>(key)?.is_some_and(|set| set.is_empty()) {
        context.delete_emptied(key);
    }
    Ok(())
}

/// SMOVE source destination member
fn smove(context: &mut Context, args: &mut Args) -> Answer {
    let (source, destination, member) = (args.key()?, args.key()?, args.bytes()?);
    let limit = limit(context);
    let Some(set) = context.write::<Set>(source)? else { return Ok(Reply::Integer(0)) };
    let is_member = set.contains(member);
    context.write::<Set>(destination)?;
    if source == destination || !is_member {
        return Ok(Reply::flag(is_member));
    }
    if let Some(set) = context.write::<Set>(source)? {
        set.remove(member);
    }
    context.notify(Event::Set, "srem", source);
    delete_if_empty(context, source)?;
    context.changed(source);
    if context.create::<Set>(destination)?.add(member, limit) {
        context.changed(destination);
        context.notify(Event::Set, "sadd", destination);
    }
    Ok(Reply::Integer(1))
}

/// SISMEMBER key member
fn sismember(context: &mut Context, args: &mut Args) -> Answer {
    let (key, member) = (args.key()?, args.bytes()?);
    Ok(Reply::flag(context.read::<Set>(key)?.is_some_and(|set| set.contains(member))))
}

/// `SMISMEMBER key member [member ...]`
fn smismember(context: &mut Context, args: &mut Args) -> Answer {
    let (key, members) = (args.key()?, args.rest());
    let set = context.read::<Set>(key)?;
    let is_member = |member: &Vec<u8>| Reply::flag(set.is_some_and(|set| set.contains(member)));
    Ok(Reply::Array(members.iter().map(is_member).collect()))
}

/// SCARD key
fn scard(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    Ok(Reply::Integer(context.read::<Set>(key)?.map_or(0, Set::len) as i64))
}

/// SMEMBERS key
fn smembers(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    Ok(set_of(context.read::<Set>(key)?.map_or_else(Vec::new, Set::members)))
}

/// `SPOP key [count]`
fn spop(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    if args.remaining() > 1 {
        return Err(Error::SYNTAX);
    }
    let count = if args.is_empty() { None } else { Some(args.count_or(Error::NOT_POSITIVE)?) };
    let mut random = context.server.random.clone();
    let Some(set) = context.write::<Set>(key)? else {
        return Ok(count.map_or(Reply::Null, |_| Reply::Set(Vec::new())));
    };
    let mut popped = Vec::new();
    let takes_all = count.is_some_and(|count| count >= set.len());
    if takes_all {
        popped = std::mem::take(set).members();
    }
    while popped.len() < count.unwrap_or(1)
        && let Some(member) = set.random(|| random.next())
    {
        set.remove(&member);
        popped.push(member);
    }
    context.server.random = random;
    // Redis finds all members as SUNION does, which is a look at the key.
    context.server.stats.keyspace_hits += u64::from(takes_all);
    if !popped.is_empty() {
        context.changed_times(key, popped.len());
        context.notify(Event::Set, "spop", key);
        delete_if_empty(context, key)?;
    }
    match count {
        Some(_) => Ok(set_of(popped)),
        None => Ok(popped.pop().map_or(Reply::Null, Reply::Bulk)),
    }
}

/// `SRANDMEMBER key [count]`
fn srandmember(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let mut random = context.server.random.clone();
    if args.is_empty() {
        let found = context.read::<Set>(key)?.and_then(|set| set.random(|| random.next()));
        context.server.random = random;
        return Ok(found.map_or(Reply::Null, Reply::Bulk));
    }
    if args.remaining() > 1 {
        return Err(Error::SYNTAX);
    }
    let count = args.integer()?;
    if count == i64::MIN {
        return Err(Error::not_between(-i64::MAX, i64::MAX));
    }
    let Some(set) = context.read::<Set>(key)? else { return Ok(Reply::Array(Vec::new())) };
    if count < 0 && count.unsigned_abs() > MOST_ELEMENTS {
        return Err(Error::OOM);
    }
    let members: Vec<Vec<u8>> = if count < 0 {
        // The same member may come again, however long it is.
        let (mut drawn, mut bytes) = (Vec::new(), 0);
        for _ in 0..count.unsigned_abs() {
            if let Some(member) = set.random(|| random.next()) {
                bytes += member.len();
                if bytes > LONGEST_STRING {
                    return Err(Error::OOM);
                }
                drawn.push(member);
            }
        }
        drawn
    } else {
        // Each at most once.
        let mut is_taken = random.sample(count.unsigned_abs(), set.len() as u64);
        let mut members = set.members();
        members.retain(|_| is_taken());
        members
    };
    context.server.random = random;
    Ok(Reply::Array(members.into_iter().map(Reply::Bulk).collect()))
}

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`
fn sscan(context: &mut Context, args: &mut Args) -> Answer {
    let (key, cursor) = (args.key()?, scan::cursor(args.bytes()?)?);
    let Some(set) = context.read::<Set>(key)? else { return Ok(scan::reply(0, Vec::new())) };
    // The options of a missing key are not looked at.
    let options = Options::parse(args, false)?;
    let (next, mut found) = set.scan(cursor, options.count);
    found.retain(|member| options.accepts(member));
    Ok(scan::reply(next, found.into_iter().map(Reply::Bulk).collect()))
}

// ---- Several sets

/// How sets are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// Looks at sets that are read: each key counts as a hit or a miss, and one that is there must hold a set, wherever it
/// stands.
fn read_all(context: &mut Context, keys: &[Vec<u8>]) -> Result<(), Error> {
    keys.iter().try_for_each(|key| context.read::<Set>(key).map(drop))
}

/// The members of what comes of several sets, which have been looked at; of an intersection at most `most`.
fn combined(
    context: &Context,
    keys: &[Vec<u8>],
    operation: Operation,
    most: usize,
) -> Vec<Vec<u8>> {
    let (database, now) = (&context.server.databases[context.database], context.now());
    let none = Set::default();
    let set_at = |key: &Vec<u8>| database.glimpse(key, now).and_then(|entry| Set::of(&entry.value));
    let sets: Vec<&Set> = keys.iter().map(|key| set_at(key).unwrap_or(&none)).collect();
    match (operation, &sets[..]) {
        (Operation::Union, _) | (_, []) => {
            let mut union = Set::default();
            for member in sets.iter().flat_map(|set| set.members()) {
                union.add(&member, usize::MAX);
            }
            union.members()
        }
        (Operation::Intersection, [first, ..]) => {
            let smallest = sets.iter().min_by_key(|set| set.len()).unwrap_or(first);
            let members = smallest.members().into_iter();
            members
                .filter(|member| sets.iter().all(|set| set.contains(member)))
                .take(most)
                .collect()
        }
        (Operation::Difference, [first, others @ ..]) => {
            let mut members = first.members();
            members.retain(|member| !others.iter().any(|set| set.contains(member)));
            members
        }
    }
}

fn combine(context: &mut Context, args: &mut Args, operation: Operation) -> Answer {
    let keys = args.rest();
    read_all(context, keys)?;
    Ok(set_of(combined(context, keys, operation, usize::MAX)))
}

/// Stores what comes of several sets; a key without members is deleted.
fn store(context: &mut Context, args: &mut Args, operation: Operation, event: &str) -> Answer {
    let (destination, keys) = (args.key()?, args.rest());
    read_all(context, keys)?;
    let members = combined(context, keys, operation, usize::MAX);
    if members.is_empty() {
        context.delete(destination);
        return Ok(Reply::Integer(0));
    }
    let limit = limit(context);
    let mut set = Set::default();
    for member in &members {
        set.add(member, limit);
    }
    context.set(destination, set.wrap());
    context.notify(Event::Set, event, destination);
    Ok(Reply::Integer(members.len() as i64))
}

/// `SUNION key [key ...]`
fn sunion(context: &mut Context, args: &mut Args) -> Answer {
    combine(context, args, Operation::Union)
}

/// `SUNIONSTORE destination key [key ...]`
fn sunionstore(context: &mut Context, args: &mut Args) -> Answer {
    store(context, args, Operation::Union, "sunionstore")
}

/// `SINTER key [key ...]`
fn sinter(context: &mut Context, args: &mut Args) -> Answer {
    combine(context, args, Operation::Intersection)
}

/// `SINTERSTORE destination key [key ...]`
fn sinterstore(context: &mut Context, args: &mut Args) -> Answer {
    store(context, args, Operation::Intersection, "sinterstore")
}

/// `SDIFF key [key ...]`
fn sdiff(context: &mut Context, args: &mut Args) -> Answer {
    combine(context, args, Operation::Difference)
}

/// `SDIFFSTORE destination key [key ...]`
fn sdiffstore(context: &mut Context, args: &mut Args) -> Answer {
    store(context, args, Operation::Difference, "sdiffstore")
}

/// `SINTERCARD numkeys key [key ...] [LIMIT limit]`
fn sintercard(context: &mut Context, args: &mut Args) -> Answer {
    let count = args.positive_or(Error::NUMKEYS_NOT_POSITIVE)?;
    if count > args.remaining() {
        return Err(Error::TOO_MANY_KEYS);
    }
    let keys = args.take(count)?;
    let mut limit = 0;
    while !args.is_empty() {
        if args.remaining() < 2 || !args.option("LIMIT") {
            return Err(Error::SYNTAX);
        }
        limit = args.count_or(Error::LIMIT_NEGATIVE)?;
    }
    let most = if limit == 0 { usize::MAX } else { limit };
    read_all(context, keys)?;
    let members = combined(context, keys, Operation::Intersection, most);
    Ok(Reply::Integer(members.len() as i64))
}
