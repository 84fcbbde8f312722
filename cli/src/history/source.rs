// SPDX-License-Identifier: GPL-2.0

//! Bytes of a block device or a file, at any offset. A device is read with O_DIRECT: what its page cache holds may be
//! older than what is on it.

use crate::failure::Failure;
use rustix::fs::{
    ioctl_blksszget,
    OFlags, //
};
use std::{
    fs::File,
    io::{
        self,
        Seek,
        SeekFrom, //
    },
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

/// Offsets and lengths of reads are multiples of this, or of the device's logical block if that is larger.
const ALIGN: u64 = 4096;

/// How much is read at a time at least, where one reads on.
pub(crate) const STEP: usize = 1 << 20;

/// A block device or a file.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    path: PathBuf,
    size: u64,
    align: u64,
}

impl Source {
    /// Opens it to be read.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::new(format_args!("cannot read {}: {error}", path.display()))
        };
        let about = path.metadata().map_err(failed)?;
        let device = about.file_type().is_block_device();
        if !device && !about.is_file() {
            return Err(Failure::new(format_args!(
                "cannot read {}: it is neither a file nor a block device",
                path.display()
            )));
        }
        let mut options = File::options();
        options.read(true);
        if device {
            options.custom_flags(OFlags::DIRECT.bits() as i32);
        }
        let mut file = options.open(path).map_err(failed)?;
        let size = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let align = match device {
            true => u64::from(ioctl_blksszget(&file).map_err(|error| failed(error.into()))?),
            false => 1,
        };
        Ok(Self {
            file,
            path: path.to_owned(),
            size,
            align: align.max(ALIGN),
        })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its size, in bytes, when it was opened.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// That it cannot be read.
    pub(crate) fn failed(&self, error: &io::Error) -> Failure {
        Failure::new(format_args!("cannot read {}: {error}", self.path.display()))
            .next("The kernel's log may say more: dmesg")
    }
}

/// A part of a [`Source`] in memory. It moves to where it is needed.
#[derive(Debug, Default)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    /// The first byte in `bytes` that is aligned.
    skip: usize,
    /// The offset of that byte in the source.
    start: u64,
    /// How many bytes from there on are valid.
    length: usize,
}

impl Window {
    /// Bytes of a source; fewer at its end. It must be the same source each time. If it must be read, at least `step`
    /// bytes are read.
    pub(crate) fn get(
        &mut self,
        source: &Source,
        offset: u64,
        length: usize,
        step: usize,
    ) -> io::Result<&[u8]> {
        let end = offset.saturating_add(length as u64).min(source.size);
        if offset < self.start || end > self.start.saturating_add(self.length as u64) {
            self.fill(source, offset, length.max(step))?;
        }
        let at = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let valid = self.valid();
        let to = at.saturating_add(length).min(valid.len());
        Ok(valid.get(at.min(to)..to).unwrap_or_default())
    }

    /// Forgets what is in it, so that it can be used for another source. Its memory stays.
    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    fn valid(&self) -> &[u8] {
        let from = self.skip.min(self.bytes.len());
        self.bytes
            .get(from..from.saturating_add(self.length))
            .unwrap_or_default()
    }

    /// Makes it valid from `offset` on, for `length` bytes.
    fn fill(&mut self, source: &Source, offset: u64, length: usize) -> io::Result<()> {
        let start = offset - offset % source.align;
        let align = usize::try_from(source.align).unwrap_or(usize::MAX);
        let more = usize::try_from(offset - start).unwrap_or(0);
        // Not more than there is: a file may be small.
        let left = source.size.saturating_sub(start);
        let wanted = length
            .saturating_add(more)
            .min(usize::try_from(left).unwrap_or(usize::MAX))
            .next_multiple_of(align);

        // What is there already need not be read again.
        let known = start
            .checked_sub(self.start)
            .and_then(|gone| usize::try_from(gone).ok())
            .filter(|gone| *gone < self.length)
            .map(|gone| (gone, (self.length - gone) / align * align))
            .filter(|(_, kept)| *kept <= wanted);
        let (gone, kept) = known.unwrap_or((0, 0));
        let old = self.skip.saturating_add(gone);
        if self.bytes.len() < wanted.saturating_add(align) {
            let mut bytes = vec![0; wanted.saturating_add(align)];
            let skip = bytes.as_ptr().align_offset(align).min(align);
            if let (Some(to), Some(from)) = (
                bytes.get_mut(skip..skip.saturating_add(kept)),
                self.bytes.get(old..old.saturating_add(kept)),
            ) {
                to.copy_from_slice(from);
            }
            self.bytes = bytes;
            self.skip = skip;
        } else if gone > 0 {
            self.bytes
                .copy_within(old..old.saturating_add(kept), self.skip);
        }
        self.start = start;
        self.length = kept;
        while self.length < wanted {
            let from = self.skip.saturating_add(self.length);
            let Some(to) = self.bytes.get_mut(from..self.skip.saturating_add(wanted)) else {
                break;
            };
            let at = start.saturating_add(self.length as u64);
            match source.file.read_at(to, at) {
                Ok(0) => break,
                Ok(read) => self.length = self.length.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.length = 0;
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{
        AtomicU32,
        Ordering, //
    };

    proptest! {
        /// A window has what the file has, wherever it moves.
        #[test]
        fn a_window_is_the_file(
            bytes in prop::collection::vec(any::<u8>(), 0..40_000),
            moves in prop::collection::vec((0_u64..45_000, 0_usize..20_000, 0_usize..9000), 1..20),
        ) {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let name = format!("imgrement-window-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let source = Source::open(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            let mut window = Window::default();
            for (offset, length, step) in moves {
                let from = usize::try_from(offset).unwrap().min(bytes.len());
                let to = (from + length).min(bytes.len());
                let got = window.get(&source, offset, length, step).unwrap();
                prop_assert_eq!(got, bytes.get(from..to).unwrap());
            }
        }
    }
}
