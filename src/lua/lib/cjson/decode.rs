//! Defines `cjson.decode`: JSON text as a value.

use super::token::{Token, Tokens};
use super::{MAX_SLOTS, Setting, check_single, settings};
use crate::lib::base::Result;
use crate::machine::{Arguments, Continue, Fault, Flow, Machine, Outcome};
use crate::value::Value;

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
        tokens: Tokens::new(settings[Setting::DecodeInvalid as usize] != 0),
        expected: Expected::Value,
        levels: Vec::with_capacity(8),
        slots: 0,
    });
    decoding.resume(machine, arguments, Outcome::Resumed)
}

/// Decoding at work. The tables that are open lie behind the argument, each with the key whose value is read; an array
/// that is short has no table before it ends.
struct Decoding {
    max_depth: usize,
    tokens: Tokens,
    expected: Expected,
    levels: Vec<Level>,
    /// Slots that the open levels take in PUC-Rio's stack: an array one, an object two.
    slots: usize,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    Value,
    /// An array's first item, or its end.
    FirstItem,
    /// A comma and an item, or the array's end.
    NextItem,
    /// An object's first key, or its end.
    FirstKey,
    Key,
    Colon,
    /// A comma and a field, or the object's end.
    NextField,
    /// The end of the text, whose value lies behind the argument.
    End,
    /// Nothing is read: a value waits behind the open tables to be put where it belongs.
    Settling,
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

impl Expected {
    fn name(self) -> &'static str {
        match self {
            Expected::Value | Expected::FirstItem => "value",
            Expected::NextItem => "comma or array end",
            Expected::FirstKey | Expected::Key => "object key string",
            Expected::Colon => "colon",
            Expected::NextField => "comma or object end",
            Expected::End | Expected::Settling => "the end",
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
        let first_slot = arguments.base + arguments.count;
        // Those of the arrays that are open, outermost first. No garbage is collected before we return.
        let mut items = Vec::new();
        if self.run(machine, first_slot, text.bytes(), &mut items)? {
            return machine.give(machine.slot(first_slot));
        }
        self.store_all(machine, first_slot, &items);
        Ok(Flow::Pause(self))
    }
}

impl Decoding {
    /// Reads on: to the end of the text, or until fuel is spent. Whether it was the end.
    fn run<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        first_slot: usize,
        text: &[u8],
        items: &mut Vec<Value<'gc>>,
    ) -> std::result::Result<bool, Fault<'gc>> {
        use Expected::{Colon, End, FirstItem, FirstKey, Key, NextField, NextItem, Settling};
        loop {
            // Behind the open tables.
            let slot = first_slot + WIDTH * self.levels.len();
            if self.expected == Settling {
                if machine.fuel <= 0 {
                    return Ok(false);
                }
                self.expected = self.settle(machine, slot, text, machine.slot(slot), items)?;
                continue;
            }
            self.expected = match (self.expected, self.tokens.next(machine, text)?) {
                (_, Token::Unfinished) => return Ok(false),
                (Expected::Value | FirstItem, Token::Value(value)) => {
                    self.settle(machine, slot, text, value, items)?
                }
                (Expected::Value | FirstItem, Token::Mark(b'[')) => {
                    let level = Level::Array { stored: 0, waiting: 0 };
                    self.enter(machine, slot, level, Value::Nil)?;
                    FirstItem
                }
                (Expected::Value | FirstItem, Token::Mark(b'{')) => {
                    let table = Value::Table(machine.table(0, 0));
                    self.enter(machine, slot, Level::Object, table)?;
                    FirstKey
                }
                (FirstKey | Key, Token::Value(key @ Value::String(_))) => {
                    machine.set_slot(slot - 1, key);
                    // The colon nearly always is the next byte: that saves a turn.
                    if self.tokens.skip(text, b':') { Expected::Value } else { Colon }
                }
                (Colon, Token::Mark(b':')) | (NextItem, Token::Mark(b',')) => Expected::Value,
                (NextField, Token::Mark(b',')) => Key,
                (FirstItem | NextItem, Token::Mark(b']'))
                | (FirstKey | NextField, Token::Mark(b'}')) => {
                    let slot = slot - WIDTH;
                    let table = self.leave(machine, slot, items);
                    self.settle(machine, slot, text, table, items)?
                }
                (End, Token::Mark(0)) => return Ok(true),
                (expected, token) => {
                    let (expected, name, place) =
                        (expected.name(), token.name(), self.tokens.start + 1);
                    return Err(machine.error(format!(
                        "Expected {expected} but found {name} at character {place}"
                    )));
                }
            };
        }
    }

    /// Opens a table in the slot behind the others; its first token has just been read.
    fn enter<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        slot: usize,
        level: Level,
        table: Value<'gc>,
    ) -> std::result::Result<(), Fault<'gc>> {
        let depth = self.levels.len() + 1;
        if depth > self.max_depth || self.slots + level.slots() + OTHER_SLOTS > MAX_SLOTS {
            let place = self.tokens.start + 1;
            return Err(machine.error(format!(
                "Found too many nested data structures ({depth}) at character {place}"
            )));
        }
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
        slot: usize,
        items: &mut Vec<Value<'gc>>,
    ) -> Value<'gc> {
        let Some(mut level) = self.levels.pop() else { return Value::Nil };
        self.slots -= level.slots();
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

    /// Puts a value where it belongs, if there is fuel for that; otherwise into `slot`, behind the open tables.
    fn settle<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        slot: usize,
        text: &[u8],
        value: Value<'gc>,
        items: &mut Vec<Value<'gc>>,
    ) -> std::result::Result<Expected, Fault<'gc>> {
        let Some(level) = self.levels.last_mut().filter(|_| machine.fuel > 0) else {
            machine.set_top(slot + 1);
            machine.set_slot(slot, value);
            return Ok(if self.levels.is_empty() { Expected::End } else { Expected::Settling });
        };
        machine.fuel -= 1;
        let table = slot - WIDTH;
        if let Level::Array { waiting, .. } = level {
            items.push(value);
            *waiting += 1;
            if *waiting == WAITING {
                level.store(machine, table, items);
            }
            // A comma nearly always is the next byte: that saves a turn.
            let goes_on = self.tokens.skip(text, b',');
            return Ok(if goes_on { Expected::Value } else { Expected::NextItem });
        }
        let key = machine.slot(table + 1).into();
        if let Value::Table(table) = machine.slot(table)
            && !machine.set_in_slices(table, key, value.into())?
        {
            machine.set_top(slot + 1);
            machine.set_slot(slot, value);
            return Ok(Expected::Settling);
        }
        Ok(if self.tokens.skip(text, b',') { Expected::Key } else { Expected::NextField })
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
