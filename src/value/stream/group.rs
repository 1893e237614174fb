//! Defines a group of consumers: how far it has read a stream, and what it has not acknowledged.

use super::id::Id;
use super::pending::{Pending, PendingList};

/// A group, which gives each entry to one of its consumers.
#[derive(Clone)]
pub struct Group {
    /// Its name.
    pub name: Vec<u8>,
    /// The last entry that was delivered.
    pub last: Id,
    /// How many entries had been added to the stream when that one was, if it is known.
    pub entries_read: Option<i64>,
    /// What is delivered and not acknowledged, by ID.
    pub pending: PendingList,
    /// By name.
    pub consumers: Vec<Consumer>,
}

/// Who reads for a group.
#[derive(Clone)]
pub struct Consumer {
    /// Its name.
    pub name: Vec<u8>,
    /// When it last asked for something, in milliseconds since the epoch.
    pub seen: i64,
    /// How many entries it has not acknowledged.
    pub pending: usize,
}

impl Group {
    /// A group without consumers that has read up to `last`.
    pub fn new(name: &[u8], last: Id, entries_read: Option<i64>) -> Group {
        Group {
            name: name.to_vec(),
            last,
            entries_read,
            pending: PendingList::default(),
            consumers: Vec::new(),
        }
    }

    /// The place of a consumer, or where it would be.
    pub fn consumer(&self, name: &[u8]) -> Result<usize, usize> {
        self.consumers.binary_search_by(|consumer| consumer.name.as_slice().cmp(name))
    }

    /// Lets a consumer be there, and be seen now: its place, and whether it is new.
    pub fn see(&mut self, name: &[u8], now: i64) -> (usize, bool) {
        let found = self.consumer(name);
        let (Ok(at) | Err(at)) = found;
        if found.is_err() {
            for pending in self.pending.iter_mut().filter(|pending| pending.consumer >= at) {
                pending.consumer += 1;
            }
            self.consumers.insert(at, Consumer { name: name.to_vec(), seen: now, pending: 0 });
        }
        if let Some(consumer) = self.consumers.get_mut(at) {
            consumer.seen = now;
        }
        (at, found.is_err())
    }

    /// Takes a consumer away, with all that it has not acknowledged.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<Consumer> {
        let at = self.consumer(name).ok()?;
        self.pending.remove_consumer(at);
        for pending in self.pending.iter_mut().filter(|pending| pending.consumer > at) {
            pending.consumer -= 1;
        }
        Some(self.consumers.remove(at))
    }

    /// Forgets an entry that is not acknowledged; false if it is none.
    pub fn acknowledge(&mut self, id: Id) -> bool {
        let removed = self.pending.remove(id);
        if let Some(pending) = &removed {
            self.count(pending.consumer, -1);
        }
        removed.is_some()
    }

    fn count(&mut self, consumer: usize, more: isize) {
        if let Some(consumer) = self.consumers.get_mut(consumer) {
            consumer.pending = consumer.pending.saturating_add_signed(more);
        }
    }

    /// Gives an entry to a consumer, whoever had it.
    pub fn give(&mut self, id: Id, consumer: usize, delivered: i64, deliveries: i64) {
        let given = Pending { id, consumer, delivered, deliveries };
        match self.pending.get_mut(id) {
            Some(pending) => {
                let before = std::mem::replace(pending, given).consumer;
                self.count(before, -1);
            }
            None => self.pending.insert(given),
        }
        self.count(consumer, 1);
    }
}
