//! Defines how a client waits for a key, and how it gets what it waits for.
//!
//! A command that finds nothing leaves its arguments here. When one of its keys has changed, and holds a value of the
//! right type, the command is simply run again, at the end of the command, the transaction or the script that changed it.

use super::audience::KeyAudience;
use super::client::ClientId;
use super::{Clients, Origin, Server};
use crate::command::{Attempt, Found, Run, Wait};
use crate::error::Error;
use crate::keyspace::Millis;
use crate::ordered;
use crate::resp::Reply;
use std::collections::VecDeque;

/// A key of a database.
type Key = (usize, Vec<u8>);

/// A command that waits for one of its keys.
pub struct Blocked {
    found: Found,
    argv: Vec<Vec<u8>>,
    /// Bytes of the command line that came.
    memory: usize,
    database: usize,
    wait: Wait,
    /// Microseconds that it ran, waiting not counted.
    spent: u64,
}

impl Blocked {
    /// Bytes of its command line.
    pub fn argv_memory(&self) -> usize {
        self.memory
    }

    /// Whether a key that holds this type now is something to look at.
    fn looks_at(&self, kind: Option<&'static str>) -> bool {
        kind == Some(self.wait.kind) || self.wait.gone.is_some()
    }
}

/// Who waits for which keys.
#[derive(Default)]
pub struct Blocking {
    /// How many do, those who wait only for the time among them.
    clients: usize,
    /// By key, who has waited longest first.
    waiting: KeyAudience,
    /// Keys that have changed since the last look, in that order.
    changed: VecDeque<Key>,
}

impl Blocking {
    fn remove(&mut self, id: ClientId, blocked: &Blocked) {
        self.clients -= 1;
        for key in &blocked.wait.keys {
            self.waiting.remove(blocked.database, key, id);
        }
    }
}

/// Why a client need not wait any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unblock {
    /// Its time has passed.
    Late,
    /// As if its time had passed.
    TimedOut,
    /// With an error.
    Error,
}

impl Server {
    /// Notes that a key has changed, if it is now what somebody waits for.
    pub(super) fn note_ready(&mut self, database: usize, key: &[u8]) {
        let clients = self.blocking.waiting.of(database, key);
        if clients.is_empty() {
            return;
        }
        let entry = self.databases.get(database).and_then(|database| database.entries().get(key));
        let key = (database, key.to_vec());
        let kind = entry.map(|entry| entry.value.type_name());
        let waits = |id| {
            let blocked = self.clients.get(id).and_then(|client| client.blocked.as_ref());
            blocked.is_some_and(|blocked| blocked.looks_at(kind))
        };
        if clients.iter().any(waits) && !self.blocking.changed.contains(&key) {
            self.blocking.changed.push_back(key);
        }
    }

    /// Lets a client wait until its command finds what it looks for.
    pub(super) fn block(
        &mut self,
        id: ClientId,
        found: Found,
        argv: &[Vec<u8>],
        mut wait: Wait,
        spent: u64,
    ) {
        let memory = argv.iter().map(Vec::len).sum();
        let argv = wait.argv.take().unwrap_or_else(|| argv.to_vec());
        self.record_call(&found, spent);
        let Some(client) = self.clients.get_mut(&id) else { return };
        let database = client.database;
        self.blocking.clients += 1;
        for key in &wait.keys {
            self.blocking.waiting.add(database, key, id);
        }
        client.blocked = Some(Box::new(Blocked { found, argv, memory, database, wait, spent }));
    }

    /// Notes that all keys of a database have come or gone at once.
    pub fn came(&mut self, database: usize) {
        for key in self.blocking.waiting.keys(database) {
            self.note_ready(database, &key);
        }
    }

    /// Ends a client's waiting, if it waits for a key.
    pub fn unblock(&mut self, id: ClientId, how: Unblock) -> bool {
        let Some(blocked) = self.stop_waiting(id) else { return false };
        let result = match how {
            Unblock::Late | Unblock::TimedOut => Ok(blocked.wait.timed_out.clone()),
            Unblock::Error => Err(Error::UNBLOCKED),
        };
        if how != Unblock::Late {
            // Otherwise Redis has forgotten the command by then; whoever is sent away has failed with it.
            self.record_end(&blocked.found, blocked.spent, 1);
            self.note_slow(id, &[], blocked.spent);
        }
        self.answer_blocked(id, result);
        true
    }

    /// Forgets that a client waits.
    pub(super) fn stop_waiting(&mut self, id: ClientId) -> Option<Box<Blocked>> {
        let blocked = self.clients.get_mut(&id)?.blocked.take()?;
        self.blocking.remove(id, &blocked);
        Some(blocked)
    }

    /// Gives their replies to those who have waited for too long.
    pub(super) fn time_out(&mut self) {
        if self.blocking.clients == 0 {
            return;
        }
        let now = self.now_millis();
        let is_late = |deadline: Option<Millis>| deadline.is_some_and(|deadline| deadline < now);
        let mut late: Vec<(Option<Millis>, ClientId)> = waiting(&self.clients)
            .filter(|(_, blocked)| is_late(blocked.wait.deadline))
            .map(|(id, blocked)| (blocked.wait.deadline, id))
            .collect();
        ordered::sort(&mut late, Ord::cmp);
        for (_, id) in late {
            self.unblock(id, Unblock::Late);
        }
    }

    /// When the next client has waited for too long.
    pub(super) fn next_timeout(&self) -> Option<Millis> {
        waiting(&self.clients).filter_map(|(_, blocked)| blocked.wait.deadline).min()
    }

    /// How many clients wait: for a key, or for the end of a pause.
    pub fn blocked_clients(&self) -> usize {
        let postponed = if self.is_paused() { self.waiting.len() } else { 0 };
        waiting(&self.clients).count() + postponed
    }

    /// How many of those who wait for a key do not wait for ever.
    pub fn clients_with_timeout(&self) -> usize {
        waiting(&self.clients).filter(|(_, blocked)| blocked.wait.deadline.is_some()).count()
    }

    /// Runs the commands that wait for keys which have changed, until no more of them finds anything.
    pub(super) fn serve_blocked(&mut self) {
        while let Some(key) = self.blocking.changed.pop_front() {
            for id in self.blocking.waiting.of(key.0, &key.1).to_vec() {
                self.try_again(id, &key);
            }
        }
    }

    fn try_again(&mut self, id: ClientId, (database, key): &Key) {
        let now = self.now_millis();
        let Some(database) = self.databases.get_mut(*database) else { return };
        let kind = database.peek(key, now).map(|entry| entry.value.type_name());
        let Some(client) = self.clients.get_mut(&id) else { return };
        let Some(blocked) = client.blocked.take_if(|blocked| blocked.looks_at(kind)) else {
            return;
        };
        let Run::Block(handler) = blocked.found.command.run else { return };
        let changes = self.changes;
        let attempt = match &blocked.wait.gone {
            Some(error) if kind != Some(blocked.wait.kind) => Err(error.clone()),
            _ => self.attempt(id, &blocked.argv, blocked.found, handler, Origin::Client, Some(key)),
        };
        if blocked.wait.uncounted {
            self.changes = changes;
        }
        let result = match attempt {
            Ok(Attempt::Done(reply)) => Ok(reply),
            Err(error) => Err(error),
            Ok(Attempt::Wait(_)) => {
                if let Some(client) = self.clients.get_mut(&id) {
                    client.blocked = Some(blocked);
                }
                return;
            }
        };
        self.blocking.remove(id, &blocked);
        self.record_end(&blocked.found, blocked.spent, u64::from(result.is_err()));
        self.note_slow(id, &blocked.argv, blocked.spent);
        self.answer_blocked(id, result);
    }

    fn answer_blocked(&mut self, id: ClientId, result: Result<Reply, Error>) {
        if let Err(error) = &result {
            self.count_error(error);
        }
        self.reply(id, result.unwrap_or_else(|error| Reply::Error(error.0)));
        // Who was served first goes on first, whoever has typed ahead first.
        if let Some(at) = self.waiting.iter().position(|client| *client == id) {
            self.waiting.remove(at);
            self.waiting.push_back(id);
        }
    }

    /// Whether a command may wait: not in a transaction and not in a script.
    pub(super) fn may_block(&self, origin: Origin) -> bool {
        origin == Origin::Client && self.executing.is_none()
    }
}

fn waiting(clients: &Clients) -> impl Iterator<Item = (ClientId, &Blocked)> {
    clients.iter().filter_map(|(id, client)| Some((*id, &**client.blocked.as_ref()?)))
}
