//! Defines a dictionary that keeps insertion order, whose cursors survive inserts and deletes.

use hashbrown::HashTable;

/// Byte-string keys to values, in insertion order.
///
/// Slots are appended and never move but when holes outnumber entries; each carries a sequence number that only
/// grows, so a cursor (the next number to visit) stays true whatever happens between two calls of [`Dict::scan`].
#[derive(Clone)]
pub struct Dict<V> {
    index: HashTable<u32>,
    slots: Vec<Slot<V>>,
    next_sequence: u64,
}

#[derive(Clone)]
struct Slot<V> {
    sequence: u64,
    entry: Option<(Box<[u8]>, V)>,
}

impl<V> Default for Dict<V> {
    fn default() -> Self {
        Dict { index: HashTable::new(), slots: Vec::new(), next_sequence: 1 }
    }
}

/// Fixed seeds: no reply may depend on a random hash.
const STATE: ahash::RandomState = ahash::RandomState::with_seeds(1, 2, 3, 4);

/// The hash of a key, the same in every run.
pub fn hash(key: &[u8]) -> u64 {
    STATE.hash_one(key)
}

impl<V> Dict<V> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// No entries.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    fn position(&self, key: &[u8]) -> Option<usize> {
        let slots = &self.slots;
        self.index
            .find(hash(key), |&slot| key_at(slots, slot) == Some(key))
            .map(|&slot| slot as usize)
    }

    /// Whether the key is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.position(key).is_some()
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<&V> {
        let slot = self.position(key)?;
        self.slots[slot].entry.as_ref().map(|(_, value)| value)
    }

    /// The value of a key, to change.
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let slot = self.position(key)?;
        self.slots[slot].entry.as_mut().map(|(_, value)| value)
    }

    /// Sets a key, in its old place if it was there; gives the value that it replaced.
    pub fn insert(&mut self, key: &[u8], value: V) -> Option<V> {
        if let Some(old) = self.get_mut(key) {
            return Some(std::mem::replace(old, value));
        }
        let slot = self.slots.len() as u32;
        self.slots.push(Slot { sequence: self.next_sequence, entry: Some((key.into(), value)) });
        self.next_sequence += 1;
        let slots = &self.slots;
        self.index.insert_unique(hash(key), slot, |&slot| key_at(slots, slot).map_or(0, hash));
        None
    }

    /// Removes a key and gives its value.
    pub fn remove(&mut self, key: &[u8]) -> Option<V> {
        let slots = &self.slots;
        let found =
            self.index.find_entry(hash(key), |&slot| key_at(slots, slot) == Some(key)).ok()?;
        let (slot, _) = found.remove();
        let removed = self.slots[slot as usize].entry.take();
        if self.slots.len() > 32 && self.index.len() < self.slots.len() / 2 {
            self.compact();
        }
        removed.map(|(_, value)| value)
    }

    fn compact(&mut self) {
        self.slots.retain(|slot| slot.entry.is_some());
        self.index.clear();
        let slots = &self.slots;
        for (slot, key) in
            slots.iter().enumerate().filter_map(|(slot, s)| Some((slot, &s.entry.as_ref()?.0)))
        {
            self.index
                .insert_unique(hash(key), slot as u32, |&slot| key_at(slots, slot).map_or(0, hash));
        }
        self.slots.shrink_to(self.index.len() * 2);
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        *self = Dict { next_sequence: self.next_sequence, ..Dict::default() };
    }

    /// Entries in insertion order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &V)> {
        self.slots.iter().filter_map(|slot| slot.entry.as_ref().map(|(key, value)| (&**key, value)))
    }

    /// Keys in insertion order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.iter().map(|(key, _)| key)
    }

    /// A uniformly random entry; `random` gives 64 random bits a call.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<(&[u8], &V)> {
        if self.is_empty() {
            return None;
        }
        loop {
            // At least half of the slots are full beyond the first 32, so this ends soon.
            let slot = &self.slots[(random() % self.slots.len() as u64) as usize];
            if let Some((key, value)) = &slot.entry {
                return Some((key, value));
            }
        }
    }

    /// Up to `count` entries from `cursor` on (0 starts), and the cursor to go on with (0 when done).
    ///
    /// Every entry that is there from the first call to the last is returned, once.
    pub fn scan(&self, cursor: u64, count: usize) -> (u64, Vec<(&[u8], &V)>) {
        let first = self.slots.partition_point(|slot| slot.sequence < cursor);
        let mut found = Vec::new();
        for slot in &self.slots[first..] {
            let Some((key, value)) = &slot.entry else { continue };
            if found.len() == count {
                return (slot.sequence, found);
            }
            found.push((&**key, value));
        }
        (0, found)
    }
}

fn key_at<V>(slots: &[Slot<V>], slot: u32) -> Option<&[u8]> {
    slots[slot as usize].entry.as_ref().map(|(key, _)| &**key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_returns_what_stays_whatever_is_deleted_meanwhile() {
        let mut dict = Dict::default();
        for number in 0..1000u32 {
            dict.insert(number.to_string().as_bytes(), number);
        }
        let (mut cursor, mut seen) = (0, Vec::new());
        loop {
            let (next, found) = dict.scan(cursor, 7);
            seen.extend(found.iter().map(|(_, value)| **value));
            for number in seen.iter().filter(|number| *number % 3 != 0) {
                dict.remove(number.to_string().as_bytes());
            }
            if next == 0 {
                break;
            }
            cursor = next;
        }
        assert_eq!(seen, (0..1000).collect::<Vec<_>>());
        assert_eq!(
            dict.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            (0..1000).step_by(3).collect::<Vec<_>>()
        );
    }

    #[test]
    fn insertion_order_is_kept_by_overwriting() {
        let mut dict = Dict::default();
        dict.insert(b"a", 1);
        dict.insert(b"b", 2);
        assert_eq!(dict.insert(b"a", 3), Some(1));
        assert_eq!(dict.keys().collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(dict.random(|| 1), Some((&b"b"[..], &2)));
    }
}
