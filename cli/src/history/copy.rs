// SPDX-License-Identifier: GPL-2.0

//! Brings together what the disk held: from the log, the disk and images, in the order of its sectors.

use super::{
    gather::{
        Gather,
        Piece, //
    },
    source::{
        Window,
        STEP, //
    },
    state::{
        Image,
        State, //
    },
    sweep::{
        Origin,
        Segment, //
    },
};
use crate::{
    failure::Failure,
    progress::Progress, //
};
use imgrement_core::record::SECTOR_SIZE;
use std::ops::Range;

/// How many bytes are brought together at a time.
const PART: u64 = 16 << 20;

/// Zeroes of at least this length are not brought together with bytes.
const ZEROES: u64 = 64 << 10;

/// A part of the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// So many zeroes.
    Zeroes(u64),
}

/// How many sectors came from where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// From the log.
    pub(crate) log: u64,
    /// Zeroes.
    pub(crate) zeroes: u64,
    /// From the disk as it is now.
    pub(crate) disk: u64,
    /// From the image that was made when the log began.
    pub(crate) base: u64,
    /// Unknown: zeroes were taken.
    pub(crate) unknown: u64,
}

/// Passes the sectors with a wanted origin to `sink`, in order, with the byte of the disk at which they begin. Unknown
/// sectors are zeroes.
pub(crate) fn copy(
    state: &State,
    wanted: impl Fn(Origin) -> bool,
    mut sink: impl FnMut(u64, Part<'_>) -> Result<(), Failure>,
) -> Result<Counts, Failure> {
    let mut parts = Parts {
        state,
        logs: Gather::new(&state.log),
        disk: Window::default(),
        base: Window::default(),
        segments: Vec::new(),
        bytes: Vec::new(),
    };
    let mut counts = Counts::default();
    let sectors = state.sectors();
    let mut progress = Progress::of_size((sectors.end - sectors.start).saturating_mul(SECTOR_SIZE));

    // Zeroes that have not been passed on.
    let mut zeroes: Option<Range<u64>> = None;
    for segment in state.segments().filter(|segment| wanted(segment.origin)) {
        let count = segment.sectors.end - segment.sectors.start;
        let counter = match segment.origin {
            Origin::Log(_) => &mut counts.log,
            Origin::Zeroes => &mut counts.zeroes,
            Origin::Disk => &mut counts.disk,
            Origin::Base => &mut counts.base,
            Origin::Unknown(_) => &mut counts.unknown,
        };
        *counter += count;
        let is_zero = match segment.origin {
            Origin::Zeroes | Origin::Unknown(_) => true,
            Origin::Log(_) | Origin::Disk | Origin::Base => false,
        };
        if is_zero {
            match &mut zeroes {
                Some(zeroes) if zeroes.end == segment.sectors.start => {
                    zeroes.end = segment.sectors.end;
                }
                Some(_) | None => {
                    let before = zeroes.replace(segment.sectors);
                    parts.zeroes(before, &mut sink)?;
                }
            }
            continue;
        }
        parts.zeroes(zeroes.take(), &mut sink)?;
        progress.at((segment.sectors.start - sectors.start).saturating_mul(SECTOR_SIZE));
        parts.push(segment, &mut sink)?;
    }
    parts.zeroes(zeroes, &mut sink)?;
    parts.flush(&mut sink)?;
    Ok(counts)
}

/// What is brought together.
struct Parts<'a> {
    state: &'a State,
    logs: Gather,
    disk: Window,
    base: Window,
    segments: Vec<Segment>,
    bytes: Vec<u8>,
}

impl Parts<'_> {
    /// Adds a segment.
    fn push(
        &mut self,
        mut segment: Segment,
        sink: &mut impl FnMut(u64, Part<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        loop {
            let start = self
                .segments
                .first()
                .map_or(segment.sectors.start, |first| first.sectors.start);
            let (fits, rest) = segment.split(start.saturating_add(PART / SECTOR_SIZE));
            self.segments.extend(fits);
            let Some(rest) = rest else { return Ok(()) };
            self.flush(sink)?;
            segment = rest;
        }
    }

    /// Adds zeroes.
    fn zeroes(
        &mut self,
        sectors: Option<Range<u64>>,
        sink: &mut impl FnMut(u64, Part<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some(sectors) = sectors else {
            return Ok(());
        };
        let bytes = (sectors.end - sectors.start).saturating_mul(SECTOR_SIZE);
        if bytes < ZEROES {
            let origin = Origin::Zeroes;
            return self.push(Segment { sectors, origin }, sink);
        }
        self.flush(sink)?;
        sink(
            sectors.start.saturating_mul(SECTOR_SIZE),
            Part::Zeroes(bytes),
        )
    }

    /// Passes on what is there.
    fn flush(
        &mut self,
        sink: &mut impl FnMut(u64, Part<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (self.segments.first(), self.segments.last()) else {
            return Ok(());
        };
        let start = first.sectors.start;
        let at = |sector: u64| {
            usize::try_from((sector - start).saturating_mul(SECTOR_SIZE)).unwrap_or(usize::MAX)
        };
        let length = at(last.sectors.end);
        self.bytes.clear();
        self.bytes.resize(length, 0);
        let mut pieces = Vec::new();
        for segment in &self.segments {
            let to = at(segment.sectors.start)..at(segment.sectors.end);
            let bytes = self.bytes.get_mut(to.clone()).unwrap_or_default();
            match segment.origin {
                Origin::Log(position) => pieces.push(Piece { position, to }),
                Origin::Zeroes | Origin::Unknown(_) => {}
                Origin::Disk => {
                    fill(&mut self.disk, &self.state.question.disk, segment, bytes)?;
                }
                Origin::Base => {
                    fill(&mut self.base, &self.state.question.base, segment, bytes)?;
                }
            }
        }
        self.logs.gather(&self.state.log, pieces, &mut self.bytes)?;

        // Neighbours go on together.
        let mut run: Option<Range<u64>> = None;
        for segment in std::mem::take(&mut self.segments) {
            match &mut run {
                Some(run) if run.end == segment.sectors.start => run.end = segment.sectors.end,
                Some(_) | None => {
                    if let Some(run) = run.replace(segment.sectors) {
                        let bytes = self.bytes.get(at(run.start)..at(run.end));
                        sink(
                            run.start * SECTOR_SIZE,
                            Part::Bytes(bytes.unwrap_or_default()),
                        )?;
                    }
                }
            }
        }
        if let Some(run) = run {
            let bytes = self.bytes.get(at(run.start)..at(run.end));
            sink(
                run.start * SECTOR_SIZE,
                Part::Bytes(bytes.unwrap_or_default()),
            )?;
        }
        Ok(())
    }
}

impl Segment {
    /// Divides it at a sector.
    fn split(&self, at: u64) -> (Option<Self>, Option<Self>) {
        let part = |sectors: Range<u64>| {
            (sectors.start < sectors.end).then(|| Self {
                origin: self.origin.after(sectors.start - self.sectors.start),
                sectors,
            })
        };
        let at = at.clamp(self.sectors.start, self.sectors.end);
        (part(self.sectors.start..at), part(at..self.sectors.end))
    }
}

/// Reads a segment from a disk or an image.
fn fill(
    window: &mut Window,
    image: &Option<Image>,
    segment: &Segment,
    bytes: &mut [u8],
) -> Result<(), Failure> {
    let Some(image) = image else {
        return Err(Failure::new("there is no disk to read from"));
    };
    let at = image
        .offset
        .saturating_add(segment.sectors.start.saturating_mul(SECTOR_SIZE));
    let read = window
        .get(&image.source, at, bytes.len(), STEP)
        .map_err(|error| image.source.failed(&error))?;
    match read.len() == bytes.len() {
        true => bytes.copy_from_slice(read),
        false => {
            return Err(Failure::new(format_args!(
                "{} ends before sector {} of the target",
                image.source.path().display(),
                segment.sectors.end
            )))
        }
    }
    Ok(())
}
