// SPDX-License-Identifier: GPL-2.0

//! The kernel's log. device-mapper's calls only return an errno. The reason is in the log.

use crate::disk::Number;
use std::{
    fs::File,
    io::{
        Read,
        Seek,
        SeekFrom, //
    },
    os::unix::fs::OpenOptionsExt,
};

/// The lines that the log gets from now on.
pub(crate) struct KernelLog {
    /// `None` if it cannot be read.
    file: Option<File>,
}

impl KernelLog {
    /// From now on.
    pub(crate) fn from_here() -> Self {
        let opened = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg");
        let file = opened.and_then(|mut file| {
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        });
        Self { file: file.ok() }
    }

    /// The reason that was given for refusing something of this device.
    pub(crate) fn reason(mut self, number: Number) -> Option<String> {
        let file = self.file.as_mut()?;
        let mut records = Vec::new();
        let mut record = [0; 8192];

        // One read returns one record. At the end there is an error, EAGAIN.
        while let Ok(length) = file.read(&mut record) {
            let bytes = record.get(..length).filter(|bytes| !bytes.is_empty());
            let Some(bytes) = bytes else { break };
            records.push(String::from_utf8_lossy(bytes).into_owned());
        }
        reason(records.iter().filter_map(|record| text(record)), number)
    }
}

/// The text of a record: `LEVEL,NUMBER,TIME,...;TEXT`, and further lines that begin with a space.
fn text(record: &str) -> Option<&str> {
    record.split_once(';')?.1.lines().next()
}

/// Chooses the line to show: our own, which says the most, or else device-mapper's.
fn reason<'a>(lines: impl Iterator<Item = &'a str> + Clone, number: Number) -> Option<String> {
    let ours = format!("imgrement: {number}: ");
    let theirs = [
        format!("device-mapper: table: {number}: "),
        format!("device-mapper: ioctl: {number}: "),
    ];
    // That others also use the disk is not the reason.
    let own = lines
        .clone()
        .filter_map(|line| line.strip_prefix(&ours))
        .find(|line| !line.contains(": also used by "));
    let other = || {
        let mut lines = lines.clone();
        lines.find_map(|line| theirs.iter().find_map(|theirs| line.strip_prefix(theirs)))
    };
    own.or_else(other).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_line_is_the_reason() {
        let number = Number::read("253:1").unwrap_or_default();
        let records = [
            "4,1,2,-;imgrement: 253:0: of another device",
            "4,1,2,-;imgrement: 253:1: sdb: also used by dm-1; what passes there is not seen here",
            "3,1,2,-;device-mapper: table: 253:1: imgrement: Invalid label (-EINVAL)\n SUBSYSTEM=x",
            "3,1,2,-;imgrement: 253:1: label : empty\n DEVICE=y",
        ];
        let lines = records.iter().filter_map(|record| text(record));
        assert_eq!(
            reason(lines.clone(), number).as_deref(),
            Some("label : empty")
        );
        assert_eq!(
            reason(lines.take(3), number).as_deref(),
            Some("imgrement: Invalid label (-EINVAL)")
        );
        assert_eq!(reason([].into_iter(), number), None);
    }
}
