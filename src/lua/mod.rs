//! Lua 5.1 as PUC-Rio defines it, able to pause at any instruction; knows no Redis.
//!
//! The arena, its collector and its memory metrics are [`piccolo`]'s; the language is ours, since piccolo's differs
//! (integers beside floats, no metamethods for arithmetic, random order of `pairs`, errors without lines).
//!
//! | file | what |
//! |---|---|
//! | `compiler/` | source to PUC-Rio's own instructions, and numbers read and printed: a package of its own |
//! | `value` `table` `function` `coroutine` | what scripts handle |
//! | `packed` | a value in eight bytes |
//! | `machine` `native` | stack, frames, calls; arguments and errors of natives |
//! | `quick` `execute` | the loop's form of the code; the loop, which does what needs no call |
//! | `instruction` `operators` `debug` | instructions in full; metamethods; names for messages |
//! | `slices` | what an operator may need several time slices for |
//! | `hook` | a script that is to give up |
//! | `lines` | a script that is debugged |
//! | `pattern` `class` | algorithms of the libraries |
//! | `lib/` | the libraries |
//! | `allocator` | the browser's memory, handed out as scripts need it |
//!
//! A host loads a function, starts it and resumes it slice by slice:
//!
//! ```
//! use evalsha_lua::{Lua, NoHost, Step};
//! let mut lua = Lua::new(64 << 20);
//! let function = lua.load(b"local t = {...} return #'abc' + 1", b"@example").unwrap();
//! lua.start(function);
//! while lua.resume(&mut NoHost, 10_000) == Step::Paused {}
//! lua.enter(|machine| assert_eq!(machine.slot(0).to_number(), Some(4.0)));
//! ```

// `lib` holds Lua's libraries; this crate's root is mod.rs.
#![allow(special_module_name)]

#[cfg(target_arch = "wasm32")]
pub mod allocator;
mod class;
pub mod coroutine;
pub mod debug;
mod execute;
pub mod function;
mod hook;
mod instruction;
pub mod lib;
pub mod lines;
pub mod machine;
mod native;
pub mod operators;
pub mod packed;
pub mod pattern;
mod quick;
mod slices;
pub mod table;
pub mod value;

pub use evalsha_lua_compiler::{bytecode, bytes, decimal, dump, format, lexer, number, parser};

use function::NativeCode;
use gc_arena::lock::RefLock;
use gc_arena::metrics::Pacing;
use gc_arena::{Collect, Gc, Rootable};
use lexer::SyntaxError;
use machine::{Arguments, Fault, Flow, MULTIPLE, Machine, State};
use table::FoundWeak;
use value::Value;

/// Fuel between two chances to collect garbage: few enough that a slice's garbage stays small.
const COLLECTION_INTERVAL: i64 = 5000;
/// Bytes of a large heap that are worked on at once, where all garbage is to be collected before the script goes on.
const COLLECTED: usize = 512 << 10;
/// The fuel that this costs.
const COLLECTED_FUEL: i64 = 2000;
/// Bytes of heap that can be collected in one go: that takes some milliseconds. A larger heap is collected bit by bit
/// between slices.
const SMALL_HEAP: usize = 8 << 20;
/// Bytes that may be taken at least between two collections: much less, and the libraries are looked at again and again;
/// much more, and garbage fills the processor's caches.
const LEAST_SLEEP: usize = 1 << 20;

/// Runs the host's own functions, by number. It is there only while a script runs.
pub trait Host {
    /// Runs function `number`; see [`machine`] for how natives work.
    fn invoke<'gc>(
        &mut self,
        number: u32,
        machine: &mut Machine<'_, 'gc>,
        arguments: Arguments,
    ) -> Result<Flow, Fault<'gc>>;
}

/// A host without functions.
pub struct NoHost;

impl Host for NoHost {
    fn invoke<'gc>(
        &mut self,
        _: u32,
        machine: &mut Machine<'_, 'gc>,
        _: Arguments,
    ) -> Result<Flow, Fault<'gc>> {
        Err(machine.error("the host has no functions"))
    }
}

/// Names a function that [`Lua::load`] made, or another value that [`Machine::keep`] keeps, until [`Lua::forget`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FunctionId(usize);

/// How a slice ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The script is not done: resume it.
    Paused,
    /// It returned: its results are the machine's slots from 0 to the top.
    Finished,
    /// It is debugged, and has stopped where a line begins: resume it.
    Stopped,
    /// It failed: see [`State::failure`] and [`State::position`].
    Failed,
}

/// An interpreter: global variables, loaded functions, and at most one script that runs.
pub struct Lua {
    arena: piccolo::Lua,
    limit: usize,
    /// Bytes of heap from which on garbage is collected, if in one go.
    wake_up: usize,
    /// Bytes of heap that are collected in one go.
    small_heap: usize,
    /// The heap is collected bit by bit.
    is_gradual: bool,
    /// What a collection that is at work has found so far.
    found: FoundWeak,
    /// All garbage of a large heap is being collected, in time slices, and the script waits for it.
    collecting: Option<FullCollection>,
    /// Fuel that the last [`Lua::resume`] has taken.
    spent: i64,
}

/// How far a collection of all garbage is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FullCollection {
    /// The cycle that was at work goes on: it leaves what has become garbage since it began.
    Waiting,
    /// A cycle of its own has begun.
    Begun,
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
struct Root<'gc>(Gc<'gc, RefLock<State<'gc>>>);

impl<'gc> piccolo::Singleton<'gc> for Root<'gc> {
    fn create(context: piccolo::Context<'gc>) -> Self {
        Root(Gc::new(&context, RefLock::new(State::new(&context))))
    }
}

impl Lua {
    /// An interpreter without libraries, whose heap may take `limit` bytes.
    pub fn new(limit: usize) -> Lua {
        let mut lua = Lua {
            arena: piccolo::Lua::empty(),
            limit,
            wake_up: 0,
            small_heap: SMALL_HEAP,
            is_gradual: false,
            found: FoundWeak::default(),
            collecting: None,
            spent: 0,
        };
        lua.collect();
        lua
    }

    /// Works on the machine while no script's instructions run: to set it up, and to read results.
    pub fn enter<R>(&mut self, work: impl for<'a, 'gc> FnOnce(&mut Machine<'a, 'gc>) -> R) -> R {
        self.slice(None, 0, work)
    }

    /// The same with a host, whose functions may be called, and so much fuel.
    pub fn enter_with<R>(
        &mut self,
        host: &mut dyn Host,
        fuel: i64,
        work: impl for<'a, 'gc> FnOnce(&mut Machine<'a, 'gc>) -> R,
    ) -> R {
        self.slice(Some(host), fuel, work)
    }

    fn slice<R>(
        &mut self,
        host: Option<&mut dyn Host>,
        fuel: i64,
        work: impl for<'a, 'gc> FnOnce(&mut Machine<'a, 'gc>) -> R,
    ) -> R {
        let (mut work, mut result) = (Some(work), None);
        self.with_machine(host, fuel, &mut |machine| {
            result = work.take().map(|work| work(machine));
        });
        result.expect("the work is done once")
    }

    /// The way into the arena is long, and so it is one function for all kinds of work.
    fn with_machine(
        &mut self,
        host: Option<&mut dyn Host>,
        fuel: i64,
        work: &mut dyn for<'a, 'gc> FnMut(&mut Machine<'a, 'gc>),
    ) {
        if self.is_gradual && self.collecting.is_none() {
            self.arena.gc_metrics().set_pacing(self.gradual_pacing());
        }
        let (limit, found) = (self.limit, &mut self.found);
        self.arena.enter(|context| {
            let root = context.singleton::<Rootable![Root<'_>]>();
            let mut state = root.0.borrow_mut(&context);
            let host = host.map(|host| host as &mut dyn Host);
            // SAFETY: the machine of the slice before is gone.
            #[allow(unsafe_code)]
            let thread = unsafe { state.thread.run(&context) };
            let mut machine =
                Machine { state: &mut state, thread, mc: &context, host, fuel, limit };
            if machine.has_marked_all() {
                found.purge(machine.mc);
            }
            work(&mut machine);
        });
        self.found.take_over();
    }

    /// Compiles a chunk and keeps its function. `chunk_name` is as for Lua's `load`: `@user_script`.
    pub fn load(&mut self, source: &[u8], chunk_name: &[u8]) -> Result<FunctionId, SyntaxError> {
        let proto = parser::compile(source, chunk_name)?;
        Ok(self.enter(|machine| {
            let closure = machine.close_over(&proto);
            machine.keep(Value::Closure(closure))
        }))
    }

    /// Makes ready to compile a chunk in slices, with [`Lua::resume`]; [`Lua::compiled`] has the result then.
    pub fn start_compiling(&mut self, source: &[u8], chunk_name: &[u8]) {
        self.start_call(|machine| {
            let chunk = machine.native(NativeCode::Library(lib::load::chunk), Vec::new());
            machine.push(chunk);
            for text in [source, chunk_name] {
                let text = machine.string(text);
                machine.push(text);
            }
        });
    }

    /// The function that [`Lua::start_compiling`] has led to, which is kept, or why there is none.
    pub fn compiled(&mut self) -> Result<FunctionId, Vec<u8>> {
        self.enter(|machine| match (machine.state.failure.take(), machine.slot(0)) {
            (None, function @ Value::Closure(_)) => Ok(machine.keep(function)),
            (failure, _) => {
                let why = failure.unwrap_or_else(|| machine.slot(1));
                Err(why.to_str(machine.mc).map_or_else(Vec::new, |text| text.bytes().to_vec()))
            }
        })
    }

    /// Forgets a function; its name may become another one's.
    pub fn forget(&mut self, function: FunctionId) {
        self.enter(|machine| machine.forget(function));
    }

    /// Makes ready to run a loaded function without arguments. A script that still runs is dropped.
    pub fn start(&mut self, function: FunctionId) {
        self.start_with(function, |_| {});
    }

    /// Does the same, and what else is to be prepared: what that pushes are the function's arguments.
    pub fn start_with(
        &mut self,
        function: FunctionId,
        prepare: impl for<'a, 'gc> FnOnce(&mut Machine<'a, 'gc>),
    ) {
        self.start_call(|machine| {
            machine.push(machine.value_of(function));
            prepare(machine);
        });
    }

    /// Makes ready to run what is pushed: a function and its arguments.
    fn start_call(&mut self, push: impl for<'a, 'gc> FnOnce(&mut Machine<'a, 'gc>)) {
        self.collecting = None;
        self.collect_if_due();
        self.enter(|machine| {
            machine.leave_all_coroutines();
            machine.thread.clear();
            machine.thread.hooked = false;
            let state = &mut *machine.state;
            state.failure = None;
            state.position = None;
            state.pending = None;
            state.hook = None;
            state.lines = None;
            state.hashing = None;
            state.growing = None;
            push(machine);
            machine.begin_call(MULTIPLE);
        });
    }

    /// Runs the script on for so much fuel: about one a call or a jump back.
    pub fn resume(&mut self, host: &mut dyn Host, fuel: i64) -> Step {
        self.spent = 0;
        while self.spent < fuel {
            if self.collecting.is_some() {
                self.spent += COLLECTED_FUEL;
                self.collect_on();
                continue;
            }
            let portion = (fuel - self.spent).min(COLLECTION_INTERVAL);
            let (stop, spent, collect) = self.slice(Some(&mut *host), portion, |machine| {
                machine.begin_if_ready();
                let stop = if machine.has_hook() { machine.run_with_hook() } else { machine.run() };
                (stop, portion - machine.fuel, std::mem::take(&mut machine.state.wants_collection))
            });
            self.spent += spent.max(1);
            match stop {
                execute::Stop::Finished => return Step::Finished,
                execute::Stop::Failed => return Step::Failed,
                execute::Stop::Line => return Step::Stopped,
                execute::Stop::Paused => {}
            }
            if collect || self.memory() > self.limit {
                self.begin_collection();
            } else {
                self.collect_if_due();
            }
        }
        Step::Paused
    }

    /// Begins to collect all garbage of a script that has paused; a small heap's at once.
    fn begin_collection(&mut self) {
        if self.is_gradual {
            self.collecting = Some(FullCollection::Waiting);
        } else {
            self.collect();
            self.check_limit();
        }
    }

    /// Goes on with that, as far as about [`COLLECTED`] bytes of heap go.
    ///
    /// The collector works off its debt, which is `f * d - c`: `d` is what has been allocated since it woke up, `c` what it
    /// has done since, and the factor `f`, 1 + 1 / the timing factor, is ours to choose. A very large one shows the two;
    /// nothing is left of `d` if the collector sleeps.
    fn collect_on(&mut self) {
        const SHOWING: f64 = 1e10;
        let metrics = self.arena.gc_metrics().clone();
        // What entering takes by itself is not to wake it up again.
        let pacing = self.gradual_pacing().with_min_sleep(COLLECTED);
        let debt = |factor: f64| {
            metrics.set_pacing(pacing.with_timing_factor(1.0 / (factor - 1.0)));
            metrics.allocation_debt()
        };
        if debt(SHOWING) == 0.0 {
            if self.collecting == Some(FullCollection::Begun) {
                self.collecting = None;
                if self.memory() <= self.small_heap {
                    self.collect();
                }
                return self.check_limit();
            }
            self.collecting = Some(FullCollection::Begun);
            // What is said to be allocated, and freed at once, wakes it up: it never sleeps for longer than the heap grows.
            let mut said = 0;
            while debt(SHOWING) == 0.0 && said < 4 * self.limit {
                metrics.mark_external_allocation(COLLECTED);
                metrics.mark_external_deallocation(COLLECTED);
                said += COLLECTED;
            }
        }
        let shown = debt(SHOWING);
        let allocated = (shown / SHOWING).ceil().max(1.0);
        let done = allocated * SHOWING - shown;
        debt(((done + COLLECTED as f64) / allocated).max(1.001));
        self.enter(|_| {});
    }

    /// Raises an error in the script if the heap is larger than it may be, garbage left out.
    fn check_limit(&mut self) {
        if self.memory() > self.limit {
            self.enter(|machine| {
                let fault = machine.out_of_memory();
                machine.state.pending = Some(fault);
            });
        }
    }

    /// Fuel that the last [`Lua::resume`] has taken.
    pub fn spent(&self) -> i64 {
        self.spent
    }

    /// Lets the heap take so many bytes from now on.
    pub fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// Collects a heap bit by bit if it is larger than so many bytes, from the next collection on.
    pub fn set_small_heap(&mut self, bytes: usize) {
        self.small_heap = bytes;
    }

    /// Bytes that the heap takes now, garbage included.
    pub fn memory(&self) -> usize {
        self.arena.total_memory()
    }

    /// Collects all garbage.
    pub fn collect(&mut self) {
        self.collecting = None;
        if std::mem::take(&mut self.is_gradual) {
            // The collection that is at work leaves what has become garbage since it began.
            self.collect_now();
        }
        // In one go the arena collects when it is told to. Left to itself it works out before each object whether that is
        // enough, which takes an eighth of the time of a script that makes small objects.
        let pacing = if self.memory() > self.small_heap {
            self.is_gradual = true;
            self.gradual_pacing()
        } else {
            Pacing::default().with_min_sleep(usize::MAX)
        };
        self.arena.gc_metrics().set_pacing(pacing);
        self.collect_now();
        let live = self.memory();
        self.wake_up = live + live.max(LEAST_SLEEP);
    }

    fn collect_now(&mut self) {
        self.arena.gc_collect();
        self.found.take_over();
        // With a collection behind it, the machine knows that all is marked.
        self.enter(|_| {});
    }

    /// How a large heap is collected: it may grow by as much again before a collection begins, or by the larger part of
    /// the room that the limit leaves; the collection is to end before the rest is taken.
    fn gradual_pacing(&self) -> Pacing {
        let heap = self.memory().max(1) as f64;
        let room = self.limit.saturating_sub(self.memory()) as f64 / heap;
        Pacing::default()
            .with_min_sleep(0)
            .with_pause_factor((room * 0.6).min(1.0))
            .with_timing_factor((room * 1.5).clamp(0.01, 0.5))
    }

    /// Collects all garbage if the heap has grown to twice of what was no garbage the last time. A large heap collects
    /// itself, until it is small again.
    pub fn collect_if_due(&mut self) {
        let memory = self.memory();
        let has_shrunk = memory < self.small_heap / 2;
        let is_due = if self.is_gradual { has_shrunk } else { memory > self.wake_up };
        if is_due {
            self.collect();
        }
    }
}
