// SPDX-License-Identifier: GPL-2.0

//! What a table set, and messages have changed since.

use crate::{
    matcher::Matcher,
    params::Params, //
};
use kernel::prelude::*;

/// The settings of a target at one time.
pub(crate) struct Settings {
    /// As they print in a table line.
    pub(crate) params: Params,
    /// The pattern of `params`, prepared.
    pub(crate) matcher: Option<Matcher>,
}

impl Settings {
    /// Prepares what `params` ask for. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(params: Params) -> Result<KBox<Self>> {
        let matcher = params
            .pattern
            .as_ref()
            .and_then(|pattern| Matcher::new(pattern.as_bytes()));

        Ok(KBox::new(Self { params, matcher }, GFP_KERNEL)?)
    }
}
