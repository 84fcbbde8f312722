// SPDX-License-Identifier: GPL-2.0

//! Block devices, as sysfs shows them.

use crate::failure::Failure;
use std::{
    fmt, fs, io,
    os::unix::fs::{
        FileTypeExt,
        MetadataExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// The number of a block device. It prints as `8:16`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number {
    major: u32,
    minor: u32,
}

impl Number {
    /// From the kernel's own encoding, which device-mapper uses (`huge_encode_dev`).
    pub(crate) fn from_kernel(number: u64) -> Self {
        Self::from_system(number)
    }

    /// From a `dev_t` of the C library.
    pub(crate) fn from_system(number: u64) -> Self {
        Self {
            major: libc::major(number),
            minor: libc::minor(number),
        }
    }

    /// As a `dev_t` of the C library.
    pub(crate) fn to_system(self) -> u64 {
        libc::makedev(self.major, self.minor)
    }

    /// The number of the node at `path`.
    ///
    /// # Errors
    ///
    /// There is no such file, or it is no block device.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        match about.file_type().is_block_device() {
            true => Ok(Self::from_system(about.rdev())),
            false => Err(io::Error::from(io::ErrorKind::InvalidInput)),
        }
    }

    /// As in the kernel's trace events (`MKDEV`): the major number times 2^20, plus the minor number.
    pub(crate) fn to_event(self) -> u64 {
        u64::from(self.major) << 20 | u64::from(self.minor)
    }

    /// Reads `8:16`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once(':')?;
        Some(Self {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
        })
    }

    /// Its folder in sysfs.
    pub(crate) fn folder(self) -> PathBuf {
        Path::new("/sys/dev/block").join(self.to_string())
    }

    /// The kernel's name for it, `sdb`; its number if it has none any more.
    pub(crate) fn name(self) -> String {
        let folder = fs::canonicalize(self.folder()).ok();
        let name = folder.as_deref().and_then(Path::file_name);
        name.map_or_else(
            || self.to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// The text of a file in its folder.
    pub(crate) fn attribute(self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.folder().join(name)).ok()?;
        Some(text.trim_end().to_owned())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

/// A disk or a partition.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    /// Its number.
    pub(crate) number: Number,
    /// The kernel's name for it: `sdb`, `sdb1`.
    pub(crate) name: String,
    /// Its size, in 512-byte sectors.
    pub(crate) sectors: u64,
    /// Whether nobody can write to it.
    pub(crate) readonly: bool,
}

impl Disk {
    /// The disk or partition at `path`.
    pub(crate) fn find(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let number = Number::of(path).map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidInput {
                let failure = Failure::new(format_args!("{shown} is not a block device"));
                return match path.is_file() {
                    true => failure.next(format_args!(
                        "Make a loop device of it first: losetup --find --show {shown}"
                    )),
                    false => failure.next("To list the disks: lsblk"),
                };
            }
            Failure::new(format_args!("cannot find {shown}: {error}"))
                .next("To list the disks: lsblk")
        })?;
        Self::of(number, path)
    }

    /// The disk or partition of this number, which a person knows as `path`.
    pub(crate) fn of(number: Number, path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let sectors = number.attribute("size").and_then(|size| size.parse().ok());
        match sectors {
            Some(sectors) if sectors > 0 => Ok(Self {
                number,
                name: number.name(),
                sectors,
                readonly: number.attribute("ro").is_some_and(|ro| ro == "1"),
            }),
            Some(_) => Err(Failure::new(format_args!("{shown} has no size"))
                .next("It may be a drive without a medium, or a loop device without a file.")),
            None => Err(Failure::new(format_args!("{shown} refers to no disk"))
                .next("It may have been unplugged. To list the disks: lsblk")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_kernels() {
        // huge_encode_dev: the minor's low byte, the major, the rest of the minor.
        let number = Number::from_kernel((300 & 0xff) | (253 << 8) | ((300 & !0xff) << 12));
        assert_eq!(number.to_string(), "253:300");
        assert_eq!(Number::read("253:300\n"), Some(number));
        assert_eq!(Number::read("253"), None);
        assert_eq!(Number::from_system(number.to_system()), number);
    }
}
