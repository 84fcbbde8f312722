// SPDX-License-Identifier: GPL-2.0

//! The command `imgrement`: `commands` has one thin file for each subcommand, and the other modules do the work.
//!
//! `unsafe` is in four files, each of which says why at its top: `dm/call.rs`, `loop_device/call.rs`,
//! `record/allocator.rs` and `udev/semaphore.rs`.

mod calendar;
mod clock;
pub mod commands;
mod confirm;
mod disk;
mod dm;
pub mod export;
mod failure;
mod filter;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod history;
mod holders;
mod kernel_log;
mod log_device;
mod loop_device;
mod message;
mod new_file;
mod options;
mod output;
mod period;
mod plot;
mod progress;
mod record;
pub mod recording;
mod report;
mod settings;
pub mod shapes;
mod target;
mod top;
mod trace;
mod udev;
mod words;

pub use self::failure::Failure;

use clap::Parser;
use std::process::ExitCode;

/// Runs the command line of this process, and returns the exit status: 0 for done, 1 for a failure, 2 for a wrong
/// command line.
pub fn run() -> ExitCode {
    let cli = match commands::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // If nobody reads it, that is no failure.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
