//! Counts how often keys are used, as Redis does for eviction by frequency: roughly a logarithm, which fades.

use super::Millis;

/// What a new key starts with, so that it has a chance to be used again (`LFU_INIT_VAL`).
const START: u8 = 5;
const MINUTE: Millis = 60_000;

/// A key's counter.
#[derive(Clone, Copy)]
pub struct Frequency {
    count: u8,
    /// The minute in which it last faded.
    minute: Millis,
}

/// How counters grow and fade: `lfu-log-factor` and `lfu-decay-time`.
#[derive(Clone)]
pub struct Counting {
    /// The larger, the more uses it takes to count one more.
    pub log_factor: u64,
    /// Minutes in which a counter fades by one; 0 for never.
    pub decay_minutes: u64,
    random: u64,
}

impl Default for Counting {
    fn default() -> Counting {
        Counting { log_factor: 10, decay_minutes: 1, random: 0 }
    }
}

impl Counting {
    /// A number from 0 to 1, from a sequence that is always the same.
    fn chance(&mut self) -> f64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as f64 / f64::from(1u32 << 31)
    }
}

impl Frequency {
    /// A new key's.
    pub fn new(now: Millis) -> Frequency {
        Frequency { count: START, minute: now / MINUTE }
    }

    /// One that has come with its counter.
    pub fn counted(count: u8, now: Millis) -> Frequency {
        Frequency { count, minute: now / MINUTE }
    }

    /// The counter as it has faded until now: OBJECT FREQ.
    pub fn count(self, now: Millis, counting: &Counting) -> u8 {
        let minutes = u64::try_from(now / MINUTE - self.minute).unwrap_or(0);
        if minutes == 0 {
            return self.count;
        }
        let periods = minutes.checked_div(counting.decay_minutes).unwrap_or(0);
        self.count.saturating_sub(u8::try_from(periods).unwrap_or(u8::MAX))
    }

    /// The key is used.
    pub fn touch(&mut self, now: Millis, counting: &mut Counting) {
        let count = self.count(now, counting);
        let above = f64::from(count.saturating_sub(START));
        let counts = counting.chance() * (above * counting.log_factor as f64 + 1.0) < 1.0;
        *self = Frequency { count: count.saturating_add(u8::from(counts)), minute: now / MINUTE };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_grow_slowly_and_fade() {
        let mut counting = Counting::default();
        let mut key = Frequency::new(0);
        let count =
            |key: Frequency, minutes: Millis| key.count(minutes * MINUTE, &Counting::default());
        assert_eq!((count(key, 0), count(key, 3), count(key, 9)), (5, 2, 0));
        key.touch(0, &mut counting);
        // From the start the first use always counts.
        assert_eq!(count(key, 0), 6);
        for _ in 0..10_000 {
            key.touch(0, &mut counting);
        }
        // What redis.conf promises for factor 10: about 10 after 100 uses, 142 after 100,000.
        assert!((30..80).contains(&count(key, 0)), "{}", count(key, 0));
        counting.decay_minutes = 0;
        assert_eq!(key.count(1000 * MINUTE, &counting), count(key, 0));
    }
}
