//! Defines the stream value: entries by their IDs, and the groups that read them.

pub mod group;
pub mod id;
pub mod node;
pub mod pending;

use group::Group;
use id::Id;
use node::{Entry, Limits, Node};
use std::collections::VecDeque;

/// Entries that are only added at the end, in nodes as Redis keeps them: what `~` trims are whole nodes.
#[derive(Clone, Default)]
pub struct Stream {
    nodes: VecDeque<Node>,
    length: usize,
    /// The first entry that is there.
    first: Id,
    /// The last ID that was given.
    pub last: Id,
    /// The highest ID that XDEL has deleted.
    pub max_deleted: Id,
    /// How many entries have ever been added.
    pub entries_added: u64,
    /// By name.
    groups: Vec<Group>,
}

/// What [`Stream::trim`] leaves.
#[derive(Clone, Copy)]
pub enum Trim {
    /// So many entries.
    Length(u64),
    /// The entries from this one on.
    From(Id),
}

impl Stream {
    /// Number of entries. A stream may be stored without any.
    pub fn len(&self) -> usize {
        self.length
    }

    /// No entries.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The first entry's ID; `0-0` without one.
    pub fn first(&self) -> Id {
        self.first
    }

    /// The ID of the last entry that is there.
    pub fn last_entry(&self) -> Option<Id> {
        self.range(Id::MIN, Id::MAX, true, 1).first().map(|entry| entry.id)
    }

    /// Adds an entry, whose ID must be higher than any before.
    pub fn add(&mut self, id: Id, fields: Vec<Vec<u8>>, limits: Limits) {
        let room = self.nodes.back_mut().filter(|node| !node.is_full(&fields, limits));
        let entry = Entry { id, fields, deleted: false };
        match room {
            Some(node) => node.push(entry),
            None => self.nodes.push_back(Node::new(entry)),
        }
        if self.length == 0 {
            self.first = id;
        }
        self.length += 1;
        self.last = id;
        self.entries_added = self.entries_added.wrapping_add(1);
    }

    /// Puts an entry behind all others as it is kept elsewhere, deleted or not, into the last node or a new one; `None` if
    /// it does not belong there.
    pub fn keep(&mut self, entry: Entry, in_new_node: bool) -> Option<()> {
        let last = self.nodes.back().and_then(|node| node.entries.last());
        if last.is_some_and(|last| last.id >= entry.id) {
            return None;
        }
        let (id, deleted) = (entry.id, entry.deleted);
        let entry = Entry { deleted: false, ..entry };
        if in_new_node {
            self.nodes.push_back(Node::new(entry));
        } else {
            self.nodes.back_mut()?.push(entry);
        }
        let node = self.nodes.back_mut()?;
        if deleted {
            node.delete(node.entries.len() - 1);
        } else {
            if self.length == 0 {
                self.first = id;
            }
            self.length += 1;
        }
        Some(())
    }

    /// The nodes in their order.
    pub fn iter_nodes(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.nodes.iter()
    }

    /// The place of the node that an ID would be in.
    fn node(&self, id: Id) -> usize {
        self.nodes.partition_point(|node| node.id <= id).saturating_sub(1)
    }

    /// Up to `most` entries between two IDs, these included, in their order or from the end.
    pub fn range(&self, first: Id, last: Id, reverse: bool, most: usize) -> Vec<&Entry> {
        let mut found = Vec::new();
        let (mut begin, mut end) = (self.node(first), self.node(last) + 1);
        while begin < end && first <= last {
            let at = if reverse { end - 1 } else { begin };
            let Some(node) = self.nodes.get(at) else { break };
            let from = node.entries.partition_point(|entry| entry.id < first);
            let to = node.entries.partition_point(|entry| entry.id <= last);
            let entries = node.entries.get(from..to).unwrap_or_default();
            for step in 0..entries.len() {
                let at = if reverse { entries.len() - 1 - step } else { step };
                if found.len() == most {
                    return found;
                }
                found.extend(entries.get(at).filter(|entry| !entry.deleted));
            }
            if reverse { end -= 1 } else { begin += 1 }
        }
        found
    }

    /// The entry of this ID.
    pub fn get(&self, id: Id) -> Option<&Entry> {
        self.range(id, id, false, 1).pop()
    }

    /// Deletes an entry; false if there is none.
    pub fn delete(&mut self, id: Id) -> bool {
        let at = self.node(id);
        let Some(node) = self.nodes.get_mut(at) else { return false };
        let place = node.entries.binary_search_by(|entry| entry.id.cmp(&id));
        if !place.is_ok_and(|place| node.delete(place)) {
            return false;
        }
        if node.live == 0 {
            self.nodes.remove(at);
        }
        self.length -= 1;
        self.max_deleted = self.max_deleted.max(id);
        if self.first == id {
            self.find_first();
        }
        true
    }

    fn find_first(&mut self) {
        let mut entries = self.nodes.iter().flat_map(|node| &node.entries);
        self.first = entries.find(|entry| !entry.deleted).map_or(Id::MIN, |entry| entry.id);
    }

    /// Deletes entries from the start and says how many. With `whole_nodes` nothing but whole nodes, of no more than
    /// `limit` entries in all.
    pub fn trim(&mut self, trim: Trim, whole_nodes: bool, limit: Option<usize>) -> usize {
        let before = self.length;
        while let Some(node) = self.nodes.front_mut() {
            if let Trim::Length(length) = trim
                && self.length as u64 <= length
            {
                break;
            }
            if limit.is_some_and(|limit| before - self.length + node.live > limit) {
                break;
            }
            let is_doomed = match trim {
                Trim::Length(length) => (self.length - node.live) as u64 >= length,
                Trim::From(id) => node.entries.last().is_some_and(|entry| entry.id < id),
            };
            if is_doomed {
                self.length -= node.live;
                self.nodes.pop_front();
                continue;
            }
            if !whole_nodes {
                for at in 0..node.entries.len() {
                    let stays = match trim {
                        Trim::Length(length) => self.length as u64 <= length,
                        Trim::From(id) => node.entries.get(at).is_some_and(|entry| entry.id >= id),
                    };
                    if stays {
                        break;
                    }
                    self.length -= usize::from(node.delete(at));
                }
            }
            break;
        }
        if self.length < before {
            self.find_first();
        }
        before - self.length
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Number of nodes of the radix tree in which Redis keeps the nodes by their IDs.
    pub fn radix_nodes(&self) -> usize {
        tree_of(&mut self.nodes.iter().map(|node| node.id))
    }

    /// Bytes beyond the value's own size, as Redis counts them, if so many nodes stand for all but the last; 0 means all.
    pub fn memory(&self, samples: usize) -> usize {
        let Some(last) = self.nodes.back() else { return tree(0, 1) + self.groups_memory() };
        let others = self.nodes.len() - 1;
        let looked = if samples == 0 { others } else { others.min(samples) };
        let listpacks: usize =
            self.nodes.iter().take(looked).map(|node| allocated(node.bytes())).sum();
        let ids = &mut self.nodes.iter().map(|node| node.id);
        share(listpacks, others, looked)
            + allocated(last.bytes().max(LAST_LISTPACK))
            + tree(others + 1, sampled_tree_of(ids, others + 1))
            + self.groups_memory()
    }

    fn groups_memory(&self) -> usize {
        let group = |group: &Group| {
            let count = group.pending.count();
            let ids = &mut group.pending.from(Id::MIN).map(|pending| pending.id);
            let nodes = sampled_tree_of(ids, count);
            let consumers = group.consumers.iter().map(|consumer| {
                // Each has such a tree of its own.
                let its = share(nodes, consumer.pending, count).max(1 + consumer.pending.min(1));
                CONSUMER + consumer.name.len() + tree(consumer.pending, its)
            });
            GROUP + tree(count, nodes) + count * PENDING + consumers.sum::<usize>()
        };
        self.groups.iter().map(group).sum()
    }
}

/// Bytes of a group, of a consumer and of a pending entry, what they have names and trees for not counted; and of the
/// listpack to which entries are added, at least.
const GROUP: usize = 40;
const CONSUMER: usize = 24;
const PENDING: usize = 24;
const LAST_LISTPACK: usize = 4096;

/// Bytes of a radix tree with so many IDs in so many nodes.
fn tree(ids: usize, nodes: usize) -> usize {
    ids * 16 + nodes * 244
}

/// What an allocator takes for so many bytes: four sizes for each power of two, 16 bytes apart at least.
fn allocated(bytes: usize) -> usize {
    let step = 1 << bytes.saturating_sub(1).max(64).ilog2().saturating_sub(2);
    bytes.next_multiple_of(step)
}

/// Nodes of the radix tree in which Redis keeps these IDs, which are in order.
fn tree_of(ids: &mut dyn Iterator<Item = Id>) -> usize {
    let keys: Vec<[u8; 16]> = ids.map(|id| id.0.to_be_bytes()).collect();
    radix_nodes(&keys, 0).max(1)
}

/// The same of so many, if the first of them stand for all.
fn sampled_tree_of(ids: &mut dyn Iterator<Item = Id>, count: usize) -> usize {
    const LOOKED_AT: usize = 256;
    share(tree_of(&mut ids.take(LOOKED_AT)), count.max(1), count.clamp(1, LOOKED_AT))
}

/// What so many have, where all have `sum`.
fn share(sum: usize, part: usize, all: usize) -> usize {
    (sum as u64 * part as u64 / all.max(1) as u64) as usize
}

/// Nodes for these keys, which are in order, behind so many bytes that they share: one for the bytes that all of them
/// go on with, one where they part, and the ends.
fn radix_nodes(keys: &[[u8; 16]], shared: usize) -> usize {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return 0 };
    let alike = first.iter().zip(last).take_while(|(byte, other)| byte == other).count();
    let mut nodes = usize::from(alike > shared) + 1;
    if alike < first.len() {
        for keys in keys.chunk_by(|key, other| key.get(alike) == other.get(alike)) {
            nodes += radix_nodes(keys, alike + 1);
        }
    }
    nodes
}

// ---- Groups

impl Stream {
    /// Its groups, by name.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    fn group_place(&self, name: &[u8]) -> Result<usize, usize> {
        self.groups.binary_search_by(|group| group.name.as_slice().cmp(name))
    }

    /// The group of this name.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.group_place(name).ok().and_then(|at| self.groups.get(at))
    }

    /// The group of this name, to change.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.group_place(name).ok().and_then(|at| self.groups.get_mut(at))
    }

    /// Adds a group; false if there is one of this name.
    pub fn add_group(&mut self, group: Group) -> bool {
        let place = self.group_place(&group.name);
        if let Err(at) = place {
            self.groups.insert(at, group);
        }
        place.is_err()
    }

    /// Takes a group away; false if there is none.
    pub fn remove_group(&mut self, name: &[u8]) -> bool {
        self.group_place(name).map(|at| self.groups.remove(at)).is_ok()
    }

    /// Notes that a group has read an entry.
    pub fn note_read(&mut self, group: &[u8], id: Id) {
        let estimate = self.entries_up_to(id);
        let (has_gaps, was_used) = (self.has_gaps_from(id), self.entries_added > 0);
        let Some(group) = self.group_mut(group).filter(|group| group.last < id) else { return };
        match group.entries_read {
            Some(read) if !has_gaps => group.entries_read = Some(read.wrapping_add(1)),
            _ if was_used => group.entries_read = estimate,
            _ => {}
        }
        group.last = id;
    }

    /// How many entries a group has still to read, if that can be told.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        let counted = group.entries_read.filter(|_| !self.has_gaps_from(group.last));
        let read = counted.or_else(|| self.entries_up_to(group.last))?;
        Some((self.entries_added as i64).wrapping_sub(read))
    }

    /// Whether XDEL may have left gaps from this ID on.
    fn has_gaps_from(&self, id: Id) -> bool {
        self.length > 0 && self.first <= self.max_deleted && id <= self.max_deleted
    }

    /// How many entries had been added when the one with this ID was, if that can be told.
    pub fn entries_up_to(&self, id: Id) -> Option<i64> {
        let added = self.entries_added as i64;
        if added == 0 {
            return Some(0);
        }
        if id == self.last || self.length == 0 && id < self.last {
            return Some(added);
        }
        let is_whole = self.max_deleted == Id::MIN || self.max_deleted < self.first;
        if id > self.last || id > self.first || !is_whole {
            return None;
        }
        // Before the first entry, or at it.
        let behind = added.wrapping_sub(self.length as i64);
        Some(behind.wrapping_add(i64::from(id == self.first)))
    }
}

#[cfg(test)]
mod tests {
    use super::group::Group;
    use super::id::Id;
    use super::node::Limits;
    use super::{Stream, Trim, radix_nodes};
    use std::collections::{BTreeMap, BTreeSet};

    /// Numbers below a bound, the same in every run.
    fn numbers() -> impl FnMut(u64) -> u64 {
        let mut seed = 7u64;
        move |bound| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % bound
        }
    }

    fn ids(stream: &Stream, first: Id, last: Id, reverse: bool) -> Vec<Id> {
        stream.range(first, last, reverse, usize::MAX).iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn it_does_what_a_sorted_set_of_ids_does() {
        let mut next = numbers();
        for round in 0..300 {
            let limits = Limits { bytes: 4096, entries: 1 + round % 7 };
            let (mut stream, mut model) = (Stream::default(), BTreeSet::new());
            let mut added = 0;
            for _ in 0..100 {
                let some = Id::new(next(30), next(3));
                match next(12) {
                    0..=5 => {
                        let id = Id::new(
                            stream.last.milliseconds() + next(2),
                            stream.last.sequence() + 1,
                        );
                        stream.add(id, vec![b"f".to_vec(), b"v".to_vec()], limits);
                        model.insert(id);
                        added += 1;
                    }
                    6..=8 => assert_eq!(stream.delete(some), model.remove(&some)),
                    9 => {
                        let least = next(20);
                        let doomed = model.len().saturating_sub(least as usize);
                        assert_eq!(stream.trim(Trim::Length(least), false, None), doomed);
                        model = model.into_iter().skip(doomed).collect();
                    }
                    10 => {
                        let stay = model.split_off(&some);
                        assert_eq!(stream.trim(Trim::From(some), false, None), model.len());
                        model = stay;
                    }
                    _ => {
                        let limit = next(20) as usize;
                        let trimmed = stream.trim(Trim::From(some), true, Some(limit));
                        assert!(trimmed <= limit);
                        let gone: Vec<Id> = model.iter().take(trimmed).copied().collect();
                        assert!(gone.iter().all(|id| *id < some));
                        assert!(gone.iter().all(|id| model.remove(id)));
                    }
                }
                assert_eq!((stream.len(), stream.is_empty()), (model.len(), model.is_empty()));
                assert_eq!(stream.first(), model.first().copied().unwrap_or_default());
                assert_eq!(stream.last_entry(), model.last().copied());
                assert_eq!(stream.get(some).map(|entry| entry.id), model.get(&some).copied());
                assert_eq!(stream.entries_added, added);
                let other = Id::new(next(30), next(3));
                let expected: Vec<Id> = if some <= other {
                    model.range(some..=other).copied().collect()
                } else {
                    Vec::new()
                };
                assert_eq!(ids(&stream, some, other, false), expected);
                let mut backwards = ids(&stream, some, other, true);
                backwards.reverse();
                assert_eq!(backwards, expected);
                assert_eq!(stream.range(some, other, false, 2).len(), expected.len().min(2));
            }
        }
    }

    #[test]
    fn a_group_does_what_a_map_does() {
        let mut next = numbers();
        for _ in 0..5 {
            let mut group = Group::new(b"g", Id::MIN, None);
            let mut model: BTreeMap<Id, (Vec<u8>, i64)> = BTreeMap::new();
            let mut consumers = BTreeSet::new();
            for _ in 0..3000 {
                let (id, name) = (Id(next(600).into()), next(6).to_string().into_bytes());
                match next(8) {
                    0..=3 => {
                        let deliveries = next(5) as i64;
                        let (consumer, is_new) = group.see(&name, 5);
                        assert_eq!(is_new, consumers.insert(name.clone()));
                        group.give(id, consumer, 0, deliveries);
                        model.insert(id, (name, deliveries));
                    }
                    4..=6 => assert_eq!(group.acknowledge(id), model.remove(&id).is_some()),
                    _ => {
                        let before = model.len();
                        model.retain(|_, (other, _)| *other != name);
                        let removed = group.remove_consumer(&name);
                        assert_eq!(removed.is_some(), consumers.remove(&name));
                        let pending = removed.map_or(0, |consumer| consumer.pending);
                        assert_eq!(pending, before - model.len());
                    }
                }
                let pending = group.pending.from(Id::MIN);
                let pending = pending.map(|pending| {
                    let name = group.consumers[pending.consumer].name.clone();
                    (pending.id, (name, pending.deliveries))
                });
                assert_eq!(pending.collect::<BTreeMap<_, _>>(), model);
                for consumer in &group.consumers {
                    let has = model.values().filter(|(name, _)| *name == consumer.name).count();
                    assert_eq!(consumer.pending, has);
                }
                assert!(group.consumers.iter().map(|consumer| &consumer.name).eq(&consumers));
            }
        }
    }

    /// The same number from a tree with a node for each byte: an end, a place where keys part, or a run of bytes.
    fn counted(keys: &BTreeSet<[u8; 16]>) -> usize {
        let prefixes: BTreeSet<&[u8]> =
            keys.iter().flat_map(|key| (0..16).map(|length| &key[..length])).collect();
        let children = |prefix: &[u8]| {
            let next = keys.iter().filter(|key| key.starts_with(prefix));
            next.map(|key| key[prefix.len()]).collect::<BTreeSet<u8>>().len()
        };
        let begins = |prefix: &[u8]| match prefix.split_last() {
            None => true,
            Some((_, parent)) => children(parent) > 1 || children(prefix) > 1,
        };
        keys.len() + prefixes.iter().filter(|prefix| begins(prefix)).count()
    }

    #[test]
    fn nodes_of_the_radix_tree() {
        let mut next = numbers();
        for _ in 0..200 {
            let mut keys = BTreeSet::new();
            for _ in 0..=next(30) {
                let id = Id::new(next(3) << (8 * next(8)), next(4) << (8 * next(8)));
                keys.insert(id.0.to_be_bytes());
            }
            let sorted: Vec<_> = keys.iter().copied().collect();
            assert_eq!(radix_nodes(&sorted, 0), counted(&keys));
        }
    }
}
