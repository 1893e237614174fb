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

use super::Host;
use super::function::{
    Closure, ClosureState, Function, Native, NativeCode, NativeState, Upvalue, UpvalueRef,
};
use super::lexer::SyntaxError;
use super::table::Table;
use super::value::{Str, Value};
use gc_arena::lock::{Lock, RefLock};
use gc_arena::{Collect, Gc, Mutation};

/// Frames that may be open: what Redis allows, as PUC-Rio doubles its vector of them and stops short of `LUAI_MAXCALLS`.
const MAX_FRAMES: usize = 16383;
/// Calls that natives and metamethods may have open (`LUAI_MAXCCALLS`).
const MAX_NESTED: u32 = 199;
/// Keeps all results.
pub const MULTIPLE: i32 = -1;

/// What runs a native function.
pub type NativeFunction =
    for<'a, 'b, 'gc> fn(&'a mut Machine<'b, 'gc>, Arguments) -> Result<Flow, Fault<'gc>>;

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
        /// Errors come back as [`Outcome::Failed`] instead of passing by.
        protected: bool,
        /// What to do with the outcome.
        then: Box<dyn Continue>,
    },
    /// Fuel is spent: give the turn back, then resume.
    Pause(Box<dyn Continue>),
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
#[derive(Clone, Copy)]
pub enum Fault<'gc> {
    /// A Lua error: `pcall` catches it.
    Error(Value<'gc>),
    /// The host stops the script: nothing catches it.
    Interrupt(Value<'gc>),
}

/// What a caller does with the results of a call.
#[derive(Clone, Copy, Collect)]
#[collect(require_static)]
pub(super) enum After {
    /// They go to the function's slot and behind it, as many as wanted.
    Results,
    /// As [`After::Results`], for the iterator of a loop: nil ends the loop, anything else is the next control value.
    Iterate,
    /// The first goes to this slot: a metamethod's result.
    Store(usize),
    /// They are dropped: `__newindex`.
    Discard,
    /// The first decides a comparison: the next instruction, a jump, is skipped if its truth is not this.
    Compare(bool),
    /// The first goes to this slot, and the concatenation goes on from `first` to there, into `target`.
    Concat { slot: usize, first: usize, target: usize },
    /// They resume the native below.
    Native,
}

impl After {
    /// A call that Lua code itself makes; any other is made for a native or a metamethod.
    pub(super) fn is_plain(self) -> bool {
        matches!(self, After::Results | After::Iterate)
    }
}

#[derive(Collect)]
#[collect(no_drop)]
pub(super) struct Frame<'gc> {
    /// Slot of the function; results go here.
    pub function: usize,
    /// First register, or first argument.
    pub base: usize,
    /// Behind the last register of a Lua function.
    pub top: usize,
    /// The next instruction.
    pub pc: usize,
    /// Number of results, or [`MULTIPLE`].
    pub wanted: i32,
    pub after: After,
    /// Calls from natives and metamethods open up to here.
    pub nested: u32,
    /// It took the place of its caller.
    pub tail: bool,
    pub kind: Kind<'gc>,
}

#[derive(Collect)]
#[collect(no_drop)]
pub(super) enum Kind<'gc> {
    Lua(Closure<'gc>),
    Native {
        native: Native<'gc>,
        #[collect(require_static)]
        arguments: usize,
        #[collect(require_static)]
        step: Step,
        #[collect(require_static)]
        protected: bool,
    },
}

pub(super) enum Step {
    /// Not started.
    Start,
    /// Waits for a call, or for the next time slice.
    Waiting(Option<Box<dyn Continue>>),
}

/// What lives in the arena.
#[derive(Collect)]
#[collect(no_drop)]
pub struct State<'gc> {
    pub(super) stack: Vec<Value<'gc>>,
    /// Behind the last value that counts.
    pub(super) top: usize,
    pub(super) frames: Vec<Frame<'gc>>,
    /// Captured variables that still live on the stack, by slot.
    pub(super) open: Vec<(usize, UpvalueRef<'gc>)>,
    /// The global variables.
    pub globals: Table<'gc>,
    /// The metatable of all strings.
    pub string_metatable: Option<Table<'gc>>,
    pub(super) events: Vec<Str<'gc>>,
    /// Functions that the host has loaded.
    pub(super) loaded: Vec<Closure<'gc>>,
    pub(super) next_id: u32,
    /// Where the last error that left the script was raised.
    #[collect(require_static)]
    pub position: Option<Position>,
    /// An error that is to be raised before the next instruction.
    pub(super) pending: Option<(Value<'gc>, bool)>,
    /// The error that ended the script.
    pub failure: Option<Value<'gc>>,
    /// `collectgarbage` asked for a full collection.
    pub(super) wants_collection: bool,
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
        State {
            stack: vec![Value::Nil; 64],
            top: 0,
            frames: Vec::new(),
            open: Vec::new(),
            globals: Table::new(mc, 1, 0, 0),
            string_metatable: None,
            events: super::operators::EVENTS
                .iter()
                .map(|name| Str::new(mc, name.as_bytes()))
                .collect(),
            loaded: Vec::new(),
            next_id: 2,
            position: None,
            pending: None,
            failure: None,
            wants_collection: false,
            random: 0,
        }
    }
}

impl<'gc> Machine<'_, 'gc> {
    // ---- Making values

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
        let key = self.string(name);
        // A string is always a possible key; a table of too many fields is beyond any memory limit.
        let _ = table.set(self.mc, key, value);
    }

    /// Puts a library's functions into a table.
    pub fn register(&mut self, table: Table<'gc>, functions: &[(&str, NativeFunction)]) {
        for (name, function) in functions {
            let value = self.native(NativeCode::Library(*function), Vec::new());
            self.set_field(table, name, value);
        }
    }

    /// A library: a new table of functions under a global name.
    pub fn library(&mut self, name: &str, functions: &[(&str, NativeFunction)]) -> Table<'gc> {
        let table = self.table(0, functions.len());
        self.register(table, functions);
        self.set_field(self.state.globals, name, Value::Table(table));
        table
    }

    /// Compiles a chunk to a function.
    pub fn load(&mut self, source: &[u8], chunk_name: &[u8]) -> Result<Closure<'gc>, SyntaxError> {
        let proto = super::parser::compile(source, chunk_name)?;
        let function = Function::link(self.mc, &proto);
        let id = self.new_id();
        Ok(Closure(Gc::new(self.mc, ClosureState { function, upvalues: Vec::new(), id })))
    }

    // ---- The stack

    pub(super) fn reserve(&mut self, slots: usize) {
        if self.state.stack.len() < slots {
            self.state.stack.resize(slots.next_power_of_two(), Value::Nil);
        }
    }

    /// Pushes a value.
    pub fn push(&mut self, value: Value<'gc>) {
        let top = self.state.top;
        if top == self.state.stack.len() {
            self.reserve(top + 1);
        }
        self.state.stack[top] = value;
        self.state.top += 1;
    }

    /// Number of values on the stack: the slot that the next push takes.
    pub fn top(&self) -> usize {
        self.state.top
    }

    /// Drops values so that `top` are left.
    pub fn set_top(&mut self, top: usize) {
        self.reserve(top);
        for slot in self.state.top..top {
            self.state.stack[slot] = Value::Nil;
        }
        self.state.top = top;
    }

    /// The value of a slot.
    pub fn slot(&self, slot: usize) -> Value<'gc> {
        self.state.stack.get(slot).copied().unwrap_or_default()
    }

    /// Gives a slot below the top a value.
    pub fn set_slot(&mut self, slot: usize, value: Value<'gc>) {
        self.state.stack[slot] = value;
    }

    // ---- Upvalues

    pub(super) fn capture(&mut self, slot: usize) -> UpvalueRef<'gc> {
        let at = self.state.open.partition_point(|(open, _)| *open < slot);
        if let Some((open, upvalue)) = self.state.open.get(at)
            && *open == slot
        {
            return *upvalue;
        }
        let upvalue = Gc::new(self.mc, Lock::new(Upvalue::Open(slot)));
        self.state.open.insert(at, (slot, upvalue));
        upvalue
    }

    /// Ends the scope of the variables from this slot on.
    pub(super) fn close(&mut self, slot: usize) {
        while let Some((open, upvalue)) = self.state.open.last().copied() {
            if open < slot {
                break;
            }
            upvalue.set(self.mc, Upvalue::Closed(self.state.stack[open]));
            self.state.open.pop();
        }
    }

    // ---- Calls

    /// Calls the value in a slot with so many arguments behind it. Pushes a frame; a library's function that
    /// returns at once has already done so.
    pub(super) fn call(
        &mut self,
        function: usize,
        arguments: usize,
        wanted: i32,
        after: After,
    ) -> Result<(), Fault<'gc>> {
        let mut arguments = arguments;
        let value = self.state.stack[function];
        let value = match value {
            Value::Closure(_) | Value::Native(_) => value,
            _ => {
                let handler = self.metamethod(value, super::operators::Event::Call);
                if !matches!(handler, Value::Closure(_) | Value::Native(_)) {
                    return Err(self.operand_error("call", value, Some(function)));
                }
                // The called value becomes the first argument.
                self.reserve(function + arguments + 2);
                self.state.stack.copy_within(function..=function + arguments, function + 1);
                self.state.stack[function] = handler;
                arguments += 1;
                handler
            }
        };
        let nested =
            self.state.frames.last().map_or(0, |frame| frame.nested) + u32::from(!after.is_plain());
        if nested >= MAX_NESTED && !after.is_plain() {
            return Err(self.error_here("C stack overflow"));
        }
        if self.state.frames.len() >= MAX_FRAMES {
            return Err(self.error_here("stack overflow"));
        }
        match value {
            Value::Closure(closure) => {
                self.enter_lua(closure, function, arguments, wanted, after, nested);
                Ok(())
            }
            Value::Native(native) => {
                self.state.top = function + 1 + arguments;
                let kind = Kind::Native { native, arguments, step: Step::Start, protected: false };
                let base = function + 1;
                let frame = Frame {
                    function,
                    base,
                    top: base,
                    pc: 0,
                    wanted,
                    after,
                    nested,
                    tail: false,
                    kind,
                };
                self.state.frames.push(frame);
                // The common case needs no turn of the main loop.
                if after.is_plain() { self.step_native() } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    pub(super) fn enter_lua(
        &mut self,
        closure: Closure<'gc>,
        function: usize,
        arguments: usize,
        wanted: i32,
        after: After,
        nested: u32,
    ) {
        let proto = closure.proto();
        let parameters = usize::from(proto.parameters);
        let slots = usize::from(proto.max_stack);
        let mut base = function + 1;
        let mut filled = arguments.min(parameters);
        if proto.is_vararg {
            // The extra arguments stay below the registers; the named ones are copied up.
            base += arguments;
            self.reserve(base + slots + 1);
            let first = function + 1;
            for parameter in 0..filled {
                self.state.stack[base + parameter] = self.state.stack[first + parameter];
                self.state.stack[first + parameter] = Value::Nil;
            }
            if proto.needs_arg {
                for parameter in filled..parameters {
                    self.state.stack[base + parameter] = Value::Nil;
                }
                let extra = arguments.saturating_sub(parameters);
                let table = self.table(extra, 1);
                for index in 0..extra {
                    let value = self.state.stack[first + parameters + index];
                    let _ = table.set(self.mc, Value::Number((index + 1) as f64), value);
                }
                self.set_field(table, "n", Value::Number(extra as f64));
                self.state.stack[base + parameters] = Value::Table(table);
                filled = parameters + 1;
            }
        } else {
            self.reserve(base + slots + 1);
        }
        let top = base + slots;
        self.state.stack[base + filled..top].fill(Value::Nil);
        self.state.top = top;
        let kind = Kind::Lua(closure);
        self.state.frames.push(Frame {
            function,
            base,
            top,
            pc: 0,
            wanted,
            after,
            nested,
            tail: false,
            kind,
        });
    }

    /// Ends the frame on top; its results are in `count` slots from `first` on.
    pub(super) fn finish(&mut self, first: usize, count: usize) -> Result<(), Fault<'gc>> {
        let Some(frame) = self.state.frames.pop() else { return Ok(()) };
        if self.state.open.last().is_some_and(|(slot, _)| *slot >= frame.function) {
            self.close(frame.function);
        }
        let function = frame.function;
        match frame.after {
            After::Results | After::Iterate => {
                let kept =
                    if frame.wanted == MULTIPLE { count } else { count.min(frame.wanted as usize) };
                if kept > 0 {
                    self.state.stack.copy_within(first..first + kept, function);
                }
                if frame.wanted == MULTIPLE {
                    self.state.top = function + count;
                } else {
                    let wanted = frame.wanted as usize;
                    self.reserve(function + wanted);
                    self.state.stack[function + kept..function + wanted].fill(Value::Nil);
                    self.state.top = match self.state.frames.last() {
                        Some(Frame { kind: Kind::Lua(_), top, .. }) => *top,
                        _ => function + wanted,
                    };
                }
                if matches!(frame.after, After::Iterate) {
                    let control = self.state.stack[function];
                    if !control.is_nil() {
                        self.state.stack[function - 1] = control;
                    } else if let Some(frame) = self.state.frames.last_mut() {
                        frame.pc += 1;
                    }
                }
            }
            After::Native => {
                if count > 0 {
                    self.state.stack.copy_within(first..first + count, function);
                }
                self.state.top = function + count;
                return self.resume_native(Outcome::Returned(count));
            }
            after => {
                let result = if count > 0 { self.state.stack[first] } else { Value::Nil };
                if let Some(frame) = self.state.frames.last() {
                    self.state.top = frame.top;
                }
                match after {
                    After::Store(slot) => self.state.stack[slot] = result,
                    After::Compare(wanted) => {
                        if result.is_true() != wanted
                            && let Some(frame) = self.state.frames.last_mut()
                        {
                            frame.pc += 1;
                        }
                    }
                    After::Concat { slot, first, target } => {
                        self.state.stack[slot] = result;
                        return self.concat(first, slot, target);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Runs the native on top until it returns, calls or pauses.
    pub(super) fn step_native(&mut self) -> Result<(), Fault<'gc>> {
        let Some(Frame { base, kind: Kind::Native { native, arguments, step, .. }, .. }) =
            self.state.frames.last_mut()
        else {
            return Ok(());
        };
        let arguments = Arguments { base: *base, count: *arguments };
        match std::mem::replace(step, Step::Waiting(None)) {
            Step::Start => {
                let code = native.0.code;
                self.fuel -= 1;
                let flow = match code {
                    NativeCode::Library(function) => function(self, arguments),
                    NativeCode::Host(number) => match self.host.take() {
                        Some(host) => {
                            let flow = host.invoke(number, self, arguments);
                            self.host = Some(host);
                            flow
                        }
                        None => Err(self.error("the host is not there")),
                    },
                };
                self.follow(flow?)
            }
            Step::Waiting(Some(then)) => {
                let flow = then.resume(self, arguments, Outcome::Resumed)?;
                self.follow(flow)
            }
            Step::Waiting(None) => Ok(()),
        }
    }

    fn resume_native(&mut self, outcome: Outcome<'gc>) -> Result<(), Fault<'gc>> {
        let Some(Frame { base, kind: Kind::Native { arguments, step, protected, .. }, .. }) =
            self.state.frames.last_mut()
        else {
            return Ok(());
        };
        *protected = false;
        let arguments = Arguments { base: *base, count: *arguments };
        let Step::Waiting(Some(then)) = std::mem::replace(step, Step::Waiting(None)) else {
            return Ok(());
        };
        let flow = then.resume(self, arguments, outcome)?;
        self.follow(flow)
    }

    fn follow(&mut self, flow: Flow) -> Result<(), Fault<'gc>> {
        match flow {
            Flow::Return(count) => {
                let first = self.state.top - count;
                self.finish(first, count)
            }
            Flow::Pause(then) => {
                self.wait(then, false);
                self.fuel = self.fuel.min(0);
                Ok(())
            }
            Flow::Call { arguments, protected, then } => {
                self.wait(then, protected);
                let function = self.state.top - arguments - 1;
                self.call(function, arguments, MULTIPLE, After::Native)
            }
        }
    }

    fn wait(&mut self, then: Box<dyn Continue>, is_protected: bool) {
        if let Some(Frame { kind: Kind::Native { step, protected, .. }, .. }) =
            self.state.frames.last_mut()
        {
            *step = Step::Waiting(Some(then));
            *protected = is_protected;
        }
    }

    /// Gives an error to the innermost protected call; if there is none, ends the script with it.
    pub(super) fn unwind(&mut self, fault: Fault<'gc>) -> Result<(), Value<'gc>> {
        let mut fault = fault;
        loop {
            let (value, can_catch) = match fault {
                Fault::Error(value) => (value, true),
                Fault::Interrupt(value) => (value, false),
            };
            let top_is_native =
                matches!(self.state.frames.last(), Some(Frame { kind: Kind::Native { .. }, .. }));
            let position = self.position_at(usize::from(top_is_native));
            let is_protected = |frame: &Frame| {
                matches!(frame.kind, Kind::Native { protected: true, .. }) && can_catch
            };
            let Some(catcher) = self.state.frames.iter().rposition(is_protected) else {
                self.state.position = position;
                self.close(0);
                self.state.frames.clear();
                self.state.top = 0;
                self.state.failure = Some(value);
                return Err(value);
            };
            self.state.frames.truncate(catcher + 1);
            if let Some(Frame { base, kind: Kind::Native { arguments, .. }, .. }) =
                self.state.frames.last()
            {
                let top = base + arguments;
                self.close(top);
                self.state.top = top;
            }
            match self.resume_native(Outcome::Failed(value)) {
                Ok(()) => return Ok(()),
                Err(next) => fault = next,
            }
        }
    }
}
