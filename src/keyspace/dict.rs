//! Defines a dictionary that keeps insertion order, whose cursors survive inserts and deletes.

use hashbrown::HashTable;

/// Byte-string keys to values, in insertion order.
///
/// Slots are appended and never move but when holes outnumber entries; each carries a sequence number that only
/// grows, so a cursor (the next number to visit) stays true whatever happens between two calls of [`Dict::scan`].
#[derive(Clone)]
pub struct Dict<V> {
    index: Index,
    /// By slot; none where the slot has no key.
    values: Vec<Option<V>>,
}

/// Where each key is: all that a dictionary does without regard to its values.
#[derive(Clone)]
struct Index {
    table: HashTable<u32>,
    slots: Vec<Slot>,
    next_sequence: u64,
}

#[derive(Clone)]
struct Slot {
    sequence: u64,
    key: Option<Box<[u8]>>,
}

impl<V> Default for Dict<V> {
    fn default() -> Self {
        let index = Index { table: HashTable::new(), slots: Vec::new(), next_sequence: 1 };
        Dict { index, values: Vec::new() }
    }
}

/// The hash of a key, the same in every run: eight bytes a step, and all bits mixed at the end.
#[inline]
pub fn hash(key: &[u8]) -> u64 {
    const FACTOR: u64 = 0xf135_7aea_2e62_a9c5;
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = key.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let hash =
        words.iter().fold(key.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let hash = mix(hash, u64::from_le_bytes(last));
    mix(hash ^ hash >> 32, 0) ^ hash >> 29
}

impl Index {
    #[inline]
    fn position(&self, key: &[u8]) -> Option<usize> {
        let found = self.table.find(hash(key), |&slot| key_at(&self.slots, slot) == Some(key));
        found.map(|&slot| slot as usize)
    }

    /// Appends a slot for a key that is not there.
    fn append(&mut self, key: &[u8]) {
        self.slots.push(Slot { sequence: self.next_sequence, key: Some(key.into()) });
        self.next_sequence += 1;
        self.enter(self.slots.len() - 1, hash(key));
    }

    fn enter(&mut self, slot: usize, hash_of_key: u64) {
        let slots = &self.slots;
        let hash_at = |&slot: &u32| key_at(slots, slot).map_or(0, hash);
        self.table.insert_unique(hash_of_key, slot as u32, hash_at);
    }

    /// Makes a hole of a key's slot.
    fn remove(&mut self, key: &[u8]) -> Option<usize> {
        let slots = &self.slots;
        let is_it = |&slot: &u32| key_at(slots, slot) == Some(key);
        let (slot, _) = self.table.find_entry(hash(key), is_it).ok()?.remove();
        self.slots[slot as usize].key = None;
        Some(slot as usize)
    }

    /// Holes outnumber keys.
    fn is_sparse(&self) -> bool {
        self.slots.len() > 32 && self.table.len() < self.slots.len() / 2
    }

    fn compact(&mut self) {
        self.slots.retain(|slot| slot.key.is_some());
        self.slots.shrink_to(self.table.len() * 2);
        self.table.clear();
        for slot in 0..self.slots.len() {
            self.enter(slot, key_at(&self.slots, slot as u32).map_or(0, hash));
        }
    }
}

impl<V> Dict<V> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.index.table.len()
    }

    /// No entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the key is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.index.position(key).is_some()
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<&V> {
        self.values[self.index.position(key)?].as_ref()
    }

    /// The value of a key, to change.
    #[inline]
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        self.values[self.index.position(key)?].as_mut()
    }

    /// Where the value of a key is, until another key is inserted or removed.
    #[inline]
    pub fn place(&self, key: &[u8]) -> Option<usize> {
        self.index.position(key)
    }

    /// The value at such a place, to change.
    #[inline]
    pub fn at_mut(&mut self, place: usize) -> Option<&mut V> {
        self.values.get_mut(place)?.as_mut()
    }

    /// Sets a key, in its old place if it was there; gives the value that it replaced.
    pub fn insert(&mut self, key: &[u8], value: V) -> Option<V> {
        if let Some(slot) = self.index.position(key) {
            return self.values[slot].replace(value);
        }
        self.index.append(key);
        self.values.push(Some(value));
        None
    }

    /// Removes a key and gives its value.
    pub fn remove(&mut self, key: &[u8]) -> Option<V> {
        let removed = self.values[self.index.remove(key)?].take();
        if self.index.is_sparse() {
            self.index.compact();
            self.values.retain(Option::is_some);
            self.values.shrink_to(self.values.len() * 2);
        }
        removed
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        let next_sequence = self.index.next_sequence;
        *self = Dict::default();
        self.index.next_sequence = next_sequence;
    }

    /// Entries in insertion order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &V)> {
        let slots = self.index.slots.iter().zip(&self.values);
        slots.filter_map(|(slot, value)| Some((slot.key.as_deref()?, value.as_ref()?)))
    }

    /// Keys in insertion order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.index.slots.iter().filter_map(|slot| slot.key.as_deref())
    }

    /// A uniformly random entry; `random` gives 64 random bits a call.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<(&[u8], &V)> {
        if self.is_empty() {
            return None;
        }
        loop {
            // At least half of the slots are full beyond the first 32, so this ends soon.
            let slot = (random() % self.values.len() as u64) as usize;
            if let (Some(key), Some(value)) = (&self.index.slots[slot].key, &self.values[slot]) {
                return Some((key, value));
            }
        }
    }

    /// Up to `count` entries from `cursor` on (0 starts), and the cursor to go on with (0 when done).
    ///
    /// Every entry that is there from the first call to the last is returned, once.
    pub fn scan(&self, cursor: u64, count: usize) -> (u64, Vec<(&[u8], &V)>) {
        let slots = &self.index.slots;
        let first = slots.partition_point(|slot| slot.sequence < cursor);
        let mut found = Vec::new();
        for (slot, value) in slots.iter().zip(&self.values).skip(first) {
            let (Some(key), Some(value)) = (&slot.key, value) else { continue };
            if found.len() == count {
                return (slot.sequence, found);
            }
            found.push((&**key, value));
        }
        (0, found)
    }
}

impl<V: Default> Dict<V> {
    /// The value of a key, which is put there if it is not.
    pub fn get_or_default(&mut self, key: &[u8]) -> &mut V {
        let slot = self.index.position(key).unwrap_or_else(|| {
            self.index.append(key);
            self.values.push(None);
            self.values.len() - 1
        });
        self.values[slot].get_or_insert_default()
    }
}

#[inline]
fn key_at(slots: &[Slot], slot: u32) -> Option<&[u8]> {
    slots[slot as usize].key.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::random::Random;

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
    fn it_does_what_a_vector_of_pairs_does() {
        let mut random = Random::new(9);
        for _ in 0..50 {
            let (mut dict, mut model) = (Dict::default(), Vec::<(Vec<u8>, u64)>::new());
            let keys = 1 + random.below(200);
            for value in 0..600 {
                let key = random.below(keys).to_string().into_bytes();
                let at = model.iter().position(|(other, _)| *other == key);
                if random.below(3) > 0 {
                    let old = dict.insert(&key, value);
                    assert_eq!(old, at.map(|at| model[at].1));
                    match at {
                        Some(at) => model[at].1 = value,
                        None => model.push((key.clone(), value)),
                    }
                } else {
                    assert_eq!(dict.remove(&key), at.map(|at| model.remove(at).1));
                }
                let now = model.iter().find(|(other, _)| *other == key).map(|(_, value)| value);
                assert_eq!(dict.get(&key), now);
                let place = dict.place(&key);
                assert_eq!(place.and_then(|place| dict.at_mut(place)).copied(), now.copied());
                assert_eq!((dict.len(), dict.contains(&key)), (model.len(), now.is_some()));
            }
            let pairs = model.iter().map(|(key, value)| (key.as_slice(), value));
            assert!(dict.iter().eq(pairs.clone()));
            let (next, found) = dict.scan(0, usize::MAX);
            assert!(next == 0 && found.into_iter().eq(pairs));
        }
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
