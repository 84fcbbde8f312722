// SPDX-License-Identifier: GPL-2.0

//! `imgrement report`.

use crate::{
    failure::Failure,
    output::{
        print,
        print_json, //
    },
    period::Period,
    progress::Progress,
    report::{
        file::{
            report,
            Question, //
        },
        text::text, //
    },
};
use clap::Args;
use std::path::PathBuf;

/// Say what happened in a recording
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement report disk.rec
  imgrement report disk.rec --device imgrement-sdb --from 2s --to 2.5s
  imgrement report disk.rec --json | jq '.devices[].all.latency_ns.p99'

The most important things come first, in a few lines. The sections after them say more. docs/command.md defines each
word. Times of --from and --to are in seconds, or have a unit: 1.5, 200ms, 2m.")]
pub(crate) struct Report {
    /// The recording
    file: PathBuf,

    /// Look at this device only [default: each]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    #[command(flatten)]
    period: Period,

    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

impl Report {
    pub(crate) fn run(self) -> Result<(), Failure> {
        self.period.check()?;
        let question = Question {
            device: self.device.as_deref(),
            period: self.period,
        };
        let mut progress = Progress::new(&self.file);
        let (report, failure) = report(&self.file, &question, |place| progress.at(place))?;
        drop(progress);
        match self.json {
            true => print_json(&report)?,
            false => print(&text(&report))?,
        }
        failure.map_or(Ok(()), Err)
    }
}
