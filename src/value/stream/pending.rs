//! Defines a group's pending entries list (PEL): what it has delivered and nobody has acknowledged.

use super::id::Id;

/// An entry, in the stream still or not, that a consumer has not acknowledged.
#[derive(Clone)]
pub struct Pending {
    /// Its ID.
    pub id: Id,
    /// The place of its consumer in the group.
    pub consumer: usize,
    /// When it was delivered, in milliseconds since the epoch.
    pub delivered: i64,
    /// How often.
    pub deliveries: i64,
}

/// Pending entries by ID, in pieces: none is empty, and none so long that it takes long to insert into it.
#[derive(Clone, Default)]
pub struct PendingList {
    pieces: Vec<Vec<Pending>>,
    length: usize,
}

/// A piece that has become longer is cut.
const LONGEST_PIECE: usize = 256;

impl PendingList {
    /// Number of entries.
    pub fn count(&self) -> usize {
        self.length
    }

    /// The piece that an ID is in or would be inserted into, and its place there.
    fn place(&self, id: Id) -> (usize, usize) {
        let is_before = |piece: &Vec<Pending>| piece.last().is_some_and(|last| last.id < id);
        let piece = self.pieces.partition_point(is_before);
        let at = |piece: &Vec<Pending>| piece.partition_point(|pending| pending.id < id);
        (piece, self.pieces.get(piece).map_or(0, at))
    }

    /// The entries from this ID on.
    pub fn from(&self, id: Id) -> impl Iterator<Item = &Pending> {
        let (piece, at) = self.place(id);
        self.pieces.iter().skip(piece).flatten().skip(at)
    }

    /// The last entry.
    pub fn last(&self) -> Option<&Pending> {
        self.pieces.last()?.last()
    }

    /// All entries, to change anything but their IDs.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pending> {
        self.pieces.iter_mut().flatten()
    }

    /// The entry of this ID.
    pub fn get_mut(&mut self, id: Id) -> Option<&mut Pending> {
        let (piece, at) = self.place(id);
        self.pieces.get_mut(piece)?.get_mut(at).filter(|pending| pending.id == id)
    }

    /// Puts an entry in its place, where none is yet.
    pub fn insert(&mut self, pending: Pending) {
        let (piece, at) = self.place(pending.id);
        self.length += 1;
        if let Some(entries) = self.pieces.get_mut(piece) {
            entries.insert(at, pending);
            if entries.len() > LONGEST_PIECE {
                let rest = entries.split_off(LONGEST_PIECE / 2);
                self.pieces.insert(piece + 1, rest);
            }
            return;
        }
        match self.pieces.last_mut() {
            Some(entries) if entries.len() < LONGEST_PIECE => entries.push(pending),
            _ => self.pieces.push(vec![pending]),
        }
    }

    /// Takes an entry away.
    pub fn remove(&mut self, id: Id) -> Option<Pending> {
        self.get_mut(id)?;
        let (piece, at) = self.place(id);
        let entries = self.pieces.get_mut(piece)?;
        let removed = entries.remove(at);
        if entries.is_empty() {
            self.pieces.remove(piece);
        }
        self.length -= 1;
        Some(removed)
    }

    /// Takes away all entries of a consumer.
    pub fn remove_consumer(&mut self, consumer: usize) {
        for piece in &mut self.pieces {
            piece.retain(|pending| pending.consumer != consumer);
        }
        self.pieces.retain(|piece| !piece.is_empty());
        self.length = self.pieces.iter().map(Vec::len).sum();
    }
}
