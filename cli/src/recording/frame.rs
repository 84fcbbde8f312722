// SPDX-License-Identifier: GPL-2.0

//! Frames of zstd, one after another. A frame that is broken does not hide those after it.

use std::io::{
    self,
    Read, //
};
use zstd::{
    bulk::{
        Compressor,
        Decompressor, //
    },
    zstd_safe::{
        find_frame_compressed_size,
        get_frame_content_size,
        CParameter, //
    },
};

/// The most bytes that a frame contains. A file cannot make the reader use more memory than that, and as much again.
pub(super) const LIMIT: usize = 64 << 20;

/// What each frame begins with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// How much is read at a time.
const STEP: usize = 1 << 18;

/// The level of zstd. The recorder must keep up with the disk, so speed comes first.
const LEVEL: i32 = 1;

/// Makes frames.
pub(crate) struct Packer(Compressor<'static>);

impl Packer {
    pub(crate) fn new() -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        compressor.set_parameter(CParameter::ContentSizeFlag(true))?;
        Ok(Self(compressor))
    }

    /// The frame that contains these bytes.
    pub(crate) fn pack(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.0.compress(bytes)
    }
}

/// What comes next in a file.
#[derive(Debug)]
pub(crate) enum Frame {
    /// The content of a whole frame.
    Whole {
        /// Where the frame begins in the file.
        at: u64,
        /// What it contains.
        content: Vec<u8>,
    },
    /// These bytes of the file are no whole frame.
    Broken {
        /// Where they begin.
        at: u64,
        /// Where the next frame begins, or the file ends.
        end: u64,
    },
    /// The file ends within a frame.
    Cut {
        /// Where the frame begins.
        at: u64,
    },
    /// The file ends.
    End,
}

/// Reads the frames of a file.
pub(crate) struct Frames<R> {
    file: R,
    /// What was read, but not returned.
    buffer: Vec<u8>,
    /// Where the rest begins in the buffer.
    start: usize,
    /// The place of `start` in the file.
    at: u64,
    /// Nothing is left in the file.
    ended: bool,
    unpacker: Decompressor<'static>,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(file: R) -> io::Result<Self> {
        Ok(Self {
            file,
            buffer: Vec::new(),
            start: 0,
            at: 0,
            ended: false,
            unpacker: Decompressor::new()?,
        })
    }

    /// Where the next frame begins.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next frame.
    pub(crate) fn next(&mut self) -> io::Result<Frame> {
        let at = self.at;
        let mut wanted = STEP;
        let length = loop {
            let rest = self.fill(wanted)?;
            if rest.is_empty() {
                return Ok(Frame::End);
            }
            let (size, have) = (find_frame_compressed_size(rest), rest.len());
            let may_be_frame = may_be_frame(rest);
            match size {
                Ok(length) if may_be_frame => break length,
                // It may be longer than what was read so far.
                Ok(_) | Err(_) if may_be_frame && have < LIMIT && !self.ended => {
                    wanted = have.saturating_mul(2);
                }
                Ok(_) | Err(_) => return self.skip(may_be_frame && self.ended),
            }
        };
        let frame = self.rest().get(..length).unwrap_or_default();
        let size = get_frame_content_size(frame).ok().flatten();
        let size = size.and_then(|size| usize::try_from(size).ok().filter(|size| *size <= LIMIT));
        let content = match (
            size,
            self.buffer
                .get(self.start..self.start.saturating_add(length)),
        ) {
            (Some(size), Some(frame)) => self.unpacker.decompress(frame, size).ok(),
            (None, _) | (_, None) => None,
        };
        match content {
            Some(content) => {
                self.advance(length);
                Ok(Frame::Whole { at, content })
            }
            None => self.skip(false),
        }
    }

    /// What is at hand.
    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Makes sure that at least this many bytes are at hand, unless the file ends before.
    fn fill(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while !self.ended && self.buffer.len().saturating_sub(self.start) < wanted {
            self.buffer.drain(..self.start);
            self.start = 0;
            let missing = wanted.saturating_sub(self.buffer.len()).max(STEP);
            let missing = u64::try_from(missing).unwrap_or(u64::MAX);
            let read = (&mut self.file)
                .take(missing)
                .read_to_end(&mut self.buffer)?;
            self.ended = read == 0;
        }
        Ok(self.rest())
    }

    fn advance(&mut self, length: usize) {
        self.start = self.start.saturating_add(length);
        self.at = self
            .at
            .saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    }

    /// Goes on to what may be the next frame. If there is none, the file may have been cut (`may_be_cut`).
    fn skip(&mut self, may_be_cut: bool) -> io::Result<Frame> {
        let at = self.at;
        self.advance(1);
        loop {
            let rest = self.fill(STEP)?;
            let length = rest.len();
            let next = rest.windows(MAGIC.len()).position(|bytes| bytes == MAGIC);
            match next {
                Some(next) => {
                    self.advance(next);
                    return Ok(Frame::Broken { at, end: self.at });
                }
                None if self.ended => {
                    self.advance(length);
                    return Ok(match may_be_cut {
                        true => Frame::Cut { at },
                        false => Frame::Broken { at, end: self.at },
                    });
                }
                None => {
                    self.advance(length.saturating_sub(MAGIC.len() - 1));
                }
            }
        }
    }
}

/// Whether these bytes can be the beginning of a frame.
fn may_be_frame(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .zip(&MAGIC)
        .all(|(have, wanted)| have == wanted)
}
