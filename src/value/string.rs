//! Defines the string value: bytes, or an integer kept as one.

use crate::number;
use std::borrow::Cow;

/// The longest text that is kept in one piece with its header.
const EMBEDDED: usize = 44;

/// A string. How it is kept shows in nothing but OBJECT ENCODING.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StringValue(Form);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Form {
    /// `int`: the shortest decimal form of a 64-bit integer.
    Integer(i64),
    /// The same of a copy, which Redis shares with no other key.
    OwnInteger(i64),
    /// `embstr`: short, and not changed since it was set.
    Embedded(Box<[u8]>),
    /// `raw`: long, or changed in place at some time.
    Raw(Vec<u8>),
}

impl Default for StringValue {
    fn default() -> Self {
        StringValue(Form::Embedded(Box::default()))
    }
}

impl From<i64> for StringValue {
    fn from(number: i64) -> Self {
        StringValue(Form::Integer(number))
    }
}

impl StringValue {
    /// A value as SET keeps it: an integer if the bytes read as one.
    pub fn new(bytes: &[u8]) -> StringValue {
        match number::parse_integer(bytes) {
            Some(number) => StringValue::from(number),
            None => StringValue::text(bytes),
        }
    }

    /// A value as INCRBYFLOAT keeps it: never as an integer.
    pub fn text(bytes: &[u8]) -> StringValue {
        if bytes.len() <= EMBEDDED {
            StringValue(Form::Embedded(bytes.into()))
        } else {
            StringValue::raw(bytes.to_vec())
        }
    }

    /// A value as SETRANGE, SETBIT or PFADD make it: to be changed in place.
    pub fn raw(bytes: Vec<u8>) -> StringValue {
        StringValue(Form::Raw(bytes))
    }

    /// The bytes, whatever form they are kept in.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.0 {
            Form::Integer(number) | Form::OwnInteger(number) => {
                Cow::Owned(number.to_string().into_bytes())
            }
            Form::Embedded(bytes) => Cow::Borrowed(bytes),
            Form::Raw(bytes) => Cow::Borrowed(bytes),
        }
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Integer(_) | Form::OwnInteger(_) => self.bytes().len(),
            Form::Embedded(bytes) => bytes.len(),
            Form::Raw(bytes) => bytes.len(),
        }
    }

    /// No bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The integer that the bytes read as, if they do.
    pub fn as_integer(&self) -> Option<i64> {
        match &self.0 {
            Form::Integer(number) | Form::OwnInteger(number) => Some(*number),
            Form::Embedded(bytes) => number::parse_integer(bytes),
            Form::Raw(bytes) => number::parse_integer(bytes),
        }
    }

    /// Whether it is an integer from 0 to 9999 that Redis shares among all keys.
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Form::Integer(0..10000))
    }

    /// Makes it a copy of its own, as COPY does.
    pub fn unshare(&mut self) {
        if let Form::Integer(number) = self.0 {
            self.0 = Form::OwnInteger(number);
        }
    }

    /// The bytes to change in place, which makes the value `raw` for good.
    pub fn make_raw(&mut self) -> &mut Vec<u8> {
        if !matches!(self.0, Form::Raw(_)) {
            self.0 = Form::Raw(self.bytes().into_owned());
        }
        match &mut self.0 {
            Form::Raw(bytes) => bytes,
            _ => unreachable!("it has just been made raw"),
        }
    }

    /// The same, with zeros behind them if they are less than `length`, and whether they were.
    pub fn lengthen(&mut self, length: usize) -> (&mut Vec<u8>, bool) {
        let bytes = self.make_raw();
        let is_short = bytes.len() < length;
        if is_short && bytes.is_empty() {
            // The system has zeros ready, and keeps those that nobody looks at to itself.
            *bytes = vec![0; length];
        } else if is_short {
            bytes.resize(length, 0);
        }
        (bytes, is_short)
    }

    /// What OBJECT ENCODING prints.
    pub fn encoding(&self) -> &'static str {
        match self.0 {
            Form::Integer(_) | Form::OwnInteger(_) => "int",
            Form::Embedded(_) => "embstr",
            Form::Raw(_) => "raw",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::random::Random;

    fn check(bytes: &str, expected: &str) {
        let value = StringValue::new(bytes.as_bytes());
        assert_eq!(value.encoding(), expected, "{bytes}");
        assert_eq!(value.bytes(), bytes.as_bytes());
        assert_eq!(value.len(), bytes.len());
    }

    #[test]
    fn encodings() {
        check("", "embstr");
        check("0", "int");
        check("-0", "embstr");
        check("007", "embstr");
        check("+7", "embstr");
        check(" 7", "embstr");
        check("-9223372036854775808", "int");
        check("9223372036854775807", "int");
        check("9223372036854775808", "embstr");
        check("12345678901234567890", "embstr");
        check(&"a".repeat(44), "embstr");
        check(&"a".repeat(45), "raw");
    }

    #[test]
    fn a_change_in_place_makes_it_raw() {
        let mut value = StringValue::from(12);
        value.make_raw().push(b'3');
        assert_eq!((value.encoding(), value.as_integer()), ("raw", Some(123)));
    }

    #[test]
    fn it_does_what_plain_bytes_do() {
        const PIECES: [&[u8]; 7] =
            [b"", b"0", b"-", b"12", b" ", b"9223372036854775807", &[b'a'; 23]];
        let mut random = Random::new(5);
        for _ in 0..2000 {
            let mut value = StringValue::default();
            let (mut model, mut is_raw) = (Vec::new(), false);
            for _ in 0..6 {
                let piece = PIECES[random.below(PIECES.len() as u64) as usize];
                match random.below(5) {
                    0 => {
                        value = StringValue::new(piece);
                        (model, is_raw) = (piece.to_vec(), false);
                    }
                    1 => {
                        let number = random.next() as i64;
                        value = StringValue::from(number);
                        (model, is_raw) = (number.to_string().into_bytes(), false);
                    }
                    2 => value.unshare(),
                    3 => {
                        value = StringValue::new(&model);
                        is_raw = false;
                    }
                    _ => {
                        value.make_raw().extend_from_slice(piece);
                        model.extend_from_slice(piece);
                        is_raw = true;
                    }
                }
                let text = std::str::from_utf8(&model).expect("all pieces are ASCII");
                // The shortest decimal form, and no other.
                let number = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
                assert_eq!(value.bytes(), model);
                assert_eq!((value.len(), value.is_empty()), (model.len(), model.is_empty()));
                assert_eq!(value.as_integer(), number, "{text}");
                let is_int = number.is_some() && !is_raw;
                let short = if model.len() <= EMBEDDED { "embstr" } else { "raw" };
                let expected = if is_int {
                    "int"
                } else if is_raw {
                    "raw"
                } else {
                    short
                };
                assert_eq!(value.encoding(), expected, "{text}");
                assert!(
                    !value.is_shared() || is_int && number.is_some_and(|n| (0..10000).contains(&n))
                );
            }
        }
    }
}
