// SPDX-License-Identifier: GPL-2.0

//! A target that rejects bios or a resume, only for tests: `START LENGTH test_reject DEVICE OFFSET HOW`.
//!
//! HOW is
//! - `kill`: `map` fails each bio;
//! - `requeue`: from the start of a suspend, `map` returns each bio. The suspend waits for one of them;
//! - `requeue-at-end`: from the start of a suspend, `end_io` returns each bio;
//! - `resume`: a resume fails with `EBUSY`.
//!
//! The status of any instance counts for the whole module: the suspends that have begun, and the bios that were mapped,
//! that reached `end_io`, and whose per-bio data was dropped.

#![deny(unsafe_code)]

use kernel::{
    fmt::Write,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

#[allow(unsafe_code)]
#[path = "../../dm/mod.rs"]
pub mod dm;

use dm::{
    Args,
    Builder,
    Completion,
    CtrError,
    Device,
    DeviceVisitor,
    EndBio,
    IoTask,
    MapBio,
    Mapped,
    PerBio,
    Registration,
    StatusKind,
    StatusWriter,
    Target, //
};

module! {
    type: RejectModule,
    name: "dm_test_reject",
    authors: ["The imgrement authors"],
    description: "Device-mapper target that rejects bios, for tests",
    license: "GPL",
}

struct RejectModule {
    _target: Registration<Reject>,
}

impl kernel::Module for RejectModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Registration::new().map(|_target| Self { _target })
    }
}

static SUSPENDS: Atomic<u32> = Atomic::new(0);
static MAPPED: Atomic<u32> = Atomic::new(0);
static ENDED: Atomic<u32> = Atomic::new(0);
static DROPPED: Atomic<u32> = Atomic::new(0);

struct Reject;

/// What the target rejects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Kill,
    Requeue,
    RequeueAtEnd,
    Resume,
}

impl How {
    const ALL: [(Self, &'static CStr); 4] = [
        (Self::Kill, c"kill"),
        (Self::Requeue, c"requeue"),
        (Self::RequeueAtEnd, c"requeue-at-end"),
        (Self::Resume, c"resume"),
    ];
}

struct Range<'t> {
    device: Device<'t>,
    offset: u64,
    sectors: u64,
    how: How,
    suspending: Atomic<bool>,
    requeued: Atomic<bool>,
}

/// Per-bio data.
#[derive(Default)]
struct Counted;

impl PerBio for Counted {}

impl Drop for Counted {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Relaxed);
    }
}

#[vtable]
impl Target for Reject {
    const NAME: &'static CStr = c"test_reject";
    const VERSION: [u32; 3] = [1, 0, 0];
    type State<'t> = Range<'t>;
    type PerBio = Counted;
    type Answer = ();

    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Range<'t>, Error>, CtrError> {
        let (device, offset) = builder.next_range(args)?;
        let sectors = builder.sectors();
        let word = args.next_word("HOW")?;
        let how = How::ALL
            .iter()
            .find(|(_, name)| *name == word)
            .map(|(how, _)| *how)
            .ok_or_else(|| {
                args.refuse(
                    Some(word),
                    EINVAL,
                    c"Invalid HOW",
                    format_args!("nothing is rejected like this"),
                )
            })?;

        Ok(init!(Range {
            device,
            offset,
            sectors,
            how,
            suspending: Atomic::new(false),
            requeued: Atomic::new(false),
        }? Error))
    }

    fn map<'b>(range: &Range<'_>, bio: MapBio<'b, Counted>) -> Mapped<'b> {
        MAPPED.fetch_add(1, Relaxed);
        match range.how {
            How::Kill => return bio.kill(),
            How::Requeue if range.suspending.load(Relaxed) => {
                range.requeued.store(true, Relaxed);
                return bio.requeue();
            }
            How::Requeue | How::RequeueAtEnd | How::Resume => {}
        }
        let sector = range.offset.wrapping_add(bio.sector());
        bio.remap(range.device, sector)
    }

    fn end_io(range: &Range<'_>, _bio: &mut EndBio<'_, Counted>) -> Completion {
        ENDED.fetch_add(1, Relaxed);
        if range.how == How::RequeueAtEnd && range.suspending.load(Relaxed) {
            return Completion::Requeue;
        }
        Completion::Done
    }

    fn presuspend(range: &Range<'_>) {
        range.suspending.store(true, Relaxed);
        SUSPENDS.fetch_add(1, Relaxed);
        while range.how == How::Requeue && !range.requeued.load(Relaxed) {
            fsleep(Delta::from_millis(10));
        }
    }

    fn preresume(range: &Range<'_>, _task: &IoTask<'_>) -> Result {
        match range.how {
            How::Resume => Err(EBUSY),
            How::Kill | How::Requeue | How::RequeueAtEnd => Ok(()),
        }
    }

    fn resume(range: &Range<'_>) {
        range.suspending.store(false, Relaxed);
        range.requeued.store(false, Relaxed);
    }

    fn status(range: &Range<'_>, kind: StatusKind, out: &mut StatusWriter<'_>) {
        let (name, offset) = (range.device.name(), range.offset);
        let _ = match kind {
            StatusKind::Info => write!(
                out,
                "suspends {} mapped {} ended {} dropped {}",
                SUSPENDS.load(Relaxed),
                MAPPED.load(Relaxed),
                ENDED.load(Relaxed),
                DROPPED.load(Relaxed),
            ),
            StatusKind::Table => write!(out, "{name} {offset}"),
            StatusKind::Ima => write!(out, ",device_name={name},start={offset};"),
        };
    }

    fn iterate_devices(range: &Range<'_>, visitor: &mut DeviceVisitor<'_>) {
        visitor.visit(range.device, range.offset, range.sectors);
    }
}
