//! Defines the log of slow commands behind SLOWLOG.

use super::Server;
use super::client::{ClientId, SCRIPT_CLIENT};
use std::collections::VecDeque;

/// Most arguments that an entry shows; in the place of what is beyond, the last tells how many they are.
const MOST_ARGUMENTS: usize = 32;

/// Most bytes of an argument that are shown.
const LONGEST_ARGUMENT: usize = 128;

/// The log, its newest entry first.
#[derive(Default)]
pub struct SlowLog {
    /// What `slowlog-max-len` has left.
    pub entries: VecDeque<Slow>,
    next_id: i64,
}

/// A command that was slow.
pub struct Slow {
    /// Grows from entry to entry, SLOWLOG RESET or not.
    pub id: i64,
    /// When it had run, in seconds since the epoch.
    pub time: u64,
    /// How long it took.
    pub microseconds: u64,
    /// The command, shortened.
    pub arguments: Vec<Vec<u8>>,
    /// Who sent it.
    pub address: String,
    /// CLIENT SETNAME.
    pub name: Vec<u8>,
}

impl Server {
    /// A command as the log shows it, to be noted later; nothing if nothing is logged.
    pub(super) fn slowlog_arguments(&self, argv: &[Vec<u8>]) -> Vec<Vec<u8>> {
        if self.config.active.slowlog_log_slower_than < 0 {
            return Vec::new();
        }
        let shown = if argv.len() > MOST_ARGUMENTS { MOST_ARGUMENTS - 1 } else { argv.len() };
        let mut arguments: Vec<Vec<u8>> = Vec::with_capacity(argv.len().min(MOST_ARGUMENTS));
        for (place, argument) in argv.iter().take(shown).enumerate() {
            arguments.push(match argument.split_at_checked(LONGEST_ARGUMENT) {
                _ if self.redacted.contains(&place) => b"(redacted)".to_vec(),
                Some((start, rest)) if !rest.is_empty() => more(start, rest.len(), "bytes"),
                _ => argument.clone(),
            });
        }
        if argv.len() > shown {
            arguments.push(more(b"", argv.len() - shown, "arguments"));
        }
        arguments
    }

    /// Notes that a command has run, if it was slow.
    pub(super) fn note_slow(&mut self, id: ClientId, argv: &[Vec<u8>], microseconds: u64) {
        let is_slow = self.is_slow(microseconds);
        let arguments = if is_slow { self.slowlog_arguments(argv) } else { Vec::new() };
        self.push_slow(id, arguments, microseconds);
    }

    fn is_slow(&self, microseconds: u64) -> bool {
        let limit = u64::try_from(self.config.active.slowlog_log_slower_than);
        limit.is_ok_and(|limit| microseconds >= limit)
    }

    /// The same of a command that was shortened when it came.
    pub(super) fn push_slow(&mut self, id: ClientId, arguments: Vec<Vec<u8>>, microseconds: u64) {
        if self.config.active.slowlog_log_slower_than < 0 {
            return;
        }
        // A smaller `slowlog-max-len` is obeyed by the next command, slow or not.
        let most = self.config.active.slowlog_max_len;
        self.slowlog.entries.truncate(most);
        if !self.is_slow(microseconds) {
            return;
        }
        let (address, name) = match self.client(id) {
            Some(client) if id != SCRIPT_CLIENT => (client.address.clone(), client.name.clone()),
            _ => ("?:0".to_owned(), Vec::new()),
        };
        let slow = Slow {
            id: self.slowlog.next_id,
            time: self.clocked / 1_000_000,
            microseconds,
            arguments,
            address,
            name,
        };
        self.slowlog.next_id += 1;
        self.slowlog.entries.push_front(slow);
        self.slowlog.entries.truncate(most);
    }
}

/// What is shown, and how much more there is.
fn more(start: &[u8], count: usize, what: &str) -> Vec<u8> {
    [start, b"... (", count.to_string().as_bytes(), b" more ", what.as_bytes(), b")"].concat()
}
