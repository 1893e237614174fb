//! Defines `cjson.encode`: a value as JSON text.

use super::{MAX_SLOTS, NULL, Setting, check_single, settings};
use crate::format::Spec;
use crate::lib::base::Result;
use crate::machine::{Arguments, Continue, Fault, Flow, Machine, Outcome};
use crate::number::format_number;
use crate::table::Table;
use crate::value::{Str, Value};

/// `cjson.encode(value)`.
pub(super) fn encode<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    check_single(machine, arguments)?;
    let settings = settings(machine, arguments);
    let setting = |which: Setting| settings[which as usize];
    let mut encoding = Box::new(Encoding {
        convert_sparse: setting(Setting::SparseConvert) != 0,
        sparse_ratio: setting(Setting::SparseRatio),
        sparse_safe: setting(Setting::SparseSafe),
        max_depth: setting(Setting::EncodeMaxDepth) as usize,
        precision: setting(Setting::Precision) as usize,
        invalid: match setting(Setting::EncodeInvalid) {
            0 => Invalid::Refused,
            1 => Invalid::Allowed,
            _ => Invalid::Null,
        },
        out: Text::default(),
        levels: Vec::with_capacity(8),
        slots: 0,
        allowed: CHUNK,
    });
    encoding.value(machine, arguments, machine.argument(arguments, 1))?;
    encoding.resume(machine, arguments, Outcome::Resumed)
}

/// What is done with infinity and NaN.
#[derive(Clone, Copy, PartialEq)]
enum Invalid {
    Refused,
    Allowed,
    Null,
}

/// Encoding at work. The tables that are open lie behind the argument, each with the key that was last visited.
struct Encoding {
    convert_sparse: bool,
    sparse_ratio: i32,
    sparse_safe: i32,
    max_depth: usize,
    precision: usize,
    invalid: Invalid,
    out: Text,
    levels: Vec<Level>,
    /// Slots that the open levels take in PUC-Rio's stack: an array one, an object two.
    slots: usize,
    /// The memory for so long a text has been asked for.
    allowed: usize,
}

/// The text so far. Bytes go into room made before, so that most are written without a call.
#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    length: usize,
}

impl Text {
    /// Makes room for so many bytes more.
    #[inline(always)]
    fn reserve(&mut self, most: usize) {
        if self.bytes.len() - self.length < most {
            self.grow(most);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, most: usize) {
        let size = (self.length + most).max(self.bytes.len() * 2).max(1 << 10);
        self.bytes.resize(size, 0);
    }

    #[inline(always)]
    fn push(&mut self, byte: u8) {
        self.reserve(1);
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// Adds the first `length` bytes of an array, which is copied whole.
    #[inline(always)]
    fn extend<const N: usize>(&mut self, bytes: &[u8; N], length: usize) {
        self.reserve(N);
        self.bytes[self.length..self.length + N].copy_from_slice(bytes);
        self.length += length;
    }

    /// Adds a part of a string.
    fn escape(&mut self, text: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.reserve(6 * text.len());
        let room = &mut self.bytes[self.length..];
        let mut at = 0;
        for byte in text {
            let letter = ESCAPES[usize::from(*byte)];
            if letter == 0 {
                room[at] = *byte;
                at += 1;
                continue;
            }
            room[at] = b'\\';
            room[at + 1] = letter;
            at += 2;
            if letter == b'u' {
                room[at] = b'0';
                room[at + 1] = b'0';
                room[at + 2] = DIGITS[usize::from(byte >> 4)];
                room[at + 3] = DIGITS[usize::from(byte & 15)];
                at += 4;
            }
        }
        self.length += at;
    }
}

/// The letter of the escape that stands for a byte: `u` where the byte's number follows, 0 where the byte stands for
/// itself. A slash is escaped.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        escapes[byte] = b'u';
        byte += 1;
    }
    escapes[0x08] = b'b';
    escapes[b'\t' as usize] = b't';
    escapes[b'\n' as usize] = b'n';
    escapes[0x0c] = b'f';
    escapes[b'\r' as usize] = b'r';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes[b'/' as usize] = b'/';
    escapes[0x7f] = b'u';
    escapes
};

/// How far a table is.
#[derive(Clone, Copy)]
enum Level {
    /// Its keys are looked at: the largest, as C's `int`, and how many.
    Measure { largest: i32, items: i32 },
    /// Items `1..=next - 1` are written.
    Array { next: i32, last: i32 },
    /// Fields are written.
    Object { is_first: bool },
    /// No table, but a string that is long: so much of it is written. If it is a key, the value is in the other slot.
    Text { done: usize, is_key: bool },
}

/// Slots on our stack of an open table, itself and a key, and of a long string.
const WIDTH: usize = 2;
/// What [`Encoding::check_depth`] finds taken in PUC-Rio's stack before the levels, or needs behind them.
const OTHER_SLOTS: usize = 4;
/// Keys that are looked at for one piece of fuel.
const KEYS_PER_FUEL: usize = 8;
/// The first question for memory is asked behind so many bytes.
const CHUNK: usize = 1 << 16;
/// Strings that are longer are written in pieces of so many bytes.
const PIECE: usize = 1 << 12;

impl Continue for Encoding {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        _: Outcome<'gc>,
    ) -> Result<'gc> {
        while let Some(level) = self.levels.last().copied() {
            if machine.fuel <= 0 {
                return Ok(Flow::Pause(self));
            }
            let slot = arguments.base + arguments.count + WIDTH * (self.levels.len() - 1);
            match (level, machine.slot(slot)) {
                (Level::Measure { largest, items }, Value::Table(table)) => {
                    machine.fuel -= 1;
                    self.measure(machine, table, slot, largest, items)?;
                }
                (Level::Array { next, last }, Value::Table(table)) => {
                    self.items(machine, arguments, table, slot, next, last)?;
                }
                (Level::Object { is_first }, Value::Table(table)) => {
                    self.fields(machine, arguments, table, slot, is_first)?;
                }
                (Level::Text { done, is_key }, Value::String(text)) => {
                    self.piece(machine, arguments, text, slot, done, is_key)?;
                }
                _ => break,
            }
        }
        machine.check_memory(self.out.length)?;
        let text = machine.string(&self.out.bytes[..self.out.length]);
        machine.give(text)
    }
}

impl Encoding {
    fn set_level(&mut self, level: Level) {
        if let Some(top) = self.levels.last_mut() {
            *top = level;
        }
    }

    /// Writes an array's items up to one that is a table, or to its end.
    fn items<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        table: Table<'gc>,
        slot: usize,
        mut next: i32,
        last: i32,
    ) -> std::result::Result<(), Fault<'gc>> {
        let depth = self.levels.len();
        while next <= last {
            if next > 1 {
                self.out.push(b',');
            }
            let value = table.get_index(next as usize);
            next = next.wrapping_add(1);
            self.set_level(Level::Array { next, last });
            self.value(machine, arguments, value)?;
            machine.fuel -= 1;
            if self.levels.len() > depth || machine.fuel <= 0 {
                return Ok(());
            }
        }
        self.out.push(b']');
        self.leave(machine, slot, 1);
        Ok(())
    }

    /// The same for an object's fields.
    fn fields<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        table: Table<'gc>,
        slot: usize,
        mut is_first: bool,
    ) -> std::result::Result<(), Fault<'gc>> {
        let depth = self.levels.len();
        while let Ok(Some((key, value))) = table.next(machine.slot(slot + 1)) {
            machine.set_slot(slot + 1, key);
            if is_first {
                is_first = false;
                self.set_level(Level::Object { is_first });
            } else {
                self.out.push(b',');
            }
            if let Value::String(text) = key
                && text.bytes().len() > PIECE
            {
                self.enter(machine, arguments, key, Level::Text { done: 0, is_key: true });
                machine.set_slot(slot + WIDTH + 1, value);
                return Ok(());
            }
            self.key(machine, key)?;
            self.value(machine, arguments, value)?;
            machine.fuel -= 1;
            if self.levels.len() > depth || machine.fuel <= 0 {
                return Ok(());
            }
        }
        self.out.push(b'}');
        self.leave(machine, slot, 2);
        Ok(())
    }

    /// Writes a piece of a long string; behind a key, the value too.
    fn piece<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        text: Str<'gc>,
        slot: usize,
        done: usize,
        is_key: bool,
    ) -> std::result::Result<(), Fault<'gc>> {
        let rest = text.bytes().get(done..).unwrap_or_default();
        let piece = rest.get(..PIECE).unwrap_or(rest);
        if done == 0 {
            self.out.push(b'"');
        }
        self.out.escape(piece);
        machine.fuel -= (piece.len() >> 5) as i64;
        self.set_level(Level::Text { done: done + piece.len(), is_key });
        if piece.len() == rest.len() {
            self.out.push(b'"');
            let value = machine.slot(slot + 1);
            self.leave(machine, slot, 0);
            if is_key {
                self.out.push(b':');
                self.value(machine, arguments, value)?;
            }
        }
        self.check_memory(machine)
    }

    /// Opens a table or a long string.
    fn enter<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        value: Value<'gc>,
        level: Level,
    ) {
        let slot = arguments.base + arguments.count + WIDTH * self.levels.len();
        machine.set_top(slot + WIDTH);
        machine.set_slot(slot, value);
        machine.set_slot(slot + 1, Value::Nil);
        self.levels.push(level);
    }

    fn leave(&mut self, machine: &mut Machine<'_, '_>, slot: usize, slots: usize) {
        machine.set_top(slot);
        self.levels.pop();
        self.slots -= slots;
    }

    /// Writes a value, or opens it if it is a table or a long string.
    fn value<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        value: Value<'gc>,
    ) -> std::result::Result<(), Fault<'gc>> {
        match value {
            Value::Nil | Value::Userdata(NULL) => self.out.extend(b"null", 4),
            Value::Boolean(true) => self.out.extend(b"true", 4),
            Value::Boolean(false) => self.out.extend(b"false", 5),
            Value::Number(number) => self.number(machine, number)?,
            Value::String(text) if text.bytes().len() > PIECE => {
                self.enter(machine, arguments, value, Level::Text { done: 0, is_key: false });
            }
            Value::String(text) => self.string(machine, text.bytes()),
            Value::Table(_) => {
                self.check_depth(machine)?;
                self.enter(machine, arguments, value, Level::Measure { largest: 0, items: 0 });
            }
            _ => return Err(refusal(machine, value, "type not supported")),
        }
        self.check_memory(machine)
    }

    fn check_depth<'gc>(
        &self,
        machine: &mut Machine<'_, 'gc>,
    ) -> std::result::Result<(), Fault<'gc>> {
        let depth = self.levels.len() + 1;
        if depth > self.max_depth || self.slots + OTHER_SLOTS > MAX_SLOTS {
            return Err(machine.error(format!("Cannot serialise, excessive nesting ({depth})")));
        }
        Ok(())
    }

    /// The text is not on the heap: memory for it is asked for as it grows, for twice as much.
    fn check_memory<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
    ) -> std::result::Result<(), Fault<'gc>> {
        if self.out.length > self.allowed {
            self.allowed = self.out.length * 2;
            machine.check_memory(self.allowed)?;
        }
        Ok(())
    }

    /// Looks at some more keys: with whole positive ones only, a table is an array.
    fn measure<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        table: Table<'gc>,
        slot: usize,
        mut largest: i32,
        mut items: i32,
    ) -> std::result::Result<(), Fault<'gc>> {
        let mut key = machine.slot(slot + 1);
        for _ in 0..KEYS_PER_FUEL {
            let Ok(entry) = table.next(key) else { break };
            match entry {
                Some((Value::Number(number), _)) if number > 0.0 && number.floor() == number => {
                    // C's `int`: what it cannot hold is the least of them, and gives way to any other.
                    if number > f64::from(largest) {
                        largest = crate::number::to_int(number);
                    }
                    items = items.wrapping_add(1);
                    key = Value::Number(number);
                }
                None if largest > 0 && self.is_sparse(largest, items) => {
                    if !self.convert_sparse {
                        let table = Value::Table(table);
                        return Err(refusal(machine, table, "excessively sparse array"));
                    }
                    self.open(machine, slot, Level::Object { is_first: true });
                    return Ok(());
                }
                None if largest > 0 => {
                    self.open(machine, slot, Level::Array { next: 1, last: largest });
                    return Ok(());
                }
                _ => {
                    self.open(machine, slot, Level::Object { is_first: true });
                    return Ok(());
                }
            }
        }
        machine.set_slot(slot + 1, key);
        self.set_level(Level::Measure { largest, items });
        Ok(())
    }

    /// Too few items for the largest key. C's `int` wraps around.
    fn is_sparse(&self, largest: i32, items: i32) -> bool {
        self.sparse_ratio > 0
            && largest > items.wrapping_mul(self.sparse_ratio)
            && largest > self.sparse_safe
    }

    fn open(&mut self, machine: &mut Machine<'_, '_>, slot: usize, level: Level) {
        let is_array = matches!(level, Level::Array { .. });
        self.out.push(if is_array { b'[' } else { b'{' });
        self.slots += if is_array { 1 } else { 2 };
        machine.set_slot(slot + 1, Value::Nil);
        self.set_level(level);
    }

    fn key<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        key: Value<'gc>,
    ) -> std::result::Result<(), Fault<'gc>> {
        match key {
            Value::Number(number) => {
                self.out.push(b'"');
                self.number(machine, number)?;
                self.out.push(b'"');
            }
            Value::String(text) => self.string(machine, text.bytes()),
            _ => return Err(refusal(machine, key, "table key must be a number or string")),
        }
        self.out.push(b':');
        Ok(())
    }

    fn number<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        number: f64,
    ) -> std::result::Result<(), Fault<'gc>> {
        if number.is_finite() {
            if self.precision == 14 {
                let text = format_number(number);
                self.out.extend(text.padded(), text.len());
            } else {
                let spec = Spec { precision: Some(self.precision), ..Spec::default() };
                spec.float(b'g', number).iter().for_each(|byte| self.out.push(*byte));
            }
            return Ok(());
        }
        match self.invalid {
            Invalid::Refused => {
                return Err(refusal(machine, Value::Number(number), "must not be NaN or Inf"));
            }
            Invalid::Null => self.out.extend(b"null", 4),
            // A NaN's sign is not shown.
            Invalid::Allowed if number.is_nan() => self.out.extend(b"nan", 3),
            Invalid::Allowed if number > 0.0 => self.out.extend(b"inf", 3),
            Invalid::Allowed => self.out.extend(b"-inf", 4),
        }
        Ok(())
    }

    /// Writes a string that is short.
    fn string(&mut self, machine: &mut Machine<'_, '_>, text: &[u8]) {
        machine.fuel -= (text.len() >> 7) as i64;
        self.out.push(b'"');
        self.out.escape(text);
        self.out.push(b'"');
    }
}

fn refusal<'gc>(machine: &mut Machine<'_, 'gc>, value: Value<'gc>, reason: &str) -> Fault<'gc> {
    machine.error(format!("Cannot serialise {}: {reason}", value.type_name()))
}
