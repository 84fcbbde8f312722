// SPDX-License-Identifier: GPL-2.0

//! `imgrement history undo`: writes what the disk held through the target, so that the history has that, too.

use super::{
    copy::{
        copy,
        Counts,
        Part, //
    },
    live::Live,
    source::{
        Source,
        Window,
        STEP, //
    },
    state::State,
    sweep::Origin,
};
use crate::{
    dm::FOLDER,
    failure::Failure,
    holders::{
        self,
        refusal, //
    },
};
use imgrement_core::record::SECTOR_SIZE;
use rustix::fs::{
    ioctl_blksszget,
    OFlags, //
};
use std::{
    fs::File,
    io,
    os::unix::fs::{
        FileExt,
        OpenOptionsExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// How many bytes are written at a time at most.
const WRITE: usize = 1 << 20;

/// The device that is turned back. Nobody else can mount it meanwhile.
pub(crate) struct Device {
    file: File,
    source: Source,
    window: Window,
    path: PathBuf,
    /// The byte at which the target begins on the device.
    offset: u64,
    /// The size of its logical blocks, in bytes.
    block: usize,
    /// Memory for writes, which must be aligned.
    aligned: Vec<u8>,
    /// How many bytes were written.
    pub(crate) written: u64,
}

impl Device {
    /// Opens the device of a target.
    pub(crate) fn open(live: &Live) -> Result<Self, Failure> {
        let what = format!("undo {}", live.name());
        let number = live.target.device.number;
        if let Some(failure) = refusal(&what, &holders::of(number)) {
            return Err(failure);
        }
        let path = Path::new(FOLDER).join(live.name());
        let flags = OFlags::EXCL | OFlags::DIRECT;
        let mut options = File::options();
        options
            .read(true)
            .write(true)
            .custom_flags(flags.bits() as i32);
        let failed = |error: io::Error| {
            if error.kind() == io::ErrorKind::ResourceBusy {
                if let Some(failure) = refusal(&what, &holders::processes(number)) {
                    return failure;
                }
            }
            Failure::new(format_args!("cannot {what}: {error}"))
        };
        let file = options.open(&path).map_err(failed)?;
        let block = ioctl_blksszget(&file).map_err(|error| failed(error.into()))?;
        Ok(Self {
            file,
            source: Source::open(&path)?,
            window: Window::default(),
            path,
            offset: live.target.start.saturating_mul(SECTOR_SIZE),
            block: usize::try_from(block).unwrap_or(512).max(512),
            aligned: vec![0; 2 * WRITE],
            written: 0,
        })
    }

    /// Turns it back to a state. What is unknown stays as it is, unless zeroes are taken for it.
    pub(crate) fn turn_back(&mut self, state: &State, zero: bool) -> Result<Counts, Failure> {
        let wanted = |origin| match origin {
            Origin::Log(_) | Origin::Zeroes | Origin::Base => true,
            // It has not changed.
            Origin::Disk => false,
            Origin::Unknown(_) => zero,
        };
        let counts = copy(state, wanted, |at, part| match part {
            Part::Bytes(bytes) => self.write(at, bytes),
            Part::Zeroes(count) => self.zeroes(at, count),
        })?;
        self.file.sync_all().map_err(|error| self.failed(&error))?;
        Ok(counts)
    }

    fn zeroes(&mut self, mut at: u64, mut count: u64) -> Result<(), Failure> {
        let zeroes = vec![0; WRITE];
        while count > 0 {
            let length = usize::try_from(count).unwrap_or(usize::MAX).min(WRITE);
            self.write(at, zeroes.get(..length).unwrap_or(&zeroes))?;
            at = at.saturating_add(length as u64);
            count = count.saturating_sub(length as u64);
        }
        Ok(())
    }

    /// Writes what differs.
    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), Failure> {
        let at = at.saturating_add(self.offset);
        let now = self
            .window
            .get(&self.source, at, bytes.len(), STEP)
            .map_err(|error| self.source.failed(&error))?;
        let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
        let mut place = 0;
        for (then, now) in bytes.chunks(self.block).zip(now.chunks(self.block)) {
            let end = place + then.len();
            if then != now {
                match runs.last_mut() {
                    Some(run) if run.end == place && end - run.start <= WRITE => run.end = end,
                    Some(_) | None => runs.push(place..end),
                }
            }
            place = end;
        }
        for run in runs {
            let start = at.saturating_add(run.start as u64);
            let from = bytes.get(run).unwrap_or_default();
            let skip = self.aligned.as_ptr().align_offset(4096).min(WRITE);
            let Some(to) = self.aligned.get_mut(skip..skip + from.len()) else {
                continue;
            };
            to.copy_from_slice(from);
            self.file
                .write_all_at(to, start)
                .map_err(|error| failed(&self.path, &error))?;
            self.written = self.written.saturating_add(from.len() as u64);
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> Failure {
        failed(&self.path, error)
    }
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format_args!("cannot write {}: {error}", path.display()))
        .next("It may be turned back in part. The kernel's log may say more: dmesg")
}
