// SPDX-License-Identifier: GPL-2.0

//! Asks before something is destroyed.

use crate::failure::Failure;
use std::io::{
    self,
    IsTerminal,
    Write, //
};

/// Asks on a terminal whether to do `what`. Elsewhere, `--yes` must have been given.
pub(crate) fn confirm(what: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(
            Failure::usage(format_args!("{what}: this needs a confirmation"))
                .next("Nothing was written. To confirm it: --yes"),
        );
    }
    let mut err = io::stderr().lock();
    write!(err, "imgrement: {what}. Go on? [y/N] ")?;
    err.flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    match line.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::new("nothing was written")),
    }
}
