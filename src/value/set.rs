//! Defines the set value.

use crate::keyspace::dict::Dict;
use crate::number::parse_integer;

/// Different members.
#[derive(Clone)]
pub enum Set {
    /// Integers, in their order.
    Intset(Vec<i64>),
    /// Any members, in insertion order. It never becomes an intset again.
    Table(Dict<()>),
}

impl Default for Set {
    fn default() -> Self {
        Set::Intset(Vec::new())
    }
}

impl Set {
    /// Number of members.
    pub fn len(&self) -> usize {
        match self {
            Set::Intset(integers) => integers.len(),
            Set::Table(members) => members.len(),
        }
    }

    /// No members; such a set is never stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is a member.
    pub fn contains(&self, member: &[u8]) -> bool {
        match self {
            Set::Intset(integers) => parse_integer(member)
                .is_some_and(|integer| integers.binary_search(&integer).is_ok()),
            Set::Table(members) => members.contains(member),
        }
    }

    /// Adds a member; false if it was one. An intset holds at most `entries` integers (`set-max-intset-entries`).
    pub fn add(&mut self, member: &[u8], entries: usize) -> bool {
        if let Set::Intset(integers) = self
            && let Some(integer) = parse_integer(member)
        {
            let Err(place) = integers.binary_search(&integer) else { return false };
            integers.insert(place, integer);
            if integers.len() > entries {
                self.table();
            }
            return true;
        }
        self.table().insert(member, ()).is_none()
    }

    fn table(&mut self) -> &mut Dict<()> {
        if let Set::Intset(integers) = self {
            let mut members = Dict::default();
            for integer in integers.iter() {
                members.insert(integer.to_string().as_bytes(), ());
            }
            *self = Set::Table(members);
        }
        match self {
            Set::Table(members) => members,
            Set::Intset(_) => unreachable!("it has just become a table"),
        }
    }

    /// Removes a member; false if it was none.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Set::Intset(integers) => {
                let place =
                    parse_integer(member).and_then(|integer| integers.binary_search(&integer).ok());
                place.map(|place| integers.remove(place)).is_some()
            }
            Set::Table(members) => members.remove(member).is_some(),
        }
    }

    /// All members: integers in their order, others in insertion order.
    pub fn members(&self) -> Vec<Vec<u8>> {
        match self {
            Set::Intset(integers) => integers.iter().copied().map(text).collect(),
            Set::Table(members) => members.keys().map(<[u8]>::to_vec).collect(),
        }
    }

    /// A uniformly random member; `random` gives 64 random bits a call.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<Vec<u8>> {
        match self {
            Set::Intset(integers) => {
                let place = random().checked_rem(integers.len() as u64)?;
                integers.get(place as usize).copied().map(text)
            }
            Set::Table(members) => members.random(random).map(|(member, ())| member.to_vec()),
        }
    }

    /// Members from `cursor` on (0 starts) and the cursor to go on with (0 when done): all at once from an intset, else up
    /// to `count`.
    pub fn scan(&self, cursor: u64, count: usize) -> (u64, Vec<Vec<u8>>) {
        match self {
            Set::Intset(_) => (0, self.members()),
            Set::Table(members) => {
                let (next, found) = members.scan(cursor, count);
                (next, found.into_iter().map(|(member, ())| member.to_vec()).collect())
            }
        }
    }

    /// What OBJECT ENCODING prints.
    pub fn encoding(&self) -> &'static str {
        match self {
            Set::Intset(_) => "intset",
            Set::Table(_) => "hashtable",
        }
    }
}

/// Bytes that a member of a table takes, nearly.
pub(super) fn cost(member: &[u8]) -> usize {
    48 + member.len()
}

fn text(integer: i64) -> Vec<u8> {
    integer.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::Set;
    use std::collections::BTreeSet;

    /// The encoding after these were added.
    #[track_caller]
    fn check(members: &[&str], expected: &str) {
        let mut set = Set::default();
        for member in members {
            set.add(member.as_bytes(), 3);
        }
        assert_eq!(set.encoding(), expected);
        for member in members {
            set.remove(member.as_bytes());
        }
        assert_eq!((set.encoding(), set.is_empty()), (expected, true));
    }

    #[test]
    fn encodings() {
        check(&["1", "-2", "9223372036854775807"], "intset");
        check(&["1", "2", "3", "3", "1"], "intset");
        check(&["1", "2", "3", "4"], "hashtable");
        check(&["1", "01"], "hashtable");
        check(&["9223372036854775808"], "hashtable");
        check(&[""], "hashtable");
    }

    #[test]
    fn it_does_what_a_simple_set_does() {
        let mut seed = 7u64;
        let mut next = |bound: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % bound
        };
        for round in 0..200 {
            let (mut set, mut model) = (Set::default(), BTreeSet::new());
            for _ in 0..100 {
                let number = next(30);
                let is_word = round % 2 == 0 && number == 29;
                let member = if is_word { "word".to_owned() } else { number.to_string() };
                if next(3) == 0 {
                    assert_eq!(set.remove(member.as_bytes()), model.remove(member.as_bytes()));
                } else {
                    let is_new = model.insert(member.clone().into_bytes());
                    assert_eq!(set.add(member.as_bytes(), 20), is_new);
                }
                assert_eq!(set.len(), model.len());
                assert_eq!(set.contains(member.as_bytes()), model.contains(member.as_bytes()));
            }
            let mut members = set.members();
            members.sort();
            assert_eq!(members, model.into_iter().collect::<Vec<_>>());
            let random = set.random(|| next(1 << 30));
            assert_eq!(random.is_some_and(|member| set.contains(&member)), !set.is_empty());
        }
    }
}
