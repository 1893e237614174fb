//! Defines the histogram of latencies behind INFO latencystats and LATENCY HISTOGRAM.

use crate::ordered::Ordered;

/// Counts of durations, kept to two significant digits as Redis's histograms keep them.
#[derive(Default, Clone)]
pub struct Histogram {
    /// Largest number of nanoseconds that falls into the same slot, and how many durations did.
    slots: Ordered<u64, u64>,
    total: u64,
}

/// Redis measures up to a second; what takes longer counts as one.
const LONGEST: u64 = 1_000_000_000;

impl Histogram {
    /// Counts a duration.
    pub fn record(&mut self, microseconds: u64) {
        // Redis counts nothing as one nanosecond, the least that its histogram can hold.
        let nanoseconds = microseconds.saturating_mul(1000).clamp(1, LONGEST);
        *self.slots.get_or_default(last_equivalent(nanoseconds)) += 1;
        self.total += 1;
    }

    /// Nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Durations that were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Microseconds, each twice the one before, and how many durations do not exceed them, where these are more than
    /// before.
    pub fn cumulative(&self) -> Vec<(u64, u64)> {
        let (mut slots, mut counted) = (self.slots.iter().peekable(), 0);
        let mut steps = Vec::new();
        for power in FIRST_STEP..=LAST_STEP {
            // The histogram ends where the last step begins.
            let step =
                if power < LAST_STEP { last_equivalent(1 << power) } else { (1 << power) - 1 };
            let before = counted;
            while let Some((_, count)) = slots.next_if(|(nanoseconds, _)| **nanoseconds <= step) {
                counted += count;
            }
            if counted > before {
                steps.push((step / 1000, counted));
            }
        }
        steps
    }

    /// The duration in nanoseconds that so many percent do not exceed.
    pub fn percentile(&self, percent: f64) -> u64 {
        let wanted = ((percent.min(100.0) / 100.0 * self.total as f64 + 0.5) as u64).max(1);
        let mut counted = 0;
        for (&nanoseconds, &count) in self.slots.iter() {
            counted += count;
            if counted >= wanted {
                return nanoseconds;
            }
        }
        0
    }
}

/// LATENCY HISTOGRAM goes by powers of two, from 1024 nanoseconds on.
const FIRST_STEP: u32 = 10;
const LAST_STEP: u32 = 30;

/// The largest number that is not told apart from this one: eight binary digits are kept.
fn last_equivalent(number: u64) -> u64 {
    let dropped = (u64::BITS - number.leading_zeros()).saturating_sub(8);
    (((number >> dropped) + 1) << dropped) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row was printed by redis-server 7.0.15 for a command that took so many microseconds.
    #[test]
    fn as_latencystats_prints() {
        for (microseconds, expected) in [
            (2, 2007),
            (5, 5023),
            (8, 8031),
            (9, 9023),
            (13, 13055),
            (26, 26111),
            (43, 43007),
            (204, 204_799),
        ] {
            let mut histogram = Histogram::default();
            histogram.record(microseconds);
            assert_eq!(histogram.percentile(50.0), expected, "{microseconds} microseconds");
        }
    }

    /// What redis-server 7.0.15 prints.
    #[test]
    fn as_latency_histogram_prints() {
        for (microseconds, step) in [
            (0, 1),
            (1, 1),
            (2, 2),
            (3, 4),
            (4, 4),
            (5, 8),
            (16, 16),
            (18, 33),
            (75, 132),
            (142, 264),
            (354, 528),
            (1025, 1056),
            (1064, 2113),
            (3457, 4227),
            (6946, 8454),
            (5_000_000, 1_073_741),
        ] {
            let mut histogram = Histogram::default();
            histogram.record(microseconds);
            assert_eq!(histogram.cumulative(), [(step, 1)], "{microseconds} microseconds");
        }
    }

    #[test]
    fn percentiles_of_many() {
        let mut histogram = Histogram::default();
        (1..=100).for_each(|microseconds| histogram.record(microseconds));
        assert_eq!(histogram.percentile(0.0), last_equivalent(1000));
        assert_eq!(histogram.percentile(50.0), last_equivalent(50_000));
        assert_eq!(histogram.percentile(100.0), last_equivalent(100_000));
    }
}
