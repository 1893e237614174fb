//! Estimates how much memory the keyspace uses, for maxmemory and INFO.

use super::Server;
use crate::keyspace::Entry;

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
        let used = (size_of::<Server>() + self.config.memory() + keys) as u64;
        self.memory.bytes = used;
        self.memory.at = Some(self.changes);
        self.memory.peak = self.memory.peak.max(used);
        used
    }

    /// The highest estimate so far.
    pub fn peak_memory(&self) -> u64 {
        self.memory.peak
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
