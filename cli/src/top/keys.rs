// SPDX-License-Identifier: GPL-2.0

//! Keys, from the bytes that a terminal sends.
//!
//! crossterm has a reader of its own, but that does not return when the terminal is closed: it takes the end of the file
//! for no bytes yet, and tries again for ever.

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    Tab,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-L.
    Redraw,
}

/// The keys in what was read at once. Sequences of an unknown key are left out.
pub(super) fn keys(bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = bytes;

    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            0x1b => {
                let (key, after) = sequence(after);
                rest = after;
                keys.extend(key);
            }
            0x03 => keys.push(Key::Interrupt),
            0x1a => keys.push(Key::Suspend),
            0x0c => keys.push(Key::Redraw),
            b'\r' | b'\n' => keys.push(Key::Enter),
            b'\t' => keys.push(Key::Tab),
            0x08 | 0x7f => keys.push(Key::Backspace),
            0x20..=0x7e => keys.push(Key::Char(char::from(*first))),
            _ => {}
        }
    }
    keys
}

/// What follows an escape: `[A`, `OA`, `[5~`. Alone, it is the key Escape.
fn sequence(bytes: &[u8]) -> (Option<Key>, &[u8]) {
    let Some((b'[' | b'O', rest)) = bytes.split_first() else {
        return (Some(Key::Escape), bytes);
    };
    // Parameters, and then one byte that says which key it is.
    let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte));
    let Some((sequence, rest)) = end.and_then(|end| rest.split_at_checked(end.saturating_add(1)))
    else {
        return (None, &[]);
    };
    let key = match sequence {
        b"A" => Some(Key::Up),
        b"B" => Some(Key::Down),
        b"H" | b"1~" | b"7~" => Some(Key::Home),
        b"5~" => Some(Key::PageUp),
        b"6~" => Some(Key::PageDown),
        _ => None,
    };
    (key, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_are_told_apart() {
        assert_eq!(
            keys(b"q\x1b[A\x1b\x1bOB\x1b[1;5C?\x1b[6~\x03\x7f\r"),
            [
                Key::Char('q'),
                Key::Up,
                Key::Escape,
                Key::Down,
                Key::Char('?'),
                Key::PageDown,
                Key::Interrupt,
                Key::Backspace,
                Key::Enter
            ]
        );
        assert_eq!(keys(b"\x1b[1;"), []);
        assert_eq!(keys("\u{e9}".as_bytes()), []);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(keys(&bytes).len() <= bytes.len());
        }
    }
}
