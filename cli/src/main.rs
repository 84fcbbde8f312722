// SPDX-License-Identifier: GPL-2.0

//! The command `imgrement`.

use std::process::ExitCode;

fn main() -> ExitCode {
    imgrement_cli::run()
}
