//! Defines the server's random numbers: a sequence fixed by its seed.

/// A generator of 64-bit numbers (SplitMix64): small, well mixed, and the same everywhere.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// 40 hexadecimal digits, as Redis names servers.
    pub fn hex(&mut self) -> String {
        let text = format!("{:016x}{:016x}{:016x}", self.next(), self.next(), self.next());
        text.chars().take(40).collect()
    }

    /// Chooses `wanted` of `all`, each with the same chance: to be asked of each in turn whether it is one of them.
    pub fn sample(&mut self, wanted: u64, all: u64) -> impl FnMut() -> bool {
        let (mut wanted, mut left) = (wanted, all);
        move || {
            // With the chance that leaves enough for the rest.
            let is_taken = self.below(left) < wanted;
            left = left.saturating_sub(1);
            wanted -= u64::from(is_taken);
            is_taken
        }
    }

    /// A number below `bound`; 0 if the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }
}
