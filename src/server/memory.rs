//! Estimates how much memory the keyspace uses, for maxmemory and INFO.

use super::Server;
use super::client::ClientId;
use crate::command::{Command, Found, flag};
use crate::error::Error;
use crate::keyspace::Database;
use crate::script;

/// What a cached script costs beside its code: its name and its place.
const PER_SCRIPT: usize = 64;

/// How much memory there is, where that is known.
#[derive(Clone, Copy)]
pub struct MemoryLimit {
    /// Bytes that may be in use before a command.
    pub bytes: usize,
    /// Tells how many are.
    pub used: fn() -> usize,
}

impl Server {
    /// Sets how much memory there is. Redis asks for more until the system ends it; a page has nobody to start it again.
    pub fn limit_memory(&mut self, limit: MemoryLimit) {
        self.memory_limit = Some(limit);
    }

    /// The longest string that a command may make, in bytes, whatever `proto-max-bulk-len` allows: an eighth of the memory,
    /// where that is known.
    pub fn longest_string(&self) -> usize {
        self.memory_limit.map_or(isize::MAX as usize, |limit| limit.bytes / 8)
    }

    /// The length, if a command may make a string of it. Where nobody has said how much memory there is, the system knows.
    pub fn room_for(&self, length: u64) -> Result<usize, Error> {
        let length = usize::try_from(length).ok().filter(|length| *length <= self.longest_string());
        let is_there = |length: &usize| {
            self.memory_limit.is_some() || Vec::<u8>::new().try_reserve_exact(*length).is_ok()
        };
        length.filter(is_there).ok_or(Error::OOM)
    }

    /// Bytes that the server and its keys use, nearly.
    pub fn used_memory(&mut self) -> u64 {
        let keys: usize = self.databases.iter().map(Database::memory).sum();
        let used = (self.base_memory() + keys) as u64;
        self.peak_memory = self.peak_memory.max(used);
        used
    }

    /// What the server uses without keys.
    pub fn base_memory(&self) -> usize {
        size_of::<Server>() + self.config.memory() + self.libraries().overhead()
    }

    /// What the cache of scripts uses, the scripts themselves not counted.
    pub fn script_overhead(&self) -> usize {
        self.cached_scripts() * PER_SCRIPT
    }

    /// The highest estimate so far.
    pub fn peak_memory(&self) -> u64 {
        self.peak_memory
    }

    /// Whether a client's command is refused over maxmemory.
    pub(super) fn needs_memory(&self, id: ClientId, found: &Found, argv: &[Vec<u8>]) -> bool {
        let command = found.command;
        let transaction = self.client(id).and_then(|client| client.transaction.as_ref());
        command.has(flag::DENYOOM)
            || self.runs_memory_user(command, argv)
            // What is queued takes memory too.
            || transaction.is_some_and(|transaction| match command.name {
                "exec" => transaction.commands.iter().any(|(found, argv)| {
                    found.command.has(flag::DENYOOM) || self.runs_memory_user(found.command, argv)
                }),
                "discard" | "quit" | "reset" => found.container.is_some(),
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

    /// Whether so much memory is in use that there might soon be none: what takes more is refused, as over maxmemory.
    pub(super) fn is_full(&self) -> bool {
        self.memory_limit.is_some_and(|limit| (limit.used)() > limit.bytes)
    }

    /// Whether maxmemory is exceeded. From the first call on memory is counted with every change.
    pub fn is_over_memory(&mut self) -> bool {
        let limit = self.config.active.maxmemory;
        if limit == 0 {
            return false;
        }
        for database in &mut self.databases {
            database.count_memory(true);
        }
        self.used_memory() > limit
    }
}
