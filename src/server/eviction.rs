//! Defines eviction: which keys go when maxmemory is exceeded.
//!
//! As in Redis the choice is made among samples, `maxmemory-samples` of each database, and the best that were seen but not
//! needed are remembered. Keys that expire soonest are known, and so `volatile-ttl` is exact.

use super::notify::Event;
use super::random::Random;
use super::{Millis, Server};
use crate::keyspace::{Database, Entry};

/// Candidates that are remembered.
const POOL: usize = 16;

/// Most keys that go before one command; the others before the next, or as soon as there is time.
const MOST_AT_ONCE: usize = 4096;

/// Random keys that are looked at for one with a deadline, before those that have one are counted through.
const TRIES: usize = 16;

/// `maxmemory-policy`.
#[derive(Clone, Copy, Default)]
pub struct Policy {
    order: Order,
    /// Only keys with a deadline go.
    volatile: bool,
}

/// What makes a key go before others.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    /// No key goes.
    #[default]
    None,
    /// It has not been used for longest.
    Lru,
    /// It is used least often.
    Lfu,
    /// Any key.
    Random,
    /// It expires soonest.
    Ttl,
}

impl Policy {
    /// The policy of this name.
    pub fn parse(name: &[u8]) -> Policy {
        let order = match name.split(|byte| *byte == b'-').nth(1) {
            Some(b"lru") => Order::Lru,
            Some(b"lfu") => Order::Lfu,
            Some(b"random") => Order::Random,
            Some(b"ttl") => Order::Ttl,
            _ => Order::None,
        };
        Policy { order, volatile: name.starts_with(b"volatile") }
    }

    /// It goes by how often keys are used.
    pub fn is_lfu(self) -> bool {
        self.order == Order::Lfu
    }
}

/// Keys that were seen, with what speaks for their going; who goes first is last.
#[derive(Default)]
pub struct Candidates(Vec<(u64, usize, Box<[u8]>)>);

impl Server {
    /// Lets keys go until maxmemory is kept. False if no more can go and it is still exceeded.
    pub(super) fn evict(&mut self) -> bool {
        if !self.is_over_memory() {
            return true;
        }
        let measured = self.config.active.latency_monitor_threshold > 0;
        let start = if measured { self.look() } else { 0 };
        let mut is_kept = true;
        for _ in 0..MOST_AT_ONCE {
            let Some((database, key)) = self.victim() else {
                is_kept = false;
                break;
            };
            let begun = self.clocked;
            self.databases[database].remove(&key);
            if measured {
                let microseconds = self.look().saturating_sub(begun);
                self.note_latency("eviction-del", microseconds);
            }
            self.stats.evicted_keys += 1;
            self.touched(database, &key);
            self.notify(Event::Evicted, "evicted", database, &key);
            if !self.is_over_memory() {
                break;
            }
        }
        if measured {
            let microseconds = self.look().saturating_sub(start);
            self.note_latency("eviction-cycle", microseconds);
        }
        is_kept
    }

    /// The next key that goes.
    fn victim(&mut self) -> Option<(usize, Box<[u8]>)> {
        match self.config.active.policy.order {
            Order::None => None,
            Order::Ttl => {
                let soonest = self.databases.iter().enumerate().filter_map(|(index, database)| {
                    database.soonest().map(|(deadline, key)| (deadline, index, key))
                });
                soonest.min().map(|(_, index, key)| (index, key.into()))
            }
            Order::Random => {
                let places = (0..self.databases.len()).cycle().skip(self.next_database);
                for index in places.take(self.databases.len()) {
                    if let Some((_, key)) = self.samples(index, 1).pop() {
                        self.next_database = (index + 1) % self.databases.len();
                        return Some((index, key));
                    }
                }
                None
            }
            Order::Lru | Order::Lfu => self.best_candidate(),
        }
    }

    fn best_candidate(&mut self) -> Option<(usize, Box<[u8]>)> {
        let mut candidates = std::mem::take(&mut self.candidates).0;
        for index in 0..self.databases.len() {
            for (badness, key) in self.samples(index, self.config.active.maxmemory_samples) {
                if !candidates.iter().any(|(_, other, known)| *other == index && *known == key) {
                    candidates.push((badness, index, key));
                }
            }
        }
        // Who was seen long ago may be gone, or used again.
        let now = self.now_millis();
        candidates.retain_mut(|(badness, index, key)| {
            let known = self.databases.get(*index).and_then(|database| {
                let entry = database.entries().get(key)?;
                Some(self.badness(database, entry, now))
            });
            *badness = known.unwrap_or_default();
            known.is_some()
        });
        candidates.sort_by_key(|(badness, ..)| *badness);
        let chosen = candidates.pop();
        candidates.drain(..candidates.len().saturating_sub(POOL));
        self.candidates = Candidates(candidates);
        chosen.map(|(_, index, key)| (index, key))
    }

    /// How much speaks for a key's going.
    fn badness(&self, database: &Database, entry: &Entry, now: Millis) -> u64 {
        match self.config.active.policy.order {
            Order::Lfu => u64::from(u8::MAX - entry.frequency.count(now, &database.counting)),
            _ => now.saturating_sub(entry.accessed).unsigned_abs(),
        }
    }

    /// Up to so many keys of a database that may go, all of them if there are no more.
    fn samples(&mut self, index: usize, count: usize) -> Vec<(u64, Box<[u8]>)> {
        let now = self.now_millis();
        let mut random = self.random.clone();
        let volatile = self.config.active.policy.volatile;
        let Some(database) = self.databases.get(index) else { return Vec::new() };
        let there = if volatile { database.expiring() } else { database.len() };
        let keys: Vec<&[u8]> = if there > count {
            (0..count).filter_map(|_| sample(database, volatile, &mut random)).collect()
        } else if volatile {
            database.expiring_keys().collect()
        } else {
            database.entries().keys().collect()
        };
        let rated = keys.into_iter().filter_map(|key| {
            let entry = database.entries().get(key)?;
            Some((self.badness(database, entry, now), key.into()))
        });
        let rated = rated.collect();
        self.random = random;
        rated
    }
}

/// A random key, or a random one of those that have a deadline.
fn sample<'a>(database: &'a Database, volatile: bool, random: &mut Random) -> Option<&'a [u8]> {
    for _ in 0..TRIES {
        let (key, entry) = database.entries().random(|| random.next())?;
        if !volatile || entry.deadline.is_some() {
            return Some(key);
        }
    }
    let place = random.below(database.expiring() as u64);
    database.expiring_keys().nth(place as usize)
}
