//! Defines the list value.

use std::collections::VecDeque;

/// Elements in their order, none of them looked at by a key.
#[derive(Clone, Default)]
pub struct List(VecDeque<Vec<u8>>);

/// An end of a list: LEFT is its head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The head.
    Left,
    /// The tail.
    Right,
}

impl List {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// No elements; such a list is never stored.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts an element at an end, in constant time.
    pub fn push(&mut self, end: End, element: Vec<u8>) {
        match end {
            End::Left => self.0.push_front(element),
            End::Right => self.0.push_back(element),
        }
    }

    /// Takes the element at an end, in constant time.
    pub fn pop(&mut self, end: End) -> Option<Vec<u8>> {
        match end {
            End::Left => self.0.pop_front(),
            End::Right => self.0.pop_back(),
        }
    }

    /// The element at this place, in constant time.
    pub fn get(&self, place: usize) -> Option<&[u8]> {
        self.0.get(place).map(Vec::as_slice)
    }

    /// Puts another element at a place; false if there is none.
    pub fn set(&mut self, place: usize, element: Vec<u8>) -> bool {
        match self.0.get_mut(place) {
            Some(old) => {
                *old = element;
                true
            }
            None => false,
        }
    }

    /// Inserts an element before the one at this place, or at the end.
    pub fn insert(&mut self, place: usize, element: Vec<u8>) {
        self.0.insert(place.min(self.len()), element);
    }

    /// The elements from head to tail.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        self.0.iter().map(Vec::as_slice)
    }

    /// Keeps the elements from `first` to before `end`.
    pub fn trim(&mut self, first: usize, end: usize) {
        self.0.truncate(end);
        self.0.drain(..first.min(self.0.len()));
    }

    /// Removes up to `most` elements that are equal to this one, seen from an end; how many they were.
    pub fn remove(&mut self, from: End, most: usize, element: &[u8]) -> usize {
        let mut removed = 0;
        let mut keep = |other: &Vec<u8>| {
            let is_doomed = removed < most && other == element;
            removed += usize::from(is_doomed);
            !is_doomed
        };
        match from {
            End::Left => self.0.retain(keep),
            End::Right => {
                let kept: Vec<bool> = self.0.iter().rev().map(&mut keep).collect();
                let mut kept = kept.into_iter().rev();
                self.0.retain(|_| kept.next().unwrap_or(true));
            }
        }
        removed
    }

    /// The name that OBJECT ENCODING prints: every list is a quicklist in Redis 7.0.
    pub fn encoding(&self) -> &'static str {
        "quicklist"
    }
}

#[cfg(test)]
mod tests {
    use super::{End, List};

    fn list(elements: &str) -> List {
        let mut list = List::default();
        for element in elements.split_terminator(' ') {
            list.push(End::Right, element.as_bytes().to_vec());
        }
        list
    }

    fn text(list: &List) -> String {
        let elements: Vec<_> = list.iter().map(String::from_utf8_lossy).collect();
        elements.join(" ")
    }

    #[test]
    fn removes_as_many_as_asked_for_from_either_end() {
        let check = |from, most, removed, left: &str| {
            let mut elements = list("a b a c a");
            assert_eq!(elements.remove(from, most, b"a"), removed);
            assert_eq!(text(&elements), left);
        };
        check(End::Left, 1, 1, "b a c a");
        check(End::Left, 2, 2, "b c a");
        check(End::Right, 1, 1, "a b a c");
        check(End::Right, 2, 2, "a b c");
        check(End::Left, 9, 3, "b c");
        check(End::Right, usize::MAX, 3, "b c");
    }

    #[test]
    fn trims_to_what_is_there() {
        let check = |first, end, left: &str| {
            let mut elements = list("a b c d");
            elements.trim(first, end);
            assert_eq!(text(&elements), left);
        };
        check(0, 4, "a b c d");
        check(1, 3, "b c");
        check(2, 9, "c d");
        check(3, 3, "");
        check(9, 9, "");
    }
}
