//! Defines a group of consumers: how far it has read a stream, and what it has not acknowledged.

use super::id::Id;
use std::collections::VecDeque;

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
    pub pending: VecDeque<Pending>,
    /// By name.
    pub consumers: Vec<Consumer>,
}

/// An entry, there or no more, that a consumer has not acknowledged.
#[derive(Clone)]
pub struct Pending {
    /// Its ID.
    pub id: Id,
    /// The place of its consumer in the group.
    pub consumer: usize,
    /// When it was delivered, in milliseconds since the epoch.
    pub delivered: i64,
    /// How often.
    pub deliveries: i64,
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
            pending: VecDeque::new(),
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
        self.pending.retain(|pending| pending.consumer != at);
        for pending in self.pending.iter_mut().filter(|pending| pending.consumer > at) {
            pending.consumer -= 1;
        }
        Some(self.consumers.remove(at))
    }

    /// The place of the first entry that is not acknowledged from this one on.
    pub fn place(&self, id: Id) -> usize {
        self.pending.partition_point(|pending| pending.id < id)
    }

    /// An entry that is not acknowledged.
    pub fn find(&mut self, id: Id) -> Option<&mut Pending> {
        let place = self.place(id);
        self.pending.get_mut(place).filter(|pending| pending.id == id)
    }

    /// Forgets an entry that is not acknowledged; false if it is none.
    pub fn acknowledge(&mut self, id: Id) -> bool {
        let place = self.place(id);
        if self.find(id).is_none() {
            return false;
        }
        if let Some(pending) = self.pending.remove(place) {
            self.count(pending.consumer, -1);
        }
        true
    }

    fn count(&mut self, consumer: usize, more: isize) {
        if let Some(consumer) = self.consumers.get_mut(consumer) {
            consumer.pending = consumer.pending.saturating_add_signed(more);
        }
    }

    /// Gives an entry to a consumer, whoever had it.
    pub fn give(&mut self, id: Id, consumer: usize, delivered: i64, deliveries: i64) {
        let place = self.place(id);
        let given = Pending { id, consumer, delivered, deliveries };
        match self.find(id).map(|pending| std::mem::replace(pending, given.clone())) {
            Some(before) => self.count(before.consumer, -1),
            None => self.pending.insert(place, given),
        }
        self.count(consumer, 1);
    }
}
