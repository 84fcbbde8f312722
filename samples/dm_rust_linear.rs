// SPDX-License-Identifier: GPL-2.0

//! dm-linear in Rust: a range of another device, and nothing else.
//!
//! `START LENGTH rust_linear DEVICE OFFSET`, as `drivers/md/dm-linear.c` has it.

#![deny(unsafe_code)]

use kernel::prelude::*;

#[allow(unsafe_code)]
#[path = "../dm.rs"]
pub mod dm;

use dm::{
    Args,
    Builder,
    CtrError,
    Device,
    DeviceVisitor,
    IoctlRoute,
    MapBio,
    Mapped,
    Registration,
    StatusKind,
    StatusWriter,
    Target, //
};
use kernel::fmt::Write;

module! {
    type: LinearModule,
    name: "dm_rust_linear",
    authors: ["The imgrement authors"],
    description: "Linear device-mapper target in Rust",
    license: "GPL",
}

#[pin_data]
struct LinearModule {
    #[pin]
    _target: Registration<Linear>,
}

impl kernel::InPlaceModule for LinearModule {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self { _target <- Registration::new() })
    }
}

struct Linear {
    device: Device,
    offset: u64,
    sectors: u64,
}

#[vtable]
impl Target for Linear {
    const NAME: &'static CStr = c"rust_linear";
    const VERSION: [u32; 3] = [1, 0, 0];
    type PerBio = ();

    fn ctr(
        builder: &mut Builder<'_>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Self, Error>, CtrError> {
        let (device, offset) = builder.next_range(args)?;

        builder.flush_bios(1);
        builder.discard_bios(1);
        builder.secure_erase_bios(1);
        builder.write_zeroes_bios(1);
        builder.flush_bypasses_map();
        let sectors = builder.sectors();
        Ok(init!(Self { device, offset, sectors }? Error))
    }

    fn map<'b>(&self, bio: MapBio<'b, ()>) -> Mapped<'b> {
        let sector = self.offset.wrapping_add(bio.sector());
        bio.remap(&self.device, sector)
    }

    fn status(&self, kind: StatusKind, out: &mut StatusWriter<'_>) {
        let (name, offset) = (self.device.name(), self.offset);
        let _ = match kind {
            StatusKind::Info => Ok(()),
            StatusKind::Table => write!(out, "{name} {offset}"),
            StatusKind::Ima => write!(out, ",device_name={name},start={offset};"),
        };
    }

    fn prepare_ioctl(&self) -> IoctlRoute<'_> {
        IoctlRoute::of_range(&self.device, self.offset, self.sectors)
    }

    fn iterate_devices(&self, visitor: &mut DeviceVisitor<'_>) {
        visitor.visit(&self.device, self.offset, self.sectors);
    }
}
