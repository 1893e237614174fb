//! Runs Lua instructions: one loop, with every instruction in sight of the others.

// Registers and constants are read without a check of their index: a fifth of the time of a loop. What the function
// may name has been checked once, by `Proto::is_sound`.
#![allow(unsafe_code)]

use super::bytecode::{CONSTANT_BIT, Instruction};
use super::function::{Closure, Upvalue};
use super::machine::{After, Fault, Frame, MULTIPLE, Machine, Progress};
use super::number::modulo;
use super::packed::Packed;
use super::quick::Quick;

/// Why the machine stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// Fuel is spent, or memory wants to be collected.
    Paused,
    /// The script has returned; its results are on the stack.
    Finished,
    /// The script has failed.
    Failed,
    /// A script that is debugged is at a line at which it is to stop.
    Line,
}

/// Why the loop gave up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// Fuel is spent.
    Spent,
    /// One instruction has been done, where no more are wanted.
    Stepped,
    /// The instruction that has just been fetched is for [`Machine::complete`].
    Complete,
    /// As `Complete`, but [`Machine::get_plainly`] may do.
    Get,
    /// As `Complete`, but [`Machine::set_plainly`] may do.
    Set,
    /// It is for [`Machine::new_table`].
    NewTable,
    /// It is for [`Machine::new_closure`].
    NewClosure,
    /// It is for [`Machine::set_list`].
    SetList,
    /// It is a return behind which captured variables are to live on.
    Close,
    /// It is for [`Machine::call_quickly`] or [`Machine::call_native`].
    Call,
    /// It is for [`Machine::iterate_quickly`] or [`Machine::iterate`].
    Iterate,
    /// It is for [`Machine::return_values`].
    Return,
}

/// Where the loop goes on behind an instruction that [`Machine::complete`] has done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Where it was.
    GoOn,
    /// Where the frame says that is on top now.
    LookAgain,
}

/// Where the loop is: the code that runs and its registers.
///
/// Invariant: the closure's function is linked, so [`super::bytecode::Proto::is_sound`] has held for its code; `next`
/// points into that code and `constants` at its constants; `registers` points at slot `base` of a stack that has at
/// least the function's `max_stack` slots from there on. A stack may move whenever it grows, so whatever may push a
/// value is followed by a new look ([`Machine::place`]).
#[derive(Clone, Copy)]
pub(super) struct Place<'gc> {
    pub closure: Closure<'gc>,
    next: *const Instruction,
    constants: *const Packed<'gc>,
    registers: *mut Packed<'gc>,
    pub base: usize,
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
    pub fn jump(&mut self, offset: i32) {
        // SAFETY: no jump leads out of the code (the invariant).
        self.next = unsafe { self.next.offset(offset as isize) };
    }

    /// The instruction that has been fetched.
    #[inline(always)]
    pub fn fetched(&self) -> (Quick, Instruction) {
        // SAFETY: there is one before the next, and `quicken` made it (the invariant).
        unsafe {
            let instruction = *self.next.sub(1);
            (Quick::of(instruction), instruction)
        }
    }

    /// The index of the next instruction.
    #[inline(always)]
    pub fn pc(&self) -> u32 {
        // SAFETY: both are in, or at the end of, the same code (the invariant).
        unsafe { self.next.offset_from(self.closure.function().code.as_ptr()) as u32 }
    }

    #[inline(always)]
    pub fn get(&self, register: u32) -> Packed<'gc> {
        // SAFETY: an instruction names only registers of its function (the invariant).
        unsafe { *self.registers.add(register as usize) }
    }

    #[inline(always)]
    pub fn set(&mut self, register: u32, value: Packed<'gc>) {
        // SAFETY: as in `get`.
        unsafe { *self.registers.add(register as usize) = value }
    }

    #[inline(always)]
    pub fn constant(&self, index: u32) -> Packed<'gc> {
        // SAFETY: an instruction names only constants of its function (the invariant).
        unsafe { *self.constants.add(index as usize) }
    }

    /// The constant that an operand is known to be.
    #[inline(always)]
    fn constant_operand(&self, operand: u32) -> Packed<'gc> {
        self.constant(operand & !CONSTANT_BIT)
    }

    /// A register or a constant.
    #[inline(always)]
    pub fn operand(&self, operand: u32) -> Packed<'gc> {
        if operand & CONSTANT_BIT != 0 { self.constant_operand(operand) } else { self.get(operand) }
    }

    /// The slot of a register.
    #[inline(always)]
    pub fn slot(&self, register: u32) -> usize {
        self.base + register as usize
    }

    /// The slot of an operand, if it is in a register.
    pub fn operand_slot(&self, operand: u32) -> Option<usize> {
        (operand & CONSTANT_BIT == 0).then(|| self.slot(operand))
    }
}

impl<'gc> Machine<'_, 'gc> {
    /// Runs until the script ends or fuel is spent.
    pub(super) fn run(&mut self) -> Stop {
        if let Some(fault) = self.state.pending.take()
            && self.unwind(fault).is_err()
        {
            return Stop::Failed;
        }
        loop {
            let result = match self.thread.frames.last() {
                None if self.state.resumers.is_empty() => return Stop::Finished,
                // The function of a coroutine has returned.
                None => self.leave_coroutine(self.thread.top),
                Some(_) if self.fuel <= 0 => return Stop::Paused,
                Some(Frame { closure: Some(_), .. }) if self.state.lines.is_some() => {
                    match self.run_to_line() {
                        Ok(true) => return Stop::Line,
                        other => other.map(|_| ()),
                    }
                }
                Some(Frame { closure: Some(_), .. }) => self.execute::<false>(),
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
        let frame = self.thread.frames.last()?;
        let closure = frame.closure?;
        let (base, pc) = (frame.base as usize, frame.pc as usize);
        Some(self.place_of(closure, base, pc))
    }

    /// Where a Lua function is that has been entered and has its first register at `base`.
    #[inline(always)]
    fn place_of(&mut self, closure: Closure<'gc>, base: usize, pc: usize) -> Place<'gc> {
        let function = closure.function();
        debug_assert!(base + usize::from(function.max_stack) <= self.thread.stack.len());
        let constants = function.constants.as_ptr();
        // SAFETY: a frame's `pc` is 0 or what `Place::pc` gave.
        let next = unsafe { function.code.as_ptr().add(pc) };
        Place { closure, next, constants, registers: self.registers(base), base }
    }

    /// Tells the frame on top where the loop is.
    #[inline(always)]
    fn save(&mut self, at: &Place<'gc>) {
        if let Some(frame) = self.thread.frames.last_mut() {
            frame.pc = at.pc();
        }
    }

    /// Looks again where the registers are.
    #[inline(always)]
    pub(super) fn refresh(&mut self, at: &mut Place<'gc>) {
        at.registers = self.registers(at.base);
    }

    /// The register at slot `base`, which is the first one of a frame.
    #[inline(always)]
    fn registers(&mut self, base: usize) -> *mut Packed<'gc> {
        // SAFETY: `enter_lua` has made the stack reach behind the frame's last register, and it never shrinks.
        unsafe { self.thread.stack.as_mut_ptr().add(base) }
    }

    /// Runs the Lua function on top until a native that waits is on top, or fuel is spent.
    ///
    /// The inner loop knows of each instruction the cases that need no call: then the compiler of the wasm keeps its
    /// state in registers. For all others it gives up, and [`Machine::complete`] does the instruction.
    /// With `STEP` it does one instruction.
    pub(super) fn execute<const STEP: bool>(&mut self) -> Result<(), Fault<'gc>> {
        loop {
            let Some(mut place) = self.place() else { return Ok(()) };
            if self.fuel <= 0 {
                return Ok(());
            }
            loop {
                // A copy that nobody else sees: it is in registers.
                let (mut at, mut fuel) = (place, self.fuel);
                let exit = self.run_quickly::<STEP>(&mut at, &mut fuel);
                (place, self.fuel) = (at, fuel);
                let done = match exit {
                    Exit::Get => Self::get_plainly(&mut place),
                    Exit::Set => self.set_plainly(&mut place),
                    Exit::NewTable => self.new_table(&mut place),
                    Exit::NewClosure => self.new_closure(&mut place),
                    Exit::SetList => self.set_list(&mut place),
                    Exit::Close => {
                        self.close(place.base);
                        place.jump(-1);
                        true
                    }
                    Exit::Call => self.call_quickly(&mut place),
                    Exit::Iterate => self.iterate_quickly(&mut place),
                    Exit::Complete | Exit::Return | Exit::Spent | Exit::Stepped => false,
                };
                if done && !STEP {
                    continue;
                }
                self.save(&place);
                if done {
                    return Ok(());
                }
                let then = match exit {
                    Exit::Spent | Exit::Stepped => return Ok(()),
                    Exit::Call => self.call_native(&mut place)?,
                    Exit::Iterate => self.iterate(&mut place)?,
                    Exit::Return => self.return_values(&place)?,
                    _ => self.complete(&mut place)?,
                };
                if then == Then::LookAgain {
                    if STEP {
                        return Ok(());
                    }
                    break;
                }
                if STEP || self.fuel <= 0 {
                    self.save(&place);
                    return Ok(());
                }
            }
        }
    }

    /// The loop. Gives up before anything of an instruction but its fetch has been done.
    #[inline(always)]
    fn run_quickly<const STEP: bool>(&mut self, at: &mut Place<'gc>, fuel: &mut i64) -> Exit {
        // Behind a jump back, a call: the slice may end here.
        macro_rules! spend {
            () => {
                *fuel -= 1;
                if *fuel <= 0 {
                    return Exit::Spent;
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
        macro_rules! known {
            ($value:expr) => {
                match $value {
                    Some(value) => value,
                    None => return Exit::Complete,
                }
            };
        }
        macro_rules! arithmetic {
            ($instruction:ident, $b:ident, $c:ident, |$x:ident, $y:ident| $result:expr) => {{
                let $x = known!(at.$b($instruction.b()).as_number());
                let $y = known!(at.$c($instruction.c()).as_number());
                at.set($instruction.a(), Packed::computed($result));
            }};
        }
        macro_rules! compare {
            ($instruction:ident, $b:ident, $c:ident, $operator:tt) => {{
                let left = known!(at.$b($instruction.b()).as_number());
                let right = known!(at.$c($instruction.c()).as_number());
                jump_if!((left $operator right) == ($instruction.a() != 0));
            }};
        }
        let mut steps = 0;
        loop {
            if STEP {
                if steps > 0 {
                    return Exit::Stepped;
                }
                steps += 1;
            }
            let instruction = at.fetch();
            // SAFETY: `quicken` made the code (the invariant).
            match unsafe { Quick::of(instruction) } {
                Quick::Move => at.set(instruction.a(), at.get(instruction.b())),
                Quick::LoadK => at.set(instruction.a(), at.constant(instruction.bx())),
                Quick::LoadBool => {
                    at.set(instruction.a(), Packed::boolean(instruction.b() != 0));
                    if instruction.c() != 0 {
                        at.jump(1);
                    }
                }
                Quick::LoadNil => {
                    for register in instruction.a()..=instruction.b() {
                        at.set(register, Packed::NIL);
                    }
                }
                Quick::GetUpval => {
                    let upvalue = known!(at.closure.0.upvalues.get(instruction.b() as usize));
                    let value = match upvalue.get() {
                        Upvalue::Open(slot) => self.packed(slot as usize),
                        Upvalue::Closed(value) => value,
                    };
                    at.set(instruction.a(), value);
                }
                Quick::SetUpval => {
                    let upvalue = known!(at.closure.0.upvalues.get(instruction.b() as usize));
                    let value = at.get(instruction.a());
                    match upvalue.get() {
                        Upvalue::Open(slot) => {
                            *known!(self.thread.stack.get_mut(slot as usize)) = value;
                        }
                        Upvalue::Closed(_) if value.is_object() => return Exit::Complete,
                        Upvalue::Closed(_) => {
                            // SAFETY: the value holds no pointer, so the collector need not hear of it.
                            unsafe { upvalue.as_ref().as_cell() }.set(Upvalue::Closed(value));
                        }
                    }
                }
                Quick::GetGlobal => {
                    let name = at.constant(instruction.bx());
                    let found = known!(self.state.globals.quick_field(name));
                    if found.is_nil() {
                        return Exit::Complete;
                    }
                    at.set(instruction.a(), found);
                }
                Quick::GetTable => {
                    let table = known!(at.get(instruction.b()).as_table());
                    let Some(found) = table.quick_get(at.operand(instruction.c())) else {
                        return Exit::Get;
                    };
                    if found.is_nil() && table.metatable().is_some() {
                        return Exit::Complete;
                    }
                    at.set(instruction.a(), found);
                }
                Quick::GetField => {
                    let table = known!(at.get(instruction.b()).as_table());
                    let found = known!(table.quick_field(at.constant_operand(instruction.c())));
                    if found.is_nil() && table.metatable().is_some() {
                        return Exit::Complete;
                    }
                    at.set(instruction.a(), found);
                }
                Quick::SetTable => {
                    let table = known!(at.get(instruction.a()).as_table());
                    let (key, value) = (at.operand(instruction.b()), at.operand(instruction.c()));
                    if !table.quick_set(key, value) {
                        return Exit::Set;
                    }
                }
                Quick::SetField => {
                    let table = known!(at.get(instruction.a()).as_table());
                    let name = at.constant_operand(instruction.b());
                    if !table.quick_set_field(name, at.operand(instruction.c())) {
                        return Exit::Set;
                    }
                }
                Quick::Method => {
                    let object = at.get(instruction.b());
                    let found = self.quick_method(object, at.constant_operand(instruction.c()));
                    let found = known!(found);
                    at.set(instruction.a() + 1, object);
                    at.set(instruction.a(), found);
                }
                Quick::Add => arithmetic!(instruction, operand, operand, |x, y| x + y),
                Quick::AddRR => arithmetic!(instruction, get, get, |x, y| x + y),
                Quick::AddRK => arithmetic!(instruction, get, constant_operand, |x, y| x + y),
                Quick::Sub => arithmetic!(instruction, operand, operand, |x, y| x - y),
                Quick::SubRR => arithmetic!(instruction, get, get, |x, y| x - y),
                Quick::SubRK => arithmetic!(instruction, get, constant_operand, |x, y| x - y),
                Quick::Mul => arithmetic!(instruction, operand, operand, |x, y| x * y),
                Quick::MulRR => arithmetic!(instruction, get, get, |x, y| x * y),
                Quick::MulRK => arithmetic!(instruction, get, constant_operand, |x, y| x * y),
                Quick::Div => arithmetic!(instruction, operand, operand, |x, y| x / y),
                Quick::DivRK => arithmetic!(instruction, get, constant_operand, |x, y| x / y),
                Quick::Mod => arithmetic!(instruction, operand, operand, |x, y| modulo(x, y)),
                Quick::ModRK => {
                    arithmetic!(instruction, get, constant_operand, |x, y| modulo(x, y));
                }
                Quick::Unm => {
                    let number = known!(at.get(instruction.b()).as_number());
                    at.set(instruction.a(), Packed::computed(-number));
                }
                Quick::Not => {
                    at.set(instruction.a(), Packed::boolean(!at.get(instruction.b()).is_true()));
                }
                Quick::Len => {
                    let length = known!(at.get(instruction.b()).quick_length());
                    at.set(instruction.a(), Packed::computed(length as f64));
                }
                Quick::Jmp => {
                    at.jump(instruction.sbx());
                    if instruction.sbx() < 0 {
                        spend!();
                    }
                }
                Quick::Eq => {
                    let (left, right) = (at.operand(instruction.b()), at.operand(instruction.c()));
                    let answer = known!(left.quick_equals(right));
                    jump_if!(answer == (instruction.a() != 0));
                }
                Quick::EqRK => {
                    let right = at.constant_operand(instruction.c());
                    let answer = known!(at.get(instruction.b()).quick_equals(right));
                    jump_if!(answer == (instruction.a() != 0));
                }
                Quick::Lt => compare!(instruction, operand, operand, <),
                Quick::LtRR => compare!(instruction, get, get, <),
                Quick::LtRK => compare!(instruction, get, constant_operand, <),
                Quick::Le => compare!(instruction, operand, operand, <=),
                Quick::LeRR => compare!(instruction, get, get, <=),
                Quick::LeRK => compare!(instruction, get, constant_operand, <=),
                Quick::Test => {
                    jump_if!(at.get(instruction.a()).is_true() == (instruction.c() != 0));
                }
                Quick::TestSet => {
                    let value = at.get(instruction.b());
                    let taken = value.is_true() == (instruction.c() != 0);
                    if taken {
                        at.set(instruction.a(), value);
                    }
                    jump_if!(taken);
                }
                Quick::Call => {
                    let Some(closure) = at.get(instruction.a()).as_closure() else {
                        return Exit::Call;
                    };
                    let callee = closure.function();
                    let given = match instruction.b() {
                        0 => return Exit::Complete,
                        count => count - 1,
                    };
                    let function = at.base + instruction.a() as usize;
                    let base = function + 1;
                    let top = base + usize::from(callee.max_stack);
                    let thread = &mut *self.thread;
                    let depth = thread.frames.len();
                    if callee.is_vararg
                        || top >= thread.stack.len()
                        || depth >= thread.frames.capacity().min(thread.max_frames)
                    {
                        return Exit::Complete;
                    }
                    let pc = at.pc();
                    // SAFETY: the frame that runs is there, and there is room for one more.
                    unsafe {
                        let frame = thread.frames.as_mut_ptr().add(depth);
                        let caller = frame.sub(1);
                        (*caller).pc = pc;
                        frame.write(Frame {
                            closure: Some(closure),
                            function: function as u32,
                            base: base as u32,
                            top: top as u32,
                            pc: 0,
                            wanted: instruction.c() as i32 - 1,
                            after: After::Results,
                            progress: Progress::Started,
                            nested: (*caller).nested,
                            tail: false,
                        });
                        thread.frames.set_len(depth + 1);
                    }
                    thread.top = top;
                    let parameters = u32::from(callee.clean);
                    *at = self.place_of(closure, base, 0);
                    for register in given.min(u32::from(callee.parameters))..parameters {
                        at.set(register, Packed::NIL);
                    }
                    spend!();
                }
                Quick::Return => {
                    let count = match instruction.b() {
                        0 => return Exit::Return,
                        count => count - 1,
                    };
                    let thread = &mut *self.thread;
                    let [.., caller, frame] = &thread.frames[..] else { return Exit::Return };
                    let Some(closure) = caller.closure else { return Exit::Return };
                    if frame.wanted == MULTIPLE || frame.after != After::Results {
                        return Exit::Return;
                    }
                    if thread.open.last().is_some_and(|(slot, _)| *slot >= at.base) {
                        return Exit::Close;
                    }
                    let wanted = frame.wanted as u32;
                    let (base, pc) = (caller.base as usize, caller.pc as usize);
                    thread.top = caller.top as usize;
                    // SAFETY: the results' registers are the caller's: its call names them.
                    let target = unsafe { thread.stack.as_mut_ptr().add(frame.function as usize) };
                    for index in 0..wanted {
                        let value = if index < count {
                            at.get(instruction.a() + index)
                        } else {
                            Packed::NIL
                        };
                        // SAFETY: as above.
                        unsafe { *target.add(index as usize) = value };
                    }
                    // SAFETY: there are two frames, and a frame needs no drop.
                    unsafe { thread.frames.set_len(thread.frames.len() - 1) };
                    *at = self.place_of(closure, base, pc);
                }
                Quick::ForLoop => {
                    let a = instruction.a();
                    // ForPrep has made numbers of all three. A NaN ends the loop, and is stored nowhere.
                    let step = at.get(a + 2).as_bits_of_number();
                    let limit = at.get(a + 1).as_bits_of_number();
                    let index = at.get(a).as_bits_of_number() + step;
                    let goes_on = if step > 0.0 { index <= limit } else { limit <= index };
                    if goes_on {
                        at.set(a, Packed::computed(index));
                        at.set(a + 3, Packed::computed(index));
                        at.jump(instruction.sbx());
                        spend!();
                    }
                }
                Quick::NewTable => return Exit::NewTable,
                Quick::Closure => return Exit::NewClosure,
                Quick::SetList => return Exit::SetList,
                Quick::TForLoop => return Exit::Iterate,
                Quick::SetGlobal
                | Quick::OpSelf
                | Quick::Pow
                | Quick::Concat
                | Quick::TailCall
                | Quick::ForPrep
                | Quick::Close
                | Quick::Vararg => return Exit::Complete,
            }
        }
    }
}
