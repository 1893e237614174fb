//! Defines the sorted set value.

use super::hash::Limits;
use super::score_tree::ScoreTree;
pub use super::score_tree::Scored;
use crate::keyspace::dict::hash;
use hashbrown::HashTable;
use std::ops::Range;

/// Different members in the order of their scores, and of their bytes where scores are equal.
#[derive(Clone, Default)]
pub struct SortedSet {
    tree: ScoreTree,
    /// The slot of each member.
    index: HashTable<u32>,
    /// It has outgrown a listpack at some time.
    is_skiplist: bool,
}

/// Which members a range takes: from one end to another.
pub enum Bounds<'a> {
    /// By their scores; an end that is marked is not part of the range.
    Scores([(f64, bool); 2]),
    /// By their bytes.
    Members([Bound<'a>; 2]),
}

/// An end of a range of members.
#[derive(Clone, Copy)]
pub enum Bound<'a> {
    /// Before all members.
    Lowest,
    /// Behind all members.
    Highest,
    /// At these bytes, which are part of the range.
    Including(&'a [u8]),
    /// At these bytes, which are not.
    Excluding(&'a [u8]),
}

impl Bounds<'_> {
    /// Whether a member lies behind the lower end.
    fn is_behind_low(&self, (member, score): Scored) -> bool {
        match self {
            Bounds::Scores([(low, true), _]) => score > *low,
            Bounds::Scores([(low, false), _]) => score >= *low,
            Bounds::Members([low, _]) => match *low {
                Bound::Lowest => true,
                Bound::Highest => false,
                Bound::Including(low) => member >= low,
                Bound::Excluding(low) => member > low,
            },
        }
    }

    /// Whether a member lies before the upper end.
    fn is_before_high(&self, (member, score): Scored) -> bool {
        match self {
            Bounds::Scores([_, (high, true)]) => score < *high,
            Bounds::Scores([_, (high, false)]) => score <= *high,
            Bounds::Members([_, high]) => match *high {
                Bound::Lowest => false,
                Bound::Highest => true,
                Bound::Including(high) => member <= high,
                Bound::Excluding(high) => member < high,
            },
        }
    }
}

impl SortedSet {
    /// An empty one that is no listpack any more.
    pub fn skiplist() -> SortedSet {
        SortedSet { is_skiplist: true, ..SortedSet::default() }
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// No members; such a sorted set is never stored.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    fn slot(&self, member: &[u8]) -> Option<u32> {
        self.index.find(hash(member), |&slot| self.tree.get(slot).0 == member).copied()
    }

    /// The score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.slot(member).map(|slot| self.tree.get(slot).1)
    }

    /// How many members are before this one.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        self.slot(member).map(|slot| self.tree.rank(slot))
    }

    /// Gives a member a score, which is not NaN, and makes it a member if it is none.
    pub fn set(&mut self, member: &[u8], score: f64, limits: Limits) {
        let slot = self.slot(member);
        self.is_skiplist |=
            slot.is_none() && (self.len() >= limits.entries || member.len() > limits.value);
        // A listpack knows no negative zero.
        let score = if self.is_skiplist { score } else { score + 0.0 };
        if let Some(slot) = slot {
            self.tree.set_score(slot, score);
        } else {
            let slot = self.tree.insert(member, score);
            let tree = &self.tree;
            self.index.insert_unique(hash(member), slot, |&slot| hash(tree.get(slot).0));
        }
    }

    /// Removes a member; false if it was none.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        let tree = &self.tree;
        let Ok(found) = self.index.find_entry(hash(member), |&slot| tree.get(slot).0 == member)
        else {
            return false;
        };
        let (slot, _) = found.remove();
        self.tree.remove(self.tree.rank(slot));
        true
    }

    /// Removes the members of these ranks.
    pub fn remove_range(&mut self, ranks: Range<usize>) {
        let members = self.range(ranks).into_iter().map(|(member, _)| member.to_vec());
        for member in members.collect::<Vec<_>>() {
            self.remove(&member);
        }
    }

    /// The member of a rank.
    pub fn at(&self, rank: usize) -> Option<Scored<'_>> {
        self.tree.at(rank).map(|slot| self.tree.get(slot))
    }

    /// The members of these ranks.
    pub fn range(&self, ranks: Range<usize>) -> Vec<Scored<'_>> {
        self.tree.range(ranks.start, ranks.end)
    }

    /// All members.
    pub fn members(&self) -> Vec<Scored<'_>> {
        self.range(0..self.len())
    }

    /// The ranks of the members within bounds, without the first `skip` of them, or without the last if it `is_reverse`.
    ///
    /// A range of members by their bytes asks for equal scores. Where they differ, a listpack is looked through from the
    /// first member that may belong to it to the next that does not, and nothing is promised of a skiplist.
    pub fn within(&self, bounds: &Bounds, skip: usize, is_reverse: bool) -> Range<usize> {
        if self.is_skiplist {
            let first =
                self.tree.count_while(&|member, score| !bounds.is_behind_low((member, score)));
            let end =
                self.tree.count_while(&|member, score| bounds.is_before_high((member, score)));
            return if is_reverse {
                first..end.saturating_sub(skip).max(first)
            } else {
                first.saturating_add(skip).min(end)..end
            };
        }
        let all = self.members();
        let (low, high) = (
            |member: &Scored| bounds.is_behind_low(*member),
            |member: &Scored| bounds.is_before_high(*member),
        );
        if !all.first().is_some_and(high) || !all.last().is_some_and(low) {
            return 0..0;
        }
        if is_reverse {
            let last = all.iter().rposition(high).filter(|last| low(&all[*last]));
            let end = last.map_or(0, |last| (last + 1).saturating_sub(skip));
            let count = all[..end].iter().rev().take_while(|member| low(member)).count();
            end - count..end
        } else {
            let first = all.iter().position(low).filter(|first| high(&all[*first]));
            let first = first.map_or(all.len(), |first| first.saturating_add(skip).min(all.len()));
            let count = all[first..].iter().take_while(|member| high(member)).count();
            first..first + count
        }
    }

    /// Members from `cursor` on (0 starts) and the cursor to go on with (0 when done): all at once from a listpack, else up
    /// to `count`.
    pub fn scan(&self, cursor: u64, count: usize) -> (u64, Vec<Scored<'_>>) {
        if !self.is_skiplist {
            return (0, self.members());
        }
        let mut found = Vec::new();
        for (slot, member) in self.tree.slots(usize::try_from(cursor).unwrap_or(usize::MAX)) {
            if found.len() == count {
                return (slot as u64, found);
            }
            found.push(member);
        }
        (0, found)
    }

    /// What OBJECT ENCODING prints.
    pub fn encoding(&self) -> &'static str {
        if self.is_skiplist { "skiplist" } else { "listpack" }
    }

    /// Makes it a skiplist.
    pub fn make_skiplist(&mut self) {
        self.is_skiplist = true;
    }

    /// Makes it a listpack, if it is small enough.
    pub fn pack(&mut self, limits: Limits) {
        let fits = |(_, (member, _)): (usize, Scored)| member.len() <= limits.value;
        if self.len() <= limits.entries && self.tree.slots(0).all(fits) {
            self.is_skiplist = false;
            self.tree.drop_signs_of_zero();
        }
    }

    /// Bytes that each member takes, nearly, in no order.
    pub(super) fn costs(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.tree.slots(0).map(|(_, (member, _))| 48 + member.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::random::Random;

    const LIMITS: Limits = Limits { entries: 3, value: 4 };

    /// The encoding after these were added, and after they were packed.
    #[track_caller]
    fn check(members: &[&str], expected: &str, packed: &str) {
        let mut set = SortedSet::default();
        for member in members {
            set.set(member.as_bytes(), 1.0, LIMITS);
        }
        assert_eq!(set.encoding(), expected);
        set.remove(b"a");
        assert_eq!(set.encoding(), expected);
        set.pack(LIMITS);
        assert_eq!(set.encoding(), packed);
    }

    #[test]
    fn encodings() {
        check(&["a", "b", "c"], "listpack", "listpack");
        check(&["a", "b", "c", "a", "b"], "listpack", "listpack");
        check(&["a", "b", "c", "d"], "skiplist", "listpack");
        check(&["a", "b", "c", "d", "e"], "skiplist", "skiplist");
        check(&["a", "bcde"], "listpack", "listpack");
        check(&["a", "bcdef"], "skiplist", "skiplist");
    }

    #[test]
    fn a_listpack_knows_no_negative_zero() {
        let mut set = SortedSet::default();
        set.set(b"a", -0.0, LIMITS);
        assert!(set.score(b"a").is_some_and(f64::is_sign_positive));
        set.make_skiplist();
        set.set(b"a", -0.0, LIMITS);
        assert!(set.score(b"a").is_some_and(f64::is_sign_negative));
        set.pack(LIMITS);
        assert!(set.score(b"a").is_some_and(f64::is_sign_positive));
    }

    #[test]
    fn it_does_what_a_sorted_vector_does() {
        let mut random = Random::new(7);
        for round in 0..300 {
            let (mut set, mut model) = (SortedSet::default(), Vec::<(f64, Vec<u8>)>::new());
            let limits = Limits { entries: [0, 20, 1000][round % 3], value: 64 };
            for _ in 0..150 {
                let member = random.below(60).to_string().into_bytes();
                let score = random.below(10) as f64 - 5.0;
                let place = model.iter().position(|(_, other)| *other == member);
                assert_eq!(set.score(&member), place.map(|place| model[place].0));
                assert_eq!(set.rank(&member), place);
                if let Some(place) = place {
                    model.remove(place);
                }
                match random.below(20) {
                    0..7 => assert_eq!(set.remove(&member), place.is_some()),
                    7 => {
                        assert_eq!(set.remove(&member), place.is_some());
                        let first = random.below(model.len() as u64 + 1) as usize;
                        let end = (first + random.below(9) as usize).min(model.len());
                        set.remove_range(first..end);
                        model.drain(first..end);
                    }
                    _ => {
                        set.set(&member, score, limits);
                        model.push((score, member));
                        model.sort_by(|one, other| one.partial_cmp(other).expect("no NaN"));
                    }
                }
                assert_eq!(set.len(), model.len());
            }
            let expected: Vec<Scored> =
                model.iter().map(|(score, member)| (&**member, *score)).collect();
            assert_eq!(set.members(), expected);
            for rank in 0..=model.len() {
                assert_eq!(set.at(rank), expected.get(rank).copied());
            }
            let (mut cursor, mut seen) = (0, Vec::new());
            loop {
                let (next, found) = set.scan(cursor, 3);
                seen.extend(found);
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
            seen.sort_by(|(member, score), (other, more)| {
                score.total_cmp(more).then(member.cmp(other))
            });
            assert_eq!(seen, expected);
            ranges(&set, &expected, &mut random);
        }
    }

    fn ranges(set: &SortedSet, expected: &[Scored], random: &mut Random) {
        for _ in 0..20 {
            let mut end = || (random.below(12) as f64 - 6.0, random.below(2) == 0);
            let ends @ [(low, without_low), (high, without_high)] = [end(), end()];
            let is_within = |(_, score): &Scored| {
                (*score > low || !without_low && *score == low)
                    && (*score < high || !without_high && *score == high)
            };
            let wanted: Vec<Scored> = expected.iter().copied().filter(is_within).collect();
            let (skip, is_reverse) = (random.below(3) as usize, random.below(2) == 0);
            let skipped = skip.min(wanted.len());
            let wanted =
                if is_reverse { &wanted[..wanted.len() - skipped] } else { &wanted[skipped..] };
            let found = set.within(&Bounds::Scores(ends), skip, is_reverse);
            assert_eq!(set.range(found), wanted);
        }
    }
}
