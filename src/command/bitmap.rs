//! Defines the bitmap commands: strings as rows of bits, of which the first is the highest one of the first byte.

use super::args::Args;
use super::flag::{DENYOOM, FAST, READONLY, WRITE};
use super::string::place;
use super::{Answer, Begin, Command, Find, KeySpec, Run};
use crate::error::Error;
use crate::number::parse_integer;
use crate::resp::Reply;
use crate::server::Context;
use crate::server::notify::Event;
use crate::value::Kind;
use crate::value::string::StringValue;

/// The bitmap commands.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "setbit",
        arity: 4,
        flags: WRITE | DENYOOM,
        categories: "bitmap",
        keys: &[KeySpec::at(1, "RW access update")],
        since: "2.2.0",
        group: "bitmap",
        summary: "Sets or clears the bit at offset in the string value stored at key",
        complexity: "O(1)",
        syntax: "key:key#0 offset:integer value:integer",
        run: Run::Reply(setbit),
        ..Command::EMPTY
    },
    Command {
        name: "getbit",
        arity: 3,
        flags: READONLY | FAST,
        categories: "bitmap",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.2.0",
        group: "bitmap",
        summary: "Returns the bit value at offset in the string value stored at key",
        complexity: "O(1)",
        syntax: "key:key#0 offset:integer",
        run: Run::Reply(getbit),
        ..Command::EMPTY
    },
    Command {
        name: "bitcount",
        arity: -2,
        flags: READONLY,
        categories: "bitmap",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.6.0",
        group: "bitmap",
        summary: "Count set bits in a string",
        complexity: "O(N)",
        history: &[("7.0.0", "Added the `BYTE|BIT` option.")],
        syntax: "key:key#0 index{start:integer end:integer index_unit(BYTE|BIT)?@7.0.0}?",
        run: Run::Reply(bitcount),
        ..Command::EMPTY
    },
    Command {
        name: "bitpos",
        arity: -3,
        flags: READONLY,
        categories: "bitmap",
        keys: &[KeySpec::at(1, "RO access")],
        since: "2.8.7",
        group: "bitmap",
        summary: "Find first bit set or clear in a string",
        complexity: "O(N)",
        history: &[("7.0.0", "Added the `BYTE|BIT` option.")],
        syntax: "key:key#0 bit:integer index{start:integer end_index{end:integer index_unit(BYTE|BIT)?@7.0.0}?}?",
        run: Run::Reply(bitpos),
        ..Command::EMPTY
    },
    Command {
        name: "bitop",
        arity: -4,
        flags: WRITE | DENYOOM,
        categories: "bitmap",
        keys: &[KeySpec::at(2, "OW update"), KeySpec::range(3, -1, 1, "RO access")],
        since: "2.6.0",
        group: "bitmap",
        summary: "Perform bitwise operations between strings",
        complexity: "O(N)",
        syntax: "operation:string destkey:key#0 key:key#1*",
        run: Run::Reply(bitop),
        ..Command::EMPTY
    },
    Command {
        name: "bitfield",
        arity: -2,
        flags: WRITE | DENYOOM,
        categories: "bitmap",
        keys: &[KeySpec {
            notes: "This command allows both access and modification of the key",
            flags: "RW access update variable_flags",
            begin: Begin::Index(1),
            find: Find::Range { last: 0, step: 1, limit: 0 },
        }],
        since: "3.2.0",
        group: "bitmap",
        summary: "Perform arbitrary bitfield integer operations on strings",
        complexity: "O(1) for each subcommand specified",
        syntax: "key:key#0 operation(GET=encoding_offset{encoding:string offset:integer}|write{OVERFLOW=wrap_sat_fail(WRAP|SAT|FAIL)? write_operation(SET=encoding_offset_value{encoding:string offset:integer value:integer}|INCRBY=encoding_offset_increment{encoding:string offset:integer increment:integer})})?*",
        run: Run::Reply(bitfield),
        ..Command::EMPTY
    },
    Command {
        name: "bitfield_ro",
        arity: -2,
        flags: READONLY | FAST,
        categories: "bitmap",
        keys: &[KeySpec::at(1, "RO access")],
        since: "6.0.0",
        group: "bitmap",
        summary: "Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD",
        complexity: "O(1) for each subcommand specified",
        syntax: "key:key#0 GET=encoding_offset{encoding:string offset:integer}?*+",
        run: Run::Reply(bitfield_ro),
        ..Command::EMPTY
    },
];

/// A bit's place. With a `#` before it, it is counted in integers of so many bits.
fn offset(context: &Context, text: &[u8], bits: Option<u32>) -> Result<u64, Error> {
    let (text, unit) = match (text.strip_prefix(b"#"), bits) {
        (Some(text), Some(bits)) => (text, u64::from(bits)),
        _ => (text, 1),
    };
    let number = parse_integer(text).and_then(|number| u64::try_from(number).ok());
    let place = number.and_then(|number| number.checked_mul(unit));
    let limit = context.server.config.active.proto_max_bulk_len;
    place.filter(|place| place >> 3 < limit).ok_or(Error::BIT_OFFSET)
}

/// The bit at a place; behind the end all are 0.
fn bit(bytes: &[u8], place: u64) -> bool {
    let byte = usize::try_from(place >> 3).ok().and_then(|at| bytes.get(at));
    byte.is_some_and(|byte| byte >> (7 - (place & 7)) & 1 == 1)
}

fn set_bit(bytes: &mut [u8], place: u64, on: bool) {
    if let Some(byte) = usize::try_from(place >> 3).ok().and_then(|at| bytes.get_mut(at)) {
        let mask = 1 << (7 - (place & 7));
        *byte = if on { *byte | mask } else { *byte & !mask };
    }
}

/// A key's bytes to change, made long enough to have a bit at this place, and whether they were too short.
fn bytes_up_to<'a>(
    context: &'a mut Context,
    key: &[u8],
    place: u64,
) -> Result<(&'a mut Vec<u8>, bool), Error> {
    context.write::<StringValue>(key)?;
    let length = context.server.room_for((place >> 3) + 1)?;
    Ok(context.create::<StringValue>(key)?.lengthen(length))
}

/// SETBIT key offset value
fn setbit(context: &mut Context, args: &mut Args) -> Answer {
    let (key, place) = (args.key()?, args.bytes()?);
    let place = offset(context, place, None)?;
    let on = match args.integer_or(Error::BIT_VALUE)? {
        0 => false,
        1 => true,
        _ => return Err(Error::BIT_VALUE),
    };
    let (bytes, has_grown) = bytes_up_to(context, key, place)?;
    let old = bit(bytes, place);
    set_bit(bytes, place, on);
    if has_grown || old != on {
        context.changed(key);
        context.notify(Event::String, "setbit", key);
    }
    Ok(Reply::flag(old))
}

/// GETBIT key offset
fn getbit(context: &mut Context, args: &mut Args) -> Answer {
    let (key, place) = (args.key()?, args.bytes()?);
    let place = offset(context, place, None)?;
    let value = context.read::<StringValue>(key)?;
    Ok(Reply::flag(value.is_some_and(|value| bit(&value.bytes(), place))))
}

/// What a range is counted in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Byte,
    Bit,
}

impl Unit {
    fn parse(args: &mut Args) -> Result<Unit, Error> {
        if args.option("BIT") {
            Ok(Unit::Bit)
        } else if args.option("BYTE") {
            Ok(Unit::Byte)
        } else {
            Err(Error::SYNTAX)
        }
    }

    /// The bits from `start` to `end`, the latter among them, of so many bytes; negative ones count from the end. None if
    /// there are none.
    fn range(self, start: i64, end: i64, bytes: usize) -> Option<(u64, u64)> {
        let total = if self == Unit::Bit { bytes as i64 * 8 } else { bytes as i64 };
        let (start, end) = (place(start, total), place(end, total).min(total - 1));
        if start > end {
            return None;
        }
        let (start, end) = (start as u64, end as u64);
        Some(if self == Unit::Bit { (start, end) } else { (start * 8, end * 8 + 7) })
    }
}

/// `BITCOUNT key [start end [BYTE | BIT]]`
fn bitcount(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    // What else a missing key is asked is not looked at.
    let Some(value) = context.read::<StringValue>(key)? else { return Ok(Reply::Integer(0)) };
    let bytes = value.bytes();
    let (mut start, mut end, mut unit) = (0, -1, Unit::Byte);
    match args.remaining() {
        0 => {}
        2 | 3 => {
            (start, end) = (args.integer()?, args.integer()?);
            // Both before the first and in the wrong order is nothing, even where it would be cut to the first, and in
            // whatever unit.
            if start < 0 && end < 0 && start > end {
                return Ok(Reply::Integer(0));
            }
            if !args.is_empty() {
                unit = Unit::parse(args)?;
            }
        }
        _ => return Err(Error::SYNTAX),
    }
    let Some((first, last)) = unit.range(start, end, bytes.len()) else {
        return Ok(Reply::Integer(0));
    };
    Ok(Reply::Integer(count(&bytes, first, last) as i64))
}

/// How many bits are set from the first place to the last, which is among them.
fn count(bytes: &[u8], first: u64, last: u64) -> u64 {
    // Eight bytes at a time, once past the bits before a whole byte.
    let (mut place, mut count) = (first, 0);
    while place <= last {
        if place.is_multiple_of(8)
            && place + 63 <= last
            && let Some(word) = bytes[(place >> 3) as usize..].first_chunk()
        {
            count += u64::from(u64::from_le_bytes(*word).count_ones());
            place += 64;
        } else {
            count += u64::from(bit(bytes, place));
            place += 1;
        }
    }
    count
}

/// `BITPOS key bit [start [end [BYTE | BIT]]]`
fn bitpos(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let wanted = match args.integer()? {
        0 => false,
        1 => true,
        _ => return Err(Error::BIT_WANTED),
    };
    let Some(value) = context.read::<StringValue>(key)? else {
        return Ok(Reply::Integer(if wanted { -1 } else { 0 }));
    };
    let bytes = value.bytes();
    if args.remaining() > 3 {
        return Err(Error::SYNTAX);
    }
    let start = if args.is_empty() { 0 } else { args.integer()? };
    let mut unit = Unit::Byte;
    let end = if args.is_empty() {
        None
    } else {
        // The unit is looked at before the end is.
        let end = args.bytes()?;
        if !args.is_empty() {
            unit = Unit::parse(args)?;
        }
        Some(parse_integer(end).ok_or(Error::NOT_INTEGER)?)
    };
    let Some((first, last)) = unit.range(start, end.unwrap_or(-1), bytes.len()) else {
        return Ok(Reply::Integer(-1));
    };
    if let Some(place) = position(&bytes, wanted, first, last) {
        return Ok(Reply::Integer(place as i64));
    }
    // A string is followed by zeros, unless its end was given.
    let is_behind = !wanted && end.is_none();
    Ok(Reply::Integer(if is_behind { bytes.len() as i64 * 8 } else { -1 }))
}

/// Where the first such bit is, from the first place to the last, which is among them.
fn position(bytes: &[u8], wanted: bool, first: u64, last: u64) -> Option<u64> {
    let uniform = if wanted { 0 } else { u64::MAX };
    let mut place = first;
    while place <= last {
        // Eight bytes that cannot have it are passed over.
        if place.is_multiple_of(8)
            && let Some(word) = bytes[(place >> 3) as usize..].first_chunk()
            && u64::from_le_bytes(*word) == uniform
        {
            place += 64;
        } else if bit(bytes, place) == wanted {
            return Some(place);
        } else {
            place += 1;
        }
    }
    None
}

/// `BITOP AND | OR | XOR | NOT destkey key [key ...]`
fn bitop(context: &mut Context, args: &mut Args) -> Answer {
    let operation = args.bytes()?.to_ascii_lowercase();
    let (destination, keys) = (args.key()?, args.rest());
    let how: fn(u64, u64) -> u64 = match &operation[..] {
        b"and" => |left, right| left & right,
        b"or" => |left, right| left | right,
        b"xor" => |left, right| left ^ right,
        b"not" if keys.len() != 1 => return Err(Error::BITOP_NOT),
        // Of its only string every bit.
        b"not" => |left, _| left,
        _ => return Err(Error::SYNTAX),
    };
    let mut result = None;
    for key in keys {
        let value = context.read::<StringValue>(key)?.map(StringValue::bytes).unwrap_or_default();
        match &mut result {
            None => result = Some(value.into_owned()),
            Some(result) => combine(result, &value, how),
        }
    }
    let mut result = result.unwrap_or_default();
    if operation == b"not" {
        for byte in &mut result {
            *byte = !*byte;
        }
    }
    let length = result.len();
    if length == 0 {
        context.delete(destination);
    } else {
        context.set(destination, StringValue::raw(result).wrap());
        context.notify(Event::String, "set", destination);
    }
    Ok(Reply::Integer(length as i64))
}

/// Combines a string with another, eight bytes at a time; the shorter one is followed by zeros.
fn combine(bytes: &mut Vec<u8>, other: &[u8], how: fn(u64, u64) -> u64) {
    let length = bytes.len().max(other.len());
    bytes.resize(length.next_multiple_of(8), 0);
    let (others, rest) = other.as_chunks();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let (words, _) = bytes.as_chunks_mut();
    for (place, word) in words.iter_mut().enumerate() {
        let other = match others.get(place) {
            Some(other) => *other,
            None => std::mem::take(&mut last),
        };
        *word = how(u64::from_le_bytes(*word), u64::from_le_bytes(other)).to_le_bytes();
    }
    bytes.truncate(length);
}

// ---- Integers in a string

/// What becomes of an integer that is too large or too small.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

/// A kind of integer: `i5` or `u8`.
#[derive(Clone, Copy)]
struct Integer {
    is_signed: bool,
    /// At most 64, 63 without a sign.
    bits: u32,
}

enum Work {
    Get,
    Set(i64),
    Increment(i64),
}

/// One step of a BITFIELD.
struct Step {
    work: Work,
    integer: Integer,
    place: u64,
    overflow: Overflow,
}

impl Integer {
    fn parse(text: &[u8]) -> Option<Integer> {
        let (sign, bits) = text.split_first()?;
        let is_signed = match sign {
            b'i' => true,
            b'u' => false,
            _ => return None,
        };
        let bits = u32::try_from(parse_integer(bits)?).ok()?;
        (1..=63 + u32::from(is_signed)).contains(&bits).then_some(Integer { is_signed, bits })
    }

    fn read(self, bytes: &[u8], place: u64) -> i128 {
        let places = place..place + u64::from(self.bits);
        let value = places.fold(0, |value, place| value << 1 | i128::from(bit(bytes, place)));
        self.wrapped(value)
    }

    fn write(self, bytes: &mut [u8], place: u64, value: i128) {
        for number in 0..self.bits {
            set_bit(bytes, place + u64::from(number), value >> (self.bits - 1 - number) & 1 == 1);
        }
    }

    /// The lowest bits of a value as this kind of integer.
    fn wrapped(self, value: i128) -> i128 {
        let rest = value & ((1 << self.bits) - 1);
        let is_negative = self.is_signed && rest >> (self.bits - 1) == 1;
        if is_negative { rest - (1 << self.bits) } else { rest }
    }

    /// The least and the largest value.
    fn limits(self) -> (i128, i128) {
        if self.is_signed {
            (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1)
        } else {
            (0, (1 << self.bits) - 1)
        }
    }

    /// A value that SET gives as this kind of integer; none if it does not fit and that is to fail.
    fn assigned(self, value: i64, overflow: Overflow) -> Option<i128> {
        if !self.is_signed {
            // Without a sign it is read so, too.
            return self.fitted(i128::from(value as u64), overflow);
        }
        let value = i128::from(value);
        let (_, most) = self.limits();
        // The real server takes what is so far below for too large: its own subtraction overflows.
        let is_taken_for_large = self.bits < 64 && most - value > i128::from(i64::MAX);
        if is_taken_for_large && overflow == Overflow::Saturate {
            return Some(most);
        }
        self.fitted(value, overflow)
    }

    /// A value as this kind of integer; none if it does not fit and that is to fail.
    fn fitted(self, value: i128, overflow: Overflow) -> Option<i128> {
        let (least, most) = self.limits();
        match overflow {
            _ if (least..=most).contains(&value) => Some(value),
            Overflow::Wrap => Some(self.wrapped(value)),
            Overflow::Saturate => Some(value.clamp(least, most)),
            Overflow::Fail => None,
        }
    }
}

/// The steps that the arguments ask for.
fn steps(context: &Context, args: &mut Args) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    let mut overflow = Overflow::Wrap;
    while !args.is_empty() {
        let left = args.remaining() - 1;
        // How it works with a value, if it takes one.
        let with_value: Option<fn(i64) -> Work> = if left >= 2 && args.option("GET") {
            None
        } else if left >= 3 && args.option("SET") {
            Some(Work::Set)
        } else if left >= 3 && args.option("INCRBY") {
            Some(Work::Increment)
        } else if left >= 1 && args.option("OVERFLOW") {
            overflow = if args.option("WRAP") {
                Overflow::Wrap
            } else if args.option("SAT") {
                Overflow::Saturate
            } else if args.option("FAIL") {
                Overflow::Fail
            } else {
                return Err(Error::BITFIELD_OVERFLOW);
            };
            continue;
        } else {
            return Err(Error::SYNTAX);
        };
        let integer = Integer::parse(args.bytes()?).ok_or(Error::BITFIELD_TYPE)?;
        let place = offset(context, args.bytes()?, Some(integer.bits))?;
        let work = match with_value {
            None => Work::Get,
            Some(work) => work(args.integer()?),
        };
        steps.push(Step { work, integer, place, overflow });
    }
    Ok(steps)
}

/// `BITFIELD_RO key [GET encoding offset [GET encoding offset ...]]`
fn bitfield_ro(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let steps = steps(context, args)?;
    if steps.iter().any(|step| !matches!(step.work, Work::Get)) {
        return Err(Error::BITFIELD_READ_ONLY);
    }
    get_all(context, key, &steps)
}

fn get_all(context: &mut Context, key: &[u8], steps: &[Step]) -> Answer {
    let bytes = context.read::<StringValue>(key)?.map(StringValue::bytes).unwrap_or_default();
    let values = steps.iter().map(|step| step.integer.read(&bytes, step.place));
    Ok(Reply::Array(values.map(|value| Reply::Integer(value as i64)).collect()))
}

/// `BITFIELD key [GET type offset | [OVERFLOW how] SET type offset value | INCRBY type offset increment ...]`
fn bitfield(context: &mut Context, args: &mut Args) -> Answer {
    let key = args.key()?;
    let steps = steps(context, args)?;
    let writes = steps.iter().filter(|step| !matches!(step.work, Work::Get));
    let last = writes.map(|step| step.place + u64::from(step.integer.bits) - 1).max();
    let Some(last) = last else { return get_all(context, key, &steps) };
    let (bytes, has_grown) = bytes_up_to(context, key, last)?;
    let mut replies = Vec::new();
    let mut changes = 0;
    for Step { work, integer, place, overflow } in steps {
        let old = integer.read(bytes, place);
        let new = match work {
            Work::Get => Some(old),
            Work::Set(value) => integer.assigned(value, overflow),
            Work::Increment(by) => integer.fitted(old + i128::from(by), overflow),
        };
        let Some(new) = new else {
            replies.push(Reply::Null);
            continue;
        };
        if !matches!(work, Work::Get) {
            integer.write(bytes, place, new);
            changes += usize::from(has_grown || new != old);
        }
        let shown = if matches!(work, Work::Increment(_)) { new } else { old };
        replies.push(Reply::Integer(shown as i64));
    }
    if changes > 0 {
        context.changed_times(key, changes);
        context.notify(Event::String, "setbit", key);
    }
    Ok(Reply::Array(replies))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::random::Random;

    fn random_bytes(random: &mut Random, length: usize) -> Vec<u8> {
        (0..length).map(|_| random.next() as u8).collect()
    }

    #[test]
    fn bits_are_counted_one_by_one_or_not() {
        let mut random = Random::new(1);
        for length in 1..40 {
            let bytes = random_bytes(&mut random, length);
            let bits = length as u64 * 8;
            for first in 0..bits {
                let expected = (first..bits).map(|place| u64::from(bit(&bytes, place)));
                for (last, expected) in (first..bits).zip(expected.scan(0, |sum, one| {
                    *sum += one;
                    Some(*sum)
                })) {
                    assert_eq!(count(&bytes, first, last), expected, "{length} {first} {last}");
                }
            }
        }
    }

    #[test]
    fn bits_are_found_one_by_one_or_not() {
        for (length, wanted) in (1..40).flat_map(|length| [(length, false), (length, true)]) {
            let bits = length as u64 * 8;
            for place in (0..bits).step_by(3) {
                let mut bytes = vec![if wanted { 0x00 } else { 0xff }; length];
                set_bit(&mut bytes, place, wanted);
                for (first, last) in (0..bits).flat_map(|first| [(first, bits - 1), (0, first)]) {
                    let expected = (first..=last).contains(&place).then_some(place);
                    assert_eq!(position(&bytes, wanted, first, last), expected, "{first} {last}");
                }
            }
        }
    }

    #[test]
    fn strings_are_combined_byte_by_byte_or_not() {
        let ways: [(fn(u64, u64) -> u64, fn(u8, u8) -> u8); 3] = [
            (|a, b| a & b, |a, b| a & b),
            (|a, b| a | b, |a, b| a | b),
            (|a, b| a ^ b, |a, b| a ^ b),
        ];
        let mut random = Random::new(2);
        for (length, other) in (0..40).flat_map(|one| (0..40).map(move |other| (one, other))) {
            let bytes = random_bytes(&mut random, length);
            let others = random_bytes(&mut random, other);
            for (how, by_byte) in ways {
                let at = |bytes: &[u8], place: usize| bytes.get(place).copied().unwrap_or(0);
                let expected: Vec<u8> = (0..length.max(other))
                    .map(|place| by_byte(at(&bytes, place), at(&others, place)))
                    .collect();
                let mut found = bytes.clone();
                combine(&mut found, &others, how);
                assert_eq!(found, expected, "{length} {other}");
            }
        }
    }
}
