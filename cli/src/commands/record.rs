// SPDX-License-Identifier: GPL-2.0

//! `imgrement record`.

use crate::{
    failure::Failure,
    period,
    record::{
        files::Rotation,
        record,
        Order, //
    },
};
use clap::Args;
use std::{
    ffi::OsString,
    path::PathBuf,
    time::Duration, //
};

/// Keep what passes through devices in a file, for `report`, `plot` and `export`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement record imgrement-sdb -o build.rec -- make -j4
  imgrement record imgrement-sdb imgrement-sdc -o night.rec --time 8h --rotate-size 1G
  imgrement record imgrement-sdb -o disk.rec      # until Ctrl-C
  imgrement report disk.rec

The recording ends when COMMAND ends, at a limit, or with Ctrl-C. If it ends at a limit, record waits until COMMAND has ended,
too. If COMMAND fails, the exit status is that of COMMAND. docs/recording.md describes the file: zstd -dc FILE prints it as
an Arrow stream.")]
pub(crate) struct Record {
    /// The devices, by name or path
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Replace a file that exists
    #[arg(long)]
    overwrite: bool,

    /// End after this time, such as 10s, 500ms, 5m or 8h
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<Duration>,

    /// End when this much was written, such as 500M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<u64>,

    /// End after this many requests
    #[arg(long, value_name = "N")]
    count: Option<u64>,

    /// Begin a new file after this size. The files are FILE.000, FILE.001 and so on
    #[arg(long, value_name = "SIZE", value_parser = size)]
    rotate_size: Option<u64>,

    /// Begin a new file after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    rotate_time: Option<Duration>,

    /// Record the segments of requests, too
    #[arg(long)]
    deltas: bool,

    /// Record where patterns occur, too
    #[arg(long)]
    matches: bool,

    /// The size of the kernel's buffer for each CPU
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "8M")]
    buffer: u64,

    /// The command to run, and its arguments
    #[arg(last = true)]
    command: Vec<OsString>,
}

impl Record {
    pub(crate) fn run(self) -> Result<(), Failure> {
        record(&Order {
            names: self.names,
            path: self.output,
            overwrite: self.overwrite,
            time: self.time,
            size: self.size,
            count: self.count,
            rotation: Rotation {
                size: self.rotate_size,
                time: self.rotate_time,
            },
            deltas: self.deltas,
            matches: self.matches,
            buffer_kib: self.buffer.div_ceil(1024).max(1),
            command: self.command,
        })
    }
}

/// Reads a length of time.
fn time(text: &str) -> Result<Duration, String> {
    period::parse(text).map(Duration::from_nanos)
}

/// Reads a size: a number of bytes, or one with K, M, G or T, each 1024 times the one before.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text} is no size; write it as 4096, 512K, 100M or 2G");
    let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
    let (number, shift) = units
        .iter()
        .find_map(|(name, shift)| Some((text.strip_suffix(name)?, *shift)))
        .unwrap_or((text, 0));
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let size = number.checked_mul(1 << shift).ok_or_else(wrong)?;
    match size {
        0 => Err(wrong()),
        size => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("3K"), Ok(3072));
        assert_eq!(size("2G"), Ok(2 << 30));
        for wrong in ["", "0", "K", "1.5G", "-1", "99999999T", "1KB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
