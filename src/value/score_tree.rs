//! Defines a balanced tree of members in the order of their scores, which knows every member's rank.

use std::cmp::Ordering;

/// A member with its score.
pub type Scored<'a> = (&'a [u8], f64);

/// A question about a member and its score.
pub type Test<'a> = &'a dyn Fn(&[u8], f64) -> bool;

/// Members by score, and by their bytes where scores are equal. Each stays in its slot for as long as it is a member.
///
/// No subtree weighs more than `HEAVIEST` times as much as the one beside it, so no way down is long.
#[derive(Clone)]
pub struct ScoreTree {
    nodes: Vec<Node>,
    root: u32,
    /// The first of the slots that are free; each names the next.
    free: u32,
}

#[derive(Clone)]
struct Node {
    member: Box<[u8]>,
    score: f64,
    /// What is before it and what is behind it.
    under: [u32; 2],
    /// Nodes in its subtree, itself among them; 0 if the slot is free.
    count: u32,
}

/// No node; beyond every slot.
const NONE: u32 = u32::MAX;
/// How many times as much as its neighbour a subtree may weigh: with [`INNER`] the pair that keeps the promise after
/// each insertion and each removal.
const HEAVIEST: usize = 3;
/// From which times on the inner grandchild is lifted first.
const INNER: usize = 2;

impl Default for ScoreTree {
    fn default() -> Self {
        ScoreTree { nodes: Vec::new(), root: NONE, free: NONE }
    }
}

impl ScoreTree {
    /// Number of members.
    pub fn size(&self) -> usize {
        self.count(self.root)
    }

    /// The member of a slot that is in use, with its score.
    pub fn get(&self, slot: u32) -> Scored<'_> {
        let node = &self.nodes[slot as usize];
        (&node.member, node.score)
    }

    /// Puts a member that is not there into a slot.
    pub fn insert(&mut self, member: &[u8], score: f64) -> u32 {
        let node = Node { member: member.into(), score, under: [NONE; 2], count: 1 };
        let slot = self.free;
        let slot = if let Some(free) = self.nodes.get_mut(slot as usize) {
            self.free = free.under[0];
            *free = node;
            slot
        } else {
            self.nodes.push(node);
            self.nodes.len() as u32 - 1
        };
        self.root = self.insert_under(self.root, slot);
        slot
    }

    /// Gives a member another score.
    pub fn set_score(&mut self, slot: u32, score: f64) {
        let moves = self.nodes[slot as usize].score != score;
        if moves {
            self.unlink(self.rank(slot));
        }
        let node = &mut self.nodes[slot as usize];
        node.score = score;
        if moves {
            (node.under, node.count) = ([NONE; 2], 1);
            self.root = self.insert_under(self.root, slot);
        }
    }

    /// Empties the slot of a rank.
    pub fn remove(&mut self, rank: usize) {
        let slot = self.unlink(rank);
        let next = std::mem::replace(&mut self.free, slot);
        self.nodes[slot as usize] =
            Node { member: Box::default(), score: 0.0, under: [next; 2], count: 0 };
    }

    /// Gives every score that is a negative zero the one without a sign, which has the same place.
    pub fn drop_signs_of_zero(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.score += 0.0);
    }

    /// How many members are before the one of a slot.
    pub fn rank(&self, slot: u32) -> usize {
        self.count_while(&|member, score| self.order((member, score), slot) == Ordering::Less)
    }

    /// How many members, from the first on, pass a test that none passes any more behind one that does not.
    #[inline]
    pub fn count_while(&self, passes: Test) -> usize {
        let (mut at, mut count) = (self.root, 0);
        while let Some(node) = self.nodes.get(at as usize) {
            let is_passed = passes(&node.member, node.score);
            if is_passed {
                count += self.count(node.under[0]) + 1;
            }
            at = node.under[usize::from(is_passed)];
        }
        count
    }

    /// The slot of a rank.
    pub fn at(&self, mut rank: usize) -> Option<u32> {
        let mut at = self.root;
        loop {
            let node = self.nodes.get(at as usize)?;
            let before = self.count(node.under[0]);
            match rank.cmp(&before) {
                Ordering::Equal => return Some(at),
                Ordering::Less => at = node.under[0],
                Ordering::Greater => {
                    rank -= before + 1;
                    at = node.under[1];
                }
            }
        }
    }

    /// The members of the ranks from `first` to before `end`.
    pub fn range(&self, first: usize, end: usize) -> Vec<Scored<'_>> {
        let mut found = Vec::new();
        self.range_under(self.root, first, end, &mut found);
        found
    }

    fn range_under<'a>(&'a self, at: u32, first: usize, end: usize, found: &mut Vec<Scored<'a>>) {
        let Some(node) = self.nodes.get(at as usize) else { return };
        let before = self.count(node.under[0]);
        if first < before {
            self.range_under(node.under[0], first, end, found);
        }
        if (first..end).contains(&before) {
            found.push((&node.member, node.score));
        }
        if end > before + 1 {
            self.range_under(
                node.under[1],
                first.saturating_sub(before + 1),
                end - before - 1,
                found,
            );
        }
    }

    /// Every slot in use from this one on, with its member.
    pub fn slots(&self, first: usize) -> impl DoubleEndedIterator<Item = (usize, Scored<'_>)> {
        let nodes = self.nodes.iter().enumerate().skip(first);
        nodes
            .filter(|(_, node)| node.count > 0)
            .map(|(slot, node)| (slot, (&*node.member, node.score)))
    }

    fn count(&self, at: u32) -> usize {
        self.nodes.get(at as usize).map_or(0, |node| node.count as usize)
    }

    #[inline]
    fn order(&self, (member, score): Scored, slot: u32) -> Ordering {
        let node = &self.nodes[slot as usize];
        // No score is NaN.
        let by_score = score.partial_cmp(&node.score).unwrap_or(Ordering::Equal);
        by_score.then_with(|| member.cmp(&node.member))
    }

    /// The root of the subtree with one more node.
    fn insert_under(&mut self, at: u32, slot: u32) -> u32 {
        if at == NONE {
            return slot;
        }
        let side = usize::from(self.order(self.get(slot), at) == Ordering::Greater);
        let child = self.insert_under(self.nodes[at as usize].under[side], slot);
        self.nodes[at as usize].under[side] = child;
        self.balanced(at)
    }

    /// Takes the node of a rank out of the tree.
    fn unlink(&mut self, rank: usize) -> u32 {
        let (root, slot) = self.unlink_under(self.root, rank);
        self.root = root;
        slot
    }

    /// The root of the subtree without the node of this rank, and that node.
    fn unlink_under(&mut self, at: u32, rank: usize) -> (u32, u32) {
        let under = self.nodes[at as usize].under;
        let before = self.count(under[0]);
        let (side, rank) = match (rank.cmp(&before), under) {
            (Ordering::Less, _) => (0, rank),
            (Ordering::Greater, _) => (1, rank - before - 1),
            (Ordering::Equal, [NONE, other] | [other, NONE]) => return (other, at),
            (Ordering::Equal, [left, right]) => {
                // The one behind it takes its place.
                let (right, next) = self.unlink_under(right, 0);
                self.nodes[next as usize].under = [left, right];
                return (self.balanced(next), at);
            }
        };
        let (child, slot) = self.unlink_under(under[side], rank);
        self.nodes[at as usize].under[side] = child;
        (self.balanced(at), slot)
    }

    /// The root of a subtree of which one side may have become too heavy.
    fn balanced(&mut self, at: u32) -> u32 {
        let weight = |tree: &ScoreTree, at| tree.count(at) + 1;
        for side in 0..2 {
            let under = self.nodes[at as usize].under;
            let (heavy, light) = (under[side], under[1 - side]);
            if weight(self, heavy) <= HEAVIEST * weight(self, light) {
                continue;
            }
            let children = self.nodes[heavy as usize].under;
            if weight(self, children[1 - side]) >= INNER * weight(self, children[side]) {
                self.nodes[at as usize].under[side] = self.lift(heavy, 1 - side);
            }
            return self.lift(at, side);
        }
        self.recount(at);
        at
    }

    /// Puts a node's child of a side in its place, and gives that.
    fn lift(&mut self, at: u32, side: usize) -> u32 {
        let child = self.nodes[at as usize].under[side];
        self.nodes[at as usize].under[side] = self.nodes[child as usize].under[1 - side];
        self.nodes[child as usize].under[1 - side] = at;
        self.recount(at);
        self.recount(child);
        child
    }

    #[inline]
    fn recount(&mut self, at: u32) {
        let [left, right] = self.nodes[at as usize].under;
        self.nodes[at as usize].count = (self.count(left) + self.count(right) + 1) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The depth of a subtree whose counts and weights are right.
    fn depth(tree: &ScoreTree, at: u32) -> usize {
        let Some(node) = tree.nodes.get(at as usize) else { return 0 };
        let counts = node.under.map(|child| tree.count(child));
        assert_eq!(node.count as usize, counts[0] + counts[1] + 1);
        for side in 0..2 {
            assert!(counts[side] < HEAVIEST * (counts[1 - side] + 1));
        }
        1 + depth(tree, node.under[0]).max(depth(tree, node.under[1]))
    }

    #[test]
    fn members_that_come_in_order_make_no_long_way() {
        let mut tree = ScoreTree::default();
        for number in 0..10_000u32 {
            tree.insert(number.to_string().as_bytes(), f64::from(number));
        }
        assert!(depth(&tree, tree.root) <= 24);
        for rank in (0..5000).rev() {
            tree.remove(rank);
        }
        assert!(depth(&tree, tree.root) <= 22);
        assert_eq!(tree.count(tree.root), 5000);
        assert_eq!(tree.at(10).map(|slot| tree.get(slot)), Some((&b"5010"[..], 5010.0)));
        // Slots are used again.
        assert!(tree.insert(b"more", 1.0) < 5000);
        assert_eq!(tree.slots(0).count(), 5001);
    }

    #[test]
    fn it_stays_balanced_whatever_comes_and_goes() {
        let mut random = crate::server::random::Random::new(3);
        let mut tree = ScoreTree::default();
        for round in 0..20_000u32 {
            let grows = random.below(20_000) > u64::from(round);
            if grows {
                tree.insert(round.to_string().as_bytes(), random.below(100) as f64);
            } else if tree.count(tree.root) > 0 {
                tree.remove(random.below(tree.count(tree.root) as u64) as usize);
            }
            if round % 500 == 0 {
                assert!(depth(&tree, tree.root) <= 24);
            }
        }
    }
}
