// SPDX-License-Identifier: GPL-2.0

//! `imgrement history`: one file for each of its subcommands.

mod asked;
mod cat;
mod export;
mod info;
mod list;
mod restore;
mod undo;

use crate::failure::Failure;
use clap::{
    Args,
    Subcommand, //
};

/// Look at earlier states of a disk, and bring them back
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement history info imgrement-sdb
  imgrement history list /dev/sdc --op write --range 2048-4096
  imgrement history cat /dev/sdc --sector 2048,8 --at end-30s | xxd
  imgrement history restore imgrement-sdb --at 'before the upgrade' -o then.img
  imgrement history undo imgrement-sdb --to 'before the upgrade'

LOG is the name of a device that keeps a history now, or the log device, or a copy of it in a file. It is only read. For a
log device or a copy, the module need not be loaded. Several of them are one log if each goes on where the one before ended.")]
pub(crate) struct History {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    Info(info::Info),
    List(list::List),
    Cat(cat::Cat),
    Restore(restore::Restore),
    Undo(undo::Undo),
    Export(export::Export),
}

impl History {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.question {
            Question::Info(info) => info.run(),
            Question::List(list) => list.run(),
            Question::Cat(cat) => cat.run(),
            Question::Restore(restore) => restore.run(),
            Question::Undo(undo) => undo.run(),
            Question::Export(export) => export.run(),
        }
    }
}
