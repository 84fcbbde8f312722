// SPDX-License-Identifier: GPL-2.0

//! Reads the batches of a log in a thread of its own, while those before are checked.

use super::{
    checksum::Xxh64,
    log::Device,
    source::{
        Window,
        STEP, //
    },
};
use crate::failure::Failure;
use imgrement_core::history::batch::{
    Header,
    HEADER, //
};
use std::{
    io,
    sync::mpsc::{
        channel,
        sync_channel,
        Receiver,
        Sender,
        SyncSender, //
    },
    thread::{
        Builder,
        Scope, //
    },
};

/// How many windows there are: what is in one is used while the other is filled.
const WINDOWS: usize = 2;

/// Batches in memory. Nothing of them has been checked.
pub(super) struct Batches {
    /// What was read.
    pub(super) window: Window,
    /// The position after the last batch. One that could not be read is not in the window: the reader of the window reads
    /// it again, and says what is wrong.
    pub(super) end: u64,
}

/// What is read ahead.
pub(super) struct Ahead {
    full: Receiver<Batches>,
    empty: Sender<Window>,
}

impl Ahead {
    /// Begins to read the batches of all devices from the position `from` on. The thread ends with the last batch, or
    /// when this is dropped.
    pub(super) fn start<'scope, 'env>(
        scope: &'scope Scope<'scope, 'env>,
        devices: &'env [Device],
        from: u64,
    ) -> Result<Self, Failure> {
        let (to, full) = sync_channel(WINDOWS);
        let (empty, back) = channel();
        for _ in 0..WINDOWS {
            give(&empty, Window::default());
        }
        Builder::new()
            .spawn_scoped(scope, move || read(devices, from, &to, &back))
            .map_err(|error| Failure::new(format_args!("cannot start a thread: {error}")))?;
        Ok(Self { full, empty })
    }

    /// The batches that follow. There are some up to the end of the last device.
    pub(super) fn next(&self) -> Result<Batches, Failure> {
        self.full
            .recv()
            .map_err(|_| Failure::new("the thread that reads the log has ended early"))
    }

    /// Gives a window back.
    pub(super) fn done(&self, batches: Batches) {
        give(&self.empty, batches.window);
    }
}

/// Passes a window to the thread. If that has ended, it needs none.
fn give(empty: &Sender<Window>, window: Window) {
    let _ = empty.send(window);
}

fn read(devices: &[Device], from: u64, to: &SyncSender<Batches>, empty: &Receiver<Window>) {
    for device in devices {
        let mut position = device.first().max(from);
        while position < device.end {
            let Ok(mut window) = empty.recv() else { return };
            let length = fill(&mut window, device, position).unwrap_or(0);
            // It goes on behind a batch that is broken, too, but nobody will want that.
            let block = u64::from(device.superblock.block_size);
            position = position.saturating_add(length.max(block));
            let end = position;
            if to.send(Batches { window, end }).is_err() {
                return;
            }
        }
    }
}

/// Reads whole batches, [`STEP`] bytes or a little more. Returns how many bytes of the log they take.
fn fill(window: &mut Window, device: &Device, position: u64) -> io::Result<u64> {
    let source = device.source();
    let block = device.superblock.block_size;
    let offset = device.offset_of(position);
    window.clear();
    let mut length = 0;
    while length < STEP && position.saturating_add(length as u64) < device.end {
        let bytes = window.get(source, offset, length.saturating_add(HEADER), STEP)?;
        let header = bytes.get(length..).and_then(|bytes| bytes.try_into().ok());
        let Some(header) = header.and_then(Header::decode::<Xxh64>) else {
            break;
        };
        let end = length.saturating_add(header.length as usize);
        window.get(source, offset, end, STEP)?;
        length = length.saturating_add(usize::try_from(header.room(block)).unwrap_or(usize::MAX));
    }
    Ok(length as u64)
}
