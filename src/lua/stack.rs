//! Defines a stack whose lowest items need no allocation.

/// A stack: the first `N` items are kept in place.
#[derive(Debug)]
pub(super) struct Stack<T, const N: usize> {
    length: usize,
    lowest: [T; N],
    higher: Vec<T>,
}

impl<T: Copy, const N: usize> Stack<T, N> {
    /// An empty stack. `unused` is what it holds in places that are free: it should be quick to write.
    #[inline(always)]
    pub fn new(unused: T) -> Stack<T, N> {
        Stack { length: 0, lowest: [unused; N], higher: Vec::new() }
    }

    /// How many items there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Takes all items away.
    #[inline(always)]
    pub fn clear(&mut self) {
        self.length = 0;
        self.higher.clear();
    }

    /// Puts an item on top.
    #[inline(always)]
    pub fn push(&mut self, item: T) {
        match self.lowest.get_mut(self.length) {
            Some(place) => *place = item,
            None => self.higher.push(item),
        }
        self.length += 1;
    }

    /// Takes the item on top away.
    #[inline(always)]
    pub fn drop_last(&mut self) {
        self.length = self.length.saturating_sub(1);
        self.higher.truncate(self.length.saturating_sub(N));
    }

    /// The item at `index`, from 0 at the bottom.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<&T> {
        if index >= self.length {
            return None;
        }
        self.lowest.get(index).or_else(|| self.higher.get(index - N))
    }

    /// See [`Stack::get`].
    #[inline(always)]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        if index >= self.length {
            return None;
        }
        match self.lowest.get_mut(index) {
            Some(item) => Some(item),
            None => self.higher.get_mut(index - N),
        }
    }

    /// The item on top.
    #[inline(always)]
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.get_mut(self.length.wrapping_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_is_pushed() {
        let mut stack: Stack<usize, 2> = Stack::new(0);
        assert_eq!(stack.last_mut(), None);
        for item in 1..=5 {
            stack.push(item);
        }
        assert_eq!(
            [0, 1, 2, 4, 5].map(|index| stack.get(index).copied()),
            [Some(1), Some(2), Some(3), Some(5), None]
        );
        for length in (0..5).rev() {
            stack.drop_last();
            assert_eq!(stack.len(), length);
            assert_eq!(stack.last_mut().copied(), length.checked_sub(1).map(|_| length));
        }
        stack.push(7);
        assert_eq!((stack.get(0), stack.get(1)), (Some(&7), None));
        stack.push(8);
        stack.push(9);
        stack.clear();
        stack.push(10);
        assert_eq!((stack.len(), stack.get(0)), (1, Some(&10)));
    }
}
