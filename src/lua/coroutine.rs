//! Defines coroutines, and how the machine changes from one to another.
//!
//! The machine runs one thread: a stack with its frames and open upvalues. Resuming a coroutine makes it run the
//! coroutine's and remembers the resumer; yielding, returning or failing makes it run the resumer's again. A variable
//! that closures share while its coroutine does not run lives in its upvalue, not on the stack.

// A thread that runs is changed without a look at whether it may be.
#![allow(unsafe_code)]

use super::function::Upvalue;
use super::machine::{
    After, Arguments, Fault, Flow, Frame, MAX_VALUES, MULTIPLE, Machine, Progress, Thread,
};
use super::packed::Packed;
use super::value::Value;
use gc_arena::lock::RefLock;
use gc_arena::{Collect, Gc, Mutation};
use std::cell::Cell;

/// A coroutine; copies are the same one.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub struct Coroutine<'gc>(pub(super) Gc<'gc, CoroutineState<'gc>>);

#[derive(Collect)]
#[collect(no_drop)]
pub(super) struct CoroutineState<'gc> {
    id: u32,
    /// Its stack and frames.
    thread: ThreadRef<'gc>,
    #[collect(require_static)]
    status: Cell<Status>,
}

/// A thread on the heap; copies are the same one.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub(super) struct ThreadRef<'gc>(Gc<'gc, RefLock<Thread<'gc>>>);

impl<'gc> ThreadRef<'gc> {
    /// Puts a thread there.
    pub fn new(mc: &Mutation<'gc>, thread: Thread<'gc>) -> ThreadRef<'gc> {
        ThreadRef(Gc::new(mc, RefLock::new(thread)))
    }

    /// The thread, for the machine to run in this slice.
    ///
    /// # Safety
    ///
    /// What has been given for the same thread before is used no longer.
    pub unsafe fn run<'a>(self, mc: &Mutation<'gc>) -> &'a mut Thread<'gc> {
        // The collector hears here that values are going to be written to it; it does not work before the slice ends.
        let cell = Gc::write(mc, self.0).unlock();
        // SAFETY: nothing borrows the cell, and the caller promises that there is no other reference. The thread lives
        // as long as the arena, or until a collection, which happens between two slices.
        unsafe { &mut *cell.as_ptr() }
    }
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

impl<'a, 'gc> Machine<'a, 'gc> {
    /// A coroutine that will run a function.
    pub fn coroutine(&mut self, function: Value<'gc>) -> Coroutine<'gc> {
        let mut thread = Thread::new(self.mc, &[function.into()]);
        thread.hooked = self.thread.hooked;
        let thread = ThreadRef::new(self.mc, thread);
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
            && self.thread.frames.last().is_some_and(|frame| frame.nested == 0)
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
        let resumer = self.switch_to(coroutine.0.thread);
        // Natives resume a coroutine only while there are few enough.
        self.thread.outside = u8::try_from(outside).unwrap_or(u8::MAX);
        self.give_values(&resumer.stack[given.base..given.base + given.count]);
        self.state.resumers.push(self.state.coroutine.replace(coroutine));
        if self.thread.frames.is_empty() {
            self.call(0, given.count, MULTIPLE, After::Results)?;
        } else if self.thread.frames.last().is_some_and(Frame::is_native) {
            // The native on top has yielded.
            self.finish(self.thread.top - given.count, given.count)?;
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
        let Some((coroutine, left)) = self.back_to_resumer(Status::Suspended) else {
            return Ok(());
        };
        let safely = self.back_in_resumer();
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
        if !fits {
            return Err(self.error("too many results to resume"));
        }
        self.finish(self.thread.top - given, given)
    }

    /// The native on top is at work again, which has resumed a coroutine. Gives whether it has done so safely.
    #[inline(always)]
    fn back_in_resumer(&mut self) -> bool {
        let Some(frame) = self.thread.frames.last_mut() else { return false };
        let progress = std::mem::replace(&mut frame.progress, Progress::Started);
        progress == Progress::Resuming { safely: true }
    }

    /// Gives the native on top, which has resumed a coroutine, the coroutine's error: as a result, or for it to fail
    /// with, and then a text gets the position of the native's caller before it.
    pub(super) fn give_failure(&mut self, error: Value<'gc>) -> Result<(), Fault<'gc>> {
        if self.back_in_resumer() {
            self.push_packed(Packed::boolean(false));
            self.push(error);
            return self.finish(self.thread.top - 2, 2);
        }
        match error.to_str(self.mc) {
            Some(text) => Err(self.error(text.bytes())),
            None => Err(Fault::Error(error)),
        }
    }

    /// The coroutine that runs has failed: its resumer is to go on with the error. False if none runs.
    pub(super) fn abandon_coroutine(&mut self) -> bool {
        let Some((_, left)) = self.back_to_resumer(Status::Dead) else { return false };
        left.clear();
        true
    }

    /// Lets the script itself run, with none of its coroutines.
    pub(super) fn leave_all_coroutines(&mut self) {
        if self.state.coroutine.take().is_some() {
            self.state.resumers.clear();
            self.switch_to(self.state.main);
        }
    }

    /// Ends the turn of the coroutine that runs, and gives it and its thread; none if it is the script itself.
    #[inline(always)]
    fn back_to_resumer(&mut self, status: Status) -> Option<(Coroutine<'gc>, &'a mut Thread<'gc>)> {
        let coroutine = self.state.coroutine?;
        coroutine.0.status.set(status);
        self.state.coroutine = self.state.resumers.pop().flatten();
        let thread = match self.state.coroutine {
            Some(resumer) => {
                resumer.0.status.set(Status::Running);
                resumer.0.thread
            }
            None => self.state.main,
        };
        Some((coroutine, self.switch_to(thread)))
    }

    /// Runs another thread from now on, and gives the one that ran.
    #[inline(always)]
    fn switch_to(&mut self, thread: ThreadRef<'gc>) -> &'a mut Thread<'gc> {
        self.stop_for_hook();
        for (slot, upvalue) in &self.thread.open {
            upvalue.set(self.mc, Upvalue::Closed(self.thread.stack[*slot]));
        }
        self.state.thread = thread;
        // SAFETY: it did not run, and who had it before has it no longer.
        let left = std::mem::replace(&mut self.thread, unsafe { thread.run(self.mc) });
        for (slot, upvalue) in &self.thread.open {
            if let Upvalue::Closed(value) = upvalue.get() {
                self.thread.stack[*slot] = value;
            }
            upvalue.set(self.mc, Upvalue::Open(*slot as u32));
        }
        left
    }

    /// Works with an empty stack, on which no coroutine runs.
    pub(super) fn beside<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let beside = self.coroutine(Value::Nil).0.thread;
        let before = self.state.thread;
        let running = self.state.coroutine.take();
        let resumers = std::mem::take(&mut self.state.resumers);
        self.switch_to(beside);
        self.thread.clear();
        let result = work(self);
        self.close(0);
        self.thread.clear();
        self.switch_to(before);
        self.state.resumers = resumers;
        self.state.coroutine = running;
        result
    }

    /// Pushes values that come from another stack.
    #[inline(always)]
    fn give_values(&mut self, values: &[Packed<'gc>]) {
        let first = self.thread.top;
        let top = first + values.len();
        self.reserve(top);
        // One by one: it is nearly always one, and a call for a copy of any size costs more.
        for (place, value) in values.iter().enumerate() {
            self.thread.stack[first + place] = *value;
        }
        self.thread.top = top;
    }
}
