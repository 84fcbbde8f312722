// SPDX-License-Identifier: GPL-2.0

//! Device-mapper targets in Rust.
//!
//! A target is a type that implements [`Target`]. A module registers it by keeping a [`Registration`] of it.
//! Device-mapper then makes an instance for each table line that names the target, and asks it what to do with
//! each bio.
//!
//! | Type | Stands for |
//! |---|---|
//! | [`Target`], [`Registration`] | `struct target_type` |
//! | [`Builder`] | `struct dm_target` while the constructor runs |
//! | [`Args`], [`CtrError`] | the words of a table line or a message, and errors about them |
//! | [`Device`] | `struct dm_dev`, an underlying device |
//! | [`Opener`] | the same, opened by a message |
//! | [`Holders`] | `/sys/block/DISK/holders`, the other users of the device |
//! | [`MappedDevice`], [`MappedName`] | `struct mapped_device`, and its name in `/dev/mapper` |
//! | [`TargetName`] | the kernel's name for a target |
//! | [`MapBio`], [`Mapped`], [`EndBio`] | `struct bio` on its way down, and back |
//! | [`Segments`], [`Segment`] | its payload, a page-bounded piece at a time |
//! | `ZoneReport` | `struct dm_report_zones_args`, if the kernel supports zones |
//! | [`StatusWriter`] | the buffer for a status, or for a message's answer |
//! | [`OwnedBio`], [`BioQueue`] | a bio that the target keeps after `map`, and many of them in order |
//! | [`LateBio`], [`LateQueue`] | a read that a task looks at before it completes, and the queue on which it waits |
//! | [`Worker`] | `struct delayed_work`: what an instance does later, on a queue that all instances share |
//! | [`IoWorker`], [`IoTask`] | the same for what its bios wait for, on a queue of its own; where it may wait for I/O |
//! | [`Io`], [`Pending`] | `struct dm_io_client`: the target's own I/O, and a read or write that is under way |
//! | [`IoMemory`], [`ReadBuffer`], [`Writer`] | the memory for it |
//!
//! All `unsafe` code of a target is in here. The rules that keep it sound are those of the C interface. Each rule is
//! stated where it is kept.
//!
//! C header: `include/linux/device-mapper.h`.

mod args;
mod bindings;
mod bio;
mod bio_queue;
mod builder;
mod callbacks;
mod device;
mod features;
mod holders;
mod io;
mod io_memory;
mod io_worker;
mod ioctl;
mod late;
mod limits;
mod mapped;
mod name;
mod noio;
#[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
mod nonblock;
mod opener;
mod owned;
mod queues;
mod registration;
mod segment;
mod status;
mod target;
mod task;
#[cfg(dm_kunit)]
mod tests;
mod transfer;
mod visitor;
mod work;
mod worker;
#[cfg(CONFIG_BLK_DEV_ZONED)]
mod zones;

// `dm` and the pure logic share these, so that bytes that others write to, and escapes, are handled the same way
// everywhere.
#[path = "../core/src/bytes/mod.rs"]
pub mod bytes;

pub use self::{
    args::{
        Args,
        CtrError, //
    },
    bio::{
        Completion,
        EndBio,
        HeldBio,
        LateBio,
        MapBio,
        Mapped,
        Op,
        PerBio, //
    },
    bio_queue::BioQueue,
    builder::Builder,
    bytes::racy::RacyBytes,
    device::{
        Device,
        DiskName, //
    },
    features::Features,
    holders::Holders,
    io::{
        Io,
        WriteFlags, //
    },
    io_memory::IoMemory,
    io_worker::IoWorker,
    ioctl::IoctlRoute,
    late::LateQueue,
    limits::QueueLimits,
    mapped::{
        MappedDevice,
        MappedName, //
    },
    name::TargetName,
    opener::Opener,
    owned::OwnedBio,
    registration::Registration,
    segment::{
        Segment,
        Segments, //
    },
    status::{
        StatusKind,
        StatusWriter, //
    },
    target::Target,
    task::IoTask,
    transfer::{
        Pending,
        ReadBuffer,
        Transfer,
        Writer, //
    },
    visitor::DeviceVisitor,
    worker::Worker, //
};

#[cfg(CONFIG_BLK_DEV_ZONED)]
pub use self::zones::{
    ZoneReport,
    ZonesReported, //
};
