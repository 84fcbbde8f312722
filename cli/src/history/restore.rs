// SPDX-License-Identifier: GPL-2.0

//! `imgrement history restore`: writes what the disk held to a file or a device.

use super::{
    copy::{
        Counts,
        Part, //
    },
    source::Source,
    state::State, //
};
use crate::{
    disk::Disk,
    failure::Failure,
    holders::{
        self,
        refusal, //
    },
    new_file::{
        cannot_write,
        NewFile, //
    },
    output::bytes,
};
use imgrement_core::record::SECTOR_SIZE;
use rustix::{
    fs::{
        fallocate,
        FallocateFlags,
        OFlags, //
    },
    io::Errno,
};
use std::{
    fs::{
        self,
        File, //
    },
    io,
    ops::Range,
    os::unix::fs::{
        FileExt,
        FileTypeExt,
        OpenOptionsExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// Runs of zeroes of this length are holes in a file.
const HOLE: usize = 4096;

/// What is restored to.
#[derive(Debug)]
pub(crate) struct Output {
    to: To,
    path: PathBuf,
    /// From this byte on, nothing was written yet: a file is a hole there.
    end: u64,
}

#[derive(Debug)]
enum To {
    File(NewFile),
    /// A block device, in which zeroes must be written.
    Device(File),
}

/// Whether there is a block device at a path.
pub(crate) fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.file_type().is_block_device())
}

impl Output {
    /// Opens a new file, or a block device that nobody uses and that has room for this many bytes. Replaces a file only if
    /// `overwrite`.
    pub(crate) fn open(path: &Path, size: u64, overwrite: bool) -> Result<Self, Failure> {
        match is_device(path) {
            true => Self::device(path, size),
            false => Self::new_file(path, size, overwrite),
        }
    }

    fn device(path: &Path, size: u64) -> Result<Self, Failure> {
        let what = format!("restore to {}", path.display());
        let disk = Disk::find(path)?;
        if let Some(failure) = refusal(&what, &holders::of(disk.number)) {
            return Err(failure);
        }
        if disk.sectors.saturating_mul(SECTOR_SIZE) < size {
            return Err(Failure::new(format_args!(
                "cannot {what}: it has {}, and the disk of the log has {}",
                bytes(disk.sectors.saturating_mul(SECTOR_SIZE)),
                bytes(size)
            )));
        }
        let mut options = File::options();
        options.read(true).write(true);
        options.custom_flags(OFlags::EXCL.bits() as i32);
        let file = options.open(path).map_err(|error| {
            if error.kind() == io::ErrorKind::ResourceBusy {
                if let Some(failure) = refusal(&what, &holders::processes(disk.number)) {
                    return failure;
                }
            }
            Failure::new(format_args!("cannot {what}: {error}"))
        })?;
        Ok(Self {
            to: To::Device(file),
            path: path.to_owned(),
            end: 0,
        })
    }

    fn new_file(path: &Path, size: u64, overwrite: bool) -> Result<Self, Failure> {
        if path.exists() && !path.is_file() {
            return Err(Failure::new(format_args!(
                "cannot write {}: it is neither a file nor a block device",
                path.display()
            )));
        }
        let new = NewFile::open(path, overwrite)?;
        new.file()
            .set_len(size)
            .map_err(|error| cannot_write(path, &error))?;
        Ok(Self {
            to: To::File(new),
            path: path.to_owned(),
            end: 0,
        })
    }

    fn file(&self) -> &File {
        match &self.to {
            To::File(new) => new.file(),
            To::Device(device) => device,
        }
    }

    /// Writes a part. A file has holes where there are zeroes.
    pub(crate) fn write(&mut self, at: u64, part: Part<'_>) -> Result<(), Failure> {
        let written = match (part, &self.to) {
            (Part::Zeroes(count), To::Device(_)) => self.zeroes(at, count),
            (Part::Zeroes(count), To::File(_)) => self.hole(at, count),
            (Part::Bytes(bytes), To::Device(device)) => device.write_all_at(bytes, at),
            (Part::Bytes(bytes), To::File(_)) => self.sparse(at, bytes),
        };
        let length = match part {
            Part::Zeroes(count) => count,
            Part::Bytes(bytes) => bytes.len() as u64,
        };
        self.end = self.end.max(at.saturating_add(length));
        written.map_err(|error| cannot_write(&self.path, &error))
    }

    fn zeroes(&self, mut at: u64, mut count: u64) -> io::Result<()> {
        let zeroes = vec![0; 1 << 20];
        while count > 0 {
            let part = zeroes
                .get(
                    ..usize::try_from(count)
                        .unwrap_or(usize::MAX)
                        .min(zeroes.len()),
                )
                .unwrap_or(&zeroes);
            self.file().write_all_at(part, at)?;
            at = at.saturating_add(part.len() as u64);
            count = count.saturating_sub(part.len() as u64);
        }
        Ok(())
    }

    /// Makes a hole in a file. It may have been written before.
    fn hole(&self, at: u64, count: u64) -> io::Result<()> {
        if at >= self.end {
            return Ok(());
        }
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match fallocate(self.file(), flags, at, count) {
            Ok(()) => Ok(()),
            // Not each file system has holes.
            Err(Errno::OPNOTSUPP) => self.zeroes(at, count),
            Err(error) => Err(error.into()),
        }
    }

    fn sparse(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut run = 0..0;
        let mut zero = false;
        for block in bytes.chunks(HOLE) {
            let now = is_zero(block);
            if now != zero {
                self.run(at, bytes, &run, zero)?;
                run.start = run.end;
                zero = now;
            }
            run.end += block.len();
        }
        self.run(at, bytes, &run, zero)
    }

    fn run(&self, at: u64, bytes: &[u8], run: &Range<usize>, zero: bool) -> io::Result<()> {
        let at = at.saturating_add(run.start as u64);
        match bytes.get(run.clone()) {
            Some([]) | None => Ok(()),
            Some(part) if zero => self.hole(at, part.len() as u64),
            Some(part) => self.file().write_all_at(part, at),
        }
    }

    /// Makes it durable, and keeps it.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.file()
            .sync_all()
            .map_err(|error| cannot_write(&self.path, &error))?;
        match &mut self.to {
            To::File(new) => new.keep(),
            To::Device(_) => Ok(()),
        }
    }
}

/// Whether all bytes are zero. The compiler compares many at a time.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(64)
        .all(|part| part.iter().fold(0, |all, byte| all | byte) == 0)
}

/// Where the bytes came from, for a person.
pub(crate) fn sources(counts: &Counts) -> String {
    let parts = [
        (counts.log, "from the log"),
        (counts.zeroes, "zeroes"),
        (counts.disk, "from the disk"),
        (counts.base, "from the base"),
        (counts.unknown, "unknown, taken for zeroes"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(sectors, _)| *sectors > 0)
        .map(|(sectors, what)| format!("{} {what}", bytes(sectors.saturating_mul(SECTOR_SIZE))))
        .collect();
    parts.join(", ")
}

/// Fails unless an image is as large as the disk of the log.
pub(crate) fn check_size(source: &Source, offset: u64, state: &State) -> Result<(), Failure> {
    let wanted = state.log.sectors().saturating_mul(SECTOR_SIZE);
    match source.size().saturating_sub(offset) < wanted {
        true => Err(Failure::new(format_args!(
            "{} is too small: {} are missing",
            source.path().display(),
            bytes(wanted - source.size().saturating_sub(offset))
        ))
        .next("Give the disk that the log is about, or an image of it.")),
        false => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_zero_later_is_zero() {
        let path = std::env::temp_dir().join(format!("imgrement-output-{}", std::process::id()));
        let mut output = Output::open(&path, 65536, false).unwrap();
        let mut mixed = vec![3; 12288];
        mixed.get_mut(4096..8192).unwrap().fill(0);
        let parts = [
            (0, Part::Bytes(&[1; 32768])),
            (49152, Part::Bytes(&[2; 8192])),
            (4096, Part::Bytes(&mixed)),
            (20480, Part::Zeroes(4096)),
            (57344, Part::Zeroes(4096)),
        ];
        let mut wanted = vec![0; 65536];
        for (at, part) in parts {
            output.write(at, part).unwrap();
            let at = usize::try_from(at).unwrap();
            match part {
                Part::Bytes(bytes) => wanted
                    .get_mut(at..at + bytes.len())
                    .unwrap()
                    .copy_from_slice(bytes),
                Part::Zeroes(count) => wanted
                    .get_mut(at..at + usize::try_from(count).unwrap())
                    .unwrap()
                    .fill(0),
            }
        }
        output.finish().unwrap();
        let found = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(found == wanted);
    }
}
