//! Defines the server: databases, clients and the one door by which every command enters.

pub mod client;
pub mod config;
pub mod histogram;
pub mod info;
mod memory;
pub mod random;

use crate::command::args::Args;
use crate::command::{self, Command, Found, Run, flag};
use crate::error::Error;
use crate::keyspace::{Database, Entry, Millis};
use crate::resp::{Reply, Resp};
use crate::value::{Kind, Value};
use client::{Client, ClientId, Muted};
use config::Config;
use histogram::Histogram;
use random::Random;
use std::collections::BTreeMap;

/// The version of Redis that this engine answers as.
pub const REDIS_VERSION: &str = "7.0.15";

/// The databases that SELECT can choose.
const DATABASES: usize = 16;

/// Tells the time. The core has no clock: whoever opens a server gives it one.
pub trait Clock {
    /// Microseconds since the Unix epoch.
    fn now(&self) -> u64;
}

/// A whole Redis: everything that its clients share.
pub struct Server {
    clock: Box<dyn Clock>,
    /// The time of the command that runs, in microseconds: constant while it does, and while a script does.
    now: u64,
    /// The source of every random choice.
    pub random: Random,
    pub(crate) databases: Vec<Database>,
    clients: BTreeMap<ClientId, Client>,
    next_client: ClientId,
    /// Changes made since the start: INFO's `rdb_changes_since_last_save`, and the number that WATCH compares.
    pub(crate) changes: u64,
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
    memory: memory::Measure,
}

/// Counters that INFO prints and CONFIG RESETSTAT clears.
#[derive(Default)]
pub struct Stats {
    /// Commands that ran.
    pub commands: u64,
    /// Connections that were accepted.
    pub connections: u64,
    /// Keys that a deadline deleted.
    pub expired_keys: u64,
    /// Look-ups that found a key.
    pub keyspace_hits: u64,
    /// Look-ups that did not.
    pub keyspace_misses: u64,
    /// Calls by container (or nothing) and name.
    pub calls: BTreeMap<(&'static str, &'static str), CallStats>,
    /// Error replies, those inside scripts too.
    pub error_replies: u64,
    /// Errors by code.
    pub errors: BTreeMap<Vec<u8>, u64>,
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
        /// The script was started by EVAL_RO or has `no-writes`.
        read_only: bool,
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
            now,
            random,
            started: now,
            run_id,
            replication_id,
            shutdown: false,
            memory: memory::Measure::default(),
            databases: vec![Database::default(); DATABASES],
            clients: BTreeMap::new(),
            next_client: 3,
            changes: 0,
            stats: Stats::default(),
            config: Config::default(),
        }
    }

    /// A new client; `address` is what CLIENT LIST prints for it.
    pub fn connect(&mut self, address: &str) -> ClientId {
        let id = self.next_client;
        self.next_client += 1;
        self.stats.connections += 1;
        let now = self.clock.now();
        let client = Client {
            id,
            address: address.to_owned(),
            fd: -1,
            authenticated: self.config.active.requirepass.is_empty(),
            connected: now,
            active: now,
            ..Client::default()
        };
        self.clients.insert(id, client);
        id
    }

    /// A client that has gone away.
    pub fn disconnect(&mut self, id: ClientId) {
        self.clients.remove(&id);
    }

    /// The client, while it is connected.
    pub fn client(&self, id: ClientId) -> Option<&Client> {
        self.clients.get(&id)
    }

    /// The client to change, while it is connected.
    pub fn client_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.clients.get_mut(&id)
    }

    /// Every client, oldest first.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values()
    }

    /// A command arrives. Its reply appears among the client's replies, now or after some [`Server::run`].
    pub fn send(&mut self, id: ClientId, argv: Vec<Vec<u8>>) {
        if argv.is_empty() {
            return;
        }
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.waiting.push_back(argv);
        self.serve(id);
    }

    /// Runs the commands of a client that wait, as far as they can run now.
    fn serve(&mut self, id: ClientId) {
        // What follows a command that ends the connection is never looked at.
        while let Some(argv) = self
            .clients
            .get_mut(&id)
            .filter(|client| !client.closing)
            .and_then(|client| client.waiting.pop_front())
        {
            self.tick();
            if let Some(client) = self.clients.get_mut(&id) {
                client.active = self.now;
                if let Ok(found) = command::resolve(&argv) {
                    client.last_command = Some(found);
                }
            }
            match self.call(id, &argv, Origin::Client) {
                Ok(Some(reply)) => self.reply(id, reply),
                Ok(None) => {}
                Err(error) => self.reply(id, Reply::Error(error.0)),
            }
        }
    }

    /// Takes the time, and deletes what has expired: once before each command, and whenever the caller has time.
    pub fn tick(&mut self) {
        self.now = self.clock.now();
        let now = self.now_millis();
        for database in &mut self.databases {
            database.expire_due(now, 64);
            self.stats.expired_keys += database.take_expired().len() as u64;
        }
    }

    /// Queues a reply for a client, as its protocol shows it.
    pub fn reply(&mut self, id: ClientId, reply: Reply) {
        if let Some(client) = self.clients.get_mut(&id) {
            match client.muted {
                Muted::No => {}
                Muted::Always => return,
                Muted::Replies(count) => {
                    client.muted = if count > 1 { Muted::Replies(count - 1) } else { Muted::No };
                    return;
                }
            }
            let reply = if client.resp == Resp::V2 { reply.downgrade() } else { reply };
            client.replies.push_back(reply);
        }
    }

    /// The oldest reply that the client has not taken.
    pub fn take_reply(&mut self, id: ClientId) -> Option<Reply> {
        self.clients.get_mut(&id)?.replies.pop_front()
    }

    /// The time of the running command, in microseconds since the epoch.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The time of the running command, in milliseconds since the epoch.
    pub fn now_millis(&self) -> Millis {
        (self.now / 1000) as Millis
    }

    /// The door: runs one command for a client. `None` means that the reply comes later.
    pub fn call(
        &mut self,
        id: ClientId,
        argv: &[Vec<u8>],
        origin: Origin,
    ) -> Result<Option<Reply>, Error> {
        let found = self.admit(id, argv, origin).inspect_err(|error| self.count_error(error))?;
        let (database, resp) =
            self.clients.get(&id).map_or((0, Resp::V2), |client| (client.database, client.resp));
        let mut context = Context { server: self, client: id, database, resp, origin };
        let mut arguments = Args::new(argv, found.arguments_at());
        let start = context.server.clock.now();
        let result = match found.command.run {
            Run::Reply(handler) | Run::Both(handler, _) => {
                handler(&mut context, &mut arguments).map(Some)
            }
            Run::Script(start) => start(&mut context, &mut arguments).map(|()| None),
            Run::Container(_) => Err(Error::wrong_arity(found.command.name)),
        };
        let microseconds = self.clock.now().saturating_sub(start);
        let stats = self.stats.calls.entry(found.id()).or_default();
        stats.calls += 1;
        stats.microseconds += microseconds;
        stats.latency.record(microseconds);
        self.stats.commands += 1;
        if let Err(error) = &result {
            stats.failed += 1;
            self.count_error(error);
        }
        result
    }

    /// Whether a command may run at all: it exists, its arity fits, and its sender may call it.
    fn admit(&mut self, id: ClientId, argv: &[Vec<u8>], origin: Origin) -> Result<Found, Error> {
        let found = command::resolve(argv)?;
        self.may_start(id, &found, argv.len(), origin).inspect_err(|_| {
            self.stats.calls.entry(found.id()).or_default().rejected += 1;
        })?;
        Ok(found)
    }

    fn may_start(
        &mut self,
        id: ClientId,
        found: &Found,
        count: usize,
        origin: Origin,
    ) -> Result<(), Error> {
        let command = found.command;
        if !command.takes(count) {
            return Err(Error::wrong_arity(&found.full_name()));
        }
        let authenticated = self.clients.get(&id).is_none_or(|client| client.authenticated);
        if !authenticated && !command.has(flag::NO_AUTH) {
            return Err(Error::NO_AUTH);
        }
        self.may_run(command, origin)?;
        if command.has(flag::DENYOOM) && self.is_over_memory() {
            return Err(Error::OOM);
        }
        Ok(())
    }

    fn may_run(&self, command: &Command, origin: Origin) -> Result<(), Error> {
        match origin {
            Origin::Script { .. } if command.has(flag::NOSCRIPT) => Err(Error::NOT_IN_SCRIPT),
            Origin::Script { read_only: true } if command.has(flag::WRITE) => {
                Err(Error::WRITE_IN_READ_ONLY_SCRIPT)
            }
            _ => Ok(()),
        }
    }

    /// Whether the client waits in a blocking command; no command of this engine blocks yet.
    pub fn is_blocked(&self, _id: ClientId) -> bool {
        false
    }

    /// Number of scripts that EVALSHA finds.
    pub fn cached_scripts(&self) -> usize {
        0
    }

    fn count_error(&mut self, error: &Error) {
        self.stats.error_replies += 1;
        *self.stats.errors.entry(error.code().to_vec()).or_default() += 1;
    }
}

/// What a command's handler works with: the server, who asks, and the database that is selected.
pub struct Context<'a> {
    /// Everything.
    pub server: &'a mut Server,
    /// Who asks.
    pub client: ClientId,
    /// The selected database.
    pub database: usize,
    /// The protocol of the reply, where its shape depends on it.
    pub resp: Resp,
    /// Where the command came from.
    pub origin: Origin,
}

impl Context<'_> {
    /// The time of the command in milliseconds since the epoch.
    pub fn now(&self) -> Millis {
        self.server.now_millis()
    }

    /// The selected database.
    pub fn db(&mut self) -> &mut Database {
        &mut self.server.databases[self.database]
    }

    /// The client that asks.
    pub fn client(&mut self) -> Option<&mut Client> {
        let id = self.client;
        self.server.client_mut(id)
    }

    /// A key's entry for a command that reads: counted as a hit or a miss.
    pub fn read_entry(&mut self, key: &[u8]) -> Option<&mut Entry> {
        let now = self.now();
        let server = &mut *self.server;
        let entry = server.databases[self.database].entry(key, now);
        match entry {
            Some(_) => server.stats.keyspace_hits += 1,
            None => server.stats.keyspace_misses += 1,
        }
        entry
    }

    /// A key's entry for a command that reads but does not use the key: counted, and not marked as accessed.
    pub fn look(&mut self, key: &[u8]) -> Option<&Entry> {
        let now = self.now();
        let server = &mut *self.server;
        let entry = server.databases[self.database].peek(key, now);
        match entry {
            Some(_) => server.stats.keyspace_hits += 1,
            None => server.stats.keyspace_misses += 1,
        }
        entry
    }

    /// A key's value for a command that reads: counted as a hit or a miss, WRONGTYPE if it is another type.
    pub fn read<T: Kind>(&mut self, key: &[u8]) -> Result<Option<&T>, Error> {
        match self.read_entry(key) {
            None => Ok(None),
            Some(entry) => T::of(&entry.value).map(Some).ok_or(Error::WRONG_TYPE),
        }
    }

    /// A key's value to change, if it is there.
    pub fn write<T: Kind>(&mut self, key: &[u8]) -> Result<Option<&mut T>, Error> {
        let now = self.now();
        self.db().get(key, now)
    }

    /// A key's value to change, made empty if it is not there.
    pub fn create<T: Kind>(&mut self, key: &[u8]) -> Result<&mut T, Error> {
        let now = self.now();
        self.db().get_or_create(key, now)
    }

    /// Whether the key is there, not counted as a look-up.
    pub fn exists(&mut self, key: &[u8]) -> bool {
        let now = self.now();
        self.db().peek(key, now).is_some()
    }

    /// Gives a key a new value and no deadline, and notes the change.
    pub fn set(&mut self, key: &[u8], value: Value) {
        let now = self.now();
        self.db().set(key, value, now);
        self.changed(key);
    }

    /// Deletes a key, and notes the change; false if it was not there.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        let there = self.exists(key);
        if there {
            self.db().remove(key);
            self.changed(key);
        }
        there
    }

    /// Notes that a key has changed: every command that writes says so for each key that it changed.
    pub fn changed(&mut self, key: &[u8]) {
        self.server.changes += 1;
        let change = self.server.changes;
        self.db().touch(key, change);
    }
}
