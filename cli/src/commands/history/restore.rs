// SPDX-License-Identifier: GPL-2.0

//! `imgrement history restore`.

use super::asked::{
    At,
    Logs, //
};
use crate::{
    calendar::time,
    confirm::confirm,
    failure::Failure,
    history::{
        point,
        restore::{
            is_device,
            sources,
            Output, //
        },
    },
    new_file::may_write,
    output::{
        bytes,
        print, //
    },
};
use clap::Args;
use imgrement_core::record::SECTOR_SIZE;
use std::path::PathBuf;

/// Write the whole disk as it was at a point to a file or a device
#[derive(Args, Debug)]
#[command(after_help = format!("\
Examples:
  imgrement history restore imgrement-sdb --at end-30s -o then.img
  imgrement history restore log.img --at 'before the upgrade' -o /dev/sdd --base begin.img
  imgrement history restore a.img b.img --at 2026-11-27T14:05:00Z -o then.img --unknown zero

{}

A file is sparse. A device that is used is refused.", point::HELP))]
pub(super) struct Restore {
    #[command(flatten)]
    logs: Logs,

    #[command(flatten)]
    at: At,

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

impl Restore {
    pub(super) fn run(self) -> Result<(), Failure> {
        let to = self.output.display();
        let what = format!("restore to {to}");
        // Before the log is read, which may take long.
        may_write(&self.output, self.overwrite)?;
        let asked = self.at.find(&self.logs, None, &what)?;
        let size = asked.state.log.sectors().saturating_mul(SECTOR_SIZE);
        let point = asked.state.point;
        if is_device(&self.output) {
            confirm(
                &format!("{} of {to} will be written over", bytes(size)),
                self.yes,
            )?;
        }
        let mut output = Output::open(&self.output, size, self.overwrite)?;
        let (state, counts) = self
            .at
            .copy(asked, &what, |at, part| output.write(at, part))?;
        output.finish()?;
        print(&format!(
            "{to}: as of {}, position {}: {}\n",
            time(point.time),
            point.position,
            sources(&counts)
        ))?;
        state.log.flaw().map_or(Ok(()), |flaw| Err(flaw.failure()))
    }
}
