// SPDX-License-Identifier: GPL-2.0

//! `imgrement history export`.

use super::asked::Logs;
use crate::{
    confirm::confirm,
    failure::Failure,
    history::{
        log_writes,
        restore::is_device, //
    },
    new_file::may_write,
    output::print,
};
use clap::{
    Args,
    ValueEnum, //
};
use std::path::PathBuf;

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// That of the device-mapper target log-writes, version 1
    LogWrites,
}

/// Write a log in the format of another program
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement history export /dev/sdc --format log-writes -o writes.img
  imgrement history export log.img --format log-writes -o /dev/sdd --yes
  replay-log --log writes.img --replay /dev/sde --fsck 'fsck -fn /dev/sde' --check flush

The writes are in the order in which dm-log-writes would have them: each before the flush that made it durable.")]
pub(super) struct Export {
    #[command(flatten)]
    logs: Logs,

    /// The format
    #[arg(long, short, value_enum)]
    format: Format,

    /// Where to write it: a file, or a block device
    #[arg(long, short, value_name = "FILE|DEVICE")]
    output: PathBuf,

    /// Replace a file that exists
    #[arg(long)]
    overwrite: bool,

    /// Do not ask whether to write over a device
    #[arg(long)]
    yes: bool,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Failure> {
        let to = self.output.display();
        // Before the log is read, which may take long.
        may_write(&self.output, self.overwrite)?;
        let mut log = self.logs.open()?;
        if is_device(&self.output) {
            confirm(&format!("{to} will be written over"), self.yes)?;
        }
        let count = match self.format {
            Format::LogWrites => log_writes::export(&mut log, &self.output, self.overwrite)?,
        };
        print(&format!("{to}: {count} entries\n"))?;
        log.flaw().map_or(Ok(()), |flaw| Err(flaw.failure()))
    }
}
