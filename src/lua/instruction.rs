//! Does a Lua instruction in full: the cases that the interpreter's loop leaves, because they call something.

use super::bytecode::{FIELDS_PER_FLUSH, Instruction, OpCode};
use super::execute::{Place, Then};
use super::function::{Closure, ClosureState, Native, NativeCode, Upvalue, Upvalues};
use super::machine::{After, Arguments, Fault, Flow, Frame, MAX_NESTED, MULTIPLE, Machine};
use super::operators::Event;
use super::packed::Packed;
use super::quick::Quick;
use super::value::Value;
use gc_arena::Gc;

impl<'gc> Machine<'_, 'gc> {
    /// Makes the table of a constructor.
    #[inline(never)]
    pub(super) fn new_table(&mut self, at: &mut Place<'gc>) -> bool {
        let (_, instruction) = at.fetched();
        let (array, hash) = (size_hint(instruction.b()), size_hint(instruction.c()));
        let table = self.table(array, hash);
        at.set(instruction.a(), Value::Table(table).into());
        true
    }

    /// Makes a function.
    #[inline(never)]
    pub(super) fn new_closure(&mut self, at: &mut Place<'gc>) -> bool {
        let (_, instruction) = at.fetched();
        let function = at.closure.function().functions[instruction.bx() as usize];
        let count = function.proto.upvalues.len();
        let mut upvalues = Upvalues::default();
        let pc = at.pc() as usize;
        for capture in &at.closure.proto().code[pc..pc + count] {
            let captured = match capture.op() {
                OpCode::GetUpval => at.closure.0.upvalues.get(capture.b() as usize),
                _ => Some(self.capture(at.slot(capture.b()))),
            };
            if let Some(upvalue) = captured {
                upvalues.push(upvalue);
            }
        }
        at.jump(count as i32);
        let id = self.new_id();
        let state = ClosureState { function, upvalues, id };
        let closure = Value::Closure(Closure(Gc::new(self.mc, state)));
        at.set(instruction.a(), closure.into());
        true
    }

    /// Puts the items of a constructor into its table.
    #[inline(never)]
    pub(super) fn set_list(&mut self, at: &mut Place<'gc>) -> bool {
        let (_, instruction) = at.fetched();
        let target = at.slot(instruction.a());
        let count = match instruction.b() {
            0 => self.thread.top - target - 1,
            count => count as usize,
        };
        let batch = match instruction.c() {
            0 => {
                at.jump(1);
                at.closure.proto().code[at.pc() as usize - 1].0
            }
            batch => batch,
        };
        if let Some(table) = at.get(instruction.a()).as_table() {
            let first = (batch as usize - 1) * FIELDS_PER_FLUSH as usize + 1;
            let values = &self.thread.stack[target + 1..=target + count];
            table.set_items(self.mc, first, values);
        }
        if instruction.b() == 0 {
            self.thread.top = at.base + usize::from(at.closure.function().max_stack);
        }
        true
    }

    /// Reads from a table, if no metamethod can have a say. Gives whether it did.
    #[inline(never)]
    pub(super) fn get_plainly(at: &mut Place<'gc>) -> bool {
        let (_, instruction) = at.fetched();
        let Some(table) = at.get(instruction.b()).as_table() else { return false };
        let key = at.operand(instruction.c());
        if is_long(key) {
            return false;
        }
        let found = table.get_packed(key);
        if found.is_nil() && table.metatable().is_some() {
            return false;
        }
        at.set(instruction.a(), found);
        true
    }

    /// Writes to a table, if no metamethod can have a say. Gives whether it did.
    #[inline(never)]
    pub(super) fn set_plainly(&mut self, at: &mut Place<'gc>) -> bool {
        let (_, instruction) = at.fetched();
        let (key, value) = (at.operand(instruction.b()), at.operand(instruction.c()));
        let table = at.get(instruction.a()).as_table().filter(|_| !is_long(key));
        table.is_some_and(|table| table.set_plainly(self.mc, key, value))
    }

    /// Calls a native by its short cut, if it has one. Gives whether it did.
    #[inline(always)]
    pub(super) fn call_quickly(&mut self, at: &mut Place<'gc>) -> bool {
        let (_, instruction) = at.fetched();
        let (target, given, wanted) = (instruction.a(), instruction.b(), instruction.c());
        if given == 0 || wanted == 0 {
            return false;
        }
        let arguments = Arguments { base: at.slot(target + 1), count: given as usize - 1 };
        self.short_cut(at, target, arguments, (target, wanted - 1))
    }

    /// Calls the iterator of a loop by its short cut, if it has one. Gives whether it did.
    #[inline(always)]
    pub(super) fn iterate_quickly(&mut self, at: &mut Place<'gc>) -> bool {
        let (_, instruction) = at.fetched();
        let (iterator, wanted) = (instruction.a(), instruction.c());
        let arguments = Arguments { base: at.slot(iterator + 1), count: 2 };
        let done = self.room_for_iterator().is_some()
            && self.short_cut(at, iterator, arguments, (iterator + 3, wanted));
        if done {
            Self::loop_on(at, iterator);
        }
        done
    }

    /// How deep the call of an iterator is nested, if there is room for it: PUC-Rio makes it from C.
    #[inline(always)]
    fn room_for_iterator(&self) -> Option<u8> {
        let nested = self.room_for_frame()? + 1;
        (nested.saturating_add(self.thread.outside) < MAX_NESTED).then_some(nested)
    }

    /// Puts the results of the native in register `function`, as many as wanted, into the registers from `target` on.
    #[inline(always)]
    fn short_cut(
        &mut self,
        at: &mut Place<'gc>,
        function: u32,
        arguments: Arguments,
        (target, wanted): (u32, u32),
    ) -> bool {
        let Some(native) = at.get(function).as_native() else { return false };
        let NativeCode::Quick(quick, _) = native.0.code else { return false };
        if wanted > 2 {
            return false;
        }
        let Some([first, second]) = quick(self, arguments) else { return false };
        self.fuel -= 1;
        if wanted > 0 {
            at.set(target, first);
        }
        if wanted > 1 {
            at.set(target + 1, second);
        }
        true
    }

    /// The iterator of a loop has given its results: nil ends the loop.
    #[inline(always)]
    fn loop_on(at: &mut Place<'gc>, iterator: u32) {
        let control = at.get(iterator + 3);
        if control.is_nil() {
            at.jump(1);
        } else {
            at.set(iterator + 2, control);
        }
    }

    /// Calls what is no Lua function.
    #[inline(always)]
    pub(super) fn call_native(&mut self, at: &mut Place<'gc>) -> Result<Then, Fault<'gc>> {
        let (_, instruction) = at.fetched();
        let function = at.slot(instruction.a());
        let (Some(native), Some(nested)) =
            (at.get(instruction.a()).as_native(), self.room_for_frame())
        else {
            return self.complete(at);
        };
        self.fuel -= 1;
        let arguments = self.count_from(function + 1, instruction.b());
        if matches!(native.0.code, NativeCode::Yield(_)) && self.can_yield() {
            self.thread.top = function + 1 + arguments;
            self.leave_coroutine(arguments)?;
            return Ok(Then::LookAgain);
        }
        let wanted = instruction.c() as i32 - 1;
        let entered = self.enter_native(function, arguments, wanted, After::Results, nested);
        self.run_entered(at, native, entered)
    }

    /// The Lua function on top has yielded, by the call that is its last instruction: gives it the last `count` values on
    /// the stack as the results of that.
    pub(super) fn give_to_yield(&mut self, count: usize) {
        let Some(frame) = self.thread.frames.last().copied() else { return };
        let Some(closure) = frame.closure else { return };
        let call = closure.proto().code[frame.pc as usize - 1];
        let (function, wanted) = (frame.base + call.a(), call.c() as i32 - 1);
        self.deliver(Frame { function, wanted, ..frame }, self.thread.top - count, count);
    }

    /// Ends the function at `at`.
    #[inline(always)]
    pub(super) fn return_values(&mut self, at: &Place<'gc>) -> Result<Then, Fault<'gc>> {
        let (_, instruction) = at.fetched();
        let first = at.slot(instruction.a());
        let count = self.count_from(first, instruction.b());
        self.finish(first, count)?;
        Ok(Then::LookAgain)
    }

    /// Calls the iterator of a loop.
    #[inline(never)]
    pub(super) fn iterate(&mut self, at: &mut Place<'gc>) -> Result<Then, Fault<'gc>> {
        let (_, instruction) = at.fetched();
        self.fuel -= 1;
        let (iterator, wanted) = (at.slot(instruction.a()), instruction.c() as i32);
        let function = iterator + 3;
        self.reserve(function + 3);
        self.refresh(at);
        for register in instruction.a()..instruction.a() + 3 {
            at.set(register + 3, at.get(register));
        }
        let (Some(native), Some(nested)) =
            (self.packed(function).as_native(), self.room_for_iterator())
        else {
            self.call(function, 2, wanted, After::Iterate)?;
            return Ok(Then::LookAgain);
        };
        let entered = self.enter_native(function, 2, wanted, After::Iterate, nested);
        let then = self.run_entered(at, native, entered)?;
        if then == Then::GoOn {
            Self::loop_on(at, instruction.a());
        }
        Ok(then)
    }

    /// Runs a native that the function at `at` has called. If it gives its results at once, as nearly all do, they are
    /// in their registers and the loop goes on where it was.
    #[inline(always)]
    fn run_entered(
        &mut self,
        at: &mut Place<'gc>,
        native: Native<'gc>,
        (frame, arguments): (Frame<'gc>, Arguments),
    ) -> Result<Then, Fault<'gc>> {
        let result = self.run_native(native, arguments);
        // The common case is looked at in place: moving the whole result costs as much as a small native.
        let Ok(Flow::Return(count)) = &result else {
            self.wait(result?)?;
            return Ok(Then::LookAgain);
        };
        self.thread.frames.pop();
        let first = self.thread.top - count;
        if frame.wanted == 1 && *count == 1 {
            // Nearly all give one result.
            self.refresh(at);
            at.set(frame.function - at.base as u32, self.packed(first));
            self.thread.top = at.base + usize::from(at.closure.function().max_stack);
        } else {
            self.deliver(frame, first, *count);
            self.refresh(at);
        }
        Ok(Then::GoOn)
    }

    /// Does the instruction that `at` has just fetched. The frame on top knows where it is.
    #[inline(never)]
    pub(super) fn complete(&mut self, at: &mut Place<'gc>) -> Result<Then, Fault<'gc>> {
        let (quick, instruction) = at.fetched();
        let target = at.slot(instruction.a());
        let depth = self.thread.frames.len();
        match quick {
            Quick::Call => {
                self.fuel -= 1;
                let arguments = self.count_from(target + 1, instruction.b());
                self.call(target, arguments, instruction.c() as i32 - 1, After::Results)?;
                return Ok(Then::LookAgain);
            }
            Quick::GetGlobal => {
                let key = at.constant(instruction.bx());
                let globals = Value::Table(self.state.globals).into();
                let done = self.index(globals, key, target, None)?;
                if !done {
                    return Ok(self.again());
                }
            }
            Quick::GetTable | Quick::GetField => {
                let (value, key) = (at.get(instruction.b()), at.operand(instruction.c()));
                let done = self.index(value, key, target, Some(at.slot(instruction.b())))?;
                if !done {
                    return Ok(self.again());
                }
            }
            Quick::SetGlobal => {
                let key = at.constant(instruction.bx());
                let globals = Value::Table(self.state.globals).into();
                let done = self.set_index(globals, key, at.get(instruction.a()), None)?;
                if !done {
                    return Ok(self.again());
                }
            }
            Quick::SetTable | Quick::SetField => {
                let (key, value) = (at.operand(instruction.b()), at.operand(instruction.c()));
                let done = self.set_index(at.get(instruction.a()), key, value, Some(target))?;
                if !done {
                    return Ok(self.again());
                }
            }
            Quick::OpSelf | Quick::Method => {
                let (value, key) = (at.get(instruction.b()), at.operand(instruction.c()));
                self.thread.stack[target + 1] = value;
                let done = self.index(value, key, target, Some(at.slot(instruction.b())))?;
                if !done {
                    return Ok(self.again());
                }
            }
            Quick::SetUpval => {
                let value = at.get(instruction.a());
                if let Some(upvalue) = at.closure.0.upvalues.get(instruction.b() as usize) {
                    match upvalue.get() {
                        Upvalue::Open(slot) => self.thread.stack[slot as usize] = value,
                        Upvalue::Closed(_) => upvalue.set(self.mc, Upvalue::Closed(value)),
                    }
                }
                return Ok(Then::GoOn);
            }
            Quick::Add | Quick::AddRR | Quick::AddRK => {
                self.arithmetic_at(at, instruction, Event::Add)?;
            }
            Quick::Sub | Quick::SubRR | Quick::SubRK => {
                self.arithmetic_at(at, instruction, Event::Sub)?;
            }
            Quick::Mul | Quick::MulRR | Quick::MulRK => {
                self.arithmetic_at(at, instruction, Event::Mul)?;
            }
            Quick::Div | Quick::DivRK => self.arithmetic_at(at, instruction, Event::Div)?,
            Quick::Mod | Quick::ModRK => self.arithmetic_at(at, instruction, Event::Mod)?,
            Quick::Pow => self.arithmetic_at(at, instruction, Event::Pow)?,
            Quick::Unm => {
                let value = at.get(instruction.b());
                let place = Some(at.slot(instruction.b()));
                self.arithmetic(Event::Unm, value, value, target, (place, place))?;
            }
            Quick::Len => {
                let place = at.slot(instruction.b());
                self.length(at.get(instruction.b()), target, Some(place))?;
            }
            Quick::Concat => {
                self.concat(at.slot(instruction.b()), at.slot(instruction.c()), target)?;
            }
            Quick::Eq | Quick::EqRK => self.compare_at(at, instruction, Machine::equal)?,
            Quick::Lt | Quick::LtRR | Quick::LtRK => {
                self.compare_at(at, instruction, Machine::less)?;
            }
            Quick::Le | Quick::LeRR | Quick::LeRK => {
                self.compare_at(at, instruction, Machine::less_equal)?;
            }
            Quick::TailCall => {
                self.fuel -= 1;
                let arguments = self.count_from(target + 1, instruction.b());
                match at.get(instruction.a()).as_closure() {
                    Some(callee) => self.tail_call(callee, target, arguments),
                    // A native returns before its caller does: the return behind this instruction passes on.
                    None => self.call(target, arguments, MULTIPLE, After::Results)?,
                }
                return Ok(Then::LookAgain);
            }
            Quick::ForPrep => {
                let names = ["'for' initial value", "'for' limit", "'for' step"];
                for (register, name) in (instruction.a()..).zip(names) {
                    let Some(number) = self.number_of(at.get(register).unpack()) else {
                        return Err(self.error_here(format!("{name} must be a number")));
                    };
                    at.set(register, Packed::number(number));
                }
                let number = |register: u32| at.get(register).as_bits_of_number();
                let before = number(instruction.a()) - number(instruction.a() + 2);
                at.set(instruction.a(), Packed::computed(before));
                at.jump(instruction.sbx());
            }
            Quick::Close => self.close(target),
            Quick::Vararg => {
                let Some(frame) = self.thread.frames.last() else {
                    return Ok(Then::LookAgain);
                };
                let parameters = usize::from(at.closure.function().parameters);
                let first = frame.function as usize + 1 + parameters;
                let extra = at.base.saturating_sub(first);
                let wanted = match instruction.b() {
                    0 => {
                        self.reserve(target + extra + 1);
                        self.thread.top = target + extra;
                        extra
                    }
                    count => count as usize - 1,
                };
                let stack = &mut self.thread.stack;
                let given = wanted.min(extra);
                stack.copy_within(first..first + given, target);
                stack[target + given..target + wanted].fill(Packed::NIL);
            }
            // The loop does these always.
            Quick::Move
            | Quick::LoadK
            | Quick::LoadBool
            | Quick::LoadNil
            | Quick::GetUpval
            | Quick::Not
            | Quick::Jmp
            | Quick::Test
            | Quick::TestSet
            | Quick::ForLoop
            | Quick::TForLoop
            | Quick::Return
            | Quick::NewTable
            | Quick::Closure
            | Quick::SetList => {}
        }
        // Only a metamethod has pushed a frame.
        if self.thread.frames.len() != depth {
            return Ok(Then::LookAgain);
        }
        self.refresh(at);
        Ok(Then::GoOn)
    }

    /// Lets the instruction that has just been fetched be done again when there is fuel.
    fn again(&mut self) -> Then {
        if let Some(frame) = self.thread.frames.last_mut() {
            frame.pc -= 1;
        }
        self.fuel = self.fuel.min(0);
        self.go_on_in_line();
        Then::LookAgain
    }

    /// How many values an instruction means: as many as the operand less one says, or all from `first` to the top.
    fn count_from(&self, first: usize, operand: u32) -> usize {
        match operand {
            0 => self.thread.top - first,
            count => count as usize - 1,
        }
    }

    fn arithmetic_at(
        &mut self,
        at: &Place<'gc>,
        instruction: Instruction,
        event: Event,
    ) -> Result<(), Fault<'gc>> {
        let (b, c) = (instruction.b(), instruction.c());
        let places = (at.operand_slot(b), at.operand_slot(c));
        self.arithmetic(event, at.operand(b), at.operand(c), at.slot(instruction.a()), places)
    }

    /// A comparison: skips the jump behind it if the answer is not the wanted one.
    fn compare_at(
        &mut self,
        at: &mut Place<'gc>,
        instruction: Instruction,
        compare: fn(&mut Self, Packed<'gc>, Packed<'gc>, bool) -> Result<Option<bool>, Fault<'gc>>,
    ) -> Result<(), Fault<'gc>> {
        let wanted = instruction.a() != 0;
        let (left, right) = (at.operand(instruction.b()), at.operand(instruction.c()));
        // Without an answer, a metamethod decides.
        if compare(self, left, right, wanted)?.is_some_and(|answer| answer != wanted) {
            at.jump(1);
        }
        Ok(())
    }

    /// Puts a Lua function in the place of the one that runs.
    fn tail_call(&mut self, callee: Closure<'gc>, function: usize, arguments: usize) {
        let Some(frame) = self.thread.frames.pop() else { return };
        self.close(frame.base as usize);
        let target = frame.function as usize;
        self.thread.stack.copy_within(function..=function + arguments, target);
        self.enter_lua(callee, target, arguments, frame.wanted, frame.after, frame.nested);
        if let Some(frame) = self.thread.frames.last_mut() {
            frame.tail = true;
        }
    }
}

/// The size that a floating point byte `eeeeexxx` stands for.
fn size_hint(byte: u32) -> usize {
    let exponent = byte >> 3 & 31;
    if exponent == 0 { byte as usize } else { ((byte & 7) as usize + 8) << (exponent - 1) }
}

/// A string that is paid for where it is a key ([`Machine::pay_for_key`]).
fn is_long(key: Packed<'_>) -> bool {
    key.as_str().is_some_and(|text| text.bytes().len() > 1 << 12)
}
