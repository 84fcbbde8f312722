// SPDX-License-Identifier: GPL-2.0

//! The measurements, and the rows of the report that they make.

use crate::spread::Spread;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// The contender that is the baseline for all others.
pub const LINEAR: &str = "linear";

/// One measurement of the kernel part (bench/guest/bench.py).
#[derive(Clone, Debug, Deserialize)]
pub struct Sample {
    /// The disk, the operation and the contender.
    #[serde(flatten)]
    pub what: What,
    /// The round. Samples of one round were taken side by side.
    pub round: u32,
    /// Requests per second.
    pub iops: f64,
    /// The rate of dm-linear at the same time, if both were measured together.
    pub linear: Option<f64>,
    /// Page-bounded segments per request, if the contender counts them.
    pub segments: Option<f64>,
    /// The part of the requests that a recording of events accounts for, recorded or lost.
    pub accounted: Option<f64>,
    /// What each recorder takes for a request, in microseconds.
    pub recorders: Option<BTreeMap<String, f64>>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct What {
    /// The disk: `null`, `brd` or `slow`.
    pub disk: String,
    /// The operation, in fio's words: `randread`, `randwrite`, `write`.
    pub rw: String,
    /// The bytes of a request.
    pub bytes: u64,
    /// The contender that the requests pass through.
    pub contender: String,
}

impl What {
    /// The same for another contender.
    pub fn through(&self, contender: &str) -> Self {
        Self {
            contender: contender.to_owned(),
            ..self.clone()
        }
    }
}

/// Without the contender.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.rw.as_str() {
            "randread" => "random read",
            "randwrite" => "random write",
            "write" => "sequential write",
            other => other,
        };
        let size = match self.bytes {
            bytes if bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
            bytes => format!("{} KiB", bytes >> 10),
        };
        write!(f, "{}, {size} {how}", self.disk)
    }
}

/// All samples of one measurement together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// What was measured.
    #[serde(flatten)]
    pub what: What,
    /// Requests per second.
    pub iops: Spread,
    /// Nanoseconds of one CPU per request.
    pub ns_per_bio: Spread,
    /// Megabytes (10^6 bytes) per second.
    pub mb_per_s: Spread,
    /// The rate divided by that of dm-linear in the same round.
    pub of_linear: Option<Spread>,
    /// Page-bounded segments per request, if the contender counts them.
    pub segments: Option<f64>,
}

/// A row for each measurement, in the order of their first samples.
pub fn rows(samples: &[Sample]) -> Vec<Row> {
    let mut seen: Vec<&What> = Vec::new();
    for sample in samples {
        if !seen.contains(&&sample.what) {
            seen.push(&sample.what);
        }
    }
    seen.into_iter()
        .filter_map(|what| {
            let iops = Spread::of(rates(samples, what).map(|(_, iops)| iops))?;
            let segments = samples.iter().filter(|sample| sample.what == *what);
            Some(Row {
                what: what.clone(),
                iops,
                ns_per_bio: iops.map(|iops| 1e9 / iops),
                mb_per_s: iops.map(|iops| iops * what.bytes as f64 / 1e6),
                of_linear: of_linear(samples, what, |iops| iops),
                segments: Spread::of(segments.filter_map(|sample| sample.segments))
                    .map(|spread| spread.median),
            })
        })
        .collect()
}

/// Round and rate of each sample of `what`.
fn rates<'a>(samples: &'a [Sample], what: &'a What) -> impl Iterator<Item = (u32, f64)> + 'a {
    samples
        .iter()
        .filter(move |sample| sample.what == *what)
        .map(|sample| (sample.round, sample.iops))
}

/// The rate, after `change`, divided by dm-linear's at the same time, or else in the same round.
pub fn of_linear(samples: &[Sample], what: &What, change: impl Fn(f64) -> f64) -> Option<Spread> {
    let linear = what.through(LINEAR);
    let taken = samples.iter().filter(|sample| sample.what == *what);
    Spread::of(taken.filter_map(|sample| {
        let beside = sample
            .linear
            .or_else(|| in_round(samples, &linear, sample.round))?;
        Some(change(sample.iops) / beside)
    }))
}

/// The rate divided by that of another contender in the same round.
pub fn of(samples: &[Sample], what: &What, other: &str) -> Option<Spread> {
    let other = what.through(other);
    Spread::of(
        rates(samples, what)
            .filter_map(|(round, iops)| Some(iops / in_round(samples, &other, round)?)),
    )
}

/// The rate of `what` in that round.
fn in_round(samples: &[Sample], what: &What, round: u32) -> Option<f64> {
    let mut taken = rates(samples, what);
    taken
        .find(|(other, _)| *other == round)
        .map(|(_, iops)| iops)
}

/// The speed of a search, from `make bench-match` or the kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Search {
    /// The searcher.
    pub contender: String,
    /// The input.
    pub input: String,
    /// How many bytes are searched at once.
    pub bytes: u64,
    /// Gigabytes (10^9 bytes) per second.
    pub gb_per_s: Spread,
}

/// The results of `make bench-match`, and of bench/guest/search.py. The former also have the date, which the report
/// takes.
#[derive(Debug, Deserialize)]
pub struct Searches {
    /// The speeds.
    pub rows: Vec<Search>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(contender: &str, round: u32, iops: f64) -> Sample {
        let what = What {
            disk: "null".to_owned(),
            rw: "randread".to_owned(),
            bytes: 4096,
            contender: contender.to_owned(),
        };
        Sample {
            what,
            round,
            iops,
            linear: None,
            segments: None,
            accounted: None,
            recorders: None,
        }
    }

    #[test]
    fn compared_within_a_round() {
        // The machine becomes twice as fast between the rounds.
        let samples = [
            sample("linear", 0, 100.0),
            sample("off", 0, 90.0),
            sample("linear", 1, 200.0),
            sample("off", 1, 180.0),
            sample("linear", 2, 400.0),
        ];
        let rows = rows(&samples);
        assert_eq!(rows.len(), 2);
        let of_linear = rows[1].of_linear.unwrap();
        assert_eq!((of_linear.min, of_linear.max), (0.9, 0.9));
        assert_eq!(rows[1].iops.median, 135.0);
        assert_eq!(rows[0].ns_per_bio.min, 2.5e6);
        assert_eq!(rows[0].mb_per_s.max, 1.6384);
    }

    #[test]
    fn beside_dm_linear() {
        let mut off = sample("off", 0, 90.0);
        off.linear = Some(120.0);
        let rows = rows(&[sample("linear", 0, 100.0), off]);
        assert_eq!(rows[1].of_linear.unwrap().median, 0.75);
    }

    #[test]
    fn names() {
        let what = sample("off", 0, 1.0).what;
        assert_eq!(what.to_string(), "null, 4 KiB random read");
        let large = What {
            rw: "write".to_owned(),
            bytes: 1 << 20,
            ..what
        };
        assert_eq!(large.to_string(), "null, 1 MiB sequential write");
    }
}
