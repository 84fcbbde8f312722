// SPDX-License-Identifier: GPL-2.0

//! What commands print: tables for people, JSON for programs. Sizes are rounded for people.

use crate::failure::Failure;
use imgrement_core::bytes::word::unescape;
use serde::Serialize;
use std::io::{
    self,
    Write, //
};

/// Prints a text. If the reader has gone, nothing more is printed.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Tells a person something that is no failure, on standard error.
pub(crate) fn note(text: &str) {
    // If this fails, there is no one to tell.
    let _ = io::stderr()
        .lock()
        .write_all(format!("imgrement: {text}\n").as_bytes());
}

/// Prints a value as JSON, for programs.
pub(crate) fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(format_args!("cannot make JSON: {error}")))?;
    print(&format!("{text}\n"))
}

/// Columns as wide as their widest cell. Cells have no line ends.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let mut widths = Vec::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(column) {
                Some(widest) => *widest = width.max(*widest),
                None => widths.push(width),
            }
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// How wide the terminal is that the output goes to; `None` if it goes elsewhere.
pub(crate) fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    // A terminal that does not know its width says 0.
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// A line with a name in brackets at its end, not wider than the terminal: the name is cut first. All characters are as
/// wide as a column.
pub(crate) fn fit(line: &str, name: &str, width: Option<usize>) -> String {
    let whole = format!("{line} [{name}]");
    let Some(width) = width else { return whole };
    if whole.chars().count() <= width {
        return whole;
    }
    // At least a letter of the name.
    match width.checked_sub(line.chars().count() + " [...]".len()) {
        Some(room) if room > 0 => {
            let part: String = name.chars().take(room).collect();
            format!("{line} [{part}...]")
        }
        Some(_) | None => line.chars().take(width).collect(),
    }
}

/// Words in lines that are not wider than the terminal, all but the first with this indentation. A word that is wider
/// has a line of its own.
pub(crate) fn wrapped(
    words: &[String],
    first: usize,
    indent: usize,
    width: Option<usize>,
) -> String {
    let mut text = String::new();
    let mut used = first;
    for word in words {
        let length = word.chars().count();
        if !text.is_empty() && width.is_some_and(|width| used + 1 + length > width) {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            used = indent;
        } else if !text.is_empty() {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += length;
    }
    text
}

/// A number of 512-byte sectors as a size.
pub(crate) fn size(sectors: u64) -> String {
    rounded(sectors as f64 / 2.0)
}

/// A number of KiB, in the unit that fits.
fn rounded(kib: f64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = kib;
    let mut units = UNITS.iter().peekable();

    loop {
        let unit = units.next().unwrap_or(&"EiB");
        if value < 1024.0 || units.peek().is_none() {
            // Whole numbers are exact.
            return match value.fract() == 0.0 {
                true => format!("{value:.0} {unit}"),
                false => format!("{value:.1} {unit}"),
            };
        }
        value /= 1024.0;
    }
}

/// A number of bytes as a size.
pub(crate) fn bytes(number: u64) -> String {
    match number < 1024 {
        true => format!("{number} B"),
        false => rounded(number as f64 / 1024.0),
    }
}

/// Nanoseconds as a length of time, with three digits.
pub(crate) fn span(nanoseconds: u64) -> String {
    let number = nanoseconds as f64;
    let (value, unit) = match number {
        number if number < 1e3 => return format!("{nanoseconds} ns"),
        number if number < 999.5e3 => (number / 1e3, "us"),
        number if number < 999.5e6 => (number / 1e6, "ms"),
        number if number < 600e9 => (number / 1e9, "s"),
        number if number < 36000e9 => (number / 60e9, "min"),
        number => (number / 3600e9, "h"),
    };
    match value {
        value if value < 9.995 => format!("{value:.2} {unit}"),
        value if value < 99.95 => format!("{value:.1} {unit}"),
        value => format!("{value:.0} {unit}"),
    }
}

/// A text as it was before it was escaped, if it can be shown like that. Nothing in it can control a terminal.
pub(crate) fn readable(escaped: &str) -> String {
    let mut bytes = vec![0; escaped.len()];
    let text = unescape(escaped.as_bytes(), &mut bytes).ok();
    match text.and_then(|text| std::str::from_utf8(text).ok()) {
        Some(text) if !text.chars().any(char::is_control) => text.to_owned(),
        Some(_) | None => escaped.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_not_wider_than_the_terminal() {
        for (width, wanted) in [
            (None, "12 write [fio-writer]"),
            (Some(200), "12 write [fio-writer]"),
            (Some(21), "12 write [fio-writer]"),
            (Some(20), "12 write [fio-wr...]"),
            (Some(15), "12 write [f...]"),
            (Some(14), "12 write"),
            (Some(8), "12 write"),
            (Some(4), "12 w"),
        ] {
            assert_eq!(fit("12 write", "fio-writer", width), wanted, "{width:?}");
        }
    }

    #[test]
    fn words_are_wrapped() {
        let words = ["log off,", "rate 1000,", "a-word-that-is-too-wide,", "x"].map(str::to_owned);
        assert_eq!(
            wrapped(&words, 10, 2, None),
            "log off, rate 1000, a-word-that-is-too-wide, x"
        );
        assert_eq!(
            wrapped(&words, 10, 2, Some(20)),
            "log off,\n  rate 1000,\n  a-word-that-is-too-wide,\n  x"
        );
    }

    #[test]
    fn bytes_are_for_people() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(4096), "4 KiB");
        assert_eq!(bytes(3 << 19), "1.5 MiB");
    }

    #[test]
    fn spans_have_three_digits() {
        for (nanoseconds, wanted) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1000, "1.00 us"),
            (9_996, "10.0 us"),
            (105_400, "105 us"),
            (999_499, "999 us"),
            (999_500, "1.00 ms"),
            (33_333_333, "33.3 ms"),
            (12_300_000_000, "12.3 s"),
            (720_000_000_000, "12.0 min"),
            (86_400_000_000_000, "24.0 h"),
        ] {
            assert_eq!(span(nanoseconds), wanted);
        }
    }

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(size(0), "0 KiB");
        assert_eq!(size(1), "0.5 KiB");
        assert_eq!(size(8192), "4 MiB");
        assert_eq!(size(3 << 20), "1.5 GiB");
        assert_eq!(size(u64::MAX), "8192 EiB");
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [
            vec!["a".into(), "b".into()],
            vec!["long".into(), "c".into()],
        ];
        assert_eq!(columns(&rows), "a     b\nlong  c\n");
    }

    #[test]
    fn escapes_are_undone_where_they_can_be_shown() {
        assert_eq!(readable("untar%20done"), "untar done");
        assert_eq!(readable("%C3%A9"), "é");
        assert_eq!(readable("a%0Ab"), "a%0Ab");
        assert_eq!(readable("%FF"), "%FF");
        assert_eq!(readable("100%"), "100%");
    }
}
