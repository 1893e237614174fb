//! Runs LCS: the longest common subsequence of two strings.

use crate::command::Answer;
use crate::command::args::Args;
use crate::error::Error;
use crate::resp::Reply;
use crate::server::Context;
use crate::value::string::StringValue;

/// A stretch that both strings have in common: first position in each, and length.
struct Match {
    first: [usize; 2],
    length: usize,
}

pub fn lcs(context: &mut Context, args: &mut Args) -> Answer {
    let (first, second) = (args.key()?, args.key()?);
    // The types are looked at before the options.
    let mut read = |key| match context.read::<StringValue>(key) {
        Ok(value) => Ok(value.map(|value| value.bytes().into_owned()).unwrap_or_default()),
        Err(_) => Err(Error::LCS_NOT_STRINGS),
    };
    let (first, second) = (read(first), read(second));
    let (first, second) = (first?, second?);
    let (mut idx, mut len, mut with_match_len, mut min_match_len) = (false, false, false, 0);
    while !args.is_empty() {
        if args.option("IDX") {
            idx = true;
        } else if args.option("LEN") {
            len = true;
        } else if args.option("WITHMATCHLEN") {
            with_match_len = true;
        } else if args.remaining() >= 2 && args.option("MINMATCHLEN") {
            min_match_len = usize::try_from(args.integer()?.max(0)).unwrap_or(usize::MAX);
        } else {
            return Err(Error::SYNTAX);
        }
    }
    if idx && len {
        return Err(Error::LCS_LEN_AND_IDX);
    }
    // Redis keeps a table of four bytes for each pair of prefixes, and counts those.
    let pairs = (first.len() as u64 + 1).checked_mul(second.len() as u64 + 1);
    let limit = context.server.config.active.proto_max_bulk_len;
    if pairs.and_then(|pairs| pairs.checked_mul(4)).is_none_or(|bytes| bytes > limit) {
        return Err(Error::LCS_OVER_LIMIT);
    }
    let (common, matches) = longest_common(&first, &second);
    if len {
        return Ok(Reply::Integer(common.len() as i64));
    }
    if !idx {
        return Ok(Reply::Bulk(common));
    }
    let matches = matches.into_iter().filter(|found| found.length >= min_match_len).map(|found| {
        let range = |first: usize| {
            let last = first + found.length - 1;
            Reply::Array(vec![Reply::Integer(first as i64), Reply::Integer(last as i64)])
        };
        let mut items: Vec<Reply> = found.first.into_iter().map(range).collect();
        if with_match_len {
            items.push(Reply::Integer(found.length as i64));
        }
        Reply::Array(items)
    });
    Ok(Reply::Map(vec![
        (Reply::bulk("matches"), Reply::Array(matches.collect())),
        (Reply::bulk("len"), Reply::Integer(common.len() as i64)),
    ]))
}

/// The subsequence, and its unbroken stretches from the last to the first.
///
/// Of several longest ones Redis takes that which one finds from the ends: past equal bytes in both strings, else
/// back in the first where that loses nothing and going back in the second would, else back in the second.
fn longest_common(first: &[u8], second: &[u8]) -> (Vec<u8>, Vec<Match>) {
    let width = second.len();
    // One bit for each pair of prefixes that end in different bytes: whether to go back in the first string.
    let mut back_in_first = vec![0u64; (first.len() * width).div_ceil(64)];
    let mut above = vec![0u32; width + 1];
    let mut row = above.clone();
    for (i, byte) in first.iter().enumerate() {
        for (j, other) in second.iter().enumerate() {
            row[j + 1] = if byte == other {
                above[j] + 1
            } else {
                let at = i * width + j;
                back_in_first[at / 64] |= u64::from(above[j + 1] > row[j]) << (at % 64);
                above[j + 1].max(row[j])
            };
        }
        std::mem::swap(&mut above, &mut row);
    }

    let (mut common, mut matches) = (Vec::new(), Vec::new());
    let mut current: Option<Match> = None;
    let (mut i, mut j) = (first.len(), width);
    while i > 0 && j > 0 {
        if first[i - 1] == second[j - 1] {
            common.push(first[i - 1]);
            i -= 1;
            j -= 1;
            let length = current.map_or(1, |found| found.length + 1);
            current = Some(Match { first: [i, j], length });
            continue;
        }
        matches.extend(current.take());
        let at = (i - 1) * width + j - 1;
        if back_in_first[at / 64] >> (at % 64) & 1 == 1 {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    matches.extend(current);
    common.reverse();
    (common, matches)
}
