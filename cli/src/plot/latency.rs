// SPDX-License-Identifier: GPL-2.0

//! Bins for latencies: six for each factor of two, so a bin is 12 % wide. They are as far apart on a logarithmic scale.

/// How many bins there are for a factor of two.
pub(super) const FOR_TWO: usize = 6;

/// The logarithms of the shortest and the longest latency that have bins of their own: 64 ns, and 18 minutes.
const LOGS: std::ops::Range<u32> = 6..40;

/// How many bins there are.
pub(super) const BINS: usize = (LOGS.end - LOGS.start) as usize * FOR_TWO;

/// `2^(i/6)`, in units of `2^-31`.
const ROOTS: [u64; FOR_TWO] = [
    2_147_483_648,
    2_410_468_894,
    2_705_659_852,
    3_037_000_500,
    3_408_917_802,
    3_826_380_858,
];

/// The bin of a latency in nanoseconds.
pub(super) fn index(latency: u64) -> usize {
    let latency = latency.clamp(1 << LOGS.start, (1 << LOGS.end) - 1);
    let log = latency.ilog2();
    // Its leading 32 bits.
    let leading = match log.checked_sub(31) {
        Some(more) => latency >> more,
        None => latency << (31 - log),
    };
    let part = ROOTS.iter().filter(|root| **root <= leading).count();
    let octave = usize::try_from(log - LOGS.start).unwrap_or(0);
    (octave * FOR_TWO + part - 1).min(BINS - 1)
}

/// The latency at a place on the scale of the bins, in nanoseconds. A bin begins at its index.
pub(super) fn value(place: f64) -> f64 {
    (place / FOR_TWO as f64 + f64::from(LOGS.start)).exp2()
}

/// The place of a latency on the scale of the bins.
pub(super) fn place(latency: f64) -> f64 {
    (latency.max(1.0).log2() - f64::from(LOGS.start)) * FOR_TWO as f64
}

/// The place below which this share of the counts is; `None` if there are none.
pub(super) fn percentile(counts: &[u64], share: f64) -> Option<f64> {
    let total: f64 = counts.iter().map(|count| *count as f64).sum();
    if total == 0.0 {
        return None;
    }
    let mut wanted = total * share;
    let mut place = 0.0;
    for (index, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let count = *count as f64;
        place = index as f64 + (wanted / count).clamp(0.0, 1.0);
        if wanted <= count {
            break;
        }
        wanted -= count;
    }
    Some(place)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_latency_is_in_its_bin() {
        let mut last = 0;
        for latency in (0..1 << 20)
            .chain((20..64).map(|log| 1 << log))
            .chain([u64::MAX])
        {
            let index = index(latency);
            assert!(index >= last && index < BINS, "{latency}");
            last = index;
            if (1 << LOGS.start..1 << LOGS.end).contains(&latency) {
                let low = value(index as f64) * 0.999_999;
                let high = value(index as f64 + 1.0) * 1.000_001;
                assert!((low..high).contains(&(latency as f64)), "{latency}");
            }
        }
    }

    #[test]
    fn a_percentile_is_within_a_bin_of_the_exact_one() {
        let mut counts = vec![0; BINS];
        let latencies: Vec<u64> = (1..=1000).map(|number| number * 1000).collect();
        for latency in &latencies {
            counts[index(*latency)] += 1;
        }
        for (share, exact) in [(0.5, 500e3), (0.99, 990e3), (0.0, 1e3), (1.0, 1e6)] {
            let found = value(percentile(&counts, share).unwrap());
            assert!(
                (exact / 1.13..exact * 1.13).contains(&found),
                "{share}: {found}"
            );
        }
        assert_eq!(percentile(&[0, 0], 0.5), None);
        assert!((place(value(17.5)) - 17.5).abs() < 1e-9);
    }
}
