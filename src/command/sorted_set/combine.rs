//! Defines the commands that put several sorted sets, and sets, together.

use super::super::Answer;
use super::super::args::Args;
use super::super::sorting::sorted_places;
use super::{limits, members, store};
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Context;
use crate::value::Value;
use crate::value::hash::Limits;
use crate::value::set::Set;
use crate::value::sorted_set::SortedSet;

/// How sorted sets are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// What becomes of the result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use<'a> {
    Reply,
    Count,
    Store(&'a [u8]),
}

/// What becomes of the scores of a member in several sets.
#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn parse(args: &mut Args) -> Result<Aggregate, Error> {
        let choices = [("sum", Aggregate::Sum), ("min", Aggregate::Min), ("max", Aggregate::Max)];
        let chosen = choices.into_iter().find(|(word, _)| args.option(word));
        chosen.map(|(_, aggregate)| aggregate).ok_or(Error::SYNTAX)
    }

    fn apply(self, score: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum => number(score + other),
            Aggregate::Min if other < score => other,
            Aggregate::Max if other > score => other,
            Aggregate::Min | Aggregate::Max => score,
        }
    }
}

/// What is no number, as infinity times 0 and infinity less infinity, counts as 0.
fn number(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// A set that takes part; its members have the score 1 if it has none.
#[derive(Clone, Copy)]
enum Members<'a> {
    None,
    Set(&'a Set),
    SortedSet(&'a SortedSet),
}

impl Members<'_> {
    fn of(value: Option<&Value>) -> Result<Members<'_>, Error> {
        match value {
            None => Ok(Members::None),
            Some(Value::Set(set)) => Ok(Members::Set(set)),
            Some(Value::SortedSet(set)) => Ok(Members::SortedSet(set)),
            Some(_) => Err(Error::WRONG_TYPE),
        }
    }

    fn len(&self) -> usize {
        match self {
            Members::None => 0,
            Members::Set(set) => set.len(),
            Members::SortedSet(set) => set.len(),
        }
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Members::None => None,
            Members::Set(set) => set.contains(member).then_some(1.0),
            Members::SortedSet(set) => set.score(member),
        }
    }

    fn each(&self, take: &mut dyn FnMut(&[u8], f64)) {
        match self {
            Members::None => {}
            Members::Set(set) => set.members().iter().for_each(|member| take(member, 1.0)),
            Members::SortedSet(set) => {
                set.members().into_iter().for_each(|(member, score)| take(member, score));
            }
        }
    }
}

/// `ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]`
pub fn zunion(context: &mut Context, args: &mut Args) -> Answer {
    combine(context, args, Operation::Union, Use::Reply, "zunion")
}

/// `ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]`
pub fn zunionstore(context: &mut Context, args: &mut Args) -> Answer {
    let destination = Use::Store(args.key()?);
    combine(context, args, Operation::Union, destination, "zunionstore")
}

/// `ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]`
pub fn zinter(context: &mut Context, args: &mut Args) -> Answer {
    combine(context, args, Operation::Intersection, Use::Reply, "zinter")
}

/// `ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]`
pub fn zinterstore(context: &mut Context, args: &mut Args) -> Answer {
    let destination = Use::Store(args.key()?);
    combine(context, args, Operation::Intersection, destination, "zinterstore")
}

/// `ZINTERCARD numkeys key [key ...] [LIMIT limit]`
pub fn zintercard(context: &mut Context, args: &mut Args) -> Answer {
    combine(context, args, Operation::Intersection, Use::Count, "zintercard")
}

/// `ZDIFF numkeys key [key ...] [WITHSCORES]`
pub fn zdiff(context: &mut Context, args: &mut Args) -> Answer {
    combine(context, args, Operation::Difference, Use::Reply, "zdiff")
}

/// `ZDIFFSTORE destination numkeys key [key ...]`
pub fn zdiffstore(context: &mut Context, args: &mut Args) -> Answer {
    let destination = Use::Store(args.key()?);
    combine(context, args, Operation::Difference, destination, "zdiffstore")
}

fn combine(
    context: &mut Context,
    args: &mut Args,
    operation: Operation,
    used: Use,
    name: &str,
) -> Answer {
    let count = args.integer()?;
    if count < 1 {
        return Err(Error::no_input_key(name));
    }
    let keys = args.take(usize::try_from(count).unwrap_or(usize::MAX))?;
    for key in keys {
        Members::of(context.read_entry(key).map(|entry| &entry.value))?;
    }
    let (mut weights, mut aggregate) = (vec![1.0; keys.len()], Aggregate::Sum);
    let (mut with_scores, mut limit) = (false, 0);
    let may_weigh = operation != Operation::Difference && used != Use::Count;
    while !args.is_empty() {
        let left = args.remaining() - 1;
        if may_weigh && left >= keys.len() && args.option("weights") {
            for weight in &mut weights {
                *weight = args.float_or(Error::WEIGHT)?;
            }
        } else if may_weigh && left >= 1 && args.option("aggregate") {
            aggregate = Aggregate::parse(args)?;
        } else if used == Use::Reply && args.option("withscores") {
            with_scores = true;
        } else if used == Use::Count && left >= 1 && args.option("limit") {
            limit = args.count_or(Error::LIMIT_NEGATIVE)?;
        } else {
            return Err(Error::SYNTAX);
        }
    }
    // What has expired is gone: each key has been looked at.
    let entries = context.server.databases[context.database].entries();
    let mut sources = Vec::with_capacity(keys.len());
    for (key, weight) in keys.iter().zip(weights) {
        sources.push((Members::of(entries.get(key).map(|entry| &entry.value))?, weight));
    }
    if operation != Operation::Difference {
        // Scores are added in this order, which shows in their last digits.
        let length = |place: u32| sources[place as usize].0.len();
        let places = sorted_places(sources.len(), 0..sources.len(), &|one, other| {
            length(one).cmp(&length(other))
        });
        sources = places.into_iter().map(|place| sources[place as usize]).collect();
    }
    let mut result = SortedSet::skiplist();
    combined(&sources, operation, aggregate, &mut result);
    let length = result.len();
    Ok(match used {
        Use::Reply => members(&result.members(), with_scores, context.resp),
        Use::Count if limit == 0 => Reply::Integer(length as i64),
        Use::Count => Reply::Integer(length.min(limit) as i64),
        Use::Store(destination) => {
            result.pack(limits(context));
            store(context, destination, result, name)
        }
    })
}

/// Puts what comes of several sets into another one, a skiplist.
fn combined(
    sources: &[(Members, f64)],
    operation: Operation,
    aggregate: Aggregate,
    result: &mut SortedSet,
) {
    const LIMITS: Limits = Limits { entries: usize::MAX, value: usize::MAX };
    let Some(((first, weight), others)) = sources.split_first() else { return };
    first.each(&mut |member, score| {
        let mut sum = match operation {
            Operation::Difference => score,
            _ => number(score * weight),
        };
        for (other, weight) in others {
            match (operation, other.score(member)) {
                (Operation::Intersection, Some(score)) => {
                    sum = aggregate.apply(sum, score * weight);
                }
                (Operation::Intersection, None) | (Operation::Difference, Some(_)) => return,
                (Operation::Difference, None) | (Operation::Union, _) => {}
            }
        }
        result.set(member, sum, LIMITS);
    });
    if operation != Operation::Union {
        return;
    }
    for (other, weight) in others {
        other.each(&mut |member, score| {
            let score = number(score * weight);
            let sum = result.score(member).map_or(score, |old| aggregate.apply(old, score));
            result.set(member, sum, LIMITS);
        });
    }
}
