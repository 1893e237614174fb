//! Defines the cursor over a command's arguments, whose failures are Redis's own errors.

use crate::error::Error;
use crate::keyspace::Millis;
use crate::long_double::LongDouble;
use crate::number;

/// A cursor over the arguments behind the command's name.
#[derive(Clone)]
pub struct Args<'a> {
    argv: &'a [Vec<u8>],
    next: usize,
}

impl<'a> Args<'a> {
    /// A cursor at `argv[next]`; `argv[0]` is the name.
    pub fn new(argv: &'a [Vec<u8>], next: usize) -> Args<'a> {
        Args { argv, next }
    }

    /// Arguments that are left.
    pub fn remaining(&self) -> usize {
        self.argv.len().saturating_sub(self.next)
    }

    /// Nothing is left.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// The next argument, left in place.
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.argv.get(self.next).map(Vec::as_slice)
    }

    /// The next argument as it is; a syntax error if there is none.
    pub fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let bytes = self.peek().ok_or(Error::SYNTAX)?;
        self.next += 1;
        Ok(bytes)
    }

    /// The next argument as a key.
    pub fn key(&mut self) -> Result<&'a [u8], Error> {
        self.bytes()
    }

    /// The next argument as a 64-bit integer in Redis's strict form.
    pub fn integer(&mut self) -> Result<i64, Error> {
        self.integer_or(Error::NOT_INTEGER)
    }

    /// The next argument as a 64-bit integer, or the given error.
    pub fn integer_or(&mut self, error: Error) -> Result<i64, Error> {
        number::parse_integer(self.bytes()?).ok_or(error)
    }

    /// The next argument as a number of things, which may be none, or the given error.
    pub fn count_or(&mut self, error: Error) -> Result<usize, Error> {
        let number = number::parse_integer(self.bytes()?);
        number.and_then(|number| usize::try_from(number).ok()).ok_or(error)
    }

    /// The same of one thing at least.
    pub fn positive_or(&mut self, error: Error) -> Result<usize, Error> {
        match self.count_or(error.clone())? {
            0 => Err(error),
            count => Ok(count),
        }
    }

    /// The next argument as a 32-bit integer.
    pub fn int(&mut self) -> Result<i32, Error> {
        i32::try_from(self.integer()?).map_err(|_| Error::INT_OUT_OF_RANGE)
    }

    /// The next argument as a double.
    pub fn float(&mut self) -> Result<f64, Error> {
        self.float_or(Error::NOT_FLOAT)
    }

    /// The next argument as a double, or the given error.
    pub fn float_or(&mut self, error: Error) -> Result<f64, Error> {
        number::parse_double(self.bytes()?).ok_or(error)
    }

    /// Takes the next argument if it is this word, in any case.
    pub fn option(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
        self.next += usize::from(found);
        found
    }

    /// So many arguments; a syntax error if there are fewer.
    pub fn take(&mut self, count: usize) -> Result<&'a [Vec<u8>], Error> {
        let end = self.next.saturating_add(count);
        let taken = self.argv.get(self.next..end).ok_or(Error::SYNTAX)?;
        self.next = end;
        Ok(taken)
    }

    /// The next argument as the seconds that a command waits: until when it does, in milliseconds since the epoch; `None`
    /// for ever. What does not fit 64 bits has become negative, as in C.
    pub fn timeout(&mut self, now: Millis) -> Result<Option<Millis>, Error> {
        let seconds = LongDouble::parse(self.bytes()?).ok_or(Error::TIMEOUT_NOT_FLOAT)?;
        let wait = seconds.ceil_milli().filter(|wait| *wait >= 0).ok_or(Error::TIMEOUT_NEGATIVE)?;
        Ok((wait > 0).then(|| wait.saturating_add(now)))
    }

    /// What commands like LMPOP take: how many keys, the keys, one of two words (whether it is the second), and COUNT with a
    /// number, which is 1 otherwise.
    pub fn keys_and_end(&mut self, ends: [&str; 2]) -> Result<(&'a [Vec<u8>], bool, usize), Error> {
        let count = self.positive_or(Error::NUMKEYS_NOT_POSITIVE)?;
        if count >= self.remaining() {
            return Err(Error::SYNTAX);
        }
        let keys = self.take(count)?;
        let is_second = !self.option(ends[0]);
        if is_second && !self.option(ends[1]) {
            return Err(Error::SYNTAX);
        }
        let mut count = None;
        while !self.is_empty() {
            if count.is_some() || self.remaining() < 2 || !self.option("count") {
                return Err(Error::SYNTAX);
            }
            count = Some(self.positive_or(Error::COUNT_NOT_POSITIVE)?);
        }
        Ok((keys, is_second, count.unwrap_or(1)))
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [Vec<u8>] {
        let rest = self.argv.get(self.next..).unwrap_or_default();
        self.next = self.argv.len();
        rest
    }

    /// Everything that is left, two by two; the arity error of the command of this name if one is left over.
    pub fn pairs(&mut self, name: &str) -> Result<Vec<(&'a [u8], &'a [u8])>, Error> {
        let (pairs, []) = self.rest().as_chunks::<2>() else {
            return Err(Error::wrong_arity(name));
        };
        Ok(pairs.iter().map(|[first, second]| (first.as_slice(), second.as_slice())).collect())
    }

    /// The whole command, its name first.
    pub fn argv(&self) -> &'a [Vec<u8>] {
        self.argv
    }

    /// A syntax error if anything is left.
    pub fn end(&self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(Error::SYNTAX) }
    }
}
