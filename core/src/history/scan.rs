// SPDX-License-Identifier: GPL-2.0

//! Where a log ends: which batch may follow which.
//!
//! After a crash, the end of a log may hold anything: a batch of which a part is missing, whole batches after it,
//! batches of an earlier use of the device. A batch belongs to the log if it follows the one before it in each of
//! these: log id, position, number, session, and if both its checksums are right. A batch after the place that the
//! superblock names must also be of the latest session. Otherwise a batch that was torn when an earlier session ended,
//! and whose missing blocks happen to be written later, would come back.

use super::{
    batch::{
        self,
        Header, //
    },
    checksum::Checksum,
    superblock::{
        LogId,
        ScanFrom,
        Superblock, //
    }, //
};

/// The place after the last batch that belongs to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    id: LogId,
    block: u32,
    /// Where the next batch is, if there is one.
    next: ScanFrom,
    /// From this position on, all batches are of the latest session.
    latest_from: u64,
    /// The latest session.
    latest: u64,
}

impl Tail {
    /// The place that a superblock names.
    pub fn of(superblock: &Superblock) -> Self {
        Self {
            id: superblock.id,
            block: superblock.block_size,
            next: superblock.scan,
            latest_from: superblock.scan.position,
            latest: superblock.session,
        }
    }

    /// The place of the first batch of a log device, which has this number. Batches that were made after the superblock
    /// was read follow if they are of its latest session.
    pub fn first_of(superblock: &Superblock, number: u64) -> Self {
        let block = u64::from(superblock.block_size);
        Self {
            next: ScanFrom {
                position: superblock.first_position.saturating_add(block),
                number,
                session: 0,
            },
            ..Self::of(superblock)
        }
    }

    /// Where the next batch is, if there is one.
    pub fn next(&self) -> ScanFrom {
        self.next
    }

    /// Whether a batch with this header follows. Its body has not been checked by this.
    pub fn is_followed_by(&self, header: &Header) -> bool {
        let same = header.session == self.next.session && !header.first;
        let later = header.session > self.next.session && header.first;
        let latest = header.session == self.latest
            || header.session < self.latest && header.position < self.latest_from;

        header.id == self.id
            && header.position == self.next.position
            && header.number == self.next.number
            && (same || later)
            && latest
            && header
                .room(self.block)
                .checked_add(header.position)
                .is_some()
    }

    /// Goes to the place after a batch that follows. Returns whether it does.
    #[must_use]
    pub fn pass(&mut self, header: &Header) -> bool {
        if !self.is_followed_by(header) {
            return false;
        }
        self.next = ScanFrom {
            position: header.position.saturating_add(header.room(self.block)),
            number: header.number.saturating_add(1),
            session: header.session,
        };
        true
    }
}

/// The checksum of a batch's body, while it is read.
pub struct Body<C> {
    checksum: C,
    left: u32,
    wanted: u64,
}

impl<C: Checksum> Body<C> {
    /// For the batch with this header.
    pub fn of(header: &Header) -> Self {
        Self {
            checksum: C::new(batch::seed(&header.id, header.session)),
            left: header.length.saturating_sub(batch::HEADER_LENGTH),
            wanted: header.body,
        }
    }

    /// How many bytes of the body have not been read yet.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Adds the next bytes. Bytes beyond the body are left out.
    pub fn update(&mut self, bytes: &[u8]) {
        let wanted = bytes.get(..self.left as usize).unwrap_or(bytes);

        self.checksum.update(wanted);
        // What is wanted is not longer than what is left.
        self.left = u32::try_from(wanted.len()).map_or(0, |len| self.left.saturating_sub(len));
    }

    /// Whether all of it has been read, and it is what the header says.
    pub fn is_whole(&self) -> bool {
        self.left == 0 && self.checksum.digest() == self.wanted
    }
}
