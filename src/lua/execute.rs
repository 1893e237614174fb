//! Runs Lua instructions.
//!
//! Long because it is one loop, with every instruction in sight of the others.

// Registers and constants are read without a check of their index: a fifth of the time of a loop. What the function
// may name has been checked once, by `Proto::is_sound`.
#![allow(unsafe_code)]

use super::bytecode::{CONSTANT_BIT, FIELDS_PER_FLUSH, Instruction, OpCode};
use super::function::{Closure, ClosureState, Upvalue, Upvalues};
use super::machine::{After, Fault, Flow, Frame, MAX_NESTED, MULTIPLE, Machine};
use super::number::{modulo, power};
use super::operators::Event;
use super::packed::Packed;
use super::value::Value;
use gc_arena::Gc;

/// Why the machine stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// Fuel is spent, or memory wants to be collected.
    Paused,
    /// The script has returned; its results are on the stack.
    Finished,
    /// The script has failed.
    Failed,
}

/// Where the loop is: the code that runs and its registers.
///
/// Invariant: the closure's function is linked, so [`super::bytecode::Proto::is_sound`] has held for its code; `next`
/// points into that code and `constants` at its constants; `registers` points at slot `base` of a stack that has at
/// least the function's `max_stack` slots from there on. A stack may move whenever it grows, so whatever may push a
/// value is followed by a new look ([`Machine::place`]).
struct Place<'gc> {
    closure: Closure<'gc>,
    next: *const Instruction,
    constants: *const Packed<'gc>,
    registers: *mut Packed<'gc>,
    base: usize,
}

impl<'gc> Place<'gc> {
    #[inline(always)]
    fn fetch(&mut self) -> Instruction {
        // SAFETY: no instruction leads past the last one (the invariant).
        let instruction = unsafe { *self.next };
        self.jump(1);
        instruction
    }

    #[inline(always)]
    fn jump(&mut self, offset: i32) {
        // SAFETY: no jump leads out of the code (the invariant).
        self.next = unsafe { self.next.offset(offset as isize) };
    }

    /// The index of the next instruction.
    #[inline(always)]
    fn pc(&self) -> u32 {
        // SAFETY: both are in, or at the end of, the same code (the invariant).
        unsafe { self.next.offset_from(self.closure.function().code.as_ptr()) as u32 }
    }

    #[inline(always)]
    fn get(&self, register: u32) -> Packed<'gc> {
        // SAFETY: an instruction names only registers of its function (the invariant).
        unsafe { *self.registers.add(register as usize) }
    }

    #[inline(always)]
    fn set(&mut self, register: u32, value: Packed<'gc>) {
        // SAFETY: as in `get`.
        unsafe { *self.registers.add(register as usize) = value }
    }

    #[inline(always)]
    fn constant(&self, index: u32) -> Packed<'gc> {
        // SAFETY: an instruction names only constants of its function (the invariant).
        unsafe { *self.constants.add(index as usize) }
    }

    /// A register or a constant.
    #[inline(always)]
    fn operand(&self, operand: u32) -> Packed<'gc> {
        if operand & CONSTANT_BIT != 0 {
            self.constant(operand & !CONSTANT_BIT)
        } else {
            self.get(operand)
        }
    }

    /// The slot of a register.
    #[inline(always)]
    fn slot(&self, register: u32) -> usize {
        self.base + register as usize
    }

    /// The slot of an operand, if it is in a register.
    fn operand_slot(&self, operand: u32) -> Option<usize> {
        (operand & CONSTANT_BIT == 0).then(|| self.slot(operand))
    }
}

impl<'gc> Machine<'_, 'gc> {
    /// Runs until the script ends or fuel is spent.
    pub(super) fn run(&mut self) -> Stop {
        if let Some((value, can_catch)) = self.state.pending.take() {
            let fault = if can_catch { Fault::Error(value) } else { Fault::Interrupt(value) };
            if self.unwind(fault).is_err() {
                return Stop::Failed;
            }
        }
        loop {
            let result = match self.state.thread.frames.last() {
                None if self.state.resumers.is_empty() => return Stop::Finished,
                // The function of a coroutine has returned.
                None => self.leave_coroutine(self.state.thread.top),
                Some(_) if self.fuel <= 0 => return Stop::Paused,
                Some(Frame { closure: Some(_), .. }) => self.execute(),
                Some(_) => self.step_native(),
            };
            if let Err(fault) = result
                && self.unwind(fault).is_err()
            {
                return Stop::Failed;
            }
        }
    }

    /// Where the Lua function on top is; none if a native is on top.
    #[inline(always)]
    fn place(&mut self) -> Option<Place<'gc>> {
        let frame = self.state.thread.frames.last()?;
        let closure = frame.closure?;
        let (base, pc) = (frame.base as usize, frame.pc as usize);
        Some(self.place_of(closure, base, pc))
    }

    /// Where a Lua function is that has been entered and has its first register at `base`.
    #[inline(always)]
    fn place_of(&mut self, closure: Closure<'gc>, base: usize, pc: usize) -> Place<'gc> {
        let function = closure.function();
        debug_assert!(base + usize::from(function.max_stack) <= self.state.thread.stack.len());
        let constants = function.constants.as_ptr();
        // SAFETY: a frame's `pc` is 0 or what `Place::pc` gave.
        let next = unsafe { function.code.as_ptr().add(pc) };
        Place { closure, next, constants, registers: self.registers(base), base }
    }

    /// The register at slot `base`, which is the first one of a frame.
    #[inline(always)]
    fn registers(&mut self, base: usize) -> *mut Packed<'gc> {
        // SAFETY: `enter_lua` has made the stack reach behind the frame's last register, and it never shrinks.
        unsafe { self.state.thread.stack.as_mut_ptr().add(base) }
    }

    /// Runs the Lua function on top until a native that waits is on top, or fuel is spent.
    fn execute(&mut self) -> Result<(), Fault<'gc>> {
        let Some(mut at) = self.place() else { return Ok(()) };
        // The fuel that is left, while it is not in `self`.
        let mut fuel = self.fuel;

        macro_rules! save {
            () => {
                self.fuel = fuel;
                if let Some(frame) = self.state.thread.frames.last_mut() {
                    frame.pc = at.pc();
                }
            };
        }
        // Behind a push or pop of frames, or a growth of the stack: goes on with what is on top now.
        macro_rules! reload {
            () => {
                match self.place() {
                    Some(place) if self.fuel > 0 => {
                        at = place;
                        fuel = self.fuel;
                    }
                    _ => return Ok(()),
                }
            };
        }
        // What may fail, or call a metamethod: the frame must know where it is.
        macro_rules! careful {
            ($call:expr) => {{
                save!();
                $call?;
                reload!();
            }};
        }
        // Behind a jump back, a call's end: the slice may end here.
        macro_rules! spend {
            () => {
                fuel -= 1;
                if fuel <= 0 {
                    save!();
                    return Ok(());
                }
            };
        }
        // The jump that follows a comparison is taken with it.
        macro_rules! jump_if {
            ($taken:expr) => {
                if $taken {
                    let offset = at.fetch().sbx();
                    at.jump(offset);
                    if offset < 0 {
                        spend!();
                    }
                } else {
                    at.jump(1);
                }
            };
        }
        macro_rules! arithmetic {
            ($instruction:ident, $event:ident, $a:ident, $b:ident, $result:expr) => {{
                let (left, right) = (at.operand($instruction.b()), at.operand($instruction.c()));
                if let (Some($a), Some($b)) = (left.as_number(), right.as_number()) {
                    at.set($instruction.a(), $result);
                } else {
                    let places =
                        (at.operand_slot($instruction.b()), at.operand_slot($instruction.c()));
                    let target = at.slot($instruction.a());
                    careful!(self.arithmetic(Event::$event, left, right, target, places));
                }
            }};
        }
        // A comparison: skips the jump behind it, or takes it.
        macro_rules! compare {
            ($instruction:ident, $method:ident, $quick:expr) => {{
                let (left, right) = (at.operand($instruction.b()), at.operand($instruction.c()));
                let wanted = $instruction.a() != 0;
                let quick: Option<bool> = $quick(left, right);
                let answer = match quick {
                    Some(answer) => answer,
                    None => {
                        save!();
                        match self.$method(left, right, wanted)? {
                            Some(answer) => answer,
                            // A metamethod decides.
                            None => {
                                reload!();
                                continue;
                            }
                        }
                    }
                };
                jump_if!(answer == wanted);
            }};
        }
        loop {
            let instruction = at.fetch();
            // SAFETY: every instruction has a known opcode (the invariant).
            match unsafe { instruction.known_op() } {
                OpCode::Move => at.set(instruction.a(), at.get(instruction.b())),
                OpCode::LoadK => at.set(instruction.a(), at.constant(instruction.bx())),
                OpCode::LoadBool => {
                    at.set(instruction.a(), Packed::boolean(instruction.b() != 0));
                    if instruction.c() != 0 {
                        at.jump(1);
                    }
                }
                OpCode::LoadNil => {
                    for register in instruction.a()..=instruction.b() {
                        at.set(register, Packed::NIL);
                    }
                }
                OpCode::GetUpval => {
                    let upvalue = at.closure.0.upvalues.get(instruction.b() as usize);
                    let value = match upvalue.map(Gc::get) {
                        Some(Upvalue::Open(slot)) => self.packed(slot as usize),
                        Some(Upvalue::Closed(value)) => value,
                        None => Packed::NIL,
                    };
                    at.set(instruction.a(), value);
                }
                OpCode::GetGlobal => {
                    let key = at.constant(instruction.bx());
                    let globals = self.state.globals;
                    let found = key.as_str().map_or(Packed::NIL, |name| globals.get_str(name));
                    if found.is_nil() {
                        let target = at.slot(instruction.a());
                        careful!(self.index(Value::Table(globals).into(), key, target, None));
                    } else {
                        at.set(instruction.a(), found);
                    }
                }
                OpCode::GetTable => {
                    let (value, key) = (at.get(instruction.b()), at.operand(instruction.c()));
                    if let Some(table) = value.as_table() {
                        let found = table.get_packed(key);
                        if !found.is_nil() || table.metatable().is_none() {
                            at.set(instruction.a(), found);
                            continue;
                        }
                    }
                    let (target, place) = (at.slot(instruction.a()), at.slot(instruction.b()));
                    careful!(self.index(value, key, target, Some(place)));
                }
                OpCode::SetGlobal => {
                    let key = at.constant(instruction.bx());
                    let value = at.get(instruction.a());
                    let globals = Value::Table(self.state.globals).into();
                    careful!(self.set_index(globals, key, value, None));
                }
                OpCode::SetUpval => {
                    let value = at.get(instruction.a());
                    if let Some(upvalue) = at.closure.0.upvalues.get(instruction.b() as usize) {
                        match upvalue.get() {
                            Upvalue::Open(slot) => self.state.thread.stack[slot as usize] = value,
                            Upvalue::Closed(_) => upvalue.set(self.mc, Upvalue::Closed(value)),
                        }
                    }
                }
                OpCode::SetTable => {
                    let (key, value) = (at.operand(instruction.b()), at.operand(instruction.c()));
                    let object = at.get(instruction.a());
                    if let Some(table) = object.as_table()
                        && table.set_plainly(self.mc, key, value)
                    {
                        continue;
                    }
                    let place = at.slot(instruction.a());
                    careful!(self.set_index(object, key, value, Some(place)));
                }
                OpCode::NewTable => {
                    let (array, hash) = (size_hint(instruction.b()), size_hint(instruction.c()));
                    let table = self.table(array, hash);
                    at.set(instruction.a(), Value::Table(table).into());
                }
                OpCode::OpSelf => {
                    let (value, key) = (at.get(instruction.b()), at.operand(instruction.c()));
                    at.set(instruction.a() + 1, value);
                    if let Some(found) = self.method(value, key) {
                        at.set(instruction.a(), found);
                        continue;
                    }
                    let (target, place) = (at.slot(instruction.a()), at.slot(instruction.b()));
                    careful!(self.index(value, key, target, Some(place)));
                }
                OpCode::Add => arithmetic!(instruction, Add, a, b, Packed::computed(a + b)),
                OpCode::Sub => arithmetic!(instruction, Sub, a, b, Packed::computed(a - b)),
                OpCode::Mul => arithmetic!(instruction, Mul, a, b, Packed::computed(a * b)),
                OpCode::Div => arithmetic!(instruction, Div, a, b, Packed::computed(a / b)),
                OpCode::Mod => arithmetic!(instruction, Mod, a, b, Packed::computed(modulo(a, b))),
                OpCode::Pow => arithmetic!(instruction, Pow, a, b, Packed::number(power(a, b))),
                OpCode::Unm => {
                    let value = at.get(instruction.b());
                    if let Some(number) = value.as_number() {
                        at.set(instruction.a(), Packed::computed(-number));
                    } else {
                        let target = at.slot(instruction.a());
                        let place = Some(at.slot(instruction.b()));
                        careful!(self.arithmetic(Event::Unm, value, value, target, (place, place)));
                    }
                }
                OpCode::Not => {
                    at.set(instruction.a(), Packed::boolean(!at.get(instruction.b()).is_true()));
                }
                OpCode::Len => {
                    let value = at.get(instruction.b());
                    let (target, place) = (at.slot(instruction.a()), at.slot(instruction.b()));
                    careful!(self.length(value, target, Some(place)));
                }
                OpCode::Concat => {
                    let (first, last) = (at.slot(instruction.b()), at.slot(instruction.c()));
                    let target = at.slot(instruction.a());
                    careful!(self.concat(first, last, target));
                }
                OpCode::Jmp => {
                    at.jump(instruction.sbx());
                    if instruction.sbx() < 0 {
                        spend!();
                    }
                }
                OpCode::Eq => {
                    compare!(instruction, equal, |left: Packed<'gc>, right: Packed<'gc>| {
                        match (left.as_number(), right.as_number()) {
                            (Some(left), Some(right)) => Some(left == right),
                            _ => left.is(right).then_some(true),
                        }
                    });
                }
                OpCode::Lt => {
                    compare!(instruction, less, |left: Packed<'gc>, right: Packed<'gc>| {
                        Some(left.as_number()? < right.as_number()?)
                    });
                }
                OpCode::Le => {
                    compare!(instruction, less_equal, |left: Packed<'gc>, right: Packed<'gc>| {
                        Some(left.as_number()? <= right.as_number()?)
                    });
                }
                OpCode::Test => {
                    jump_if!(at.get(instruction.a()).is_true() == (instruction.c() != 0));
                }
                OpCode::TestSet => {
                    let value = at.get(instruction.b());
                    let taken = value.is_true() == (instruction.c() != 0);
                    if taken {
                        at.set(instruction.a(), value);
                    }
                    jump_if!(taken);
                }
                OpCode::Call => {
                    fuel -= 1;
                    let function = at.slot(instruction.a());
                    let arguments = match instruction.b() {
                        0 => self.state.thread.top - function - 1,
                        count => count as usize - 1,
                    };
                    save!();
                    let wanted = instruction.c() as i32 - 1;
                    let callee = at.get(instruction.a());
                    let after = After::Results;
                    let room = self.room_for_frame();
                    if let (Some(closure), Some(nested)) = (callee.as_closure(), room) {
                        let base =
                            self.enter_lua(closure, function, arguments, wanted, after, nested);
                        at = self.place_of(closure, base, 0);
                        if fuel <= 0 {
                            return Ok(());
                        }
                    } else if let (Some(native), Some(nested)) = (callee.as_native(), room) {
                        let (frame, arguments) =
                            self.enter_native(function, arguments, wanted, after, nested);
                        let result = self.run_native(native, arguments);
                        if let Ok(Flow::Return(count)) = &result {
                            self.state.thread.frames.pop();
                            let first = self.state.thread.top - count;
                            self.deliver(frame, first, *count);
                            at.registers = self.registers(at.base);
                            fuel = self.fuel;
                            if fuel <= 0 {
                                return Ok(());
                            }
                        } else {
                            self.wait(result?)?;
                            reload!();
                        }
                    } else {
                        self.call(function, arguments, wanted, after)?;
                        reload!();
                    }
                }
                OpCode::TailCall => {
                    fuel -= 1;
                    let function = at.slot(instruction.a());
                    let arguments = match instruction.b() {
                        0 => self.state.thread.top - function - 1,
                        count => count as usize - 1,
                    };
                    save!();
                    if let Some(callee) = at.get(instruction.a()).as_closure() {
                        self.tail_call(callee, function, arguments);
                    } else {
                        // A native returns before its caller does: the return behind this instruction passes on.
                        self.call(function, arguments, MULTIPLE, After::Results)?;
                    }
                    reload!();
                }
                OpCode::Return => {
                    let first = at.slot(instruction.a());
                    let count = match instruction.b() {
                        0 => self.state.thread.top - first,
                        count => count as usize - 1,
                    };
                    self.close(at.base);
                    let thread = &mut self.state.thread;
                    if let [.., Frame { closure: Some(caller), base, top, pc, .. }, frame] =
                        thread.frames[..]
                        && frame.wanted != MULTIPLE
                        && matches!(frame.after, After::Results)
                        && instruction.b() != 0
                    {
                        thread.frames.pop();
                        thread.top = top as usize;
                        // SAFETY: the results' registers are the caller's: its call names them.
                        let target =
                            unsafe { thread.stack.as_mut_ptr().add(frame.function as usize) };
                        for index in 0..frame.wanted as u32 {
                            let value = if index < count as u32 {
                                at.get(instruction.a() + index)
                            } else {
                                Packed::NIL
                            };
                            // SAFETY: as above.
                            unsafe { *target.add(index as usize) = value };
                        }
                        at = self.place_of(caller, base as usize, pc as usize);
                    } else {
                        save!();
                        self.finish(first, count)?;
                        reload!();
                    }
                }
                OpCode::ForLoop => {
                    let a = instruction.a();
                    // ForPrep has made numbers of all three. A NaN ends the loop, and is stored nowhere.
                    let step = at.get(a + 2).as_bits_of_number();
                    let limit = at.get(a + 1).as_bits_of_number();
                    let index = at.get(a).as_bits_of_number() + step;
                    if if step > 0.0 { index <= limit } else { limit <= index } {
                        at.set(a, Packed::computed(index));
                        at.set(a + 3, Packed::computed(index));
                        at.jump(instruction.sbx());
                        spend!();
                    }
                }
                OpCode::ForPrep => {
                    let a = instruction.a();
                    let names = ["'for' initial value", "'for' limit", "'for' step"];
                    for (register, name) in (a..).zip(names) {
                        let Some(number) = at.get(register).unpack().to_number() else {
                            save!();
                            return Err(self.error_here(format!("{name} must be a number")));
                        };
                        at.set(register, Packed::number(number));
                    }
                    if let (Some(index), Some(step)) =
                        (at.get(a).as_number(), at.get(a + 2).as_number())
                    {
                        at.set(a, Packed::computed(index - step));
                    }
                    at.jump(instruction.sbx());
                }
                OpCode::TForLoop => {
                    fuel -= 1;
                    let a = at.slot(instruction.a());
                    self.reserve(a + 6);
                    self.state.thread.stack.copy_within(a..a + 3, a + 3);
                    save!();
                    let wanted = instruction.c() as i32;
                    let iterator = self.packed(a + 3).as_native();
                    let outside = self.state.thread.outside;
                    let room = self
                        .room_for_frame()
                        .filter(|nested| nested.saturating_add(outside) + 1 < MAX_NESTED);
                    if let (Some(native), Some(nested)) = (iterator, room) {
                        let (frame, arguments) =
                            self.enter_native(a + 3, 2, wanted, After::Iterate, nested + 1);
                        let result = self.run_native(native, arguments);
                        if let Ok(Flow::Return(count)) = &result {
                            self.state.thread.frames.pop();
                            let first = self.state.thread.top - count;
                            self.deliver(frame, first, *count);
                            at.registers = self.registers(at.base);
                            fuel = self.fuel;
                            let control = at.get(instruction.a() + 3);
                            if !control.is_nil() {
                                at.set(instruction.a() + 2, control);
                            }
                            jump_if!(!control.is_nil());
                        } else {
                            self.wait(result?)?;
                            reload!();
                        }
                    } else {
                        self.call(a + 3, 2, wanted, After::Iterate)?;
                        reload!();
                    }
                }
                OpCode::SetList => {
                    let a = at.slot(instruction.a());
                    let count = match instruction.b() {
                        0 => self.state.thread.top - a - 1,
                        count => count as usize,
                    };
                    let batch = match instruction.c() {
                        0 => at.fetch().0,
                        batch => batch,
                    };
                    if let Some(table) = at.get(instruction.a()).as_table() {
                        let first = (batch as usize - 1) * FIELDS_PER_FLUSH as usize + 1;
                        let values = &self.state.thread.stack[a + 1..=a + count];
                        table.set_items(self.mc, first, values);
                    }
                    if instruction.b() == 0 {
                        self.state.thread.top =
                            at.base + usize::from(at.closure.function().max_stack);
                    }
                }
                OpCode::Close => self.close(at.slot(instruction.a())),
                OpCode::Closure => {
                    let function = at.closure.function().functions[instruction.bx() as usize];
                    let count = function.proto.upvalues.len();
                    let mut upvalues = Upvalues::default();
                    for _ in 0..count {
                        let capture = at.fetch();
                        match capture.op() {
                            OpCode::GetUpval => at
                                .closure
                                .0
                                .upvalues
                                .get(capture.b() as usize)
                                .into_iter()
                                .for_each(|upvalue| upvalues.push(upvalue)),
                            _ => upvalues.push(self.capture(at.slot(capture.b()))),
                        }
                    }
                    let id = self.new_id();
                    let state = ClosureState { function, upvalues, id };
                    let closure = Value::Closure(Closure(Gc::new(self.mc, state)));
                    at.set(instruction.a(), closure.into());
                }
                OpCode::Vararg => {
                    let Some(frame) = self.state.thread.frames.last() else { return Ok(()) };
                    let parameters = usize::from(at.closure.function().parameters);
                    let first = frame.function as usize + 1 + parameters;
                    let extra = at.base.saturating_sub(first);
                    let target = at.slot(instruction.a());
                    let wanted = match instruction.b() {
                        0 => {
                            self.reserve(target + extra + 1);
                            self.state.thread.top = target + extra;
                            extra
                        }
                        count => count as usize - 1,
                    };
                    let stack = &mut self.state.thread.stack;
                    let given = wanted.min(extra);
                    stack.copy_within(first..first + given, target);
                    stack[target + given..target + wanted].fill(Packed::NIL);
                    save!();
                    reload!();
                }
            }
        }
    }

    /// Puts a Lua function in the place of the one that runs.
    fn tail_call(&mut self, callee: Closure<'gc>, function: usize, arguments: usize) {
        let Some(frame) = self.state.thread.frames.pop() else { return };
        self.close(frame.base as usize);
        let target = frame.function as usize;
        self.state.thread.stack.copy_within(function..=function + arguments, target);
        self.enter_lua(callee, target, arguments, frame.wanted, frame.after, frame.nested);
        if let Some(frame) = self.state.thread.frames.last_mut() {
            frame.tail = true;
        }
    }
}

/// The size that a floating point byte `eeeeexxx` stands for.
fn size_hint(byte: u32) -> usize {
    let exponent = byte >> 3 & 31;
    if exponent == 0 { byte as usize } else { ((byte & 7) as usize + 8) << (exponent - 1) }
}
