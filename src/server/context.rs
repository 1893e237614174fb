//! Defines what a command's handler works with.

use super::client::{Client, ClientId};
use super::notify::Event;
use super::{Origin, Server};
use crate::command::{self, args::Args};
use crate::error::Error;
use crate::keyspace::{Database, Entry, Millis};
use crate::resp::Resp;
use crate::value::{Kind, Value};

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
    /// A command that waited runs again because this key has changed.
    pub changed_key: Option<&'a [u8]>,
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
        self.notify_miss(key);
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
        self.notify_miss(key);
        self.inspect(key)
    }

    /// As [`Context::look`], but nobody is told that the key is not there.
    pub fn inspect(&mut self, key: &[u8]) -> Option<&Entry> {
        let now = self.now();
        let server = &mut *self.server;
        let entry = server.databases[self.database].peek(key, now);
        match entry {
            Some(_) => server.stats.keyspace_hits += 1,
            None => server.stats.keyspace_misses += 1,
        }
        entry
    }

    /// Tells those who listen that a key is looked for and not there.
    fn notify_miss(&mut self, key: &[u8]) {
        if self.server.notifies(Event::Miss) && !self.exists(key) {
            self.notify(Event::Miss, "keymiss", key);
        }
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

    /// Deletes a key, notes the change and tells those who listen; false if it was not there.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        let there = self.exists(key);
        if there {
            self.db().remove(key);
            self.changed(key);
            self.notify(Event::Generic, "del", key);
        }
        there
    }

    /// Deletes a key that has lost its last element. That is part of the change, which the caller notes.
    pub fn delete_emptied(&mut self, key: &[u8]) {
        self.delete(key);
        self.server.changes -= 1;
    }

    /// Notes that a key has changed: every command that writes says so for each key that it changed.
    pub fn changed(&mut self, key: &[u8]) {
        self.changed_times(key, 1);
    }

    /// Notes so many changes of a key: one of each element, where a command has several.
    pub fn changed_times(&mut self, key: &[u8], times: usize) {
        self.server.changes += times as u64;
        self.server.touched(self.database, key);
    }

    /// Notes so many changes of a key which are nothing that anybody waits for: no more is there than before.
    pub fn changed_in_place(&mut self, key: &[u8], changes: u64) {
        self.server.changes += changes;
        self.server.touch_watched(self.database, key);
    }

    /// Lets those who wait for a key look at it.
    pub fn wake(&mut self, key: &[u8]) {
        self.server.note_ready(self.database, key);
    }

    /// Whether the user may run the command line whichever keys it reads.
    pub fn reads_all(&self, argv: &[Vec<u8>]) -> bool {
        let user = self.server.user_of(self.client);
        command::resolve(argv).is_ok_and(|found| user.reads_all(&found, argv))
    }

    /// Hides the next arguments from MONITOR, if there are so many.
    pub fn redact(&mut self, args: &Args, count: usize) {
        let first = args.argv().len().saturating_sub(args.remaining());
        self.server.redacted.extend(first..first.saturating_add(count));
    }

    /// Whether a command may wait: not in a transaction and not in a script.
    pub fn may_wait(&self) -> bool {
        self.server.may_block(self.origin)
    }

    /// Whether a command that may wait looks at this key: at each of its keys when it comes, and then only at the one
    /// that has changed.
    pub fn looks_at(&self, key: &[u8]) -> bool {
        self.changed_key.is_none_or(|changed| changed == key)
    }
}
