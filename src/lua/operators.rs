//! Defines what operators do with any values: metamethods, conversions and the errors of wrong operands.

use super::machine::{After, Fault, Machine};
use super::number::{modulo, power};
use super::packed::Packed;
use super::table::Table;
use super::value::{Str, Value};

/// The names of the events that metatables answer, in the order of [`Event`].
pub(super) const EVENTS: [&str; 18] = [
    "__index",
    "__newindex",
    "__eq",
    "__len",
    "__call",
    "__add",
    "__sub",
    "__mul",
    "__div",
    "__mod",
    "__pow",
    "__unm",
    "__lt",
    "__le",
    "__concat",
    "__tostring",
    "__metatable",
    "__mode",
];

/// An event that metatables answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// `t[k]` finds nothing.
    Index,
    /// `t[k] = v` where nothing is.
    NewIndex,
    /// `==`
    Eq,
    /// `#`
    Len,
    /// A call.
    Call,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// Unary `-`
    Unm,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `..`
    Concat,
    /// `tostring`
    ToString,
    /// `getmetatable`
    Metatable,
    /// Weak tables.
    Mode,
}

/// Metatables in a row that an index goes through.
const MAX_LOOP: usize = 100;
/// What is formatted of a number in a concatenation is at most this long.
const NUMBER_TEXT: usize = 32;

/// What [`Machine::look_up`] comes to.
pub(crate) enum LookUp<'gc> {
    /// A value, nil if there is none.
    Found(Packed<'gc>),
    /// `handler(object, key)` has the answer.
    Ask { handler: Packed<'gc>, object: Packed<'gc> },
}

impl<'gc> Machine<'_, 'gc> {
    /// The metatable of a value.
    pub fn metatable(&self, value: Value<'gc>) -> Option<Table<'gc>> {
        self.metatable_of(value.into())
    }

    #[inline(always)]
    fn metatable_of(&self, value: Packed<'gc>) -> Option<Table<'gc>> {
        match value.as_table() {
            Some(table) => table.metatable(),
            None => value.as_str().and(self.state.string_metatable),
        }
    }

    /// What a value's metatable has for an event; nil if nothing.
    pub fn metamethod(&self, value: Value<'gc>, event: Event) -> Value<'gc> {
        self.handler_of(value.into(), event).unpack()
    }

    /// See [`Machine::metamethod`].
    #[inline]
    pub(crate) fn handler_of(&self, value: Packed<'gc>, event: Event) -> Packed<'gc> {
        self.metatable_of(value).map_or(Packed::NIL, |metatable| self.handler(metatable, event))
    }

    #[inline(always)]
    fn handler(&self, metatable: Table<'gc>, event: Event) -> Packed<'gc> {
        metatable.handler(self.mc, event, self.state.events[event as usize])
    }

    /// Calls a metamethod; what `after` says is done with its result, when it comes. `slot` is where it goes, if it
    /// goes anywhere.
    fn call_metamethod(
        &mut self,
        handler: Packed<'gc>,
        operands: &[Packed<'gc>],
        after: After,
        slot: usize,
    ) -> Result<(), Fault<'gc>> {
        let function = self.thread.top;
        self.push_packed(handler);
        for operand in operands {
            self.push_packed(*operand);
        }
        self.call(function, operands.len(), slot as i32, after)
    }

    /// `value[key]`, through tables up to a value or a function to ask. `register` is where the value is, for the
    /// error.
    pub(crate) fn look_up(
        &mut self,
        value: Packed<'gc>,
        key: Packed<'gc>,
        register: Option<usize>,
    ) -> Result<LookUp<'gc>, Fault<'gc>> {
        self.pay_for_key(key);
        let mut object = value;
        for turn in 0..MAX_LOOP {
            let handler = if let Some(table) = object.as_table() {
                let found = table.get_packed(key);
                if !found.is_nil() {
                    return Ok(LookUp::Found(found));
                }
                let handler = match table.metatable() {
                    Some(metatable) => self.handler(metatable, Event::Index),
                    None => Packed::NIL,
                };
                if handler.is_nil() {
                    return Ok(LookUp::Found(Packed::NIL));
                }
                handler
            } else {
                let handler = self.handler_of(object, Event::Index);
                if handler.is_nil() {
                    return Err(self.operand_error(
                        "index",
                        object,
                        register.filter(|_| turn == 0),
                    ));
                }
                handler
            };
            if handler.is_function() {
                return Ok(LookUp::Ask { handler, object });
            }
            object = handler;
        }
        Err(self.error_here("loop in gettable"))
    }

    /// What `value:name()` calls, without a call of ours, where that takes no more than a look into the value and into the table that its
    /// metatable has for `__index`: as nearly every method is found.
    #[inline(always)]
    pub(super) fn quick_method(
        &self,
        value: Packed<'gc>,
        name: Packed<'gc>,
    ) -> Option<Packed<'gc>> {
        let metatable = if let Some(table) = value.as_table() {
            let found = table.quick_field(name)?;
            if !found.is_nil() {
                return Some(found);
            }
            table.metatable()?
        } else {
            value.as_str().and(self.state.string_metatable)?
        };
        let index = Packed::string(*self.state.events.get(Event::Index as usize)?);
        let class = metatable.quick_field(index)?.as_table()?;
        class.quick_field(name).filter(|found| !found.is_nil())
    }

    /// `value[key]` into a slot. `register` is where the value is, for the error. Gives whether it is done: otherwise
    /// fuel is spent, and it is to be done again.
    pub(super) fn index(
        &mut self,
        value: Packed<'gc>,
        key: Packed<'gc>,
        slot: usize,
        register: Option<usize>,
    ) -> Result<bool, Fault<'gc>> {
        if !self.hash_key(key) {
            return Ok(false);
        }
        match self.look_up(value, key, register)? {
            LookUp::Found(found) => self.thread.stack[slot] = found,
            LookUp::Ask { handler, object } => {
                self.call_metamethod(handler, &[object, key], After::Store, slot)?;
            }
        }
        Ok(true)
    }

    /// `value[key] = new`, as [`Machine::index`].
    pub(super) fn set_index(
        &mut self,
        value: Packed<'gc>,
        key: Packed<'gc>,
        new: Packed<'gc>,
        register: Option<usize>,
    ) -> Result<bool, Fault<'gc>> {
        if !self.hash_key(key) {
            return Ok(false);
        }
        self.pay_for_key(key);
        let mut object = value;
        for turn in 0..MAX_LOOP {
            let handler = if let Some(table) = object.as_table() {
                let handler = match table.metatable() {
                    Some(metatable) => match self.handler(metatable, Event::NewIndex) {
                        handler if !handler.is_nil() && table.get_packed(key).is_nil() => {
                            // `luaV_settable` has made the key before it asks: the order of `pairs` shows it, and an
                            // impossible key is an error.
                            if !self.set_in_slices(table, key, Packed::NIL)? {
                                return Ok(false);
                            }
                            handler
                        }
                        _ => Packed::NIL,
                    },
                    None => Packed::NIL,
                };
                if handler.is_nil() {
                    return self.set_in_slices(table, key, new);
                }
                handler
            } else {
                let handler = self.handler_of(object, Event::NewIndex);
                if handler.is_nil() {
                    return Err(self.operand_error(
                        "index",
                        object,
                        register.filter(|_| turn == 0),
                    ));
                }
                handler
            };
            if handler.is_function() {
                self.call_metamethod(handler, &[object, key, new], After::Discard, 0)?;
                return Ok(true);
            }
            object = handler;
        }
        Err(self.error_here("loop in settable"))
    }

    /// Sets a key without metamethods; an error if the table is read-only or the key impossible.
    pub fn raw_set(
        &mut self,
        table: Table<'gc>,
        key: Value<'gc>,
        value: Value<'gc>,
    ) -> Result<(), Fault<'gc>> {
        self.raw_set_packed(table, key.into(), value.into())
    }

    /// See [`Machine::raw_set`].
    #[inline]
    pub(crate) fn raw_set_packed(
        &mut self,
        table: Table<'gc>,
        key: Packed<'gc>,
        value: Packed<'gc>,
    ) -> Result<(), Fault<'gc>> {
        if table.is_read_only() {
            return Err(self.error_here("Attempt to modify a readonly table"));
        }
        table.set_packed(self.mc, key, value).map_err(|error| self.key_error(error))
    }

    /// An arithmetic operator on any values, its result into a slot. `registers` are where the operands are.
    pub(super) fn arithmetic(
        &mut self,
        event: Event,
        left: Packed<'gc>,
        right: Packed<'gc>,
        slot: usize,
        registers: (Option<usize>, Option<usize>),
    ) -> Result<(), Fault<'gc>> {
        let numbers = (self.number_of(left.unpack()), self.number_of(right.unpack()));
        if let (Some(a), Some(b)) = numbers {
            let result = match event {
                Event::Add => a + b,
                Event::Sub => a - b,
                Event::Mul => a * b,
                Event::Div => a / b,
                Event::Mod => modulo(a, b),
                Event::Pow => power(a, b),
                _ => -a,
            };
            self.thread.stack[slot] = Packed::number(result);
            return Ok(());
        }
        let mut handler = self.handler_of(left, event);
        if handler.is_nil() {
            handler = self.handler_of(right, event);
        }
        if handler.is_nil() {
            let (culprit, register) =
                if numbers.0.is_none() { (left, registers.0) } else { (right, registers.1) };
            return Err(self.operand_error("perform arithmetic on", culprit, register));
        }
        self.call_metamethod(handler, &[left, right], After::Store, slot)
    }

    /// `#value` into a slot.
    pub(super) fn length(
        &mut self,
        value: Packed<'gc>,
        slot: usize,
        register: Option<usize>,
    ) -> Result<(), Fault<'gc>> {
        let length = match value.unpack() {
            Value::Table(table) => table.length(),
            Value::String(text) => text.bytes().len(),
            _ => {
                let handler = self.handler_of(value, Event::Len);
                if handler.is_nil() {
                    return Err(self.operand_error("get length of", value, register));
                }
                return self.call_metamethod(handler, &[value, Packed::NIL], After::Store, slot);
            }
        };
        self.thread.stack[slot] = Packed::number(length as f64);
        Ok(())
    }

    /// The metamethod of a comparison: both operands must have the same one.
    fn comparer(&self, left: Packed<'gc>, right: Packed<'gc>, event: Event) -> Option<Packed<'gc>> {
        let handler = self.handler_of(left, event);
        (!handler.is_nil() && handler.equals(self.handler_of(right, event))).then_some(handler)
    }

    /// `left == right`: the answer, or a metamethod is called and the comparison of the frame goes on after it.
    pub(super) fn equal(
        &mut self,
        left: Packed<'gc>,
        right: Packed<'gc>,
        wanted: bool,
    ) -> Result<Option<bool>, Fault<'gc>> {
        if let (Some(a), Some(b)) = (left.as_table(), right.as_table())
            && a != b
            && let Some(handler) = self.comparer(left, right, Event::Eq)
        {
            self.call_metamethod(handler, &[left, right], After::Compare(wanted), 0)?;
            return Ok(None);
        }
        self.pay_for_comparison(left, right);
        Ok(Some(left.equals(right)))
    }

    /// A string that is a key may have to be compared to its end.
    pub(crate) fn pay_for_key(&mut self, key: Packed<'gc>) {
        if let Some(text) = key.as_str() {
            self.pay_for_bytes(text.bytes().len());
        }
    }

    /// Two strings may have to be compared to their end.
    pub(crate) fn pay_for_comparison(&mut self, left: Packed<'gc>, right: Packed<'gc>) {
        if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
            self.pay_for_bytes(left.bytes().len().min(right.bytes().len()));
        }
    }

    /// `left < right`, as [`Machine::equal`].
    pub(super) fn less(
        &mut self,
        left: Packed<'gc>,
        right: Packed<'gc>,
        wanted: bool,
    ) -> Result<Option<bool>, Fault<'gc>> {
        self.pay_for_comparison(left, right);
        match (left.unpack(), right.unpack()) {
            (Value::Number(a), Value::Number(b)) => return Ok(Some(a < b)),
            (Value::String(a), Value::String(b)) => return Ok(Some(a < b)),
            _ => {}
        }
        if left.unpack().type_name() == right.unpack().type_name()
            && let Some(handler) = self.comparer(left, right, Event::Lt)
        {
            self.call_metamethod(handler, &[left, right], After::Compare(wanted), 0)?;
            return Ok(None);
        }
        Err(self.order_error(left.unpack(), right.unpack()))
    }

    /// `left <= right`, as [`Machine::equal`]; without `__le` it is `not (right < left)`.
    pub(super) fn less_equal(
        &mut self,
        left: Packed<'gc>,
        right: Packed<'gc>,
        wanted: bool,
    ) -> Result<Option<bool>, Fault<'gc>> {
        self.pay_for_comparison(left, right);
        match (left.unpack(), right.unpack()) {
            (Value::Number(a), Value::Number(b)) => return Ok(Some(a <= b)),
            (Value::String(a), Value::String(b)) => return Ok(Some(a <= b)),
            _ => {}
        }
        if left.unpack().type_name() == right.unpack().type_name() {
            if let Some(handler) = self.comparer(left, right, Event::Le) {
                self.call_metamethod(handler, &[left, right], After::Compare(wanted), 0)?;
                return Ok(None);
            }
            if let Some(handler) = self.comparer(right, left, Event::Lt) {
                self.call_metamethod(handler, &[right, left], After::Compare(!wanted), 0)?;
                return Ok(None);
            }
        }
        Err(self.order_error(left.unpack(), right.unpack()))
    }

    /// The error of an order comparison. PUC-Rio takes two type names for equal when their third letters are.
    pub(crate) fn order_error(&mut self, left: Value<'gc>, right: Value<'gc>) -> Fault<'gc> {
        let (a, b) = (left.type_name(), right.type_name());
        if a.as_bytes()[2] == b.as_bytes()[2] {
            self.error_here(format!("attempt to compare two {a} values"))
        } else {
            self.error_here(format!("attempt to compare {a} with {b}"))
        }
    }

    /// Concatenates the values of the slots `first..=last` into `target`, from the right.
    pub(super) fn concat(
        &mut self,
        first: usize,
        last: usize,
        target: usize,
    ) -> Result<(), Fault<'gc>> {
        let mut last = last;
        let is_text = |value: Packed<'_>| value.as_number().is_some() || value.as_str().is_some();
        while last > first {
            let (left, right) = (self.thread.stack[last - 1], self.thread.stack[last]);
            if !is_text(left) || !is_text(right) {
                let mut handler = self.handler_of(left, Event::Concat);
                if handler.is_nil() {
                    handler = self.handler_of(right, Event::Concat);
                }
                if handler.is_nil() {
                    let (culprit, slot) =
                        if is_text(left) { (right, last) } else { (left, last - 1) };
                    return Err(self.operand_error("concatenate", culprit, Some(slot)));
                }
                let slot = last - 1;
                return self.call_metamethod(handler, &[left, right], After::Concat, slot);
            }
            let texts =
                (first..=last).rev().take_while(|slot| is_text(self.thread.stack[*slot])).count();
            let start = last + 1 - texts;
            let length =
                |value: &Packed<'_>| value.as_str().map_or(NUMBER_TEXT, |text| text.bytes().len());
            let size: usize = self.thread.stack[start..=last].iter().map(length).sum();
            if size > 1 << 12 {
                self.join(start, last, size)?;
                last = start;
                continue;
            }
            let mut bytes = std::mem::take(&mut self.state.joined);
            bytes.reserve(size);
            for value in &self.thread.stack[start..=last] {
                if let Some(text) = value.as_str() {
                    bytes.extend_from_slice(text.bytes());
                } else if let Some(number) = value.as_number() {
                    bytes.extend_from_slice(&super::number::format_number(number));
                }
            }
            self.thread.stack[start] = Packed::string(Str::new(self.mc, &bytes));
            bytes.clear();
            self.state.joined = bytes;
            last = start;
        }
        self.thread.stack[target] = self.thread.stack[first];
        Ok(())
    }

    /// Puts into the slot `first` what the strings and numbers of the slots up to `last` are together: a long string,
    /// which has at most `size` bytes. It is made in one copy.
    fn join(&mut self, first: usize, last: usize, size: usize) -> Result<(), Fault<'gc>> {
        self.check_memory(size)?;
        self.fuel -= (size >> 9) as i64;
        for value in &mut self.thread.stack[first..=last] {
            if let Some(number) = value.as_number() {
                *value = Packed::string(Str::new(self.mc, &super::number::format_number(number)));
            }
        }
        let texts = self.thread.stack[first..=last].iter();
        let texts = texts.filter_map(|value| value.as_str().map(Str::bytes));
        let length = texts.clone().map(<[u8]>::len).sum();
        self.thread.stack[first] = Packed::string(Str::joined(self.mc, length, texts));
        Ok(())
    }

    /// Goes on with the concatenation that the Lua function on top has begun: a metamethod has given the value of the
    /// slot `last`.
    pub(super) fn go_on_with_concat(&mut self, last: usize) -> Result<(), Fault<'gc>> {
        let Some(frame) = self.thread.frames.last() else { return Ok(()) };
        let Some(closure) = frame.closure else { return Ok(()) };
        let base = frame.base as usize;
        let instruction = closure.proto().code[frame.pc as usize - 1];
        self.concat(base + instruction.b() as usize, last, base + instruction.a() as usize)
    }

    /// `attempt to index local 'x' (a nil value)`: names the variable if the value is in a register that holds one.
    pub(super) fn operand_error(
        &mut self,
        what: &str,
        value: Packed<'gc>,
        slot: Option<usize>,
    ) -> Fault<'gc> {
        let kind = value.unpack().type_name();
        let name = slot.and_then(|slot| self.slot_name(slot));
        let mut text = format!("attempt to {what} ").into_bytes();
        match name {
            Some((role, name)) => {
                text.extend_from_slice(format!("{role} '").as_bytes());
                text.extend_from_slice(&name);
                text.extend_from_slice(format!("' (a {kind} value)").as_bytes());
            }
            None => text.extend_from_slice(format!("a {kind} value").as_bytes()),
        }
        self.error_here(text)
    }

    /// What the running Lua function calls the variable in a slot.
    fn slot_name(&self, slot: usize) -> Option<(&'static str, Vec<u8>)> {
        let frame = self.thread.frames.last()?;
        let pc = frame.pc.checked_sub(1)? as usize;
        let register = slot.checked_sub(frame.base as usize)?;
        super::debug::register_name(frame.closure?.proto(), pc, register as u32)
    }
}
