// SPDX-License-Identifier: GPL-2.0

//! Makes words of tables and messages from what a person types.

use imgrement_core::bytes::word::Escaped;

/// The word for a text as a person types it. `%HH` is an escape, as everywhere. Other bytes that are not plain, such
/// as a space, are escaped here, so they need not be typed as escapes.
pub(crate) fn word(typed: &[u8]) -> String {
    typed
        .split(|byte| *byte == b'%')
        .map(|part| Escaped(part).to_string())
        .collect::<Vec<_>>()
        .join("%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_escaped() {
        assert_eq!(word(b"BEGIN RSA"), "BEGIN%20RSA");
        assert_eq!(word(b"a#b\\c"), "a%23b%5Cc");
        assert_eq!(word("\u{e9}\n".as_bytes()), "%C3%A9%0A");
    }

    #[test]
    fn typed_escapes_stay() {
        assert_eq!(word(b"%6Eone"), "%6Eone");
        assert_eq!(word(b"%"), "%");
        assert_eq!(word(b""), "");
    }
}
