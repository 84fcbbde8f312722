// SPDX-License-Identifier: GPL-2.0

//! Two devices in one target that passes integrity on, only for tests: `START LENGTH test_pair DEVICE OFFSET DEVICE
//! OFFSET`. The second half of the target is on the second device, as far after its offset as it is after the start
//! of the target.

#![deny(unsafe_code)]

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
    CtrError,
    Device,
    DeviceVisitor,
    Features,
    MapBio,
    Mapped,
    Registration,
    StatusKind,
    StatusWriter,
    Target, //
};

module! {
    type: PairModule,
    name: "dm_test_pair",
    authors: ["The imgrement authors"],
    description: "Device-mapper target over two devices, for tests",
    license: "GPL",
}

struct PairModule {
    _target: Registration<Pair>,
}

impl kernel::Module for PairModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Registration::new().map(|_target| Self { _target })
    }
}

struct Pair;

struct Halves<'t> {
    first: (Device<'t>, u64),
    second: (Device<'t>, u64),
    half: u64,
}

#[vtable]
impl Target for Pair {
    const NAME: &'static CStr = c"test_pair";
    const VERSION: [u32; 3] = [1, 0, 0];
    const FEATURES: Features = Features::PASSES_INTEGRITY.and(Features::NOWAIT);
    type State<'t> = Halves<'t>;
    type PerBio = ();
    type Answer = ();

    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Halves<'t>, Error>, CtrError> {
        let first = builder.next_range(args)?;
        let second = builder.next_range(args)?;
        let half = builder.sectors() / 2;

        builder.max_io_len(u32::try_from(half).unwrap_or(u32::MAX));
        builder.flush_bypasses_map();
        Ok(init!(Halves { first, second, half }? Error))
    }

    fn map<'b>(halves: &Halves<'_>, bio: MapBio<'b, ()>) -> Mapped<'b> {
        let sector = bio.sector();
        let (device, offset) = match sector < halves.half {
            true => halves.first,
            false => halves.second,
        };
        bio.remap(device, offset.wrapping_add(sector))
    }

    fn status(halves: &Halves<'_>, kind: StatusKind, out: &mut StatusWriter<'_>) {
        let ((first, at), (second, from)) = (halves.first, halves.second);
        let _ = match kind {
            StatusKind::Info | StatusKind::Ima => Ok(()),
            StatusKind::Table => write!(out, "{} {at} {} {from}", first.name(), second.name()),
        };
    }

    fn iterate_devices(halves: &Halves<'_>, visitor: &mut DeviceVisitor<'_>) {
        let ((first, at), (second, from)) = (halves.first, halves.second);

        visitor.visit(first, at, halves.half);
        visitor.visit(second, from.wrapping_add(halves.half), halves.half);
    }
}
