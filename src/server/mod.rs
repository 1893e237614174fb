//! Defines the server: databases, clients and the one door by which every command enters.
//!
//! Long because waiting, dispatch, slices and statistics share one state, and are read together.

pub mod acl;
pub mod audience;
pub mod blocking;
pub mod client;
pub mod config;
mod context;
pub mod eviction;
pub mod histogram;
pub mod info;
pub mod latency;
pub mod memory;
pub mod notify;
pub mod pause;
pub mod pubsub;
pub mod random;
pub mod slowlog;
mod switches;
pub mod transaction;

use crate::command::args::Args;
use crate::command::{self, Attempt, BlockHandler, Command, CommandId, Found, Run, flag};
use crate::error::Error;
use crate::keyspace::{Database, Millis};
use crate::ordered::Ordered;
use crate::resp::{Reply, Resp};
use crate::script::{self, Called, Running, Scripts, ldb};
use acl::{Acl, Denied};
use blocking::Blocking;
use client::{Client, ClientId, Muted, SCRIPT_CLIENT};
use config::Config;
pub use context::Context;
use histogram::Histogram;
use memory::MemoryLimit;
use notify::Event;
use pause::Pause;
use pubsub::Listeners;
use random::Random;
use std::collections::VecDeque;
use switches::Switches;
use transaction::{Executing, Watches};

/// The version of Redis that this engine answers as.
pub const REDIS_VERSION: &str = "7.0.15";

/// The databases that SELECT can choose.
const DATABASES: usize = 16;

/// Fuel for the first slice of a script, run while its command is handled: most scripts need no second one. It is small,
/// as a page that has just loaded compiles the interpreter in it.
const FIRST_SLICE: i64 = 1_000;

/// What a command of a transaction takes of a slice.
const COMMAND_FUEL: i64 = 200;

/// Lines of the log that are kept until somebody takes them.
const LOG_LINES: usize = 128;

/// The levels of the log, and of `redis.log`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogLevel {
    /// For debugging.
    Debug,
    /// Rarely of interest.
    Verbose,
    /// What an operator wants to know.
    Notice,
    /// What is wrong.
    Warning,
}

/// Tells the time. The core has no clock: whoever opens a server gives it one.
pub trait Clock {
    /// Microseconds since the Unix epoch.
    fn now(&self) -> u64;
}

/// Every connection.
pub(crate) type Clients = Ordered<ClientId, Client>;

/// What a copy of a server has for itself, as a process that it has forked would.
#[derive(Clone)]
pub(crate) struct Fork {
    databases: Vec<Database>,
    random: Random,
    /// The time stands still in it.
    now: u64,
}

/// A whole Redis: everything that its clients share.
pub struct Server {
    clock: Box<dyn Clock>,
    /// What the clock said when it was last looked at: when a command arrived or ended, or a script had its slice.
    clocked: u64,
    /// The time of the command that runs, in microseconds: constant while it does, and while a script does.
    now: u64,
    /// The source of every random choice.
    pub random: Random,
    pub(crate) databases: Vec<Database>,
    clients: Clients,
    /// Clients of whom there is news.
    news: Vec<ClientId>,
    /// See [`SCRIPT_CLIENT`].
    script_client: Client,
    /// Clients whose commands wait until the server has time for them, in the order in which they came to wait.
    waiting: VecDeque<ClientId>,
    /// Who was being served when a script began to run for longer: the next when that has ended.
    in_turn: Option<ClientId>,
    /// Clients that wait for keys.
    blocking: Blocking,
    /// Clients that watch keys.
    watches: Watches,
    /// The transaction that runs.
    executing: Option<Executing>,
    /// The debugging session.
    pub(crate) debugging: Option<ldb::Session>,
    /// Who listens to which channels.
    pub(crate) channels: Listeners,
    /// Who monitors the server.
    pub(crate) monitors: Vec<ClientId>,
    /// Arguments of the running command that MONITOR must not show, by their places.
    pub(crate) redacted: Vec<usize>,
    /// CLIENT PAUSE.
    pub(crate) pause: Option<Pause>,
    /// The users.
    pub acl: Acl,
    /// The interpreter, the script cache, and the script that runs.
    pub(crate) scripts: Scripts,
    log: VecDeque<(LogLevel, Vec<u8>)>,
    next_client: ClientId,
    /// Changes made since the start: INFO's `rdb_changes_since_last_save`.
    pub(crate) changes: u64,
    /// How many of them there were when DEBUG RELOAD last saved all.
    pub(crate) saved_changes: u64,
    pub(crate) stats: Stats,
    /// CONFIG.
    pub config: Config,
    /// When the server was opened, in microseconds since the epoch.
    pub started: u64,
    /// The random name that INFO prints as `run_id`.
    run_id: String,
    /// The random name of the data set's history, INFO's `master_replid`.
    replication_id: String,
    /// SHUTDOWN was called: whoever owns the server closes it.
    pub shutdown: bool,
    /// What DEBUG switches.
    pub(crate) switches: Switches,
    /// The highest estimate of memory so far.
    peak_memory: u64,
    memory_limit: Option<MemoryLimit>,
    /// Keys that may be evicted next.
    candidates: eviction::Candidates,
    /// The database from which a random key is evicted next.
    next_database: usize,
    /// SLOWLOG.
    pub(crate) slowlog: slowlog::SlowLog,
    /// LATENCY.
    pub(crate) latency: latency::Monitor,
}

/// Counters that INFO prints and CONFIG RESETSTAT clears.
#[derive(Default)]
pub struct Stats {
    /// Commands that ran.
    pub commands: u64,
    /// Connections that were accepted.
    pub connections: u64,
    /// Connections that were turned away.
    pub rejected_connections: u64,
    /// Keys that a deadline deleted.
    pub expired_keys: u64,
    /// Keys that went because memory was short.
    pub evicted_keys: u64,
    /// Look-ups that found a key.
    pub keyspace_hits: u64,
    /// Look-ups that did not.
    pub keyspace_misses: u64,
    /// Calls by command.
    pub calls: Ordered<CommandId, CallStats>,
    /// Error replies, those inside scripts too.
    pub error_replies: u64,
    /// Errors by code.
    pub errors: Ordered<Vec<u8>, u64>,
}

/// What INFO commandstats prints of a command.
#[derive(Default)]
pub struct CallStats {
    /// Times it ran.
    pub calls: u64,
    /// Microseconds that it took in all.
    pub microseconds: u64,
    /// Times it was refused before it ran.
    pub rejected: u64,
    /// Times it ran and answered an error.
    pub failed: u64,
    /// How long it took, for INFO latencystats.
    pub latency: Histogram,
}

/// Who sends a command, which decides what is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A client's connection.
    Client,
    /// `redis.call` in a script; a read-only one may not write.
    Script {
        /// The script was started by `EVAL_RO` or has `no-writes`.
        read_only: bool,
        /// The script may use memory over maxmemory.
        allow_oom: bool,
    },
}

impl Server {
    /// An empty server. Equal seeds and equal times give equal replies.
    pub fn new(seed: u64, clock: Box<dyn Clock>) -> Server {
        let now = clock.now();
        let mut random = Random::new(seed);
        let run_id = random.hex();
        let replication_id = random.hex();
        Server {
            clock,
            clocked: now,
            now,
            random,
            started: now,
            run_id,
            replication_id,
            shutdown: false,
            peak_memory: 0,
            memory_limit: None,
            candidates: eviction::Candidates::default(),
            next_database: 0,
            slowlog: slowlog::SlowLog::default(),
            latency: latency::Monitor::default(),
            databases: vec![Database::default(); DATABASES],
            news: Vec::new(),
            clients: Clients::default(),
            script_client: Client { authenticated: true, ..Client::default() },
            waiting: VecDeque::new(),
            in_turn: None,
            blocking: Blocking::default(),
            watches: Watches::default(),
            executing: None,
            debugging: None,
            channels: Listeners::default(),
            monitors: Vec::new(),
            redacted: Vec::new(),
            pause: None,
            acl: Acl::default(),
            scripts: Scripts::new(script::HEAP_LIMIT),
            log: VecDeque::new(),
            next_client: 3,
            changes: 0,
            saved_changes: 0,
            stats: Stats::default(),
            config: Config::default(),
            switches: Switches::default(),
        }
    }

    /// Whether `maxclients` allows one more client; one that is turned away is counted.
    pub fn has_room(&mut self) -> bool {
        let has_room = (self.clients.len() as u64) < self.config.active.maxclients;
        self.stats.rejected_connections += u64::from(!has_room);
        has_room
    }

    /// A new client; `address` is what CLIENT LIST prints for it.
    pub fn connect(&mut self, address: &str) -> ClientId {
        let id = self.next_client;
        self.next_client += 1;
        self.stats.connections += 1;
        let now = self.look();
        let client = Client {
            id,
            address: address.to_owned(),
            fd: -1,
            authenticated: self.is_open(),
            connected: now,
            active: now,
            ..Client::default()
        };
        self.clients.insert(id, client);
        id
    }

    /// A copy of what is there now.
    pub(crate) fn fork(&self) -> Fork {
        Fork { databases: self.databases.clone(), random: self.random.clone(), now: self.now }
    }

    /// Puts a copy in the place of what is there, or takes it away again.
    pub(crate) fn exchange(&mut self, fork: &mut Fork) {
        std::mem::swap(&mut self.databases, &mut fork.databases);
        std::mem::swap(&mut self.random, &mut fork.random);
        std::mem::swap(&mut self.now, &mut fork.now);
    }

    /// After SHUTDOWN: an empty server takes the place of this one, and nobody is connected to it.
    pub fn restart(&mut self, clock: Box<dyn Clock>) {
        let seed = self.random.next();
        let (next_client, memory_limit) = (self.next_client, self.memory_limit);
        let heap = self.scripts.limit();
        *self = Server { next_client, memory_limit, ..Server::new(seed, clock) };
        self.scripts.set_limit(heap);
    }

    /// A client that has gone away.
    pub fn disconnect(&mut self, id: ClientId) {
        ldb::disconnected(self, id);
        self.stop_waiting(id);
        self.stop_listening(id);
        self.discard(id);
        self.waiting.retain(|client| *client != id);
        if self.clients.remove(&id).is_some_and(|client| client.in_news) {
            self.news.retain(|client| *client != id);
        }
    }

    /// The client, while it is connected.
    pub fn client(&self, id: ClientId) -> Option<&Client> {
        if id == SCRIPT_CLIENT {
            return Some(&self.script_client);
        }
        self.clients.get(&id)
    }

    /// The client to change, while it is connected.
    pub fn client_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        if id == SCRIPT_CLIENT {
            return Some(&mut self.script_client);
        }
        self.clients.get_mut(&id)
    }

    /// Something has come from a client or gone to it: it is not idle.
    pub fn note_active(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.active = self.clocked;
        }
    }

    /// Every client, oldest first.
    pub fn clients(&self) -> impl ExactSizeIterator<Item = &Client> {
        self.clients.values()
    }

    /// A command arrives. Its reply appears among the client's replies, now or after some [`Server::run`].
    pub fn send(&mut self, id: ClientId, argv: &[Vec<u8>]) {
        let now = self.look();
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.active = now;
        // What it sends behind a command that waits has to wait as well.
        let is_next = client.backlog.is_empty();
        if is_next && self.serves(id, argv) {
            self.answer(id, argv);
            self.serve();
        } else if let Some(client) = self.clients.get_mut(&id) {
            client.backlog.push_back(argv.to_vec());
            if is_next {
                self.waiting.push_back(id);
            }
        }
    }

    /// Whether a client's command is looked at now. While a script runs nobody's is; when it has run for long,
    /// everybody's but its own client's is, though most commands then are refused.
    fn serves(&self, id: ClientId, argv: &[Vec<u8>]) -> bool {
        #[cfg(test)]
        LOOKS.set(LOOKS.get() + 1);
        if let Some(session) = &self.debugging {
            if session.client() == id {
                return session.is_stopped();
            }
            if session.is_sync() {
                return false;
            }
        }
        if let Some(executing) = &self.executing
            && (executing.client() == id || self.scripts.running.is_none())
        {
            return false;
        }
        if self.scripts.running.as_ref().is_some_and(|script| script.client == id || !script.busy) {
            return false;
        }
        self.clients.get(&id).is_none_or(|client| client.blocked.is_none())
            && !self.is_postponed(id, argv)
    }

    /// Runs the commands that wait, as far as they can run now.
    fn serve(&mut self) {
        if let Some(id) = self.in_turn.take_if(|_| self.scripts.running.is_none()) {
            self.serve_client(id);
        }
        let mut at = 0;
        while let Some(id) = self.waiting.get(at) {
            at = if self.serve_client(*id) { 0 } else { at + 1 };
        }
    }

    /// Runs what a client has sent, as far as it can run now: whoever has its turn is served as long as it can be. False if
    /// nothing of it could run.
    fn serve_client(&mut self, id: ClientId) -> bool {
        let mut is_served = false;
        while let Some(argv) = self.clients.get(&id).and_then(|client| client.backlog.front())
            && self.serves(id, argv)
            && let Some(client) = self.clients.get_mut(&id)
            && let Some(argv) = client.backlog.pop_front()
        {
            is_served = true;
            if client.backlog.is_empty() {
                self.waiting.retain(|client| *client != id);
            }
            self.answer(id, &argv);
            if self.is_busy() {
                self.in_turn = Some(id);
            }
        }
        is_served
    }

    /// Runs one command of a client and queues its reply.
    fn answer(&mut self, id: ClientId, argv: &[Vec<u8>]) {
        // What follows a command that ends the connection is never looked at.
        let Some(client) = self.clients.get_mut(&id).filter(|client| !client.closing) else {
            return;
        };
        if argv.is_empty() {
            // An empty line is a command of its own to CLIENT REPLY SKIP.
            if client.muted == Muted::Replies(1) {
                client.muted = Muted::No;
            }
            return;
        }
        self.begin(self.clocked);
        if self.debugging.as_ref().is_some_and(|session| session.client() == id) {
            ldb::commands::run(self, argv);
            self.go_on(FIRST_SLICE);
            return;
        }
        if is_http(argv) {
            return self.disconnect(id);
        }
        match self.call(id, argv, Origin::Client) {
            Ok(Some(reply)) => self.reply(id, reply),
            Ok(None) => self.go_on(FIRST_SLICE),
            Err(error) => self.reply(id, Reply::Error(error.0)),
        }
        if !self.is_busy() {
            self.serve_blocked();
        }
    }

    /// Whether the transaction that runs waits for a script of it that is debugged.
    fn is_debugging_transaction(&self) -> bool {
        let client = self.debugging.as_ref().map(ldb::Session::client);
        client.is_some() && client == self.executing.as_ref().map(Executing::client)
    }

    /// Goes on with the script that runs and with the transaction, for so much fuel.
    fn go_on(&mut self, mut fuel: i64) {
        while fuel > 0 {
            if self.scripts.running.is_some() {
                self.run_script(fuel);
                if self.scripts.running.is_some() {
                    return;
                }
                fuel -= self.scripts.spent;
            } else if self.executing.is_some() && !self.is_debugging_transaction() {
                self.execute_next();
            } else if self.debugging.as_ref().is_some_and(|session| !session.is_stopped()) {
                ldb::go_on(self, fuel);
                if self.debugging.is_some() {
                    return;
                }
            } else {
                return;
            }
            fuel -= COMMAND_FUEL;
        }
    }

    /// Runs what waits: the script or the transaction, for so much fuel, and then whoever waited for its end. True if
    /// there is more to do. Without these it only looks at deadlines.
    pub fn run(&mut self, fuel: i64) -> bool {
        if self.is_busy() {
            self.go_on(fuel);
            if !self.is_busy() {
                self.serve_blocked();
            }
        } else {
            let now = self.look();
            self.begin(now);
            self.serve_blocked();
            self.evict();
        }
        self.serve();
        self.is_busy()
    }

    /// Lets scripts keep so many bytes in memory instead of 64 MiB: beyond, they get Lua's `not enough memory`.
    pub fn limit_scripts(&mut self, bytes: usize) {
        self.scripts.set_limit(bytes);
    }

    /// Whether a script or a transaction runs: [`Server::run`] has something to do.
    pub fn is_busy(&self) -> bool {
        self.is_executing() || self.debugging.as_ref().is_some_and(|session| !session.is_stopped())
    }

    /// Whether a script or a transaction runs, of those that are not debugged.
    fn is_executing(&self) -> bool {
        self.scripts.running.is_some() || self.executing.is_some()
    }

    /// Whether a command of the client has not been answered yet.
    pub fn is_waiting(&self, id: ClientId) -> bool {
        if let Some(session) = self.debugging.as_ref().filter(|session| session.client() == id) {
            return !session.is_stopped();
        }
        self.scripts.running.as_ref().is_some_and(|running| running.client == id)
            || self.executing.as_ref().is_some_and(|executing| executing.client() == id)
            || self.is_blocked(id)
            || self.clients.get(&id).is_some_and(|client| !client.backlog.is_empty())
    }

    /// Stops the script that a client waits for, as SCRIPT KILL does, but whether or not it has run for long.
    pub fn kill_script(&mut self, id: ClientId) -> Result<(), Error> {
        match self.scripts.running.as_ref().filter(|running| running.client == id) {
            Some(running) => script::kill(self, running.is_function()),
            None => Err(Error::NOT_BUSY),
        }
    }

    /// When something happens by itself: a key expires, a client has waited for too long, a pause ends.
    pub fn next_deadline(&self) -> Option<Millis> {
        let keys = self.databases.iter().filter_map(Database::next_deadline);
        keys.chain(self.next_timeout()).chain(self.pause.as_ref().map(Pause::until)).min()
    }

    fn run_script(&mut self, fuel: i64) {
        let Some(ended) = script::run(self, fuel) else {
            let now = self.look();
            let limit = self.config.active.busy_reply_threshold;
            if let Some(running) = &mut self.scripts.running {
                let microseconds = now.saturating_sub(running.started);
                running.busy |= limit > 0 && microseconds / 1000 >= limit && !running.is_loading();
            }
            return;
        };
        let microseconds = self.look().saturating_sub(ended.running.started);
        if let Some(command) = ended.running.command {
            // All errors that are new make one failure; each other one makes a failure of its own.
            let failures = ended.errors.counted + u64::from(!ended.errors.uncounted.is_empty());
            self.record(&command, microseconds, failures);
            let client = ended.running.client;
            match &ended.running.called {
                Called::Function { argv, .. } => self.note_slow(client, argv, microseconds),
                _ => self.push_slow(client, ended.running.shown, microseconds),
            }
            self.note_command(&command, microseconds);
        }
        for code in ended.errors.uncounted {
            self.count_code(code);
        }
        let reply = ended.result.unwrap_or_else(|error| Reply::Error(error.0));
        self.deliver(ended.running.client, reply);
    }

    /// Notes in the statistics that a command has run, and how often that has failed.
    fn record(&mut self, command: &Found, microseconds: u64, failures: u64) {
        self.record_call(command, microseconds);
        self.record_end(command, microseconds, failures);
    }

    /// Notes in the statistics that a command has run. Of one that waits, the end is still to come.
    fn record_call(&mut self, command: &Found, microseconds: u64) {
        let stats = self.stats.calls.get_or_default(command.id);
        stats.calls += 1;
        stats.microseconds += microseconds;
        self.stats.commands += 1;
    }

    fn record_end(&mut self, command: &Found, microseconds: u64, failures: u64) {
        let stats = self.stats.calls.get_or_default(command.id);
        if self.config.active.latency_tracking {
            stats.latency.record(microseconds);
        }
        stats.failed += failures;
    }

    /// Gives the history of the data another random name.
    pub(crate) fn change_replication_id(&mut self) {
        self.replication_id = self.random.hex();
    }

    /// Notes for the latency monitor how long a command took.
    fn note_command(&mut self, found: &Found, microseconds: u64) {
        let is_fast = found.command.has(flag::FAST);
        self.note_latency(if is_fast { "fast-command" } else { "command" }, microseconds);
    }

    /// Writes a line to the server's log, for its owner to take; the oldest is dropped if nobody does.
    pub fn log(&mut self, level: LogLevel, line: &[u8]) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back((level, line.to_vec()));
    }

    /// The oldest line of the log that nobody has taken.
    pub fn take_log(&mut self) -> Option<(LogLevel, Vec<u8>)> {
        self.log.pop_front()
    }

    pub(crate) fn look(&mut self) -> u64 {
        self.clocked = self.clock.now();
        self.clocked
    }

    /// Takes the time, and deletes what has expired: once before each command, and whenever the caller has time.
    ///
    /// While a script runs time stands still, for its commands and for keys.
    fn begin(&mut self, now: u64) {
        if self.is_executing() {
            return;
        }
        self.now = now;
        let (is_paused, now) = (self.is_paused(), self.now_millis());
        let looks = !is_paused && self.switches.active_expire;
        let mut is_found = false;
        for database in &mut self.databases {
            database.keeps_expired = is_paused;
            if looks && database.expiring() > 0 {
                database.expire_due(now, 64);
            }
            is_found |= database.has_expired_keys();
        }
        if is_found {
            if looks && self.config.active.latency_monitor_threshold > 0 {
                let begun = self.clocked;
                let microseconds = self.look().saturating_sub(begun);
                self.note_latency("expire-del", microseconds);
                self.note_latency("expire-cycle", microseconds);
            }
            self.note_expired();
        }
        self.time_out();
    }

    /// Takes notice of the keys that deadlines have deleted.
    fn note_expired(&mut self) {
        for index in 0..self.databases.len() {
            for key in self.databases[index].take_expired() {
                self.stats.expired_keys += 1;
                self.touched(index, &key);
                self.notify(Event::Expired, "expired", index, &key);
            }
        }
    }

    /// Queues the reply to a command for a client, as its protocol shows it, and what MONITOR says of the command.
    pub fn reply(&mut self, id: ClientId, mut reply: Reply) {
        if matches!(reply, Reply::Push(_)) && self.is_muted(id) {
            // CLIENT REPLY SKIP has skipped this one, though it is seen.
            self.push(id, reply.clone());
        }
        self.downgrade(id, &mut reply);
        self.queue_reply(id, reply);
        self.push_own_line(id);
    }

    /// Whether CLIENT REPLY withholds what is sent to the client now.
    fn is_muted(&self, id: ClientId) -> bool {
        // CLIENT REPLY SKIP itself is answered by nothing, and what comes with it is seen.
        let muted = self.client(id).map(|client| client.muted);
        matches!(muted, Some(Muted::Always | Muted::Replies(1)))
    }

    /// Makes of a reply what the client's protocol can show.
    fn downgrade(&self, id: ClientId, reply: &mut Reply) {
        if self.clients.get(&id).is_some_and(|client| client.resp == Resp::V2) {
            reply.downgrade();
        }
    }

    /// Queues a reply as it is.
    fn queue_reply(&mut self, id: ClientId, reply: Reply) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.note_in(&mut self.news);
            match client.muted {
                Muted::No => {}
                Muted::Always => return,
                Muted::Replies(count) => {
                    client.muted = if count > 1 { Muted::Replies(count - 1) } else { Muted::No };
                    return;
                }
            }
            client.replies.push_back(reply);
        }
    }

    /// The oldest reply that the client has not taken.
    pub fn take_reply(&mut self, id: ClientId) -> Option<Reply> {
        self.clients.get_mut(&id)?.replies.pop_front()
    }

    /// A client that has replies to take, or whose command has ended without one: each once until it is taken.
    pub fn take_news(&mut self) -> Option<ClientId> {
        let id = self.news.pop()?;
        if let Some(client) = self.clients.get_mut(&id) {
            client.in_news = false;
        }
        Some(id)
    }

    /// The time of the running command, in microseconds since the epoch.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The time of the running command, in milliseconds since the epoch.
    pub fn now_millis(&self) -> Millis {
        (self.now / 1000) as Millis
    }

    /// When a command last arrived or ended, or a script had its slice, in microseconds since the epoch: for those who
    /// watch from outside.
    pub fn clocked(&self) -> u64 {
        self.clocked
    }

    /// The door: runs one command for a client. `None` means that the reply comes later.
    pub fn call(
        &mut self,
        id: ClientId,
        argv: &[Vec<u8>],
        origin: Origin,
    ) -> Result<Option<Reply>, Error> {
        if let Some(debugger) = &mut self.scripts.debugger {
            self.clocked = debugger.time(self.clocked);
            debugger.calls(argv);
        }
        let found = self.admit(id, argv, origin).inspect_err(|error| {
            self.count_error(error);
            if let Some(debugger) = &mut self.scripts.debugger {
                debugger.refused(error);
            }
        })?;
        if origin == Origin::Client && self.queue(id, found, argv) {
            return Ok(Some(Reply::status("QUEUED")));
        }
        let result = self.perform(id, found, argv, origin);
        let resp = self.script_client.resp;
        if let Some(debugger) = &mut self.scripts.debugger {
            match &result {
                Ok(Some(reply)) => debugger.replied(reply, resp),
                Ok(None) => {}
                Err(error) => debugger.replied(&Reply::Error(error.0.clone()), resp),
            }
        }
        result
    }

    /// Runs a command that may run. `None` means that the reply comes later.
    fn perform(
        &mut self,
        id: ClientId,
        found: Found,
        argv: &[Vec<u8>],
        origin: Origin,
    ) -> Result<Option<Reply>, Error> {
        let start = self.clocked;
        let result = match found.command.run {
            // The commands of a transaction run without being admitted again, and what they read is kept to its end.
            _ if (found.command.has(flag::DENYOOM)
                || self.executing.is_some() && found.command.has(flag::READONLY))
                && self.is_full() =>
            {
                Err(Error::OOM)
            }
            Run::Reply(handler) | Run::Both(handler, _) => {
                let (mut context, mut arguments) = self.enter(id, found, argv, origin);
                handler(&mut context, &mut arguments).map(Some)
            }
            Run::Later(start) => {
                // A script is shown before its commands, and EXEC behind them.
                if found.command.name != "exec" {
                    self.show_to_monitors(id, &found, argv);
                }
                let (mut context, mut arguments) = self.enter(id, found, argv, origin);
                start(&mut context, &mut arguments)
            }
            Run::Block(handler) => match self.attempt(id, argv, found, handler, origin, None) {
                Ok(Attempt::Done(reply)) => Ok(Some(reply)),
                Ok(Attempt::Wait(wait)) if self.may_block(origin) => {
                    let spent = self.look().saturating_sub(start);
                    self.block(id, found, argv, wait, spent);
                    self.show_to_monitors(id, &found, argv);
                    return Ok(None);
                }
                Ok(Attempt::Wait(wait)) => Ok(Some(wait.timed_out)),
                Err(error) => Err(error),
            },
            Run::Container(_) => Err(Error::wrong_arity(found.command.name)),
        };
        if !self.config.active.keyspace_events.is_empty() {
            self.note_expired();
            self.note_created();
        }
        let is_shown = match found.command.run {
            Run::Later(_) => found.command.name == "exec" && !matches!(result, Ok(None)),
            _ => !found.command.has(flag::SKIP_MONITOR),
        };
        if is_shown {
            self.show_to_monitors(id, &found, argv);
        }
        if let Ok(None) = &result {
            // What takes longer is recorded when it ends.
            let keeps_arguments = |run: &Running| matches!(run.called, Called::Function { .. });
            let is_kept = self.scripts.running.as_ref().is_none_or(keeps_arguments);
            let shown = if is_kept { Vec::new() } else { self.slowlog_arguments(argv) };
            if let Some(running) = &mut self.scripts.running {
                running.command = Some(found);
                running.shown = shown;
            } else {
                self.note_exec(found, argv);
            }
        } else {
            let microseconds = self.look().saturating_sub(start);
            self.record(&found, microseconds, u64::from(result.is_err()));
            if !found.command.has(flag::SKIP_SLOWLOG) {
                self.note_slow(id, argv, microseconds);
            }
            self.note_command(&found, microseconds);
        }
        self.redacted.clear();
        if let Err(error) = &result {
            self.count_error(error);
        }
        result
    }

    /// Runs a command that may have to wait, for the first time, or because this key has changed.
    fn attempt(
        &mut self,
        id: ClientId,
        argv: &[Vec<u8>],
        found: Found,
        handler: BlockHandler,
        origin: Origin,
        changed: Option<&[u8]>,
    ) -> Result<Attempt, Error> {
        let (mut context, mut arguments) = self.enter(id, found, argv, origin);
        context.changed_key = changed;
        handler(&mut context, &mut arguments)
    }

    /// What a handler works with.
    fn enter<'a, 'b>(
        &'a mut self,
        id: ClientId,
        found: Found,
        argv: &'b [Vec<u8>],
        origin: Origin,
    ) -> (Context<'a>, Args<'b>) {
        let (database, resp) =
            self.client(id).map_or((0, Resp::V2), |client| (client.database, client.resp));
        let context =
            Context { server: self, client: id, database, resp, origin, changed_key: None };
        (context, Args::new(argv, found.arguments_at()))
    }

    /// Whether a command may run at all: it exists, its arity fits, and its sender may call it.
    fn admit(&mut self, id: ClientId, argv: &[Vec<u8>], origin: Origin) -> Result<Found, Error> {
        let from_script = matches!(origin, Origin::Script { .. });
        let found = command::resolve(argv);
        if let Some(client) = self.clients.get_mut(&id) {
            client.last_command = found.as_ref().ok().copied();
        }
        let found = match found {
            Ok(found) => found,
            Err(_) if from_script => return Err(Error::SCRIPT_UNKNOWN_COMMAND),
            Err(error) => return Err(self.refuse_queued(id, None, argv, error)),
        };
        let verdict = match origin {
            Origin::Client => self.may_start(id, &found, argv),
            Origin::Script { read_only, allow_oom } => {
                self.may_be_called(&found, argv, read_only, allow_oom)
            }
        };
        verdict.map(|()| found).map_err(|error| {
            self.stats.calls.get_or_default(found.id).rejected += 1;
            if from_script { error } else { self.refuse_queued(id, Some(&found), argv, error) }
        })
    }

    /// Whether a client's command is flagged as one that writes, or one that it has queued and runs now.
    fn writes(&self, id: ClientId, command: &Command) -> bool {
        let transaction = self.client(id).and_then(|client| client.transaction.as_ref());
        let queued = transaction.filter(|_| command.name == "exec");
        command.has(flag::WRITE)
            || queued.is_some_and(|queued| {
                queued.commands.iter().any(|(found, _)| found.command.has(flag::WRITE))
            })
    }

    fn may_start(&mut self, id: ClientId, found: &Found, argv: &[Vec<u8>]) -> Result<(), Error> {
        let command = found.command;
        if !command.takes(argv.len()) {
            return Err(Error::wrong_arity(&found.full_name()));
        }
        // SCRIPT DEBUG is another one.
        let is_debug = command.name == "debug" && found.container.is_none();
        if is_debug && self.config.text("enable-debug-command") == b"no" {
            return Err(Error::DEBUG_NOT_ALLOWED);
        }
        // Redis looks at `enable-module-command` here, which is `no`.
        if found.container.is_some_and(|container| container.name == "module")
            && matches!(command.name, "load" | "loadex" | "unload")
        {
            return Err(Error::MODULE_COMMAND);
        }
        let client = self.client(id);
        if client.is_some_and(|client| self.needs_authentication(client))
            && !command.has(flag::NO_AUTH)
        {
            return Err(Error::NO_AUTH);
        }
        let transaction = client.and_then(|client| client.transaction.as_ref());
        if transaction.is_some() && command.has(flag::NO_MULTI) {
            return Err(Error::NOT_IN_TRANSACTION);
        }
        self.check_permission(id, found, argv).map_err(|denied| match denied {
            Denied::Command => Error::no_permission(&found.full_name()),
            Denied::Key(_) => Error::NO_KEY_PERMISSION,
            Denied::Channel(_) => Error::NO_CHANNEL_PERMISSION,
        })?;
        // Room is made before any command, whether or not it needs some.
        if self.config.active.maxmemory > 0
            && !self.is_executing()
            && !self.evict()
            && self.needs_memory(id, found, argv)
        {
            return Err(Error::OOM);
        }
        if self.is_full() && self.needs_memory(id, found, argv) {
            return Err(Error::OOM);
        }
        if self.config.active.lacks_replicas && self.writes(id, command) {
            return Err(Error::NO_GOOD_REPLICAS);
        }
        if let Some(client) = self.client(id) {
            let is_limited = client.resp == Resp::V2 && !client.subscriptions.is_empty();
            let is_allowed = found.container.is_none()
                && (matches!(command.name, "ping" | "quit" | "reset")
                    || command.name.ends_with("subscribe"));
            if is_limited && !is_allowed {
                return Err(Error::while_subscribed(&found.full_name()));
            }
            if client.monitors && (command.has(flag::READONLY) || self.may_write(command, argv)) {
                return Err(Error::WHILE_MONITORING);
            }
        }
        if self.is_executing() && !command.has(flag::ALLOW_BUSY) {
            return Err(self.busy_error());
        }
        Ok(())
    }

    /// What others are told while a script or a function runs.
    pub fn busy_error(&self) -> Error {
        self.scripts.running.as_ref().map_or(Error::BUSY, script::Running::busy_error)
    }

    /// Whether the script that runs may call a command.
    fn may_be_called(
        &mut self,
        found: &Found,
        argv: &[Vec<u8>],
        read_only: bool,
        allow_oom: bool,
    ) -> Result<(), Error> {
        let command = found.command;
        if !command.takes(argv.len()) || matches!(command.run, Run::Container(_)) {
            return Err(Error::SCRIPT_WRONG_ARITY);
        }
        if command.has(flag::NOSCRIPT) {
            return Err(Error::NOT_IN_SCRIPT);
        }
        self.check_permission(SCRIPT_CLIENT, found, argv).map_err(|denied| match denied {
            Denied::Command => Error::SCRIPT_NO_PERMISSION,
            Denied::Key(_) => Error::SCRIPT_NO_KEY_PERMISSION,
            Denied::Channel(_) => Error::SCRIPT_NO_CHANNEL_PERMISSION,
        })?;
        if (command.has(flag::WRITE) || command.may_replicate()) && read_only {
            return Err(Error::WRITE_IN_READ_ONLY_SCRIPT);
        }
        if command.has(flag::WRITE) && self.config.active.lacks_replicas {
            return Err(Error::NO_GOOD_REPLICAS);
        }
        if command.has(flag::DENYOOM) && (!allow_oom || self.is_full()) {
            return Err(Error::OOM);
        }
        if let Some(running) = self.scripts.running.as_mut().filter(|_| command.has(flag::WRITE)) {
            running.note_write();
        }
        Ok(())
    }

    /// Whether the client waits in a blocking command.
    pub fn is_blocked(&self, id: ClientId) -> bool {
        self.clients.get(&id).is_some_and(|client| client.blocked.is_some())
    }

    fn count_error(&mut self, error: &Error) {
        self.count_code(error.code().to_vec());
    }

    fn count_code(&mut self, code: Vec<u8>) {
        self.stats.error_replies += 1;
        *self.stats.errors.get_or_default(code) += 1;
    }
}

/// Whether a browser was made to send this: Redis hangs up without a word.
fn is_http(argv: &[Vec<u8>]) -> bool {
    argv.first().is_some_and(|name| {
        name.eq_ignore_ascii_case(b"host:") || name.eq_ignore_ascii_case(b"post")
    })
}

#[cfg(test)]
std::thread_local! {
    /// Times that a command was looked at, whether it can run.
    static LOOKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Standing;

    impl Clock for Standing {
        fn now(&self) -> u64 {
            1_000_000
        }
    }

    fn argv(line: &str) -> Vec<Vec<u8>> {
        line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    /// Long pipelines that have come turn and turn about wait, and each of their commands is looked at only when its turn
    /// has come.
    #[test]
    fn what_waits_is_not_looked_at_again_and_again() {
        const EACH: usize = 1000;
        let mut server = Server::new(1, Box::new(Standing));
        let clients = [server.connect(""), server.connect("")];
        let third = server.connect("");
        server.send(third, &argv("CLIENT PAUSE 1000 WRITE"));
        LOOKS.set(0);
        for _ in 0..EACH {
            for id in clients {
                server.send(id, &argv("INCR n"));
                server.send(id, &argv("GET n"));
            }
            server.run(1000);
        }
        assert_eq!(server.blocked_clients(), clients.len());
        // One look at each of the two clients in each turn.
        assert!(LOOKS.replace(0) <= 2 * EACH + 2, "{}", LOOKS.get());
        server.send(third, &argv("CLIENT UNPAUSE"));
        assert!(LOOKS.get() <= 4 * EACH + 6, "{}", LOOKS.get());
        for (id, first) in clients.into_iter().zip([1, EACH as i64 + 1]) {
            for number in first..first + EACH as i64 {
                assert_eq!(server.take_reply(id), Some(Reply::Integer(number)));
                assert_eq!(server.take_reply(id), Some(Reply::bulk(number.to_string())));
            }
            assert_eq!(server.take_reply(id), None);
            assert!(!server.is_waiting(id));
        }
    }
}
