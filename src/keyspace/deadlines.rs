//! Defines when keys expire: all deadlines of a database, the soonest first.

use super::Millis;
use crate::value::score_tree::ScoreTree;

/// Keys by their deadlines. These are the scores of a sorted set: exact for all times that a clock will show.
#[derive(Clone, Default)]
pub struct Deadlines(ScoreTree);

impl Deadlines {
    /// Number of keys.
    pub fn len(&self) -> usize {
        self.0.size()
    }

    /// Adds a key, which has none.
    pub fn insert(&mut self, deadline: Millis, key: &[u8]) {
        self.0.insert(key, deadline as f64);
    }

    /// Removes a key, which has this one.
    pub fn remove(&mut self, deadline: Millis, key: &[u8]) {
        let score = deadline as f64;
        self.0.remove(self.0.count_while(&|other, at| (at, other) < (score, key)));
    }

    /// The key that expires first, and when.
    pub fn first(&self) -> Option<(Millis, &[u8])> {
        let (key, score) = self.0.get(self.0.at(0)?);
        Some((score as Millis, key))
    }

    /// All keys, the soonest first.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.0.range(0, self.len()).into_iter().map(|(key, _)| key)
    }
}
