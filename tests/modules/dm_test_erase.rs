// SPDX-License-Identifier: GPL-2.0

//! A disk with secure erase, only for tests: `START LENGTH test_erase DEVICE OFFSET`.
//!
//! No disk that QEMU emulates has it. This is a range of DEVICE that accepts secure erases, and completes them without
//! doing anything. Its status has the number of erases, for how many `end_io` was called before `complete` returned,
//! and the sectors of the last one.

#![deny(unsafe_code)]

use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};
use kernel::{
    fmt::Write,
    prelude::*, //
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
    MapBio,
    Mapped,
    Op,
    QueueLimits,
    Registration,
    StatusKind,
    StatusWriter,
    Target, //
};

module! {
    type: EraseModule,
    name: "dm_test_erase",
    authors: ["The imgrement authors"],
    description: "Device-mapper target with a secure erase, for tests",
    license: "GPL",
}

struct EraseModule {
    _target: Registration<Erase>,
}

impl kernel::Module for EraseModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Registration::new().map(|_target| Self { _target })
    }
}

struct Erase;

struct Disk<'t> {
    device: Device<'t>,
    offset: u64,
    erases: AtomicU64,
    /// Bios that have ended.
    ended: AtomicU64,
    /// Erases that had ended when `complete` returned. The test sends one at a time.
    ended_within: AtomicU64,
    sector: AtomicU64,
    bytes: AtomicU64,
}

#[vtable]
impl Target for Erase {
    const NAME: &'static CStr = c"test_erase";
    const VERSION: [u32; 3] = [1, 0, 0];
    type State<'t> = Disk<'t>;
    type PerBio = ();
    type Answer = ();

    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Disk<'t>, Error>, CtrError> {
        let (device, offset) = builder.next_range(args)?;

        builder.wants_secure_erases(true);
        Ok(init!(Disk {
            device,
            offset,
            erases: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            ended_within: AtomicU64::new(0),
            sector: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }? Error))
    }

    fn map<'b>(disk: &Disk<'_>, bio: MapBio<'b, ()>) -> Mapped<'b> {
        if bio.op() == Op::SecureErase {
            disk.erases.fetch_add(1, Ordering::Relaxed);
            disk.sector.store(bio.sector(), Ordering::Relaxed);
            disk.bytes.store(u64::from(bio.bytes()), Ordering::Relaxed);
            let ended = disk.ended.load(Ordering::Relaxed);
            let mapped = bio.complete();
            if disk.ended.load(Ordering::Relaxed) != ended {
                disk.ended_within.fetch_add(1, Ordering::Relaxed);
            }
            return mapped;
        }
        let sector = disk.offset.wrapping_add(bio.sector());
        bio.remap(disk.device, sector)
    }

    fn end_io(disk: &Disk<'_>, _bio: &mut EndBio<'_, ()>) -> Completion {
        disk.ended.fetch_add(1, Ordering::Relaxed);
        Completion::Done
    }

    fn status(disk: &Disk<'_>, kind: StatusKind, out: &mut StatusWriter<'_>) {
        let (name, offset) = (disk.device.name(), disk.offset);
        let _ = match kind {
            StatusKind::Info => write!(
                out,
                "erases {} ended {} sector {} sectors {}",
                disk.erases.load(Ordering::Relaxed),
                disk.ended_within.load(Ordering::Relaxed),
                disk.sector.load(Ordering::Relaxed),
                disk.bytes.load(Ordering::Relaxed) / 512,
            ),
            StatusKind::Table => write!(out, "{name} {offset}"),
            StatusKind::Ima => write!(out, ",device_name={name},start={offset};"),
        };
    }

    // The device is not shown, because device-mapper would find no secure erase there. So its flushes are lost.
    fn iterate_devices(_disk: &Disk<'_>, _visitor: &mut DeviceVisitor<'_>) {}

    fn io_hints(_disk: &Disk<'_>, limits: &mut QueueLimits<'_>) {
        limits.set_max_secure_erase_sectors(2048);
    }
}
