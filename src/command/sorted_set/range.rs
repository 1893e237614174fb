//! Defines the commands for the members of a range: by rank, by score, by their bytes.

use super::super::Answer;
use super::super::args::Args;
use super::{changed, limits, members, store};
use crate::error::Error;
use crate::number;
use crate::resp::Reply;
use crate::server::Context;
use crate::value::sorted_set::{Bound, Bounds, SortedSet};

/// What the ends of a range are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// A range that was asked for.
enum Wanted<'a> {
    /// From one rank to another; negative ones count from the end.
    Ranks(i64, i64),
    Bounds(Bounds<'a>),
}

impl<'a> Wanted<'a> {
    fn parse(by: By, ends: &'a [Vec<u8>]) -> Result<Wanted<'a>, Error> {
        let [low, high] = ends else { return Err(Error::SYNTAX) };
        Ok(match by {
            By::Rank => {
                let rank = |end| number::parse_integer(end).ok_or(Error::NOT_INTEGER);
                Wanted::Ranks(rank(low)?, rank(high)?)
            }
            By::Score => Wanted::Bounds(Bounds::Scores([score(low)?, score(high)?])),
            By::Lex => Wanted::Bounds(Bounds::Members([bound(low)?, bound(high)?])),
        })
    }

    /// The ranks of its members, without the first `skip` of them as a reply has them.
    fn ranks(&self, set: &SortedSet, skip: usize, is_reverse: bool) -> std::ops::Range<usize> {
        match self {
            Wanted::Bounds(bounds) => set.within(bounds, skip, is_reverse),
            Wanted::Ranks(first, last) => {
                let length = set.len() as i64;
                let from_end = |rank: i64| if rank < 0 { rank + length } else { rank };
                let first = from_end(*first).clamp(0, length);
                let end = from_end(*last).saturating_add(1).clamp(first, length);
                let (first, end) =
                    if is_reverse { (length - end, length - first) } else { (first, end) };
                first as usize..end as usize
            }
        }
    }
}

/// An end of a range of scores, and whether it is not part of it.
fn score(text: &[u8]) -> Result<(f64, bool), Error> {
    let (text, is_excluded) = match text {
        [b'(', text @ ..] => (text, true),
        text => (text, false),
    };
    Ok((number::strtod(text).ok_or(Error::SCORE_RANGE)?, is_excluded))
}

/// An end of a range of members.
fn bound(text: &[u8]) -> Result<Bound<'_>, Error> {
    match text {
        // C's text ends at a NUL.
        [b'-'] | [b'-', 0, ..] => Ok(Bound::Lowest),
        [b'+'] | [b'+', 0, ..] => Ok(Bound::Highest),
        [b'[', member @ ..] => Ok(Bound::Including(member)),
        [b'(', member @ ..] => Ok(Bound::Excluding(member)),
        _ => Err(Error::LEX_RANGE),
    }
}

/// `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`
pub fn zrange(context: &mut Context, args: &mut Args) -> Answer {
    range(context, args, None, None, None)
}

/// `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`
pub fn zrangestore(context: &mut Context, args: &mut Args) -> Answer {
    let destination = args.key()?;
    range(context, args, None, None, Some(destination))
}

/// `ZREVRANGE key start stop [WITHSCORES]`
pub fn zrevrange(context: &mut Context, args: &mut Args) -> Answer {
    range(context, args, Some(By::Rank), Some(true), None)
}

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`
pub fn zrangebyscore(context: &mut Context, args: &mut Args) -> Answer {
    range(context, args, Some(By::Score), Some(false), None)
}

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`
pub fn zrevrangebyscore(context: &mut Context, args: &mut Args) -> Answer {
    range(context, args, Some(By::Score), Some(true), None)
}

/// `ZRANGEBYLEX key min max [LIMIT offset count]`
pub fn zrangebylex(context: &mut Context, args: &mut Args) -> Answer {
    range(context, args, Some(By::Lex), Some(false), None)
}

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`
pub fn zrevrangebylex(context: &mut Context, args: &mut Args) -> Answer {
    range(context, args, Some(By::Lex), Some(true), None)
}

/// Answers or stores a range; what the command's name does not say, its options do.
fn range(
    context: &mut Context,
    args: &mut Args,
    mut by: Option<By>,
    mut is_reverse: Option<bool>,
    destination: Option<&[u8]>,
) -> Answer {
    let key = args.key()?;
    let mut ends = args.take(2)?.to_vec();
    let (mut with_scores, mut offset, mut count) = (false, 0, -1);
    while !args.is_empty() {
        if destination.is_none() && args.option("withscores") {
            with_scores = true;
        } else if args.remaining() > 2 && args.option("limit") {
            (offset, count) = (args.integer()?, args.integer()?);
        } else if is_reverse.is_none() && args.option("rev") {
            is_reverse = Some(true);
        } else if by.is_none() && args.option("bylex") {
            by = Some(By::Lex);
        } else if by.is_none() && args.option("byscore") {
            by = Some(By::Score);
        } else {
            return Err(Error::SYNTAX);
        }
    }
    let (by, is_reverse) = (by.unwrap_or(By::Rank), is_reverse.unwrap_or(false));
    if count != -1 && by == By::Rank {
        return Err(Error::LIMIT_BY_RANK);
    }
    if with_scores && by == By::Lex {
        return Err(Error::SCORES_BY_LEX);
    }
    if is_reverse && by != By::Rank {
        ends.reverse();
    }
    let wanted = Wanted::parse(by, &ends)?;
    let (limits, resp) = (limits(context), context.resp);
    let set = context.read::<SortedSet>(key)?;
    // A negative offset is never reached, and a negative count is none.
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    if let Some(set) = set {
        let ranks = wanted.ranks(set, skip, is_reverse);
        found = set.range(if is_reverse {
            ranks.start.max(ranks.end.saturating_sub(count))..ranks.end
        } else {
            ranks.start..ranks.end.min(ranks.start.saturating_add(count))
        });
        if is_reverse {
            found.reverse();
        }
    }
    let Some(destination) = destination else { return Ok(members(&found, with_scores, resp)) };
    let mut stored = SortedSet::default();
    if by == By::Rank && found.len() > limits.entries {
        stored.make_skiplist();
    }
    for (member, score) in found {
        stored.set(member, score, limits);
    }
    Ok(store(context, destination, stored, "zrangestore"))
}

/// ZCOUNT key min max
pub fn zcount(context: &mut Context, args: &mut Args) -> Answer {
    count(context, args, By::Score)
}

/// ZLEXCOUNT key min max
pub fn zlexcount(context: &mut Context, args: &mut Args) -> Answer {
    count(context, args, By::Lex)
}

fn count(context: &mut Context, args: &mut Args, by: By) -> Answer {
    let (key, wanted) = (args.key()?, Wanted::parse(by, args.take(2)?)?);
    let set = context.read::<SortedSet>(key)?;
    Ok(Reply::Integer(set.map_or(0, |set| wanted.ranks(set, 0, false).len()) as i64))
}

/// ZREMRANGEBYRANK key start stop
pub fn zremrangebyrank(context: &mut Context, args: &mut Args) -> Answer {
    remove(context, args, By::Rank, "zremrangebyrank")
}

/// ZREMRANGEBYSCORE key min max
pub fn zremrangebyscore(context: &mut Context, args: &mut Args) -> Answer {
    remove(context, args, By::Score, "zremrangebyscore")
}

/// ZREMRANGEBYLEX key min max
pub fn zremrangebylex(context: &mut Context, args: &mut Args) -> Answer {
    remove(context, args, By::Lex, "zremrangebylex")
}

fn remove(context: &mut Context, args: &mut Args, by: By, event: &str) -> Answer {
    let (key, wanted) = (args.key()?, Wanted::parse(by, args.take(2)?)?);
    let Some(set) = context.write::<SortedSet>(key)? else { return Ok(Reply::Integer(0)) };
    let ranks = wanted.ranks(set, 0, false);
    let removed = ranks.len();
    set.remove_range(ranks);
    changed(context, key, removed, event);
    Ok(Reply::Integer(removed as i64))
}
