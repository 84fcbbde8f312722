// SPDX-License-Identifier: GPL-2.0

//! Figures as plain text, once an interval.

use super::{
    figures::Figures,
    screen::lost,
    table::{
        self,
        count,
        Table, //
    },
};

/// How many lines of tasks, of ranges and of patterns are printed.
const LINES: usize = 10;

/// All of it. `when` is the time.
pub(super) fn text(figures: &Figures, when: &str) -> String {
    let number = figures.devices.len();
    let mut text = format!(
        "{when}  {} requests/s  {number} device{}  last {:.1} s  {}\n",
        count(figures.requests),
        match number {
            1 => "",
            _ => "s",
        },
        figures.seconds,
        lost(figures)
    );
    add(&mut text, &table::ops(figures), usize::MAX);
    add(&mut text, &table::devices(figures), usize::MAX);
    add(&mut text, &table::commands(figures), LINES);
    add(&mut text, &table::ranges(figures), LINES);
    add(&mut text, &table::patterns(figures), LINES);
    text.push('\n');
    text
}

/// Adds a list, unless it is empty.
fn add(text: &mut String, table: &Table, lines: usize) {
    if table.lines.is_empty() {
        return;
    }
    let widths: Vec<usize> = table.columns.iter().map(|column| column.width).collect();
    let mut add = |line: String| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    add(table.titles(&widths));
    for line in table.lines.iter().take(lines) {
        add(table.line(&widths, line));
    }
}
