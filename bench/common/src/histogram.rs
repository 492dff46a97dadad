//! Times in microseconds, kept to three percent, in constant space.

use std::time::Duration;

/// Values below 64 are exact; above, each power of two has 32 buckets.
const BUCKETS: usize = 32 * 60;

/// How often which time was seen.
#[derive(Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    /// Counts one.
    pub fn record(&mut self, time: Duration) {
        let bucket = bucket(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)).min(BUCKETS - 1);
        self.counts[bucket] += 1;
        self.total += 1;
    }

    /// Adds what another counted.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The time that this share of all stayed within, in milliseconds; 0 when there are none.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return value(bucket) / 1e3;
            }
        }
        0.0
    }
}

fn bucket(micros: u64) -> usize {
    let shift = (u64::BITS - micros.leading_zeros()).saturating_sub(6);
    shift as usize * 32 + (micros >> shift) as usize
}

fn value(bucket: usize) -> f64 {
    if bucket < 64 {
        return bucket as f64;
    }
    let width = 2_f64.powi(i32::try_from(bucket / 32).unwrap_or(i32::MAX) - 1);
    (bucket % 32 + 32) as f64 * width + width / 2.0
}

/// The middle one; the mean of the two in the middle of an even number; 0 of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    match (sorted.get(sorted.len() / 2), sorted.len().is_multiple_of(2)) {
        (Some(upper), true) => (upper + sorted[sorted.len() / 2 - 1]) / 2.0,
        (Some(middle), false) => *middle,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_within_three_percent() {
        for micros in [0, 1, 63, 64, 65, 100, 1_000, 30_123, 10_000_000] {
            let found = value(bucket(micros));
            assert!((found - micros as f64).abs() <= micros as f64 * 0.03, "{micros} became {found}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let mut histogram = Histogram::default();
        for milliseconds in 1..=100 {
            histogram.record(Duration::from_millis(milliseconds));
        }
        assert!((histogram.quantile(0.5) - 50.0).abs() < 2.0, "{}", histogram.quantile(0.5));
        assert!((histogram.quantile(0.99) - 99.0).abs() < 3.0, "{}", histogram.quantile(0.99));
    }

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }
}
