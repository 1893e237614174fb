//! Estimates how much memory the keyspace uses, for maxmemory and INFO.

use super::Server;
use super::client::ClientId;
use crate::command::{Command, flag};
use crate::keyspace::Entry;
use crate::script;

/// What a key costs beside its own bytes: its slot, its index, its deadline's place.
const PER_KEY: usize = 64;

/// The last measurement, which is repeated only after many changes.
#[derive(Default)]
pub(super) struct Measure {
    bytes: u64,
    /// `Server::changes` at that time.
    at: Option<u64>,
    pub(super) peak: u64,
}

impl Server {
    /// Bytes that the server and its keys use, nearly.
    pub fn used_memory(&mut self) -> u64 {
        let keys = self.databases.iter().flat_map(|database| database.entries().iter());
        let keys: usize = keys.map(|(key, entry)| PER_KEY + key.len() + entry_memory(entry)).sum();
        let libraries = self.libraries().overhead();
        let used = (size_of::<Server>() + self.config.memory() + keys + libraries) as u64;
        self.memory.bytes = used;
        self.memory.at = Some(self.changes);
        self.memory.peak = self.memory.peak.max(used);
        used
    }

    /// The highest estimate so far.
    pub fn peak_memory(&self) -> u64 {
        self.memory.peak
    }

    /// Whether a client's command is refused over maxmemory.
    pub(super) fn needs_memory(&self, id: ClientId, command: &Command, argv: &[Vec<u8>]) -> bool {
        if self.config.active.maxmemory == 0 {
            return false;
        }
        let transaction = self.client(id).and_then(|client| client.transaction.as_ref());
        command.has(flag::DENYOOM)
            || self.runs_memory_user(command, argv)
            // What is queued takes memory too.
            || transaction.is_some_and(|transaction| match command.name {
                "exec" => transaction.commands.iter().any(|(found, argv)| {
                    found.command.has(flag::DENYOOM) || self.runs_memory_user(found.command, argv)
                }),
                "discard" | "quit" | "reset" => false,
                _ => true,
            })
    }

    /// Whether the command runs a script or function that has declared what it does, but not that it can do with the
    /// memory there is.
    fn runs_memory_user(&self, command: &Command, argv: &[Vec<u8>]) -> bool {
        command.runs_script()
            && script::declared(self, command.name, argv.get(1).map_or(&[][..], Vec::as_slice))
                .is_some_and(|flags| !flags.allow_oom && !flags.no_writes)
    }

    /// Whether maxmemory is exceeded, so that commands which may need memory are refused.
    ///
    /// A measurement walks all keys, so it is repeated only when a fair part of them may have changed since.
    pub fn is_over_memory(&mut self) -> bool {
        let limit = self.config.active.maxmemory;
        if limit == 0 {
            return false;
        }
        let keys: usize = self.databases.iter().map(crate::keyspace::Database::len).sum();
        let fresh = self.memory.at.is_some_and(|at| {
            let changes = self.changes.saturating_sub(at);
            changes == 0 || (self.memory.bytes <= limit && changes < keys as u64 / 16)
        });
        let used = if fresh { self.memory.bytes } else { self.used_memory() };
        used > limit
    }
}

fn entry_memory(entry: &Entry) -> usize {
    size_of::<Entry>() + entry.value.memory()
}
