// SPDX-License-Identifier: GPL-2.0

//! Figures as tables of text. The columns that say most come first: a narrow screen has no room for the last ones.

use super::figures::{
    Figures,
    Found,
    Part,
    Row, //
};
use crate::output::{
    bytes,
    span, //
};

/// What a column has, which decides how its cells are aligned and cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// The name of a device: its end tells it from others.
    Device,
    Number,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) kind: Kind,
    /// The width that its cells rarely exceed, so that the columns stay in place.
    pub(super) width: usize,
}

const fn column(kind: Kind, title: &'static str, width: usize) -> Column {
    Column { title, kind, width }
}

const fn text(title: &'static str, width: usize) -> Column {
    column(Kind::Text, title, width)
}

const fn number(title: &'static str, width: usize) -> Column {
    column(Kind::Number, title, width)
}

/// A line of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) cells: Vec<String>,
    /// Something failed, or was removed.
    pub(super) alarming: bool,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) lines: Vec<Line>,
}

impl Table {
    fn new(columns: Vec<Column>, lines: impl Iterator<Item = Line>) -> Self {
        let mut table = Self {
            columns,
            lines: lines.collect(),
        };
        for line in &table.lines {
            for (column, cell) in table.columns.iter_mut().zip(&line.cells) {
                column.width = column.width.max(cell.chars().count());
            }
        }
        table
    }

    /// A line as text, its columns as wide as `widths`. What is too long is cut.
    fn text<'a>(&self, widths: &[usize], cells: impl Iterator<Item = (Kind, &'a str)>) -> String {
        let mut text = String::new();
        for (width, (kind, cell)) in widths.iter().zip(cells) {
            if !text.is_empty() {
                text.push(' ');
            }
            let more = match kind {
                Kind::Device => cell.chars().count().saturating_sub(*width),
                Kind::Text | Kind::Number => 0,
            };
            let cell: String = cell.chars().skip(more).take(*width).collect();
            text.push_str(&match kind {
                Kind::Number => format!("{cell:>width$}"),
                Kind::Text | Kind::Device => format!("{cell:<width$}"),
            });
        }
        text
    }

    /// The titles.
    pub(super) fn titles(&self, widths: &[usize]) -> String {
        let titles = self.columns.iter().map(|column| match column.kind {
            Kind::Text | Kind::Device => (Kind::Text, column.title),
            Kind::Number => (Kind::Number, column.title),
        });
        self.text(widths, titles)
    }

    /// A line.
    pub(super) fn line(&self, widths: &[usize], line: &Line) -> String {
        let kinds = self.columns.iter().map(|column| column.kind);
        self.text(widths, kinds.zip(line.cells.iter().map(String::as_str)))
    }

    /// The widths of the columns that fit in `width`. The first one is cut if there is no room for a second one
    /// otherwise.
    pub(super) fn widths(&self, width: usize) -> Vec<usize> {
        let mut columns = self.columns.iter().map(|column| column.width);
        let (first, second) = (columns.next().unwrap_or(0), columns.next());
        let least = first.min(SHORTEST);
        let first = match second {
            Some(second) => first.min(width.saturating_sub(second.saturating_add(1)).max(least)),
            None => first,
        };
        let mut left = width;
        let mut widths = Vec::new();
        for wanted in std::iter::once(first).chain(second).chain(columns) {
            let space = usize::from(!widths.is_empty());
            match left.checked_sub(wanted.saturating_add(space)) {
                Some(rest) => left = rest,
                None if widths.is_empty() => left = 0,
                None => break,
            }
            widths.push(wanted.min(width));
        }
        widths
    }
}

/// A name is not cut shorter than this for the sake of a figure.
const SHORTEST: usize = 8;

/// By op.
pub(super) fn ops(figures: &Figures) -> Table {
    let columns = vec![
        text("OP", 7),
        number("REQ/s", 7),
        number("BYTES/s", 10),
        number("p50", 7),
        number("p99", 7),
        number("MAX", 7),
        number("SIZE", 9),
        number("DEPTH", 5),
        number("FAILED", 6),
        number("p90", 7),
        number("p99.9", 7),
        number("MEAN", 7),
    ];
    let line = |row: &Row| Line {
        cells: vec![
            row.name.clone(),
            count(row.requests),
            whole(row.bytes),
            latency(row, row.latency.p50),
            latency(row, row.latency.p99),
            latency(row, row.latency.max),
            whole(row.size),
            depth(row.depth),
            row.failed.to_string(),
            latency(row, row.latency.p90),
            latency(row, row.latency.p99_9),
            mean(row),
        ],
        alarming: row.failed > 0,
    };
    Table::new(columns, figures.ops.iter().map(line))
}

/// By device.
pub(super) fn devices(figures: &Figures) -> Table {
    let columns = vec![
        column(Kind::Device, "DEVICE", 13),
        number("REQ/s", 7),
        number("READ/s", 10),
        number("WRITE/s", 10),
        number("p99", 7),
        number("DEPTH", 5),
        number("NOW", 4),
        number("FOUND", 5),
        number("FAILED", 6),
        number("p50", 7),
        number("MAX", 7),
    ];
    let line = |row: &Row| Line {
        cells: vec![
            match row.removed {
                true => format!("{} (removed)", row.name),
                false => row.name.clone(),
            },
            count(row.requests),
            whole(row.bytes_read),
            whole(row.bytes_written),
            latency(row, row.latency.p99),
            depth(row.depth),
            row.in_flight
                .map_or_else(|| "-".into(), |number| number.to_string()),
            row.found.to_string(),
            row.failed.to_string(),
            latency(row, row.latency.p50),
            latency(row, row.latency.max),
        ],
        alarming: row.failed > 0 || row.removed,
    };
    Table::new(columns, figures.devices.iter().map(line))
}

/// By task.
pub(super) fn commands(figures: &Figures) -> Table {
    let columns = vec![
        text("COMMAND", 15),
        number("REQ/s", 7),
        number("SHARE", 6),
        number("BYTES/s", 10),
        number("LATENCY", 7),
    ];
    let line = |part: &Part| Line {
        cells: vec![
            part.name.clone(),
            count(part.requests),
            share(part.share),
            whole(part.bytes),
            part_latency(part),
        ],
        alarming: false,
    };
    Table::new(columns, figures.commands.iter().map(line))
}

/// By range of the disk.
pub(super) fn ranges(figures: &Figures) -> Table {
    let several = figures.ranges.iter().any(|part| !part.device.is_empty());
    let mut columns = vec![
        text("RANGE FROM", 15),
        number("REQ/s", 7),
        number("SHARE", 6),
        number("BYTES/s", 10),
        number("LATENCY", 7),
        number("SECTOR", 11),
    ];
    if several {
        columns.push(column(Kind::Device, "DEVICE", 13));
    }
    let line = |part: &Part| Line {
        cells: vec![
            bytes(part.sector.saturating_mul(512)),
            count(part.requests),
            share(part.share),
            whole(part.bytes),
            part_latency(part),
            part.sector.to_string(),
            part.device.clone(),
        ],
        alarming: false,
    };
    Table::new(columns, figures.ranges.iter().map(line))
}

/// By pattern.
pub(super) fn patterns(figures: &Figures) -> Table {
    let several = figures.found.iter().any(|found| !found.device.is_empty());
    let mut columns = vec![
        text("PATTERN", 15),
        number("FOUND/s", 7),
        number("SO FAR", 7),
    ];
    if several {
        columns.push(column(Kind::Device, "DEVICE", 13));
    }
    let line = |found: &Found| Line {
        cells: vec![
            found.name.clone(),
            count(match figures.seconds > 0.0 {
                true => found.found as f64 / figures.seconds,
                false => 0.0,
            }),
            found.found_ever.to_string(),
            found.device.clone(),
        ],
        alarming: false,
    };
    Table::new(columns, figures.found.iter().map(line))
}

/// A number per second, with two digits at least.
pub(super) fn count(number: f64) -> String {
    match number {
        number if number <= 0.0 => "0".into(),
        number if number < 9.95 => format!("{number:.1}"),
        number if number < 9_999.5 => format!("{number:.0}"),
        number if number < 999_950.0 => format!("{:.1}k", number / 1e3),
        number => format!("{:.1}M", number / 1e6),
    }
}

/// Bytes.
fn whole(number: f64) -> String {
    bytes(number.round() as u64)
}

fn depth(number: f64) -> String {
    match number < 99.95 {
        true => format!("{number:.1}"),
        false => format!("{number:.0}"),
    }
}

fn share(number: f64) -> String {
    format!("{:.1} %", number * 100.0)
}

fn latency(row: &Row, nanoseconds: u64) -> String {
    match row.latency.count {
        0 => "-".into(),
        _ => span(nanoseconds),
    }
}

fn mean(row: &Row) -> String {
    latency(row, row.latency.mean.round() as u64)
}

fn part_latency(part: &Part) -> String {
    match part.latency > 0.0 {
        true => span(part.latency.round() as u64),
        false => "-".into(),
    }
}
