// SPDX-License-Identifier: GPL-2.0

//! How many requests are aligned: they begin and end at a multiple of a size.

use crate::recording::row::Request;
use serde::Serialize;

/// The sizes that are looked at in any case.
const SIZES: [u64; 3] = [4096, 65536, 1 << 20];

/// Counts aligned requests.
pub(crate) struct Alignment {
    requests: u64,
    sizes: Vec<(u64, u64, u64)>,
}

/// The result for a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct AlignmentSummary {
    /// The size.
    pub(crate) bytes: u64,
    /// How many requests have sectors.
    pub(crate) requests: u64,
    /// How many of them begin at a multiple of the size.
    pub(crate) begin: u64,
    /// How many begin and end at one.
    pub(crate) aligned: u64,
}

impl Alignment {
    /// For a disk with blocks of this many bytes.
    pub(crate) fn new(block_size: u32) -> Self {
        let mut sizes = SIZES.to_vec();
        if block_size > 0 {
            sizes.push(u64::from(block_size));
        }
        sizes.sort_unstable();
        sizes.dedup();
        Self {
            requests: 0,
            sizes: sizes.into_iter().map(|size| (size, 0, 0)).collect(),
        }
    }

    /// A request.
    pub(crate) fn add(&mut self, request: &Request<'_>) {
        if !request.op.has_sectors() || request.bytes == 0 {
            return;
        }
        self.requests += 1;
        // It overflows only if forged, and a multiple of a power of two stays one.
        let begin = request.sector.wrapping_mul(512);
        let end = begin.wrapping_add(u64::from(request.bytes));
        for (size, begins, aligned) in &mut self.sizes {
            if begin % *size == 0 {
                *begins += 1;
                *aligned += u64::from(end % *size == 0);
            }
        }
    }

    /// The result for each size.
    pub(crate) fn summary(&self) -> Vec<AlignmentSummary> {
        self.sizes
            .iter()
            .map(|(size, begin, aligned)| AlignmentSummary {
                bytes: *size,
                requests: self.requests,
                begin: *begin,
                aligned: *aligned,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;
    use imgrement_core::record::Op;

    #[test]
    fn aligned_requests_are_counted() {
        let mut alignment = Alignment::new(512);
        alignment.add(&request(Op::Write, 8, 4096));
        alignment.add(&request(Op::Write, 8, 512));
        alignment.add(&request(Op::Read, 7, 4096));
        alignment.add(&request(Op::Write, 2048, 1 << 20));
        alignment.add(&request(Op::Flush, 0, 0));
        let got: Vec<_> = alignment
            .summary()
            .into_iter()
            .map(|size| (size.bytes, size.requests, size.begin, size.aligned))
            .collect();
        assert_eq!(
            got,
            [
                (512, 4, 4, 4),
                (4096, 4, 3, 2),
                (65536, 4, 1, 1),
                (1 << 20, 4, 1, 1)
            ]
        );
    }
}
