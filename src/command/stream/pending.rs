//! Defines the commands about entries that are not acknowledged: XPENDING, XCLAIM and XAUTOCLAIM.

use super::super::Answer;
use super::super::args::Args;
use super::{
    NEW_CONSUMER, entry_reply, group, id_reply, note, now, parse_end, parse_id, parse_start, three,
};
use crate::error::Error;
use crate::keyspace::Millis;
use crate::number::parse_integer;
use crate::resp::Reply;
use crate::server::Context;
use crate::value::stream::Stream;
use crate::value::stream::group::Group;
use crate::value::stream::id::Id;
use crate::value::stream::pending::Pending;

/// The group of a stream that a command looks at.
fn look<'a>(context: &'a mut Context, key: &[u8], name: &[u8]) -> Result<&'a Group, Error> {
    let group = context.read::<Stream>(key)?.and_then(|stream| stream.group(name));
    group.ok_or_else(|| Error::no_group(key, name, ""))
}

/// `XPENDING key group [[IDLE min-idle-time] start end count [consumer]]`
pub(super) fn xpending(context: &mut Context, args: &mut Args) -> Answer {
    let (key, name) = (args.key()?, args.bytes()?);
    if args.is_empty() {
        return look(context, key, name).map(summary);
    }
    if !(3..=6).contains(&args.remaining()) {
        return Err(Error::SYNTAX);
    }
    let mut least_idle = 0;
    if args.option("idle") {
        least_idle = args.integer()?;
        if args.remaining() < 3 {
            return Err(Error::SYNTAX);
        }
    }
    let (start, end, count) = (args.bytes()?, args.bytes()?, args.integer()?);
    let (start, end) = (parse_start(start)?, parse_end(end)?);
    let count = usize::try_from(count).unwrap_or(0);
    let consumer = args.peek();
    let now = now(context);
    let group = look(context, key, name)?;
    let consumer = match consumer.map(|consumer| group.consumer(consumer)) {
        Some(Err(_)) => return Ok(Reply::Array(Vec::new())),
        found => found.and_then(Result::ok),
    };
    let pending = group.pending.from(start);
    let found = pending
        .take_while(|pending| pending.id <= end)
        .filter(|pending| consumer.is_none_or(|consumer| pending.consumer == consumer))
        .filter(|pending| least_idle == 0 || now.wrapping_sub(pending.delivered) >= least_idle)
        .take(count);
    let reply = |pending: &Pending| {
        Reply::Array(vec![
            id_reply(pending.id),
            consumer_name(group, pending.consumer),
            Reply::Integer(now.wrapping_sub(pending.delivered).max(0)),
            Reply::Integer(pending.deliveries),
        ])
    };
    Ok(Reply::Array(found.map(reply).collect()))
}

fn consumer_name(group: &Group, consumer: usize) -> Reply {
    Reply::bulk_or_null(group.consumers.get(consumer).map(|consumer| &consumer.name))
}

/// How many entries there are, the first and the last of them, and who has how many.
fn summary(group: &Group) -> Reply {
    let id =
        |pending: Option<&Pending>| pending.map_or(Reply::Null, |pending| id_reply(pending.id));
    let busy = group.consumers.iter().filter(|consumer| consumer.pending > 0);
    let consumers: Vec<Reply> = busy
        .map(|consumer| Reply::bulks([&consumer.name, &consumer.pending.to_string().into_bytes()]))
        .collect();
    Reply::Array(vec![
        Reply::Integer(group.pending.count() as i64),
        id(group.pending.from(Id::MIN).next()),
        id(group.pending.last()),
        if consumers.is_empty() { Reply::NullArray } else { Reply::Array(consumers) },
    ])
}

/// How XCLAIM and XAUTOCLAIM hand entries to a consumer.
struct Claim<'a> {
    key: &'a [u8],
    group: &'a [u8],
    /// Who gets them. It is there, and seen, as soon as it gets one.
    consumer: &'a [u8],
    /// For how long an entry must not have been delivered, in milliseconds; 0 for any.
    least_idle: i64,
    now: Millis,
    delivered: Millis,
    deliveries: Option<i64>,
    /// Also what nobody has.
    force: bool,
    /// Only IDs are answered, and it does not count as a delivery.
    just_id: bool,
}

/// What became of an entry.
enum Claimed {
    /// Nothing.
    No,
    /// It is the consumer's now, and this is shown of it.
    Yes(Reply),
    /// It is no longer in the stream, and so forgotten if it was somebody's.
    Gone,
}

impl Claim<'_> {
    fn claim(&self, context: &mut Context, id: Id) -> Result<Claimed, Error> {
        let Some(stream) = context.write::<Stream>(self.key)? else { return Ok(Claimed::Gone) };
        let is_there = stream.get(id).is_some();
        let Some(group) = stream.group_mut(self.group) else { return Ok(Claimed::Gone) };
        if !is_there {
            let was_pending = group.acknowledge(id);
            context.server.changes += u64::from(was_pending);
            return Ok(Claimed::Gone);
        }
        let deliveries = match group.pending.get_mut(id) {
            None if !self.force => return Ok(Claimed::No),
            None => 1,
            Some(pending) => {
                let idle = self.now.wrapping_sub(pending.delivered);
                if self.least_idle > 0 && idle < self.least_idle {
                    return Ok(Claimed::No);
                }
                pending.deliveries
            }
        };
        let more = i64::from(!self.just_id);
        let deliveries = self.deliveries.unwrap_or(deliveries.wrapping_add(more));
        let (consumer, is_new) = group.see(self.consumer, self.now);
        group.give(id, consumer, self.delivered, deliveries);
        let entry = stream.get(id).filter(|_| !self.just_id);
        let reply = entry.map_or_else(|| id_reply(id), entry_reply);
        if is_new {
            note(context, self.key, NEW_CONSUMER);
        }
        context.server.changes += 1;
        Ok(Claimed::Yes(reply))
    }
}

/// The next argument as an integer.
fn integer(args: &mut Args, what: &str, command: &str) -> Result<i64, Error> {
    parse_integer(args.bytes()?).ok_or_else(|| Error::claim_argument(what, command))
}

/// `XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]`
pub(super) fn xclaim(context: &mut Context, args: &mut Args) -> Answer {
    let [key, name, consumer] = three(args)?;
    look(context, key, name)?;
    let least_idle = integer(args, "min-idle-time", "XCLAIM")?;
    let mut ids = Vec::new();
    while let Some(id) = args.peek().and_then(|id| Id::parse(id, 0)) {
        ids.push(id);
        args.bytes()?;
    }
    let now = now(context);
    let mut claim = Claim {
        key,
        group: name,
        consumer,
        least_idle,
        now,
        delivered: -1,
        deliveries: None,
        force: false,
        just_id: false,
    };
    let mut last = Id::MIN;
    while let Some(word) = args.peek() {
        let has_more = args.remaining() > 1;
        if args.option("force") {
            claim.force = true;
        } else if args.option("justid") {
            claim.just_id = true;
        } else if has_more && args.option("idle") {
            claim.delivered = now.wrapping_sub(integer(args, "IDLE option", "XCLAIM")?);
        } else if has_more && args.option("time") {
            claim.delivered = integer(args, "TIME option", "XCLAIM")?;
        } else if has_more && args.option("retrycount") {
            let count = integer(args, "RETRYCOUNT option", "XCLAIM")?;
            claim.deliveries = (count >= 0).then_some(count);
        } else if has_more && args.option("lastid") {
            last = parse_id(args.bytes()?)?;
        } else {
            return Err(Error::claim_option(word));
        }
    }
    if !(0..=now).contains(&claim.delivered) {
        claim.delivered = now;
    }
    let has_advanced = group(context, key, name)?.is_some_and(|group| {
        let has_advanced = group.last < last;
        group.last = group.last.max(last);
        has_advanced
    });
    let before = context.server.changes;
    let mut claimed = Vec::new();
    for id in ids {
        if let Claimed::Yes(reply) = claim.claim(context, id)? {
            claimed.push(reply);
        }
    }
    // That the group has advanced is part of what is claimed.
    if has_advanced && context.server.changes == before {
        context.server.changes += 1;
    }
    Ok(Reply::Array(claimed))
}

/// XAUTOCLAIM looks at so many entries for each that it is asked for.
const ATTEMPTS: usize = 10;
/// A higher COUNT is refused.
const MOST_CLAIMED: i64 = i64::MAX / 16;
/// For so many IDs there is no room in Redis.
const NO_ROOM: i64 = 1 << 43;

/// `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]`
pub(super) fn xautoclaim(context: &mut Context, args: &mut Args) -> Answer {
    let [key, name, consumer] = three(args)?;
    // What is wrong with the arguments is said first, but the key has been looked at by then.
    let is_there = look(context, key, name).map(drop);
    let least_idle = integer(args, "min-idle-time", "XAUTOCLAIM")?;
    let start = parse_start(args.bytes()?)?;
    let (mut count, mut just_id) = (100, false);
    while !args.is_empty() {
        if args.remaining() > 1 && args.option("count") {
            count = args.integer_or(Error::XAUTOCLAIM_COUNT)?;
            if !(1..=MOST_CLAIMED).contains(&count) {
                return Err(Error::XAUTOCLAIM_COUNT);
            }
        } else if args.option("justid") {
            just_id = true;
        } else {
            return Err(Error::SYNTAX);
        }
    }
    is_there?;
    if count >= NO_ROOM {
        return Err(Error::XAUTOCLAIM_MEMORY);
    }
    let now = now(context);
    let claim = Claim {
        key,
        group: name,
        consumer,
        least_idle,
        now,
        delivered: now,
        deliveries: None,
        force: false,
        just_id,
    };
    let mut count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut attempts = count.saturating_mul(ATTEMPTS);
    let (mut claimed, mut gone) = (Vec::new(), Vec::new());
    let mut next = Some(start);
    loop {
        let found = group(context, key, name)?
            .zip(next)
            .and_then(|(group, start)| group.pending.from(start).next());
        next = found.map(|pending| pending.id);
        let Some(id) = next.filter(|_| attempts > 0 && count > 0) else { break };
        attempts -= 1;
        match claim.claim(context, id)? {
            Claimed::No => {}
            Claimed::Yes(reply) => {
                claimed.push(reply);
                count -= 1;
            }
            Claimed::Gone => {
                gone.push(id_reply(id));
                count -= 1;
            }
        }
        next = id.next();
    }
    let next = id_reply(next.unwrap_or(Id::MIN));
    Ok(Reply::Array(vec![next, Reply::Array(claimed), Reply::Array(gone)]))
}
