// SPDX-License-Identifier: GPL-2.0

//! What a request does, and how it must be done.

/// Declares the ops: what each does, its number, and its name in the log. All else follows from these rows.
macro_rules! ops {
    ($($(#[$doc:meta])* $op:ident = $code:literal, $name:literal;)*) => {
        /// What a request does. The numbers are those of the encoding, not the kernel's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Op {
            $($(#[$doc])* $op = $code,)*
        }

        impl Op {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$op,)*];

            /// The name, as the log prints it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$op => $name,)*
                }
            }

            /// The op of this number.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$op),)*
                    _ => None,
                }
            }
        }
    };
}

ops! {
    /// Reads a payload.
    Read = 0, "R";
    /// Writes a payload.
    Write = 1, "W";
    /// Makes earlier writes durable; a flush without a payload.
    Flush = 2, "flush";
    /// Releases sectors.
    Discard = 3, "discard";
    /// Releases sectors and makes them unreadable.
    SecureErase = 4, "secure-erase";
    /// Writes zeroes without a payload.
    WriteZeroes = 5, "write-zeroes";
    /// Writes a payload at the zone's write pointer.
    ZoneAppend = 6, "zone-append";
    /// Resets a zone's write pointer.
    ZoneReset = 7, "zone-reset";
    /// Resets all write pointers.
    ZoneResetAll = 8, "zone-reset-all";
    /// Opens a zone.
    ZoneOpen = 9, "zone-open";
    /// Closes a zone.
    ZoneClose = 10, "zone-close";
    /// Moves a zone's write pointer to the end.
    ZoneFinish = 11, "zone-finish";
    /// Anything else.
    Other = 12, "other";
}

impl Op {
    /// The number of the encoding.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Whether it moves bytes. The deltas cover these bytes.
    pub const fn has_payload(self) -> bool {
        self.writes() || matches!(self, Self::Read)
    }

    /// Whether it moves bytes to the disk.
    pub const fn writes(self) -> bool {
        match self {
            Self::Write | Self::ZoneAppend => true,
            Self::Read
            | Self::Flush
            | Self::Discard
            | Self::SecureErase
            | Self::WriteZeroes
            | Self::ZoneReset
            | Self::ZoneResetAll
            | Self::ZoneOpen
            | Self::ZoneClose
            | Self::ZoneFinish
            | Self::Other => false,
        }
    }

    /// Whether it concerns certain sectors. A flush and a reset of all zones concern the whole device. For an unknown
    /// op, nothing is claimed.
    pub const fn has_sectors(self) -> bool {
        match self {
            Self::Flush | Self::ZoneResetAll | Self::Other => false,
            Self::Read
            | Self::Write
            | Self::Discard
            | Self::SecureErase
            | Self::WriteZeroes
            | Self::ZoneAppend
            | Self::ZoneReset
            | Self::ZoneOpen
            | Self::ZoneClose
            | Self::ZoneFinish => true,
        }
    }
}

/// How a request must be done: a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// The payload is durable when the request completes (REQ_FUA).
    pub const FUA: Self = Self(1 << 0);
    /// A flush comes before the payload (REQ_PREFLUSH).
    pub const PREFLUSH: Self = Self(1 << 1);
    /// A file system's metadata (REQ_META).
    pub const META: Self = Self(1 << 2);
    /// A task waits for it (REQ_SYNC).
    pub const SYNC: Self = Self(1 << 3);
    /// It fails instead of waiting (REQ_NOWAIT).
    pub const NOWAIT: Self = Self(1 << 4);
    /// All or nothing (REQ_ATOMIC).
    pub const ATOMIC: Self = Self(1 << 5);
    /// Read ahead: nobody has asked for it yet (REQ_RAHEAD).
    pub const RAHEAD: Self = Self(1 << 6);

    /// The union of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all flags of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags with these bits.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits of the encoding.
    pub const fn bits(self) -> u32 {
        self.0
    }
}
