//! Defines the ID of a stream's entry.

use crate::number::{self, c_string};

/// Milliseconds since the epoch in the upper half, and a sequence number in the lower: IDs are in the order of these
/// numbers, and of their bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Id(pub u128);

/// A longer text is no ID.
const LONGEST: usize = 127;

impl Id {
    /// `0-0`, which no entry has.
    pub const MIN: Id = Id(0);
    /// The last ID that there is.
    pub const MAX: Id = Id(u128::MAX);

    /// The ID of these two numbers.
    pub fn new(milliseconds: u64, sequence: u64) -> Id {
        Id(u128::from(milliseconds) << 64 | u128::from(sequence))
    }

    /// Its time.
    pub fn milliseconds(self) -> u64 {
        (self.0 >> 64) as u64
    }

    /// Its number among those of the same millisecond.
    pub fn sequence(self) -> u64 {
        self.0 as u64
    }

    /// The ID behind it.
    pub fn next(self) -> Option<Id> {
        self.0.checked_add(1).map(Id)
    }

    /// The ID before it.
    pub fn previous(self) -> Option<Id> {
        self.0.checked_sub(1).map(Id)
    }

    /// Reads `ms-seq`, or `ms`, whose sequence number is then the one given.
    pub fn parse(text: &[u8], missing: u64) -> Option<Id> {
        let (milliseconds, sequence) = halves(text)?;
        let sequence = sequence.map_or(Some(missing), number::parse_unsigned)?;
        Some(Id::new(milliseconds, sequence))
    }

    /// Reads `ms-*`: the milliseconds of an ID whose sequence number is still to be found.
    pub fn parse_open(text: &[u8]) -> Option<u64> {
        let (milliseconds, sequence) = halves(text)?;
        (sequence == Some(b"*")).then_some(milliseconds)
    }

    /// As Redis prints it.
    pub fn text(self) -> Vec<u8> {
        [self.milliseconds().to_string(), self.sequence().to_string()].join("-").into_bytes()
    }
}

/// The milliseconds, and the text of the sequence number if there is one.
fn halves(text: &[u8]) -> Option<(u64, Option<&[u8]>)> {
    if text.len() > LONGEST {
        return None;
    }
    let mut halves = c_string(text).splitn(2, |&byte| byte == b'-');
    Some((number::parse_unsigned(halves.next()?)?, halves.next()))
}

#[cfg(test)]
mod tests {
    use super::Id;

    /// What is read, printed; `-` for no ID.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let id = Id::parse(text.as_bytes(), 7);
        assert_eq!(id.map_or(b"-".to_vec(), Id::text), expected.as_bytes(), "{text:?}");
    }

    #[test]
    fn texts() {
        check("1-2", "1-2");
        check("1", "1-7");
        check(
            "18446744073709551615-18446744073709551615",
            "18446744073709551615-18446744073709551615",
        );
        check("18446744073709551616-0", "-");
        check(" 1-\t+02", "1-2");
        check("1--5", "-");
        check("1- -5", "1-18446744073709551611");
        check("1-2\0x", "1-2");
        check("", "-");
        check("-", "-");
        check("1-", "-");
        check("1-2-3", "-");
        check("1-*", "-");
        assert_eq!(Id::parse_open(b"5-*"), Some(5));
        assert_eq!(Id::parse_open(b"5-**"), None);
        assert_eq!(Id::parse_open(b"5"), None);
    }

    #[test]
    fn neighbours() {
        assert_eq!(Id::new(1, u64::MAX).next(), Some(Id::new(2, 0)));
        assert_eq!(Id::new(2, 0).previous(), Some(Id::new(1, u64::MAX)));
        assert_eq!((Id::MAX.next(), Id::MIN.previous()), (None, None));
    }
}
