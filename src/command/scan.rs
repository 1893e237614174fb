//! Reads what the commands of the SCAN family have in common: cursor and options.

use super::args::Args;
use crate::error::Error;
use crate::glob;
use crate::number::{self, c_string};
use crate::resp::Reply;

/// The options behind a cursor.
pub struct Options<'a> {
    /// About how many elements a call looks at.
    pub count: usize,
    /// The type of keys to return; SCAN only.
    pub kind: Option<&'a [u8]>,
    /// None takes everything.
    pattern: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    /// Reads all that is left; TYPE is known to SCAN only, which has `keys`.
    pub fn parse(args: &mut Args<'a>, keys: bool) -> Result<Options<'a>, Error> {
        let mut options = Options { count: 10, kind: None, pattern: None };
        while !args.is_empty() {
            if args.remaining() < 2 {
                return Err(Error::SYNTAX);
            }
            if args.option("count") {
                let count = args.integer()?;
                if count < 1 {
                    return Err(Error::SYNTAX);
                }
                options.count = usize::try_from(count).unwrap_or(usize::MAX);
            } else if args.option("match") {
                // A lone star takes every name, the empty one too.
                options.pattern = Some(args.bytes()?).filter(|pattern| *pattern != b"*");
            } else if keys && args.option("type") {
                options.kind = Some(args.bytes()?);
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(options)
    }

    /// Whether MATCH lets the name through.
    pub fn accepts(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name, false))
    }
}

/// A cursor, read as C's `strtoul` does, but that a space before it is refused.
pub fn cursor(text: &[u8]) -> Result<u64, Error> {
    // C's text ends at a NUL byte.
    let text = c_string(text);
    match text {
        [] => Ok(0),
        [b' ' | b'\t'..=b'\r', ..] => Err(Error::INVALID_CURSOR),
        text => number::strtoull(text).ok_or(Error::INVALID_CURSOR),
    }
}

/// The cursor to go on with, and what was found.
pub fn reply(next: u64, found: Vec<Reply>) -> Reply {
    Reply::Array(vec![Reply::bulk(next.to_string()), Reply::Array(found)])
}
