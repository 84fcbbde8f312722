// SPDX-License-Identifier: GPL-2.0

//! The goals: ratios of measurements within one run, each with its floor.

use crate::{
    report::{Reader, Restore},
    samples::{self, Sample, Search, What},
    spread::Spread,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The time that the first FPU section takes in a system call, in nanoseconds. User-mode Linux leaves it out,
/// because the FPU is free there.
const FPU_NS: f64 = 100.0;

/// The name of P2 with the reader on another CPU.
const OTHER_CPU: &str = "P2_other_cpu";

/// A goal.
pub struct Goal {
    /// Its name in the report.
    pub name: &'static str,
    /// What is divided by what.
    pub what: &'static str,
    /// The minimum. `None` for a figure that is shown next to a goal.
    pub floor: Option<f64>,
}

/// All goals, in order.
pub const GOALS: [Goal; 29] = [
    goal(
        "P1",
        "all off ÷ dm-linear, null_blk 4 KiB, read or write, whichever is lower",
        0.97,
    ),
    goal(
        "P1_rust_linear",
        "dm_rust_linear ÷ dm-linear, the same",
        0.97,
    ),
    goal(
        "P2",
        "two events recorded ÷ dm-linear with the block layer's two, null_blk 4 KiB, the same",
        0.95,
    ),
    goal(
        "P2a",
        "`complete` recorded ÷ dm-linear with `block_bio_complete`, the same",
        0.95,
    ),
    beside("P2b", "two events recorded ÷ dm-linear, the same"),
    beside(
        OTHER_CPU,
        "P2 with the reader on another CPU, emulated",
    ),
    goal("P3", "two events recorded ÷ dm-linear with blktrace, the same", 1.0),
    goal(
        "P5",
        "one pattern, 64 KiB and more, AVX2 ÷ memchr::memmem",
        0.90,
    ),
    beside("P5_pages", "the same a page at a time, as requests have it"),
    goal("P5_scalar", "the same without AVX2", 0.25),
    goal("P6", "one pattern, 4 KiB ÷ memchr::memmem", 0.5),
    goal("P7a", "scan in the kernel ÷ ts_bm, 16 bytes", 3.0),
    goal("P7b", "scan in the kernel ÷ ts_kmp, 16 bytes", 12.0),
    goal("P8", "8 to 32 patterns ÷ aho-corasick packed", 0.7),
    beside("P8_pages", "the same a page at a time"),
    goal("P8_scalar", "the same without AVX2 ÷ its DFA", 1.0),
    goal(
        "P9",
        "a history, `base off` ÷ dm-log-writes, null_blk 4 KiB write, NOWAIT as each has it",
        2.2,
    ),
    goal("P9_aio", "the same without NOWAIT on both", 2.2),
    goal(
        "P9a",
        "a history, `base on`, second pass over the disk ÷ `base off`, null_blk 4 KiB write",
        0.95,
    ),
    goal("P10", "one pattern ÷ dm-linear, brd 4 KiB write", 0.90),
    beside(
        "P10_fpu",
        "P10 with 100 ns more for each request that opens a section with the FPU",
    ),
    goal(
        "P11",
        "events: ids recorded + events lost ÷ requests, in a buffer that overflows",
        1.0,
    ),
    goal(
        "P12",
        "what recording a request takes: blktrace ÷ `imgrement record`, null_blk 4 KiB",
        1.0,
    ),
    goal("P12_trace_cmd", "the same for trace-cmd", 1.0),
    goal(
        "P13",
        "a history, `base on`, second pass ÷ dm-linear, 1 MiB sequential writes, disk and log equally slow",
        0.90,
    ),
    goal(
        "P14",
        "`history restore` in MB/s ÷ dd of the same bytes, a log of sequential writes of 1 MiB",
        0.5,
    ),
    goal("P14_small", "the same with 4 KiB", 0.5),
    goal("P14_random", "the same with random writes of 4 KiB", 0.5),
    goal(
        "P15",
        "the log on, its limit used up ÷ dm-linear, null_blk 4 KiB, read or write, whichever is lower",
        0.65,
    ),
];

const fn goal(name: &'static str, what: &'static str, floor: f64) -> Goal {
    Goal {
        name,
        what,
        floor: Some(floor),
    }
}

/// A figure that is shown next to a goal, and has no floor.
const fn beside(name: &'static str, what: &'static str) -> Goal {
    Goal {
        name,
        what,
        floor: None,
    }
}

/// The result for a goal.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Ratio {
    /// The median.
    pub value: f64,
    /// The minimum of the rounds.
    pub min: f64,
    /// The maximum of the rounds.
    pub max: f64,
    /// The lowest acceptable value.
    pub floor: Option<f64>,
}

impl Ratio {
    /// Whether the goal is met.
    pub fn is_met(&self) -> bool {
        self.floor.is_none_or(|floor| self.value >= floor)
    }

    /// The same without the floor.
    pub fn spread(&self) -> Spread {
        Spread {
            median: self.value,
            min: self.min,
            max: self.max,
        }
    }
}

/// The ratio of each goal, by name; `None` if it cannot be measured yet, or was not measured.
pub fn ratios(
    samples: &[Sample],
    searches: &[Search],
    readers: &[Reader],
    restores: &[Restore],
) -> BTreeMap<String, Option<Ratio>> {
    GOALS
        .iter()
        .map(|goal| {
            let ratio =
                spread(goal.name, samples, searches, readers, restores).map(|spread| Ratio {
                    value: spread.median,
                    min: spread.min,
                    max: spread.max,
                    floor: goal.floor,
                });
            (goal.name.to_owned(), ratio)
        })
        .collect()
}

fn spread(
    name: &str,
    samples: &[Sample],
    searches: &[Search],
    readers: &[Reader],
    restores: &[Restore],
) -> Option<Spread> {
    let restored = |log: &str| {
        restores
            .iter()
            .find(|row| row.log == log)
            .map(|row| row.of_dd)
    };
    match name {
        "P1" => lower_of_both(samples, "off"),
        "P1_rust_linear" => lower_of_both(samples, "rust_linear"),
        "P2" => lower_of_both_beside(samples, "events", "block-events"),
        "P2a" => lower_of_both_beside(samples, "complete-event", "block-complete-event"),
        "P2b" => lower_of_both(samples, "events"),
        OTHER_CPU => readers
            .iter()
            .find(|row| row.reader == "another CPU")
            .map(|row| row.of_block_events),
        "P3" => lower_of_both_beside(samples, "events", "blktrace"),
        "P11" => farthest_from_one(samples.iter().filter_map(|sample| sample.accounted)),
        "P12" => beside_recorder(samples, "blktrace"),
        "P12_trace_cmd" => beside_recorder(samples, "trace-cmd"),
        "P9" => of_writes(samples, "history", "log-writes"),
        "P9_aio" => of_writes(samples, "history-aio", "log-writes-aio"),
        "P9a" => of_writes(samples, "history-base", "history"),
        "P13" => samples::of(samples, &slow_writes("history-slow"), samples::LINEAR),
        "P14" => restored("sequential writes of 1 MiB"),
        "P14_small" => restored("sequential writes of 4 KiB"),
        "P14_random" => restored("random writes of 4 KiB"),
        "P15" => lower_of_both(samples, "log"),
        "P10" => of_linear(samples, "brd", "randwrite", "pattern", |iops| iops),
        "P10_fpu" => of_linear(samples, "brd", "randwrite", "pattern", |iops| {
            1e9 / (1e9 / iops + FPU_NS)
        }),
        "P5" => least(searches, "imgrement-avx2", "memmem", |row| {
            without_hits(row) && row.bytes >= 64 << 10
        }),
        "P5_pages" => least(searches, "imgrement-avx2-pages", "memmem", |row| {
            without_hits(row) && row.bytes >= 64 << 10
        }),
        "P8_pages" => least(
            searches,
            "imgrement-avx2-pages",
            "aho-corasick-packed",
            some_patterns,
        ),
        "P5_scalar" => least(searches, "imgrement-scalar", "memmem", |row| {
            without_hits(row) && row.bytes >= 64 << 10
        }),
        "P6" => least(searches, "imgrement-avx2", "memmem", |row| {
            without_hits(row) && row.bytes == 4 << 10
        }),
        "P7a" => least(searches, "kernel", "ts_bm", |_| true),
        "P7b" => least(searches, "kernel", "ts_kmp", |_| true),
        "P8" => least(
            searches,
            "imgrement-avx2",
            "aho-corasick-packed",
            some_patterns,
        ),
        "P8_scalar" => least(
            searches,
            "imgrement-scalar",
            "aho-corasick-dfa",
            some_patterns,
        ),
        _ => None,
    }
}

/// A contender on null_blk with 4 KiB: the lower rate of reading and writing.
fn lower_of_both(samples: &[Sample], contender: &str) -> Option<Spread> {
    let read = of_linear(samples, "null", "randread", contender, |iops| iops)?;
    let write = of_linear(samples, "null", "randwrite", contender, |iops| iops)?;
    Some(lower(read, write))
}

/// The same against another contender than dm-linear, in the same rounds.
fn lower_of_both_beside(samples: &[Sample], contender: &str, other: &str) -> Option<Spread> {
    let side = |rw| samples::of(samples, &what("null", rw, contender), other);
    Some(lower(side("randread")?, side("randwrite")?))
}

/// Writes of 4 KiB to null_blk through one contender against another, in the same rounds.
fn of_writes(samples: &[Sample], contender: &str, other: &str) -> Option<Spread> {
    samples::of(samples, &what("null", "randwrite", contender), other)
}

/// Sequential writes of 1 MiB to a slow disk through this contender.
fn slow_writes(contender: &str) -> What {
    What {
        bytes: 1 << 20,
        ..what("slow", "write", contender)
    }
}

fn lower(one: Spread, other: Spread) -> Spread {
    if one.median < other.median {
        one
    } else {
        other
    }
}

/// What another recorder takes for a request, divided by what ours takes, in each round.
fn beside_recorder(samples: &[Sample], other: &str) -> Option<Spread> {
    let ratio = |times: &BTreeMap<String, f64>| Some(times.get(other)? / times.get("imgrement")?);
    let times = samples
        .iter()
        .filter_map(|sample| sample.recorders.as_ref());
    Spread::of(times.filter_map(ratio))
}

/// All of these parts must be exactly 1. What is more than 1 counts as much as what is less.
fn farthest_from_one(parts: impl Iterator<Item = f64>) -> Option<Spread> {
    let spread = Spread::of(parts.map(|part| part.min(1.0 / part)))?;
    Some(Spread {
        median: spread.min,
        ..spread
    })
}

/// Requests of 4 KiB through this contender.
fn what(disk: &str, rw: &str, contender: &str) -> What {
    What {
        disk: disk.to_owned(),
        rw: rw.to_owned(),
        bytes: 4096,
        contender: contender.to_owned(),
    }
}

/// A contender's rate with 4 KiB, after `change`, divided by that of dm-linear.
fn of_linear(
    samples: &[Sample],
    disk: &str,
    rw: &str,
    contender: &str,
    change: impl Fn(f64) -> f64,
) -> Option<Spread> {
    samples::of_linear(samples, &what(disk, rw, contender), change)
}

/// Whether nothing is found in this input, as the goals of speed require.
fn without_hits(row: &Search) -> bool {
    ["text", "zeroes", "random"].contains(&row.input.as_str())
}

/// Whether it is a search for 8 to 32 patterns.
fn some_patterns(row: &Search) -> bool {
    ["-8-patterns", "-32-patterns"]
        .iter()
        .any(|name| row.input.ends_with(name))
}

/// Among the inputs that `of` accepts, the lowest rate of `one` relative to `other`.
fn least(
    searches: &[Search],
    one: &str,
    other: &str,
    of: impl Fn(&Search) -> bool,
) -> Option<Spread> {
    searches
        .iter()
        .filter(|row| row.contender == one && of(row))
        .filter_map(|row| {
            let beside = searches.iter().find(|beside| {
                beside.contender == other && beside.input == row.input && beside.bytes == row.bytes
            })?;
            Some(Spread {
                median: row.gb_per_s.median / beside.gb_per_s.median,
                min: row.gb_per_s.min / beside.gb_per_s.max,
                max: row.gb_per_s.max / beside.gb_per_s.min,
            })
        })
        .min_by(|a, b| a.median.total_cmp(&b.median))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(disk: &str, rw: &str, contender: &str, iops: f64) -> Sample {
        Sample {
            what: what(disk, rw, contender),
            round: 0,
            iops,
            linear: None,
            segments: None,
            accounted: None,
            recorders: None,
        }
    }

    fn search(contender: &str, input: &str, bytes: u64, gb_per_s: f64) -> Search {
        Search {
            contender: contender.to_owned(),
            input: input.to_owned(),
            bytes,
            gb_per_s: Spread::of([gb_per_s]).unwrap(),
        }
    }

    #[test]
    fn missing_measurements_are_null() {
        let ratios = ratios(&[], &[], &[], &[]);
        assert_eq!(ratios.len(), GOALS.len());
        assert!(ratios.values().all(Option::is_none));
    }

    #[test]
    fn the_lower_of_reads_and_writes() {
        let samples = [
            sample("null", "randread", "linear", 1000.0),
            sample("null", "randread", "off", 990.0),
            sample("null", "randwrite", "linear", 1000.0),
            sample("null", "randwrite", "off", 950.0),
            sample("brd", "randwrite", "linear", 1e6),
            sample("brd", "randwrite", "pattern", 0.9e6),
        ];
        let ratios = ratios(&samples, &[], &[], &[]);
        let p1 = ratios["P1"].unwrap();
        assert_eq!((p1.value, p1.floor), (0.95, Some(0.97)));
        assert!(!p1.is_met());
        assert!(ratios["P10"].unwrap().is_met());
        // 1111 ns become 1211 ns, against 1000.
        assert!((ratios["P10_fpu"].unwrap().value - 1000.0 / 1211.1).abs() < 1e-3);
        assert!(ratios["P1_rust_linear"].is_none());
    }

    #[test]
    fn events_against_the_block_layers() {
        let mut samples = Vec::new();
        for (rw, events) in [("randread", 90.0), ("randwrite", 80.0)] {
            samples.push(sample("null", rw, "linear", 200.0));
            samples.push(sample("null", rw, "events", events));
            samples.push(sample("null", rw, "block-events", 100.0));
            samples.push(sample("null", rw, "blktrace", 50.0));
        }
        let reader = |reader: &str, ratio| Reader {
            reader: reader.to_owned(),
            of_block_events: Spread::of([ratio]).unwrap(),
        };
        let readers = [reader("the same CPU", 0.5), reader("another CPU", 0.7)];
        let ratios = ratios(&samples, &[], &readers, &[]);
        let value = |name: &str| ratios[name].unwrap().value;
        assert_eq!((value("P2"), value("P2b"), value("P3")), (0.8, 0.4, 1.6));
        assert_eq!(value("P2_other_cpu"), 0.7);
        assert!(ratios["P2a"].is_none());
    }

    #[test]
    fn a_history_beside_others() {
        let mut samples = vec![
            sample("null", "randwrite", "log-writes", 300.0),
            sample("null", "randwrite", "history", 750.0),
            sample("null", "randwrite", "log-writes-aio", 400.0),
            sample("null", "randwrite", "history-aio", 600.0),
            sample("null", "randwrite", "history-base", 720.0),
        ];
        for (contender, iops) in [("linear", 500.0), ("history-slow", 480.0)] {
            samples.push(Sample {
                what: slow_writes(contender),
                ..sample("slow", "write", contender, iops)
            });
        }
        let ratios = ratios(&samples, &[], &[], &[]);
        let of = |name: &str| ratios[name].map(|ratio| (ratio.value, ratio.is_met()));
        assert_eq!(of("P9"), Some((2.5, true)));
        assert_eq!(of("P9_aio"), Some((1.5, false)));
        assert_eq!(of("P9a"), Some((0.96, true)));
        assert_eq!(of("P13"), Some((0.96, true)));
    }

    #[test]
    fn restores_beside_dd() {
        let restore = |log: &str, ratio| Restore {
            log: log.to_owned(),
            mb_per_s: Spread::of([1.0]).unwrap(),
            of_dd: Spread::of([ratio]).unwrap(),
        };
        let restores = [
            restore("sequential writes of 1 MiB", 0.6),
            restore("random writes of 4 KiB", 0.4),
        ];
        let ratios = ratios(&[], &[], &[], &restores);
        let of = |name: &str| ratios[name].map(|ratio| (ratio.value, ratio.is_met()));
        assert_eq!(of("P14"), Some((0.6, true)));
        assert_eq!(of("P14_small"), None);
        assert_eq!(of("P14_random"), Some((0.4, false)));
    }

    #[test]
    fn one_request_that_is_not_accounted_for_misses_the_goal() {
        let goal = |parts: [f64; 3]| {
            let samples = parts.map(|accounted| Sample {
                accounted: Some(accounted),
                ..sample("null", "randread", "events", 1.0)
            });
            ratios(&samples, &[], &[], &[])["P11"].unwrap().is_met()
        };
        assert!(goal([1.0, 1.0, 1.0]));
        assert!(!goal([1.0, 0.99999, 1.0]));
        assert!(!goal([1.0, 1.0, 1.00001]));
    }

    #[test]
    fn the_time_of_recorders() {
        let times = |imgrement, blktrace| Sample {
            recorders: Some(BTreeMap::from([
                ("imgrement".to_owned(), imgrement),
                ("blktrace".to_owned(), blktrace),
            ])),
            ..sample("null", "randread", "events", 1.0)
        };
        let ratios = ratios(
            &[times(0.5, 1.0), times(0.5, 1.5), times(1.0, 1.0)],
            &[],
            &[],
            &[],
        );
        let p12 = ratios["P12"].unwrap();
        assert_eq!((p12.value, p12.min, p12.max), (2.0, 1.0, 3.0));
        assert!(ratios["P12_trace_cmd"].is_none());
    }

    #[test]
    fn the_worst_input_except_the_adversarial_one() {
        let searches = [
            search("imgrement-avx2", "text", 65536, 40.0),
            search("imgrement-avx2", "zeroes", 1 << 26, 30.0),
            search("imgrement-avx2", "adversarial-almost", 65536, 1.0),
            search("imgrement-avx2", "text", 4096, 20.0),
            search("memmem", "text", 65536, 40.0),
            search("memmem", "zeroes", 1 << 26, 40.0),
            search("memmem", "adversarial-almost", 65536, 40.0),
            search("memmem", "text", 4096, 40.0),
        ];
        let mut searches = searches.to_vec();
        searches.push(search("imgrement-avx2", "text-8-patterns", 4096, 8.0));
        searches.push(search("aho-corasick-packed", "text-8-patterns", 4096, 10.0));
        searches.push(search("aho-corasick-packed", "text", 4096, 100.0));
        let ratios = ratios(&[], &searches, &[], &[]);
        assert_eq!(ratios["P8"].unwrap().value, 0.8);
        assert_eq!(ratios["P5"].unwrap().value, 0.75);
        assert_eq!(ratios["P6"].unwrap().value, 0.5);
    }
}
