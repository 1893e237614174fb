//! Defines coroutines, and how the machine changes from one to another.
//!
//! The machine runs one thread, whose stack, frames and open upvalues stand in its state. Resuming a coroutine
//! exchanges them for the coroutine's own and remembers the resumer; yielding, returning or failing exchanges them
//! back. A variable that closures share while its coroutine does not run lives in its upvalue, not on the stack.

use super::function::Upvalue;
use super::machine::{
    After, Arguments, Fault, Flow, Frame, MAX_VALUES, MULTIPLE, Machine, Progress, Thread,
};
use super::packed::Packed;
use super::value::Value;
use gc_arena::lock::RefLock;
use gc_arena::{Collect, Gc};
use std::cell::{Cell, RefMut};

/// A coroutine; copies are the same one.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Coroutine<'gc>(pub(super) Gc<'gc, CoroutineState<'gc>>);

#[derive(Collect)]
#[collect(no_drop)]
pub(super) struct CoroutineState<'gc> {
    id: u32,
    /// Its stack and frames while it is suspended; those of its resumer while it runs.
    thread: Gc<'gc, RefLock<Thread<'gc>>>,
    #[collect(require_static)]
    status: Cell<Status>,
}

/// What `coroutine.status` tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It has not begun, or has yielded.
    Suspended,
    /// It runs.
    Running,
    /// It waits for another that it resumed.
    Normal,
    /// It has returned or failed.
    Dead,
}

impl Status {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Status::Suspended => "suspended",
            Status::Running => "running",
            Status::Normal => "normal",
            Status::Dead => "dead",
        }
    }
}

impl Coroutine<'_> {
    /// A number of its own: what `tostring` shows as its address.
    pub fn id(self) -> u32 {
        self.0.id
    }

    /// What it does.
    pub fn status(self) -> Status {
        self.0.status.get()
    }
}

impl PartialEq for Coroutine<'_> {
    fn eq(&self, other: &Self) -> bool {
        Gc::ptr_eq(self.0, other.0)
    }
}

impl<'gc> Machine<'_, 'gc> {
    /// A coroutine that will run a function.
    pub fn coroutine(&mut self, function: Value<'gc>) -> Coroutine<'gc> {
        let mut thread = Thread::new(self.mc, &[function.into()]);
        thread.hooked = self.state.thread.hooked;
        let thread = Gc::new(self.mc, RefLock::new(thread));
        let (id, status) = (self.new_id(), Cell::new(Status::Suspended));
        Coroutine(Gc::new(self.mc, CoroutineState { id, thread, status }))
    }

    /// The coroutine that runs; none if it is the script itself.
    pub fn running(&self) -> Option<Coroutine<'gc>> {
        self.state.coroutine
    }

    /// Whether what runs may yield: it is a coroutine, and no native or metamethod stands between its function and
    /// here.
    pub fn can_yield(&self) -> bool {
        self.state.coroutine.is_some()
            && self.state.thread.frames.last().is_some_and(|frame| frame.nested == 0)
    }

    /// Runs a suspended coroutine, which is given the values in these slots. What it yields or returns is the result of
    /// the native that runs. If it is resumed safely, true comes before that, and its error is a result too, behind
    /// false.
    #[inline(always)]
    pub(super) fn resume_coroutine(
        &mut self,
        coroutine: Coroutine<'gc>,
        given: Arguments,
        safely: bool,
    ) -> Result<Flow, Fault<'gc>> {
        self.set_progress(Progress::Resuming { safely });
        if let Some(resumer) = self.state.coroutine {
            resumer.0.status.set(Status::Normal);
        }
        coroutine.0.status.set(Status::Running);
        let outside = self.c_calls();
        let resumer = self.exchange(coroutine);
        // Natives resume a coroutine only while there are few enough.
        self.state.thread.outside = u8::try_from(outside).unwrap_or(u8::MAX);
        self.give_values(&resumer.stack[given.base..given.base + given.count]);
        drop(resumer);
        self.state.resumers.push(self.state.coroutine.replace(coroutine));
        if self.state.thread.frames.is_empty() {
            self.call(0, given.count, MULTIPLE, After::Results)?;
        } else if self.state.thread.frames.last().is_some_and(Frame::is_native) {
            // The native on top has yielded.
            self.finish(self.state.thread.top - given.count, given.count)?;
        } else {
            self.give_to_yield(given.count);
        }
        Ok(Flow::Switched)
    }

    /// Suspends the coroutine that runs, and gives its resumer the values in these slots, the last on the stack. The
    /// results of the native that runs are what the coroutine is resumed with.
    pub(super) fn yield_values(&mut self, given: Arguments) -> Result<Flow, Fault<'gc>> {
        self.leave_coroutine(given.count)?;
        Ok(Flow::Switched)
    }

    /// Suspends the coroutine that runs, or ends it if its function has returned; its resumer gets the last `count`
    /// values on the stack.
    #[inline(always)]
    pub(super) fn leave_coroutine(&mut self, count: usize) -> Result<(), Fault<'gc>> {
        let Some(coroutine) = self.back_to_resumer(Status::Suspended) else { return Ok(()) };
        let safely = self.back_in_resumer();
        let mut left = coroutine.0.thread.borrow_mut(self.mc);
        let first = left.top - count;
        let mut given = count;
        if safely {
            self.push_packed(Packed::boolean(true));
            given += 1;
        }
        // The coroutine is on that stack too.
        let fits = given < MAX_VALUES;
        if fits {
            self.give_values(&left.stack[first..first + count]);
        }
        left.top = first;
        if left.frames.is_empty() {
            coroutine.0.status.set(Status::Dead);
            left.clear();
        }
        drop(left);
        if !fits {
            return Err(self.error("too many results to resume"));
        }
        self.finish(self.state.thread.top - given, given)
    }

    /// The native on top is at work again, which has resumed a coroutine. Gives whether it has done so safely.
    #[inline(always)]
    fn back_in_resumer(&mut self) -> bool {
        let Some(frame) = self.state.thread.frames.last_mut() else { return false };
        let progress = std::mem::replace(&mut frame.progress, Progress::Started);
        progress == Progress::Resuming { safely: true }
    }

    /// Gives the native on top, which has resumed a coroutine, the coroutine's error: as a result, or for it to fail
    /// with, and then a text gets the position of the native's caller before it.
    pub(super) fn give_failure(&mut self, error: Value<'gc>) -> Result<(), Fault<'gc>> {
        if self.back_in_resumer() {
            self.push_packed(Packed::boolean(false));
            self.push(error);
            return self.finish(self.state.thread.top - 2, 2);
        }
        match error.to_str(self.mc) {
            Some(text) => Err(self.error(text.bytes())),
            None => Err(Fault::Error(error)),
        }
    }

    /// The coroutine that runs has failed: its resumer is to go on with the error. False if none runs.
    pub(super) fn abandon_coroutine(&mut self) -> bool {
        let coroutine = self.back_to_resumer(Status::Dead);
        if let Some(coroutine) = coroutine {
            coroutine.0.thread.borrow_mut(self.mc).clear();
        }
        coroutine.is_some()
    }

    /// Ends the turn of the coroutine that runs, and gives it; none if it is the script itself.
    #[inline(always)]
    fn back_to_resumer(&mut self, status: Status) -> Option<Coroutine<'gc>> {
        let coroutine = self.state.coroutine?;
        coroutine.0.status.set(status);
        self.state.coroutine = self.state.resumers.pop().flatten();
        if let Some(resumer) = self.state.coroutine {
            resumer.0.status.set(Status::Running);
        }
        self.exchange(coroutine);
        Some(coroutine)
    }

    /// Exchanges the thread that runs for the one that the coroutine holds, and gives the coroutine's hold on the former.
    #[inline(always)]
    fn exchange(&mut self, coroutine: Coroutine<'gc>) -> RefMut<'gc, Thread<'gc>> {
        self.stop_for_hook();
        let current = &self.state.thread;
        for (slot, upvalue) in &current.open {
            upvalue.set(self.mc, Upvalue::Closed(current.stack[*slot]));
        }
        let mut held = coroutine.0.as_ref().thread.borrow_mut(self.mc);
        std::mem::swap(&mut self.state.thread, &mut held);
        let current = &mut self.state.thread;
        for (slot, upvalue) in &current.open {
            if let Upvalue::Closed(value) = upvalue.get() {
                current.stack[*slot] = value;
            }
            upvalue.set(self.mc, Upvalue::Open(*slot as u32));
        }
        held
    }

    /// Works with an empty stack, on which no coroutine runs.
    pub(super) fn beside<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let held = self.coroutine(Value::Nil);
        let running = self.state.coroutine.take();
        let resumers = std::mem::take(&mut self.state.resumers);
        drop(self.exchange(held));
        self.state.thread.clear();
        let result = work(self);
        self.close(0);
        self.state.thread.clear();
        drop(self.exchange(held));
        self.state.resumers = resumers;
        self.state.coroutine = running;
        result
    }

    /// Pushes values that come from another stack.
    #[inline(always)]
    fn give_values(&mut self, values: &[Packed<'gc>]) {
        let first = self.state.thread.top;
        let top = first + values.len();
        self.reserve(top);
        // One by one: it is nearly always one, and a call for a copy of any size costs more.
        for (place, value) in values.iter().enumerate() {
            self.state.thread.stack[first + place] = *value;
        }
        self.state.thread.top = top;
    }
}
