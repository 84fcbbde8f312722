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
//! | [`Holders`] | `/sys/block/DISK/holders`, the other users of the device |
//! | [`MappedDevice`], [`MappedName`] | `struct mapped_device`, and its name in `/dev/mapper` |
//! | [`TargetName`] | the kernel's name for a target |
//! | [`MapBio`], [`Mapped`], [`EndBio`] | `struct bio` on its way down, and back |
//! | [`Segments`], [`Segment`] | its payload, a page-bounded piece at a time |
//! | `ZoneReport` | `struct dm_report_zones_args`, if the kernel supports zones |
//! | [`StatusWriter`] | the buffer for a status, or for a message's answer |
//! | [`LateBio`], [`LateQueue`] | a read that a task looks at before it completes, and the queue on which it waits |
//! | [`Worker`] | `struct delayed_work`: what an instance does later, on a queue that all instances share |
//!
//! All `unsafe` code of a target is in here. The rules that keep it sound are those of the C interface. Each rule is
//! stated where it is kept.
//!
//! C header: `include/linux/device-mapper.h`.

mod args;
mod bindings;
mod bio;
mod builder;
mod callbacks;
mod device;
mod features;
mod holders;
mod ioctl;
mod late;
mod limits;
mod mapped;
mod name;
mod noio;
#[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
mod nonblock;
mod queues;
mod registration;
mod segment;
mod status;
mod target;
#[cfg(dm_kunit)]
mod tests;
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
        LateBio,
        MapBio,
        Mapped,
        Op,
        PerBio, //
    },
    builder::Builder,
    bytes::racy::RacyBytes,
    device::{
        Device,
        DiskName, //
    },
    features::Features,
    holders::Holders,
    ioctl::IoctlRoute,
    late::LateQueue,
    limits::QueueLimits,
    mapped::{
        MappedDevice,
        MappedName, //
    },
    name::TargetName,
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
    visitor::DeviceVisitor,
    worker::Worker, //
};

#[cfg(CONFIG_BLK_DEV_ZONED)]
pub use self::zones::{
    ZoneReport,
    ZonesReported, //
};
