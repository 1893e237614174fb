//! Defines the stream commands.

mod add;
mod group;
mod info;
mod pending;
mod read;

use super::args::Args;
use super::flag::{BLOCKING, DENYOOM, FAST, LOADING, READONLY, STALE, WRITE};
use super::{Begin, Command, Find, KeySpec, Run};
use crate::error::Error;
use crate::keyspace::Millis;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::stream::Stream;
use crate::value::stream::group::Group;
use crate::value::stream::id::Id;
use crate::value::stream::node::Entry;

/// The stream family.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "xack",
        arity: -4,
        flags: WRITE | FAST,
        categories: "stream",
        keys: &[KeySpec::at(1, "RW update")],
        since: "5.0.0",
        group: "stream",
        summary: "Marks a pending message as correctly processed, effectively removing it from the pending entries list of the consumer group. Return value of the command is the number of messages successfully acknowledged, that is, the IDs we were actually able to resolve in the PEL.",
        complexity: "O(1) for each message ID processed.",
        syntax: "key:key#0 group:string id:string*",
        run: Run::Reply(group::xack),
        ..Command::EMPTY
    },
    Command {
        name: "xadd",
        arity: -5,
        flags: WRITE | DENYOOM | FAST,
        categories: "stream",
        keys: &[KeySpec {
            notes: "UPDATE instead of INSERT because of the optional trimming feature",
            flags: "RW update",
            begin: Begin::Index(1),
            find: Find::Range { last: 0, step: 1, limit: 0 },
        }],
        since: "5.0.0",
        group: "stream",
        summary: "Appends a new entry to a stream",
        complexity: "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
        history: &[
            (
                "6.2.0",
                "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option.",
            ),
            ("7.0.0", "Added support for the `<ms>-*` explicit ID form."),
        ],
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 NOMKSTREAM?@6.2.0 trim{strategy(MAXLEN|MINID@6.2.0) operator(\"=\"/equal|\"~\"/approximately)? threshold:string LIMIT=count:integer?@6.2.0}? id_or_auto(\"*\"/auto_id|id:string) field_value{field:string value:string}*",
        run: Run::Reply(add::xadd),
        ..Command::EMPTY
    },
    Command {
        name: "xautoclaim",
        arity: -6,
        flags: WRITE | FAST,
        categories: "stream",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "6.2.0",
        group: "stream",
        summary: "Changes (or acquires) ownership of messages in a consumer group, as if the messages were delivered to the specified consumer.",
        complexity: "O(1) if COUNT is small.",
        history: &[(
            "7.0.0",
            "Added an element to the reply array, containing deleted entries the command cleared from the PEL",
        )],
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 group:string consumer:string min-idle-time:string start:string COUNT=count:integer? JUSTID?",
        run: Run::Reply(pending::xautoclaim),
        ..Command::EMPTY
    },
    Command {
        name: "xclaim",
        arity: -6,
        flags: WRITE | FAST,
        categories: "stream",
        keys: &[KeySpec::at(1, "RW update")],
        since: "5.0.0",
        group: "stream",
        summary: "Changes (or acquires) ownership of a message in a consumer group, as if the message was delivered to the specified consumer.",
        complexity: "O(log N) with N being the number of messages in the PEL of the consumer group.",
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 group:string consumer:string min-idle-time:string id:string* IDLE=ms:integer? TIME=unix-time-milliseconds:unix-time? RETRYCOUNT=count:integer? FORCE? JUSTID? LASTID=id:string?",
        run: Run::Reply(pending::xclaim),
        ..Command::EMPTY
    },
    Command {
        name: "xdel",
        arity: -3,
        flags: WRITE | FAST,
        categories: "stream",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "5.0.0",
        group: "stream",
        summary: "Removes the specified entries from the stream. Returns the number of items actually deleted, that may be different from the number of IDs passed in case certain IDs do not exist.",
        complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
        syntax: "key:key#0 id:string*",
        run: Run::Reply(add::xdel),
        ..Command::EMPTY
    },
    Command {
        name: "xgroup",
        arity: -2,
        since: "5.0.0",
        group: "stream",
        summary: "A container for consumer groups commands",
        complexity: "Depends on subcommand.",
        run: Run::Container(&[
            Command {
                name: "create",
                arity: -5,
                flags: WRITE | DENYOOM,
                categories: "stream",
                keys: &[KeySpec::at(2, "RW insert")],
                since: "5.0.0",
                group: "stream",
                summary: "Create a consumer group.",
                complexity: "O(1)",
                history: &[("7.0.0", "Added the `entries_read` named argument.")],
                syntax: "key:key#0 groupname:string id(id:string|\"$\"/new_id) MKSTREAM? ENTRIESREAD=entries_read:integer?",
                run: Run::Reply(group::xgroup_create),
                ..Command::EMPTY
            },
            Command {
                name: "createconsumer",
                arity: 5,
                flags: WRITE | DENYOOM,
                categories: "stream",
                keys: &[KeySpec::at(2, "RW insert")],
                since: "6.2.0",
                group: "stream",
                summary: "Create a consumer in a consumer group.",
                complexity: "O(1)",
                syntax: "key:key#0 groupname:string consumername:string",
                run: Run::Reply(group::xgroup_createconsumer),
                ..Command::EMPTY
            },
            Command {
                name: "delconsumer",
                arity: 5,
                flags: WRITE,
                categories: "stream",
                keys: &[KeySpec::at(2, "RW delete")],
                since: "5.0.0",
                group: "stream",
                summary: "Delete a consumer from a consumer group.",
                complexity: "O(1)",
                syntax: "key:key#0 groupname:string consumername:string",
                run: Run::Reply(group::xgroup_delconsumer),
                ..Command::EMPTY
            },
            Command {
                name: "destroy",
                arity: 4,
                flags: WRITE,
                categories: "stream",
                keys: &[KeySpec::at(2, "RW delete")],
                since: "5.0.0",
                group: "stream",
                summary: "Destroy a consumer group.",
                complexity: "O(N) where N is the number of entries in the group's pending entries list (PEL).",
                syntax: "key:key#0 groupname:string",
                run: Run::Reply(group::xgroup_destroy),
                ..Command::EMPTY
            },
            Command {
                name: "help",
                arity: 2,
                flags: LOADING | STALE,
                categories: "stream",
                since: "5.0.0",
                group: "stream",
                summary: "Show helpful text about the different subcommands",
                complexity: "O(1)",
                run: Run::Reply(group::xgroup_help),
                ..Command::EMPTY
            },
            Command {
                name: "setid",
                arity: -5,
                flags: WRITE,
                categories: "stream",
                keys: &[KeySpec::at(2, "RW update")],
                since: "5.0.0",
                group: "stream",
                summary: "Set a consumer group to an arbitrary last delivered ID value.",
                complexity: "O(1)",
                history: &[("7.0.0", "Added the optional `entries_read` argument.")],
                syntax: "key:key#0 groupname:string id(id:string|\"$\"/new_id) ENTRIESREAD=entries_read:integer?",
                run: Run::Reply(group::xgroup_setid),
                ..Command::EMPTY
            },
        ]),
        ..Command::EMPTY
    },
    Command {
        name: "xinfo",
        arity: -2,
        since: "5.0.0",
        group: "stream",
        summary: "A container for stream introspection commands",
        complexity: "Depends on subcommand.",
        run: Run::Container(&[
            Command {
                name: "consumers",
                arity: 4,
                flags: READONLY,
                categories: "stream",
                keys: &[KeySpec::at(2, "RO access")],
                since: "5.0.0",
                group: "stream",
                summary: "List the consumers in a consumer group",
                complexity: "O(1)",
                tips: &["nondeterministic_output"],
                syntax: "key:key#0 groupname:string",
                run: Run::Reply(info::xinfo_consumers),
                ..Command::EMPTY
            },
            Command {
                name: "groups",
                arity: 3,
                flags: READONLY,
                categories: "stream",
                keys: &[KeySpec::at(2, "RO access")],
                since: "5.0.0",
                group: "stream",
                summary: "List the consumer groups of a stream",
                complexity: "O(1)",
                history: &[("7.0.0", "Added the `entries-read` and `lag` fields")],
                syntax: "key:key#0",
                run: Run::Reply(info::xinfo_groups),
                ..Command::EMPTY
            },
            Command {
                name: "help",
                arity: 2,
                flags: LOADING | STALE,
                categories: "stream",
                since: "5.0.0",
                group: "stream",
                summary: "Show helpful text about the different subcommands",
                complexity: "O(1)",
                run: Run::Reply(info::xinfo_help),
                ..Command::EMPTY
            },
            Command {
                name: "stream",
                arity: -3,
                flags: READONLY,
                categories: "stream",
                keys: &[KeySpec::at(2, "RO access")],
                since: "5.0.0",
                group: "stream",
                summary: "Get information about a stream",
                complexity: "O(1)",
                history: &[
                    ("6.0.0", "Added the `FULL` modifier."),
                    (
                        "7.0.0",
                        "Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag` fields",
                    ),
                ],
                syntax: "key:key#0 FULL=full{COUNT=count:integer?}?",
                run: Run::Reply(info::xinfo_stream),
                ..Command::EMPTY
            },
        ]),
        ..Command::EMPTY
    },
    Command {
        name: "xlen",
        arity: 2,
        flags: READONLY | FAST,
        categories: "stream",
        keys: &[KeySpec::at(1, "RO")],
        since: "5.0.0",
        group: "stream",
        summary: "Return the number of entries in a stream",
        complexity: "O(1)",
        syntax: "key:key#0",
        run: Run::Reply(add::xlen),
        ..Command::EMPTY
    },
    Command {
        name: "xpending",
        arity: -3,
        flags: READONLY,
        categories: "stream",
        keys: &[KeySpec::at(1, "RO access")],
        since: "5.0.0",
        group: "stream",
        summary: "Return information and entries from a stream consumer group pending entries list, that are messages fetched but never acknowledged.",
        complexity: "O(N) with N being the number of elements returned, so asking for a small fixed number of entries per call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE filter. When the command returns just the summary and the list of consumers is small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every consumer.",
        history: &[("6.2.0", "Added the `IDLE` option and exclusive range intervals.")],
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 group:string filters{IDLE=min-idle-time:integer?@6.2.0 start:string end:string count:integer consumer:string?}?",
        run: Run::Reply(pending::xpending),
        ..Command::EMPTY
    },
    Command {
        name: "xrange",
        arity: -4,
        flags: READONLY,
        categories: "stream",
        keys: &[KeySpec::at(1, "RO access")],
        since: "5.0.0",
        group: "stream",
        summary: "Return a range of elements in a stream, with IDs matching the specified IDs interval",
        complexity: "O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).",
        history: &[("6.2.0", "Added exclusive ranges.")],
        syntax: "key:key#0 start:string end:string COUNT=count:integer?",
        run: Run::Reply(read::xrange),
        ..Command::EMPTY
    },
    Command {
        name: "xread",
        arity: -4,
        flags: READONLY | BLOCKING,
        categories: "stream",
        keys: &[KeySpec {
            notes: "",
            flags: "RO access",
            begin: Begin::Keyword("STREAMS", 1),
            find: Find::Range { last: -1, step: 1, limit: 2 },
        }],
        since: "5.0.0",
        group: "stream",
        summary: "Return never seen elements in multiple streams, with IDs greater than the ones reported by the caller for each stream. Can block.",
        complexity: "For each stream mentioned: O(N) with N being the number of elements being returned, it means that XREAD-ing with a fixed COUNT is O(1). Note that when the BLOCK option is used, XADD will pay O(M) time in order to serve the M clients blocked on the stream getting new data.",
        syntax: "COUNT=count:integer? BLOCK=milliseconds:integer? STREAMS=streams{key:key#0* id:string*}",
        run: Run::Block(read::xread),
        ..Command::EMPTY
    },
    Command {
        name: "xreadgroup",
        arity: -7,
        flags: WRITE | BLOCKING,
        categories: "stream",
        keys: &[KeySpec {
            notes: "",
            flags: "RO access",
            begin: Begin::Keyword("STREAMS", 4),
            find: Find::Range { last: -1, step: 1, limit: 2 },
        }],
        since: "5.0.0",
        group: "stream",
        summary: "Return new entries from a stream using a consumer group, or access the history of the pending entries for a given consumer. Can block.",
        complexity: "For each stream mentioned: O(M) with M being the number of elements returned. If M is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients blocked on the stream getting new data.",
        syntax: "GROUP=group_consumer{group:string consumer:string} COUNT=count:integer? BLOCK=milliseconds:integer? NOACK? STREAMS=streams{key:key#0* id:string*}",
        run: Run::Block(read::xreadgroup),
        ..Command::EMPTY
    },
    Command {
        name: "xrevrange",
        arity: -4,
        flags: READONLY,
        categories: "stream",
        keys: &[KeySpec::at(1, "RO access")],
        since: "5.0.0",
        group: "stream",
        summary: "Return a range of elements in a stream, with IDs matching the specified IDs interval, in reverse order (from greater to smaller IDs) compared to XRANGE",
        complexity: "O(N) with N being the number of elements returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).",
        history: &[("6.2.0", "Added exclusive ranges.")],
        syntax: "key:key#0 end:string start:string COUNT=count:integer?",
        run: Run::Reply(read::xrevrange),
        ..Command::EMPTY
    },
    Command {
        name: "xsetid",
        arity: -3,
        flags: WRITE | DENYOOM | FAST,
        categories: "stream",
        keys: &[KeySpec::at(1, "RW update")],
        since: "5.0.0",
        group: "stream",
        summary: "An internal command for replicating stream values",
        complexity: "O(1)",
        history: &[("7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments.")],
        syntax: "key:key#0 last-id:string ENTRIESADDED=entries_added:integer?@7.0.0 MAXDELETEDID=max_deleted_entry_id:string?@7.0.0",
        run: Run::Reply(add::xsetid),
        ..Command::EMPTY
    },
    Command {
        name: "xtrim",
        arity: -4,
        flags: WRITE,
        categories: "stream",
        keys: &[KeySpec::at(1, "RW delete")],
        since: "5.0.0",
        group: "stream",
        summary: "Trims the stream to (approximately if '~' is passed) a certain size",
        complexity: "O(N), with N being the number of evicted entries. Constant times are very small however, since entries are organized in macro nodes containing multiple entries that can be released with a single deallocation.",
        history: &[("6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option.")],
        tips: &["nondeterministic_output"],
        syntax: "key:key#0 trim{strategy(MAXLEN|MINID@6.2.0) operator(\"=\"/equal|\"~\"/approximately)? threshold:string LIMIT=count:integer?@6.2.0}",
        run: Run::Reply(add::xtrim),
        ..Command::EMPTY
    },
];

/// The next three arguments.
fn three<'a>(args: &mut Args<'a>) -> Result<[&'a [u8]; 3], Error> {
    Ok([args.bytes()?, args.bytes()?, args.bytes()?])
}

/// All that is left, as IDs.
fn ids(args: &mut Args) -> Result<Vec<Id>, Error> {
    args.rest().iter().map(|id| parse_id(id)).collect()
}

/// The group of a stream, to change; not counted as a look.
fn group<'a>(
    context: &'a mut Context,
    key: &[u8],
    name: &[u8],
) -> Result<Option<&'a mut Group>, Error> {
    Ok(context.write::<Stream>(key)?.and_then(|stream| stream.group_mut(name)))
}

/// The time of whatever happens to entries and consumers: it goes on within a script.
fn now(context: &Context) -> Millis {
    (context.server.clocked() / 1000) as Millis
}

/// An ID whose sequence number may be left out.
fn parse_id(text: &[u8]) -> Result<Id, Error> {
    Id::parse(text, 0).ok_or(Error::INVALID_STREAM_ID)
}

/// An ID, or `-` or `+` for the first and the last that there is.
fn parse_bound(text: &[u8], missing: u64) -> Result<Id, Error> {
    match text {
        b"-" => Ok(Id::MIN),
        b"+" => Ok(Id::MAX),
        text => Id::parse(text, missing).ok_or(Error::INVALID_STREAM_ID),
    }
}

/// Where an interval starts: at an ID, or behind it after `(`.
fn parse_start(text: &[u8]) -> Result<Id, Error> {
    match text {
        [b'(', text @ ..] if !text.is_empty() => {
            parse_id(text)?.next().ok_or(Error::INVALID_START_ID)
        }
        text => parse_bound(text, 0),
    }
}

/// Where an interval ends: at an ID, or before it after `(`.
fn parse_end(text: &[u8]) -> Result<Id, Error> {
    match text {
        [b'(', text @ ..] if !text.is_empty() => {
            let id = Id::parse(text, u64::MAX).ok_or(Error::INVALID_STREAM_ID)?;
            id.previous().ok_or(Error::INVALID_END_ID)
        }
        text => parse_bound(text, u64::MAX),
    }
}

fn id_reply(id: Id) -> Reply {
    Reply::Bulk(id.text())
}

fn entry_reply(entry: &Entry) -> Reply {
    Reply::Array(vec![id_reply(entry.id), Reply::bulks(&entry.fields)])
}

fn entries_reply(entries: Vec<&Entry>) -> Reply {
    Reply::Array(entries.into_iter().map(entry_reply).collect())
}

/// How many are meant by a COUNT whose 0 stands for all.
fn most(count: i64) -> usize {
    match usize::try_from(count) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(count) => count,
    }
}

/// Notes a change of what belongs to a stream but is none of its entries: those who watch it are not told.
fn note(context: &mut Context, key: &[u8], event: &str) {
    context.server.changes += 1;
    context.notify(Event::Stream, event, key);
}

/// What happens when a group gets a consumer.
const NEW_CONSUMER: &str = "xgroup-createconsumer";
