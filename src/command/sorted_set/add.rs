//! Defines ZADD and ZINCRBY.

use super::super::Answer;
use super::super::args::Args;
use super::{changed, limits};
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Context;
use crate::value::sorted_set::SortedSet;

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]`
pub fn zadd(context: &mut Context, args: &mut Args) -> Answer {
    add(context, args, false)
}

/// ZINCRBY key increment member
pub fn zincrby(context: &mut Context, args: &mut Args) -> Answer {
    add(context, args, true)
}

fn add(context: &mut Context, args: &mut Args, mut increments: bool) -> Answer {
    let key = args.key()?;
    let (mut nx, mut xx, mut gt, mut lt, mut ch) = (false, false, false, false, false);
    // ZINCRBY takes an increment for an option as well, if it reads like one.
    loop {
        let options = [
            ("nx", &mut nx),
            ("xx", &mut xx),
            ("gt", &mut gt),
            ("lt", &mut lt),
            ("ch", &mut ch),
            ("incr", &mut increments),
        ];
        let Some((_, chosen)) = options.into_iter().find(|(word, _)| args.option(word)) else {
            break;
        };
        *chosen = true;
    }
    let (pairs, []) = args.rest().as_chunks::<2>() else { return Err(Error::SYNTAX) };
    if pairs.is_empty() {
        return Err(Error::SYNTAX);
    }
    if nx && xx {
        return Err(Error::XX_WITH_NX);
    }
    if nx && (gt || lt) || gt && lt {
        return Err(Error::GT_LT_WITH_NX);
    }
    if increments && pairs.len() > 1 {
        return Err(Error::ONE_INCREMENT);
    }
    let scores = pairs.iter().map(|pair| Args::new(pair, 0).float());
    let scores = scores.collect::<Result<Vec<f64>, Error>>()?;
    let limits = limits(context);
    let (mut added, mut updated, mut reached) = (0, 0, None);
    // Without XX a key that is not there gets a member in any case.
    if !xx || context.write::<SortedSet>(key)?.is_some() {
        let set = context.create::<SortedSet>(key)?;
        for ([_, member], score) in pairs.iter().zip(scores) {
            let old = set.score(member);
            if if old.is_some() { nx } else { xx } {
                continue;
            }
            let score = score + old.filter(|_| increments).unwrap_or(-0.0);
            if score.is_nan() {
                return Err(Error::SCORE_NAN);
            }
            if old.is_some_and(|old| lt && score >= old || gt && score <= old) {
                continue;
            }
            reached = Some(score);
            if old != Some(score) {
                set.set(member, score, limits);
                *(if old.is_some() { &mut updated } else { &mut added }) += 1;
            }
        }
    }
    changed(context, key, added + updated, if increments { "zincr" } else { "zadd" });
    Ok(if increments {
        reached.map_or(Reply::Null, Reply::Double)
    } else {
        Reply::Integer((added + if ch { updated } else { 0 }) as i64)
    })
}
