// SPDX-License-Identifier: GPL-2.0

//! What uses a disk: file systems, swap, other block devices, and programs.

use crate::{
    disk::Number,
    failure::Failure, //
};
use std::{
    ffi::OsStr,
    fmt, fs,
    os::unix::ffi::OsStrExt,
    path::{
        Path,
        PathBuf, //
    },
};

/// Something that uses a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The kernel's name for what is used: the disk, or a part of it.
    part: String,
    by: By,
}

/// Who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum By {
    /// A file system, mounted there.
    Mount(PathBuf),
    /// Swap.
    Swap,
    /// A device-mapper device of this name.
    Mapper(String),
    /// Another block device, such as `md0`.
    Block(String),
    /// A process that has it open, and its command.
    Process(u32, String),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = &self.part;
        match &self.by {
            By::Mount(at) => write!(f, "{part} is mounted at {}", at.display()),
            By::Swap => write!(f, "{part} is used as swap"),
            By::Mapper(name) => write!(f, "{part} is used by the device-mapper device {name}"),
            By::Block(name) => write!(f, "{part} is used by {name}"),
            By::Process(pid, command) => write!(f, "{part} is open in process {pid} ({command})"),
        }
    }
}

impl Holder {
    /// How to end this use.
    fn advice(&self) -> String {
        match &self.by {
            By::Mount(at) => format!("Unmount it first: umount \"{}\"", at.display()),
            By::Swap => format!("Switch it off first: swapoff /dev/{}", self.part),
            By::Mapper(name) => format!(
                "Remove {name} first: imgrement detach, vgchange -an (LVM), cryptsetup close or dmsetup remove"
            ),
            By::Block(name) => format!("Stop {name} first; for RAID: mdadm --stop /dev/{name}"),
            By::Process(pid, _) => format!("End that process first: kill {pid}"),
        }
    }
}

/// Says that `what` cannot be done because of these users of the disk; `None` if there are none.
pub(crate) fn refusal(what: &str, holders: &[Holder]) -> Option<Failure> {
    let (first, others) = holders.split_first()?;
    let mut failure = Failure::new(format_args!("cannot {what}: {first}"));

    for other in others {
        failure = failure.next(format_args!("Also: {other}"));
    }
    Some(failure.next(first.advice()))
}

/// All users of this disk that exclude others, as far as they can be seen from here.
pub(crate) fn of(number: Number) -> Vec<Holder> {
    let parts = parts(number);
    let mut holders = Vec::new();
    let mut add = |part: Number, by: By| {
        let holder = Holder {
            part: part.name(),
            by,
        };
        // A file system may be mounted more than once.
        if !holders.contains(&holder) {
            holders.push(holder);
        }
    };
    for (device, at) in mounts() {
        if parts.contains(&device) {
            add(device, By::Mount(at));
        }
    }
    for device in swaps() {
        if parts.contains(&device) {
            add(device, By::Swap);
        }
    }
    for part in &parts {
        for name in entries(&part.folder().join("holders")) {
            let mapper = Path::new("/sys/class/block").join(&name).join("dm/name");
            add(
                *part,
                match fs::read_to_string(mapper) {
                    Ok(mapper) => By::Mapper(mapper.trim_end().to_owned()),
                    Err(_) => By::Block(name),
                },
            );
        }
    }
    holders
}

/// The processes that have it open.
pub(crate) fn processes(number: Number) -> Vec<Holder> {
    let parts = parts(number);
    let mut holders = Vec::new();

    for entry in entries(Path::new("/proc")) {
        let Ok(pid) = entry.parse() else { continue };
        let folder = Path::new("/proc").join(&entry);
        let open = entries(&folder.join("fd"))
            .iter()
            .filter_map(|file| Number::of(&folder.join("fd").join(file)).ok())
            .find(|device| parts.contains(device));
        if let Some(part) = open {
            let command = fs::read_to_string(folder.join("comm")).unwrap_or_default();
            holders.push(Holder {
                part: part.name(),
                by: By::Process(pid, command.trim_end().to_owned()),
            });
        }
    }
    holders
}

/// The disk itself, and its partitions; for a partition, the whole disk.
pub(crate) fn parts(number: Number) -> Vec<Number> {
    let mut parts = vec![number];
    let Ok(folder) = fs::canonicalize(number.folder()) else {
        return parts;
    };
    let number_in = |folder: &Path| Number::read(&fs::read_to_string(folder.join("dev")).ok()?);

    if folder.join("partition").exists() {
        parts.extend(folder.parent().and_then(number_in));
    } else {
        for entry in entries(&folder) {
            let inner = folder.join(entry);
            if inner.join("partition").exists() {
                parts.extend(number_in(&inner));
            }
        }
    }
    parts
}

/// The names in a folder; none if it cannot be read.
fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What is mounted, and where.
fn mounts() -> Vec<(Number, PathBuf)> {
    let text = fs::read("/proc/self/mountinfo").unwrap_or_default();
    text.split(|byte| *byte == b'\n').flat_map(mount).collect()
}

/// The devices of a line of mountinfo: that of the file system, and that of its source. btrfs has a number of its own.
fn mount(line: &[u8]) -> Vec<(Number, PathBuf)> {
    let mut words = line.split(|byte| *byte == b' ');
    let number = words
        .nth(2)
        .and_then(|word| Number::read(std::str::from_utf8(word).ok()?));
    let (Some(number), Some(at)) = (number, words.nth(1).map(path)) else {
        return Vec::new();
    };
    let source = words.skip_while(|word| *word != b"-").nth(2).map(path);
    let source = source.and_then(|source| Number::of(&source).ok());
    let mut devices = vec![(number, at.clone())];
    devices.extend(
        source
            .filter(|source| *source != number)
            .map(|source| (source, at)),
    );
    devices
}

/// The devices that are swapped to.
fn swaps() -> Vec<Number> {
    let text = fs::read("/proc/swaps").unwrap_or_default();
    text.split(|byte| *byte == b'\n')
        .skip(1)
        .filter_map(|line| line.split(u8::is_ascii_whitespace).next())
        .filter_map(|word| Number::of(&path(word)).ok())
        .collect()
}

/// A path of such a file, in which some bytes are octal: `\040`.
fn path(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = word;

    while let Some((&first, after)) = rest.split_first() {
        let octal = (first == b'\\')
            .then(|| after.get(..3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(octal.unwrap_or(first));
        rest = match octal {
            Some(_) => after.get(3..).unwrap_or_default(),
            None => after,
        };
    }
    PathBuf::from(OsStr::from_bytes(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_read() {
        let line = b"36 25 8:17 / /mnt/a\\040b rw,noatime shared:1 - ext4 /none rw";
        let number = Number::read("8:17").unwrap_or_default();
        assert_eq!(mount(line), [(number, PathBuf::from("/mnt/a b"))]);
        assert_eq!(mount(b""), []);
        assert_eq!(mount(b"36 25 8:17 /"), []);
    }

    #[test]
    fn paths_are_unescaped() {
        assert_eq!(path(b"/a\\134b\\012"), Path::new("/a\\b\n"));
        assert_eq!(path(b"/a\\9\\04"), Path::new("/a\\9\\04"));
    }

    #[test]
    fn advice_names_what_to_stop() {
        let holder = Holder {
            part: "sdb1".into(),
            by: By::Mount("/mnt".into()),
        };
        assert_eq!(holder.to_string(), "sdb1 is mounted at /mnt");
        assert_eq!(holder.advice(), "Unmount it first: umount \"/mnt\"");
    }
}
