//! Stops a script with an error that it may catch, but that comes again and again until it gives up.
//!
//! PUC-Rio does so with a hook: it is called for each line that begins, for each jump back and at the start of each
//! function, though not in a handler that it has called itself. Here the script runs from one call or jump back to the
//! next, and in between it is worked out whether it would get to another line. That is not worked out through a branch
//! whose condition is not known yet: such a script may get some lines further than it should.

use super::bytecode::{Instruction, OpCode};
use super::coroutine::Coroutine;
use super::execute::Stop;
use super::machine::{After, Fault, Frame, Machine};
use super::value::Value;
use gc_arena::Collect;

/// How long a coroutine, or the script, may go on when it was another one that got the error; in fuel. PUC-Rio's hook
/// stays as it is there: in Redis it is called every 100000 instructions.
const REST: i64 = 15_000;
/// Fuel behind a native: the call takes a unit, and the native one. A jump back takes one, of the one that there is.
const BEHIND_CALL: i64 = -1;
/// How many instructions are looked at.
const MAX_LOOK: usize = 1000;

/// The error that a script is to give up with.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub(super) struct Hook<'gc> {
    error: Value<'gc>,
    /// Fuel until a thread that has not had the error gets it.
    rest: i64,
    /// A handler has been called for it that runs in this many threads and frames: nothing is done until it is done.
    handler: Option<(usize, usize)>,
    /// Which thread it was that ran when the script was last looked at, and how many frames it had.
    thread: Option<Coroutine<'gc>>,
    frames: usize,
}

impl<'gc> Machine<'_, 'gc> {
    /// Makes the script give up with this error. The second time it is ended at once: its handler of the error may not
    /// end, and no hook is called there.
    pub fn set_hook(&mut self, error: Value<'gc>) {
        if self.state.hook.is_some() {
            self.state.pending = Some(Fault::Interrupt(error));
        }
        self.state.hook =
            Some(Hook { error, rest: 0, handler: None, thread: None, frames: usize::MAX });
    }

    /// The error, if the thread that runs has had it.
    pub fn hook_error(&self) -> Option<Value<'gc>> {
        self.state.hook.map(|hook| hook.error).filter(|_| self.thread.hooked)
    }

    /// Whether the script has been made to give up.
    pub fn has_hook(&self) -> bool {
        self.state.hook.is_some()
    }

    /// As [`Machine::run`], for a script that is to give up.
    pub(super) fn run_with_hook(&mut self) -> Stop {
        let mut left = self.fuel;
        // A thread that has had the error has been looked at when it was stopped.
        if !self.thread.hooked && self.call_hook().is_err() {
            return Stop::Failed;
        }
        while left > 0 && !self.state.wants_collection {
            let Some(hook) = self.state.hook else { break };
            let portion = if self.is_in_its_handler(hook) {
                left
            } else if self.thread.hooked {
                1
            } else {
                left.min(hook.rest.max(1))
            };
            self.fuel = portion;
            let stop = self.run();
            if stop != Stop::Paused {
                return stop;
            }
            let spent = (portion - self.fuel).max(1);
            left -= spent;
            if let Some(hook) = &mut self.state.hook {
                hook.rest -= spent;
            }
            if self.call_hook().is_err() {
                return Stop::Failed;
            }
        }
        self.fuel = left;
        Stop::Paused
    }

    /// To be called where a native goes on, or another thread: a script that is to give up must be looked at then.
    #[inline]
    pub(super) fn stop_for_hook(&mut self) {
        if self.state.hook.is_some() {
            self.fuel = self.fuel.min(BEHIND_CALL);
        }
    }

    /// How many calls are open: coroutines that wait for one that they have resumed, and frames of the thread that runs.
    pub fn depth(&self) -> (usize, usize) {
        let thread = &*self.thread;
        (self.state.resumers.len(), thread.frames.len())
    }

    fn is_in_its_handler(&self, hook: Hook<'gc>) -> bool {
        hook.handler.is_some_and(|handler| self.depth() >= handler)
    }

    /// Raises the error, as long as it is time to.
    fn call_hook(&mut self) -> Result<(), Value<'gc>> {
        // Where the script goes on behind a native or a protected call, rather than behind a jump.
        let mut is_behind_call = self.fuel <= BEHIND_CALL;
        while let Some(hook) = self.state.hook
            && !self.is_in_its_handler(hook)
        {
            let is_due =
                if self.thread.hooked { self.is_due(is_behind_call) } else { hook.rest <= 0 };
            if !is_due {
                break;
            }
            self.thread.hooked = true;
            // The line that begins is where the error is.
            if let Some(Frame { closure: Some(_), pc, .. }) = self.thread.frames.last_mut() {
                *pc += 1;
            }
            self.unwind(Fault::Error(hook.error))?;
            let frames = &self.thread.frames;
            let in_handler =
                frames.last().is_some_and(|frame| matches!(frame.after, After::Handler));
            let handler = in_handler.then(|| self.depth());
            self.state.hook = Some(Hook { handler, rest: REST, frames: usize::MAX, ..hook });
            is_behind_call = true;
        }
        let (frames, thread) = (self.depth().1, self.state.coroutine);
        if let Some(hook) = &mut self.state.hook {
            (hook.frames, hook.thread) = (frames, thread);
        }
        Ok(())
    }

    /// Whether a hook would be called before anything else happens. If so, the frame on top is where it would be.
    fn is_due(&mut self, is_behind_call: bool) -> bool {
        let Some(hook) = self.state.hook else { return false };
        let thread = &*self.thread;
        let known = if hook.thread == self.state.coroutine { hook.frames } else { usize::MAX };
        // A function that a native or a metamethod has called has run on to its first call.
        let entered = (known..thread.frames.len()).find(|&index| !thread.frames[index].is_native());
        if let Some(index) = entered {
            self.leave_to(index, 0);
            return true;
        }
        let Some(frame) = thread.frames.last() else { return false };
        let Some(closure) = frame.closure else { return false };
        let Some(before) = (frame.pc as usize).checked_sub(1) else { return true };
        let before = closure.proto().code[before].op();
        if !(is_behind_call && matches!(before, OpCode::Call | OpCode::TailCall)) {
            return true;
        }
        let Some((index, pc)) = self.next_line() else { return false };
        self.leave_to(index, pc);
        true
    }

    /// Drops the frames above this one, which is at this instruction.
    fn leave_to(&mut self, index: usize, pc: usize) {
        let thread = &mut *self.thread;
        let waits = |frame: &&Frame| frame.waits();
        let given_up = thread.frames[index + 1..].iter().filter(waits).count();
        thread.waiting.truncate(thread.waiting.len() - given_up);
        thread.frames.truncate(index + 1);
        let frame = &mut thread.frames[index];
        frame.pc = pc as u32;
        let top = frame.top as usize;
        thread.top = top;
        self.close(top);
    }

    /// The frame and the instruction at which a line begins, if the script gets there whatever happens before.
    fn next_line(&self) -> Option<(usize, usize)> {
        let frames = &self.thread.frames;
        let last = frames.len().checked_sub(1)?;
        let mut found = None;
        let mut seen = Vec::new();
        // Frame, instruction, and whether registers still have the values that they will have there.
        let mut open = vec![(last, frames[last].pc as usize, true)];
        while let Some((index, pc, known)) = open.pop() {
            if seen.contains(&(index, pc)) {
                continue;
            }
            seen.push((index, pc));
            let frame = frames[index];
            let proto = frame.closure?.proto();
            let instruction = *proto.code.get(pc)?;
            let line_before = proto.lines.get((frame.pc as usize).checked_sub(1)?);
            if seen.len() > MAX_LOOK {
                return None;
            }
            if proto.lines.get(pc) != line_before {
                found = found.or(Some((index, pc)));
                continue;
            }
            let behind_jump = |pc: usize| {
                let jump: Instruction = *proto.code.get(pc)?;
                usize::try_from(pc as i64 + 1 + i64::from(jump.sbx())).ok()
            };
            match instruction.op() {
                OpCode::Jmp if instruction.sbx() < 0 => {
                    found = found.or(Some((index, behind_jump(pc)?)));
                }
                OpCode::Jmp | OpCode::ForPrep => open.push((index, behind_jump(pc)?, known)),
                OpCode::Test if known => {
                    let value = self.packed((frame.base + instruction.a()) as usize);
                    let jumps = value.is_true() == (instruction.c() != 0);
                    open.push((index, if jumps { behind_jump(pc + 1)? } else { pc + 2 }, known));
                }
                OpCode::Test | OpCode::TestSet | OpCode::Eq | OpCode::Lt | OpCode::Le => {
                    open.push((index, behind_jump(pc + 1)?, false));
                    open.push((index, pc + 2, false));
                }
                OpCode::LoadBool if instruction.c() != 0 => open.push((index, pc + 2, false)),
                OpCode::Closure => {
                    let inner = proto.protos.get(instruction.bx() as usize)?;
                    open.push((index, pc + 1 + inner.upvalues.len(), false));
                }
                OpCode::Return => {
                    let caller = index.checked_sub(1)?;
                    if !matches!(frame.after, After::Results) {
                        return None;
                    }
                    open.push((caller, frames[caller].pc as usize, false));
                }
                OpCode::Call
                | OpCode::TailCall
                | OpCode::ForLoop
                | OpCode::TForLoop
                | OpCode::SetList => {
                    return None;
                }
                _ => open.push((index, pc + 1, false)),
            }
        }
        found
    }
}
