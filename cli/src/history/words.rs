// SPDX-License-Identifier: GPL-2.0

//! The words for what is in a log.

use imgrement_core::{
    history::entry::{
        Bases,
        Kind, //
    },
    record::Flags, //
};

/// The word for a kind of entries.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Begin => "begin",
        Kind::End => "end",
        Kind::Write => "write",
        Kind::Base => "base",
        Kind::Discard => "discard",
        Kind::WriteZeroes => "write-zeroes",
        Kind::SecureErase => "secure-erase",
        Kind::Flush => "flush",
        Kind::Mark => "mark",
        Kind::Completions => "completions",
        Kind::Gap => "gap",
    }
}

/// The kind of this word.
pub(crate) fn kind_of(word: &str) -> Result<Kind, String> {
    let found = Kind::ALL.iter().find(|one| kind(**one) == word);
    found.copied().ok_or_else(|| {
        let words: Vec<_> = Kind::ALL.iter().map(|one| kind(*one)).collect();
        format!("there is no such op; there are {}", words.join(", "))
    })
}

/// The word for what is known of the old bytes.
pub(crate) fn bases(bases: Bases) -> &'static str {
    match bases {
        Bases::Off => "off",
        Bases::On => "on",
        Bases::Durable => "durable",
    }
}

/// The words for flags of a request.
pub(crate) fn flags(flags: Flags) -> Vec<&'static str> {
    [
        (Flags::PREFLUSH, "preflush"),
        (Flags::FUA, "fua"),
        (Flags::SYNC, "sync"),
        (Flags::META, "meta"),
        (Flags::ATOMIC, "atomic"),
        (Flags::NOWAIT, "nowait"),
    ]
    .into_iter()
    .filter(|(flag, _)| flags.contains(*flag))
    .map(|(_, word)| word)
    .collect()
}

/// A text that is padded with zeroes.
pub(crate) fn padded(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    String::from_utf8_lossy(text)
        .chars()
        .map(|char| if char.is_control() { '?' } else { char })
        .collect()
}

/// The id of a log, as text.
pub(crate) fn id(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
