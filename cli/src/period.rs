// SPDX-License-Identifier: GPL-2.0

//! A part of a recording, as a person asks for it; and lengths of time.

use crate::failure::Failure;
use clap::Args;

/// The units of time, the longest name first: each with its nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a length of time, in nanoseconds: a number, and `ns`, `us`, `ms`, `s`, `m` or `h`. A number without a unit is in seconds.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text} is no time; write it as 1.5, 1.5s, 200ms or 2m");
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))
        .unwrap_or((text, 1_000_000_000));
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let nanoseconds = whole.checked_mul(unit).ok_or_else(wrong)?;
    let part: f64 = format!("0.{part}").parse().map_err(|_| wrong())?;
    // At most an hour.
    let part = (part * unit as f64).round() as u64;
    nanoseconds.checked_add(part).ok_or_else(wrong)
}

/// The part of a recording that is looked at.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Period {
    /// Leave out what happened before this time, counted from the beginning of the recording
    #[arg(long, value_name = "TIME", value_parser = parse)]
    pub(crate) from: Option<u64>,

    /// Leave out what happened at this time or later
    #[arg(long, value_name = "TIME", value_parser = parse)]
    pub(crate) to: Option<u64>,
}

impl Period {
    /// Fails if it is empty.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => Err(Failure::usage(
                "--from must be earlier than --to: nothing is between them",
            )),
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    /// Whether it contains a time, for a recording that began at `began`. Both are nanoseconds since 1970.
    pub(crate) fn contains(&self, began: i64, time: i64) -> bool {
        let at = |offset: u64| began.saturating_add(i64::try_from(offset).unwrap_or(i64::MAX));
        self.from.is_none_or(|from| time >= at(from)) && self.to.is_none_or(|to| time < at(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, wanted) in [
            ("1", 1_000_000_000),
            ("1.5", 1_500_000_000),
            ("0.000000001s", 1),
            ("20ms", 20_000_000),
            ("2.5us", 2500),
            ("7ns", 7),
            ("2m", 120_000_000_000),
            ("1h", 3_600_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(wanted), "{text}");
        }
        for text in [
            "",
            "s",
            ".5",
            "1.",
            "-1",
            "+1",
            "1e3",
            "1 s",
            "1x",
            "99999999999999999999",
            "9999999999h",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_period_has_no_end_of_its_own() {
        let period = Period {
            from: Some(5),
            to: Some(8),
        };
        let inside: Vec<i64> = (100..112)
            .filter(|time| period.contains(100, *time))
            .collect();
        assert_eq!(inside, [105, 106, 107]);
        assert!(Period::default().contains(0, i64::MIN));
        assert!(period.check().is_ok());
        assert!(Period {
            from: Some(8),
            to: Some(8)
        }
        .check()
        .is_err());
    }
}
