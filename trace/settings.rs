// SPDX-License-Identifier: GPL-2.0

//! What a table set, and messages have changed since.

use super::key;
use crate::{
    matcher::Matcher,
    params::{
        Params,
        Pattern, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The settings of a target at one time.
pub(crate) struct Settings {
    /// As they print in a table line.
    pub(crate) params: Params,
    /// The pattern of `params`, prepared.
    pub(crate) matcher: Option<Arc<Matcher>>,
}

impl Settings {
    /// Prepares what `params` ask for. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and those of [`key::read`].
    pub(crate) fn new(params: Params) -> Result<KBox<Self>> {
        let matcher = match &params.pattern {
            None => None,
            Some(Pattern::Text(text)) => Matcher::new(text.as_bytes()),
            Some(Pattern::Key(name)) => Matcher::new(key::read(name)?.as_bytes()),
        };
        let matcher = match matcher {
            None => None,
            Some(matcher) => Some(Arc::new(matcher, GFP_KERNEL)?),
        };

        Self::with(params, matcher)
    }

    /// `params`, for the pattern of which there is a matcher already. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn with(params: Params, matcher: Option<Arc<Matcher>>) -> Result<KBox<Self>> {
        Ok(KBox::new(Self { params, matcher }, GFP_KERNEL)?)
    }
}
