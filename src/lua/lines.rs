//! Stops a script where a line begins, and shows what a debugger wants to see there.
//!
//! A line begins as PUC-Rio's line hook has it: where a function begins, behind a jump back, and where the line is
//! another than that of the instruction before. A script that is debugged runs instruction by instruction; others pay
//! nothing.

use super::bytecode::OpCode;
use super::coroutine::Coroutine;
use super::debug::{called_name, local_name};
use super::execute::Stop;
use super::function::{Closure, Upvalue};
use super::machine::{After, Fault, Frame, MULTIPLE, Machine};
use super::value::Value;

/// Where a script is to stop.
#[derive(Clone, Debug, Default)]
pub struct Stops {
    /// At the next line, whichever it is.
    pub every_line: bool,
    /// But at the next line only where no more calls are open than here ([`Machine::depth`]).
    pub deepest: Option<(usize, usize)>,
    /// At these lines, from 1.
    pub breakpoints: Vec<i64>,
    /// At the line that is the so manieth that begins ([`Machine::lines_begun`]).
    pub at_count: Option<u64>,
}

/// What is kept of a script that is debugged.
pub(super) struct LineHook {
    stops: Stops,
    /// Only in functions of this chunk.
    chunk_name: &'static [u8],
    /// The instruction that ran last, and how deep it was in the stack of which thread.
    last: Option<(Option<u32>, usize, u32)>,
    /// The script has stopped at the instruction that comes next.
    stopped: bool,
    /// Lines that have begun.
    begun: u64,
}

/// A function that is being run, as a debugger shows it.
pub struct Level<'gc> {
    /// What the source that called it calls it.
    pub name: Option<Vec<u8>>,
    /// The chunk, with its mark: `@user_script`.
    pub source: Vec<u8>,
    /// The line that runs.
    pub line: i64,
    /// Local variables in scope in the order of their declarations, those of the compiler in parentheses.
    pub locals: Vec<(Vec<u8>, Value<'gc>)>,
    /// Variables of functions around it.
    pub upvalues: Vec<(Vec<u8>, Value<'gc>)>,
}

impl<'gc> Machine<'_, 'gc> {
    /// Lets the script stop at lines of a chunk, or lets it run through again.
    pub fn set_stops(&mut self, chunk_name: &'static [u8], stops: Option<Stops>) {
        let before = self.state.lines.take();
        self.state.lines = stops.map(|stops| match before {
            Some(before) => LineHook { stops, ..before },
            None => LineHook { stops, chunk_name, last: None, stopped: false, begun: 0 },
        });
    }

    /// Lines that have begun in the script that is debugged, the one at which it has stopped among them.
    pub fn lines_begun(&self) -> u64 {
        self.state.lines.as_ref().map_or(0, |lines| lines.begun)
    }

    /// Lets a script that is debugged stop at the next line.
    pub fn stop_at_next_line(&mut self) {
        if let Some(lines) = &mut self.state.lines {
            lines.stops.every_line = true;
        }
    }

    /// Raises an error where a script has stopped.
    pub fn raise_at_line(&mut self, error: Value<'gc>) {
        // The line that begins is where the error is.
        if let Some(Frame { closure: Some(_), pc, .. }) = self.thread.frames.last_mut() {
            *pc += 1;
        }
        self.state.pending = Some(Fault::Error(error));
    }

    /// A global variable; none if it is nil.
    pub fn global(&mut self, name: &[u8]) -> Option<Value<'gc>> {
        let name = self.string(name);
        let value = self.state.globals.get(name);
        (value != Value::Nil).then_some(value)
    }

    /// As [`Machine::run`] for the Lua function on top, up to the next line at which to stop. Gives whether it is there.
    pub(super) fn run_to_line(&mut self) -> Result<bool, Fault<'gc>> {
        while self.fuel > 0
            && let Some(&Frame { closure: Some(closure), pc, .. }) = self.thread.frames.last()
        {
            if self.stops_before(closure, pc) {
                return Ok(true);
            }
            self.execute::<true>()?;
        }
        Ok(false)
    }

    /// The instruction that comes next is one that could not be done: its line does not begin again.
    pub(super) fn go_on_in_line(&mut self) {
        if let Some(lines) = &mut self.state.lines {
            lines.stopped = true;
        }
    }

    /// Notes the instruction that comes next. Gives whether the script is to stop there.
    fn stops_before(&mut self, closure: Closure<'gc>, pc: u32) -> bool {
        let thread = self.state.coroutine.map(Coroutine::id);
        let depth = self.thread.frames.len();
        let here = self.depth();
        let Some(hook) = &mut self.state.lines else { return false };
        if std::mem::take(&mut hook.stopped) {
            return false;
        }
        let before = match hook.last {
            Some((last_thread, last_depth, last))
                if (last_thread, last_depth) == (thread, depth) =>
            {
                last
            }
            // A function that it called has returned.
            _ => pc.saturating_sub(1),
        };
        hook.last = Some((thread, depth, pc));
        let proto = closure.proto();
        let line = |pc: u32| proto.lines.get(pc as usize).copied().unwrap_or(0);
        // PUC-Rio does the jump behind these with them.
        let is_part = (pc as usize).checked_sub(1).is_some_and(|before| {
            use OpCode::{Eq, Le, Lt, TForLoop, Test, TestSet};
            matches!(proto.code[before].op(), Eq | Lt | Le | Test | TestSet | TForLoop)
                && proto.code[pc as usize].op() == OpCode::Jmp
        });
        if is_part {
            return false;
        }
        let begins = pc == 0 || pc <= before || line(pc) != line(before);
        if !begins || *proto.source != *hook.chunk_name {
            return false;
        }
        hook.begun += 1;
        let is_deeper = hook.stops.deepest.is_some_and(|deepest| here > deepest);
        hook.stopped = hook.stops.every_line && !is_deeper
            || hook.stops.at_count == Some(hook.begun)
            || hook.stops.breakpoints.contains(&i64::from(line(pc)));
        hook.stopped
    }

    /// The Lua functions that run in the thread that runs, innermost first, of a script that has stopped or paused.
    pub fn levels(&self) -> Vec<Level<'gc>> {
        let frames = &self.thread.frames;
        let mut levels = Vec::new();
        for (index, frame) in frames.iter().enumerate().rev() {
            let Some(closure) = frame.closure else { continue };
            let is_top = index + 1 == frames.len();
            levels.push(self.level(index, frame, closure, is_top));
        }
        levels
    }

    fn level(
        &self,
        index: usize,
        frame: &Frame<'gc>,
        closure: Closure<'gc>,
        is_top: bool,
    ) -> Level<'gc> {
        let proto = closure.proto();
        // The one on top has yet to run its instruction; those below are in a call.
        let pc = if is_top { frame.pc } else { frame.pc.saturating_sub(1) } as usize;
        let locals = (0..usize::from(closure.function().max_stack)).map_while(|register| {
            let name = local_name(proto, register, pc)?;
            Some((name, self.slot(frame.base as usize + register)))
        });
        let upvalues = proto.upvalues.iter().enumerate().filter_map(|(index, name)| {
            let value = match closure.0.upvalues.get(index)?.get() {
                Upvalue::Open(slot) => self.packed(slot as usize),
                Upvalue::Closed(value) => value,
            };
            Some((name.to_vec(), value.unpack()))
        });
        let caller = index.checked_sub(1).map(|below| &self.thread.frames[below]);
        let name = caller.filter(|_| !frame.tail).and_then(|caller| {
            let proto = caller.closure?.proto();
            called_name(proto, (caller.pc as usize).checked_sub(1)?)
        });
        Level {
            name: name.map(|(_, name)| name),
            source: proto.source.to_vec(),
            line: i64::from(proto.lines.get(pc).copied().unwrap_or(0)),
            locals: locals.collect(),
            upvalues: upvalues.collect(),
        }
    }

    /// Calls a function while a script has stopped, beside it: what the function does is no part of the script's stack.
    /// Its first result, or its error.
    ///
    /// `push` pushes the function and its arguments, and gives their number, or the error of a function that is none. What
    /// needs more than the fuel that the machine has gets `timeout` as its error.
    pub fn call_beside(
        &mut self,
        push: impl FnOnce(&mut Self) -> Result<usize, Value<'gc>>,
        timeout: &str,
    ) -> Result<Value<'gc>, Value<'gc>> {
        let lines = self.state.lines.take();
        let pending = self.state.pending.take();
        let failure = self.state.failure.take();
        let position = self.state.position.take();
        let result = self.beside(|machine| {
            let arguments = push(machine)?;
            if let Err(fault) = machine.call(0, arguments, MULTIPLE, After::Results)
                && let Err(error) = machine.unwind(fault)
            {
                return Err(error);
            }
            match machine.run() {
                Stop::Finished if machine.top() > 0 => Ok(machine.slot(0)),
                Stop::Finished => Ok(Value::Nil),
                Stop::Failed => Err(machine.state.failure.take().unwrap_or_default()),
                Stop::Paused | Stop::Line => Err(machine.string(timeout)),
            }
        });
        self.state.lines = lines;
        self.state.pending = pending;
        self.state.failure = failure;
        self.state.position = position;
        result
    }
}
