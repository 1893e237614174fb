//! Defines the commands that take members from an end of a sorted set, or wait for one.

use super::super::args::Args;
use super::super::{Answer, Attempt, Wait};
use super::{changed, members, pairs};
use crate::error::Error;
use crate::keyspace::Millis;
use crate::resp::{Reply, Resp};
use crate::server::Context;
use crate::value::sorted_set::{Scored, SortedSet};

/// An end of a sorted set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Min,
    Max,
}

/// `ZPOPMIN key [count]`
pub fn zpopmin(context: &mut Context, args: &mut Args) -> Answer {
    pop(context, args, End::Min)
}

/// `ZPOPMAX key [count]`
pub fn zpopmax(context: &mut Context, args: &mut Args) -> Answer {
    pop(context, args, End::Max)
}

fn pop(context: &mut Context, args: &mut Args, end: End) -> Answer {
    let key = args.key()?;
    if args.remaining() > 1 {
        return Err(Error::SYNTAX);
    }
    let (count, resp) = if args.is_empty() {
        (1, Resp::V2)
    } else {
        (args.count_or(Error::NOT_POSITIVE)?, context.resp)
    };
    let reply = take(context, key, end, count, &|found| members(found, true, resp))?;
    Ok(reply.unwrap_or(Reply::Array(Vec::new())))
}

/// Takes up to so many members from an end of a sorted set, and shows them; none if it is not there.
fn take(
    context: &mut Context,
    key: &[u8],
    end: End,
    count: usize,
    show: &dyn Fn(&[Scored]) -> Reply,
) -> Result<Option<Reply>, Error> {
    let Some(set) = context.write::<SortedSet>(key)? else { return Ok(None) };
    let (length, count) = (set.len(), count.min(set.len()));
    let (ranks, event) = match end {
        End::Min => (0..count, "zpopmin"),
        End::Max => (length - count..length, "zpopmax"),
    };
    let mut found = set.range(ranks.clone());
    if end == End::Max {
        found.reverse();
    }
    let reply = show(&found);
    set.remove_range(ranks);
    changed(context, key, count, event);
    Ok(Some(reply))
}

/// Takes members from the first sorted set that is there.
fn first(
    context: &mut Context,
    keys: &[Vec<u8>],
    end: End,
    count: usize,
    show: &dyn Fn(&[u8], &[Scored]) -> Reply,
) -> Result<Option<Reply>, Error> {
    for key in keys {
        if context.looks_at(key)
            && let Some(reply) = take(context, key, end, count, &|found| show(key, found))?
        {
            return Ok(Some(reply));
        }
    }
    Ok(None)
}

/// `ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]`
pub fn zmpop(context: &mut Context, args: &mut Args) -> Answer {
    Ok(pop_several(context, args)?.1.unwrap_or(Reply::NullArray))
}

/// `BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]`
pub fn bzmpop(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    // What is wrong with the timeout is said last.
    let mut timeout = args.clone();
    args.bytes()?;
    args.clone().keys_and_end(ENDS)?;
    let deadline = timeout.timeout(context.now())?;
    let (keys, reply) = pop_several(context, args)?;
    Ok(done_or_wait(reply, keys, deadline))
}

const ENDS: [&str; 2] = ["min", "max"];

/// The keys, and what is taken from the first of them that is there.
fn pop_several<'a>(
    context: &mut Context,
    args: &mut Args<'a>,
) -> Result<(&'a [Vec<u8>], Option<Reply>), Error> {
    let (keys, is_max, count) = args.keys_and_end(ENDS)?;
    let end = if is_max { End::Max } else { End::Min };
    let reply = first(context, keys, end, count, &|key, found| {
        Reply::Array(vec![Reply::bulk(key), pairs(found)])
    })?;
    Ok((keys, reply))
}

/// `BZPOPMIN key [key ...] timeout`
pub fn bzpopmin(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    pop_or_wait(context, args, End::Min)
}

/// `BZPOPMAX key [key ...] timeout`
pub fn bzpopmax(context: &mut Context, args: &mut Args) -> Result<Attempt, Error> {
    pop_or_wait(context, args, End::Max)
}

fn pop_or_wait(context: &mut Context, args: &mut Args, end: End) -> Result<Attempt, Error> {
    let keys = args.take(args.remaining().saturating_sub(1))?;
    let deadline = args.timeout(context.now())?;
    let reply = first(context, keys, end, 1, &|key, found| {
        let pair =
            found.iter().flat_map(|(member, score)| [Reply::bulk(member), Reply::Double(*score)]);
        Reply::Array([Reply::bulk(key)].into_iter().chain(pair).collect())
    })?;
    Ok(done_or_wait(reply, keys, deadline))
}

fn done_or_wait(reply: Option<Reply>, keys: &[Vec<u8>], deadline: Option<Millis>) -> Attempt {
    match reply {
        Some(reply) => Attempt::Done(reply),
        None => Attempt::Wait(Wait::new(keys, "zset", deadline)),
    }
}
