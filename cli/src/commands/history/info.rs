// SPDX-License-Identifier: GPL-2.0

//! `imgrement history info`.

use super::asked::Logs;
use crate::{
    failure::Failure,
    history::info::{
        info,
        text, //
    },
    output::{
        print,
        print_json, //
    },
};
use clap::Args;

/// Say what a log is about: its disk, sessions, marks and gaps
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement history info /dev/sdc
  imgrement history info log.img --quick
  imgrement history info /dev/sdc --json | jq '.sessions'

It reads the whole log, and checks it, except with --quick.")]
pub(super) struct Info {
    #[command(flatten)]
    logs: Logs,

    /// Read only what is needed to find the sessions; leave out the rest
    #[arg(long)]
    quick: bool,

    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

impl Info {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut log = self.logs.open()?;
        let info = info(&mut log, self.quick)?;
        match self.json {
            true => print_json(&info)?,
            false => print(&text(&info))?,
        }
        log.flaw().map_or(Ok(()), |flaw| Err(flaw.failure()))
    }
}
