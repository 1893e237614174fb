//! Defines the list value.

use std::collections::VecDeque;

/// Elements in their order, none of them looked at by a key.
#[derive(Clone, Default)]
pub struct List(VecDeque<Vec<u8>>);

/// Bytes that an element takes, nearly.
pub(super) fn cost(element: &[u8]) -> usize {
    24 + element.len()
}

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
    use crate::server::random::Random;

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

    /// Random changes, of the list and of a plain vector, give equal elements and equal replies.
    #[test]
    fn changes_as_a_vector_does() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let (mut list, mut model) = (List::default(), Vec::<Vec<u8>>::new());
            for _ in 0..200 {
                change(&mut random, &mut list, &mut model);
                let elements: Vec<&[u8]> = list.iter().collect();
                assert_eq!(elements, model, "seed {seed}");
                let backwards: Vec<&[u8]> = list.iter().rev().collect();
                assert!(backwards.into_iter().eq(model.iter().rev()), "seed {seed}");
                assert_eq!((list.len(), list.is_empty()), (model.len(), model.is_empty()));
            }
        }
    }

    fn change(random: &mut Random, list: &mut List, model: &mut Vec<Vec<u8>>) {
        let mut below = |bound: usize| random.below(bound as u64) as usize;
        let end = if below(2) == 0 { End::Left } else { End::Right };
        let element = vec![b'a' + below(3) as u8];
        // Often out of range.
        let (place, other) = (below(model.len() + 3), below(model.len() + 3));
        match below(9) {
            0..4 => {
                model.insert(if end == End::Left { 0 } else { model.len() }, element.clone());
                list.push(end, element);
            }
            4 => {
                let popped = match end {
                    End::Left => (!model.is_empty()).then(|| model.remove(0)),
                    End::Right => model.pop(),
                };
                assert_eq!(list.pop(end), popped);
            }
            5 => {
                let old = model.get_mut(place);
                assert_eq!(list.set(place, element.clone()), old.is_some());
                if let Some(old) = old {
                    *old = element;
                }
            }
            6 => {
                model.insert(place.min(model.len()), element.clone());
                list.insert(place, element);
            }
            7 => {
                // Trimming is rare, or the lists stay short.
                if other.is_multiple_of(4) {
                    *model = model.iter().take(other).skip(place).cloned().collect();
                    list.trim(place, other);
                }
            }
            _ => {
                let mut places: Vec<usize> = (0..model.len()).collect();
                places.retain(|place| model[*place] == element);
                if end == End::Right {
                    places.reverse();
                }
                places.truncate(place);
                assert_eq!(list.remove(end, place, &element), places.len());
                places.sort_unstable();
                for place in places.into_iter().rev() {
                    model.remove(place);
                }
            }
        }
        assert_eq!(list.get(place), model.get(place).map(Vec::as_slice));
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
