// SPDX-License-Identifier: GPL-2.0

//! Brings together what the disk held: from the log, the disk and images, in the order of its sectors.

use super::{
    gather::{
        Gather,
        Piece,
        GAP, //
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
use std::{
    ops::Range,
    panic::resume_unwind,
    sync::mpsc::{
        channel,
        sync_channel,
        Receiver,
        Sender,
        SyncSender, //
    },
    thread::{
        self,
        Builder, //
    },
};

/// How many bytes are brought together at a time, if they are scattered over the log. Neighbours in the log that belong
/// to the same part are read at once.
const PART: u64 = 16 << 20;

/// How many, if they are one after another in the log. They stay in the CPU's cache until they are written.
const NEAR: u64 = 1 << 20;

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

/// How many parts are in memory: one is passed on while the next is brought together.
const BUFFERS: usize = 2;

/// What was brought together.
enum Ready {
    /// The bytes from this sector on, and the sectors that are wanted of them.
    Bytes(u64, Vec<u8>, Vec<Range<u64>>),
    /// These sectors are zeroes.
    Zeroes(Range<u64>),
}

/// Passes the sectors with a wanted origin to `sink`, in order, with the byte of the disk at which they begin. Unknown
/// sectors are zeroes.
///
/// They are brought together in a thread of its own.
pub(crate) fn copy(
    state: &State,
    wanted: impl Fn(Origin) -> bool + Send,
    mut sink: impl FnMut(u64, Part<'_>) -> Result<(), Failure>,
) -> Result<Counts, Failure> {
    let byte = |sector: u64| sector.saturating_mul(SECTOR_SIZE);
    thread::scope(|scope| {
        let (to, ready) = sync_channel(BUFFERS);
        let (back, empty) = channel();
        for _ in 0..BUFFERS {
            give(&back, Vec::new());
        }
        let parts = Parts::new(state, to, empty);
        let thread = Builder::new()
            .spawn_scoped(scope, move || parts.all(wanted))
            .map_err(|error| Failure::new(format_args!("cannot start a thread: {error}")))?;
        for ready in ready {
            match ready {
                Ready::Bytes(start, bytes, runs) => {
                    for run in runs {
                        let part = bytes.get(place(start, &run)).unwrap_or_default();
                        sink(byte(run.start), Part::Bytes(part))?;
                    }
                    give(&back, bytes);
                }
                Ready::Zeroes(sectors) => {
                    sink(
                        byte(sectors.start),
                        Part::Zeroes(byte(sectors.end - sectors.start)),
                    )?;
                }
            }
        }
        match thread.join() {
            Ok(counts) => counts,
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// Where sectors are in memory that begins with the sector `start`.
fn place(start: u64, sectors: &Range<u64>) -> Range<usize> {
    let at = |sector: u64| {
        usize::try_from((sector - start).saturating_mul(SECTOR_SIZE)).unwrap_or(usize::MAX)
    };
    at(sectors.start)..at(sectors.end)
}

/// Passes memory to the thread. If that has ended, it needs none.
fn give(back: &Sender<Vec<u8>>, bytes: Vec<u8>) {
    let _ = back.send(bytes);
}

/// What is brought together.
struct Parts<'a> {
    state: &'a State,
    logs: Gather,
    disk: Window,
    base: Window,
    segments: Vec<Segment>,
    /// The position at which the last of these in the log ends.
    last: Option<u64>,
    /// Whether they are far from each other in the log, or in another order there.
    scattered: bool,
    to: SyncSender<Ready>,
    empty: Receiver<Vec<u8>>,
}

impl<'a> Parts<'a> {
    fn new(state: &'a State, to: SyncSender<Ready>, empty: Receiver<Vec<u8>>) -> Self {
        Self {
            state,
            logs: Gather::new(&state.log),
            disk: Window::default(),
            base: Window::default(),
            segments: Vec::new(),
            last: None,
            scattered: false,
            to,
            empty,
        }
    }

    /// Brings everything together.
    fn all(mut self, wanted: impl Fn(Origin) -> bool) -> Result<Counts, Failure> {
        let mut counts = Counts::default();
        let sectors = self.state.sectors();
        let size = (sectors.end - sectors.start).saturating_mul(SECTOR_SIZE);
        let mut progress = Progress::of_size(size);

        // Zeroes that have not been passed on.
        let mut zeroes: Option<Range<u64>> = None;
        for segment in self
            .state
            .segments()
            .filter(|segment| wanted(segment.origin))
        {
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
                        self.zeroes(before)?;
                    }
                }
                continue;
            }
            self.zeroes(zeroes.take())?;
            progress.at((segment.sectors.start - sectors.start).saturating_mul(SECTOR_SIZE));
            self.push(segment)?;
        }
        self.zeroes(zeroes)?;
        self.flush()?;
        Ok(counts)
    }

    /// Adds a segment.
    fn push(&mut self, mut segment: Segment) -> Result<(), Failure> {
        loop {
            let start = self
                .segments
                .first()
                .map_or(segment.sectors.start, |first| first.sectors.start);
            self.look(&segment);
            let part = if self.scattered { PART } else { NEAR };
            let (fits, rest) = segment.split(start.saturating_add(part / SECTOR_SIZE));
            self.segments.extend(fits);
            let Some(rest) = rest else { return Ok(()) };
            self.flush()?;
            segment = rest;
        }
    }

    /// Sees where a segment is in the log.
    fn look(&mut self, segment: &Segment) {
        match segment.origin {
            Origin::Log(position) => {
                let length = segment.sectors.end - segment.sectors.start;
                let end = position.saturating_add(length.saturating_mul(SECTOR_SIZE));
                let near = |last: u64| (last..last.saturating_add(GAP)).contains(&position);
                self.scattered |= !self.last.is_none_or(near);
                self.last = Some(end);
            }
            Origin::Zeroes | Origin::Disk | Origin::Base | Origin::Unknown(_) => {}
        }
    }

    /// Adds zeroes.
    fn zeroes(&mut self, sectors: Option<Range<u64>>) -> Result<(), Failure> {
        let Some(sectors) = sectors else {
            return Ok(());
        };
        let bytes = (sectors.end - sectors.start).saturating_mul(SECTOR_SIZE);
        if bytes < ZEROES {
            let origin = Origin::Zeroes;
            return self.push(Segment { sectors, origin });
        }
        self.flush()?;
        self.send(Ready::Zeroes(sectors))
    }

    /// Passes on what is there.
    fn flush(&mut self) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (self.segments.first(), self.segments.last()) else {
            return Ok(());
        };
        let start = first.sectors.start;
        let length = place(start, &last.sectors).end;
        let mut bytes = self.empty.recv().map_err(|_| unwanted())?;
        bytes.resize(length, 0);
        let mut pieces = Vec::new();
        // Neighbours go on together.
        let mut runs: Vec<Range<u64>> = Vec::new();
        for segment in &self.segments {
            let to = place(start, &segment.sectors);
            let part = bytes.get_mut(to.clone()).unwrap_or_default();
            match segment.origin {
                Origin::Log(position) => pieces.push(Piece { position, to }),
                Origin::Zeroes | Origin::Unknown(_) => part.fill(0),
                Origin::Disk => {
                    fill(&mut self.disk, &self.state.question.disk, segment, part)?;
                }
                Origin::Base => {
                    fill(&mut self.base, &self.state.question.base, segment, part)?;
                }
            }
            match runs.last_mut() {
                Some(run) if run.end == segment.sectors.start => run.end = segment.sectors.end,
                Some(_) | None => runs.push(segment.sectors.clone()),
            }
        }
        self.logs.gather(&self.state.log, pieces, &mut bytes)?;
        self.segments.clear();
        self.last = None;
        self.scattered = false;
        self.send(Ready::Bytes(start, bytes, runs))
    }

    fn send(&self, ready: Ready) -> Result<(), Failure> {
        self.to.send(ready).map_err(|_| unwanted())
    }
}

/// What was brought together is not wanted any more. This failure is not shown: the one of the sink is.
fn unwanted() -> Failure {
    Failure::new("the rest is not needed")
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
