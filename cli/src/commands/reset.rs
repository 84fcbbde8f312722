// SPDX-License-Identifier: GPL-2.0

//! `imgrement reset`.

use crate::{
    dm::Control,
    failure::Failure,
    message::send,
    target::named, //
};
use clap::Args;

/// Set all counters to 0
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement reset imgrement-sdb")]
pub(crate) struct Reset {
    /// The name of the device, or its path
    name: String,
}

impl Reset {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let control = Control::open()?;

        for target in named(&control, &self.name)? {
            let what = format!("reset {}", target.device.name);
            send(&control, &target, &["reset".to_owned()], &what)?;
        }
        Ok(())
    }
}
