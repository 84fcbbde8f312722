// SPDX-License-Identifier: GPL-2.0

//! Heat maps: cells whose colour says what is in them, and how much.

use super::{
    class::Class,
    frame::Frame,
    svg::{
        Short,
        Svg, //
    },
    theme::{
        Hue,
        Theme,
        SHADES, //
    },
};
use std::fmt::Write as _;

/// The amounts of each class in the cells of a map, column after column, each from below.
pub(super) struct Heat {
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
    /// The class whose amounts do not matter.
    flat: Option<Class>,
}

/// What is in a cell.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// The two classes with the largest amounts.
    first: Option<(Class, u64)>,
    second: Option<(Class, u64)>,
    /// There is something of which the amount does not matter.
    flat: bool,
}

impl Cell {
    fn put(&mut self, class: Class, amount: u64) {
        let new = Some((class, amount));
        let amount_of = |slot: Option<(Class, u64)>| slot.map_or(0, |(_, amount)| amount);
        if amount > amount_of(self.first) {
            self.second = self.first;
            self.first = new;
        } else if amount > amount_of(self.second) {
            self.second = new;
        }
    }

    /// What the colour is, and how much there is.
    fn look(&self) -> Option<(Hue, u64)> {
        let (class, amount) = self.first?;
        let other = self.second.map_or(0, |(_, amount)| amount);
        let hue = match other.saturating_mul(MIXED) >= amount && other > 0 {
            true => Hue::Mixed,
            false => Hue::Of(class),
        };
        Some((hue, amount.saturating_add(other)))
    }
}

/// A cell is mixed if the second class has at least one part in so many of the first.
const MIXED: u64 = 4;

/// Which amounts have which shades: the logarithms of the lowest and the highest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Range {
    /// The amount with the first shade.
    pub(super) low: u64,
    /// The amount with the last shade.
    pub(super) high: u64,
}

impl Range {
    fn shade(&self, amount: u64) -> usize {
        let log = |amount: u64| (amount.max(1) as f64).log2();
        let (low, high) = (log(self.low), log(self.high));
        if high - low < 0.5 {
            return SHADES / 2;
        }
        let place = (log(amount) - low) / (high - low) * SHADES as f64;
        (place.max(0.0) as usize).min(SHADES - 1)
    }
}

impl Heat {
    /// A map without amounts.
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            rows,
            cells: vec![Cell::default(); columns.saturating_mul(rows)],
            flat: None,
        }
    }

    /// Adds the amounts of a class: sums of all that belongs to each cell.
    pub(super) fn put(&mut self, class: Class, amounts: &[u64]) {
        for (cell, amount) in self.cells.iter_mut().zip(amounts) {
            if *amount > 0 {
                cell.put(class, *amount);
            }
        }
    }

    /// Adds a class whose amounts do not matter, for cells that have nothing else.
    pub(super) fn put_flat(&mut self, class: Class, amounts: &[u64]) {
        self.flat = Some(class);
        for (cell, amount) in self.cells.iter_mut().zip(amounts) {
            cell.flat |= *amount > 0;
        }
    }

    /// Which amounts the shades tell apart: nearly all, so that a few cells do not make all others look equal.
    pub(super) fn range(&self) -> Option<Range> {
        let mut amounts: Vec<u64> = self
            .cells
            .iter()
            .filter_map(|cell| Some(cell.look()?.1))
            .collect();
        amounts.sort_unstable();
        let last = amounts.len().checked_sub(1)?;
        let low = amounts.get(last / 20).copied()?;
        let high = amounts.get(last - last / 200).copied()?;
        // Amounts that differ little must not look as if they differed much.
        let low = low.min(high / 16).max(1);
        Some(Range { low, high })
    }

    /// The hues that occur.
    pub(super) fn hues(&self) -> Vec<Hue> {
        let all = Class::ALL.map(Hue::Of).into_iter().chain([Hue::Mixed]);
        all.filter(|hue| {
            let mut looks = self.cells.iter().filter_map(Cell::look);
            looks.any(|(found, _)| found == *hue)
        })
        .collect()
    }

    /// Draws the cells. Those of a row that are alike become one line, and all lines of a colour one path.
    pub(super) fn draw(&self, svg: &mut Svg, frame: &Frame, theme: Theme, range: Range) {
        let width = frame.width / self.columns as f64;
        let height = frame.height / self.rows as f64;
        svg.group(&format!(
            "transform=\"translate({} {}) scale({:.5} {:.5})\" shape-rendering=\"crispEdges\" stroke-width=\"1\"",
            Short(frame.x),
            Short(frame.bottom() - height / 2.0),
            width,
            -height
        ));
        if let Some(class) = self.flat {
            let path = lines(self.columns, self.rows, |column, row| {
                let cell = self.cells.get(column * self.rows + row);
                cell.is_some_and(|cell| cell.flat && cell.first.is_none())
            });
            svg.path(&path, &format!("stroke=\"{}\"", theme.flat(class)));
        }
        for hue in self.hues() {
            for shade in 0..SHADES {
                let wanted = |column: usize, row: usize| {
                    let cell = self.cells.get(column * self.rows + row);
                    cell.and_then(Cell::look)
                        .is_some_and(|(found, amount)| found == hue && range.shade(amount) == shade)
                };
                let path = lines(self.columns, self.rows, wanted);
                svg.path(&path, &format!("stroke=\"{}\"", theme.shade(hue, shade)));
            }
        }
        svg.end_group();
    }
}

/// Horizontal lines through the cells that are wanted, in units of cells.
fn lines(columns: usize, rows: usize, wanted: impl Fn(usize, usize) -> bool) -> String {
    let mut path = String::new();
    // Where the last line ended.
    let (mut x, mut y) = (0, 0);
    let signed = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    for row in 0..rows {
        let mut column = 0;
        while column < columns {
            if !wanted(column, row) {
                column += 1;
                continue;
            }
            let start = column;
            while column < columns && wanted(column, row) {
                column += 1;
            }
            let letter = if path.is_empty() { 'M' } else { 'm' };
            let (right, up) = (signed(start) - x, signed(row) - y);
            let space = if up < 0 { "" } else { " " };
            // Writing to a string does not fail.
            let _ = write!(path, "{letter}{right}{space}{up}h{}", column - start);
            (x, y) = (signed(column), signed(row));
        }
    }
    path
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_cover_what_is_wanted() {
        let cells = ["..##.", "#...#", "#####"];
        let wanted = |column: usize, row: usize| cells[row].as_bytes()[column] == b'#';
        assert_eq!(lines(5, 3, wanted), "M2 0h2m-4 1h1m3 0h1m-5 1h5");
        assert_eq!(lines(5, 3, |_, _| false), "");
    }

    #[test]
    fn a_cell_is_mixed_if_the_second_class_is_large() {
        let look = |read, write| {
            let mut heat = Heat::new(1, 1);
            heat.put(Class::Read, &[read]);
            heat.put(Class::Write, &[write]);
            heat.cells[0].look()
        };
        assert_eq!(look(0, 0), None);
        assert_eq!(look(5, 0), Some((Hue::Of(Class::Read), 5)));
        assert_eq!(look(5, 1), Some((Hue::Of(Class::Read), 6)));
        assert_eq!(look(4, 1), Some((Hue::Mixed, 5)));
        assert_eq!(look(1, 5), Some((Hue::Of(Class::Write), 6)));
    }

    #[test]
    fn shades_are_logarithmic() {
        let range = Range { low: 1, high: 128 };
        let shades = [1, 2, 4, 64, 128, 1 << 40].map(|amount| range.shade(amount));
        assert_eq!(shades, [0, 1, 2, 6, 6, 6]);
        assert_eq!(Range { low: 8, high: 8 }.shade(8), 3);
    }
}
