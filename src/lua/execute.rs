//! Runs Lua instructions.

use super::bytecode::{CONSTANT_BIT, FIELDS_PER_FLUSH, Instruction, OpCode};
use super::function::{Closure, ClosureState, Upvalue};
use super::machine::{After, Fault, Frame, Kind, MULTIPLE, Machine};
use super::number::{modulo, power};
use super::operators::Event;
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
            let result = match self.state.frames.last() {
                None => return Stop::Finished,
                Some(_) if self.fuel <= 0 => return Stop::Paused,
                Some(Frame { kind: Kind::Lua(closure), .. }) => {
                    let closure = *closure;
                    self.execute(closure)
                }
                Some(_) => self.step_native(),
            };
            if let Err(fault) = result
                && self.unwind(fault).is_err()
            {
                return Stop::Failed;
            }
        }
    }

    /// Runs the Lua function on top until another frame is on top, or fuel is spent.
    fn execute(&mut self, closure: Closure<'gc>) -> Result<(), Fault<'gc>> {
        let Some(frame) = self.state.frames.last() else { return Ok(()) };
        let (mut closure, mut base, mut pc) = (closure, frame.base, frame.pc);
        let mut code = closure.code();
        let mut constants = &closure.0.as_ref().function.as_ref().constants[..];

        macro_rules! register {
            ($index:expr) => {
                self.state.stack[base + $index as usize]
            };
        }
        // A register or a constant.
        macro_rules! operand {
            ($operand:expr) => {{
                let operand = $operand;
                if operand & CONSTANT_BIT != 0 {
                    constants[(operand & !CONSTANT_BIT) as usize]
                } else {
                    register!(operand)
                }
            }};
        }
        // The slot of an operand, if it is in a register.
        macro_rules! slot {
            ($operand:expr) => {
                if $operand & CONSTANT_BIT != 0 { None } else { Some(base + $operand as usize) }
            };
        }
        macro_rules! save {
            () => {
                if let Some(frame) = self.state.frames.last_mut() {
                    frame.pc = pc;
                }
            };
        }
        // What may fail, or call a metamethod: the frame must know where it is.
        macro_rules! careful {
            ($call:expr) => {{
                save!();
                let frames = self.state.frames.len();
                let result = $call?;
                if self.state.frames.len() != frames {
                    return Ok(());
                }
                result
            }};
        }
        macro_rules! arithmetic {
            ($instruction:ident, $event:ident, $a:ident, $b:ident, $result:expr) => {{
                let (b, c) = ($instruction.b(), $instruction.c());
                if let (Value::Number($a), Value::Number($b)) = (operand!(b), operand!(c)) {
                    register!($instruction.a()) = Value::Number($result);
                } else {
                    let (left, right) = (operand!(b), operand!(c));
                    let target = base + $instruction.a() as usize;
                    careful!(self.arithmetic(
                        Event::$event,
                        left,
                        right,
                        target,
                        (slot!(b), slot!(c))
                    ));
                }
            }};
        }
        // A comparison: skips the jump behind it, or takes it.
        macro_rules! compare {
            ($instruction:ident, $method:ident) => {{
                let (left, right) = (operand!($instruction.b()), operand!($instruction.c()));
                let wanted = $instruction.a() != 0;
                save!();
                match self.$method(left, right, wanted)? {
                    Some(answer) => {
                        if answer != wanted {
                            pc += 1;
                        }
                    }
                    // A metamethod decides.
                    None => return Ok(()),
                }
            }};
        }
        // Behind a push or pop of frames: goes on with the Lua function that is on top now.
        macro_rules! reload {
            () => {{
                match self.state.frames.last() {
                    Some(Frame { kind: Kind::Lua(next), base: next_base, pc: next_pc, .. }) => {
                        closure = *next;
                        base = *next_base;
                        pc = *next_pc;
                        code = closure.code();
                        constants = &closure.0.as_ref().function.as_ref().constants[..];
                    }
                    _ => return Ok(()),
                }
            }};
        }
        // The end of a slice, before the instruction that was read.
        macro_rules! spend {
            () => {
                if self.fuel <= 0 {
                    pc -= 1;
                    save!();
                    return Ok(());
                }
                self.fuel -= 1;
            };
        }

        loop {
            let instruction: Instruction = code[pc];
            pc += 1;
            match instruction.op() {
                OpCode::Move => register!(instruction.a()) = register!(instruction.b()),
                OpCode::LoadK => register!(instruction.a()) = constants[instruction.bx() as usize],
                OpCode::LoadBool => {
                    register!(instruction.a()) = Value::Boolean(instruction.b() != 0);
                    if instruction.c() != 0 {
                        pc += 1;
                    }
                }
                OpCode::LoadNil => {
                    let (first, last) =
                        (base + instruction.a() as usize, base + instruction.b() as usize);
                    self.state.stack[first..=last].fill(Value::Nil);
                }
                OpCode::GetUpval => {
                    register!(instruction.a()) =
                        match closure.0.upvalues[instruction.b() as usize].get() {
                            Upvalue::Open(slot) => self.state.stack[slot],
                            Upvalue::Closed(value) => value,
                        };
                }
                OpCode::GetGlobal => {
                    let key = constants[instruction.bx() as usize];
                    let globals = self.state.globals;
                    let found = if let Value::String(name) = key {
                        globals.get_str(name)
                    } else {
                        Value::Nil
                    };
                    if found.is_nil() {
                        let target = base + instruction.a() as usize;
                        careful!(self.index(Value::Table(globals), key, target, None));
                    } else {
                        register!(instruction.a()) = found;
                    }
                }
                OpCode::GetTable => {
                    let (value, key) = (register!(instruction.b()), operand!(instruction.c()));
                    if let Value::Table(table) = value {
                        let found = match key {
                            Value::String(name) => table.get_str(name),
                            _ => table.get(key),
                        };
                        if !found.is_nil() {
                            register!(instruction.a()) = found;
                            continue;
                        }
                    }
                    let target = base + instruction.a() as usize;
                    careful!(self.index(value, key, target, slot!(instruction.b())));
                }
                OpCode::SetGlobal => {
                    let key = constants[instruction.bx() as usize];
                    let value = register!(instruction.a());
                    let globals = Value::Table(self.state.globals);
                    careful!(self.set_index(globals, key, value, None));
                }
                OpCode::SetUpval => {
                    let value = register!(instruction.a());
                    let upvalue = closure.0.upvalues[instruction.b() as usize];
                    match upvalue.get() {
                        Upvalue::Open(slot) => self.state.stack[slot] = value,
                        Upvalue::Closed(_) => upvalue.set(self.mc, Upvalue::Closed(value)),
                    }
                }
                OpCode::SetTable => {
                    let (key, value) = (operand!(instruction.b()), operand!(instruction.c()));
                    let object = register!(instruction.a());
                    careful!(self.set_index(object, key, value, slot!(instruction.a())));
                }
                OpCode::NewTable => {
                    let (array, hash) = (size_hint(instruction.b()), size_hint(instruction.c()));
                    register!(instruction.a()) = Value::Table(self.table(array, hash));
                }
                OpCode::OpSelf => {
                    let (value, key) = (register!(instruction.b()), operand!(instruction.c()));
                    register!(instruction.a() + 1) = value;
                    let target = base + instruction.a() as usize;
                    careful!(self.index(value, key, target, slot!(instruction.b())));
                }
                OpCode::Add => arithmetic!(instruction, Add, a, b, a + b),
                OpCode::Sub => arithmetic!(instruction, Sub, a, b, a - b),
                OpCode::Mul => arithmetic!(instruction, Mul, a, b, a * b),
                OpCode::Div => arithmetic!(instruction, Div, a, b, a / b),
                OpCode::Mod => arithmetic!(instruction, Mod, a, b, modulo(a, b)),
                OpCode::Pow => arithmetic!(instruction, Pow, a, b, power(a, b)),
                OpCode::Unm => {
                    let value = register!(instruction.b());
                    if let Value::Number(number) = value {
                        register!(instruction.a()) = Value::Number(-number);
                    } else {
                        let target = base + instruction.a() as usize;
                        let place = slot!(instruction.b());
                        careful!(self.arithmetic(Event::Unm, value, value, target, (place, place)));
                    }
                }
                OpCode::Not => {
                    register!(instruction.a()) =
                        Value::Boolean(!register!(instruction.b()).is_true());
                }
                OpCode::Len => {
                    let value = register!(instruction.b());
                    let target = base + instruction.a() as usize;
                    careful!(self.length(value, target, slot!(instruction.b())));
                }
                OpCode::Concat => {
                    let (first, last) =
                        (base + instruction.b() as usize, base + instruction.c() as usize);
                    let target = base + instruction.a() as usize;
                    careful!(self.concat(first, last, target));
                }
                OpCode::Jmp => {
                    let offset = instruction.sbx();
                    if offset < 0 {
                        spend!();
                    }
                    pc = (pc as i64 + i64::from(offset)) as usize;
                }
                OpCode::Eq => compare!(instruction, equal),
                OpCode::Lt => compare!(instruction, less),
                OpCode::Le => compare!(instruction, less_equal),
                OpCode::Test => {
                    if register!(instruction.a()).is_true() != (instruction.c() != 0) {
                        pc += 1;
                    }
                }
                OpCode::TestSet => {
                    let value = register!(instruction.b());
                    if value.is_true() == (instruction.c() != 0) {
                        register!(instruction.a()) = value;
                    } else {
                        pc += 1;
                    }
                }
                OpCode::Call => {
                    spend!();
                    let function = base + instruction.a() as usize;
                    let arguments = match instruction.b() {
                        0 => self.state.top - function - 1,
                        count => count as usize - 1,
                    };
                    save!();
                    self.call(function, arguments, instruction.c() as i32 - 1, After::Results)?;
                    reload!();
                }
                OpCode::TailCall => {
                    spend!();
                    let function = base + instruction.a() as usize;
                    let arguments = match instruction.b() {
                        0 => self.state.top - function - 1,
                        count => count as usize - 1,
                    };
                    save!();
                    if let Value::Closure(callee) = self.state.stack[function] {
                        self.tail_call(callee, function, arguments);
                    } else {
                        // A native returns before its caller does: the return behind this instruction passes on.
                        self.call(function, arguments, MULTIPLE, After::Results)?;
                    }
                    reload!();
                }
                OpCode::Return => {
                    let first = base + instruction.a() as usize;
                    let count = match instruction.b() {
                        0 => self.state.top - first,
                        count => count as usize - 1,
                    };
                    save!();
                    self.finish(first, count)?;
                    reload!();
                }
                OpCode::ForLoop => {
                    spend!();
                    let a = instruction.a();
                    if let (Value::Number(index), Value::Number(limit), Value::Number(step)) =
                        (register!(a), register!(a + 1), register!(a + 2))
                    {
                        let index = index + step;
                        if if step > 0.0 { index <= limit } else { limit <= index } {
                            register!(a) = Value::Number(index);
                            register!(a + 3) = Value::Number(index);
                            pc = (pc as i64 + i64::from(instruction.sbx())) as usize;
                        }
                    }
                }
                OpCode::ForPrep => {
                    let a = instruction.a();
                    let names = ["'for' initial value", "'for' limit", "'for' step"];
                    for (offset, name) in names.into_iter().enumerate() {
                        let value = register!(a as usize + offset);
                        let Some(number) = value.to_number() else {
                            save!();
                            return Err(self.error_here(format!("{name} must be a number")));
                        };
                        register!(a as usize + offset) = Value::Number(number);
                    }
                    if let (Value::Number(index), Value::Number(step)) =
                        (register!(a), register!(a + 2))
                    {
                        register!(a) = Value::Number(index - step);
                    }
                    pc = (pc as i64 + i64::from(instruction.sbx())) as usize;
                }
                OpCode::TForLoop => {
                    let a = base + instruction.a() as usize;
                    let wanted = instruction.c() as i32;
                    spend!();
                    let (function, state, control) =
                        (self.state.stack[a], self.state.stack[a + 1], self.state.stack[a + 2]);
                    self.reserve(a + 6);
                    self.state.stack[a + 3] = function;
                    self.state.stack[a + 4] = state;
                    self.state.stack[a + 5] = control;
                    save!();
                    self.call(a + 3, 2, wanted, After::Iterate)?;
                    reload!();
                }
                OpCode::SetList => {
                    let a = base + instruction.a() as usize;
                    let count = match instruction.b() {
                        0 => self.state.top - a - 1,
                        count => count as usize,
                    };
                    let batch = match instruction.c() {
                        0 => {
                            pc += 1;
                            code[pc - 1].0
                        }
                        batch => batch,
                    };
                    if let Value::Table(table) = self.state.stack[a] {
                        let first = (batch as usize - 1) * FIELDS_PER_FLUSH as usize;
                        let mut items = table.0.borrow_mut(self.mc);
                        items.reserve_items(first + count);
                        for index in 1..=count {
                            let key = Value::Number((first + index) as f64);
                            // A whole number is always a possible key.
                            let _ = items.set(key, self.state.stack[a + index]);
                        }
                    }
                    if instruction.b() == 0 {
                        self.state.top =
                            self.state.frames.last().map_or(self.state.top, |frame| frame.top);
                    }
                }
                OpCode::Close => self.close(base + instruction.a() as usize),
                OpCode::Closure => {
                    let function = closure.0.function.functions[instruction.bx() as usize];
                    let count = function.proto.upvalues.len();
                    let mut upvalues = Vec::with_capacity(count);
                    for _ in 0..count {
                        let capture = code[pc];
                        pc += 1;
                        upvalues.push(match capture.op() {
                            OpCode::GetUpval => closure.0.upvalues[capture.b() as usize],
                            _ => self.capture(base + capture.b() as usize),
                        });
                    }
                    let id = self.new_id();
                    let state = ClosureState { function, upvalues, id };
                    register!(instruction.a()) = Value::Closure(Closure(Gc::new(self.mc, state)));
                }
                OpCode::Vararg => {
                    let Some(frame) = self.state.frames.last() else { return Ok(()) };
                    let (function, top) = (frame.function, frame.top);
                    let parameters = usize::from(closure.proto().parameters);
                    let extra = base - function - 1;
                    let extra = extra.saturating_sub(parameters);
                    let target = base + instruction.a() as usize;
                    let wanted = match instruction.b() {
                        0 => {
                            self.reserve(target + extra + 1);
                            self.state.top = target + extra;
                            extra
                        }
                        count => {
                            self.state.top = top;
                            count as usize - 1
                        }
                    };
                    let first = function + 1 + parameters;
                    for index in 0..wanted {
                        self.state.stack[target + index] = if index < extra {
                            self.state.stack[first + index]
                        } else {
                            Value::Nil
                        };
                    }
                }
            }
        }
    }

    /// Puts a Lua function in the place of the one that runs.
    fn tail_call(&mut self, callee: Closure<'gc>, function: usize, arguments: usize) {
        let Some(frame) = self.state.frames.pop() else { return };
        if self.state.open.last().is_some_and(|(slot, _)| *slot >= frame.base) {
            self.close(frame.base);
        }
        self.state.stack.copy_within(function..=function + arguments, frame.function);
        self.enter_lua(callee, frame.function, arguments, frame.wanted, frame.after, frame.nested);
        if let Some(frame) = self.state.frames.last_mut() {
            frame.tail = true;
        }
    }
}

/// The size that a floating point byte `eeeeexxx` stands for.
fn size_hint(byte: u32) -> usize {
    let exponent = byte >> 3 & 31;
    if exponent == 0 { byte as usize } else { ((byte & 7) as usize + 8) << (exponent - 1) }
}
