// SPDX-License-Identifier: GPL-2.0

//! The entries of a batch.
//!
//! An entry is a header, a payload, and zeroes up to a multiple of 8 bytes. Numbers are little-endian.
//!
//! ```text
//!  0  u32  size of the whole entry, in bytes
//!  4  u8   kind
//!  5  u8   detail; its meaning depends on the kind
//!  6  u16  reserved, 0
//!  8  u64  position of byte 0 of the entry
//! 16  u64  first sector, counted from the start of the target
//! 24  u64  length of the range, in bytes
//! 32  u64  monotonic time, in nanoseconds
//! 40  u32  flags of the request (core/src/record/op.rs)
//! 44  u32  pid
//! 48  u64  id of the cgroup
//! 56  [16] name of the command, padded with zeroes
//! 72  u32  length of the payload, in bytes
//! 76  u32  reserved, 0
//! ```
//!
//! Ranges are whole sectors, and end below 2^64 bytes.
//!
//! | kind | | payload |
//! |---|---|---|
//! | 1 | begin of a session | [`Begin`] |
//! | 2 | end of a session; the detail says why ([`End`]) | |
//! | 3 | write | the bytes |
//! | 4 | base: what a range held before its first write in this session | the bytes |
//! | 5 | discard | |
//! | 6 | write zeroes | |
//! | 7 | secure erase | |
//! | 8 | flush | |
//! | 9 | mark | the text |
//! | 10 | completions | [`Note`]s |
//! | 11 | gap: what is missing for a range; the detail is a set of [`Gap`] bits | |

use super::superblock::LogId;
use crate::{
    bytes::fields::{
        Put,
        Take, //
    },
    record::{
        Flags,
        SECTOR_SIZE, //
    }, //
};

/// The size of a header, in bytes.
pub const HEADER: usize = 80;

/// The same, as lengths in a batch count.
const HEADER_LENGTH: u32 = 80;

const _: () = assert!(HEADER_LENGTH as usize == HEADER);

/// The alignment of entries, in bytes.
pub const ALIGN: u32 = 8;

/// The length of a command's name, in bytes.
pub const COMMAND: usize = 16;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:literal;)*) => {
        /// What an entry is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $kind = $code,)*
        }

        impl Kind {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The kind of this number.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A session begins.
    Begin = 1;
    /// A session ends.
    End = 2;
    /// A write, with its bytes.
    Write = 3;
    /// What a range held before its first write in this session.
    Base = 4;
    /// Sectors were released. What they hold is not defined.
    Discard = 5;
    /// Sectors were made zero.
    WriteZeroes = 6;
    /// Sectors were erased. What they hold is not defined.
    SecureErase = 7;
    /// A flush.
    Flush = 8;
    /// A mark, with its text.
    Mark = 9;
    /// Requests have completed.
    Completions = 10;
    /// Something is missing for a range.
    Gap = 11;
}

/// Bits of the detail of a [`Kind::Gap`].
pub struct Gap;

impl Gap {
    /// A write, discard or other change of the range went to the disk, and its bytes are not in the log. From here on
    /// the range is unknown, until it is written again.
    pub const LATER: u8 = 1;
    /// What the chunks of the range held before is not in the log. In this session, they are unknown up to here.
    pub const BEFORE: u8 = 2;
}

macro_rules! ends {
    ($($(#[$doc:meta])* $end:ident = $code:literal, $word:literal;)*) => {
        /// Why a session has ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum End {
            $($(#[$doc])* $end = $code,)*
        }

        impl End {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$end,)*];

            /// The end of this number.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$end),)*
                    _ => None,
                }
            }

            /// The word for it, as the status prints it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$end => $word,)*
                }
            }
        }
    };
}

ends! {
    /// The device was suspended or removed, with everything in the log.
    Suspended = 1, "suspended";
    /// A message asked for it.
    Stopped = 2, "stopped";
    /// The log device is full.
    Full = 3, "full";
    /// The log device has failed.
    Failed = 4, "failed";
    /// The log device did not answer in time.
    Hung = 5, "hung";
    /// Another log device goes on.
    Next = 6, "next";
}

/// The header of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the entry is.
    pub kind: Kind,
    /// A number whose meaning depends on the kind.
    pub detail: u8,
    /// The position of byte 0 of the entry.
    pub position: u64,
    /// The first sector, counted from the start of the target.
    pub sector: u64,
    /// The length of the range, in bytes.
    pub bytes: u64,
    /// Nanoseconds of the monotonic clock.
    pub time: u64,
    /// The flags of the request.
    pub flags: Flags,
    /// Who made the request.
    pub issuer: Issuer,
    /// The length of the payload, in bytes.
    pub payload: u32,
}

/// Who made a request. For a buffered write this is often a kernel thread, but the cgroup is that of the writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Issuer {
    /// The process.
    pub pid: u32,
    /// The id of the cgroup; 0 if it is not known.
    pub cgroup: u64,
    /// The name of the command, padded with zeroes.
    pub command: [u8; COMMAND],
}

impl Header {
    /// The size of an entry with a payload of this length, in bytes; `None` if it is too large for any batch.
    pub fn size_with(payload: u32) -> Option<u32> {
        payload
            .checked_add(HEADER_LENGTH)?
            .checked_next_multiple_of(ALIGN)
    }

    /// The size of the whole entry, in bytes; `None` if it is too large for any batch.
    pub fn size(&self) -> Option<u32> {
        Self::size_with(self.payload)
    }

    /// Writes the layout above.
    pub fn encode(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        let mut to = Put(&mut out);
        to.put(self.size().unwrap_or(0).to_le_bytes());
        to.put([self.kind as u8, self.detail, 0, 0]);
        to.put(self.position.to_le_bytes());
        to.put(self.sector.to_le_bytes());
        to.put(self.bytes.to_le_bytes());
        to.put(self.time.to_le_bytes());
        to.put(self.flags.bits().to_le_bytes());
        to.put(self.issuer.pid.to_le_bytes());
        to.put(self.issuer.cgroup.to_le_bytes());
        to.put(self.issuer.command);
        to.put(self.payload.to_le_bytes());
        out
    }

    /// Reads the layout above; `None` if a value is impossible.
    pub fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        let mut from = Take(bytes);
        let size = u32::from_le_bytes(from.take()?);
        let [kind, detail, 0, 0] = from.take()? else {
            return None;
        };
        let header = Self {
            kind: Kind::from_code(kind)?,
            detail,
            position: u64::from_le_bytes(from.take()?),
            sector: u64::from_le_bytes(from.take()?),
            bytes: u64::from_le_bytes(from.take()?),
            time: u64::from_le_bytes(from.take()?),
            flags: Flags::from_bits(u32::from_le_bytes(from.take()?)),
            issuer: Issuer {
                pid: u32::from_le_bytes(from.take()?),
                cgroup: u64::from_le_bytes(from.take()?),
                command: from.take()?,
            },
            payload: u32::from_le_bytes(from.take()?),
        };
        let sound = from.take() == Some([0; 4]) && header.size() == Some(size);
        Some(header).filter(|header| sound && header.has_its_payload() && header.has_a_range())
    }

    /// Whether the length of the payload fits the kind.
    fn has_its_payload(&self) -> bool {
        match self.kind {
            Kind::Begin => self.payload as usize == Begin::SIZE,
            Kind::Write | Kind::Base => u64::from(self.payload) == self.bytes,
            Kind::Mark => true,
            Kind::Completions => self.payload as usize % Note::SIZE == 0,
            Kind::End
            | Kind::Discard
            | Kind::WriteZeroes
            | Kind::SecureErase
            | Kind::Flush
            | Kind::Gap => self.payload == 0,
        }
    }

    /// Whether the range is one of whole sectors that end below 2^64 bytes.
    fn has_a_range(&self) -> bool {
        let end = self
            .sector
            .checked_mul(SECTOR_SIZE)
            .and_then(|start| start.checked_add(self.bytes));
        end.is_some_and(|end| end % SECTOR_SIZE == 0)
    }
}

/// An entry of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its header.
    pub header: Header,
    /// Its payload.
    pub payload: &'a [u8],
}

/// The entries of a batch whose checksum is right.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
    position: u64,
}

/// The bytes of a batch are no entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntry {
    /// The position of the first byte that is not understood.
    pub position: u64,
}

impl<'a> Entries<'a> {
    /// The entries in `body`, the bytes after a batch's header. The first has this position.
    pub fn new(body: &'a [u8], position: u64) -> Self {
        Self {
            rest: body,
            position,
        }
    }

    fn split(&mut self) -> Option<Entry<'a>> {
        let header = Header::decode(self.rest.first_chunk()?)?;
        let size = header.size()? as usize;
        let (entry, rest) = self.rest.split_at_checked(size)?;
        let (_, payload) = entry.split_at_checked(HEADER)?;
        let (payload, padding) = payload.split_at_checked(header.payload as usize)?;

        if header.position != self.position || padding.iter().any(|byte| *byte != 0) {
            return None;
        }
        self.rest = rest;
        self.position = self.position.checked_add(size as u64)?;
        Some(Entry { header, payload })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, NoEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match self.split() {
            Some(entry) => Some(Ok(entry)),
            None => {
                self.rest = &[];
                Some(Err(NoEntry {
                    position: self.position,
                }))
            }
        }
    }
}

/// What is known of the old bytes of written chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bases {
    /// The session has no bases.
    Off,
    /// Each first write of a chunk comes after a base.
    On,
    /// The same, and the write goes to the disk when the base is on stable media.
    Durable,
}

/// The payload of a [`Kind::Begin`].
///
/// ```text
///  0  u64  session
///  8  u64  real time, in nanoseconds since 1970
/// 16  u8   bases: 0 off, 1 on, 2 durable
/// 17  u8   1 if this session follows the one before it without a hole
/// 18  [6]  reserved, 0
/// 24  [16] log id
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// The number of the session.
    pub session: u64,
    /// The real time, in nanoseconds since 1970, at the monotonic time of the entry.
    pub real_time: u64,
    /// Whether there are bases.
    pub bases: Bases,
    /// Whether nothing can have been written between the session before and this one.
    pub chained: bool,
    /// The log device.
    pub id: LogId,
}

impl Begin {
    /// The size of the payload, in bytes.
    pub const SIZE: usize = 40;

    /// Writes the layout above.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut out = [0; Self::SIZE];
        let mut to = Put(&mut out);
        to.put(self.session.to_le_bytes());
        to.put(self.real_time.to_le_bytes());
        let bases = match self.bases {
            Bases::Off => 0,
            Bases::On => 1,
            Bases::Durable => 2,
        };
        to.put([bases, u8::from(self.chained), 0, 0, 0, 0, 0, 0]);
        to.put(self.id);
        out
    }

    /// Reads the layout above; `None` if a value is impossible.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut from = Take(bytes);
        let session = u64::from_le_bytes(from.take()?);
        let real_time = u64::from_le_bytes(from.take()?);
        let [bases, chained, 0, 0, 0, 0, 0, 0] = from.take()? else {
            return None;
        };
        Some(Self {
            session,
            real_time,
            bases: match bases {
                0 => Bases::Off,
                1 => Bases::On,
                2 => Bases::Durable,
                _ => return None,
            },
            chained: match chained {
                0 => false,
                1 => true,
                _ => return None,
            },
            id: from.take()?,
        })
    }
}

/// What is noted when a request completes: one of those in a [`Kind::Completions`].
///
/// ```text
///  0  u64  position of the request
///  8  u64  the log's head when it completed
/// 16  u64  latency, in nanoseconds
/// 24  u32  errno, positive; 0 for success
/// 28  u32  reserved, 0
/// ```
///
/// A write that completed is durable after each flush whose position is not below the note's head, once that flush
/// has completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The position of the request's entry.
    pub position: u64,
    /// The log's head when it completed: entries from there on were made after that.
    pub head: u64,
    /// From the time of its entry to its completion, in nanoseconds.
    pub latency: u64,
    /// The errno with which it failed; 0 for success.
    pub errno: u32,
}

impl Note {
    /// The size of a note, in bytes.
    pub const SIZE: usize = 32;

    /// Writes the layout above.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut out = [0; Self::SIZE];
        let mut to = Put(&mut out);
        to.put(self.position.to_le_bytes());
        to.put(self.head.to_le_bytes());
        to.put(self.latency.to_le_bytes());
        to.put(self.errno.to_le_bytes());
        out
    }

    /// Reads the layout above; `None` if a value is impossible.
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let mut from = Take(bytes);
        let note = Self {
            position: u64::from_le_bytes(from.take()?),
            head: u64::from_le_bytes(from.take()?),
            latency: u64::from_le_bytes(from.take()?),
            errno: u32::from_le_bytes(from.take()?),
        };
        Some(note).filter(|_| from.take() == Some([0; 4]))
    }
}
