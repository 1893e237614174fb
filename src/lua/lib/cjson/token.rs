//! Defines the tokens of JSON text, each of which may be read in pieces.

use super::NULL;
use crate::machine::{Fault, Machine};
use crate::number::{parse_number, short_decimal};
use crate::value::{Str, Value};

/// A piece of the text.
#[derive(Clone, Copy)]
pub(super) enum Token<'gc> {
    Value(Value<'gc>),
    /// One byte that is a token by itself; 0 for the end.
    Mark(u8),
    /// None, and what is wrong.
    Invalid(&'static str),
    /// Fuel is spent before its end.
    Unfinished,
}

impl Token<'_> {
    /// Its name in errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Token::Value(Value::String(_)) => "T_STRING",
            Token::Value(Value::Number(_)) => "T_NUMBER",
            Token::Value(Value::Boolean(_)) => "T_BOOLEAN",
            Token::Value(_) => "T_NULL",
            Token::Mark(b'{') => "T_OBJ_BEGIN",
            Token::Mark(b'}') => "T_OBJ_END",
            Token::Mark(b'[') => "T_ARR_BEGIN",
            Token::Mark(b']') => "T_ARR_END",
            Token::Mark(b':') => "T_COLON",
            Token::Mark(b',') => "T_COMMA",
            Token::Mark(_) | Token::Unfinished => "T_END",
            Token::Invalid(error) => error,
        }
    }
}

/// Where reading is.
pub(super) struct Tokens {
    /// Numbers that JSON does not have are read: hexadecimal ones, infinity, NaN.
    allow_invalid: bool,
    /// Where the next token starts, or the white space before it.
    at: usize,
    /// Up to where that token has been read, if fuel was spent within it.
    read: usize,
    /// Where the last token started, or where in it the error is.
    pub(super) start: usize,
    /// A string that has escapes, while it is read.
    buffer: Vec<u8>,
    /// How much of the buffer is that string; none if it has had no escape so far.
    unescaped: Option<usize>,
    /// The digits of a number that are read; the first ones between numbers.
    part: Part,
}

/// Digits of a number.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// Those before a point.
    Whole,
    /// Those behind it.
    Fraction,
    Exponent,
}

/// Bytes of white space or of a token that are read for [`PIECE_FUEL`]. The last ones, which are fewer, are free.
const PIECE: usize = 128;
const PIECE_FUEL: i64 = 4;

const UNEXPECTED_END: &str = "unexpected end of string";
const INVALID_ESCAPE: &str = "invalid escape code";
const INVALID_NUMBER: &str = "invalid number";
/// From this length on memory is asked for before a string is made.
const LONG_STRING: usize = 1 << 12;

impl Tokens {
    /// At the start of a text.
    pub(super) fn new(allow_invalid: bool) -> Tokens {
        Tokens {
            allow_invalid,
            at: 0,
            read: 0,
            start: 0,
            buffer: Vec::new(),
            unescaped: None,
            part: Part::Whole,
        }
    }

    /// Whether this byte is next, which is a token: it is read then.
    pub(super) fn skip(&mut self, text: &[u8], mark: u8) -> bool {
        let is_next = text.get(self.at) == Some(&mark);
        self.at += usize::from(is_next);
        is_next
    }

    /// The next token, which may be unfinished.
    #[inline]
    pub(super) fn next<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        text: &[u8],
    ) -> std::result::Result<Token<'gc>, Fault<'gc>> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(self.at) {
            self.at += 1;
            if self.at.is_multiple_of(PIECE) && !pay(machine) {
                return Ok(Token::Unfinished);
            }
        }
        self.start = self.at;
        let rest = text.get(self.at..).unwrap_or_default();
        let (token, length) = match rest {
            // The text ends at a NUL, too.
            [] => (Token::Mark(0), 0),
            [mark @ (0 | b'{' | b'}' | b'[' | b']' | b':' | b','), ..] => (Token::Mark(*mark), 1),
            [b'"', ..] => return self.string(machine, text),
            [b'-' | b'0'..=b'9', ..] if self.allow_invalid || !is_not_json(rest) => {
                return Ok(self.number(machine, rest));
            }
            [b'-' | b'0'..=b'9', ..] => (Token::Invalid(INVALID_NUMBER), 0),
            [b't', b'r', b'u', b'e', ..] => (Token::Value(Value::Boolean(true)), 4),
            [b'f', b'a', b'l', b's', b'e', ..] => (Token::Value(Value::Boolean(false)), 5),
            [b'n', b'u', b'l', b'l', ..] => (Token::Value(Value::Userdata(NULL)), 4),
            _ if self.allow_invalid && is_not_json(rest) => return Ok(self.number(machine, rest)),
            _ => (Token::Invalid("invalid token"), 0),
        };
        self.at += length;
        Ok(token)
    }

    /// A string, whose quote is next.
    fn string<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        text: &[u8],
    ) -> std::result::Result<Token<'gc>, Fault<'gc>> {
        let start = self.at + 1;
        let mut read = self.read.max(start);
        let error = loop {
            let piece = piece(text, read);
            let end = read + piece.len();
            if self.unescaped.is_none() {
                let plain = piece.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0));
                read += plain.unwrap_or(piece.len());
                if let Some(b'\\') = text.get(read) {
                    self.buffer.clear();
                    self.buffer.extend_from_slice(&text[start..read]);
                    self.unescaped = Some(read - start);
                }
            }
            if let Some(length) = self.unescaped {
                match self.unescape(text, &mut read, end, length) {
                    Ok(length) => self.unescaped = Some(length),
                    Err(error) => break Some(error),
                }
            }
            match text.get(read) {
                Some(b'"') => break None,
                None | Some(0) => break Some(UNEXPECTED_END),
                Some(_) => {}
            }
            if !pay(machine) {
                self.read = read;
                return Ok(Token::Unfinished);
            }
        };
        if let Some(error) = error {
            self.start = read;
            return Ok(Token::Invalid(error));
        }
        let bytes = match self.unescaped.take() {
            Some(length) => &self.buffer[..length],
            None => &text[start..read],
        };
        self.at = read + 1;
        if bytes.len() >= LONG_STRING {
            machine.check_memory(bytes.len() * 2)?;
        }
        Ok(Token::Value(Value::String(Str::new(machine.mc, bytes))))
    }

    /// Reads on in a string that has had an escape, up to this end or the string's. What it stands for goes into the
    /// buffer, behind so much; how much is there then.
    fn unescape(
        &mut self,
        text: &[u8],
        read: &mut usize,
        end: usize,
        mut length: usize,
    ) -> std::result::Result<usize, &'static str> {
        // No escape is shorter than what it stands for. The last one may end behind the piece.
        let most = length + PIECE + 4;
        if self.buffer.len() < most {
            self.buffer.resize(most.max(length * 2), 0);
        }
        while *read < end {
            let rest = text.get(*read..).unwrap_or_default();
            let (byte, size) = match rest {
                [] | [b'"' | 0, ..] => break,
                [b'\\', b'u', ..] => {
                    let (code, size) = code_point(rest).ok_or("invalid unicode escape code")?;
                    length += code.encode_utf8(&mut self.buffer[length..]).len();
                    *read += size;
                    continue;
                }
                [b'\\', letter, ..] => match letter {
                    b'"' | b'\\' | b'/' => (*letter, 2),
                    b'b' => (b'\x08', 2),
                    b't' => (b'\t', 2),
                    b'n' => (b'\n', 2),
                    b'f' => (b'\x0c', 2),
                    b'r' => (b'\r', 2),
                    _ => return Err(INVALID_ESCAPE),
                },
                [b'\\'] => return Err(INVALID_ESCAPE),
                [byte, ..] => (*byte, 1),
            };
            self.buffer[length] = byte;
            length += 1;
            *read += size;
        }
        Ok(length)
    }

    /// As much of a number as `strtod` reads, at the start of a text.
    fn number<'gc>(&mut self, machine: &mut Machine<'_, 'gc>, text: &[u8]) -> Token<'gc> {
        let sign = usize::from(matches!(text, [b'+' | b'-', ..]));
        let unsigned = text.get(sign..).unwrap_or_default();
        if let Some((number, length)) = short_decimal(unsigned) {
            self.at += sign + length;
            return Token::Value(Value::Number(if text[0] == b'-' { -number } else { number }));
        }
        let Some(length) = self.number_length(machine, unsigned, sign) else {
            return Token::Unfinished;
        };
        // Three letters say what a word means, whatever is behind them.
        let is_word = unsigned.first().is_some_and(u8::is_ascii_alphabetic);
        let meaning = if is_word { length.min(3) } else { length };
        let number = text.get(..sign + meaning).filter(|_| length > 0).and_then(parse_number);
        let Some(number) = number else { return Token::Invalid(INVALID_NUMBER) };
        self.at += sign + length;
        Token::Value(Value::Number(number))
    }

    /// How much `strtod` reads behind a sign; 0 if that is no number. None if fuel is spent before its end.
    fn number_length(
        &mut self,
        machine: &mut Machine<'_, '_>,
        text: &[u8],
        sign: usize,
    ) -> Option<usize> {
        let (prefix, is_digit, mark): (usize, fn(&u8) -> bool, _) = match text {
            [b'0', b'x' | b'X', rest @ ..] if is_mantissa(rest, u8::is_ascii_hexdigit) => {
                (2, u8::is_ascii_hexdigit, Some(b'p'))
            }
            _ if is_mantissa(text, u8::is_ascii_digit) => (0, u8::is_ascii_digit, Some(b'e')),
            _ if starts_with(text, b"nan(") => {
                (4, |byte| byte.is_ascii_alphanumeric() || *byte == b'_', None)
            }
            _ if starts_with(text, b"infinity") => return Some(8),
            _ if starts_with(text, b"inf") || starts_with(text, b"nan") => return Some(3),
            _ => return Some(0),
        };
        let start = self.at + sign;
        let mut read = self.read.max(start + prefix) - start;
        loop {
            let is_digit = if self.part == Part::Exponent { u8::is_ascii_digit } else { is_digit };
            let digits = piece(text, read).iter().take_while(|byte| is_digit(byte)).count();
            read += digits;
            if digits == PIECE {
                if pay(machine) {
                    continue;
                }
                self.read = start + read;
                return None;
            }
            let size = match (self.part, text.get(read..).unwrap_or_default()) {
                (Part::Whole, [b'.', ..]) if mark.is_some() => {
                    self.part = Part::Fraction;
                    1
                }
                (Part::Whole | Part::Fraction, [letter, rest @ ..])
                    if mark == Some(letter.to_ascii_lowercase()) =>
                {
                    let size = 1 + usize::from(matches!(rest, [b'+' | b'-', ..]));
                    if !rest.get(size - 1).is_some_and(u8::is_ascii_digit) {
                        break;
                    }
                    self.part = Part::Exponent;
                    size
                }
                _ => break,
            };
            read += size;
        }
        self.part = Part::Whole;
        match text.get(read) {
            _ if mark.is_some() => Some(read),
            Some(b')') => Some(read + 1),
            _ => Some(3),
        }
    }
}

/// So much of a text as is read at once.
#[inline]
fn piece(text: &[u8], at: usize) -> &[u8] {
    let rest = text.get(at..).unwrap_or_default();
    rest.get(..PIECE).unwrap_or(rest)
}

/// Pays for a piece. Whether there is fuel for more.
fn pay(machine: &mut Machine<'_, '_>) -> bool {
    machine.fuel -= PIECE_FUEL;
    machine.fuel > 0
}

/// The character of `\uXXXX`, or of two of them that are surrogates, and their length.
fn code_point(text: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| -> Option<u32> {
        let [b'\\', b'u', digits @ ..] = text.get(at..at + 6)? else { return None };
        digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
    };
    let first = unit(0)?;
    if !(0xd800..0xdc00).contains(&first) {
        // The second of two surrogates cannot stand alone.
        return Some((char::from_u32(first)?, 6));
    }
    let second = unit(6)?;
    if !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    let code = 0x10000 + ((first & 0x3ff) << 10 | (second & 0x3ff));
    Some((char::from_u32(code)?, 12))
}

/// Whether this starts like a number that `strtod` reads and JSON does not have.
fn is_not_json(text: &[u8]) -> bool {
    let unsigned = match text {
        [b'+', ..] => return true,
        [b'-', rest @ ..] => rest,
        rest => rest,
    };
    match unsigned {
        [b'0', b'x' | b'X' | b'0'..=b'9', ..] => true,
        [first, second, third, ..] => {
            let word = [*first, *second, *third];
            word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"nan")
        }
        _ => false,
    }
}

/// Whether this starts with a digit, or with a point and a digit.
fn is_mantissa(text: &[u8], is_digit: fn(&u8) -> bool) -> bool {
    text.strip_prefix(b".").unwrap_or(text).first().is_some_and(is_digit)
}

/// Whether this starts with a word, in any case.
fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}
