//! Defines a database: keys with their values and deadlines.

mod deadlines;
pub mod dict;
pub mod frequency;

use crate::error::Error;
use crate::value::{Kind, Value};
use deadlines::Deadlines;
use dict::Dict;
use frequency::{Counting, Frequency};

/// Milliseconds since the Unix epoch.
pub type Millis = i64;

/// What is kept for a key.
#[derive(Clone)]
pub struct Entry {
    /// The value; no aggregate is ever empty.
    pub value: Value,
    /// When the key ceases to be.
    pub deadline: Option<Millis>,
    /// When a command last looked at the key: OBJECT IDLETIME.
    pub accessed: Millis,
    /// How often commands look at it.
    pub frequency: Frequency,
    /// What it counts for in its database's memory, while that is counted; 0 for an entry that is to be put there.
    pub counted: usize,
}

impl Entry {
    /// Whether its deadline has passed.
    pub fn has_expired(&self, now: Millis) -> bool {
        self.deadline.is_some_and(|deadline| deadline < now)
    }
}

/// What a key costs beside its own bytes and its entry: its slot, its index, its deadline's place.
pub const PER_KEY: usize = 64;
/// What a deadline's place costs of that.
pub const PER_DEADLINE: usize = 24;

/// Bytes that a key and its value take, nearly: of large values so many elements are looked at, none meaning all.
pub fn memory(key: &[u8], entry: &Entry, samples: usize) -> usize {
    PER_KEY + key.len() + size_of::<Entry>() + entry.value.sampled_memory(samples)
}

/// Elements of a value that are looked at when it has changed and memory is counted.
const SAMPLES: usize = 64;

/// One numbered database.
///
/// Every look-up takes the time: a key whose deadline has passed is deleted then, and so never seen.
#[derive(Clone, Default)]
pub struct Database {
    entries: Dict<Entry>,
    deadlines: Deadlines,
    /// Keys that a deadline has deleted since the server last asked ([`Database::take_expired`]).
    expired: Vec<Box<[u8]>>,
    /// Keys that have come since the server last asked, if it wants to know.
    created: Option<Vec<Box<[u8]>>>,
    /// How uses are counted.
    pub counting: Counting,
    /// Nothing is deleted by a deadline for the time being: what has expired is only not seen.
    pub keeps_expired: bool,
    /// Bytes of all entries, if they are counted.
    memory: Option<usize>,
}

impl Database {
    /// Number of keys, those not yet noticed to have expired among them (as DBSIZE counts).
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// No keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of keys with a deadline.
    pub fn expiring(&self) -> usize {
        self.deadlines.len()
    }

    /// Whether the key's deadline has passed; it is deleted then.
    fn expire(&mut self, key: &[u8], now: Millis) -> bool {
        // Mostly no deadline at all has passed, and the key need not be looked up.
        if self.deadlines.first().is_none_or(|(deadline, _)| deadline >= now) {
            return false;
        }
        let has_passed = self.entries.get(key).is_some_and(|entry| entry.has_expired(now));
        if has_passed && !self.keeps_expired {
            self.remove(key);
            self.expired.push(key.into());
        }
        has_passed
    }

    /// Deletes up to `limit` keys whose deadline has passed, oldest first: active expiry.
    pub fn expire_due(&mut self, now: Millis, limit: usize) {
        for _ in 0..limit {
            match self.deadlines.first() {
                Some((deadline, key)) if deadline < now => {
                    let key = key.to_vec();
                    self.expire(&key, now);
                }
                _ => break,
            }
        }
    }

    /// Whether there are keys for [`Database::take_expired`].
    pub fn has_expired_keys(&self) -> bool {
        !self.expired.is_empty()
    }

    /// The keys that deadlines have deleted since the last call.
    pub fn take_expired(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.expired)
    }

    /// Notes keys that come from now on, or no more.
    pub fn note_new_keys(&mut self, wanted: bool) {
        self.created = wanted.then(Vec::new);
    }

    fn note_new(&mut self, key: &[u8]) {
        if let Some(created) = &mut self.created {
            created.push(key.into());
        }
    }

    /// The keys that have come since the last call, if they are noted.
    pub fn take_created(&mut self) -> Vec<Box<[u8]>> {
        self.created.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The soonest deadline.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.soonest().map(|(deadline, _)| deadline)
    }

    /// The key that expires first, and when.
    pub fn soonest(&self) -> Option<(Millis, &[u8])> {
        self.deadlines.first()
    }

    /// The keys that have a deadline, the soonest first.
    pub fn expiring_keys(&self) -> impl Iterator<Item = &[u8]> {
        self.deadlines.keys()
    }

    /// The entry of a key, without marking it as accessed.
    pub fn peek(&mut self, key: &[u8], now: Millis) -> Option<&Entry> {
        if self.expire(key, now) { None } else { self.entries.get(key) }
    }

    /// The same, if it need not be deleted when it has expired.
    pub fn glimpse(&self, key: &[u8], now: Millis) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| !entry.has_expired(now))
    }

    /// The entry of a key.
    pub fn entry(&mut self, key: &[u8], now: Millis) -> Option<&mut Entry> {
        if self.expire(key, now) {
            return None;
        }
        let place = self.entries.place(key)?;
        self.touch(place, now)
    }

    /// The entry at a place, which is marked as accessed.
    fn touch(&mut self, place: usize, now: Millis) -> Option<&mut Entry> {
        let entry = self.entries.at_mut(place)?;
        entry.accessed = now;
        entry.frequency.touch(now, &mut self.counting);
        Some(entry)
    }

    /// The value of a key as the type asked for.
    pub fn get<T: Kind>(&mut self, key: &[u8], now: Millis) -> Result<Option<&mut T>, Error> {
        match self.entry(key, now) {
            None => Ok(None),
            Some(entry) => T::of_mut(&mut entry.value).map(Some).ok_or(Error::WRONG_TYPE),
        }
    }

    /// The value of a key as the type asked for, made empty if it is not there. The caller fills it.
    pub fn get_or_create<T: Kind>(&mut self, key: &[u8], now: Millis) -> Result<&mut T, Error> {
        let place = if self.expire(key, now) { None } else { self.entries.place(key) };
        let place = if let Some(place) = place {
            self.touch(place, now);
            Some(place)
        } else {
            self.set(key, T::default().wrap(), now);
            self.entries.place(key)
        };
        let entry = place.and_then(|place| self.entries.at_mut(place));
        entry.and_then(|entry| T::of_mut(&mut entry.value)).ok_or(Error::WRONG_TYPE)
    }

    /// Gives a key a new value and no deadline.
    pub fn set(&mut self, key: &[u8], value: Value, now: Millis) {
        // One that has expired goes by that first.
        self.expire(key, now);
        // A value that takes another's place has been used as often.
        let frequency = self.entries.get(key).map_or(Frequency::new(now), |old| old.frequency);
        let entry = Entry { value, deadline: None, accessed: now, frequency, counted: 0 };
        let old = self.entries.insert(key, entry);
        match old {
            None => self.note_new(key),
            Some(old) => self.forget(key, &old),
        }
        self.count(key);
    }

    /// Takes an entry that has gone out of the accounts.
    fn forget(&mut self, key: &[u8], old: &Entry) {
        if let Some(deadline) = old.deadline {
            self.deadlines.remove(deadline, key);
        }
        if let Some(memory) = &mut self.memory {
            *memory = memory.saturating_sub(old.counted);
        }
    }

    /// Counts what a key takes now, if memory is counted: to be called when its value has changed.
    pub fn count(&mut self, key: &[u8]) {
        if let Some(all) = &mut self.memory
            && let Some(entry) = self.entries.get_mut(key)
        {
            let counted = memory(key, entry, SAMPLES);
            *all = (*all + counted).saturating_sub(std::mem::replace(&mut entry.counted, counted));
        }
    }

    /// Counts memory from now on, or no more.
    pub fn count_memory(&mut self, wanted: bool) {
        if !wanted {
            self.memory = None;
        } else if self.memory.is_none() {
            self.memory = Some(0);
            let keys: Vec<Box<[u8]>> = self.entries.keys().map(Into::into).collect();
            for key in keys {
                if let Some(entry) = self.entries.get_mut(&key) {
                    entry.counted = 0;
                }
                self.count(&key);
            }
        }
    }

    /// Bytes that the keys and their values take, nearly.
    pub fn memory(&self) -> usize {
        let keys = self.entries.iter();
        self.memory.unwrap_or_else(|| keys.map(|(key, entry)| memory(key, entry, SAMPLES)).sum())
    }

    /// Puts an entry at a key as it is, its deadline included.
    pub fn put(&mut self, key: &[u8], mut entry: Entry) {
        // What was there makes way first: the key is a new one.
        self.remove(key);
        entry.counted = 0;
        self.note_new(key);
        if let Some(deadline) = entry.deadline {
            self.deadlines.insert(deadline, key);
        }
        self.entries.insert(key, entry);
        self.count(key);
    }

    /// Removes a key, expired or not, and gives its entry.
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.forget(key, &entry);
        Some(entry)
    }

    /// Sets or clears the deadline of a key that is there.
    pub fn set_deadline(&mut self, key: &[u8], deadline: Option<Millis>) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some(old) = std::mem::replace(&mut entry.deadline, deadline) {
            self.deadlines.remove(old, key);
        }
        if let Some(new) = deadline {
            self.deadlines.insert(new, key);
        }
    }

    /// Removes every key.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.deadlines = Deadlines::default();
        self.memory = self.memory.map(|_| 0);
    }

    /// The keys and entries, in insertion order, those that have expired unnoticed among them.
    pub fn entries(&self) -> &Dict<Entry> {
        &self.entries
    }
}
