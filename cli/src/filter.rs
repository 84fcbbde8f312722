// SPDX-License-Identifier: GPL-2.0

//! Which requests a person wants to see.

use crate::{
    period,
    recording::row::op_name, //
};
use clap::Args;
use imgrement_core::record::Op;
use std::ops::Range;

/// Conditions. A request must meet all of them.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only these ops: read, write, flush, discard and so on, with commas between them
    #[arg(long = "op", value_name = "OP", value_delimiter = ',', value_parser = op)]
    ops: Vec<Op>,

    /// Only requests for sectors of this part of the disk below: FROM-TO, in sectors or with a unit: 1M-2M
    #[arg(long, value_name = "FROM-TO", value_parser = sectors)]
    range: Option<Bounds>,

    /// Only requests of this size: MIN-MAX, in bytes or with a unit: 64K-, 512-4K, 4K
    #[arg(long, value_name = "MIN-MAX", value_parser = sizes)]
    size: Option<Bounds>,

    /// Only requests that this process has sent. It may be repeated
    #[arg(long = "pid", value_name = "PID")]
    pids: Vec<u32>,

    /// Only requests in which a pattern was found
    #[arg(long = "match")]
    found: bool,

    /// Only requests that took at least this time: 10ms, 1.5s
    #[arg(long, value_name = "TIME", value_parser = period::parse)]
    latency: Option<u64>,
}

/// What the conditions are about.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) op: Option<Op>,
    pub(crate) sector: u64,
    pub(crate) bytes: u64,
    /// Of these, what is not known meets no condition.
    pub(crate) pid: Option<u32>,
    pub(crate) hits: Option<u64>,
    pub(crate) latency: Option<u64>,
}

/// From the first number to the second one; for sectors, that one is the first that is no longer meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds(u64, u64);

impl Filter {
    /// Whether a request meets the conditions.
    pub(crate) fn takes(&self, request: &Subject) -> bool {
        let Subject {
            op,
            sector,
            bytes,
            pid,
            hits,
            latency,
        } = *request;
        // A request without bytes touches no sector.
        let touches = |Bounds(from, to)| {
            let end = sector.saturating_add(bytes.div_ceil(512));
            sector < to && end > from && end > sector && op.is_none_or(Op::has_sectors)
        };
        (self.ops.is_empty() || op.is_some_and(|op| self.ops.contains(&op)))
            && self.range.is_none_or(touches)
            && self
                .size
                .is_none_or(|Bounds(from, to)| (from..=to).contains(&bytes))
            && (self.pids.is_empty() || pid.is_some_and(|pid| self.pids.contains(&pid)))
            && (!self.found || hits.is_some_and(|hits| hits > 0))
            && self
                .latency
                .is_none_or(|least| latency.is_some_and(|latency| latency >= least))
    }
}

/// The op of this name.
fn op(name: &str) -> Result<Op, String> {
    let found = Op::ALL.iter().find(|op| op_name(**op) == name);
    found.copied().ok_or_else(|| {
        let names: Vec<_> = Op::ALL.iter().map(|op| op_name(*op)).collect();
        format!("there is no such op; there are {}", names.join(", "))
    })
}

/// A number of bytes, if it has a unit; otherwise a number of units of `plain` bytes.
fn bytes(text: &str, plain: u64) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix(|last: char| last.is_ascii_alphabetic()) {
        None => (text, plain),
        Some(digits) => {
            let shift = match text.as_bytes().last()?.to_ascii_uppercase() {
                b'K' => 10,
                b'M' => 20,
                b'G' => 30,
                b'T' => 40,
                _ => return None,
            };
            (digits, 1 << shift)
        }
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// `FROM-TO`, either of which may be missing; or one number.
fn bounds(text: &str, plain: u64) -> Option<Bounds> {
    let part = |text: &str, missing| match text.is_empty() {
        true => Some(missing),
        false => bytes(text, plain),
    };
    let bounds = match text.split_once('-') {
        None => Bounds(bytes(text, plain)?, bytes(text, plain)?),
        Some(("", "")) => return None,
        Some((from, to)) => Bounds(part(from, 0)?, part(to, u64::MAX)?),
    };
    Some(bounds).filter(|bounds| bounds.0 <= bounds.1)
}

fn sizes(text: &str) -> Result<Bounds, String> {
    bounds(text, 1).ok_or_else(|| "write it as 4K, 512-4K, 64K- or -64K".into())
}

fn sectors(text: &str) -> Result<Bounds, String> {
    let wrong = || "write it as 2048-4096, 1M-2M, 1G- or -1M".to_owned();
    let Bounds(from, to) = bounds(text, 512).ok_or_else(wrong)?;
    let (from, to) = (from / 512, to.div_ceil(512));
    // One number is one sector.
    Ok(Bounds(from, to.max(from.saturating_add(1))))
}

/// Reads a number of bytes, which may have a unit: `64K`, `10G`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    bytes(text, 1)
        .filter(|size| *size > 0)
        .ok_or_else(|| "write it as 65536, 64K, 512M or 10G".into())
}

/// Reads a range of sectors, as `--range` takes it.
pub(crate) fn sector_range(text: &str) -> Result<Range<u64>, String> {
    sectors(text).map(|Bounds(from, to)| from..to)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clap::Parser;

    /// A write of 4 KiB at sector 2048 that took 5 ms.
    const WRITE: Subject = Subject {
        op: Some(Op::Write),
        sector: 2048,
        bytes: 4096,
        pid: Some(7),
        hits: Some(0),
        latency: Some(5_000_000),
    };

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filter: Filter,
    }

    /// The filter that these options make.
    fn filter(options: &[&str]) -> Filter {
        Line::try_parse_from(["line"].iter().chain(options))
            .unwrap()
            .filter
    }

    #[test]
    fn each_condition_must_be_met() {
        for (options, takes) in [
            (&[][..], true),
            (&["--op", "write"], true),
            (&["--op=flush,write"], true),
            (&["--op", "read,flush"], false),
            (&["--range", "2055-9000"], true),
            (&["--range", "2056-9000"], false),
            (&["--range=-2048"], false),
            (&["--range=-2049"], true),
            (&["--range", "1M-2M"], true),
            (&["--range", "1028K-2M"], false),
            (&["--range", "2050"], true),
            (&["--size", "4K"], true),
            (&["--size", "4096"], true),
            (&["--size", "4097-"], false),
            (&["--size", "512-4k"], true),
            (&["--size=-4095"], false),
            (&["--pid", "6", "--pid", "7"], true),
            (&["--pid", "6"], false),
            (&["--match"], false),
            (&["--latency", "5ms"], true),
            (&["--latency", "5.001ms"], false),
            (&["--op", "write", "--latency", "1s"], false),
        ] {
            assert_eq!(filter(options).takes(&WRITE), takes, "{options:?}");
        }
    }

    #[test]
    fn what_is_not_known_meets_no_condition() {
        let unknown = Subject {
            op: None,
            pid: None,
            hits: None,
            latency: None,
            ..WRITE
        };
        assert!(filter(&["--size", "4K"]).takes(&unknown));
        for options in [
            &["--op", "write"][..],
            &["--pid", "7"],
            &["--match"],
            &["--latency", "0"],
        ] {
            assert!(!filter(options).takes(&unknown), "{options:?}");
        }
        let flush = Subject {
            op: Some(Op::Flush),
            bytes: 0,
            ..WRITE
        };
        assert!(!filter(&["--range", "0-"]).takes(&flush));
        assert!(filter(&["--size", "0"]).takes(&flush));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for text in [
            "",
            "-",
            "x",
            "4X",
            "1-2-3",
            "8-4",
            "+4",
            "99999999999999999999",
            "99999999999T",
        ] {
            assert!(sizes(text).is_err() && sectors(text).is_err(), "{text}");
        }
        assert!(op("wrote").is_err());
    }
}
