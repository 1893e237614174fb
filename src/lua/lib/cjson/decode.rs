//! Defines `cjson.decode`: JSON text as a value.

use super::{MAX_SLOTS, NULL, Setting, check_single, settings};
use crate::lib::base::Result;
use crate::machine::{Arguments, Continue, Fault, Flow, Machine, Outcome};
use crate::number::{parse_number, short_decimal};
use crate::value::{Str, Value};

/// `cjson.decode(text)`.
pub(super) fn decode<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    check_single(machine, arguments)?;
    let text = machine.check_string(arguments, 1)?;
    machine.set_slot(arguments.base, Value::String(text));
    if let [first, second, ..] = text.bytes()
        && (*first == 0 || *second == 0)
    {
        return Err(machine.error("JSON parser does not support UTF-16 or UTF-32"));
    }
    let settings = settings(machine, arguments);
    let decoding = Box::new(Decoding {
        max_depth: settings[Setting::DecodeMaxDepth as usize] as usize,
        allow_invalid: settings[Setting::DecodeInvalid as usize] != 0,
        at: 0,
        start: 0,
        levels: Vec::with_capacity(8),
        slots: 0,
        buffer: Vec::new(),
    });
    decoding.resume(machine, arguments, Outcome::Resumed)
}

/// Decoding at work, whenever it rests in front of a value. The tables that are open lie behind the argument, each with
/// the key whose value is read; an array that is short has no table before it ends.
struct Decoding {
    max_depth: usize,
    /// Numbers that JSON does not have are read: hexadecimal ones, infinity, NaN.
    allow_invalid: bool,
    /// The byte that is read next.
    at: usize,
    /// Where the last token starts, or where in it the error is.
    start: usize,
    levels: Vec<Level>,
    /// Slots that the open levels take in PUC-Rio's stack: an array one, an object two.
    slots: usize,
    /// A string that has escapes, while it is read.
    buffer: Vec<u8>,
}

/// A table that is open.
#[derive(Clone, Copy)]
enum Level {
    Array {
        /// Items that its table has.
        stored: usize,
        /// Items that it does not have yet.
        waiting: usize,
    },
    Object,
}

/// So many items of an array are put into its table at once: its final size is then known more often than not.
const WAITING: usize = 64;

/// Slots on our stack of an open table: itself and a key.
const WIDTH: usize = 2;
/// In PUC-Rio's stack: the text before the levels, and a value behind them.
const OTHER_SLOTS: usize = 2;
const UNEXPECTED_END: &str = "unexpected end of string";
const INVALID_ESCAPE: &str = "invalid escape code";
/// From this length on memory is asked for before a string is made.
const LONG_STRING: usize = 1 << 12;

/// A piece of the text.
#[derive(Clone, Copy)]
enum Token<'gc> {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(Str<'gc>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    /// None, and what is wrong.
    Invalid(&'static str),
}

impl Token<'_> {
    fn name(self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::String(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Invalid(error) => error,
        }
    }
}

impl Continue for Decoding {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        _: Outcome<'gc>,
    ) -> Result<'gc> {
        let Value::String(text) = machine.slot(arguments.base) else { return Ok(Flow::Return(0)) };
        let text = text.bytes();
        let first_slot = arguments.base + arguments.count;
        let mut paid = self.at;
        // Those of the arrays that are open, outermost first. No garbage is collected before we return.
        let mut items = Vec::new();
        loop {
            let value = match self.token(machine, text)? {
                Token::String(text) => Value::String(text),
                Token::Number(number) => Value::Number(number),
                Token::Boolean(value) => Value::Boolean(value),
                Token::Null => Value::Userdata(NULL),
                Token::ObjectBegin => {
                    let table = Value::Table(machine.table(0, 0));
                    self.enter(machine, first_slot, Level::Object, table)?;
                    if self.skip_space(text) != b'}' {
                        self.key(machine, first_slot, text)?;
                        continue;
                    }
                    self.at += 1;
                    self.leave(machine, first_slot, &mut items)
                }
                Token::ArrayBegin => {
                    let level = Level::Array { stored: 0, waiting: 0 };
                    self.enter(machine, first_slot, level, Value::Nil)?;
                    if self.skip_space(text) != b']' {
                        continue;
                    }
                    self.at += 1;
                    self.leave(machine, first_slot, &mut items)
                }
                token => return Err(self.expected(machine, "value", token)),
            };
            if let Some(whole) = self.settle(machine, first_slot, text, value, &mut items)? {
                return machine.give(whole);
            }
            machine.fuel -= 1 + ((self.at - paid) >> 7) as i64;
            if machine.fuel <= 0 {
                self.store_all(machine, first_slot, &items);
                return Ok(Flow::Pause(self));
            }
            paid = self.at;
        }
    }
}

impl Decoding {
    fn expected<'gc>(
        &self,
        machine: &mut Machine<'_, 'gc>,
        expected: &str,
        found: Token<'gc>,
    ) -> Fault<'gc> {
        let (name, place) = (found.name(), self.start + 1);
        machine.error(format!("Expected {expected} but found {name} at character {place}"))
    }

    /// The same, where the token is still to be read.
    #[cold]
    fn other<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        expected: &str,
        text: &[u8],
    ) -> Fault<'gc> {
        match self.token(machine, text) {
            Ok(token) => self.expected(machine, expected, token),
            Err(fault) => fault,
        }
    }

    /// Opens a table; its first token has just been read.
    fn enter<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        first_slot: usize,
        level: Level,
        table: Value<'gc>,
    ) -> std::result::Result<(), Fault<'gc>> {
        let depth = self.levels.len() + 1;
        if depth > self.max_depth || self.slots + level.slots() + OTHER_SLOTS > MAX_SLOTS {
            let place = self.start + 1;
            return Err(machine.error(format!(
                "Found too many nested data structures ({depth}) at character {place}"
            )));
        }
        let slot = first_slot + WIDTH * self.levels.len();
        machine.set_top(slot + WIDTH);
        machine.set_slot(slot, table);
        self.levels.push(level);
        self.slots += level.slots();
        Ok(())
    }

    /// Closes the innermost table, and gives it.
    fn leave<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        first_slot: usize,
        items: &mut Vec<Value<'gc>>,
    ) -> Value<'gc> {
        let Some(mut level) = self.levels.pop() else { return Value::Nil };
        self.slots -= level.slots();
        let slot = first_slot + WIDTH * self.levels.len();
        level.store(machine, slot, items);
        let table = machine.slot(slot);
        machine.set_top(slot);
        table
    }

    /// Puts all items that wait into their tables.
    fn store_all<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        first_slot: usize,
        items: &[Value<'gc>],
    ) {
        let mut rest = items;
        for (place, level) in self.levels.iter_mut().enumerate() {
            if let Level::Array { waiting, .. } = *level
                && let Some((own, inner)) = rest.split_at_checked(waiting)
            {
                level.store(machine, first_slot + WIDTH * place, &mut own.to_vec());
                rest = inner;
            }
        }
    }

    /// Reads a field's name and the colon behind it, and keeps the name.
    fn key<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        first_slot: usize,
        text: &[u8],
    ) -> std::result::Result<(), Fault<'gc>> {
        let key = match self.token(machine, text)? {
            Token::String(key) => key,
            token => return Err(self.expected(machine, "object key string", token)),
        };
        let level = self.levels.len().saturating_sub(1);
        machine.set_slot(first_slot + WIDTH * level + 1, Value::String(key));
        if self.skip_space(text) != b':' {
            return Err(self.other(machine, "colon", text));
        }
        self.at += 1;
        Ok(())
    }

    /// Puts a value where it belongs, and closes the tables that end behind it. The value of the whole text if that is
    /// what it is; otherwise another value is to be read.
    fn settle<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        first_slot: usize,
        text: &[u8],
        value: Value<'gc>,
        items: &mut Vec<Value<'gc>>,
    ) -> std::result::Result<Option<Value<'gc>>, Fault<'gc>> {
        let mut value = value;
        let mut depth = self.levels.len();
        while let Some(level) = self.levels.last_mut() {
            depth -= 1;
            let slot = first_slot + WIDTH * depth;
            let is_array = match level {
                Level::Array { waiting, .. } => {
                    items.push(value);
                    *waiting += 1;
                    if *waiting == WAITING {
                        level.store(machine, slot, items);
                    }
                    true
                }
                Level::Object => {
                    let Value::Table(table) = machine.slot(slot) else { break };
                    let key = machine.slot(slot + 1);
                    table.set(machine.mc, key, value).map_err(|error| machine.key_error(error))?;
                    false
                }
            };
            match self.skip_space(text) {
                b',' => {
                    self.at += 1;
                    if !is_array {
                        self.key(machine, first_slot, text)?;
                    }
                    return Ok(None);
                }
                b']' if is_array => self.at += 1,
                b'}' if !is_array => self.at += 1,
                _ if is_array => return Err(self.other(machine, "comma or array end", text)),
                _ => return Err(self.other(machine, "comma or object end", text)),
            }
            value = self.leave(machine, first_slot, items);
        }
        match self.skip_space(text) {
            0 => Ok(Some(value)),
            _ => Err(self.other(machine, "the end", text)),
        }
    }

    // ---- Tokens

    /// The byte with which the next token begins: 0 at the end of the text, which ends at a NUL, too.
    #[inline(always)]
    fn skip_space(&mut self, text: &[u8]) -> u8 {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(self.at) {
            self.at += 1;
        }
        text.get(self.at).copied().unwrap_or(0)
    }

    /// The next token.
    fn token<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        text: &[u8],
    ) -> std::result::Result<Token<'gc>, Fault<'gc>> {
        let first = self.skip_space(text);
        self.start = self.at;
        let rest = text.get(self.at..).unwrap_or_default();
        let (token, length) = match first {
            0 => (Token::End, 0),
            b'{' => (Token::ObjectBegin, 1),
            b'}' => (Token::ObjectEnd, 1),
            b'[' => (Token::ArrayBegin, 1),
            b']' => (Token::ArrayEnd, 1),
            b':' => (Token::Colon, 1),
            b',' => (Token::Comma, 1),
            b'"' => return self.string(machine, text),
            b'-' | b'0'..=b'9' => {
                if !self.allow_invalid && is_not_json(rest) {
                    (Token::Invalid(INVALID_NUMBER), 0)
                } else {
                    number(rest)
                }
            }
            _ if rest.starts_with(b"true") => (Token::Boolean(true), 4),
            _ if rest.starts_with(b"false") => (Token::Boolean(false), 5),
            _ if rest.starts_with(b"null") => (Token::Null, 4),
            _ if self.allow_invalid && is_not_json(rest) => number(rest),
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
        let rest = text.get(start..).unwrap_or_default();
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0));
        let (bytes, behind) = rest.split_at(plain.unwrap_or(rest.len()));
        self.at = start + bytes.len();
        let bytes = match behind {
            [b'"', ..] => bytes,
            [b'\\', ..] => {
                self.buffer.clear();
                self.buffer.reserve(bytes.len() + (1 << 8));
                self.buffer.extend_from_slice(bytes);
                match self.unescape(text) {
                    Ok(length) => &self.buffer[..length],
                    Err(error) => return Ok(self.invalid(error)),
                }
            }
            _ => return Ok(self.invalid(UNEXPECTED_END)),
        };
        self.at += 1;
        if bytes.len() >= LONG_STRING {
            machine.check_memory(bytes.len() * 2)?;
        }
        Ok(Token::String(Str::new(machine.mc, bytes)))
    }

    /// What is wrong here.
    fn invalid<'gc>(&mut self, error: &'static str) -> Token<'gc> {
        self.start = self.at;
        Token::Invalid(error)
    }

    /// Reads on in a string, whose first escape is next, up to its end. What it stands for is in the buffer; its length.
    fn unescape(&mut self, text: &[u8]) -> std::result::Result<usize, &'static str> {
        let mut length = self.buffer.len();
        loop {
            // A character is four bytes long at most.
            if self.buffer.len() < length + 4 {
                self.buffer.resize((length * 2).max(1 << 8), 0);
            }
            let rest = text.get(self.at..).unwrap_or_default();
            let (byte, read) = match rest {
                [b'"', ..] => return Ok(length),
                [] | [0, ..] => return Err(UNEXPECTED_END),
                [b'\\', b'u', ..] => {
                    let (code, read) = code_point(rest).ok_or("invalid unicode escape code")?;
                    length += code.encode_utf8(&mut self.buffer[length..]).len();
                    self.at += read;
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
            self.at += read;
        }
    }
}

impl Level {
    /// Slots that it takes in PUC-Rio's stack: a table, and for an object the key whose value is read.
    fn slots(self) -> usize {
        match self {
            Level::Array { .. } => 1,
            Level::Object => 2,
        }
    }

    /// Puts an array's waiting items, the last of `items`, into its table in this slot. A new table is as large as one
    /// that gets the items one by one.
    fn store<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        slot: usize,
        items: &mut Vec<Value<'gc>>,
    ) {
        let Level::Array { stored, waiting } = self else { return };
        let table = if let Value::Table(table) = machine.slot(slot) {
            table
        } else {
            let size = if *waiting == 0 { 0 } else { waiting.next_power_of_two() };
            let table = machine.table(size, 0);
            machine.set_slot(slot, Value::Table(table));
            table
        };
        let first = items.len().saturating_sub(*waiting);
        for value in items.drain(first..) {
            *stored += 1;
            // A whole number is always a possible key.
            let _ = table.set(machine.mc, Value::Number(*stored as f64), value);
        }
        *waiting = 0;
    }
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

// ---- Numbers

const INVALID_NUMBER: &str = "invalid number";

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

/// As much of a number as `strtod` reads, and its length.
fn number<'gc>(text: &[u8]) -> (Token<'gc>, usize) {
    let sign = usize::from(text.first() == Some(&b'-'));
    if let Some((number, length)) = text.get(sign..).and_then(short_decimal) {
        return (Token::Number(if sign == 1 { -number } else { number }), sign + length);
    }
    let length = number_length(text);
    match text.get(..length).and_then(parse_number) {
        Some(number) if length > 0 => (Token::Number(number), length),
        _ => (Token::Invalid(INVALID_NUMBER), 0),
    }
}

/// How much `strtod` reads, sign and all; 0 if that is no number.
fn number_length(text: &[u8]) -> usize {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let unsigned = text.get(sign..).unwrap_or_default();
    let length = match unsigned {
        [b'0', b'x' | b'X', rest @ ..] => match mantissa_length(rest, u8::is_ascii_hexdigit) {
            0 => 1,
            digits => 2 + digits + exponent_length(rest.get(digits..), b'p'),
        },
        [b'0'..=b'9' | b'.', ..] => match mantissa_length(unsigned, u8::is_ascii_digit) {
            0 => 0,
            digits => digits + exponent_length(unsigned.get(digits..), b'e'),
        },
        _ => word_length(unsigned),
    };
    if length == 0 { 0 } else { sign + length }
}

/// Digits with at most one point; 0 without a digit.
fn mantissa_length(text: &[u8], is_digit: fn(&u8) -> bool) -> usize {
    let count = |text: &[u8]| text.iter().take_while(|byte| is_digit(byte)).count();
    let whole = count(text);
    let fraction = match text.get(whole..) {
        Some([b'.', rest @ ..]) => count(rest),
        _ => return whole,
    };
    if whole + fraction == 0 { 0 } else { whole + 1 + fraction }
}

/// A letter, perhaps a sign, and digits; 0 without a digit.
fn exponent_length(text: Option<&[u8]>, letter: u8) -> usize {
    let Some([first, rest @ ..]) = text else { return 0 };
    if first.to_ascii_lowercase() != letter {
        return 0;
    }
    let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
    let digits = rest.iter().skip(sign).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 { 0 } else { 1 + sign + digits }
}

/// `inf`, `infinity`, `nan`, `nan(...)` in any case; 0 for anything else.
fn word_length(text: &[u8]) -> usize {
    let starts =
        |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if starts(b"infinity") {
        8
    } else if starts(b"inf") {
        3
    } else if starts(b"nan(") {
        let is_tag = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let tag = text.iter().skip(4).take_while(is_tag).count();
        if text.get(4 + tag) == Some(&b')') { 5 + tag } else { 3 }
    } else if starts(b"nan") {
        3
    } else {
        0
    }
}
