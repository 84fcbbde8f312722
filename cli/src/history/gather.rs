// SPDX-License-Identifier: GPL-2.0

//! Reads many pieces of a log, in any order. Those that are near to each other in the log are read at once. Those that are
//! not are read by several threads, because a disk that is asked for many places at a time answers faster.

use super::{
    log::Log,
    source::Window, //
};
use crate::failure::Failure;
use std::{
    mem,
    ops::Range,
    panic::resume_unwind,
    sync::{
        Mutex,
        PoisonError, //
    },
    thread::{
        self,
        Builder, //
    },
};

/// Pieces with at most this distance are read at once, up to [`RUN`] bytes. To read more for nothing takes longer than to
/// read twice, on anything but a spinning disk.
pub(super) const GAP: u64 = 16 << 10;

/// The most that is read at once, except for a single piece.
const RUN: u64 = 2 << 20;

/// How many threads read at the same time at most.
const THREADS: usize = 16;

/// Bytes of the log, and where they go.
pub(super) struct Piece {
    /// Their position.
    pub(super) position: u64,
    /// Their place in memory.
    pub(super) to: Range<usize>,
}

/// The same, with the memory.
struct Target<'a> {
    position: u64,
    to: &'a mut [u8],
}

impl Target<'_> {
    fn end(&self) -> u64 {
        self.position.saturating_add(self.to.len() as u64)
    }
}

/// Reads pieces of one log.
pub(super) struct Gather {
    /// One for each thread.
    readers: Vec<Reader>,
}

/// What one thread has read last, for each log device.
struct Reader(Vec<Window>);

impl Gather {
    /// For a log.
    pub(super) fn new(log: &Log) -> Self {
        let reader = || {
            let mut windows = Vec::new();
            windows.resize_with(log.devices().len(), Window::default);
            Reader(windows)
        };
        let mut readers = Vec::new();
        readers.resize_with(THREADS, reader);
        Self { readers }
    }

    /// Reads pieces of the log to their places in `bytes`, which do not overlap.
    pub(super) fn gather(
        &mut self,
        log: &Log,
        pieces: Vec<Piece>,
        bytes: &mut [u8],
    ) -> Result<(), Failure> {
        let mut targets = targets(pieces, bytes)?;
        targets.sort_unstable_by_key(|target| target.position);
        let runs = runs(log, &targets);
        let Some((own, others)) = self.readers.split_first_mut() else {
            return Ok(());
        };
        let helpers = runs.len().saturating_sub(1);
        let rest = Mutex::new((targets.as_mut_slice(), runs.into_iter()));
        let next = || {
            let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
            let count = rest.1.next()?;
            let (run, others) = mem::take(&mut rest.0).split_at_mut_checked(count)?;
            rest.0 = others;
            Some(run)
        };
        thread::scope(|scope| {
            let mut threads = Vec::new();
            for reader in others.iter_mut().take(helpers) {
                let spawned = Builder::new().spawn_scoped(scope, || reader.read(log, next));
                // If there can be no more threads, those that are there do it.
                threads.extend(spawned);
            }
            let mut done = own.read(log, next);
            for thread in threads {
                let other = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
                done = done.and(other);
            }
            done
        })
    }
}

/// The memory for each piece.
fn targets(mut pieces: Vec<Piece>, bytes: &mut [u8]) -> Result<Vec<Target<'_>>, Failure> {
    pieces.sort_unstable_by_key(|piece| piece.to.start);
    let mut targets = Vec::with_capacity(pieces.len());
    let (mut rest, mut at) = (bytes, 0);
    for Piece { position, to } in pieces {
        let place = to
            .start
            .checked_sub(at)
            .and_then(|skip| mem::take(&mut rest).split_at_mut_checked(skip))
            .and_then(|(_, rest)| rest.split_at_mut_checked(to.len()));
        let Some((place, others)) = place else {
            return Err(Failure::new("pieces of the log overlap"));
        };
        targets.push(Target {
            position,
            to: place,
        });
        (rest, at) = (others, to.end);
    }
    Ok(targets)
}

/// How many of these, which are in the order of their positions, are read at once, again and again.
fn runs(log: &Log, targets: &[Target<'_>]) -> Vec<usize> {
    let mut runs = Vec::new();
    let mut rest = targets;
    while let Some(first) = rest.first() {
        let device_end = log
            .device_of(first.position)
            .map_or(0, |(_, device)| device.end);
        let mut end = first.end();
        let mut count = 1;
        for target in rest.iter().skip(1) {
            let next = target.end().max(end);
            if target.position > end.saturating_add(GAP)
                || next - first.position > RUN
                || next > device_end
            {
                break;
            }
            end = next;
            count += 1;
        }
        runs.push(count);
        rest = rest.get(count..).unwrap_or_default();
    }
    runs
}

impl Reader {
    /// Reads what `next` says, until there is no more.
    fn read<'a, 'b: 'a>(
        &mut self,
        log: &Log,
        next: impl Fn() -> Option<&'a mut [Target<'b>]>,
    ) -> Result<(), Failure> {
        while let Some(run) = next() {
            let start = run.first().map_or(0, |first| first.position);
            let end = run.iter().map(Target::end).max().unwrap_or(start);
            let device = log.device_of(start);
            let window = device.and_then(|(index, _)| self.0.get_mut(index));
            let (Some((_, device)), Some(window)) = (device, window) else {
                return Err(Failure::new("the log has become shorter while it was read"));
            };
            let length = usize::try_from(end - start).unwrap_or(usize::MAX);
            let read = window
                .get(device.source(), device.offset_of(start), length, 0)
                .map_err(|error| device.source().failed(&error))?;
            for target in run {
                let from = usize::try_from(target.position - start).unwrap_or(usize::MAX);
                let Some(from) = read.get(from..from.saturating_add(target.to.len())) else {
                    return Err(Failure::new(format_args!(
                        "{} has become shorter while it was read",
                        device.source().path().display()
                    )));
                };
                target.to.copy_from_slice(from);
            }
        }
        Ok(())
    }
}
