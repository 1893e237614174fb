//! Defines the hash value.

use crate::keyspace::dict::Dict;

/// Fields and their values, in insertion order.
#[derive(Clone, Default)]
pub struct Hash {
    fields: Dict<Vec<u8>>,
    /// It has outgrown a listpack at some time, and never goes back.
    table: bool,
}

/// A field with its value.
pub type Pair<'a> = (&'a [u8], &'a [u8]);

/// Bytes that a field takes, nearly.
pub(super) fn cost((field, value): Pair) -> usize {
    48 + field.len() + value.len()
}

/// How far a value is kept as a listpack: `hash-max-listpack-entries` and `hash-max-listpack-value` of a hash, and the
/// like of a sorted set.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Number of fields or members.
    pub entries: usize,
    /// Bytes of a field, of a value or of a member.
    pub value: usize,
}

impl Hash {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// No fields; such a hash is never stored.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether the field is there.
    pub fn contains(&self, field: &[u8]) -> bool {
        self.fields.contains(field)
    }

    /// The value of a field.
    pub fn get(&self, field: &[u8]) -> Option<&[u8]> {
        self.fields.get(field).map(Vec::as_slice)
    }

    /// Sets a field, in its old place if it was there; true if it was not.
    pub fn set(&mut self, field: &[u8], value: Vec<u8>, limits: Limits) -> bool {
        self.table |= field.len() > limits.value || value.len() > limits.value;
        let new = self.fields.insert(field, value).is_none();
        self.table |= self.len() > limits.entries;
        new
    }

    /// Removes a field; false if it was not there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        self.fields.remove(field).is_some()
    }

    /// Fields with their values, in insertion order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Pair<'_>> {
        self.fields.iter().map(|(field, value)| (field, value.as_slice()))
    }

    /// A uniformly random field; `random` gives 64 random bits a call.
    pub fn random(&self, random: impl FnMut() -> u64) -> Option<Pair<'_>> {
        self.fields.random(random).map(|(field, value)| (field, value.as_slice()))
    }

    /// Fields from `cursor` on (0 starts) and the cursor to go on with (0 when done): all at once from a listpack,
    /// else up to `count`.
    pub fn scan(&self, cursor: u64, count: usize) -> (u64, Vec<Pair<'_>>) {
        if !self.table {
            return (0, self.iter().collect());
        }
        let (next, found) = self.fields.scan(cursor, count);
        (next, found.into_iter().map(|(field, value)| (field, value.as_slice())).collect())
    }

    /// What OBJECT ENCODING prints.
    pub fn encoding(&self) -> &'static str {
        if self.table { "hashtable" } else { "listpack" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::random::Random;

    /// The encoding after each field was set to each value.
    fn check(fields: &[(&str, usize)], limits: Limits, expected: &str) {
        let mut hash = Hash::default();
        for (field, length) in fields {
            hash.set(field.as_bytes(), vec![b'v'; *length], limits);
        }
        assert_eq!(hash.encoding(), expected, "{fields:?}");
        for (field, _) in fields {
            hash.remove(field.as_bytes());
        }
        assert_eq!(hash.encoding(), expected, "{fields:?}, emptied");
    }

    #[test]
    fn encodings() {
        let limits = Limits { entries: 2, value: 4 };
        check(&[("a", 4), ("b", 0)], limits, "listpack");
        check(&[("a", 5)], limits, "hashtable");
        check(&[("abcd", 1)], limits, "listpack");
        check(&[("abcde", 1)], limits, "hashtable");
        check(&[("a", 1), ("b", 1), ("c", 1)], limits, "hashtable");
        check(&[("a", 1), ("b", 1), ("a", 2)], limits, "listpack");
    }

    #[test]
    fn it_does_what_a_vector_of_pairs_does() {
        let limits = Limits { entries: 20, value: 6 };
        let mut random = Random::new(3);
        for round in 0..200 {
            let (mut hash, mut model) = (Hash::default(), Vec::<(Vec<u8>, Vec<u8>)>::new());
            // Some stay small, some hold a long value, some get many fields.
            let (fields, longest) = (1 + random.below(40), 4 + u64::from(round % 3 == 0) * 4);
            let mut outgrown = false;
            for _ in 0..150 {
                let field = random.below(fields).to_string().into_bytes();
                let at = model.iter().position(|(other, _)| *other == field);
                if random.below(3) == 0 {
                    assert_eq!(hash.remove(&field), at.map(|at| model.remove(at)).is_some());
                } else {
                    let value = vec![b'v'; random.below(longest) as usize];
                    assert_eq!(hash.set(&field, value.clone(), limits), at.is_none());
                    outgrown |= value.len() > limits.value;
                    match at {
                        Some(at) => model[at].1 = value,
                        None => model.push((field.clone(), value)),
                    }
                }
                outgrown |= model.len() > limits.entries;
                let now = model.iter().find(|(other, _)| *other == field);
                assert_eq!(hash.get(&field), now.map(|(_, value)| value.as_slice()));
                assert_eq!((hash.len(), hash.contains(&field)), (model.len(), now.is_some()));
                assert_eq!(hash.encoding(), if outgrown { "hashtable" } else { "listpack" });
            }
            let pairs = || model.iter().map(|(field, value)| (field.as_slice(), value.as_slice()));
            assert!(hash.iter().eq(pairs()));
            let (mut cursor, mut scanned) = (0, Vec::new());
            loop {
                let (next, found) = hash.scan(cursor, 4);
                assert!(found.len() <= 4 || !outgrown);
                scanned.extend(found);
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
            assert!(scanned.into_iter().eq(pairs()));
            let chosen = hash.random(|| random.next());
            assert_eq!(chosen.is_some(), !model.is_empty());
            assert!(chosen.is_none_or(|chosen| pairs().any(|pair| pair == chosen)));
        }
    }
}
