//! Defines the stream commands that read entries, from one stream or from several, and wait for them.

use super::super::args::Args;
use super::super::{Answer, Attempt, Wait};
use super::{
    NEW_CONSUMER, entries_reply, entry_reply, group, id_reply, most, note, now, parse_end,
    parse_id, parse_start, three,
};
use crate::error::Error;
use crate::keyspace::Millis;
use crate::resp::{Reply, Resp};
use crate::server::{Context, Origin};
use crate::value::stream::Stream;
use crate::value::stream::id::Id;

/// `XRANGE key start end [COUNT count]`
pub(super) fn xrange(context: &mut Context, args: &mut Args) -> Answer {
    range(context, args, false)
}

/// `XREVRANGE key end start [COUNT count]`
pub(super) fn xrevrange(context: &mut Context, args: &mut Args) -> Answer {
    range(context, args, true)
}

fn range(context: &mut Context, args: &mut Args, reverse: bool) -> Answer {
    let [key, one, other] = three(args)?;
    let (start, end) = if reverse { (other, one) } else { (one, other) };
    let (start, end) = (parse_start(start)?, parse_end(end)?);
    let mut count = None;
    while !args.is_empty() {
        if args.remaining() < 2 || !args.option("count") {
            return Err(Error::SYNTAX);
        }
        count = Some(args.integer()?.max(0));
    }
    let Some(stream) = context.read::<Stream>(key)? else { return Ok(Reply::Array(Vec::new())) };
    if count == Some(0) {
        return Ok(Reply::NullArray);
    }
    Ok(entries_reply(stream.range(start, end, reverse, most(count.unwrap_or(0)))))
}

/// `XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]`
pub(super) fn xread(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    Reading::parse(context, args, false)?.run(context, args)
}

/// `XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]`
pub(super) fn xreadgroup(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    Reading::parse(context, args, true)?.run(context, args)
}

/// Who waits without a COUNT gets no more than this at once.
const WAITING_COUNT: usize = 1000;

/// What XREAD and XREADGROUP ask for.
struct Reading<'a> {
    /// The group and the consumer.
    group: Option<(&'a [u8], &'a [u8])>,
    count: i64,
    /// It waits if there is nothing, until then or for ever.
    waits: bool,
    deadline: Option<Millis>,
    no_ack: bool,
    keys: &'a [Vec<u8>],
    ids: &'a [Vec<u8>],
}

impl<'a> Reading<'a> {
    fn parse(context: &Context, args: &mut Args<'a>, grouped: bool) -> Result<Reading<'a>, Error> {
        let (mut group, mut count, mut no_ack) = (None, 0, false);
        let (mut waits, mut deadline) = (false, None);
        while !args.is_empty() {
            let more = args.remaining() - 1;
            if more > 0 && args.option("block") {
                if context.origin != Origin::Client {
                    return Err(Error::block_in_script(
                        args.argv().first().map_or(b"", |name| name),
                    ));
                }
                let wait = args.integer_or(Error::TIMEOUT_NOT_INTEGER)?;
                if wait < 0 {
                    return Err(Error::TIMEOUT_NEGATIVE);
                }
                waits = true;
                deadline = (wait > 0).then(|| wait.saturating_add(now(context)));
            } else if more > 0 && args.option("count") {
                count = args.integer()?.max(0);
            } else if more > 0 && args.option("streams") {
                let (keys, ids) = args.rest().split_at(more / 2);
                if keys.len() != ids.len() {
                    return Err(Error::XREAD_UNBALANCED);
                }
                if grouped && group.is_none() {
                    return Err(Error::XREADGROUP_NO_GROUP);
                }
                return Ok(Reading { group, count, waits, deadline, no_ack, keys, ids });
            } else if more > 1 && args.option("group") {
                if !grouped {
                    return Err(Error::XREAD_GROUP);
                }
                group = Some((args.bytes()?, args.bytes()?));
            } else if args.option("noack") {
                if !grouped {
                    return Err(Error::XREAD_NOACK);
                }
                no_ack = true;
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Err(Error::SYNTAX)
    }

    fn run(&self, context: &mut Context, args: &Args) -> Result<Attempt, Error> {
        if let Some(key) = context.changed_key {
            return self.try_again(context, key);
        }
        let ids = self.resolve(context)?;
        let mut found = Vec::new();
        for (key, id) in self.keys.iter().zip(&ids) {
            let Some(stream) = context.read::<Stream>(key)? else { continue };
            let group = self.group.and_then(|(name, _)| stream.group(name));
            // All but `>` asks for what the consumer has and has not acknowledged.
            let is_history = group.is_some() && *id != Id::MAX;
            let after = group.filter(|_| !is_history).map_or(*id, |group| group.last);
            if is_history || stream.last_entry().is_some_and(|last| last > after) {
                let entries = self.entries(context, key, after, is_history, most(self.count))?;
                found.push((Reply::bulk(key), entries));
                context.server.changes += u64::from(self.group.is_some());
            }
        }
        Ok(if !found.is_empty() {
            Attempt::Done(reply(context, found))
        } else if self.waits {
            self.wait(args.argv(), &ids)
        } else {
            Attempt::Done(Reply::NullArray)
        })
    }

    /// The ID behind which each stream is read; the highest for `>`.
    fn resolve(&self, context: &mut Context) -> Result<Vec<Id>, Error> {
        let mut ids = Vec::new();
        for (key, id) in self.keys.iter().zip(self.ids) {
            let stream = context.read::<Stream>(key)?;
            if let Some((name, _)) = self.group
                && stream.is_none_or(|stream| stream.group(name).is_none())
            {
                return Err(Error::no_group(key, name, " in XREADGROUP with GROUP option"));
            }
            ids.push(match (id.as_slice(), self.group) {
                (b"$", None) => stream.map_or(Id::MIN, |stream| stream.last),
                (b"$", Some(_)) => return Err(Error::XREADGROUP_LAST),
                (b">", Some(_)) => Id::MAX,
                (b">", None) => return Err(Error::XREAD_NEW),
                (id, _) => parse_id(id)?,
            });
        }
        Ok(ids)
    }

    /// What there is behind an ID, for the consumer if there is a group.
    fn entries(
        &self,
        context: &mut Context,
        key: &[u8],
        after: Id,
        is_history: bool,
        most: usize,
    ) -> Answer {
        let now = now(context);
        let start = after.next().unwrap_or(Id::MAX);
        let nothing = || Reply::Array(Vec::new());
        let Some((name, consumer)) = self.group else {
            let stream = context.write::<Stream>(key)?;
            return Ok(stream.map_or_else(nothing, |stream| {
                entries_reply(stream.range(start, Id::MAX, false, most))
            }));
        };
        let Some(group) = group(context, key, name)? else { return Ok(nothing()) };
        let (consumer, is_new) = group.see(consumer, now);
        if is_new {
            note(context, key, NEW_CONSUMER);
        }
        let Some(stream) = context.write::<Stream>(key)? else { return Ok(nothing()) };
        if is_history {
            return Ok(Reply::Array(history(stream, name, consumer, start, most, now)));
        }
        let entries = stream.range(start, Id::MAX, false, most);
        let ids: Vec<Id> = entries.iter().map(|entry| entry.id).collect();
        let reply = entries_reply(entries);
        for id in ids {
            stream.note_read(name, id);
            if let Some(group) = stream.group_mut(name).filter(|_| !self.no_ack) {
                group.give(id, consumer, now, 1);
            }
        }
        Ok(reply)
    }

    /// Waits for more than there was. What `$` stands for is settled now.
    fn wait(&self, argv: &[Vec<u8>], ids: &[Id]) -> Attempt {
        let mut argv = argv.to_vec();
        if self.group.is_none() {
            argv.truncate(argv.len() - ids.len());
            argv.extend(ids.iter().map(|id| id.text()));
        }
        // A group is read only as long as its stream is there.
        let gone = self.group.map(|_| Error::STREAM_GONE);
        let wait = Wait::new(self.keys, "stream", self.deadline);
        Attempt::Wait(Wait { argv: Some(argv), gone, ..wait })
    }

    /// Looks at the stream that has changed: whether it has got more, though it may be gone already.
    fn try_again(&self, context: &mut Context, key: &[u8]) -> Result<Attempt, Error> {
        let wait = || self.wait(&[], &[]);
        let Some(stream) = context.write::<Stream>(key)? else { return Ok(wait()) };
        let mut keys = self.keys.iter().zip(self.ids);
        let after = match (self.group, keys.find(|(other, _)| *other == key)) {
            (Some((name, _)), _) => stream.group(name).ok_or(Error::GROUP_GONE)?.last,
            (None, Some((_, id))) => parse_id(id)?,
            (None, None) => return Ok(wait()),
        };
        if stream.last <= after {
            return Ok(wait());
        }
        let count = if self.count > 0 { most(self.count) } else { WAITING_COUNT };
        let entries = self.entries(context, key, after, false, count)?;
        Ok(Attempt::Done(reply(context, vec![(Reply::bulk(key), entries)])))
    }
}

/// Streams with their entries, in the shape that the protocol has for them.
fn reply(context: &Context, found: Vec<(Reply, Reply)>) -> Reply {
    if context.resp == Resp::V3 {
        return Reply::Map(found);
    }
    Reply::Array(found.into_iter().map(|(key, entries)| Reply::Array(vec![key, entries])).collect())
}

/// What a consumer has not acknowledged, from this ID on: entries that are gone have no fields. It is delivered once more.
fn history(
    stream: &mut Stream,
    name: &[u8],
    consumer: usize,
    start: Id,
    most: usize,
    now: Millis,
) -> Vec<Reply> {
    let Some(group) = stream.group(name) else { return Vec::new() };
    let pending = group.pending.from(start);
    let ids = pending.filter(|pending| pending.consumer == consumer).map(|pending| pending.id);
    let mut replies = Vec::new();
    for id in ids.take(most).collect::<Vec<_>>() {
        let Some(entry) = stream.get(id).map(entry_reply) else {
            replies.push(Reply::Array(vec![id_reply(id), Reply::NullArray]));
            continue;
        };
        replies.push(entry);
        if let Some(pending) = stream.group_mut(name).and_then(|group| group.pending.get_mut(id)) {
            pending.delivered = now;
            pending.deliveries = pending.deliveries.wrapping_add(1);
        }
    }
    replies
}
