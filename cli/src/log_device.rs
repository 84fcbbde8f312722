// SPDX-License-Identifier: GPL-2.0

//! The log device of a history, which may be a loop device of a file.

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
    loop_device::Loop,
};
use imgrement_core::record::SECTOR_SIZE;
use std::{
    ffi::OsStr,
    fs::{
        self,
        File, //
    },
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{
            MetadataExt,
            OpenOptionsExt, //
        },
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// The size of a file is a multiple of this.
const BLOCK: u64 = 4096;

/// The log device of a history.
pub(crate) struct LogDevice {
    /// Its number.
    pub(crate) number: Number,
    /// It is a loop device of a file. It goes with its last user.
    file: Option<LogFile>,
}

/// The file of a log device.
struct LogFile {
    path: PathBuf,
    /// It was made here, and nothing is in it yet.
    new: bool,
    _device: Loop,
}

impl LogDevice {
    /// A target uses it now: a file that was made for it stays.
    pub(crate) fn keep(mut self) {
        if let Some(file) = &mut self.file {
            file.new = false;
        }
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        if self.new {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Finds the log device of a history of `disk`. `text` is its path, its number as `8:32`, or the path of a file. A file
/// that is not there is made, with `size` bytes, or the size of the disk.
///
/// # Errors
///
/// It is no block device and no file, it is in use, or it shares blocks with `disk`.
pub(crate) fn find(text: &[u8], disk: &Disk, size: Option<u64>) -> Result<LogDevice, Failure> {
    let path = Path::new(OsStr::from_bytes(text));
    let what = format!("keep a history on {}", path.display());
    let number = path.to_str().and_then(Number::read);
    if number.is_none() && is_file(path) {
        return in_file(path, disk, size, &what);
    }
    if size.is_some() {
        return Err(Failure::usage(
            "--history-size is for a history in a file only",
        ));
    }
    let log = match number {
        Some(number) => Disk::of(number, path)?,
        None => Disk::find(path)?,
    };
    if holders::parts(disk.number).contains(&log.number) {
        return Err(shares(&what, disk)
            .next("Give another disk, or a partition that nothing uses. To list them: lsblk"));
    }
    match refusal(&what, &holders::of(log.number)) {
        Some(failure) => Err(failure),
        None => Ok(LogDevice {
            number: log.number,
            file: None,
        }),
    }
}

fn shares(what: &str, disk: &Disk) -> Failure {
    Failure::new(format_args!(
        "cannot {what}: it shares blocks with {}, whose history it would be",
        disk.name
    ))
}

/// Whether it is a file, or could become one. What is not there in /dev is a mistake.
fn is_file(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(about) => about.is_file(),
        Err(error) => {
            let folder = folder(path).canonicalize();
            error.kind() == io::ErrorKind::NotFound
                && folder.is_ok_and(|folder| !folder.starts_with("/dev"))
        }
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => Path::new("/"),
    }
}

/// Makes a loop device of a file.
fn in_file(path: &Path, disk: &Disk, size: Option<u64>, what: &str) -> Result<LogDevice, Failure> {
    let failed = |error: io::Error| Failure::new(format_args!("cannot {what}: {error}"));
    let about = fs::metadata(folder(path)).map_err(failed)?;
    if holders::parts(disk.number).contains(&Number::from_system(about.dev())) {
        return Err(shares(what, disk).next("Give a file on another disk."));
    }
    let all = disk.sectors.saturating_mul(SECTOR_SIZE);
    let mut options = File::options();
    // A log holds what was written to the disk.
    options.write(true).mode(0o600);
    let new = match options.clone().create_new(true).open(path) {
        Ok(file) => {
            let size = size.unwrap_or(all).next_multiple_of(BLOCK);
            file.set_len(size).map_err(|error| {
                let _ = fs::remove_file(path);
                failed(error)
            })?;
            true
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let length = fs::metadata(path).map_err(failed)?.len();
            if size.is_some_and(|size| size != length) {
                return Err(Failure::new(format_args!(
                    "cannot {what}: the file exists, and has {length} bytes"
                ))
                .next("To go on with it, leave out --history-size. To begin a new one, choose another name."));
            }
            false
        }
        Err(error) => return Err(failed(error)),
    };
    let device = Loop::of(path).inspect_err(|_| {
        if new {
            let _ = fs::remove_file(path);
        }
    })?;
    let number = Number::of(&device.path).map_err(failed)?;
    Ok(LogDevice {
        number,
        file: Some(LogFile {
            path: path.to_owned(),
            new,
            _device: device,
        }),
    })
}
