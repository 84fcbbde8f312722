// SPDX-License-Identifier: GPL-2.0

//! `imgrement list`.

use crate::{
    dm::Control,
    failure::Failure,
    output::{
        columns,
        print,
        print_json,
        size, //
    },
    target::{
        all,
        Target, //
    },
};
use clap::Args;
use serde::Serialize;

/// List the devices that are attached
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement list
  imgrement list --json")]
pub(crate) struct List {
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// What is known about a target.
#[derive(Serialize)]
pub(super) struct About {
    /// The name of the device.
    name: String,
    /// Its number.
    device: String,
    /// The kernel's name for the disk below.
    disk: String,
    /// The number of the disk below.
    disk_device: String,
    /// The target's first sector of the mapped device, and of the disk below.
    start: u64,
    offset: u64,
    /// How many sectors it has.
    sectors: u64,
    suspended: bool,
    readonly: bool,
}

impl About {
    pub(super) fn of(target: &Target) -> Self {
        Self {
            name: target.device.name.clone(),
            device: target.device.number.to_string(),
            disk: target.disk.name(),
            disk_device: target.disk.to_string(),
            start: target.start,
            offset: target.offset,
            sectors: target.length,
            suspended: target.device.suspended,
            readonly: target.device.readonly,
        }
    }
}

/// `active`, `suspended`; `read-only`.
pub(super) fn state(target: &Target) -> String {
    let state = if target.device.suspended {
        "suspended"
    } else {
        "active"
    };
    let readonly = if target.device.readonly {
        ", read-only"
    } else {
        ""
    };
    format!("{state}{readonly}")
}

impl List {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let targets = all(&Control::open()?)?;

        if self.json {
            return print_json(&targets.iter().map(About::of).collect::<Vec<_>>());
        }
        if targets.is_empty() {
            return print("Nothing is attached. To attach a disk: imgrement attach DEVICE\n");
        }
        let mut rows = vec![["NAME", "DISK", "SIZE", "STATE"]
            .map(str::to_owned)
            .to_vec()];
        rows.extend(targets.iter().map(|target| {
            vec![
                target.shown(),
                target.disk.name(),
                size(target.length),
                state(target),
            ]
        }));
        print(&columns(&rows))
    }
}
