// SPDX-License-Identifier: GPL-2.0

//! The KUnit tests of `dm`, which run when this module is loaded.
//!
//! They are in a module of their own. If the product contained tests, it would need KUnit on every kernel that is
//! built with it.

use kernel::prelude::*;

#[allow(dead_code)]
#[path = "../../dm/mod.rs"]
pub mod dm;

module! {
    type: KunitModule,
    name: "dm_test_kunit",
    authors: ["The imgrement authors"],
    description: "KUnit tests of the Rust abstraction of device-mapper",
    license: "GPL",
}

struct KunitModule;

impl kernel::Module for KunitModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self)
    }
}
