//! Defines MULTI's queue, what WATCH watches, and EXEC, which runs command by command, scripts among them in slices.

use super::acl::Denied;
use super::audience::KeyAudience;
use super::client::ClientId;
use super::{Origin, Server};
use crate::command::{Found, flag};
use crate::error::{Error, reason};
use crate::resp::Reply;
use crate::script::ldb::Mode;
use std::collections::VecDeque;

/// The commands that a client has sent since MULTI.
#[derive(Default)]
pub struct Transaction {
    /// In order, with what they name.
    pub commands: VecDeque<(Found, Vec<Vec<u8>>)>,
    /// One was refused: EXEC will run none.
    pub failed: bool,
}

impl Transaction {
    /// Bytes that it takes, as CLIENT LIST counts them.
    pub fn memory(&self) -> usize {
        const POINTER: usize = 8;
        self.commands.iter().flat_map(|(_, argv)| argv).map(|word| word.len() + POINTER).sum()
    }

    /// Whether one of its commands writes, or may reach replicas.
    pub fn writes(&self) -> bool {
        let mut commands = self.commands.iter().map(|(found, _)| found.command);
        commands.any(|command| command.has(flag::WRITE) || command.may_replicate())
    }
}

/// EXEC, while it runs. Nobody else is served meanwhile.
pub struct Executing {
    client: ClientId,
    /// EXEC itself.
    found: Option<Found>,
    argv: Vec<Vec<u8>>,
    commands: VecDeque<(Found, Vec<Vec<u8>>)>,
    /// What its client has been answered, with the messages that came in between.
    replies: Vec<Reply>,
    /// How many commands it has, and how many bytes they take.
    count: usize,
    memory: usize,
    /// When it began, in microseconds since the epoch.
    started: u64,
    /// Its client is closed when it ends, and hears of no command any more.
    silent: bool,
    /// The last command was refused, which the statistics count as a failure of EXEC.
    refused: bool,
}

impl Executing {
    /// Who gets the replies.
    pub(super) fn client(&self) -> ClientId {
        self.client
    }
}

/// Who watches which keys.
#[derive(Default)]
pub struct Watches(KeyAudience);

impl Server {
    /// EXEC: begins to run what the client has queued; [`Server::run`] does the rest. False if a watched key has changed.
    pub fn execute(&mut self, id: ClientId) -> Result<bool, Error> {
        self.look_at_watched(id);
        let Some(client) = self.clients.get_mut(&id) else { return Ok(false) };
        let Some(transaction) = client.transaction.take() else {
            return Err(Error::EXEC_WITHOUT_MULTI);
        };
        let dirty = client.dirty;
        self.unwatch(id);
        if transaction.failed {
            return Err(Error::EXEC_ABORTED);
        }
        if dirty {
            return Ok(false);
        }
        self.executing = Some(Executing {
            client: id,
            found: None,
            argv: Vec::new(),
            count: transaction.commands.len(),
            memory: transaction.memory(),
            commands: transaction.commands,
            replies: Vec::new(),
            started: self.clocked,
            silent: false,
            refused: false,
        });
        Ok(true)
    }

    /// How many commands the transaction has that the client is in, and how many bytes they take.
    pub fn queued(&self, id: ClientId) -> Option<(usize, usize)> {
        let running = self.executing.as_ref().filter(|executing| executing.client == id);
        let waiting =
            || self.client(id)?.transaction.as_ref().map(|it| (it.commands.len(), it.memory()));
        running.map(|executing| (executing.count, executing.memory)).or_else(waiting)
    }

    /// Bytes of the command whose reply a client waits for, if that is another one than what runs for it now.
    pub fn pending_memory(&self, id: ClientId) -> Option<usize> {
        let running = self.executing.as_ref().filter(|executing| executing.client == id);
        let exec = running.map(|executing| executing.argv.iter().map(Vec::len).sum());
        exec.or_else(|| self.client(id)?.blocked.as_ref().map(|blocked| blocked.argv_memory()))
    }

    /// Whether a transaction of the client runs.
    pub(crate) fn is_in_transaction(&self, id: ClientId) -> bool {
        self.executing.as_ref().is_some_and(|executing| executing.client == id)
    }

    /// Forgets what the client has queued and watches.
    pub fn discard(&mut self, id: ClientId) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.transaction = None;
        }
        self.unwatch(id);
    }

    /// WATCH: a change of the key makes the client's next EXEC answer nil.
    pub fn watch(&mut self, id: ClientId, key: &[u8]) {
        let now = self.now_millis();
        let Some(client) = self.clients.get(&id) else { return };
        let key = (client.database, key.to_vec());
        // A key whose time has passed is not there when it is first watched.
        self.databases[key.0].peek(&key.1, now);
        self.note_expired();
        let Some(client) = self.clients.get_mut(&id) else { return };
        if !client.watched.contains(&key) {
            self.watches.0.add(key.0, &key.1, id);
            client.watched.push(key);
        }
    }

    /// UNWATCH.
    pub fn unwatch(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.dirty = false;
        for (database, key) in std::mem::take(&mut client.watched) {
            self.watches.0.remove(database, &key, id);
        }
    }

    /// Notes that a key has changed, for those who watch it or wait for it, and for the count of memory.
    pub fn touched(&mut self, database: usize, key: &[u8]) {
        if let Some(database) = self.databases.get_mut(database) {
            database.count(key);
        }
        self.note_ready(database, key);
        self.touch_watched(database, key);
    }

    pub(super) fn touch_watched(&mut self, database: usize, key: &[u8]) {
        for id in self.watches.0.of(database, key) {
            if let Some(client) = self.clients.get_mut(id) {
                client.dirty = true;
            }
        }
    }

    /// Notes that every key is about to go, or to come from the other one, that one of these databases has.
    pub fn touched_all(&mut self, databases: &[usize]) {
        for database in databases {
            for key in self.watches.0.keys(*database) {
                if databases.iter().any(|other| self.databases[*other].entries().contains(&key)) {
                    self.touch_watched(*database, &key);
                }
            }
        }
    }

    /// Lets the watched keys expire whose time has come: that is a change.
    fn look_at_watched(&mut self, id: ClientId) {
        let now = self.now_millis();
        let watched = self.clients.get(&id).map(|client| client.watched.clone());
        for (database, key) in watched.unwrap_or_default() {
            self.databases[database].peek(&key, now);
        }
        self.note_expired();
    }

    /// Keeps a command for EXEC.
    pub(super) fn queue(&mut self, id: ClientId, found: Found, argv: &[Vec<u8>]) -> bool {
        const AT_ONCE: [&str; 6] = ["exec", "discard", "multi", "watch", "quit", "reset"];
        let Some(client) = self.clients.get_mut(&id) else { return false };
        let is_at_once = found.container.is_none() && AT_ONCE.contains(&found.command.name);
        match &mut client.transaction {
            Some(transaction) if !is_at_once => {
                // What will not run anyway is not kept, and does not count as a write either.
                if !transaction.failed && !client.dirty {
                    transaction.commands.push_back((found, argv.to_vec()));
                }
                true
            }
            _ => false,
        }
    }

    /// A command was refused before it was queued. EXEC itself ends its transaction, and says so.
    pub(super) fn refuse_queued(
        &mut self,
        id: ClientId,
        found: Option<&Found>,
        argv: &[Vec<u8>],
        error: Error,
    ) -> Error {
        if let Some(found) = found.filter(|found| found.command.name == "exec") {
            self.discard(id);
            self.show_to_monitors(id, found, argv);
            return Error::exec_aborted(&error);
        }
        let client = self.clients.get_mut(&id);
        if let Some(transaction) = client.and_then(|client| client.transaction.as_mut()) {
            transaction.failed = true;
        }
        error
    }

    /// The command that asked for the transaction which has begun.
    pub(super) fn note_exec(&mut self, found: Found, argv: &[Vec<u8>]) {
        if let Some(executing) = &mut self.executing {
            executing.found = Some(found);
            executing.argv = argv.to_vec();
        }
    }

    /// Runs the next command of the transaction, or ends it.
    pub(super) fn execute_next(&mut self) {
        let Some(executing) = &mut self.executing else { return };
        let id = executing.client;
        let Some((found, argv)) = executing.commands.pop_front() else {
            self.end_execution();
            return;
        };
        let permission = self.check_permission(id, &found, &argv);
        let is_closing = self.clients.get(&id).is_some_and(|client| client.closing);
        if let Some(executing) = &mut self.executing {
            executing.refused = permission.is_err();
            executing.silent = is_closing;
        }
        if let Err(denied) = permission {
            let error = Error::no_longer_permitted(match denied {
                Denied::Command => reason::NO_COMMAND,
                Denied::Key(_) => reason::NO_KEY,
                Denied::Channel(_) => reason::NO_CHANNEL,
            });
            self.count_error(&error);
            return self.collect(Reply::Error(error.0));
        }
        match self.perform(id, found, &argv, Origin::Client) {
            Ok(Some(reply)) => self.collect(reply),
            Ok(None) => {}
            Err(error) => self.collect(Reply::Error(error.0)),
        }
    }

    /// Keeps a command's reply for EXEC's, with what follows it.
    fn collect(&mut self, reply: Reply) {
        let Some(id) = self.executing.as_ref().map(Executing::client) else { return };
        if matches!(reply, Reply::Push(_)) {
            self.push(id, reply);
        } else {
            self.keep(id, reply);
        }
        self.push_own_line(id);
    }

    /// Keeps a reply or a message for EXEC's reply, in the protocol that the client has now: HELLO may come behind.
    pub(super) fn keep(&mut self, id: ClientId, mut reply: Reply) {
        self.downgrade(id, &mut reply);
        if let Some(executing) = self.executing.as_mut().filter(|executing| !executing.silent) {
            executing.replies.push(reply);
        }
    }

    /// Gives a script's reply to who asked for it: its client, or the transaction in which it ran.
    pub(crate) fn deliver(&mut self, id: ClientId, reply: Reply) {
        match &self.executing {
            Some(executing) if executing.client == id => self.collect(reply),
            _ => self.reply(id, reply),
        }
    }

    fn end_execution(&mut self) {
        let Some(executing) = self.executing.take() else { return };
        // Redis says how many commands there are, and then lets messages come in between: the array ends too early.
        let mut replies = executing.replies;
        let behind = replies.split_off(executing.count.min(replies.len()));
        if !executing.silent {
            self.queue_reply(executing.client, Reply::Array(replies));
        }
        for reply in behind {
            self.queue_reply(executing.client, reply);
        }
        if let Some(found) = executing.found {
            self.show_to_monitors(executing.client, &found, &executing.argv);
            self.push_own_line(executing.client);
            let microseconds = self.look().saturating_sub(executing.started);
            self.record(&found, microseconds, u64::from(executing.refused));
            self.note_command(&found, microseconds);
        }
        if let Some(client) = self.clients.get_mut(&executing.client) {
            // It has been debugged.
            client.closing |= client.debug != Mode::No;
        }
        if executing.silent {
            // The reply breaks off: nobody can read it.
            self.disconnect(executing.client);
        }
    }
}

/// Whether a transaction has a command that writes, or that replicas hear of.
pub(super) fn writes(transaction: Option<&Transaction>) -> bool {
    transaction.is_some_and(Transaction::writes)
}
