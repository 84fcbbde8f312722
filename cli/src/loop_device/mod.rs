// SPDX-License-Identifier: GPL-2.0

//! Loop devices: a file as a block device.

mod call;

use crate::failure::Failure;
use rustix::{
    fs::OFlags,
    io::Errno, //
};
use std::{
    fs::{
        self,
        File,
        OpenOptions, //
    },
    io,
    os::{
        fd::AsFd,
        unix::fs::OpenOptionsExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
    process::Command,
};

/// The node that gives out free devices.
const CONTROL: &str = "/dev/loop-control";

/// How often a device that was free is taken by someone else before it is ours.
const TRIES: u32 = 100;

/// A loop device that goes when its last user closes it, which may be this.
#[derive(Debug)]
pub(crate) struct Loop {
    /// Its node.
    pub(crate) path: PathBuf,
    _open: File,
}

impl Loop {
    /// Makes one of a file. Its reads and writes go past the page cache where the file system can do that: otherwise,
    /// memory that is written back for the log could wait for the log itself.
    pub(crate) fn of(path: &Path) -> Result<Self, Failure> {
        let what = format!("make a loop device of {}", path.display());
        let failed = |error: io::Error| Failure::new(format_args!("cannot {what}: {error}"));
        let mut options = File::options();
        options.read(true).write(true);
        let (file, direct) = match options
            .clone()
            .custom_flags(OFlags::DIRECT.bits() as i32)
            .open(path)
        {
            Ok(file) => (file, true),
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                (options.open(path).map_err(failed)?, false)
            }
            Err(error) => return Err(failed(error)),
        };
        let control = control(&options).map_err(|error| {
            failed(error)
                .next("The kernel may have no loop devices. Load them as root: modprobe loop")
        })?;
        for _ in 0..TRIES {
            let number = call::free(control.as_fd()).map_err(|error| failed(error.into()))?;
            let path = PathBuf::from(format!("/dev/loop{number}"));
            let device = options.open(&path).map_err(failed)?;
            match call::configure(device.as_fd(), file.as_fd(), direct) {
                Ok(()) => {
                    return Ok(Self {
                        path,
                        _open: device,
                    })
                }
                // Someone else was faster.
                Err(Errno::BUSY) => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        Err(failed(Errno::BUSY.into()))
    }
}

/// Opens the control node. Without udev, it is there only when the module is.
fn control(options: &OpenOptions) -> io::Result<File> {
    match options.open(CONTROL) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // If this fails, the node is still missing.
            let _ = Command::new("modprobe").arg("loop").output();
            options.open(CONTROL)
        }
        opened => opened,
    }
}

/// The file of a loop device; `None` if it is none.
pub(crate) fn file_of(folder: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(folder.join("loop/backing_file")).ok()?;
    Some(PathBuf::from(text.trim_end_matches('\n')))
}
