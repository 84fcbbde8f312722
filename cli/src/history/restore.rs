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

/// What is restored to. A new file that is not finished is removed.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    path: PathBuf,
    /// It is a device, in which zeroes must be written.
    device: bool,
    unfinished: bool,
}

/// Whether there is a block device at a path.
pub(crate) fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.file_type().is_block_device())
}

impl Output {
    /// Opens a new file, or a block device that nobody uses and that has room for this many bytes.
    pub(crate) fn open(path: &Path, size: u64) -> Result<Self, Failure> {
        match is_device(path) {
            true => Self::device(path, size),
            false => Self::file(path, size),
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
            file,
            path: path.to_owned(),
            device: true,
            unfinished: false,
        })
    }

    fn file(path: &Path, size: u64) -> Result<Self, Failure> {
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        let file = options.open(path).map_err(|error| {
            if error.kind() != io::ErrorKind::AlreadyExists {
                return failed(path, &error);
            }
            Failure::new(format_args!("{} exists already", path.display()))
                .next("Nothing was written. Remove it, or choose another name.")
        })?;
        let output = Self {
            file,
            path: path.to_owned(),
            device: false,
            unfinished: true,
        };
        output
            .file
            .set_len(size)
            .map_err(|error| failed(path, &error))?;
        Ok(output)
    }

    /// Writes a part. A file has holes where there are zeroes.
    pub(crate) fn write(&self, at: u64, part: Part<'_>) -> Result<(), Failure> {
        let written = match part {
            Part::Zeroes(count) if self.device => self.zeroes(at, count),
            Part::Zeroes(count) => self.hole(at, count),
            Part::Bytes(bytes) if self.device => self.file.write_all_at(bytes, at),
            Part::Bytes(bytes) => self.sparse(at, bytes),
        };
        written.map_err(|error| failed(&self.path, &error))
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
            self.file.write_all_at(part, at)?;
            at = at.saturating_add(part.len() as u64);
            count = count.saturating_sub(part.len() as u64);
        }
        Ok(())
    }

    /// Makes a hole in a file. It may have been written before.
    fn hole(&self, at: u64, count: u64) -> io::Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match fallocate(&self.file, flags, at, count) {
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
            Some(part) => self.file.write_all_at(part, at),
        }
    }

    /// Makes it durable, and keeps it.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.file
            .sync_all()
            .map_err(|error| failed(&self.path, &error))?;
        self.unfinished = false;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.unfinished {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether all bytes are zero. The compiler compares many at a time.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(64)
        .all(|part| part.iter().fold(0, |all, byte| all | byte) == 0)
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format_args!("cannot write {}: {error}", path.display()))
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
