// SPDX-License-Identifier: GPL-2.0

//! The frame of a panel, and from values to places in it.

/// Where a panel is in the picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Its left edge.
    pub(super) x: f64,
    /// Its upper edge.
    pub(super) y: f64,
    /// Its width.
    pub(super) width: f64,
    /// Its height.
    pub(super) height: f64,
}

impl Frame {
    /// Its lower edge.
    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// Its right edge.
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Where a value is, from left to right.
    pub(super) fn across(&self, value: f64, low: f64, high: f64) -> f64 {
        self.x + self.width * ((value - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// Where a value is, upwards.
    pub(super) fn up(&self, value: f64, low: f64, high: f64) -> f64 {
        self.bottom() - self.height * ((value - low) / (high - low)).clamp(0.0, 1.0)
    }
}
