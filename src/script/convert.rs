//! Converts between Lua's values and replies, both ways.

use crate::error::Error;
use crate::lua::machine::{Arguments, Continue, Fault, Flow, Machine, Outcome};
use crate::lua::number::to_long;
use crate::lua::table::Table;
use crate::lua::value::Value;
use crate::number::{c_string, parse_float};
use crate::resp::{Reply, Resp, format_decimal};
use std::vec;

/// Slots of the Lua stack that nested values may take, as the real server counts them: a table inside an array takes
/// one, a key and a value of a map three.
const MAX_SLOTS: usize = 7995;
/// Values that one reply may hold. A table that holds itself twice would otherwise never end.
const MAX_VALUES: usize = 4 << 20;
/// Bytes of the strings in it: a table may hold the same long string many times.
const MAX_BYTES: usize = 256 << 20;

/// The errors that a script's result holds, for the statistics.
#[derive(Default)]
pub struct Errors {
    /// The codes of those that nobody has counted yet.
    pub uncounted: Vec<Vec<u8>>,
    /// How many commands have counted when they failed.
    pub counted: u64,
}

impl Errors {
    /// Takes an error into account, of which this is the table.
    pub fn add(&mut self, table: Table<'_>, error: &Error) {
        if table.field(b"ignore_error_stats_update").is_true() {
            self.counted += 1;
        } else {
            self.uncounted.push(error.code().to_vec());
        }
    }
}

/// A script's result on its way to a reply, in slices. No recursion: a script decides how deep the value is.
///
/// The aggregates that are open lie behind the result on the machine's stack, each with the key that was last visited.
pub struct Conversion {
    /// What the script has set with `redis.setresp`.
    resp: Resp,
    open: Vec<Open>,
    values: usize,
    bytes: usize,
    /// The errors in it so far.
    pub errors: Errors,
}

/// An aggregate that is being converted.
struct Open {
    kind: Aggregate,
    items: Vec<Reply>,
    /// Items that have been visited.
    visited: usize,
    /// Stack slots that its items' conversion has in use.
    slots: usize,
}

enum Converted<'gc> {
    Reply(Reply),
    /// The table whose items come next, and the slots that they take.
    Open(Aggregate, Table<'gc>, usize),
}

/// Slots on our stack of an open aggregate: its table and a key.
const WIDTH: usize = 2;

impl Conversion {
    /// Of a script's first result.
    pub fn new(resp: Resp) -> Conversion {
        Conversion { resp, open: Vec::new(), values: 0, bytes: 0, errors: Errors::default() }
    }

    /// Goes on: the reply, or none if fuel is spent.
    pub fn go_on(&mut self, machine: &mut Machine<'_, '_>) -> Option<Reply> {
        loop {
            let slot = 1 + WIDTH * self.open.len();
            let converted = match self.open.last_mut() {
                None => {
                    let value = if machine.top() > 0 { machine.slot(0) } else { Value::Nil };
                    self.convert(value, 0)
                }
                Some(_) if machine.fuel <= 0 => return None,
                Some(top) => {
                    if let Some(value) = top.next(machine, slot - WIDTH) {
                        let slots = top.slots;
                        self.convert(value, slots)
                    } else {
                        machine.set_top(slot - WIDTH);
                        Converted::Reply(self.open.pop().map_or(Reply::Null, Open::close))
                    }
                }
            };
            machine.fuel -= 1;
            self.values += 1;
            if let Converted::Reply(Reply::Bulk(text)) = &converted {
                machine.pay_for_bytes(text.len());
                self.bytes += text.len();
            }
            if self.values > MAX_VALUES || self.bytes > MAX_BYTES {
                return Some(Reply::Error(Error::SCRIPT_REPLY_TOO_LARGE.0));
            }
            match converted {
                Converted::Open(kind, table, slots) => {
                    machine.set_top(slot + WIDTH);
                    machine.set_slot(slot, Value::Table(table));
                    machine.set_slot(slot + 1, Value::Nil);
                    self.open.push(Open { kind, items: Vec::new(), visited: 0, slots });
                }
                Converted::Reply(reply) => match self.open.last_mut() {
                    Some(parent) => parent.items.push(reply),
                    None => return Some(reply),
                },
            }
        }
    }

    fn convert<'gc>(&mut self, value: Value<'gc>, slots: usize) -> Converted<'gc> {
        if slots >= MAX_SLOTS {
            self.errors.uncounted.push(Error::SCRIPT_STACK.code().to_vec());
            return Converted::Reply(Reply::Error(Error::SCRIPT_STACK.0));
        }
        Converted::Reply(match value {
            Value::String(text) => Reply::bulk(text.bytes()),
            Value::Number(number) => Reply::Integer(to_long(number)),
            Value::Boolean(yes) if self.resp == Resp::V3 => Reply::Boolean(yes),
            Value::Boolean(true) => Reply::Integer(1),
            Value::Table(table) => return convert_table(table, slots, &mut self.errors),
            _ => Reply::Null,
        })
    }
}

impl Open {
    /// The item that comes next: of a map the keys and the values in turn, of an array up to the first nil.
    fn next<'gc>(&mut self, machine: &mut Machine<'_, 'gc>, slot: usize) -> Option<Value<'gc>> {
        let Value::Table(table) = machine.slot(slot) else { return None };
        self.visited += 1;
        match self.kind {
            Aggregate::Array => {
                let value = table.get_index(self.visited);
                (!value.is_nil()).then_some(value)
            }
            Aggregate::Map if self.visited.is_multiple_of(2) => {
                Some(table.get(machine.slot(slot + 1)))
            }
            Aggregate::Map | Aggregate::Set => {
                let (key, _) = table.next(machine.slot(slot + 1)).ok()??;
                machine.set_slot(slot + 1, key);
                Some(key)
            }
        }
    }

    fn close(self) -> Reply {
        match self.kind {
            Aggregate::Array => Reply::Array(self.items),
            Aggregate::Set => Reply::Set(self.items),
            Aggregate::Map => {
                let mut items = self.items.into_iter();
                let mut pairs = Vec::with_capacity(items.len() / 2);
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    pairs.push((key, value));
                }
                Reply::Map(pairs)
            }
        }
    }
}

/// A table is what its first known field says, else an array.
fn convert_table<'gc>(table: Table<'gc>, slots: usize, errors: &mut Errors) -> Converted<'gc> {
    if let Some(text) = string_field(table, "err") {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let text = c_string(text);
        let length = text.iter().rposition(|byte| !is_end(byte)).map_or(0, |last| last + 1);
        let error = Error::new(&text[..length]);
        errors.add(table, &error);
        return Converted::Reply(Reply::Error(error.0));
    }
    if let Some(text) = string_field(table, "ok") {
        return Converted::Reply(Reply::Status(Error::new(c_string(text)).0));
    }
    if let Value::Number(number) = table.field(b"double") {
        return Converted::Reply(Reply::Double(number));
    }
    if let Value::Table(map) = table.field(b"map") {
        return Converted::Open(Aggregate::Map, map, slots + 3);
    }
    if let Value::Table(set) = table.field(b"set") {
        return Converted::Open(Aggregate::Set, set, slots + 3);
    }
    if let Some(digits) = string_field(table, "big_number") {
        return Converted::Reply(Reply::BigNumber(Error::new(digits).0.into_owned()));
    }
    if let Value::Table(verbatim) = table.field(b"verbatim_string") {
        let text = string_field(verbatim, "string");
        let format = string_field(verbatim, "format");
        if let (Some(text), Some(format)) = (text, format) {
            let mut letters = *b"   ";
            letters.iter_mut().zip(c_string(format)).for_each(|(letter, byte)| *letter = *byte);
            return Converted::Reply(Reply::Verbatim(letters, text.to_vec()));
        }
    }
    Converted::Open(Aggregate::Array, table, slots + 1)
}

/// A field that is a string; a number is none.
fn string_field<'gc>(table: Table<'gc>, name: &str) -> Option<&'gc [u8]> {
    match table.field(name.as_bytes()) {
        Value::String(text) => Some(text.bytes()),
        _ => None,
    }
}

/// Gives a script a command's reply. A long one is converted in slices; it is never deep.
pub fn give_reply<'gc>(
    machine: &mut Machine<'_, 'gc>,
    arguments: Arguments,
    mut reply: Reply,
    resp: Resp,
) -> Result<Flow, Fault<'gc>> {
    if let Some(filling) = Filling::of(&mut reply, resp) {
        let table = machine.table(0, 0);
        machine.push(Value::Table(table));
        return Box::new(filling).resume(machine, arguments, Outcome::Resumed);
    }
    let value = to_lua(machine, &mut reply, resp);
    machine.give(value)
}

/// The elements of an aggregate on their way into a table, which lies behind the arguments.
struct Filling {
    kind: Aggregate,
    rest: vec::IntoIter<Reply>,
    /// Elements that the table has.
    stored: usize,
    resp: Resp,
}

/// How a script sees an aggregate.
enum Aggregate {
    /// The elements by number.
    Array,
    /// `map`: keys and values, which are in turn here.
    Map,
    /// `set`: the elements are the keys.
    Set,
}

impl Filling {
    /// Takes the elements out of an aggregate; `None` for any other reply.
    #[inline]
    fn of(reply: &mut Reply, resp: Resp) -> Option<Filling> {
        let kind = match reply {
            Reply::Map(_) if resp == Resp::V3 => Aggregate::Map,
            Reply::Set(_) if resp == Resp::V3 => Aggregate::Set,
            Reply::Array(_) | Reply::Push(_) | Reply::Map(_) | Reply::Set(_) => Aggregate::Array,
            _ => return None,
        };
        Some(Filling { kind, rest: reply.take_items().into_iter(), stored: 0, resp })
    }

    /// Stores elements until one is left over for the next slice (true), or none is left. Tables grow, as Redis's do:
    /// what `#` finds behind a hole, and the order of keys, depend on it.
    fn fill<'gc>(&mut self, machine: &mut Machine<'_, 'gc>, table: Table<'gc>) -> bool {
        while let Some(mut item) = self.rest.next() {
            let item = to_lua(machine, &mut item, self.resp);
            self.stored += 1;
            let (key, value) = match self.kind {
                Aggregate::Array => (Value::Number(self.stored as f64), item),
                Aggregate::Set => (item, Value::Boolean(true)),
                Aggregate::Map => match self.rest.next() {
                    Some(mut value) => (item, to_lua(machine, &mut value, self.resp)),
                    None => break,
                },
            };
            // A whole number is always a possible key, and no command has nil for one.
            let _ = table.set(machine.mc, key, value);
            machine.fuel -= 1;
            if machine.fuel <= 0 && self.rest.len() > 0 {
                return true;
            }
        }
        false
    }

    /// What the script gets, now that the table is full.
    fn close<'gc>(&self, machine: &mut Machine<'_, 'gc>, table: Table<'gc>) -> Value<'gc> {
        match self.kind {
            Aggregate::Array => Value::Table(table),
            Aggregate::Map => single(machine, "map", |_| Value::Table(table)),
            Aggregate::Set => single(machine, "set", |_| Value::Table(table)),
        }
    }
}

impl Continue for Filling {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        _: Outcome<'gc>,
    ) -> Result<Flow, Fault<'gc>> {
        let Value::Table(table) = machine.slot(arguments.base + arguments.count) else {
            return Ok(Flow::Return(0));
        };
        if self.fill(machine, table) {
            return Ok(Flow::Pause(self));
        }
        let value = self.close(machine, table);
        machine.give(value)
    }
}

/// A reply as a script sees it: in RESP2 as [`Reply::downgrade`] makes it.
fn to_lua<'gc>(machine: &mut Machine<'_, 'gc>, reply: &mut Reply, resp: Resp) -> Value<'gc> {
    if let Some(mut filling) = Filling::of(reply, resp) {
        let table = machine.table(0, 0);
        while filling.fill(machine, table) {}
        return filling.close(machine, table);
    }
    if resp == Resp::V2 {
        reply.downgrade();
    }
    match reply {
        Reply::Integer(number) => Value::Number(*number as f64),
        Reply::Bulk(bytes) => {
            machine.pay_for_bytes(bytes.len());
            machine.string(bytes)
        }
        Reply::Null | Reply::NullArray if resp == Resp::V3 => Value::Nil,
        Reply::Null | Reply::NullArray => Value::Boolean(false),
        Reply::Status(text) => single(machine, "ok", |machine| machine.string(text)),
        Reply::Error(text) => error_table(machine, text),
        Reply::Double(number) => single(machine, "double", |_| Value::Number(*number)),
        Reply::Decimal(number) => {
            // What is sent are 17 decimals, and what is read from them.
            let sent = parse_float(&format_decimal(*number)).unwrap_or(*number);
            single(machine, "double", |_| Value::Number(sent))
        }
        Reply::Boolean(yes) => Value::Boolean(*yes),
        Reply::BigNumber(digits) => single(machine, "big_number", |machine| machine.string(digits)),
        Reply::Verbatim(format, text) => {
            let table = machine.table(0, 2);
            let (text, format) = (machine.string(text), machine.string(format));
            machine.set_field(table, "string", text);
            machine.set_field(table, "format", format);
            single(machine, "verbatim_string", |_| Value::Table(table))
        }
        // Aggregates have been filled into tables.
        Reply::Array(_) | Reply::Push(_) | Reply::Map(_) | Reply::Set(_) => Value::Nil,
    }
}

/// A table with one field.
fn single<'a, 'gc>(
    machine: &mut Machine<'a, 'gc>,
    name: &str,
    value: impl FnOnce(&mut Machine<'a, 'gc>) -> Value<'gc>,
) -> Value<'gc> {
    let table = machine.table(0, 1);
    let value = value(machine);
    machine.set_field(table, name, value);
    Value::Table(table)
}

/// The table that stands for a status.
pub fn status_table<'gc>(machine: &mut Machine<'_, 'gc>, text: &[u8]) -> Value<'gc> {
    single(machine, "ok", |machine| machine.string(text))
}

/// The table that stands for an error of a command, which has been counted already.
pub fn error_table<'gc>(machine: &mut Machine<'_, 'gc>, text: &[u8]) -> Value<'gc> {
    let table = machine.table(0, 2);
    let text = machine.string(text);
    machine.set_field(table, "err", text);
    machine.set_field(table, "ignore_error_stats_update", Value::Boolean(true));
    Value::Table(table)
}
