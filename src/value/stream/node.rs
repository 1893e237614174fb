//! Defines a node of a stream: entries that Redis keeps in one listpack, and the bytes that they take there.

use super::id::Id;
use crate::value::listpack::{integer_size, string_size};

/// An entry.
#[derive(Clone)]
pub struct Entry {
    /// Its ID.
    pub id: Id,
    /// Fields and values in turn, one of each at least.
    pub fields: Vec<Vec<u8>>,
    /// It is gone, and only its place is left.
    pub deleted: bool,
}

/// Neighbouring entries, deleted ones among them: at least one.
#[derive(Clone)]
pub struct Node {
    /// The ID of its first entry, which names the node.
    pub id: Id,
    /// In their order.
    pub entries: Vec<Entry>,
    /// How many are not deleted.
    pub live: usize,
    /// Bytes of the listpack without the two numbers of entries.
    body: usize,
}

/// When a node takes no more entries.
#[derive(Clone, Copy)]
pub struct Limits {
    /// `stream-node-max-bytes`; 0 for the most that a listpack can hold.
    pub bytes: usize,
    /// `stream-node-max-entries`, deleted ones counted; 0 for any number.
    pub entries: usize,
}

/// No listpack grows beyond this.
const LARGEST_LISTPACK: usize = 1 << 30;
/// A listpack's header and its end.
const EMPTY_LISTPACK: usize = 7;

impl Node {
    /// A node with its first entry.
    pub fn new(entry: Entry) -> Node {
        let names = entry.fields.iter().step_by(2).map(|name| string_size(name));
        let body = EMPTY_LISTPACK
            + integer_size((entry.fields.len() / 2) as i64)
            + names.sum::<usize>()
            + integer_size(0);
        let mut node = Node { id: entry.id, entries: Vec::new(), live: 0, body };
        node.push(entry);
        node
    }

    /// Puts an entry behind the others.
    pub fn push(&mut self, entry: Entry) {
        self.body += self.entry_size(&entry);
        self.live += 1;
        self.entries.push(entry);
    }

    /// What Redis writes for an entry: flags, the distance from the node's own ID, the number of fields and their names
    /// unless they are those of the first entry, values, and how many elements all this is.
    fn entry_size(&self, entry: &Entry) -> usize {
        let is_like_first = self
            .entries
            .first()
            .is_none_or(|first| first.fields.iter().step_by(2).eq(entry.fields.iter().step_by(2)));
        let count = entry.fields.len() / 2;
        let strings = entry.fields.iter().skip(usize::from(is_like_first));
        let step = if is_like_first { 2 } else { 1 };
        let mut elements = 3 + count;
        let mut size = integer_size(0);
        size += integer_size(entry.id.milliseconds().wrapping_sub(self.id.milliseconds()) as i64);
        size += integer_size(entry.id.sequence().wrapping_sub(self.id.sequence()) as i64);
        if !is_like_first {
            elements += 1 + count;
            size += integer_size(count as i64);
        }
        size += strings.step_by(step).map(|text| string_size(text)).sum::<usize>();
        size + integer_size(elements as i64)
    }

    /// Whether these fields and values need a new node.
    pub fn is_full(&self, fields: &[Vec<u8>], limits: Limits) -> bool {
        let added: usize = fields.iter().map(Vec::len).sum();
        let most = if limits.bytes == 0 { LARGEST_LISTPACK } else { limits.bytes };
        self.bytes() + added >= most.min(LARGEST_LISTPACK)
            || limits.entries > 0 && self.entries.len() >= limits.entries
    }

    /// Bytes of the listpack.
    pub fn bytes(&self) -> usize {
        let deleted = self.entries.len() - self.live;
        self.body + integer_size(self.live as i64) + integer_size(deleted as i64)
    }

    /// Marks an entry as deleted; false if it is already.
    pub fn delete(&mut self, at: usize) -> bool {
        let deleted = self
            .entries
            .get_mut(at)
            .is_some_and(|entry| !std::mem::replace(&mut entry.deleted, true));
        self.live -= usize::from(deleted);
        deleted
    }
}
