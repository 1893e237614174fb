//! Defines the machine: one register vector, one frame vector, calls, returns and unwinding; nothing recurses.
//!
//! Long because calls, returns and unwinding share one idea of a frame, and are read together.
//!
//! # Natives
//!
//! A native gets the machine and where its arguments are. It pushes its results and says how many they are:
//!
//! ```text
//! fn len<'gc>(machine: &mut Machine<'_, 'gc>, arguments: Arguments) -> Result<Flow, Fault<'gc>> {
//!     let text = machine.check_string(arguments, 1)?;
//!     machine.push(Value::Number(text.bytes().len() as f64));
//!     Ok(Flow::Return(1))
//! }
//! ```
//!
//! To call a Lua value it pushes the function and its arguments and answers [`Flow::Call`] with a [`Continue`], which
//! is resumed with the results (or, if protected, the error). Between the two anything may happen: time slices end,
//! memory is collected. So a continuation holds no Lua values: those stay in the native's part of the stack, which
//! begins at its arguments. Long work pays [`Machine::fuel`] and answers [`Flow::Pause`] when that is spent.
//!
//! A native that scripts call often may have a short cut besides, for the cases that need none of this
//! (`QuickFunction`): the call then takes no frame.

use super::bytecode::Proto;
use super::coroutine::{Coroutine, ThreadRef};
use super::function::{
    Closure, ClosureState, Function, Native, NativeCode, NativeState, Upvalue, UpvalueRef, Upvalues,
};
use super::hook::Hook;
use super::lines::LineHook;
use super::operators::Event;
use super::packed::Packed;
use super::table::{Growth, Table};
use super::value::{Str, Value};
use super::{FunctionId, Host};
use allocator_api2::vec::Vec as MeteredVec;
use evalsha_lua_compiler::codegen::Places;
use gc_arena::allocator_api::MetricsAlloc;
use gc_arena::lock::{Lock, RefLock};
use gc_arena::{Collect, Gc, GcWeak, Mutation};
use std::rc::Rc;

/// Calls that a thread has room for (`LUAI_MAXCALLS`).
const MAX_CALLS: usize = 20_000;
/// As many as PUC-Rio's vector of them comes to before that: it is doubled when it is full.
const FIRST_MAX_CALLS: usize = 16_384;
/// Calls that natives and metamethods may have open (`LUAI_MAXCCALLS`).
pub(super) const MAX_NESTED: u8 = 199;
/// Values that a native may have on its stack, its arguments among them (`LUAI_MAXCSTACK`).
pub(super) const MAX_VALUES: usize = 8000;
/// Longer constants are not looked for among others of the same bytes.
const LONGEST_SHARED: usize = 1 << 10;
/// Keeps all results.
pub const MULTIPLE: i32 = -1;

/// What runs a native function.
pub type NativeFunction =
    for<'a, 'b, 'gc> fn(&'a mut Machine<'b, 'gc>, Arguments) -> Result<Flow, Fault<'gc>>;

/// A short cut through a native, without a frame: gives its results, nil where there are less than two, if it need not
/// push, call, pause or fail. Otherwise it gives nothing and has done nothing, and the native runs.
pub(crate) type QuickFunction =
    for<'a, 'b, 'gc> fn(&'a mut Machine<'b, 'gc>, Arguments) -> Option<[Packed<'gc>; 2]>;

/// Where a native's arguments are on the stack.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    /// Slot of the first.
    pub base: usize,
    /// How many.
    pub count: usize,
}

/// How a native goes on.
pub enum Flow {
    /// It is done; its results are the last so many values on the stack.
    Return(usize),
    /// Call the function that lies below the last so many values on the stack, then resume.
    Call {
        /// Number of arguments.
        arguments: usize,
        /// What becomes of an error in it.
        protection: Protection,
        /// What to do with the outcome.
        then: Box<dyn Continue>,
    },
    /// Fuel is spent: give the turn back, then resume.
    Pause(Box<dyn Continue>),
    /// Fuel is spent before anything has been done: give the turn back, then start again.
    Again,
    /// Another coroutine runs now: it has been resumed, or the one that ran has yielded.
    Switched,
}

/// What becomes of an error in a call that a native makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// It passes by.
    None,
    /// It comes back as [`Outcome::Failed`] (`pcall`).
    Full,
    /// As [`Protection::Full`], but the native's second argument, a handler, is called first, where the error is
    /// raised and nothing is unwound yet. What comes back is the handler's result (`xpcall`).
    Handler,
    /// As [`Protection::Full`], but the handler of the calls around this one is called first (`load`).
    Inherited,
}

impl Flow {
    /// Fuel is spent: give the turn back, then go on by this function with how far the work has come.
    pub fn pause<T: 'static>(work: T, go_on: GoOn<T>) -> Flow {
        Flow::Pause(Box::new(Paused { work, go_on }))
    }
}

/// What a native does that only fuel interrupts: it gets how far the work has come, and ends or pauses.
pub type GoOn<T> =
    for<'a, 'b, 'gc> fn(T, &'a mut Machine<'b, 'gc>, Arguments) -> Result<Flow, Fault<'gc>>;

struct Paused<T> {
    work: T,
    go_on: GoOn<T>,
}

impl<T> Continue for Paused<T> {
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        _: Outcome<'gc>,
    ) -> Result<Flow, Fault<'gc>> {
        (self.go_on)(self.work, machine, arguments)
    }
}

/// What a native still has to do.
pub trait Continue {
    /// Goes on after a call or a pause.
    fn resume<'gc>(
        self: Box<Self>,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
        outcome: Outcome<'gc>,
    ) -> Result<Flow, Fault<'gc>>;
}

/// What happened while a native waited.
#[derive(Clone, Copy)]
pub enum Outcome<'gc> {
    /// A pause is over.
    Resumed,
    /// The call returned this many values, the last on the stack.
    Returned(usize),
    /// The protected call failed with this error value.
    Failed(Value<'gc>),
}

/// Why a script fails.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub enum Fault<'gc> {
    /// A Lua error: a handler is called, and `pcall` catches it.
    Error(Value<'gc>),
    /// As [`Fault::Error`], but no handler is called (any more): what a handler has made of an error, and lack of memory.
    Handled(Value<'gc>),
    /// The host stops the script: nothing catches it.
    Interrupt(Value<'gc>),
}

/// What a caller does with the results of a call.
#[derive(Clone, Copy, PartialEq, Eq, Collect)]
#[collect(require_static)]
pub(super) enum After {
    /// They go to the function's slot and behind it, as many as wanted.
    Results,
    /// As [`After::Results`], for the iterator of a loop: nil ends the loop, anything else is the next control value.
    Iterate,
    /// The first goes to a slot ([`Frame::wanted`]): a metamethod's result.
    Store,
    /// They are dropped: `__newindex`.
    Discard,
    /// The first decides a comparison: the next instruction, a jump, is skipped if its truth is not this.
    Compare(bool),
    /// The first goes to a slot ([`Frame::wanted`]), up to which the concatenation that was interrupted goes on.
    Concat,
    /// They resume the native below.
    Native,
    /// The first takes the place of the error that the handler was called for.
    Handler,
}

impl After {
    /// A call that PUC-Rio makes from C: such calls cannot nest deep, and nothing yields across them.
    #[inline(always)]
    fn nests(self) -> bool {
        !matches!(self, After::Results)
    }

    /// A call that Lua code itself makes; any other is made for a native or a metamethod.
    #[inline(always)]
    pub(super) fn is_plain(self) -> bool {
        matches!(self, After::Results | After::Iterate)
    }
}

/// A call that is open. Slots take 32 bits: frames are many.
#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
pub(super) struct Frame<'gc> {
    /// The Lua function; none for a native, which is in the slot `function`.
    pub closure: Option<Closure<'gc>>,
    /// Slot of the function; results go here.
    pub function: u32,
    /// First register, or first argument.
    pub base: u32,
    /// Behind the last register, or behind the last argument.
    pub top: u32,
    /// The next instruction of a Lua function.
    pub pc: u32,
    /// Number of results, or [`MULTIPLE`]; the slot of the result for [`After::Store`] and [`After::Concat`].
    pub wanted: i32,
    pub after: After,
    #[collect(require_static)]
    pub progress: Progress,
    /// Calls from natives and metamethods open up to here, in this coroutine.
    pub nested: u8,
    /// It took the place of its caller.
    pub tail: bool,
}

impl Frame<'_> {
    pub(super) fn is_native(&self) -> bool {
        self.closure.is_none()
    }

    /// A native that waits for a call whose errors come back to it.
    fn catches(&self) -> bool {
        matches!(self.progress, Progress::Waiting(protection) if protection != Protection::None)
    }

    /// A native whose continuation waits.
    pub(super) fn waits(&self) -> bool {
        matches!(self.progress, Progress::Waiting(_))
    }

    /// A native's arguments.
    fn arguments(&self) -> Arguments {
        Arguments { base: self.base as usize, count: (self.top - self.base) as usize }
    }
}

/// How far a native is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Not started, or at work, or it has yielded. So is a Lua function, always.
    Started,
    /// Its continuation waits for a call with this protection, or for the next time slice.
    Waiting(Protection),
    /// It has resumed a coroutine, whose results are its own: it has no continuation.
    Resuming {
        /// Whether the coroutine's error is a result.
        safely: bool,
    },
}

/// A stack with its frames: the main one of a script, or a coroutine's.
#[derive(Collect)]
#[collect(no_drop)]
pub(super) struct Thread<'gc> {
    pub stack: MeteredVec<Packed<'gc>, MetricsAlloc<'gc>>,
    /// Behind the last value that counts.
    pub top: usize,
    pub frames: MeteredVec<Frame<'gc>, MetricsAlloc<'gc>>,
    /// Frames that may be open: one less than PUC-Rio's vector has room for (`size_ci`), which begins with a call of
    /// the host.
    pub max_frames: usize,
    /// It has got the error of the hook, or the one that made it has.
    pub hooked: bool,
    /// Calls from C around this thread, while it runs: none around the script itself.
    pub outside: u8,
    /// Captured variables that still live on the stack, by slot.
    pub open: Vec<(usize, UpvalueRef<'gc>)>,
    /// What the natives among the frames that wait have still to do, in their order.
    #[collect(require_static)]
    pub waiting: Vec<Box<dyn Continue>>,
}

impl<'gc> Thread<'gc> {
    /// One without frames, whose stack holds these values.
    pub(super) fn new(mc: &Mutation<'gc>, values: &[Packed<'gc>]) -> Thread<'gc> {
        let mut stack = MeteredVec::new_in(MetricsAlloc::new(mc));
        stack.extend_from_slice(values);
        let frames = MeteredVec::new_in(MetricsAlloc::new(mc));
        Thread {
            stack,
            top: values.len(),
            frames,
            max_frames: FIRST_MAX_CALLS - 1,
            hooked: false,
            outside: 0,
            open: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Forgets everything but the stack's memory.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.open.clear();
        self.waiting.clear();
        self.stack.clear();
        self.top = 0;
        self.outside = 0;
    }
}

/// What lives in the arena.
#[derive(Collect)]
#[collect(no_drop)]
pub struct State<'gc> {
    /// The thread that runs ([`Machine::thread`]).
    pub(super) thread: ThreadRef<'gc>,
    /// The thread of the script itself.
    pub(super) main: ThreadRef<'gc>,
    /// The coroutine that runs; none for the script itself.
    pub(super) coroutine: Option<Coroutine<'gc>>,
    /// Those that wait for the coroutine that they resumed, the innermost last.
    pub(super) resumers: Vec<Option<Coroutine<'gc>>>,
    /// The global variables.
    pub globals: Table<'gc>,
    /// The metatable of all strings.
    pub string_metatable: Option<Table<'gc>>,
    pub(super) events: Vec<Str<'gc>>,
    /// Names that natives, libraries and metamethods go by: constants with the same bytes are the same strings, so
    /// that a look-up finds them without comparing bytes.
    named: Vec<Str<'gc>>,
    /// Where each of them is.
    #[collect(require_static)]
    names: Places,
    /// Functions and other values that the host keeps, by [`super::FunctionId`].
    kept: Vec<Value<'gc>>,
    /// Places there that are free again.
    #[collect(require_static)]
    free: Vec<usize>,
    pub(super) next_id: u32,
    /// Where the last error that left the script was raised.
    #[collect(require_static)]
    pub position: Option<Position>,
    /// An error that is to be raised before the next instruction.
    pub(super) pending: Option<Fault<'gc>>,
    /// The script is debugged.
    #[collect(require_static)]
    pub(super) lines: Option<LineHook>,
    /// A call that the next slice begins: how many of its results are wanted.
    pub(super) begins: Option<i32>,
    /// An object that nothing keeps alive ([`Machine::has_marked_all`]).
    doomed: GcWeak<'gc, ()>,
    /// The script is to give up.
    pub(super) hook: Option<Hook<'gc>>,
    /// The handler that the host says stands around a script: what it makes of an error matters where the error goes
    /// on inside the script ([`Protection::Inherited`]).
    pub handler: Value<'gc>,
    /// The error that ended the script.
    pub failure: Option<Value<'gc>>,
    /// The string whose hash is being worked out, its bytes that are still to be looked at, and what the others have
    /// come to ([`Machine::hash_key`]).
    pub(super) hashing: Option<(Str<'gc>, usize, u32)>,
    /// The large table that is growing, and how far it is.
    pub(super) growing: Option<(Table<'gc>, Growth<'gc>)>,
    /// `collectgarbage` asked for a full collection.
    pub(super) wants_collection: bool,
    /// Where short texts are put together.
    #[collect(require_static)]
    pub(super) joined: Vec<u8>,
    /// What `math.random` draws from; the host may set it. See the math library.
    #[collect(require_static)]
    pub random: u64,
}

/// Where an error was raised: as `debug.getinfo` gives source and current line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The chunk's name with its mark: `@user_script`, or `=[C]`.
    pub source: Vec<u8>,
    /// The line, -1 in a native.
    pub line: i64,
}

/// The machine during one time slice.
pub struct Machine<'a, 'gc> {
    /// What lives in the arena.
    pub state: &'a mut State<'gc>,
    /// The thread that runs: a reference of its own, since every call and return needs it.
    pub(super) thread: &'a mut Thread<'gc>,
    /// The arena.
    pub mc: &'a Mutation<'gc>,
    pub(super) host: Option<&'a mut dyn Host>,
    /// Work that may still be done in this slice: one a call or a jump back, and what natives take.
    pub fuel: i64,
    /// Bytes that the heap may take.
    pub limit: usize,
}

impl<'gc> State<'gc> {
    pub(super) fn new(mc: &Mutation<'gc>) -> State<'gc> {
        let events: Vec<Str> =
            super::operators::EVENTS.iter().map(|name| Str::new(mc, name.as_bytes())).collect();
        let main = ThreadRef::new(mc, Thread::new(mc, &[]));
        let mut names = Places::new();
        for (place, name) in (0..).zip(&events) {
            names.insert(name.bytes().into(), place);
        }
        State {
            thread: main,
            main,
            coroutine: None,
            resumers: Vec::new(),
            globals: Table::new(mc, 1, 0, 2),
            string_metatable: None,
            named: events.clone(),
            names,
            events,
            kept: Vec::new(),
            free: Vec::new(),
            next_id: 2,
            position: None,
            pending: None,
            lines: None,
            begins: None,
            doomed: Gc::downgrade(Gc::new(mc, ())),
            hook: None,
            handler: Value::Nil,
            failure: None,
            hashing: None,
            growing: None,
            wants_collection: false,
            joined: Vec::new(),
            random: 0,
        }
    }
}

impl<'gc> Machine<'_, 'gc> {
    // ---- Making values

    /// Whether the collector has come to know, since this was true the last time, all that stays.
    pub(super) fn has_marked_all(&mut self) -> bool {
        let has_marked = self.state.doomed.upgrade(self.mc).is_none();
        if has_marked {
            self.state.doomed = Gc::downgrade(Gc::new(self.mc, ()));
        }
        has_marked
    }

    /// A string.
    pub fn string(&mut self, bytes: impl AsRef<[u8]>) -> Value<'gc> {
        Value::String(Str::new(self.mc, bytes.as_ref()))
    }

    /// A number of its own for a new object.
    pub(super) fn new_id(&mut self) -> u32 {
        self.state.next_id = self.state.next_id.wrapping_add(1);
        self.state.next_id
    }

    /// An empty table with room for so many items and fields.
    pub fn table(&mut self, array: usize, hash: usize) -> Table<'gc> {
        let id = self.new_id();
        Table::new(self.mc, id, array, hash)
    }

    /// A native function that keeps these values.
    pub fn native(&mut self, code: NativeCode, upvalues: Vec<Value<'gc>>) -> Value<'gc> {
        let id = self.new_id();
        Value::Native(Native(Gc::new(
            self.mc,
            NativeState { code, upvalues: Gc::new(self.mc, RefLock::new(upvalues)), id },
        )))
    }

    /// Sets a field of a table that the caller made or owns: read-only or not, without metamethods.
    pub fn set_field(&mut self, table: Table<'gc>, name: &str, value: Value<'gc>) {
        let key = Value::String(self.name(name.as_bytes()));
        // A string is always a possible key; a table of too many fields is beyond any memory limit.
        let _ = table.set(self.mc, key, value);
    }

    /// The string of a name that scripts write too; one and the same for the same bytes.
    fn name(&mut self, name: &[u8]) -> Str<'gc> {
        if let Some(place) = self.state.names.get(name) {
            return self.state.named[*place as usize];
        }
        let text = Str::new(self.mc, name);
        self.state.names.insert(name.into(), self.state.named.len() as u32);
        self.state.named.push(text);
        text
    }

    /// Puts functions into a table.
    pub fn register(&mut self, table: Table<'gc>, functions: &[(&str, NativeFunction)]) {
        self.register_with(table, functions, &[]);
    }

    /// As [`Machine::register`], with the short cuts that some of the functions have.
    pub(crate) fn register_with(
        &mut self,
        table: Table<'gc>,
        functions: &[(&str, NativeFunction)],
        short_cuts: &[(&str, QuickFunction)],
    ) {
        for (name, function) in functions {
            let code = match short_cuts.iter().find(|(of, _)| of == name) {
                Some((_, quick)) => NativeCode::Quick(*quick, *function),
                None => NativeCode::Library(*function),
            };
            let value = self.native(code, Vec::new());
            self.set_field(table, name, value);
        }
    }

    /// A library: a new table under a global name, of functions and the short cuts that some of them have.
    pub(crate) fn library(
        &mut self,
        name: &str,
        functions: &[(&str, NativeFunction)],
        short_cuts: &[(&str, QuickFunction)],
    ) -> Table<'gc> {
        let table = self.table(0, functions.len());
        self.register_with(table, functions, short_cuts);
        self.set_field(self.state.globals, name, Value::Table(table));
        table
    }

    /// A chunk's function, of what the compiler has made of the chunk.
    pub fn close_over(&mut self, proto: &Rc<Proto>) -> Closure<'gc> {
        // Functions of one chunk share their strings.
        let (mut own, mut places) = (Vec::new(), Places::new());
        let mut string = |text: &Rc<[u8]>| {
            if text.len() > LONGEST_SHARED {
                return Str::new(self.mc, text);
            }
            if let Some(place) = self.state.names.get(text) {
                return self.state.named[*place as usize];
            }
            if let Some(place) = places.get(text) {
                return own[*place as usize];
            }
            places.insert(text.clone(), own.len() as u32);
            let made = Str::new(self.mc, text);
            own.push(made);
            made
        };
        let function = Function::link(self.mc, proto, &mut string);
        let id = self.new_id();
        Closure(Gc::new(self.mc, ClosureState { function, upvalues: Upvalues::default(), id }))
    }

    // ---- The stack

    #[inline(always)]
    pub(super) fn reserve(&mut self, slots: usize) {
        if self.thread.stack.len() < slots {
            self.grow(slots);
        }
    }

    #[cold]
    fn grow(&mut self, slots: usize) {
        self.thread.stack.resize(slots.next_power_of_two().max(64), Packed::NIL);
    }

    /// Pushes a value.
    pub fn push(&mut self, value: Value<'gc>) {
        self.push_packed(value.into());
    }

    pub(crate) fn push_packed(&mut self, value: Packed<'gc>) {
        let top = self.thread.top;
        self.reserve(top + 1);
        self.thread.stack[top] = value;
        self.thread.top += 1;
    }

    /// Number of values on the stack: the slot that the next push takes.
    pub fn top(&self) -> usize {
        self.thread.top
    }

    /// Drops values so that `top` are left.
    pub fn set_top(&mut self, top: usize) {
        self.reserve(top);
        let thread = &mut *self.thread;
        if top > thread.top {
            thread.stack[thread.top..top].fill(Packed::NIL);
        }
        thread.top = top;
    }

    /// Forgets values above the top: calls that have ended left them there, and they would stay alive.
    pub fn forget_unused(&mut self) {
        let thread = &mut *self.thread;
        thread.stack[thread.top..].fill(Packed::NIL);
    }

    /// The value of a slot.
    pub fn slot(&self, slot: usize) -> Value<'gc> {
        self.packed(slot).unpack()
    }

    #[inline(always)]
    pub(crate) fn packed(&self, slot: usize) -> Packed<'gc> {
        self.thread.stack.get(slot).copied().unwrap_or_default()
    }

    /// Gives a slot below the top a value.
    pub fn set_slot(&mut self, slot: usize, value: Value<'gc>) {
        self.thread.stack[slot] = value.into();
    }

    // ---- Upvalues

    pub(super) fn capture(&mut self, slot: usize) -> UpvalueRef<'gc> {
        let open = &mut self.thread.open;
        let at = open.partition_point(|(open, _)| *open < slot);
        if let Some((found, upvalue)) = open.get(at)
            && *found == slot
        {
            return *upvalue;
        }
        let upvalue = Gc::new(self.mc, Lock::new(Upvalue::Open(slot as u32)));
        open.insert(at, (slot, upvalue));
        upvalue
    }

    /// Ends the scope of the variables from this slot on.
    #[inline(always)]
    pub(super) fn close(&mut self, slot: usize) {
        while let Some((open, upvalue)) = self.thread.open.last().copied() {
            if open < slot {
                break;
            }
            upvalue.set(self.mc, Upvalue::Closed(self.thread.stack[open]));
            self.thread.open.pop();
        }
    }

    // ---- Calls

    /// The next slice calls the function that is first on the stack, with the values behind it; so many results are going
    /// to be in its place. To be used where no script runs.
    pub fn begin_call(&mut self, wanted: i32) {
        self.state.begins = Some(wanted);
    }

    /// Begins the call for which all is ready, if there is one.
    pub(super) fn begin_if_ready(&mut self) {
        if let Some(wanted) = self.state.begins.take() {
            let arguments = self.thread.top.saturating_sub(1);
            self.state.pending = self.call(0, arguments, wanted, After::Results).err();
        }
    }

    /// Keeps a value for the host.
    pub fn keep(&mut self, value: Value<'gc>) -> FunctionId {
        let state = &mut *self.state;
        let place = state.free.pop().unwrap_or(state.kept.len());
        match state.kept.get_mut(place) {
            Some(kept) => *kept = value,
            None => state.kept.push(value),
        }
        FunctionId(place)
    }

    /// Keeps it no longer: the next value may get its name.
    pub(super) fn forget(&mut self, id: FunctionId) {
        if let Some(kept) = self.state.kept.get_mut(id.0) {
            *kept = Value::Nil;
            self.state.free.push(id.0);
        }
    }

    /// A value that the host keeps; nil if it does not.
    pub fn value_of(&self, id: FunctionId) -> Value<'gc> {
        self.state.kept.get(id.0).copied().unwrap_or_default()
    }

    /// Calls the value in a slot with so many arguments behind it. Pushes a frame; a library's function that
    /// returns at once has already done so.
    pub(super) fn call(
        &mut self,
        function: usize,
        arguments: usize,
        wanted: i32,
        after: After,
    ) -> Result<(), Fault<'gc>> {
        let nested =
            self.thread.frames.last().map_or(0, |frame| frame.nested) + u8::from(after.nests());
        if after.nests() {
            let all = u32::from(nested) + u32::from(self.thread.outside);
            if all == u32::from(MAX_NESTED) {
                return Err(self.error_here("C stack overflow"));
            }
            // What a coroutine at the limit may still do: PUC-Rio keeps that much for error handlers.
            if all >= u32::from(MAX_NESTED) + 25 {
                return Err(Fault::Error(self.string("error in error handling")));
            }
        }
        let mut arguments = arguments;
        let mut value = self.thread.stack[function];
        if !value.is_function() {
            let handler = self.handler_of(value, Event::Call);
            if !handler.is_function() {
                let error = self.operand_error("call", value, Some(function));
                // A handler is called inside of the call that fails.
                if let Some(frame) = self.thread.frames.last_mut() {
                    frame.nested = nested;
                }
                return Err(error);
            }
            // The called value becomes the first argument.
            self.reserve(function + arguments + 2);
            self.thread.stack.copy_within(function..=function + arguments, function + 1);
            self.thread.stack[function] = handler;
            arguments += 1;
            value = handler;
        }
        if self.thread.frames.len() >= self.thread.max_frames {
            return Err(self.stack_overflow());
        }
        if let Some(closure) = value.as_closure() {
            self.enter_lua(closure, function, arguments, wanted, after, nested);
            return Ok(());
        }
        self.enter_native(function, arguments, wanted, after, nested);
        // The common case needs no turn of the main loop.
        if after.is_plain() { self.start_native() } else { Ok(()) }
    }

    /// The error of a call for which there is no room. It has room for its handler: as much again.
    #[cold]
    fn stack_overflow(&mut self) -> Fault<'gc> {
        let calls = self.thread.max_frames + 1;
        if calls > MAX_CALLS {
            return self.handler_failed();
        }
        self.thread.max_frames = 2 * calls - 1;
        self.error_here("stack overflow")
    }

    /// Takes back the room that an error's handler had, where the error is caught with so many frames below.
    fn restore_stack_limit(&mut self, frames: usize) {
        if self.thread.max_frames >= MAX_CALLS && frames + 1 < MAX_CALLS {
            self.thread.max_frames = MAX_CALLS - 1;
        }
    }

    /// Whether one more call that Lua code makes can be open; if so, how deep it is nested.
    #[inline(always)]
    pub(super) fn room_for_frame(&self) -> Option<u8> {
        let frames = &self.thread.frames;
        frames.last().filter(|_| frames.len() < self.thread.max_frames).map(|frame| frame.nested)
    }

    /// Pushes the frame of a Lua function and gives its first register. What the caller has looked at: there is room
    /// for a frame.
    #[inline(always)]
    pub(super) fn enter_lua(
        &mut self,
        closure: Closure<'gc>,
        function: usize,
        arguments: usize,
        wanted: i32,
        after: After,
        nested: u8,
    ) -> usize {
        let code = closure.function();
        let mut base = function + 1;
        let mut filled = arguments.min(usize::from(code.parameters));
        let slots = usize::from(code.max_stack);
        if code.is_vararg {
            (base, filled) = self.spread(closure, base, arguments);
        }
        let top = base + slots;
        self.reserve(top + 1);
        let thread = &mut *self.thread;
        for slot in base + filled..base + usize::from(code.clean) {
            thread.stack[slot] = Packed::NIL;
        }
        thread.top = top;
        thread.frames.push(Frame {
            closure: Some(closure),
            function: function as u32,
            base: base as u32,
            top: top as u32,
            pc: 0,
            wanted,
            after,
            progress: Progress::Started,
            nested,
            tail: false,
        });
        base
    }

    /// Pushes the frame of a native, and gives it and the native's arguments. What the caller has looked at: there is
    /// room for a frame.
    #[inline(always)]
    pub(super) fn enter_native(
        &mut self,
        function: usize,
        arguments: usize,
        wanted: i32,
        after: After,
        nested: u8,
    ) -> (Frame<'gc>, Arguments) {
        let base = function + 1;
        let top = base + arguments;
        let frame = Frame {
            closure: None,
            function: function as u32,
            base: base as u32,
            top: top as u32,
            pc: 0,
            wanted,
            after,
            progress: Progress::Started,
            nested,
            tail: false,
        };
        self.thread.top = top;
        self.thread.frames.push(frame);
        (frame, Arguments { base, count: arguments })
    }

    /// Lays out the arguments of a function with `...`: the extra ones stay below its registers, the named ones are
    /// copied up. Gives the first register and how many have their value.
    fn spread(&mut self, closure: Closure<'gc>, first: usize, arguments: usize) -> (usize, usize) {
        let proto = closure.proto();
        let parameters = usize::from(proto.parameters);
        let base = first + arguments;
        let filled = arguments.min(parameters);
        self.reserve(base + usize::from(proto.max_stack) + 1);
        let stack = &mut self.thread.stack;
        stack.copy_within(first..first + filled, base);
        stack[first..first + filled].fill(Packed::NIL);
        if !proto.needs_arg {
            return (base, filled);
        }
        stack[base + filled..base + parameters].fill(Packed::NIL);
        let extra = arguments.saturating_sub(parameters);
        let table = self.table(extra, 1);
        if extra > 0 {
            let first = first + parameters;
            table.set_items(self.mc, 1, &self.thread.stack[first..first + extra]);
        }
        self.set_field(table, "n", Value::Number(extra as f64));
        self.thread.stack[base + parameters] = Value::Table(table).into();
        (base, parameters + 1)
    }

    /// Ends the frame on top; its results are in `count` slots from `first` on.
    pub(super) fn finish(&mut self, first: usize, count: usize) -> Result<(), Fault<'gc>> {
        let Some(frame) = self.thread.frames.pop() else { return Ok(()) };
        self.close(frame.base as usize);
        match frame.after {
            After::Results => self.deliver(frame, first, count),
            After::Iterate => {
                self.deliver(frame, first, count);
                self.iterated(frame.function as usize);
            }
            After::Native => {
                let function = frame.function as usize;
                for index in 0..count {
                    self.thread.stack[function + index] = self.packed(first + index);
                }
                self.thread.top = function + count;
                self.stop_for_hook();
                return self.resume_native(Outcome::Returned(count));
            }
            after => {
                let result = if count > 0 { self.packed(first) } else { Packed::NIL };
                if let Some(frame) = self.thread.frames.last() {
                    self.thread.top = frame.top as usize;
                }
                let slot = frame.wanted as usize;
                match after {
                    After::Store => self.thread.stack[slot] = result,
                    After::Compare(wanted) if result.is_true() != wanted => self.skip_jump(),
                    After::Concat => {
                        self.thread.stack[slot] = result;
                        return self.go_on_with_concat(slot);
                    }
                    After::Handler => return Err(Fault::Handled(result.unpack())),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The iterator of a loop has given its results, in the slots from `first` on: nil ends the loop.
    fn iterated(&mut self, first: usize) {
        let control = self.thread.stack[first];
        if control.is_nil() {
            self.skip_jump();
        } else {
            self.thread.stack[first - 1] = control;
        }
    }

    /// Lets the Lua function on top pass by the jump that is its next instruction.
    fn skip_jump(&mut self) {
        if let Some(frame) = self.thread.frames.last_mut() {
            frame.pc += 1;
        }
    }

    /// Puts the results of a frame that has ended where the function was, as many as its caller wants.
    #[inline(always)]
    pub(super) fn deliver(&mut self, frame: Frame<'gc>, first: usize, count: usize) {
        let function = frame.function as usize;
        if frame.wanted == MULTIPLE {
            self.thread.stack.copy_within(first..first + count, function);
            self.thread.top = function + count;
            return;
        }
        let wanted = frame.wanted as usize;
        self.reserve(function + wanted);
        let thread = &mut *self.thread;
        if count >= wanted {
            // One by one: it is nearly always one.
            for index in 0..wanted {
                thread.stack[function + index] = thread.stack[first + index];
            }
        } else {
            thread.stack.copy_within(first..first + count, function);
            thread.stack[function + count..function + wanted].fill(Packed::NIL);
        }
        thread.top = match thread.frames.last() {
            Some(Frame { closure: Some(_), top, .. }) => *top as usize,
            _ => function + wanted,
        };
    }

    /// Goes on with the native on top: starts it, or resumes it behind a pause.
    pub(super) fn step_native(&mut self) -> Result<(), Fault<'gc>> {
        match self.thread.frames.last() {
            Some(Frame { progress: Progress::Started, .. }) => self.start_native(),
            _ => self.resume_native(Outcome::Resumed),
        }
    }

    /// Runs the native on top, which has just been called.
    #[inline(always)]
    fn start_native(&mut self) -> Result<(), Fault<'gc>> {
        let Some(frame) = self.thread.frames.last() else { return Ok(()) };
        let arguments = frame.arguments();
        let Some(native) = self.packed(arguments.base - 1).as_native() else { return Ok(()) };
        let result = self.run_native(native, arguments);
        self.follow(result)
    }

    /// Runs a native whose frame is on top.
    #[inline(always)]
    pub(super) fn run_native(
        &mut self,
        native: Native<'gc>,
        arguments: Arguments,
    ) -> Result<Flow, Fault<'gc>> {
        self.fuel -= 1;
        match native.0.code {
            NativeCode::Library(function)
            | NativeCode::Quick(_, function)
            | NativeCode::Yield(function) => function(self, arguments),
            NativeCode::Host(number) => match self.host.take() {
                Some(host) => {
                    let flow = host.invoke(number, self, arguments);
                    self.host = Some(host);
                    flow
                }
                None => Err(self.error("the host is not there")),
            },
        }
    }

    /// Gives the native on top, which waits, what it waits for.
    #[inline(always)]
    pub(super) fn resume_native(&mut self, outcome: Outcome<'gc>) -> Result<(), Fault<'gc>> {
        let Some(frame) = self.thread.frames.last_mut() else { return Ok(()) };
        frame.progress = Progress::Started;
        let arguments = frame.arguments();
        let Some(then) = self.thread.waiting.pop() else { return Ok(()) };
        let result = then.resume(self, arguments, outcome);
        self.follow(result)
    }

    #[inline(always)]
    fn follow(&mut self, result: Result<Flow, Fault<'gc>>) -> Result<(), Fault<'gc>> {
        // The common case is looked at in place: moving the whole result costs as much as a small native.
        if let Ok(Flow::Return(count)) = &result {
            let first = self.thread.top - count;
            return self.finish(first, *count);
        }
        self.wait(result?)
    }

    /// Raises an error that comes back to the native on top, as from a call with [`Protection::Inherited`].
    pub fn raise_inside(
        &mut self,
        error: Fault<'gc>,
        then: Box<dyn Continue>,
    ) -> Result<Flow, Fault<'gc>> {
        self.set_progress(Progress::Waiting(Protection::Inherited));
        self.thread.waiting.push(then);
        Err(error)
    }

    #[inline(always)]
    pub(super) fn wait(&mut self, flow: Flow) -> Result<(), Fault<'gc>> {
        match flow {
            Flow::Return(_) | Flow::Switched => Ok(()),
            Flow::Again => {
                self.fuel = self.fuel.min(0);
                Ok(())
            }
            Flow::Pause(then) => {
                self.set_progress(Progress::Waiting(Protection::None));
                self.thread.waiting.push(then);
                self.fuel = self.fuel.min(0);
                Ok(())
            }
            Flow::Call { arguments, protection, then } => {
                self.set_progress(Progress::Waiting(protection));
                self.thread.waiting.push(then);
                let function = self.thread.top - arguments - 1;
                self.call(function, arguments, MULTIPLE, After::Native)
            }
        }
    }

    #[inline(always)]
    pub(super) fn set_progress(&mut self, progress: Progress) {
        if let Some(frame) = self.thread.frames.last_mut() {
            frame.progress = progress;
        }
    }

    /// The handler that is to be called for an error that is raised now.
    fn error_handler(&self) -> Option<Packed<'gc>> {
        let thread = &*self.thread;
        let mut frames = thread.frames.iter().rev();
        let mut catcher = frames.find(|frame| frame.catches())?;
        while catcher.progress == Progress::Waiting(Protection::Inherited) {
            match frames.find(|frame| frame.catches()) {
                Some(outer) => catcher = outer,
                // A coroutine begins without a handler.
                None if self.state.coroutine.is_some() => return None,
                None if self.state.handler.is_nil() => return None,
                None => return Some(self.state.handler.into()),
            }
        }
        (catcher.progress == Progress::Waiting(Protection::Handler))
            .then(|| self.packed(catcher.base as usize + 1))
    }

    /// What takes the place of an error that cannot be handled (`LUA_ERRERR`).
    fn handler_failed(&mut self) -> Fault<'gc> {
        Fault::Handled(self.string("error in error handling"))
    }

    /// Calls the handler of an error on top of the function that raised it; false if there is none. What is wrong with
    /// that call is an error for the handler too, as is what it raises itself: only the limit on calls from C ends it.
    fn call_error_handler(&mut self, error: Value<'gc>) -> Result<bool, Fault<'gc>> {
        let Some(handler) = self.error_handler() else { return Ok(false) };
        let thread = &*self.thread;
        let Some(frame) = thread.frames.last() else { return Ok(false) };
        let all = u32::from(frame.nested) + u32::from(thread.outside) + 1;
        if !handler.is_function() || all >= u32::from(MAX_NESTED) + 25 {
            return Err(self.handler_failed());
        }
        let mut error = error;
        if all == u32::from(MAX_NESTED) {
            // Either that was the error, or the handler has run into it. The call that failed counts.
            if let Fault::Error(overflow) = self.error_here("C stack overflow") {
                error = overflow;
            }
            if let Some(frame) = self.thread.frames.last_mut() {
                frame.nested += 1;
            }
        }
        let thread = &*self.thread;
        let frame_top = thread.frames.last().map_or(0, |frame| frame.top as usize);
        let function = thread.top.max(frame_top);
        self.set_top(function);
        self.push_packed(handler);
        self.push(error);
        self.call(function, 1, 1, After::Handler)?;
        Ok(true)
    }

    /// Gives an error to its handler, or to the innermost protected call; if there is none, ends the script with it.
    pub(super) fn unwind(&mut self, fault: Fault<'gc>) -> Result<(), Value<'gc>> {
        // Whoever waits for it does not go on, and others may change the table.
        self.state.growing = None;
        let mut fault = fault;
        let mut raised_at = None;
        loop {
            let (value, can_catch) = match fault {
                Fault::Error(value) => match self.call_error_handler(value) {
                    Ok(true) => return Ok(()),
                    Ok(false) => (value, true),
                    Err(next) => {
                        fault = next;
                        continue;
                    }
                },
                Fault::Handled(value) => (value, true),
                Fault::Interrupt(value) => (value, false),
            };
            let catcher = self.thread.frames.iter().rposition(Frame::catches);
            let catcher = catcher.filter(|_| can_catch);
            self.restore_stack_limit(catcher.map_or(0, |catcher| catcher + 1));
            let Some(catcher) = catcher else {
                let top_is_native = self.thread.frames.last().is_some_and(Frame::is_native);
                let position =
                    raised_at.take().or_else(|| self.position_at(usize::from(top_is_native)));
                self.close(0);
                // The error of a coroutine is the outcome of resuming it.
                if self.abandon_coroutine() {
                    if can_catch && let Err(next) = self.give_failure(value) {
                        fault = next;
                    } else if can_catch {
                        return Ok(());
                    } else {
                        raised_at = position;
                    }
                    continue;
                }
                self.state.position = position;
                self.thread.clear();
                self.state.failure = Some(value);
                return Err(value);
            };
            let thread = &mut *self.thread;
            let waits = |frame: &&Frame| frame.waits();
            let given_up = thread.frames[catcher + 1..].iter().filter(waits).count();
            thread.waiting.truncate(thread.waiting.len() - given_up);
            thread.frames.truncate(catcher + 1);
            let top = thread.frames[catcher].top as usize;
            self.close(top);
            self.thread.top = top;
            self.stop_for_hook();
            match self.resume_native(Outcome::Failed(value)) {
                Ok(()) => return Ok(()),
                Err(next) => fault = next,
            }
        }
    }
}
