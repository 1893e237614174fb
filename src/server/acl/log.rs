//! Defines the log of what users were denied, newest first.

use crate::keyspace::Millis;
use std::collections::VecDeque;

/// Something that was denied once or several times.
pub struct Entry {
    /// How often.
    pub count: u64,
    /// What was the matter: `command`, `key`, `channel` or `auth`.
    pub reason: &'static str,
    /// Where it came from: `toplevel`, `multi` or `lua`.
    pub context: &'static str,
    /// The command, the key or the channel.
    pub object: Vec<u8>,
    /// As whom the client acted, or wished to.
    pub user: Vec<u8>,
    /// When it happened last, in milliseconds since the epoch.
    pub at: Millis,
    /// The client's line of CLIENT LIST at that time.
    pub client: Vec<u8>,
}

impl Entry {
    fn is_like(&self, other: &Entry) -> bool {
        const TOGETHER: u64 = 60_000;
        (self.reason, self.context) == (other.reason, other.context)
            && self.at.abs_diff(other.at) <= TOGETHER
            && (&self.object, &self.user) == (&other.object, &other.user)
    }
}

/// What was denied.
#[derive(Default)]
pub struct Log(VecDeque<Entry>);

impl Log {
    /// Notes what was denied. What is like one of the newest entries is counted there; otherwise no more than `most`
    /// entries are kept.
    pub fn add(&mut self, mut entry: Entry, most: usize) {
        const LOOKED_AT: usize = 10;
        let like = self.0.iter().take(LOOKED_AT).position(|other| other.is_like(&entry));
        if let Some(old) = like.and_then(|at| self.0.remove(at)) {
            entry.count += old.count;
            self.0.push_front(entry);
        } else {
            self.0.push_front(entry);
            self.0.truncate(most);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The entries, newest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }
}
