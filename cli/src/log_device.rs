// SPDX-License-Identifier: GPL-2.0

//! The log device of a history.

use crate::{
    disk::{
        Disk,
        Number, //
    },
    failure::Failure,
    holders::{
        self,
        refusal, //
    },
};
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::Path, //
};

/// Finds the log device of a history of `disk`. `text` is its path, or its number as `8:32`.
///
/// # Errors
///
/// It is no block device, it is in use, or it shares blocks with `disk`.
pub(crate) fn find(text: &[u8], disk: &Disk) -> Result<Disk, Failure> {
    let path = Path::new(OsStr::from_bytes(text));
    let what = format!("keep a history on {}", path.display());
    let log = match path.to_str().and_then(Number::read) {
        Some(number) => Disk::of(number, path)?,
        None => Disk::find(path)?,
    };
    if holders::parts(disk.number).contains(&log.number) {
        return Err(Failure::new(format_args!(
            "cannot {what}: it shares blocks with {}, whose history it would be",
            disk.name
        ))
        .next("Give another disk, or a partition that nothing uses. To list them: lsblk"));
    }
    match refusal(&what, &holders::of(log.number)) {
        Some(failure) => Err(failure),
        None => Ok(log),
    }
}
