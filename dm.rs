// SPDX-License-Identifier: GPL-2.0

//! Device-mapper targets in Rust.
//!
//! A target is a type that implements [`Target`]; a module registers it by keeping a
//! [`Registration`] of it. Device-mapper then makes an instance for each table line that names the
//! target, and asks it what to do with each bio.
//!
//! | Type | Stands for |
//! |---|---|
//! | [`Target`], [`Registration`] | `struct target_type` |
//! | [`Builder`] | `struct dm_target` while the constructor runs |
//! | [`Args`], [`CtrError`] | the words of a table line or a message, and what is wrong with them |
//! | [`Device`] | `struct dm_dev`, an underlying device |
//! | [`Holders`] | `/sys/block/DISK/holders`, who else uses it |
//! | [`TargetName`] | what the kernel calls a target |
//! | [`MapBio`], [`Mapped`], [`EndBio`] | `struct bio` on its way down, and back |
//! | [`Segments`], [`Segment`] | its payload, a page-bounded piece at a time |
//! | `ZoneReport` | `struct dm_report_zones_args`, where the kernel knows zones |
//! | [`StatusWriter`] | the buffer that a status or a message answers into |
//! | [`LateBio`], [`LateQueue`] | a read that a task looks at before it goes up, and the queue on which it waits |
//! | [`Worker`] | `struct delayed_work`: what an instance does later, on a queue that all instances share |
//!
//! All `unsafe` of a target lives here. The rules that keep it sound are those of the C interface;
//! each stands at the place where it is kept.
//!
//! C header: `include/linux/device-mapper.h`.

// Paths are given because a crate root in another folder includes this file by path too, and then
// rustc would look for the modules beside it.
#[path = "dm/args.rs"]
mod args;
#[path = "dm/bindings.rs"]
mod bindings;
#[path = "dm/bio.rs"]
mod bio;
#[path = "dm/device.rs"]
mod device;
#[path = "dm/holders.rs"]
mod holders;
#[path = "dm/late.rs"]
mod late;
#[path = "dm/name.rs"]
mod name;
#[path = "dm/noio.rs"]
mod noio;
#[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
#[path = "dm/nonblock.rs"]
mod nonblock;
#[path = "dm/segment.rs"]
mod segment;
#[path = "dm/status.rs"]
mod status;
#[path = "dm/target.rs"]
mod target;
#[cfg(dm_kunit)]
#[path = "dm/tests.rs"]
mod tests;
#[path = "dm/work.rs"]
mod work;
#[path = "dm/worker.rs"]
mod worker;
#[cfg(CONFIG_BLK_DEV_ZONED)]
#[path = "dm/zones.rs"]
mod zones;

// The files that `dm` shares with the pure logic: bytes that others write to are looked at, and a word
// is escaped, the same way everywhere.
#[path = "core/src/racy.rs"]
pub mod racy;
#[path = "core/src/word.rs"]
pub mod word;

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
    device::{
        Device,
        DiskName, //
    },
    holders::Holders,
    late::LateQueue,
    name::TargetName,
    racy::RacyBytes,
    segment::{
        Segment,
        Segments, //
    },
    status::{
        StatusKind,
        StatusWriter, //
    },
    target::{
        Builder,
        DeviceVisitor,
        Features,
        IoctlRoute,
        QueueLimits,
        Registration,
        Target, //
    },
    worker::Worker, //
};

#[cfg(CONFIG_BLK_DEV_ZONED)]
pub use self::zones::{
    ZoneReport,
    ZonesReported, //
};
