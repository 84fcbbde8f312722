// SPDX-License-Identifier: GPL-2.0

//! The ops, as the picture tells them apart: by colour.

use imgrement_core::record::Op;

/// What has a colour of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Reads.
    Read,
    /// Writes of data.
    Write,
    /// Sectors are released, or get zeroes without data.
    Discard,
    /// Flushes.
    Flush,
    /// Zones are managed, and ops that are unknown.
    Other,
}

impl Class {
    /// All of them, in the order of their numbers.
    pub(super) const ALL: [Self; 5] = [
        Self::Read,
        Self::Write,
        Self::Discard,
        Self::Flush,
        Self::Other,
    ];

    /// The class of an op.
    pub(super) const fn of(op: Op) -> Self {
        match op {
            Op::Read => Self::Read,
            Op::Write | Op::ZoneAppend => Self::Write,
            Op::Discard | Op::SecureErase | Op::WriteZeroes => Self::Discard,
            Op::Flush => Self::Flush,
            Op::ZoneReset
            | Op::ZoneResetAll
            | Op::ZoneOpen
            | Op::ZoneClose
            | Op::ZoneFinish
            | Op::Other => Self::Other,
        }
    }

    /// Its name in the picture.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Discard => "discard",
            Self::Flush => "flush",
            Self::Other => "other",
        }
    }

    /// Whether it moves data.
    pub(super) const fn moves_data(self) -> bool {
        match self {
            Self::Read | Self::Write => true,
            Self::Discard | Self::Flush | Self::Other => false,
        }
    }

    /// Whether it is about a range of sectors that the map shows.
    pub(super) const fn has_place(self) -> bool {
        match self {
            Self::Read | Self::Write | Self::Discard => true,
            Self::Flush | Self::Other => false,
        }
    }
}

/// A value for each class.
#[derive(Clone, Debug, Default)]
pub(super) struct Classes<T>([T; Class::ALL.len()]);

impl<T> Classes<T> {
    /// Makes each value.
    pub(super) fn new(make: impl FnMut(Class) -> T) -> Self {
        Self(Class::ALL.map(make))
    }

    /// The value of a class.
    pub(super) fn get(&self, class: Class) -> &T {
        let Self([read, write, discard, flush, other]) = self;
        match class {
            Class::Read => read,
            Class::Write => write,
            Class::Discard => discard,
            Class::Flush => flush,
            Class::Other => other,
        }
    }

    /// The value of a class, to change it.
    pub(super) fn get_mut(&mut self, class: Class) -> &mut T {
        let Self([read, write, discard, flush, other]) = self;
        match class {
            Class::Read => read,
            Class::Write => write,
            Class::Discard => discard,
            Class::Flush => flush,
            Class::Other => other,
        }
    }

    /// All values, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }

    /// All values, with their classes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Class, &T)> {
        Class::ALL.into_iter().zip(&self.0)
    }
}
