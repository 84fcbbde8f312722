// SPDX-License-Identifier: GPL-2.0

//! What a table asks of its history.

use super::values::{
    Choice,
    Kind, //
};

/// The longest path of a log device, in bytes.
pub const DEVICE_MAX: usize = 128;

/// Whether a history keeps what was on the disk before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Yes.
    On,
    /// No, only what is written.
    Off,
    /// Yes, and a write waits until the old bytes are on stable media.
    Durable,
}

impl Base {
    pub(super) const ALL: &'static [Self] = &[Self::On, Self::Off, Self::Durable];
}

impl Choice for Base {
    const KIND: Kind = Kind::Words {
        usage: "on|off|durable",
        allowed: "on, off or durable",
    };

    fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Durable => "durable",
        }
    }
}

/// What happens to a write when the log device is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// It waits.
    Wait,
    /// It goes on. The history then has a gap.
    Gap,
}

impl Slow {
    pub(super) const ALL: &'static [Self] = &[Self::Wait, Self::Gap];
}

impl Choice for Slow {
    const KIND: Kind = Kind::Words {
        usage: "wait|gap",
        allowed: "wait or gap",
    };

    fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Gap => "gap",
        }
    }
}
