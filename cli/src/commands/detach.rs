// SPDX-License-Identifier: GPL-2.0

//! `imgrement detach`.

use crate::{
    dm::Control,
    failure::Failure,
    holders::{
        self,
        refusal, //
    },
    loop_device,
    output::print,
    target::{
        explain,
        named,
        Target, //
    },
};
use clap::Args;
use rustix::io::Errno;
use std::{
    path::PathBuf,
    thread,
    time::{
        Duration,
        Instant, //
    },
};

/// How long to wait for programs that have a new device open for a moment, such as udev's.
const PATIENCE: Duration = Duration::from_secs(3);

/// Remove a device that attach has made: use the disk itself again
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement detach imgrement-sdb
  imgrement detach /dev/mapper/data

It refuses a device that is mounted or in use, and names who uses it.")]
pub(crate) struct Detach {
    /// The name of the device, or its path
    name: String,
}

impl Detach {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let control = Control::open()?;
        let targets = named(&control, &self.name)?;
        let Some(device) = targets.first().map(|target| &target.device) else {
            return Ok(());
        };
        let what = format!("detach {}", device.name);
        let from = Instant::now();
        let files: Vec<_> = targets.iter().filter_map(history_file).collect();

        loop {
            match control.remove(device) {
                Ok(()) => {
                    let say = |file: &PathBuf| format!("The history is in {}\n", file.display());
                    return print(&files.iter().map(say).collect::<String>());
                }
                Err(Errno::BUSY) => {}
                Err(error) => return Err(explain(&what, error)),
            }
            let mut holders = holders::of(device.number);
            if holders.is_empty() && from.elapsed() < PATIENCE {
                thread::sleep(Duration::from_millis(100));
                continue;
            }
            holders.extend(holders::processes(device.number));
            return Err(refusal(&what, &holders).unwrap_or_else(|| {
                Failure::new(format_args!("cannot {what}: it is in use"))
                    .next("Who uses it cannot be seen from here. It may be mounted in a container.")
            }));
        }
    }
}

/// The file in which a target keeps its history.
fn history_file(target: &Target) -> Option<PathBuf> {
    loop_device::file_of(&target.log()?.folder())
}
