// SPDX-License-Identifier: GPL-2.0

//! `imgrement history cat`.

use super::asked::{
    At,
    Logs, //
};
use crate::{
    failure::Failure,
    history::copy::Part,
    output::bytes, //
};
use clap::Args;
use imgrement_core::record::SECTOR_SIZE;
use std::{
    io::{
        self,
        Write, //
    },
    ops::Range,
};

/// Print what sectors held at a point
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement history cat /dev/sdc --sector 2048 --at end-30s | xxd
  imgrement history cat /dev/sdc --sector 0,64 --at 'before the upgrade' > label

The sectors are those of the target, of 512 bytes. The bytes go to standard output as they are. How to write a point:
imgrement history restore --help")]
pub(super) struct Cat {
    #[command(flatten)]
    logs: Logs,

    /// The first sector, and how many
    #[arg(long, value_name = "N[,COUNT]", value_parser = sectors)]
    sector: Range<u64>,

    #[command(flatten)]
    at: At,
}

/// The most that is printed from a device that is in use, in bytes.
const LIVE_MAX: u64 = 256 << 20;

/// Reads `N` or `N,COUNT`.
fn sectors(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| {
        Some(text)
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse::<u64>().ok())
    };
    let (first, count) = match text.split_once(',') {
        Some((first, count)) => (number(first), number(count)),
        None => (number(text), Some(1)),
    };
    match (first, count) {
        (Some(first), Some(count)) if count > 0 => first
            .checked_add(count)
            .map(|end| first..end)
            .ok_or_else(|| "there are no such sectors".into()),
        (Some(_) | None, Some(_) | None) => Err("write it as 2048 or 2048,8".into()),
    }
}

impl Cat {
    pub(super) fn run(self) -> Result<(), Failure> {
        let what = format!("print sector {}", self.sector.start);
        let start = self.sector.start.saturating_mul(SECTOR_SIZE);
        let length = (self.sector.end - self.sector.start).saturating_mul(SECTOR_SIZE);
        let asked = self.at.find(&self.logs, Some(self.sector), &what)?;
        let mut out = io::stdout().lock();
        let flaw = if asked.live.is_some() {
            // What a device changes meanwhile comes twice.
            if length > LIVE_MAX {
                return Err(Failure::new(format_args!(
                    "cannot {what}: more than {} are too much from a device that is in use",
                    bytes(LIVE_MAX)
                ))
                .next("Use: imgrement history restore"));
            }
            let mut all = vec![0; usize::try_from(length).unwrap_or(0)];
            let (state, _) = self.at.copy(asked, &what, |at, part| {
                let at = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
                let count = match part {
                    Part::Bytes(bytes) => bytes.len(),
                    Part::Zeroes(count) => usize::try_from(count).unwrap_or(usize::MAX),
                };
                let to = all
                    .get_mut(at..at.saturating_add(count))
                    .unwrap_or_default();
                match part {
                    Part::Bytes(bytes) if bytes.len() == to.len() => to.copy_from_slice(bytes),
                    Part::Bytes(_) | Part::Zeroes(_) => to.fill(0),
                }
                Ok(())
            })?;
            out.write_all(&all)?;
            state.log.flaw().cloned()
        } else {
            let (state, _) = self.at.copy(asked, &what, |_, part| {
                match part {
                    Part::Bytes(bytes) => out.write_all(bytes)?,
                    Part::Zeroes(count) => {
                        io::copy(&mut io::Read::take(io::repeat(0), count), &mut out)?;
                    }
                }
                Ok(())
            })?;
            state.log.flaw().cloned()
        };
        out.flush()?;
        flaw.map_or(Ok(()), |flaw| Err(flaw.failure()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_are_read() {
        assert_eq!(sectors("8"), Ok(8..9));
        assert_eq!(sectors("8,4"), Ok(8..12));
        for text in [
            "",
            ",",
            "8,",
            "8,0",
            "x",
            "+8",
            "8,4,4",
            "18446744073709551615,2",
        ] {
            assert!(sectors(text).is_err(), "{text}");
        }
    }
}
