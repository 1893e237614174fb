//! Defines the order of elements, of which all or only some are shown.
//!
//! Where LIMIT or COUNT leaves elements out, Redis sorts only as much as is needed, by the quicksort of "Engineering a Sort
//! Function" (1993). The order in which that happens to leave equal elements can be seen, so it is this one step by step.

use crate::ordered;
use std::cmp::Ordering;
use std::ops::Range;

/// What decides about two places.
pub type Compare<'a> = &'a dyn Fn(u32, u32) -> Ordering;

/// The places of so many elements in their order, as far as the range goes; what lies outside of it is in any order. If
/// that is all of them, equal ones stay as they were.
pub fn sorted_places(count: usize, range: Range<usize>, compare: Compare) -> Vec<u32> {
    let mut places: Vec<u32> = (0..count as u32).collect();
    if range == (0..count) {
        ordered::sort(&mut places, |one, other| compare(*one, *other));
    } else if !range.is_empty() {
        sort(&mut places, 0, &range, compare);
    }
    places
}

/// Sorts places of which the first is the one at `start` among all.
fn sort(mut places: &mut [u32], mut start: usize, range: &Range<usize>, compare: Compare) {
    loop {
        let length = places.len();
        if length < 7 {
            return insert(places, compare);
        }
        let middle = pivot(places, compare);
        places.swap(0, middle);
        let (smaller, larger) = part(places, compare);
        let is_wanted = |from: usize, count: usize| {
            count > 1 && range.start < start + from + count && range.end > start + from
        };
        if is_wanted(0, smaller) {
            sort(&mut places[..smaller], start, range, compare);
        }
        if !is_wanted(length - larger, larger) {
            return;
        }
        start += length - larger;
        places = &mut places[length - larger..];
    }
}

/// Sorts a few.
fn insert(places: &mut [u32], compare: Compare) {
    for end in 1..places.len() {
        for at in (1..=end).rev() {
            if compare(places[at - 1], places[at]).is_le() {
                break;
            }
            places.swap(at - 1, at);
        }
    }
}

/// Where an element is that is neither among the smallest nor among the largest.
fn pivot(places: &[u32], compare: Compare) -> usize {
    let length = places.len();
    let median = |one: usize, two: usize, three: usize| {
        let order = |left: usize, right: usize| compare(places[left], places[right]);
        if order(one, two).is_lt() {
            if order(two, three).is_lt() {
                two
            } else if order(one, three).is_lt() {
                three
            } else {
                one
            }
        } else if order(two, three).is_gt() {
            two
        } else if order(one, three).is_lt() {
            one
        } else {
            three
        }
    };
    let (first, middle, last) = (0, length / 2, length - 1);
    if length == 7 {
        return middle;
    }
    if length <= 40 {
        return median(first, middle, last);
    }
    let eighth = length / 8;
    median(
        median(first, first + eighth, first + 2 * eighth),
        median(middle - eighth, middle, middle + eighth),
        median(last - 2 * eighth, last - eighth, last),
    )
}

/// Puts what is smaller than the first element to the front and what is larger to the end, and counts both.
fn part(places: &mut [u32], compare: Compare) -> (usize, usize) {
    let length = places.len();
    // Equal elements gather at both ends: before `left` and from `right` on. Between `low` and `high` nothing is known.
    let (mut left, mut low, mut high, mut right) = (1, 1, length, length);
    loop {
        while low < high {
            match compare(places[low], places[0]) {
                Ordering::Greater => break,
                Ordering::Equal => {
                    places.swap(left, low);
                    left += 1;
                }
                Ordering::Less => {}
            }
            low += 1;
        }
        while low < high {
            match compare(places[high - 1], places[0]) {
                Ordering::Less => break,
                Ordering::Equal => {
                    right -= 1;
                    places.swap(high - 1, right);
                }
                Ordering::Greater => {}
            }
            high -= 1;
        }
        if low >= high {
            break;
        }
        places.swap(low, high - 1);
        low += 1;
        high -= 1;
    }
    // The equal ones change places with the others beside the middle.
    let (smaller, larger) = (low - left, right - high);
    for step in 0..left.min(smaller) {
        places.swap(step, low - left.min(smaller) + step);
    }
    let equal = (length - right).min(larger);
    for step in 0..equal {
        places.swap(low + step, length - equal + step);
    }
    (smaller, larger)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::random::Random;

    #[test]
    fn what_is_asked_for_is_sorted() {
        let mut random = Random::new(5);
        for _ in 0..500 {
            let bound = 1 + random.below(100);
            let values: Vec<u64> = (0..random.below(300)).map(|_| random.below(bound)).collect();
            let first = random.below(values.len() as u64 + 1) as usize;
            let range = first..first + random.below((values.len() - first) as u64 + 1) as usize;
            let compare = |one: u32, other: u32| values[one as usize].cmp(&values[other as usize]);
            let places = sorted_places(values.len(), range.clone(), &compare);
            let found: Vec<u64> = places.iter().map(|place| values[*place as usize]).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            assert_eq!(found[range.clone()], sorted[range]);
            let mut all = places;
            all.sort_unstable();
            assert_eq!(all, (0..values.len() as u32).collect::<Vec<_>>());
        }
    }
}
