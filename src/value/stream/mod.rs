//! Defines the stream value: entries by their IDs, and the groups that read them.

pub mod group;
pub mod id;
pub mod node;

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
        let keys: Vec<[u8; 16]> = self.nodes.iter().map(|node| node.id.0.to_be_bytes()).collect();
        radix_nodes(&keys, 0).max(1)
    }

    /// Bytes beyond the value's own size, nearly.
    pub fn memory(&self) -> usize {
        let nodes: usize = self.nodes.iter().map(Node::bytes).sum();
        let group = |group: &Group| 64 + group.consumers.len() * 64 + group.pending.len() * 48;
        nodes + self.groups.iter().map(group).sum::<usize>()
    }
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
