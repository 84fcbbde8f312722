// SPDX-License-Identifier: GPL-2.0

//! Statistics about requests. Each has a file of its own, is fed one request after another, and takes a limited amount of
//! memory, however many requests there are.
//!
//! - `spread`: percentiles of any values; `frequent`: the most frequent keys. The others are made of these.
//! - `ops`, `sizes`, `alignment`, `ranges`, `processes`, `found`, `coverage`: requests may come in any order.
//! - `arrivals`, `depth`, `sequence`, `epochs`: requests come in the order of their starts; `order` takes care of that.
//! - `device` is all of them for a device; `file` reads a recording; `text` is for people.

pub(crate) mod alignment;
pub(crate) mod arrivals;
pub(crate) mod coverage;
pub(crate) mod depth;
pub(crate) mod device;
pub(crate) mod epochs;
pub(crate) mod file;
pub(crate) mod found;
pub(crate) mod frequent;
pub(crate) mod notes;
pub(crate) mod ops;
pub(crate) mod order;
pub(crate) mod processes;
pub(crate) mod ranges;
pub(crate) mod sequence;
pub(crate) mod sizes;
pub(crate) mod spread;
pub(crate) mod text;

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests;
