// SPDX-License-Identifier: GPL-2.0

//! `imgrement top`.

use crate::{
    failure::Failure,
    period,
    top::run::{
        run,
        Wanted,
        DRAW, //
    },
};
use clap::Args;

/// Watch figures of what passes through devices, as top does for processes
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement top
  imgrement top imgrement-sdb
  imgrement top --interval 10s
  imgrement top --batch --count 3 > figures.txt

Keys: q quits, and ? explains the others and the figures. Without a terminal, or with --batch, it prints text once an
interval.")]
pub(crate) struct Top {
    /// The names of devices, or their paths [default: all, and those that are attached later]
    names: Vec<String>,

    /// The period that the figures cover, such as 500ms, 1s or 1m [from 250ms to 1h]
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    interval: u64,

    /// End after this many intervals
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Print text once an interval, even on a terminal
    #[arg(long)]
    batch: bool,
}

/// The longest interval, in nanoseconds.
const LONGEST: u64 = 3_600_000_000_000;

fn interval(text: &str) -> Result<u64, String> {
    match period::parse(text)? {
        interval if (DRAW..=LONGEST).contains(&interval) => Ok(interval),
        _ => Err("not from 250ms to 1h".into()),
    }
}

impl Top {
    pub(crate) fn run(self) -> Result<(), Failure> {
        run(&Wanted {
            names: self.names,
            interval: self.interval,
            count: self.count,
            batch: self.batch,
        })
    }
}
