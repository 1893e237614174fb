//! Defines the cmsgpack library: values packed as `MessagePack`, and back. Nothing recurses: the tables that are open
//! lie on the stack, so that packing and unpacking may pause.

use super::base::Result;
use crate::machine::{
    Arguments, Continue, Fault, Flow, MAX_VALUES, Machine, NativeFunction, Outcome,
};
use crate::number::{canonical, from_single, to_long, to_single};
use crate::table::{KeyError, Table};
use crate::value::Value;

/// The functions.
pub const FUNCTIONS: &[(&str, NativeFunction)] = &[
    ("pack", pack),
    ("unpack", unpack),
    ("unpack_one", unpack_one),
    ("unpack_limit", unpack_limit),
];

/// What the library says of itself.
const FIELDS: &[(&str, &str)] = &[
    ("_NAME", "cmsgpack"),
    ("_VERSION", "lua-cmsgpack 0.4.0"),
    ("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"),
    ("_DESCRIPTION", "MessagePack C implementation for Lua"),
];

/// Tables in tables; one that lies deeper is packed as nil.
const MAX_NESTING: usize = 16;

/// Puts the library into the globals.
pub fn open(machine: &mut Machine) {
    let library = machine.library("cmsgpack", FUNCTIONS, &[]);
    for (name, text) in FIELDS {
        let text = machine.string(text);
        machine.set_field(library, name, text);
    }
}

// ---- Packing

fn pack<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    if arguments.count == 0 {
        return Err(machine.argument_error(0, "MessagePack pack needs input."));
    }
    if arguments.count * 2 > MAX_VALUES {
        return Err(machine.argument_error(0, "Too many arguments for MessagePack pack."));
    }
    let packing = Packing { out: Vec::new(), argument: 0, open: Vec::new() };
    Box::new(packing).resume(machine, arguments, Outcome::Resumed)
}

/// What has been packed, and where that goes on.
struct Packing {
    out: Vec<u8>,
    /// Arguments that are done, or open.
    argument: usize,
    /// The tables that are open; each lies on the stack with its last key above it.
    open: Vec<OpenTable>,
}

enum OpenTable {
    /// Items that are done, and all.
    Array(usize, usize),
    /// Whether the value of the last key is still to be packed.
    Map(bool),
}

impl Continue for Packing {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        _: Outcome<'gc>,
    ) -> Result<'gc> {
        loop {
            if machine.fuel <= 0 {
                return Ok(Flow::Pause(self));
            }
            machine.fuel -= 1;
            let Some(value) = self.next(machine, arguments) else { break };
            self.value(machine, value);
            machine.check_memory(self.out.len())?;
        }
        let packed = machine.string(&self.out);
        machine.give(packed)
    }
}

impl Packing {
    /// The value to be packed next; none behind the last. What ends is closed.
    fn next<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
    ) -> Option<Value<'gc>> {
        while let Some(open) = self.open.last_mut() {
            let key = machine.top() - 1;
            if let Value::Table(table) = machine.slot(key - 1) {
                match open {
                    OpenTable::Array(done, all) if *done < *all => {
                        *done += 1;
                        return Some(table.get_index(*done));
                    }
                    OpenTable::Map(has_key @ true) => {
                        *has_key = false;
                        return Some(table.get(machine.slot(key)));
                    }
                    OpenTable::Map(has_key) => {
                        if let Ok(Some((next, _))) = table.next(machine.slot(key)) {
                            *has_key = true;
                            machine.set_slot(key, next);
                            return Some(next);
                        }
                    }
                    OpenTable::Array(..) => {}
                }
            }
            machine.set_top(key - 1);
            self.open.pop();
        }
        self.argument += 1;
        (self.argument <= arguments.count).then(|| machine.argument(arguments, self.argument))
    }

    /// Packs a value; a table is opened.
    fn value<'gc>(&mut self, machine: &mut Machine<'_, 'gc>, value: Value<'gc>) {
        match value {
            Value::Boolean(value) => self.out.push(if value { 0xc3 } else { 0xc2 }),
            Value::Number(number) => self.number(number),
            Value::String(text) => {
                let text = text.bytes();
                machine.pay_for_bytes(text.len());
                match text.len() {
                    length @ ..32 => self.out.push(0xa0 | length as u8),
                    length @ ..0x100 => self.out.extend([0xd9, length as u8]),
                    length => self.length(0xda, 0xdb, length),
                }
                self.out.extend_from_slice(text);
            }
            Value::Table(table) if self.open.len() < MAX_NESTING => self.table(machine, table),
            _ => self.out.push(0xc0),
        }
    }

    /// The head of what is too long for one byte.
    fn length(&mut self, short: u8, long: u8, length: usize) {
        if let Ok(length) = u16::try_from(length) {
            self.out.push(short);
            self.out.extend(length.to_be_bytes());
        } else {
            self.out.push(long);
            // The memory limit leaves no room for more than 32 bits can count.
            self.out.extend((length as u32).to_be_bytes());
        }
    }

    fn number(&mut self, number: f64) {
        let integer = to_long(number);
        let out = &mut self.out;
        // 2^63 does not come back from a `long`.
        if integer as f64 != number || number >= 9_223_372_036_854_775_808.0 {
            if f64::from(number as f32) == number {
                out.push(0xca);
                out.extend(to_single(number).to_be_bytes());
            } else {
                out.push(0xcb);
                out.extend(canonical(number).to_bits().to_be_bytes());
            }
        } else if (-32..0x80).contains(&integer) {
            out.push(integer as u8);
        } else if let Ok(byte) = u8::try_from(integer) {
            out.extend([0xcc, byte]);
        } else if let Ok(number) = u16::try_from(integer) {
            out.push(0xcd);
            out.extend(number.to_be_bytes());
        } else if let Ok(number) = u32::try_from(integer) {
            out.push(0xce);
            out.extend(number.to_be_bytes());
        } else if integer >= 0 {
            out.push(0xcf);
            out.extend(integer.to_be_bytes());
        } else if let Ok(byte) = i8::try_from(integer) {
            out.extend([0xd0, byte.cast_unsigned()]);
        } else if let Ok(number) = i16::try_from(integer) {
            out.push(0xd1);
            out.extend(number.to_be_bytes());
        } else if let Ok(number) = i32::try_from(integer) {
            out.push(0xd2);
            out.extend(number.to_be_bytes());
        } else {
            out.push(0xd3);
            out.extend(integer.to_be_bytes());
        }
    }

    /// Packs the head of a table and opens it: an array if its keys are 1 to n, a map otherwise.
    fn table<'gc>(&mut self, machine: &mut Machine<'_, 'gc>, table: Table<'gc>) {
        let (mut count, mut largest, mut is_array) = (0usize, 0.0f64, true);
        let mut key = Value::Nil;
        while let Ok(Some((next, _))) = table.next(key) {
            count += 1;
            match next {
                Value::Number(number) if number > 0.0 && number.trunc() == number => {
                    largest = largest.max(number);
                }
                _ => is_array = false,
            }
            key = next;
        }
        is_array &= largest == count as f64;
        machine.fuel -= (count >> 2) as i64;
        let (small, short, long) = if is_array { (0x90, 0xdc, 0xdd) } else { (0x80, 0xde, 0xdf) };
        if count < 16 {
            self.out.push(small | count as u8);
        } else {
            self.length(short, long, count);
        }
        self.open.push(if is_array { OpenTable::Array(0, count) } else { OpenTable::Map(false) });
        machine.push(Value::Table(table));
        machine.push(Value::Nil);
    }
}

// ---- Unpacking

fn unpack<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    start(machine, arguments, 0, 0)
}

fn unpack_one<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let offset = machine.optional_integer(arguments, 2, 0)?;
    // The other arguments are dropped: they take no room on the stack.
    start(machine, Arguments { count: arguments.count.min(1), ..arguments }, 1, offset)
}

fn unpack_limit<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let limit = machine.check_integer(arguments, 2)?;
    let offset = machine.optional_integer(arguments, 3, 0)?;
    start(machine, Arguments { count: arguments.count.min(1), ..arguments }, limit, offset)
}

fn start<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    limit: i64,
    offset: i64,
) -> Result<'gc> {
    let data = machine.check_string(arguments, 1)?;
    machine.set_slot(arguments.base, Value::String(data));
    let length = data.bytes().len();
    // Redis prints C's ints here, and the length where it speaks of the limit.
    let (shown, shown_length) = (offset as i32, length as i32);
    let (Ok(at), Ok(limit)) = (u64::try_from(offset), u64::try_from(limit)) else {
        return Err(machine.error(format!(
            "Invalid request to unpack with offset of {shown} and limit of {shown_length}."
        )));
    };
    if at > length as u64 {
        return Err(machine
            .error(format!("Start offset {shown} greater than input length {shown_length}.")));
    }
    let limit = if limit == 0 && at == 0 { None } else { Some(limit) };
    let unpacking = Unpacking {
        at: at as usize,
        found: 0,
        limit,
        bottom: machine.top() - arguments.count,
        open: Vec::new(),
        waits: false,
    };
    Box::new(unpacking).resume(machine, arguments, Outcome::Resumed)
}

/// Where unpacking goes on.
struct Unpacking {
    at: usize,
    /// Values that are complete: they lie on the stack.
    found: u64,
    /// How many values are asked for; none if all are.
    limit: Option<u64>,
    /// Where the stack would begin if it held no arguments but those that Redis keeps.
    bottom: usize,
    /// The tables that are open; each lies on the stack, with the key of the next value above it.
    open: Vec<OpenInput>,
    /// The value on top of the stack could not be put into its table yet.
    waits: bool,
}

/// A table whose items come: how many are left, this one among them.
enum OpenInput {
    Array(u32),
    /// And whether the key has come, so that the value is next.
    Map(u32, bool),
}

/// What a byte of input stands for.
enum Item<'d> {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(&'d [u8]),
    Array(u32),
    Map(u32),
}

/// Why input cannot be unpacked.
enum BadInput {
    Missing,
    Format,
}

impl Continue for Unpacking {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        _: Outcome<'gc>,
    ) -> Result<'gc> {
        let Value::String(data) = machine.slot(arguments.base) else { return Ok(Flow::Return(0)) };
        let data = data.bytes();
        loop {
            if machine.fuel <= 0 {
                return Ok(Flow::Pause(self));
            }
            machine.fuel -= 1;
            if std::mem::take(&mut self.waits) {
                self.close(machine)?;
                continue;
            }
            if self.open.is_empty()
                && (self.at == data.len() || self.limit.is_some_and(|limit| self.found >= limit))
            {
                break;
            }
            self.item(machine, data)?;
        }
        let found = self.found as usize;
        if self.limit.is_none() {
            return Ok(Flow::Return(found));
        }
        self.check_stack(machine, 1, "in function mp_unpack_full")?;
        // The place behind the values comes first; -1 at the end.
        let place = if self.at == data.len() { -1.0 } else { self.at as f64 };
        let first = machine.top() - found;
        machine.push(Value::Nil);
        for slot in (first..first + found).rev() {
            machine.set_slot(slot + 1, machine.slot(slot));
        }
        machine.set_slot(first, Value::Number(place));
        Ok(Flow::Return(found + 1))
    }
}

impl Unpacking {
    /// Unpacks one item, and closes the tables that it completes.
    fn item<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        data: &[u8],
    ) -> std::result::Result<(), Fault<'gc>> {
        let rest = data.get(self.at..).unwrap_or_default();
        if !rest.is_empty() {
            self.check_stack(
                machine,
                1,
                "too many return values at once; use unpack_one or unpack_limit instead.",
            )?;
        }
        let (item, length) = read(rest).map_err(|bad| {
            machine.error(match bad {
                BadInput::Missing => "Missing bytes in input.",
                BadInput::Format => "Bad data format in input.",
            })
        })?;
        self.at += length;
        let value = match item {
            Item::Nil => Value::Nil,
            Item::Boolean(value) => Value::Boolean(value),
            Item::Number(number) => Value::Number(number),
            Item::Text(text) => {
                machine.pay_for_bytes(text.len());
                machine.check_memory(text.len())?;
                machine.string(text)
            }
            Item::Array(count) => {
                machine.check_memory(0)?;
                self.check_stack(machine, 2, "in function mp_decode_to_lua_array")?;
                let table = Value::Table(machine.table(0, 0));
                if count > 0 {
                    machine.push(table);
                    machine.push(Value::Number(1.0));
                    self.open.push(OpenInput::Array(count));
                    return Ok(());
                }
                table
            }
            Item::Map(count) => {
                machine.check_memory(0)?;
                let table = Value::Table(machine.table(0, 0));
                if count > 0 {
                    machine.push(table);
                    self.open.push(OpenInput::Map(count, false));
                    return Ok(());
                }
                table
            }
        };
        machine.push(value);
        self.close(machine)
    }

    /// The value on top is complete: it goes where it belongs, and so do the tables that it completes.
    fn close<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
    ) -> std::result::Result<(), Fault<'gc>> {
        loop {
            let value = machine.top() - 1;
            match self.open.last_mut() {
                None => {
                    self.found += 1;
                    return Ok(());
                }
                Some(OpenInput::Map(_, has_key @ false)) => {
                    *has_key = true;
                    return Ok(());
                }
                Some(_) => {}
            }
            let key = machine.slot(value - 1);
            if let Value::Table(table) = machine.slot(value - 2) {
                machine.check_memory(0)?;
                if key.is_nil() {
                    return Err(machine.key_error(KeyError::Nil));
                }
                let value = machine.slot(value).into();
                if !machine.set_in_slices(table, key.into(), value)? {
                    self.waits = true;
                    return Ok(());
                }
            }
            let left = match self.open.last_mut() {
                Some(OpenInput::Map(left, has_key)) => {
                    *has_key = false;
                    left
                }
                Some(OpenInput::Array(left)) => left,
                None => return Ok(()),
            };
            *left -= 1;
            let left = *left;
            machine.set_top(value - 1);
            match (self.open.last(), key) {
                (Some(OpenInput::Array(1..)), Value::Number(index)) => {
                    machine.push(Value::Number(index + 1.0));
                    return Ok(());
                }
                _ if left > 0 => return Ok(()),
                _ => drop(self.open.pop()),
            }
        }
    }

    /// Whether so many values more fit on the stack.
    fn check_stack<'gc>(
        &self,
        machine: &mut Machine<'_, 'gc>,
        values: usize,
        message: &str,
    ) -> std::result::Result<(), Fault<'gc>> {
        if machine.top() - self.bottom + values > MAX_VALUES {
            return Err(machine.error(format!("stack overflow ({message})")));
        }
        Ok(())
    }
}

/// The item that input begins with, and how many bytes it takes; an array or a map only its head.
fn read(input: &[u8]) -> std::result::Result<(Item<'_>, usize), BadInput> {
    let (&head, rest) = input.split_first().ok_or(BadInput::Missing)?;
    // An unsigned number of so many bytes behind the head.
    let number = |size: usize| {
        let bytes = rest.get(..size).ok_or(BadInput::Missing)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let text = |size: usize, length: u64| {
        let length = usize::try_from(length).map_err(|_| BadInput::Missing)?;
        let text = rest.get(size..).and_then(|rest| rest.get(..length));
        Ok((Item::Text(text.ok_or(BadInput::Missing)?), 1 + size + length))
    };
    let (item, size) = match head {
        0..=0x7f | 0xe0..=0xff => (Item::Number(f64::from(head.cast_signed())), 0),
        0x80..=0x8f => (Item::Map(u32::from(head & 15)), 0),
        0x90..=0x9f => (Item::Array(u32::from(head & 15)), 0),
        0xa0..=0xbf => return text(0, u64::from(head & 31)),
        0xc0 => (Item::Nil, 0),
        0xc2 | 0xc3 => (Item::Boolean(head == 0xc3), 0),
        0xca => (Item::Number(from_single(number(4)? as u32)), 4),
        0xcb => (Item::Number(canonical(f64::from_bits(number(8)?))), 8),
        0xcc => (Item::Number(number(1)? as f64), 1),
        0xcd => (Item::Number(number(2)? as f64), 2),
        0xce => (Item::Number(number(4)? as f64), 4),
        // Redis takes the unsigned 64 bits for signed ones too.
        0xcf | 0xd3 => (Item::Number(number(8)?.cast_signed() as f64), 8),
        0xd0 => (Item::Number(f64::from(number(1)? as i8)), 1),
        0xd1 => (Item::Number(f64::from(number(2)? as i16)), 2),
        0xd2 => (Item::Number(f64::from(number(4)? as i32)), 4),
        0xd9 => return text(1, number(1)?),
        0xda => return text(2, number(2)?),
        0xdb => return text(4, number(4)?),
        0xdc => (Item::Array(number(2)? as u32), 2),
        0xdd => (Item::Array(number(4)? as u32), 4),
        0xde => (Item::Map(number(2)? as u32), 2),
        0xdf => (Item::Map(number(4)? as u32), 4),
        0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => return Err(BadInput::Format),
    };
    Ok((item, 1 + size))
}
