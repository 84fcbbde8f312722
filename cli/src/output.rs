// SPDX-License-Identifier: GPL-2.0

//! What commands print: tables for people, JSON for programs. Sizes are rounded for people.

use crate::failure::Failure;
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

/// A number of 512-byte sectors as a size.
pub(crate) fn size(sectors: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = sectors as f64 / 2.0;
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
