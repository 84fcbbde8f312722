// SPDX-License-Identifier: GPL-2.0

//! The command line: one file for each subcommand.

mod attach;
mod detach;
mod export;
mod history;
mod list;
mod mark;
mod pattern;
mod plot;
mod record;
mod report;
mod reset;
mod set;
mod status;
mod top;
mod watch;

use crate::failure::Failure;
use clap::{
    Parser,
    Subcommand, //
};

/// See what reaches a disk.
#[derive(Debug, Parser)]
#[command(
    name = "imgrement",
    version,
    disable_help_subcommand = true,
    about = "See what reaches a disk: set up, change and look at imgrement's targets",
    after_help = "\
Examples:
  imgrement attach /dev/sdb                  # use /dev/mapper/imgrement-sdb from now on
  imgrement set imgrement-sdb pattern=secret
  imgrement status
  imgrement detach imgrement-sdb

Exit status: 0 done, 1 not done, 2 wrong command line."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Attach(attach::Attach),
    Detach(detach::Detach),
    List(list::List),
    Status(status::Status),
    Set(set::Set),
    Pattern(pattern::Pattern),
    Reset(reset::Reset),
    Mark(mark::Mark),
    Plot(plot::Plot),
    Watch(watch::Watch),
    Record(record::Record),
    Report(report::Report),
    Export(export::Export),
    History(history::History),
    Top(top::Top),
}

impl Cli {
    /// Does what was asked.
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Attach(attach) => attach.run(),
            Command::Detach(detach) => detach.run(),
            Command::List(list) => list.run(),
            Command::Status(status) => status.run(),
            Command::Set(set) => set.run(),
            Command::Pattern(pattern) => pattern.run(),
            Command::Reset(reset) => reset.run(),
            Command::Mark(mark) => mark.run(),
            Command::Plot(plot) => plot.run(),
            Command::Watch(watch) => watch.run(),
            Command::Record(record) => record.run(),
            Command::Report(report) => report.run(),
            Command::Export(export) => export.run(),
            Command::History(history) => history.run(),
            Command::Top(top) => top.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_help_has_examples() {
        let cli = Cli::command();
        let history = cli.find_subcommand("history").into_iter();
        for command in cli
            .get_subcommands()
            .chain(history.flat_map(clap::Command::get_subcommands))
        {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.contains("Examples:\n  imgrement "),
                "{}",
                command.get_name()
            );
        }
    }
}
