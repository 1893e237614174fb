//! Runs scripts and functions: EVAL, FCALL and their families load, start, kill them; the server runs them on in slices.

pub mod api;
pub mod cache;
pub mod convert;
mod end;
pub mod ldb;
pub mod library;
pub mod load;
pub mod sandbox;
pub mod text;

pub use cache::Sha;

use crate::command::Found;
use crate::error::Error;
use crate::lua::machine::Machine;
use crate::lua::{FunctionId, Lua, Step};
use crate::resp::{Reply, Resp};
use crate::server::client::{ClientId, SCRIPT_CLIENT};
use crate::server::{Context, Server};
use cache::{Cache, Flags, shebang};
use convert::{Conversion, Errors};
use library::Libraries;
use load::Load;
use text::Text;

/// The name of every script's chunk, as errors show it.
const CHUNK_NAME: &[u8] = b"@user_script";

/// The interpreter, the script cache, and the script that runs.
pub struct Scripts {
    /// Away while a slice runs: a script cannot start another one.
    lua: Option<Lua>,
    /// Bytes that the heaps of both interpreters may take.
    limit: usize,
    cache: Cache<FunctionId>,
    /// The debugger, if these are the scripts of a debugging session.
    pub(crate) debugger: Option<ldb::Debugger>,
    pub(crate) libraries: Libraries,
    /// What `math.random` draws from next: one sequence for scripts and functions.
    random: Option<u64>,
    pub(crate) running: Option<Running>,
    /// Fuel that the last slice has taken.
    pub(crate) spent: i64,
}

/// A script that has been started and has not ended.
pub struct Running {
    /// Who gets the reply.
    pub client: ClientId,
    /// The command that started it, for the statistics.
    pub command: Option<Found>,
    /// That command as SLOWLOG shows it, if it has started a script.
    pub shown: Vec<Vec<u8>>,
    /// When it was started, in microseconds since the epoch.
    pub started: u64,
    /// It may not write.
    pub read_only: bool,
    /// It has written: SCRIPT KILL would leave half of its work.
    pub wrote: bool,
    /// It has run for longer than `busy-reply-threshold`.
    pub busy: bool,
    /// Fuel that was left when its last command ended and the time was taken.
    fuel_then: i64,
    /// It is to be refused memory as any client is, unless it began when there was enough.
    memory: Memory,
    /// It is debugged, and has stopped at a line.
    stopped: bool,
    /// It is being loaded, and is to be given up.
    killed: bool,
    /// It has failed, and a function of its error's table is asked for the text.
    asked: bool,
    /// It has ended, and its result is on its way to a reply.
    result: Option<Box<Conversion>>,
    /// What runs.
    pub called: Called,
}

/// What EVAL or FCALL has called.
pub enum Called {
    /// A script.
    Script(Sha),
    /// A function.
    Function {
        /// Its name, as its library has registered it.
        name: Vec<u8>,
        /// The whole command.
        argv: Vec<Vec<u8>>,
    },
    /// A script's text, which is compiled.
    Text(Box<Text>),
    /// Libraries, whose bodies register their functions.
    Libraries(Box<Load>),
}

impl Called {
    /// The name that errors show.
    fn name(&self) -> String {
        match self {
            Called::Script(sha) => sha.name(),
            Called::Function { name, .. } => String::from_utf8_lossy(name).into_owned(),
            Called::Text(_) | Called::Libraries(_) => String::new(),
        }
    }
}

/// What a script does about maxmemory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// Each of its commands is refused when memory is short.
    Checked,
    /// `allow-oom`, or it has begun with enough or freed some: it is let through.
    Allowed,
}

impl Running {
    fn new(context: &Context, called: Called) -> Running {
        Running {
            client: context.client,
            command: None,
            shown: Vec::new(),
            started: context.server.now(),
            read_only: false,
            wrote: false,
            busy: false,
            fuel_then: i64::MIN,
            memory: Memory::Checked,
            stopped: false,
            killed: false,
            result: None,
            asked: false,
            called,
        }
    }

    /// It is a function or a library, and no script.
    pub fn is_function(&self) -> bool {
        matches!(self.called, Called::Function { .. } | Called::Libraries(_))
    }

    /// It is only being loaded: nobody is told that the server is busy then.
    pub fn is_loading(&self) -> bool {
        matches!(self.called, Called::Text(_) | Called::Libraries(_))
    }

    /// What everybody else is told when it has run for long.
    pub fn busy_error(&self) -> Error {
        if self.is_function() { Error::BUSY_FUNCTION } else { Error::BUSY }
    }

    /// Its commands may use more memory than maxmemory.
    pub fn may_use_memory(&self) -> bool {
        self.memory == Memory::Allowed
    }

    /// Notes that it has called a command that writes. From then on it must be let through to its end.
    pub fn note_write(&mut self) {
        self.wrote = true;
        self.memory = Memory::Allowed;
    }
}

/// Bytes that scripts may keep in memory, if nobody says otherwise.
pub const HEAP_LIMIT: usize = 64 << 20;

impl Scripts {
    /// No scripts, and interpreters whose heaps may take `limit` bytes.
    pub fn new(limit: usize) -> Scripts {
        let lua = Some(sandbox::interpreter(limit));
        let (cache, libraries) = (Cache::default(), Libraries::default());
        Scripts {
            lua,
            limit,
            cache,
            libraries,
            random: None,
            debugger: None,
            running: None,
            spent: 0,
        }
    }

    /// Bytes that the interpreters' heaps may take.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Lets the interpreters' heaps take so many bytes from now on.
    pub fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// Bytes that the functions' interpreter may take: what scripts leave.
    fn room_for_functions(&mut self) -> usize {
        room_beside(self.limit, self.lua.as_mut())
    }

    /// Bytes that the scripts' interpreter may take: what functions leave.
    fn room_for_scripts(&mut self) -> usize {
        room_beside(self.limit, self.libraries.engine.as_mut().map(|engine| &mut engine.lua))
    }

    /// The interpreter that runs what is called.
    fn lua_of(&mut self, called: &Called) -> Option<&mut Lua> {
        match called {
            Called::Script(_) | Called::Text(_) => self.lua.as_mut(),
            Called::Function { .. } | Called::Libraries(_) => {
                self.libraries.engine.as_mut().map(|engine| &mut engine.lua)
            }
        }
    }

    /// The interpreter of what is debugged, and the debugger.
    fn debugged(&mut self) -> Option<(&mut Lua, &mut ldb::Debugger)> {
        let is_function = self.running.as_ref().is_some_and(Running::is_function);
        let engine = self.libraries.engine.as_mut().map(|engine| &mut engine.lua);
        let lua = if is_function { engine } else { self.lua.as_mut() };
        Some((lua?, self.debugger.as_mut()?))
    }

    /// Scripts that EVALSHA finds.
    pub fn cached(&self) -> usize {
        self.cache.len()
    }

    /// Bytes that the interpreter's heap takes.
    pub fn memory(&self) -> usize {
        self.lua.as_ref().map_or(0, Lua::memory)
    }
}

/// Bytes that an interpreter may take beside the other one, which never takes all.
fn room_beside(limit: usize, other: Option<&mut Lua>) -> usize {
    let Some(other) = other else { return limit };
    other.collect_if_due();
    limit.saturating_sub(other.memory()).max(limit / 4)
}

/// Whether EVALSHA would find this name.
pub fn exists(server: &Server, name: &[u8]) -> bool {
    Sha::named(name).is_some_and(|sha| server.scripts.cache.get(sha).is_some())
}

/// What the script or function has declared that EVAL, EVALSHA or FCALL names, if it is one that declares anything.
pub fn declared(server: &Server, command: &str, name: &[u8]) -> Option<Flags> {
    let flags = match command {
        "eval" | "eval_ro" => shebang(name).ok()?.0,
        "fcall" | "fcall_ro" => server.scripts.libraries.declared(name)?,
        _ => server.scripts.cache.get(Sha::named(name)?)?.flags,
    };
    Some(flags).filter(|flags| flags.declared)
}

/// Empties the cache, and gives the scripts to come a new interpreter. Functions have one of their own.
pub fn flush(server: &mut Server) {
    let scripts = &mut server.scripts;
    scripts.lua = Some(sandbox::interpreter(scripts.limit));
    scripts.cache = Cache::default();
}

/// Starts a cached script; [`Server::run`] does the rest.
pub fn start_script(
    context: &mut Context,
    sha: Sha,
    keys: &[Vec<u8>],
    argv: &[Vec<u8>],
    read_only: bool,
) -> Result<(), Error> {
    let script = context.server.scripts.cache.get(sha).ok_or(Error::NO_SCRIPT)?;
    let (function, flags) = (script.function, script.flags);
    start(context, Call { function, called: Called::Script(sha), flags, read_only }, |machine| {
        sandbox::set_global_list(machine, "KEYS", keys);
        sandbox::set_global_list(machine, "ARGV", argv);
    })
}

/// A script or a function that is to be started.
struct Call {
    function: FunctionId,
    called: Called,
    flags: Flags,
    /// The command is one that may not write.
    read_only: bool,
}

fn start(
    context: &mut Context,
    call: Call,
    prepare: impl for<'a, 'gc> FnOnce(&mut Machine<'a, 'gc>),
) -> Result<(), Error> {
    let is_short = context.server.is_over_memory();
    let lacks_replicas = context.server.config.active.lacks_replicas;
    let scripts = &mut context.server.scripts;
    let Call { function, called, flags, read_only } = call;
    if flags.declared && lacks_replicas && !flags.no_writes {
        return Err(Error::NO_GOOD_REPLICAS);
    }
    if flags.declared && read_only && !flags.no_writes {
        return Err(Error::WRITER_CALLED_READ_ONLY);
    }
    // Whoever declares what it does is refused as a whole; an older script when it tries to use memory.
    if flags.declared && is_short && !flags.allow_oom && !flags.no_writes {
        return Err(Error::SCRIPT_OOM);
    }
    let limit = match called {
        Called::Function { .. } => scripts.room_for_functions(),
        _ => scripts.room_for_scripts(),
    };
    let random = scripts.random;
    let Some(lua) = scripts.lua_of(&called) else { return Err(Error::NOT_IN_SCRIPT) };
    lua.set_limit(limit);
    lua.start_with(function, |machine| {
        machine.state.random = random.unwrap_or(machine.state.random);
        prepare(machine);
    });
    let memory = if flags.allow_oom || !is_short { Memory::Allowed } else { Memory::Checked };
    context.server.scripts.running = Some(Running {
        read_only: read_only || flags.no_writes,
        memory,
        ..Running::new(context, called)
    });
    let database = context.database;
    let user = context.client().map(|client| client.user).unwrap_or_default();
    if let Some(client) = context.server.client_mut(SCRIPT_CLIENT) {
        client.database = database;
        client.user = user;
        client.resp = Resp::V2;
    }
    Ok(())
}

/// Stops what runs, unless it has written: SCRIPT KILL a script, FUNCTION KILL a function. It may catch the error, but
/// gets no further than the line's end.
pub fn kill(server: &mut Server, function: bool) -> Result<(), Error> {
    let Some(mut running) = server.scripts.running.take() else { return Err(Error::NOT_BUSY) };
    let result = if running.is_loading() {
        running.killed = true;
        Ok(())
    } else if running.wrote {
        Err(Error::UNKILLABLE)
    } else if running.is_function() != function {
        Err(running.busy_error())
    } else {
        if let Some(lua) = server.scripts.lua_of(&running.called) {
            lua.enter(|machine| {
                let error = api::uncounted(machine, &Error::SCRIPT_KILLED);
                machine.set_hook(error);
            });
        }
        Ok(())
    };
    server.scripts.running = Some(running);
    result
}

/// How a script ended.
pub struct Ended {
    /// What started it, and for whom.
    pub running: Running,
    /// Its reply.
    pub result: Result<Reply, Error>,
    /// The errors in it.
    pub errors: Errors,
}

/// Runs the script on for so much fuel; what it answers, if it ends.
pub fn run(server: &mut Server, fuel: i64) -> Option<Ended> {
    // This slice's fuel is not what the one before had left, and time has passed.
    server.scripts.running.as_mut()?.fuel_then = i64::MIN;
    if server.scripts.running.as_ref()?.is_loading() {
        let result = match load_on(server, fuel)? {
            Ok(Progress::Started) => None,
            Ok(Progress::Paused) => return None,
            Ok(Progress::Ended(reply)) => Some(Ok(reply)),
            Err(error) => Some(Err(error)),
        };
        if let Some(result) = result {
            let failed = result.as_ref().err();
            let uncounted = failed.map(|error| error.code().to_vec()).into_iter().collect();
            let running = server.scripts.running.take()?;
            return Some(Ended { running, result, errors: Errors { uncounted, counted: 0 } });
        }
    }
    let (result, errors) = with_lua(server, |server, lua| run_on(server, lua, fuel))??;
    let running = server.scripts.running.take()?;
    Some(Ended { running, result, errors })
}

/// How far loading has got.
enum Progress {
    /// There is more to do.
    Paused,
    /// The script has been started.
    Started,
    /// It has ended with this reply.
    Ended(Reply),
}

/// Goes on with what is loaded, for so much fuel.
fn load_on(server: &mut Server, mut fuel: i64) -> Option<Result<Progress, Error>> {
    while fuel > 0 {
        let (step, spent) =
            with_lua(server, |server, lua| (lua.resume(&mut api::Api(server), fuel), lua.spent()))?;
        server.scripts.spent = spent;
        fuel -= spent + LOADING_FUEL;
        let mut running = server.scripts.running.take()?;
        let progress = match &mut running.called {
            Called::Text(_) if running.killed => Err(Error::SCRIPT_KILLED),
            Called::Libraries(load) if running.killed => {
                Err(load.give_up(server, Error::SCRIPT_KILLED))
            }
            Called::Text(_) if step == Step::Paused => Ok(Progress::Paused),
            Called::Text(text) => text.go_on(server),
            Called::Libraries(load) => load.go_on(server, step, spent),
            Called::Script(_) | Called::Function { .. } => Ok(Progress::Started),
        };
        match &mut server.scripts.running {
            Some(script) => {
                (script.command, script.shown) = (running.command, running.shown);
            }
            none => *none = Some(running),
        }
        if !matches!(progress, Ok(Progress::Paused)) {
            return Some(progress);
        }
    }
    Some(Ok(Progress::Paused))
}

/// Loads to its end, in one go, what has begun to load: it has been loaded before.
pub(crate) fn load_all(server: &mut Server) -> Result<(), Error> {
    while server.scripts.running.as_ref().is_some_and(Running::is_loading)
        && let Some(progress) = load_on(server, LOADING_FUEL)
    {
        let has_ended = matches!(progress, Err(_) | Ok(Progress::Ended(_)));
        server.scripts.running.take_if(|_| has_ended);
        progress?;
    }
    Ok(())
}

/// What it takes of a slice to begin a script or a library, beside its own fuel.
const LOADING_FUEL: i64 = 200;

/// Works with the interpreter of what runs, which is put aside meanwhile with all that belongs to it.
fn with_lua<R>(server: &mut Server, work: impl FnOnce(&mut Server, &mut Lua) -> R) -> Option<R> {
    if server.scripts.running.as_ref()?.is_function() {
        let mut engine = server.scripts.libraries.engine.take()?;
        let result = work(server, &mut engine.lua);
        server.scripts.libraries.engine = Some(engine);
        Some(result)
    } else {
        let mut lua = server.scripts.lua.take()?;
        let result = work(server, &mut lua);
        server.scripts.lua = Some(lua);
        Some(result)
    }
}

fn run_on(server: &mut Server, lua: &mut Lua, fuel: i64) -> Option<(Result<Reply, Error>, Errors)> {
    let has_ended = server.scripts.running.as_ref()?.result.is_some();
    server.scripts.spent = 0;
    let step = if has_ended {
        Step::Finished
    } else {
        let step = lua.resume(&mut api::Api(server), fuel);
        server.scripts.spent = lua.spent();
        step
    };
    let ended = match step {
        Step::Paused => None,
        Step::Stopped => {
            if let Some(running) = &mut server.scripts.running {
                running.stopped = true;
            }
            None
        }
        Step::Finished if server.scripts.running.as_ref().is_some_and(|running| running.asked) => {
            let text = lua.enter(|machine| end::error_text(machine, machine.slot(0)));
            Some(end::failed(server, lua, text))
        }
        Step::Finished => end::finished(server, lua, fuel),
        Step::Failed if end::asks_for_text(server, lua) => None,
        Step::Failed => Some(end::failed(server, lua, None)),
    };
    if ended.is_some() {
        server.scripts.random = Some(lua.enter(|machine| machine.state.random));
    }
    ended
}

impl Server {
    /// Number of scripts that EVALSHA finds.
    pub fn cached_scripts(&self) -> usize {
        self.scripts.cached()
    }

    /// The script or function that runs.
    pub fn running_script(&self) -> Option<&Running> {
        self.scripts.running.as_ref()
    }

    /// The libraries of functions.
    pub fn libraries(&self) -> &Libraries {
        &self.scripts.libraries
    }
}
