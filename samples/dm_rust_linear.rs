// SPDX-License-Identifier: GPL-2.0

//! dm-linear in Rust: `START LENGTH rust_linear DEVICE OFFSET`, a range of another device.

#![deny(unsafe_code)]

use kernel::{
    fmt::Write,
    prelude::*, //
};

#[allow(unsafe_code)]
#[path = "../dm/mod.rs"]
pub mod dm;

use dm::{
    Args,
    Builder,
    CtrError,
    Device,
    DeviceVisitor,
    Features,
    IoctlRoute,
    MapBio,
    Mapped,
    Registration,
    StatusKind,
    StatusWriter,
    Target, //
};

module! {
    type: LinearModule,
    name: "dm_rust_linear",
    authors: ["The imgrement authors"],
    description: "Linear device-mapper target in Rust",
    license: "GPL",
}

struct LinearModule {
    _target: Registration<Linear>,
}

impl kernel::Module for LinearModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Registration::new().map(|_target| Self { _target })
    }
}

struct Linear;

struct Range<'t> {
    device: Device<'t>,
    offset: u64,
    sectors: u64,
}

#[vtable]
impl Target for Linear {
    const NAME: &'static CStr = c"rust_linear";
    const VERSION: [u32; 3] = [1, 0, 0];
    const FEATURES: Features = Features::PASSES_INTEGRITY
        .and(Features::NOWAIT)
        .and(Features::ZONED_HM)
        .and(Features::ATOMIC_WRITES);
    type State<'t> = Range<'t>;
    type PerBio = ();
    type Answer = ();

    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Range<'t>, Error>, CtrError> {
        let (device, offset) = builder.next_range(args)?;
        let sectors = builder.sectors();

        builder.wants_discards(true);
        builder.wants_secure_erases(true);
        builder.wants_write_zeroes(true);
        builder.flush_bypasses_map();
        Ok(init!(Range { device, offset, sectors }? Error))
    }

    #[inline]
    fn map<'b>(range: &Range<'_>, bio: MapBio<'b, ()>) -> Mapped<'b> {
        let sector = range.offset.wrapping_add(bio.sector());
        bio.remap(range.device, sector)
    }

    fn status(range: &Range<'_>, kind: StatusKind, out: &mut StatusWriter<'_>) {
        let (name, offset) = (range.device.name(), range.offset);
        let _ = match kind {
            StatusKind::Info => Ok(()),
            StatusKind::Table => write!(out, "{name} {offset}"),
            StatusKind::Ima => write!(out, ",device_name={name},start={offset};"),
        };
    }

    fn prepare_ioctl<'s>(range: &'s Range<'_>) -> IoctlRoute<'s> {
        IoctlRoute::of_range(range.device, range.offset, range.sectors)
    }

    fn iterate_devices(range: &Range<'_>, visitor: &mut DeviceVisitor<'_>) {
        visitor.visit(range.device, range.offset, range.sectors);
    }

    #[cfg(CONFIG_BLK_DEV_ZONED)]
    fn report_zones<'r>(
        range: &Range<'_>,
        report: dm::ZoneReport<'r>,
    ) -> Result<dm::ZonesReported<'r>> {
        report.fill(range.device, range.offset)
    }
}
