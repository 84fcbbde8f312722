// SPDX-License-Identifier: GPL-2.0

//! Our targets among all of device-mapper's.

use crate::{
    disk::Number,
    dm::{
        no_permission,
        Control,
        Device,
        Row,
        FOLDER, //
    },
    failure::Failure,
    settings::{
        self,
        Std, //
    },
};
use imgrement_core::config::table::Table;
use rustix::io::Errno;
use std::path::Path;

/// The kind of our targets in tables.
pub(crate) const KIND: &str = "imgrement";

/// A target of ours.
pub(crate) struct Target {
    /// The mapped device that it belongs to.
    pub(crate) device: Device,
    /// Its first sector of the mapped device.
    pub(crate) start: u64,
    /// Its sectors.
    pub(crate) length: u64,
    /// The disk below.
    pub(crate) disk: Number,
    /// Its first sector of the disk below.
    pub(crate) offset: u64,
    /// Its arguments.
    pub(crate) table: Table<Std>,
}

impl Target {
    /// Reads the arguments of a row of a table; `None` if they are not as `dmsetup table` prints them.
    fn read(device: &Device, row: &Row) -> Option<Self> {
        let words: Vec<_> = row.text.split(' ').map(str::to_owned).collect();
        let (disk, rest) = words.split_first()?;
        let (offset, rest) = rest.split_first()?;
        // The count of the words that follow.
        let (_, arguments) = rest.split_first()?;

        Some(Self {
            device: device.clone(),
            start: row.start,
            length: row.length,
            disk: Number::read(disk)?,
            offset: offset.parse().ok()?,
            table: settings::read(arguments).ok()?,
        })
    }

    /// The log device of its history.
    pub(crate) fn log(&self) -> Option<Number> {
        let history = self.table.params.history.as_ref()?;
        Number::read(std::str::from_utf8(history.as_bytes()).ok()?)
    }

    /// The name of its device; with its first sector if it does not begin at 0.
    pub(crate) fn shown(&self) -> String {
        match self.start {
            0 => self.device.name.clone(),
            start => format!("{}@{start}", self.device.name),
        }
    }
}

/// All targets of ours, sorted by name.
pub(crate) fn all(control: &Control) -> Result<Vec<Target>, Failure> {
    let mut names = control
        .names()
        .map_err(|error| explain("list the devices", error))?;
    let mut targets = Vec::new();

    names.sort();
    for name in names {
        match of_device(control, &name) {
            Ok(found) => targets.extend(found),
            // It has been removed meanwhile.
            Err(Errno::NXIO) => {}
            Err(error) => return Err(explain(&format!("read the table of {name}"), error)),
        }
    }
    Ok(targets)
}

/// The targets of one device, which must have one of ours. `name` may be a path.
pub(crate) fn named(control: &Control, name: &str) -> Result<Vec<Target>, Failure> {
    let name = device_name(name);
    match of_device(control, &name) {
        Ok(targets) if !targets.is_empty() => Ok(targets),
        Ok(_) => Err(Failure::new(format_args!(
            "{name} is a device of another kind, not imgrement's"
        ))
        .next("To list imgrement's devices: imgrement list")),
        Err(Errno::NXIO) => Err(Failure::new(format_args!("there is no device {name}"))
            .next("To list the devices: imgrement list")),
        Err(error) => Err(explain(&format!("read the table of {name}"), error)),
    }
}

fn of_device(control: &Control, name: &str) -> Result<Vec<Target>, Errno> {
    let device = control.device(name)?;
    let rows = control.table(name)?;
    let ours = rows.iter().filter(|row| row.kind == KIND);
    ours.map(|row| Target::read(&device, row).ok_or(Errno::PROTO))
        .collect()
}

/// The name of a device, from its name or its path.
fn device_name(name: &str) -> String {
    let path = Path::new(name);
    let inner = path.strip_prefix(FOLDER).ok().and_then(Path::to_str);

    match inner {
        Some(inner) => inner.to_owned(),
        None if name.contains('/') => Number::of(path)
            .ok()
            .and_then(|number| number.attribute("dm/name"))
            .unwrap_or_else(|| name.to_owned()),
        None => name.to_owned(),
    }
}

/// What an error of device-mapper means. For errors that the kernel's log does not explain.
pub(crate) fn explain(what: &str, error: Errno) -> Failure {
    match error {
        Errno::ACCESS | Errno::PERM => no_permission(),
        Errno::NXIO => Failure::new(format_args!("cannot {what}: the device is gone"))
            .next("To list the devices: imgrement list"),
        Errno::PROTO => Failure::new(format_args!(
            "cannot {what}: the module has another version than this command"
        ))
        .next(
            "Install the command and the module from the same source, and load the module again.",
        ),
        _ => Failure::new(format_args!("cannot {what}: {error}"))
            .next("The kernel's log may say more: dmesg"),
    }
}
