//! Defines the Lua debugger, LDB: sessions that stop at lines and answer its commands.
//!
//! SCRIPT DEBUG YES or SYNC makes the client's next EVAL a session. The session has an interpreter of its own. It stops
//! where a line begins, and tells its client so by an array of statuses; what the client sends then is for
//! [`commands`], which answers by such arrays, too. When the script has ended, an array whose last status is
//! `<endsession>` comes before its reply, and the connection ends.
//!
//! A forked session (YES) works on a copy of the databases, as the real server's child process does: nothing of it
//! stays, and meanwhile other clients go on with the original. A synchronous one (SYNC) keeps everybody else waiting.

pub mod beyond;
pub mod commands;
mod past;
pub mod show;
pub mod view;

use super::{CHUNK_NAME, Ended, Scripts, library, run};
use crate::command::args::Args;
use crate::error::Error;
use crate::lua::lines::Stops;
use crate::resp::{Reply, Resp};
use crate::server::client::ClientId;
use crate::server::{Context, Fork, Server};
use past::{Beginning, Past};
use std::collections::VecDeque;

/// What SCRIPT DEBUG has asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Scripts just run.
    #[default]
    No,
    /// Changes are rolled back at the end.
    Forked,
    /// Changes are kept, and the server does nothing else meanwhile.
    Sync,
}

/// Milliseconds that a script runs on before the debugger stops it, if `busy-reply-threshold` is switched off.
const DEFAULT_LIMIT: u64 = 5000;

/// A debugging session.
pub struct Session {
    /// Its interpreter, and the script.
    scripts: Scripts,
    /// Its copy of the data, if it is forked; without one everybody else waits.
    fork: Option<Fork>,
    beginning: Beginning,
}

/// What the debugger knows of the script.
pub struct Debugger {
    /// The chunk that is debugged: a script's, or those of libraries.
    chunk_name: &'static [u8],
    /// Its lines: for a function those of its library.
    source: Vec<Vec<u8>>,
    /// Nothing of what it changes stays.
    is_forked: bool,
    past: Past,
    breakpoints: Vec<Breakpoint>,
    /// The script is to stop at the next line, and its commands are logged.
    stepping: bool,
    /// How deep in calls that line may be.
    deepest: Option<(usize, usize)>,
    /// The frame whose variables are shown, counted from the function that runs.
    frame: usize,
    /// The commands that the script has called, with their replies; the oldest first.
    calls: VecDeque<Vec<u8>>,
    /// `redis.breakpoint()` has been called.
    breakpoint_called: bool,
    /// The line at which it has stopped.
    line: i64,
    /// It waits for its client's commands.
    stopped: bool,
    /// What its client has not been told yet.
    log: Vec<Vec<u8>>,
    /// Bytes after which values are cut off; 0: never.
    maxlen: usize,
    /// The client knows how to change that.
    hinted: bool,
    /// When it was let go on, in microseconds since the epoch.
    resumed: u64,
}

/// A line at which the script is to stop.
struct Breakpoint {
    line: i64,
    /// Code that must be true for that.
    condition: Option<Vec<u8>>,
}

impl Debugger {
    fn new(chunk_name: &'static [u8], body: &[u8], is_forked: bool, now: u64) -> Debugger {
        let end = body.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
        let body = &body[..end.map_or(0, |last| last + 1)];
        Debugger {
            chunk_name,
            is_forked,
            past: Past::default(),
            source: body.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect(),
            breakpoints: Vec::new(),
            stepping: true,
            deepest: None,
            frame: 0,
            calls: VecDeque::new(),
            breakpoint_called: false,
            line: 0,
            stopped: false,
            log: Vec::new(),
            maxlen: 256,
            hinted: false,
            resumed: now,
        }
    }

    fn stops(&self) -> Stops {
        if self.past.is_replaying() {
            return Stops { at_count: self.past.next_stop(), ..Stops::default() };
        }
        let every_line = self.stepping || self.breakpoint_called;
        let deepest = self.deepest.filter(|_| !self.breakpoint_called);
        let breakpoints = self.breakpoints.iter().map(|breakpoint| breakpoint.line).collect();
        Stops { every_line, deepest, breakpoints, at_count: None }
    }

    /// The breakpoint of a line.
    fn breakpoint(&mut self, line: i64) -> Option<&mut Breakpoint> {
        self.breakpoints.iter_mut().find(|breakpoint| breakpoint.line == line)
    }

    /// `redis.breakpoint()`: stops at the next line.
    pub fn break_at_next_line(&mut self) {
        self.breakpoint_called = true;
    }

    /// `redis.debug()`: logs values.
    pub fn debug(&mut self, line: i64, values: &[Vec<u8>]) {
        let values = values.join(&b", "[..]);
        self.log([format!("<debug> line {line}: ").as_bytes(), &values].concat());
    }

    /// The time that a command of the script's is told.
    pub fn time(&mut self, now: u64) -> u64 {
        self.past.time(now)
    }

    /// A command that the script calls is logged while it is stepped through.
    pub fn calls(&mut self, argv: &[Vec<u8>]) {
        /// More arguments are only counted.
        const SHOWN: usize = 10;
        self.note_call(argv);
        if self.stepping {
            let mut line = b"<redis>".to_vec();
            for argument in argv.iter().take(SHOWN) {
                line.push(b' ');
                line.extend_from_slice(argument);
            }
            // The real server counts one too few.
            if let Some(more) = argv.len().checked_sub(SHOWN + 1) {
                line.extend_from_slice(format!(" ... ({more} more)").as_bytes());
            }
            self.log(line);
        }
    }

    /// So is its reply,
    pub fn replied(&mut self, reply: &Reply, resp: Resp) {
        let mut reply = reply.clone();
        if resp == Resp::V2 {
            reply.downgrade();
        }
        let text = show::reply(&reply, resp);
        self.note_outcome(&text);
        if self.stepping {
            if let Reply::Error(text) = &reply {
                self.log([b"<error> -", &text[..]].concat());
            }
            self.log_cut([b"<reply> ", &text[..]].concat());
        }
    }

    /// and why it was not run.
    pub fn refused(&mut self, error: &Error) {
        self.note_outcome(&error.0);
        if self.stepping {
            let text = error.0.strip_prefix(b"ERR ").unwrap_or(&error.0);
            self.log([b"<error> ", text].concat());
        }
    }

    fn log(&mut self, line: impl Into<Vec<u8>>) {
        if !self.past.is_replaying() {
            self.log.push(line.into());
        }
    }

    /// Logs a line, cut off if it is too long.
    fn log_cut(&mut self, mut line: Vec<u8>) {
        let cut = self.maxlen > 0 && line.len() > self.maxlen;
        if cut {
            line.truncate(self.maxlen);
            line.extend_from_slice(b" ...");
        }
        self.log(line);
        if cut && !self.past.is_replaying() && !std::mem::replace(&mut self.hinted, true) {
            self.log(
                &b"<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming."[..],
            );
        }
    }

    /// Logs a line of the source.
    fn log_line(&mut self, number: i64) {
        let breakpoint = if self.breakpoint(number).is_some() { "#" } else { " " };
        let text = usize::try_from(number - 1).ok().and_then(|index| self.source.get(index));
        let text = text.map_or(&b"<out of range source code line>"[..], Vec::as_slice);
        let current = if number == self.line { "->" } else { "  " };
        let line = [format!("{current}{breakpoint}{number:<3} ").as_bytes(), text].concat();
        self.log(line);
    }

    /// What the client has not been told yet.
    fn take_log(&mut self) -> Reply {
        let lines = std::mem::take(&mut self.log).into_iter().map(|mut line| {
            // A status is one line.
            for byte in &mut line {
                if matches!(byte, b'\r' | b'\n') {
                    *byte = b' ';
                }
            }
            Reply::Status(line.into())
        });
        Reply::Array(lines.collect())
    }
}

impl Session {
    /// Whose session it is.
    pub fn client(&self) -> ClientId {
        self.beginning.client
    }

    /// Whether it waits for its client's commands.
    pub fn is_stopped(&self) -> bool {
        self.scripts.debugger.as_ref().is_some_and(|debugger| debugger.stopped)
    }

    /// Whether everybody else has to wait.
    pub fn is_sync(&self) -> bool {
        self.fork.is_none()
    }

    /// Puts the session in the place of the server's own scripts and data, or takes it away again.
    fn exchange(&mut self, server: &mut Server) {
        std::mem::swap(&mut server.scripts, &mut self.scripts);
        if let Some(fork) = &mut self.fork {
            server.exchange(fork);
        }
    }
}

/// Runs a script under the debugger: the EVAL that these arguments belong to.
pub fn start(context: &mut Context, args: &mut Args, read_only: bool) -> Result<(), Error> {
    let is_forked = context.client().is_some_and(|client| client.debug == Mode::Forked);
    let body = args.peek().unwrap_or_default().to_vec();
    start_session(context, args, read_only, &body, None, is_forked)
}

/// Runs a function under the debugger: the FCALL that these arguments belong to. It is a copy of the function that runs,
/// as its library was when it was loaded, on a copy of the data.
pub fn start_function(
    context: &mut Context,
    args: &mut Args,
    read_only: bool,
) -> Result<(), Error> {
    let library = library::library_of(context.server, args.peek().unwrap_or_default());
    let code = library.map_or_else(Vec::new, |library| library.code.clone());
    let libraries = context.server.scripts.libraries.all();
    let libraries = libraries.iter().map(|library| library.code.clone()).collect();
    start_session(context, args, read_only, &code, Some(libraries), true)
}

/// `source` is what is shown, and `libraries` are loaded before a function is called.
fn start_session(
    context: &mut Context,
    args: &mut Args,
    read_only: bool,
    source: &[u8],
    libraries: Option<Vec<Vec<u8>>>,
    is_forked: bool,
) -> Result<(), Error> {
    let (client, database) = (context.client, context.database);
    let server = &mut *context.server;
    let fork = is_forked.then(|| server.fork());
    let chunk_name = if libraries.is_some() { library::CHUNK_NAME } else { CHUNK_NAME };
    let mut scripts = Scripts::new(server.scripts.limit);
    scripts.debugger = Some(Debugger::new(chunk_name, source, is_forked, server.clocked()));
    let argv = args.argv().to_vec();
    let beginning = Beginning { argv, read_only, libraries, client, database, fork: fork.clone() };
    let mut session = Session { scripts, fork, beginning };
    session.exchange(server);
    let begun = session.beginning.begin(server);
    set_stops(server);
    session.exchange(server);
    if let Err(error) = begun {
        finish(server, session);
        return Err(error);
    }
    server.debugging = Some(session);
    Ok(())
}

/// Tells the interpreter where to stop.
fn set_stops(server: &mut Server) {
    if let Some((lua, debugger)) = server.scripts.debugged() {
        let (chunk_name, stops) = (debugger.chunk_name, debugger.stops());
        lua.enter(|machine| machine.set_stops(chunk_name, Some(stops)));
    }
}

/// Runs the session's script on for so much fuel.
pub fn go_on(server: &mut Server, fuel: i64) {
    let Some(mut session) = server.debugging.take() else { return };
    session.exchange(server);
    let ended = run(server, fuel);
    let stopped = ended.is_none() && stopped(server);
    session.exchange(server);
    if let Some(ended) = ended {
        end(server, session, ended);
        return;
    }
    let log = session.scripts.debugger.as_mut().filter(|_| stopped);
    if let Some(log) = log.map(Debugger::take_log) {
        server.reply(session.client(), log);
    }
    server.debugging = Some(session);
}

/// Whether the script has stopped, which is logged then: at a line, or because it has run for too long.
fn stopped(server: &mut Server) -> bool {
    let limit = match server.config.active.busy_reply_threshold {
        0 => DEFAULT_LIMIT,
        limit => limit,
    };
    let now = server.look();
    let scripts = &mut server.scripts;
    let at_line =
        scripts.running.as_mut().is_some_and(|running| std::mem::take(&mut running.stopped));
    let Some((lua, debugger)) = scripts.debugged() else { return false };
    let late = now.saturating_sub(debugger.resumed) / 1000 >= limit;
    let is_replaying = debugger.past.is_replaying();
    if !at_line && (debugger.stepping || is_replaying || !late) {
        return false;
    }
    let chunk_name = debugger.chunk_name;
    let line = lua.enter(|machine| {
        let levels = machine.levels();
        levels.into_iter().find(|level| level.source == chunk_name).map(|level| level.line)
    });
    debugger.line = line.unwrap_or(0);
    let is_wanted = if is_replaying { past::has_arrived } else { beyond::is_wanted };
    if at_line && !is_wanted(server) {
        return false;
    }
    let Some(debugger) = &mut server.scripts.debugger else { return false };
    let reason = if is_replaying {
        "step back"
    } else if debugger.breakpoint_called {
        "redis.breakpoint() called"
    } else if at_line && debugger.breakpoint(debugger.line).is_some() {
        "break point"
    } else if at_line {
        "step over"
    } else {
        "timeout reached, infinite loop?"
    };
    debugger.breakpoint_called = false;
    debugger.stepping = false;
    debugger.deepest = None;
    debugger.frame = 0;
    debugger.stopped = true;
    debugger.log(format!("* Stopped at {}, stop reason = {reason}", debugger.line));
    debugger.log_line(debugger.line);
    true
}

/// The script has ended.
fn end(server: &mut Server, session: Session, ended: Ended) {
    let client = session.client();
    finish(server, session);
    let reply = ended.result.unwrap_or_else(|error| Reply::Error(error.0));
    server.deliver(client, reply);
}

/// The session is over: its client is told what it does not know yet.
fn finish(server: &mut Server, mut session: Session) {
    if let Some(debugger) = &mut session.scripts.debugger {
        debugger.log(&b"<endsession>"[..]);
        let log = debugger.take_log();
        server.reply(session.client(), log);
    }
    // In a transaction the connection ends behind EXEC's reply.
    if !server.is_in_transaction(session.client())
        && let Some(client) = server.client_mut(session.client())
    {
        client.closing = true;
    }
}

/// The session's client has gone. A forked session ends there; a synchronous one runs to its end.
pub fn disconnected(server: &mut Server, client: ClientId) {
    let Some(session) = server.debugging.as_mut().filter(|session| session.client() == client)
    else {
        return;
    };
    if session.fork.is_some() {
        server.debugging = None;
        return;
    }
    if let Some((lua, debugger)) = session.scripts.debugged() {
        debugger.breakpoints.clear();
        debugger.stopped = false;
        lua.enter(|machine| machine.set_stops(CHUNK_NAME, None));
    }
}
