// SPDX-License-Identifier: GPL-2.0

//! Whether there is memory for what a table asks for.
//!
//! An allocation that may fail can still take nearly all memory, and leave too little to others. So the table is
//! refused before anything is allocated, and the error says how much is missing.

use super::{
    arguments::{
        Argument,
        Params, //
    },
    values::{
        Choice,
        Value, //
    }, //
};
use core::fmt;

/// The minimum that is left to others, in bytes. At least a quarter of the available memory is left, too.
const LEFT_MIN: u64 = 16 * MIB;

const MIB: u64 = 1 << 20;

/// What the arguments of a table need, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// For `records`.
    pub records: u64,
    /// For `edges`.
    pub edges: u64,
    /// For a history.
    pub history: HistoryNeed,
    /// For everything else.
    pub other: u64,
}

/// What a history needs, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct HistoryNeed {
    /// For `history_buffer`: what waits for the log device, and the buffers for what was there before.
    pub buffers: u64,
    /// For `base`: one bit for each chunk of the target.
    pub chunks: u64,
}

/// The error that there is not enough memory.
///
/// It prints as a line for the log: `records 65536: needs 258 MiB, and 181 MiB are available; allowed: ...`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The argument that asks for the most, and its value.
    argument: Argument,
    value: Value<'static>,
    /// Bytes for the whole table line.
    needs: u64,
    /// Available bytes.
    available: u64,
}

impl Shortage {
    /// The error for a table with these arguments, if they need more memory than `available` bytes can spare; otherwise
    /// `None`.
    pub fn of(params: &Params, need: Need, available: u64) -> Option<Self> {
        let Need {
            records,
            edges,
            history: HistoryNeed { buffers, chunks },
            other,
        } = need;
        let needs = [records, edges, buffers, chunks, other]
            .into_iter()
            .fold(0, u64::saturating_add);
        let left = LEFT_MIN.max(available / 4);
        if needs <= available.saturating_sub(left) {
            return None;
        }

        let mut most = records;
        let mut named = (Argument::Records, Value::Number(params.records));
        for (bytes, argument, value) in [
            (edges, Argument::Edges, Value::Number(params.edges)),
            (
                buffers,
                Argument::HistoryBuffer,
                Value::Number(params.history_buffer),
            ),
            (chunks, Argument::Base, Value::Word(params.base.name())),
        ] {
            if bytes > most {
                most = bytes;
                named = (argument, value);
            }
        }
        let (argument, value) = named;
        Some(Self {
            argument,
            value,
            needs,
            available,
        })
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = (self.argument.name(), self.value);
        let (needs, available) = (self.needs.div_ceil(MIB), self.available / MIB);

        write!(
            f,
            "{name} {value}: needs {needs} MiB, and {available} MiB are available; allowed: what leaves a quarter of these, and 16 MiB at least"
        )
    }
}
