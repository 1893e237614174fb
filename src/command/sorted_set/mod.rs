//! Defines the sorted set commands.

mod add;
mod combine;
mod pop;
mod range;

pub(super) use add::zadd;

use super::args::Args;
use super::flag::{BLOCKING, DENYOOM, FAST, NOSCRIPT, READONLY, WRITE};
use super::scan::{self, Options};
use super::{Answer, Begin, Command, Find, KeySpec, MOST_ELEMENTS, Run};
use crate::error::Error;
use crate::resp::{Reply, Resp, format_double};
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::hash::Limits;
use crate::value::sorted_set::{Scored, SortedSet};
use crate::value::{Kind, LONGEST_STRING};

/// The sorted set commands.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "bzmpop",
        arity: -5,
        flags: WRITE | BLOCKING,
        categories: "sortedset",
        keys: &[KeySpec {
            notes: "",
            flags: "RW access delete",
            begin: Begin::Index(2),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "7.0.0",
        group: "sorted-set",
        summary: "Remove and return members with scores in a sorted set or block until one is available",
        complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.",
        syntax: "timeout:double numkeys:integer key:key#0* where(MIN|MAX) COUNT=count:integer?",
        run: Run::Block(pop::bzmpop),
        ..Command::EMPTY
    },
    Command {
        name: "bzpopmax",
        arity: -3,
        flags: WRITE | NOSCRIPT | BLOCKING | FAST,
        categories: "sortedset",
        keys: &[KeySpec::range(1, -2, 1, "RW access delete")],
        since: "5.0.0",
        group: "sorted-set",
        summary: "Remove and return the member with the highest score from one or more sorted sets, or block until one is available",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        history: &[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
        syntax: "key:key#0* timeout:double",
        run: Run::Block(pop::bzpopmax),
        ..Command::EMPTY
    },
    Command {
        name: "bzpopmin",
        arity: -3,
        flags: WRITE | NOSCRIPT | BLOCKING | FAST,
        categories: "sortedset",
        keys: &[KeySpec::range(1, -2, 1, "RW access delete")],
        since: "5.0.0",
        group: "sorted-set",
        summary: "Remove and return the member with the lowest score from one or more sorted sets, or block until one is available",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        history: &[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")],
        syntax: "key:key#0* timeout:double",
        run: Run::Block(pop::bzpopmin),
        ..Command::EMPTY
    },
    Command {
        name: "zadd",
        arity: -4,
        flags: WRITE | DENYOOM | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RW update")],
        since: "1.2.0",
        group: "sorted-set",
        summary: "Add one or more members to a sorted set, or update its score if it already exists",
        complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
        history: &[
            ("2.4.0", "Accepts multiple elements."),
            ("3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."),
            ("6.2.0", "Added the `GT` and `LT` options."),
        ],
        syntax: "key:key#0 condition(NX|XX)?@3.0.2 comparison(GT|LT)?@6.2.0 CH/change?@3.0.2 INCR/increment?@3.0.2 score_member{score:double member:string}*",
        run: Run::Reply(add::zadd),
        ..Command::EMPTY
    },
    Command {
        name: "zcard",
        arity: 2,
        flags: READONLY | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO")],
        since: "1.2.0",
        group: "sorted-set",
        summary: "Get the number of members in a sorted set",
        complexity: "O(1)",
        syntax: "key:key#0",
        run: Run::Reply(zcard),
        ..Command::EMPTY
    },
    Command {
        name: "zcount",
        arity: 4,
        flags: READONLY | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.0.0",
        group: "sorted-set",
        summary: "Count the members in a sorted set with scores within the given values",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        syntax: "key:key#0 min:double max:double",
        run: Run::Reply(range::zcount),
        ..Command::EMPTY
    },
    Command {
        name: "zdiff",
        arity: -3,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec {
            notes: "",
            flags: "RO access",
            begin: Begin::Index(1),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "6.2.0",
        group: "sorted-set",
        summary: "Subtract multiple sorted sets",
        complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.",
        syntax: "numkeys:integer key:key#0* WITHSCORES?",
        run: Run::Reply(combine::zdiff),
        ..Command::EMPTY
    },
    Command {
        name: "zdiffstore",
        arity: -4,
        flags: WRITE | DENYOOM,
        categories: "sortedset",
        keys: &[
            KeySpec::at(1, "OW update"),
            KeySpec {
                notes: "",
                flags: "RO access",
                begin: Begin::Index(2),
                find: Find::Count { at: 0, first: 1, step: 1 },
            },
        ],
        since: "6.2.0",
        group: "sorted-set",
        summary: "Subtract multiple sorted sets and store the resulting sorted set in a new key",
        complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.",
        syntax: "destination:key#0 numkeys:integer key:key#1*",
        run: Run::Reply(combine::zdiffstore),
        ..Command::EMPTY
    },
    Command {
        name: "zincrby",
        arity: 4,
        flags: WRITE | DENYOOM | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RW access update")],
        since: "1.2.0",
        group: "sorted-set",
        summary: "Increment the score of a member in a sorted set",
        complexity: "O(log(N)) where N is the number of elements in the sorted set.",
        syntax: "key:key#0 increment:integer member:string",
        run: Run::Reply(add::zincrby),
        ..Command::EMPTY
    },
    Command {
        name: "zinter",
        arity: -3,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec {
            notes: "",
            flags: "RO access",
            begin: Begin::Index(1),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "6.2.0",
        group: "sorted-set",
        summary: "Intersect multiple sorted sets",
        complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.",
        syntax: "numkeys:integer key:key#0* WEIGHTS=weight:integer?* AGGREGATE=aggregate(SUM|MIN|MAX)? WITHSCORES?",
        run: Run::Reply(combine::zinter),
        ..Command::EMPTY
    },
    Command {
        name: "zintercard",
        arity: -3,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec {
            notes: "",
            flags: "RO access",
            begin: Begin::Index(1),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "7.0.0",
        group: "sorted-set",
        summary: "Intersect multiple sorted sets and return the cardinality of the result",
        complexity: "O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted sets.",
        syntax: "numkeys:integer key:key#0* LIMIT=limit:integer?",
        run: Run::Reply(combine::zintercard),
        ..Command::EMPTY
    },
    Command {
        name: "zinterstore",
        arity: -4,
        flags: WRITE | DENYOOM,
        categories: "sortedset",
        keys: &[
            KeySpec::at(1, "OW update"),
            KeySpec {
                notes: "",
                flags: "RO access",
                begin: Begin::Index(2),
                find: Find::Count { at: 0, first: 1, step: 1 },
            },
        ],
        since: "2.0.0",
        group: "sorted-set",
        summary: "Intersect multiple sorted sets and store the resulting sorted set in a new key",
        complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.",
        syntax: "destination:key#0 numkeys:integer key:key#1* WEIGHTS=weight:integer?* AGGREGATE=aggregate(SUM|MIN|MAX)?",
        run: Run::Reply(combine::zinterstore),
        ..Command::EMPTY
    },
    Command {
        name: "zlexcount",
        arity: 4,
        flags: READONLY | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.8.9",
        group: "sorted-set",
        summary: "Count the number of members in a sorted set between a given lexicographical range",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        syntax: "key:key#0 min:string max:string",
        run: Run::Reply(range::zlexcount),
        ..Command::EMPTY
    },
    Command {
        name: "zmpop",
        arity: -4,
        flags: WRITE,
        categories: "sortedset",
        keys: &[KeySpec {
            notes: "",
            flags: "RW access delete",
            begin: Begin::Index(1),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "7.0.0",
        group: "sorted-set",
        summary: "Remove and return members with scores in a sorted set",
        complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.",
        syntax: "numkeys:integer key:key#0* where(MIN|MAX) COUNT=count:integer?",
        run: Run::Reply(pop::zmpop),
        ..Command::EMPTY
    },
    Command {
        name: "zmscore",
        arity: -3,
        flags: READONLY | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "6.2.0",
        group: "sorted-set",
        summary: "Get the score associated with the given members in a sorted set",
        complexity: "O(N) where N is the number of members being requested.",
        syntax: "key:key#0 member:string*",
        run: Run::Reply(zmscore),
        ..Command::EMPTY
    },
    Command {
        name: "zpopmax",
        arity: -2,
        flags: WRITE | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RW access delete")],
        since: "5.0.0",
        group: "sorted-set",
        summary: "Remove and return members with the highest scores in a sorted set",
        complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.",
        syntax: "key:key#0 count:integer?",
        run: Run::Reply(pop::zpopmax),
        ..Command::EMPTY
    },
    Command {
        name: "zpopmin",
        arity: -2,
        flags: WRITE | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RW access delete")],
        since: "5.0.0",
        group: "sorted-set",
        summary: "Remove and return members with the lowest scores in a sorted set",
        complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.",
        syntax: "key:key#0 count:integer?",
        run: Run::Reply(pop::zpopmin),
        ..Command::EMPTY
    },
    Command {
        name: "zrandmember",
        arity: -2,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "6.2.0",
        group: "sorted-set",
        summary: "Get one or multiple random elements from a sorted set",
        complexity: "O(N) where N is the number of elements returned",
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 options{count:integer WITHSCORES?}?",
        run: Run::Reply(zrandmember),
        ..Command::EMPTY
    },
    Command {
        name: "zrange",
        arity: -4,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "1.2.0",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.",
        history: &[("6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options.")],
        syntax: "key:key#0 start:string stop:string sortby(BYSCORE|BYLEX)?@6.2.0 REV?@6.2.0 LIMIT=offset_count{offset:integer count:integer}?@6.2.0 WITHSCORES?",
        run: Run::Reply(range::zrange),
        ..Command::EMPTY
    },
    Command {
        name: "zrangebylex",
        arity: -4,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.8.9",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set, by lexicographical range",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        doc_flags: "deprecated",
        deprecated: Some(("6.2.0", "`ZRANGE` with the `BYLEX` argument")),
        syntax: "key:key#0 min:string max:string LIMIT=offset_count{offset:integer count:integer}?",
        run: Run::Reply(range::zrangebylex),
        ..Command::EMPTY
    },
    Command {
        name: "zrangebyscore",
        arity: -4,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "1.0.5",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set, by score",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        doc_flags: "deprecated",
        deprecated: Some(("6.2.0", "`ZRANGE` with the `BYSCORE` argument")),
        history: &[("2.0.0", "Added the `WITHSCORES` modifier.")],
        syntax: "key:key#0 min:double max:double WITHSCORES?@2.0.0 LIMIT=offset_count{offset:integer count:integer}?",
        run: Run::Reply(range::zrangebyscore),
        ..Command::EMPTY
    },
    Command {
        name: "zrangestore",
        arity: -5,
        flags: WRITE | DENYOOM,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "OW update"), KeySpec::at(2, "RO access")],
        since: "6.2.0",
        group: "sorted-set",
        summary: "Store a range of members from sorted set into another key",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored into the destination key.",
        syntax: "dst:key#0 src:key#1 min:string max:string sortby(BYSCORE|BYLEX)? REV? LIMIT=offset_count{offset:integer count:integer}?",
        run: Run::Reply(range::zrangestore),
        ..Command::EMPTY
    },
    Command {
        name: "zrank",
        arity: 3,
        flags: READONLY | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.0.0",
        group: "sorted-set",
        summary: "Determine the index of a member in a sorted set",
        complexity: "O(log(N))",
        syntax: "key:key#0 member:string",
        run: Run::Reply(zrank),
        ..Command::EMPTY
    },
    Command {
        name: "zrem",
        arity: -3,
        flags: WRITE | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "1.2.0",
        group: "sorted-set",
        summary: "Remove one or more members from a sorted set",
        complexity: "O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to be removed.",
        history: &[("2.4.0", "Accepts multiple elements.")],
        syntax: "key:key#0 member:string*",
        run: Run::Reply(zrem),
        ..Command::EMPTY
    },
    Command {
        name: "zremrangebylex",
        arity: 4,
        flags: WRITE,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "2.8.9",
        group: "sorted-set",
        summary: "Remove all members in a sorted set between the given lexicographical range",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.",
        syntax: "key:key#0 min:string max:string",
        run: Run::Reply(range::zremrangebylex),
        ..Command::EMPTY
    },
    Command {
        name: "zremrangebyrank",
        arity: 4,
        flags: WRITE,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "2.0.0",
        group: "sorted-set",
        summary: "Remove all members in a sorted set within the given indexes",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.",
        syntax: "key:key#0 start:integer stop:integer",
        run: Run::Reply(range::zremrangebyrank),
        ..Command::EMPTY
    },
    Command {
        name: "zremrangebyscore",
        arity: 4,
        flags: WRITE,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "1.2.0",
        group: "sorted-set",
        summary: "Remove all members in a sorted set within the given scores",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.",
        syntax: "key:key#0 min:double max:double",
        run: Run::Reply(range::zremrangebyscore),
        ..Command::EMPTY
    },
    Command {
        name: "zrevrange",
        arity: -4,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "1.2.0",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set, by index, with scores ordered from high to low",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.",
        doc_flags: "deprecated",
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` argument")),
        syntax: "key:key#0 start:integer stop:integer WITHSCORES?",
        run: Run::Reply(range::zrevrange),
        ..Command::EMPTY
    },
    Command {
        name: "zrevrangebylex",
        arity: -4,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.8.9",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set, by lexicographical range, ordered from higher to lower strings.",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        doc_flags: "deprecated",
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments")),
        syntax: "key:key#0 max:string min:string LIMIT=offset_count{offset:integer count:integer}?",
        run: Run::Reply(range::zrevrangebylex),
        ..Command::EMPTY
    },
    Command {
        name: "zrevrangebyscore",
        arity: -4,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.2.0",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set, by score, with scores ordered from high to low",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        doc_flags: "deprecated",
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments")),
        history: &[("2.1.6", "`min` and `max` can be exclusive.")],
        syntax: "key:key#0 max:double min:double WITHSCORES? LIMIT=offset_count{offset:integer count:integer}?",
        run: Run::Reply(range::zrevrangebyscore),
        ..Command::EMPTY
    },
    Command {
        name: "zrevrank",
        arity: 3,
        flags: READONLY | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.0.0",
        group: "sorted-set",
        summary: "Determine the index of a member in a sorted set, with scores ordered from high to low",
        complexity: "O(log(N))",
        syntax: "key:key#0 member:string",
        run: Run::Reply(zrevrank),
        ..Command::EMPTY
    },
    Command {
        name: "zscan",
        arity: -3,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.8.0",
        group: "sorted-set",
        summary: "Incrementally iterate sorted sets elements and associated scores",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection..",
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 cursor:integer MATCH=pattern:pattern? COUNT=count:integer?",
        run: Run::Reply(zscan),
        ..Command::EMPTY
    },
    Command {
        name: "zscore",
        arity: 3,
        flags: READONLY | FAST,
        categories: "sortedset",
        keys: &[KeySpec::at(1, "RO access")],
        since: "1.2.0",
        group: "sorted-set",
        summary: "Get the score associated with the given member in a sorted set",
        complexity: "O(1)",
        syntax: "key:key#0 member:string",
        run: Run::Reply(zscore),
        ..Command::EMPTY
    },
    Command {
        name: "zunion",
        arity: -3,
        flags: READONLY,
        categories: "sortedset",
        keys: &[KeySpec {
            notes: "",
            flags: "RO access",
            begin: Begin::Index(1),
            find: Find::Count { at: 0, first: 1, step: 1 },
        }],
        since: "6.2.0",
        group: "sorted-set",
        summary: "Add multiple sorted sets",
        complexity: "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.",
        syntax: "numkeys:integer key:key#0* WEIGHTS=weight:integer?* AGGREGATE=aggregate(SUM|MIN|MAX)? WITHSCORES?",
        run: Run::Reply(combine::zunion),
        ..Command::EMPTY
    },
    Command {
        name: "zunionstore",
        arity: -4,
        flags: WRITE | DENYOOM,
        categories: "sortedset",
        keys: &[
            KeySpec::at(1, "OW update"),
            KeySpec {
                notes: "",
                flags: "RO access",
                begin: Begin::Index(2),
                find: Find::Count { at: 0, first: 1, step: 1 },
            },
        ],
        since: "2.0.0",
        group: "sorted-set",
        summary: "Add multiple sorted sets and store the resulting sorted set in a new key",
        complexity: "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.",
        syntax: "destination:key#0 numkeys:integer key:key#1* WEIGHTS=weight:integer?* AGGREGATE=aggregate(SUM|MIN|MAX)?",
        run: Run::Reply(combine::zunionstore),
        ..Command::EMPTY
    },
];

/// Up to where a sorted set stays a listpack.
pub(super) fn limits(context: &Context) -> Limits {
    let config = &context.server.config.active;
    Limits { entries: config.zset_max_listpack_entries, value: config.zset_max_listpack_value }
}

/// Notes so many changes of a sorted set, and removes it if it is empty now.
fn changed(context: &mut Context, key: &[u8], changes: usize, event: &str) {
    let Some(more) = (changes as u64).checked_sub(1) else { return };
    context.server.changes += more;
    context.changed(key);
    context.notify(Event::SortedSet, event, key);
    if matches!(context.write::<SortedSet>(key), Ok(Some(set)) if set.is_empty()) {
        context.delete_emptied(key);
    }
}

/// Stores what a command has found, and counts it; a key without members is deleted.
pub(super) fn store(
    context: &mut Context,
    destination: &[u8],
    set: SortedSet,
    event: &str,
) -> Reply {
    let length = set.len();
    if length == 0 {
        context.delete(destination);
    } else {
        context.set(destination, set.wrap());
        context.notify(Event::SortedSet, event, destination);
    }
    Reply::Integer(length as i64)
}

/// Members, with their scores if wanted: each pair is an array of its own in RESP3.
fn members(found: &[Scored], with_scores: bool, resp: Resp) -> Reply {
    if with_scores && resp == Resp::V3 {
        return pairs(found);
    }
    let mut replies = Vec::with_capacity(found.len());
    for (member, score) in found {
        replies.push(Reply::bulk(member));
        if with_scores {
            replies.push(Reply::Double(*score));
        }
    }
    Reply::Array(replies)
}

/// Members and their scores, each pair in an array.
fn pairs(found: &[Scored]) -> Reply {
    let pair =
        |(member, score): &Scored| Reply::Array(vec![Reply::bulk(member), Reply::Double(*score)]);
    Reply::Array(found.iter().map(pair).collect())
}

/// ZCARD key
fn zcard(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    Ok(Reply::Integer(context.read::<SortedSet>(key)?.map_or(0, SortedSet::len) as i64))
}

/// ZSCORE key member
fn zscore(context: &mut Context, args: &mut Args) -> Answer {
    let (key, member) = (args.key()?, args.bytes()?);
    let score = context.read::<SortedSet>(key)?.and_then(|set| set.score(member));
    Ok(score.map_or(Reply::Null, Reply::Double))
}

/// `ZMSCORE key member [member ...]`
fn zmscore(context: &mut Context, args: &mut Args) -> Answer {
    let (key, members) = (args.key()?, args.rest());
    let set = context.read::<SortedSet>(key)?;
    let scores = members.iter().map(|member| set.and_then(|set| set.score(member)));
    Ok(Reply::Array(scores.map(|score| score.map_or(Reply::Null, Reply::Double)).collect()))
}

/// ZRANK key member
fn zrank(context: &mut Context, args: &mut Args) -> Answer {
    rank(context, args, false)
}

/// ZREVRANK key member
fn zrevrank(context: &mut Context, args: &mut Args) -> Answer {
    rank(context, args, true)
}

fn rank(context: &mut Context, args: &mut Args, is_reverse: bool) -> Answer {
    let (key, member) = (args.key()?, args.bytes()?);
    let Some(set) = context.read::<SortedSet>(key)? else { return Ok(Reply::Null) };
    let rank = set.rank(member).map(|rank| if is_reverse { set.len() - 1 - rank } else { rank });
    Ok(rank.map_or(Reply::Null, |rank| Reply::Integer(rank as i64)))
}

/// `ZREM key member [member ...]`
fn zrem(context: &mut Context, args: &mut Args) -> Answer {
    let (key, members) = (args.key()?, args.rest());
    let Some(set) = context.write::<SortedSet>(key)? else { return Ok(Reply::Integer(0)) };
    let removed = members.iter().filter(|member| set.remove(member)).count();
    changed(context, key, removed, "zrem");
    Ok(Reply::Integer(removed as i64))
}

/// `ZRANDMEMBER key [count [WITHSCORES]]`
fn zrandmember(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    if args.is_empty() {
        let mut random = context.server.random.clone();
        let found = context
            .read::<SortedSet>(key)?
            .and_then(|set| set.at(random.below(set.len() as u64) as usize));
        let reply = Reply::bulk_or_null(found.map(|(member, _)| member));
        context.server.random = random;
        return Ok(reply);
    }
    let count = args.integer()?;
    if count == i64::MIN {
        return Err(Error::not_between(-i64::MAX, i64::MAX));
    }
    let with_scores = args.option("WITHSCORES");
    args.end()?;
    if with_scores && count.unsigned_abs() > i64::MAX.unsigned_abs() / 2 {
        return Err(Error::OUT_OF_RANGE);
    }
    let (resp, mut random) = (context.resp, context.server.random.clone());
    let Some(set) = context.read::<SortedSet>(key)? else { return Ok(Reply::Array(Vec::new())) };
    if count < 0 && count.unsigned_abs() > MOST_ELEMENTS {
        return Err(Error::OOM);
    }
    let (length, wanted) = (set.len() as u64, count.unsigned_abs());
    let found: Vec<Scored> = if count < 0 {
        // The same member may come again.
        (0..wanted).filter_map(|_| set.at(random.below(length) as usize)).collect()
    } else {
        // Each at most once; all of them come from the last to the first.
        let mut is_taken = random.sample(wanted, length);
        let mut found = set.members();
        found.retain(|_| is_taken());
        found.reverse();
        found
    };
    // A long member may have come very often.
    if found.iter().map(|(member, _)| member.len()).sum::<usize>() > LONGEST_STRING && count < 0 {
        return Err(Error::OOM);
    }
    let reply = members(&found, with_scores, resp);
    context.server.random = random;
    Ok(reply)
}

/// `ZSCAN key cursor [MATCH pattern] [COUNT count]`
fn zscan(context: &mut Context, args: &mut Args) -> Answer {
    let (key, cursor) = (args.key()?, scan::cursor(args.bytes()?)?);
    let Some(set) = context.read::<SortedSet>(key)? else { return Ok(scan::reply(0, Vec::new())) };
    // The options of a missing key are not looked at.
    let options = Options::parse(args, false)?;
    let (next, found) = set.scan(cursor, options.count);
    let is_listpack = set.encoding() == "listpack";
    let text = |score: f64| match score {
        // A listpack keeps whole numbers as integers.
        _ if is_listpack && score.abs() <= (1_u64 << 62) as f64 && score.fract() == 0.0 => {
            Reply::bulk((score as i64).to_string())
        }
        _ => Reply::Bulk(format_double(score)),
    };
    let found = found.into_iter().filter(|(member, _)| options.accepts(member));
    let found = found.flat_map(|(member, score)| [Reply::bulk(member), text(score)]);
    Ok(scan::reply(next, found.collect()))
}
