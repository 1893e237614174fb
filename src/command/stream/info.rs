//! Defines XINFO.

use super::super::args::Args;
use super::super::{Answer, help};
use super::{entries_reply, entry_reply, id_reply, most, now};
use crate::error::Error;
use crate::keyspace::Millis;
use crate::resp::Reply;
use crate::server::Context;
use crate::value::stream::Stream;
use crate::value::stream::group::{Consumer, Group};
use crate::value::stream::id::Id;
use crate::value::stream::pending::Pending;

const HELP: (&str, &[&str]) = (
    "XINFO",
    &[
        "CONSUMERS <key> <groupname>",
        "    Show consumers of <groupname>.",
        "GROUPS <key>",
        "    Show the stream consumer groups.",
        "STREAM <key> [FULL [COUNT <count>]",
        "    Show information about the stream.",
    ],
);

/// XINFO HELP
pub(super) fn xinfo_help(_context: &mut Context, _args: &mut Args) -> Answer {
    Ok(help(HELP))
}

/// What is said of something: names and replies.
type Facts = Vec<(Reply, Reply)>;

fn fact(facts: &mut Facts, name: &str, reply: Reply) {
    facts.push((Reply::bulk(name), reply));
}

fn count(number: usize) -> Reply {
    Reply::Integer(number as i64)
}

fn number_or_null(number: Option<i64>) -> Reply {
    number.map_or(Reply::Null, Reply::Integer)
}

fn stream<'a>(context: &'a mut Context, key: &[u8]) -> Result<&'a Stream, Error> {
    context.read::<Stream>(key)?.ok_or(Error::NO_SUCH_KEY)
}

/// XINFO CONSUMERS key groupname
pub(super) fn xinfo_consumers(context: &mut Context, args: &mut Args) -> Answer {
    let (key, name) = (args.key()?, args.bytes()?);
    let now = now(context);
    let group = stream(context, key)?.group(name);
    let group = group.ok_or_else(|| Error::no_such_group(key, name))?;
    let reply = |consumer: &Consumer| {
        let mut facts = Vec::new();
        fact(&mut facts, "name", Reply::bulk(&consumer.name));
        fact(&mut facts, "pending", count(consumer.pending));
        fact(&mut facts, "idle", Reply::Integer(now.wrapping_sub(consumer.seen).max(0)));
        Reply::Map(facts)
    };
    Ok(Reply::Array(group.consumers.iter().map(reply).collect()))
}

/// XINFO GROUPS key
pub(super) fn xinfo_groups(context: &mut Context, args: &mut Args) -> Answer {
    let stream = stream(context, args.key()?)?;
    let reply = |group: &Group| {
        let mut facts = Vec::new();
        fact(&mut facts, "name", Reply::bulk(&group.name));
        fact(&mut facts, "consumers", count(group.consumers.len()));
        fact(&mut facts, "pending", count(group.pending.count()));
        progress(&mut facts, stream, group);
        Reply::Map(facts)
    };
    Ok(Reply::Array(stream.groups().iter().map(reply).collect()))
}

/// How far a group has read.
fn progress(facts: &mut Facts, stream: &Stream, group: &Group) {
    fact(facts, "last-delivered-id", id_reply(group.last));
    fact(facts, "entries-read", number_or_null(group.entries_read));
    fact(facts, "lag", number_or_null(stream.lag(group)));
}

/// `XINFO STREAM key [FULL [COUNT count]]`
pub(super) fn xinfo_stream(context: &mut Context, args: &mut Args) -> Answer {
    let stream = stream(context, args.key()?)?;
    let mut facts = Vec::new();
    fact(&mut facts, "length", count(stream.len()));
    fact(&mut facts, "radix-tree-keys", count(stream.nodes()));
    fact(&mut facts, "radix-tree-nodes", count(stream.radix_nodes()));
    fact(&mut facts, "last-generated-id", id_reply(stream.last));
    fact(&mut facts, "max-deleted-entry-id", id_reply(stream.max_deleted));
    fact(&mut facts, "entries-added", Reply::Integer(stream.entries_added as i64));
    fact(&mut facts, "recorded-first-entry-id", id_reply(stream.first()));
    if args.is_empty() {
        let edge = |reverse| {
            let entries = stream.range(Id::MIN, Id::MAX, reverse, 1);
            entries.first().map_or(Reply::Null, |entry| entry_reply(entry))
        };
        fact(&mut facts, "groups", count(stream.groups().len()));
        fact(&mut facts, "first-entry", edge(false));
        fact(&mut facts, "last-entry", edge(true));
        return Ok(Reply::Map(facts));
    }
    let most = most(full(args)?);
    fact(&mut facts, "entries", entries_reply(stream.range(Id::MIN, Id::MAX, false, most)));
    let groups = stream.groups().iter().map(|group| full_group(stream, group, most));
    fact(&mut facts, "groups", Reply::Array(groups.collect()));
    Ok(Reply::Map(facts))
}

/// The COUNT of FULL, whose 0 stands for all.
fn full(args: &mut Args) -> Result<i64, Error> {
    let wrong =
        || Error::wrong_subcommand_arity(args.argv().get(1).map_or(b"", Vec::as_slice), "XINFO");
    let is_full = matches!(args.remaining(), 1 | 3) && args.clone().option("full");
    let mut rest = args.clone();
    rest.bytes()?;
    if !is_full || !rest.is_empty() && !rest.option("count") {
        return Err(wrong());
    }
    if rest.is_empty() {
        return Ok(10);
    }
    let count = rest.integer()?;
    Ok(if count < 0 { 10 } else { count })
}

fn full_group(stream: &Stream, group: &Group, most: usize) -> Reply {
    let mut facts = Vec::new();
    fact(&mut facts, "name", Reply::bulk(&group.name));
    progress(&mut facts, stream, group);
    fact(&mut facts, "pel-count", count(group.pending.count()));
    let pending = group.pending.from(Id::MIN).take(most);
    let replies = pending.map(|pending| {
        let consumer = group.consumers.get(pending.consumer).map(|consumer| &consumer.name);
        let [id, delivered, deliveries] = full_pending(pending);
        Reply::Array(vec![id, Reply::bulk_or_null(consumer), delivered, deliveries])
    });
    fact(&mut facts, "pending", Reply::Array(replies.collect()));
    let consumers = group.consumers.iter().enumerate();
    let replies = consumers.map(|(at, consumer)| {
        let mut facts = Vec::new();
        fact(&mut facts, "name", Reply::bulk(&consumer.name));
        fact(&mut facts, "seen-time", Reply::Integer(consumer.seen));
        fact(&mut facts, "pel-count", count(consumer.pending));
        let pending = group.pending.from(Id::MIN).filter(|pending| pending.consumer == at);
        let pending = pending.take(most.min(consumer.pending));
        let replies = pending.map(|pending| Reply::Array(full_pending(pending).into()));
        fact(&mut facts, "pending", Reply::Array(replies.collect()));
        Reply::Map(facts)
    });
    fact(&mut facts, "consumers", Reply::Array(replies.collect()));
    Reply::Map(facts)
}

fn full_pending(pending: &Pending) -> [Reply; 3] {
    let delivered: Millis = pending.delivered;
    [id_reply(pending.id), Reply::Integer(delivered), Reply::Integer(pending.deliveries)]
}
