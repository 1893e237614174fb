//! Defines the table library. Sorting compares in PUC-Rio's order, since a script can watch it.

use super::base::Result;
use crate::machine::{
    Arguments, Continue, Fault, Flow, Machine, NativeFunction, Outcome, Protection, QuickFunction,
};
use crate::operators::Event;
use crate::packed::Packed;
use crate::table::Table;
use crate::value::Value;

/// The functions.
pub const FUNCTIONS: &[(&str, NativeFunction)] = &[
    ("concat", concat),
    ("foreach", foreach),
    ("foreachi", foreachi),
    ("getn", getn),
    ("insert", insert),
    ("maxn", maxn),
    ("remove", remove),
    ("setn", setn),
    ("sort", sort),
];

/// Those that are done without a frame.
const SHORT_CUTS: &[(&str, QuickFunction)] = &[
    ("getn", |machine, arguments| {
        let table = machine.packed_argument(arguments, 1).as_table()?;
        Some([Packed::computed(table.quick_length()? as f64), Packed::NIL])
    }),
    ("insert", |machine, arguments| {
        let (table, value) = machine.pair_of_arguments(arguments)?;
        let table = table.as_table()?;
        let place = Packed::computed(table.length() as f64 + 1.0);
        table.set_plainly(machine.mc, place, value).then_some([Packed::NIL; 2])
    }),
];

/// Puts the library into the globals.
pub fn open(machine: &mut Machine) {
    machine.library("table", FUNCTIONS, SHORT_CUTS);
}

fn at(table: Table<'_>, index: i64) -> Value<'_> {
    table.get(Value::Number(index as f64))
}

fn put<'gc>(
    machine: &mut Machine<'_, 'gc>,
    table: Table<'gc>,
    index: i64,
    value: Value<'gc>,
) -> std::result::Result<(), Fault<'gc>> {
    machine.raw_set(table, Value::Number(index as f64), value)
}

fn concat<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    machine.optional_string(arguments, 2)?;
    let table = machine.check_table(arguments, 1)?;
    let first = i64::from(machine.optional_integer(arguments, 3, 1)? as i32);
    let last = match machine.argument(arguments, 4) {
        Value::Nil => table.length() as i64,
        _ => i64::from(machine.check_integer(arguments, 4)? as i32),
    };
    Joining { next: first, last, out: Vec::new() }.go_on(machine, arguments)
}

/// `concat` at work.
struct Joining {
    next: i64,
    last: i64,
    out: Vec<u8>,
}

impl Joining {
    fn go_on<'gc>(self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let separator =
            machine.optional_string(arguments, 2)?.map_or(&b""[..], |text| text.bytes());
        let table = machine.check_table(arguments, 1)?;
        let Joining { next, last, mut out } = self;
        // What has been done, and not been paid for: bytes, and items of which each counts as many.
        let mut work = 0;
        for index in next..=last {
            if work > 1 << 14 {
                machine.pay_for_bytes(work);
                work = 0;
                if machine.fuel <= 0 {
                    return Ok(Flow::pause(Joining { next: index, last, out }, Joining::go_on));
                }
            }
            let value = at(table, index);
            let before = out.len();
            match value {
                Value::String(text) => out.extend_from_slice(text.bytes()),
                Value::Number(number) => {
                    out.extend_from_slice(&crate::number::format_number(number));
                }
                _ => {
                    let kind = value.type_name();
                    return Err(machine.error(format!(
                        "invalid value ({kind}) at index {index} in table for 'concat'"
                    )));
                }
            }
            if index < last {
                out.extend_from_slice(separator);
            }
            if out.len() > 1 << 12 {
                machine.check_memory(out.len())?;
            }
            // A number's text takes as long as the copy of many bytes.
            let item = if matches!(value, Value::Number(_)) { 256 } else { 4 };
            work += out.len() - before + item;
        }
        machine.pay_for_bytes(work);
        let text = machine.string(out);
        machine.push(text);
        Ok(Flow::Return(1))
    }
}

fn getn<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let length = machine.check_table(arguments, 1)?.length();
    machine.push(Value::Number(length as f64));
    Ok(Flow::Return(1))
}

fn setn<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    machine.check_table(arguments, 1)?;
    Err(machine.error("'setn' is obsolete"))
}

fn maxn<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    machine.check_table(arguments, 1)?;
    machine.push(Value::Nil);
    Largest(0.0).go_on(machine, arguments)
}

/// `maxn` at work: the largest key so far. The key that was last visited lies behind the arguments.
struct Largest(f64);

impl Largest {
    fn go_on<'gc>(mut self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let table = machine.check_table(arguments, 1)?;
        let slot = arguments.base + arguments.count;
        while let Ok(Some((key, _))) = table.next(machine.slot(slot)) {
            if let Value::Number(number) = key {
                self.0 = number.max(self.0);
            }
            machine.set_slot(slot, key);
            machine.fuel -= 1;
            if machine.fuel <= 0 {
                return Ok(Flow::pause(self, Largest::go_on));
            }
        }
        machine.give(Value::Number(self.0))
    }
}

fn insert<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let table = machine.check_table(arguments, 1)?;
    let end = table.length() as i64 + 1;
    let place = match arguments.count {
        2 => end,
        3 => {
            let place = i64::from(machine.check_integer(arguments, 2)? as i32);
            let end = end.max(place);
            return Shifting { hole: end, place }.go_on(machine, arguments);
        }
        _ => return Err(machine.error("wrong number of arguments to 'insert'")),
    };
    let value = machine.argument(arguments, arguments.count).into();
    let done = machine.set_in_slices(table, Packed::number(place as f64), value)?;
    Ok(if done { Flow::Return(0) } else { Flow::Again })
}

/// `insert` at work: it moves items up, the last one first. The place may be far below the first item.
struct Shifting {
    hole: i64,
    place: i64,
}

impl Shifting {
    fn go_on<'gc>(mut self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let table = machine.check_table(arguments, 1)?;
        while self.hole > self.place {
            let next = self.place.max(self.hole - 64);
            for index in (next + 1..=self.hole).rev() {
                put(machine, table, index, at(table, index - 1))?;
            }
            self.hole = next;
            machine.fuel -= 1;
            if machine.fuel <= 0 {
                return Ok(Flow::pause(self, Shifting::go_on));
            }
        }
        put(machine, table, self.place, machine.argument(arguments, 3))?;
        Ok(Flow::Return(0))
    }
}

fn remove<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let table = machine.check_table(arguments, 1)?;
    let end = table.length() as i64;
    let place = i64::from(machine.optional_integer(arguments, 2, end)? as i32);
    if !(1..=end).contains(&place) {
        return Ok(Flow::Return(0));
    }
    // What is removed has a slot of its own, as a continuation holds no values.
    machine.push(at(table, place));
    Closing { hole: place, end }.go_on(machine, arguments)
}

/// `remove` at work: it moves items down, the first one first.
struct Closing {
    hole: i64,
    end: i64,
}

impl Closing {
    fn go_on<'gc>(mut self, machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
        let table = machine.check_table(arguments, 1)?;
        while self.hole < self.end {
            let next = self.end.min(self.hole + 64);
            for index in self.hole..next {
                put(machine, table, index, at(table, index + 1))?;
            }
            self.hole = next;
            machine.fuel -= 1;
            if machine.fuel <= 0 {
                return Ok(Flow::pause(self, Closing::go_on));
            }
        }
        put(machine, table, self.end, Value::Nil)?;
        Ok(Flow::Return(1))
    }
}

// ---- foreach, foreachi

fn foreach<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    machine.check_table(arguments, 1)?;
    machine.check_function(arguments, 2)?;
    // The last key has a slot of its own, as a continuation holds no values.
    machine.push(Value::Nil);
    visit(machine, arguments)
}

fn visit<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let key_slot = arguments.base + arguments.count;
    let table = machine.check_table(arguments, 1)?;
    match table.next(machine.slot(key_slot)) {
        Ok(Some((key, value))) => {
            machine.set_slot(key_slot, key);
            machine.push(machine.argument(arguments, 2));
            machine.push(key);
            machine.push(value);
            Ok(Flow::Call { arguments: 2, protection: Protection::None, then: Box::new(Visited) })
        }
        Ok(None) => Ok(Flow::Return(0)),
        Err(_) => Err(machine.error_here("invalid key to 'next'")),
    }
}

/// A turn of `foreach` is over: a result that is not nil ends it.
struct Visited;

impl Continue for Visited {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        let result = machine.first_result(outcome);
        if !result.is_nil() {
            return machine.give(result);
        }
        machine.set_top(arguments.base + arguments.count + 1);
        visit(machine, arguments)
    }
}

fn foreachi<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let last = machine.check_table(arguments, 1)?.length() as i64;
    machine.check_function(arguments, 2)?;
    Box::new(Counting { index: 0, last }).resume(machine, arguments, Outcome::Resumed)
}

/// `foreachi` at work.
struct Counting {
    index: i64,
    last: i64,
}

impl Continue for Counting {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        let result = machine.first_result(outcome);
        if !result.is_nil() {
            return machine.give(result);
        }
        machine.set_top(arguments.base + arguments.count);
        self.index += 1;
        if self.index > self.last {
            return Ok(Flow::Return(0));
        }
        let table = machine.check_table(arguments, 1)?;
        machine.push(machine.argument(arguments, 2));
        machine.push(Value::Number(self.index as f64));
        machine.push(at(table, self.index));
        Ok(Flow::Call { arguments: 2, protection: Protection::None, then: self })
    }
}

// ---- sort

fn sort<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<'gc> {
    let last = machine.check_table(arguments, 1)?.length() as i64;
    if !machine.argument(arguments, 2).is_nil() {
        machine.check_function(arguments, 2)?;
    }
    // The pivot has a slot of its own, as a continuation holds no values.
    machine.push(Value::Nil);
    let sorting =
        Sorting { low: 1, high: last, up: 0, down: 0, at: Stage::Begin, left: Vec::new() };
    Box::new(sorting).resume(machine, arguments, Outcome::Resumed)
}

#[inline(always)]
fn item(table: Table<'_>, index: i64) -> Packed<'_> {
    // A wrong order function leads as far as to `t[0]`, no further.
    table.get_item(usize::try_from(index).unwrap_or_default())
}

/// Quicksort at work on the items `low..=high`; `left` are the ranges still to be sorted.
struct Sorting {
    low: i64,
    high: i64,
    /// How far the search from below and the one from above have come.
    up: i64,
    down: i64,
    at: Stage,
    left: Vec<(i64, i64)>,
}

/// Which comparison comes next, or has just been made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A new range.
    Begin,
    /// last < first
    Ends,
    /// middle < first
    MiddleFirst,
    /// last < middle
    LastMiddle,
    /// item < pivot, from below
    Up,
    /// pivot < item, from above
    Down,
}

impl Continue for Sorting {
    fn resume<'gc>(
        mut self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<'gc> {
        let table = machine.check_table(arguments, 1)?;
        let pivot_slot = arguments.base + arguments.count;
        let comparer = machine.packed_argument(arguments, 2);
        let mut answer = machine.first_result(outcome).is_true();
        machine.set_top(pivot_slot + 1);
        // If a pause came between a question and its answer, the question is asked again.
        let mut is_answered = matches!(outcome, Outcome::Returned(_)) || self.at == Stage::Begin;
        loop {
            if is_answered {
                if !self.advance(machine, table, pivot_slot, answer)? {
                    return Ok(Flow::Return(0));
                }
                machine.fuel -= 1;
                if machine.fuel <= 0 {
                    return Ok(Flow::Pause(self));
                }
            }
            answer = match self.compare(machine, table, comparer, pivot_slot)? {
                Some(answer) => answer,
                None => {
                    return Ok(Flow::Call {
                        arguments: 2,
                        protection: Protection::None,
                        then: self,
                    });
                }
            };
            is_answered = true;
        }
    }
}

impl Sorting {
    fn middle(&self) -> i64 {
        i64::midpoint(self.low, self.high)
    }

    /// Asks the question of the present stage. `None`: the function and its arguments have been pushed.
    #[inline(always)]
    fn compare<'gc>(
        &self,
        machine: &mut Machine<'_, 'gc>,
        table: Table<'gc>,
        comparer: Packed<'gc>,
        pivot_slot: usize,
    ) -> std::result::Result<Option<bool>, Fault<'gc>> {
        let (left, right) = match self.at {
            Stage::Begin => return Ok(Some(false)),
            Stage::Ends => (item(table, self.high), item(table, self.low)),
            Stage::MiddleFirst => (item(table, self.middle()), item(table, self.low)),
            Stage::LastMiddle => (item(table, self.high), item(table, self.middle())),
            Stage::Up => (item(table, self.up), machine.packed(pivot_slot)),
            Stage::Down => (machine.packed(pivot_slot), item(table, self.down)),
        };
        let mut function = comparer;
        if comparer.is_nil() {
            if let (Some(left), Some(right)) = (left.as_number(), right.as_number()) {
                return Ok(Some(left < right));
            }
            if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
                machine.pay_for_bytes(left.bytes().len().min(right.bytes().len()));
                return Ok(Some(left.bytes() < right.bytes()));
            }
            function = machine.handler_of(left, Event::Lt);
            let same_type = left.unpack().type_name() == right.unpack().type_name();
            if function.is_nil()
                || !same_type
                || !function.equals(machine.handler_of(right, Event::Lt))
            {
                return Err(machine.order_error(left.unpack(), right.unpack()));
            }
        }
        machine.push_packed(function);
        machine.push_packed(left);
        machine.push_packed(right);
        Ok(None)
    }

    fn swap<'gc>(
        machine: &mut Machine<'_, 'gc>,
        table: Table<'gc>,
        a: i64,
        b: i64,
    ) -> std::result::Result<(), Fault<'gc>> {
        let (first, second) = (item(table, a), item(table, b));
        machine.raw_set_packed(table, Packed::number(a as f64), second)?;
        machine.raw_set_packed(table, Packed::number(b as f64), first)
    }

    /// Acts on an answer; true if there is another question to ask.
    #[inline(always)]
    fn advance<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        table: Table<'gc>,
        pivot_slot: usize,
        answer: bool,
    ) -> std::result::Result<bool, Fault<'gc>> {
        let (low, high, middle) = (self.low, self.high, self.middle());
        match self.at {
            Stage::Begin => return Ok(self.next_range()),
            Stage::Ends => {
                if answer {
                    Self::swap(machine, table, low, high)?;
                }
                if high - low == 1 {
                    self.low = self.high;
                    return Ok(self.next_range());
                }
                self.at = Stage::MiddleFirst;
            }
            Stage::MiddleFirst if answer => {
                Self::swap(machine, table, middle, low)?;
                return self.partition(machine, table, pivot_slot);
            }
            Stage::MiddleFirst => self.at = Stage::LastMiddle,
            Stage::LastMiddle => {
                if answer {
                    Self::swap(machine, table, middle, high)?;
                }
                return self.partition(machine, table, pivot_slot);
            }
            Stage::Up if answer => {
                if self.up > high {
                    return Err(machine.error("invalid order function for sorting"));
                }
                self.up += 1;
            }
            Stage::Up => {
                self.down -= 1;
                self.at = Stage::Down;
            }
            Stage::Down if answer => {
                if self.down < low {
                    return Err(machine.error("invalid order function for sorting"));
                }
                self.down -= 1;
            }
            Stage::Down if self.down < self.up => {
                Self::swap(machine, table, high - 1, self.up)?;
                // The larger part is gone on with; the smaller one is sorted first.
                let split = self.up;
                let (smaller, larger) = if split - low < high - split {
                    ((low, split - 1), (split + 1, high))
                } else {
                    ((split + 1, high), (low, split - 1))
                };
                self.left.push(larger);
                self.left.push(smaller);
                self.low = self.high;
                return Ok(self.next_range());
            }
            Stage::Down => {
                Self::swap(machine, table, self.up, self.down)?;
                self.up += 1;
                self.at = Stage::Up;
            }
        }
        Ok(true)
    }

    /// The middle has become the pivot: it is put aside, and the searches begin.
    fn partition<'gc>(
        &mut self,
        machine: &mut Machine<'_, 'gc>,
        table: Table<'gc>,
        pivot_slot: usize,
    ) -> std::result::Result<bool, Fault<'gc>> {
        if self.high - self.low == 2 {
            self.low = self.high;
            return Ok(self.next_range());
        }
        machine.set_slot(pivot_slot, item(table, self.middle()).unpack());
        Self::swap(machine, table, self.middle(), self.high - 1)?;
        self.up = self.low + 1;
        self.down = self.high - 1;
        self.at = Stage::Up;
        Ok(true)
    }

    /// Takes the next range with more than one item; false if there is none.
    fn next_range(&mut self) -> bool {
        while self.low >= self.high {
            let Some((low, high)) = self.left.pop() else { return false };
            (self.low, self.high) = (low, high);
        }
        self.at = Stage::Ends;
        true
    }
}
